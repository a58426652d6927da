//! What a service, or a proxy before it, may do to a call: each case ends within its bound, with the right result or the right
//! error, and with no secret in the error or in the logs.

use std::sync::Arc;
use std::time::Duration;

use aws_sigv4_free_core::call::{CallSummary, Caller, ErrorInSuccess, RetryPolicy};
use aws_sigv4_free_core::error::{Next, Outcome, Stop};
use aws_sigv4_free_core::identity::Credentials;
use aws_sigv4_free_core::{Error, ErrorKind};
use aws_sigv4_free_http_transport::Response;
use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy};
use integration_tests::calls::{ManualClock, RotatingProvider, TestOperation, region};
use integration_tests::logs::{Logs, assert_absent, assert_no_secret};
use integration_tests::scripted::{Scripted, Step, within};
use libtest_mimic::{Failed, Trial};

use crate::harness::logged_trial;

const SECRET: &str = "canary-secret-access-key-of-the-call-faults";
const TOKEN: &str = "canary-session-token-of-the-call-faults";
const SECOND_SECRET: &str = "canary-second-secret-access-key";
const SECOND_TOKEN: &str = "canary-second-session-token";
/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;
const BOUND: Duration = Duration::from_secs(15);

/// A server, a client of it, and what they are asked.
struct Bench {
    server: Scripted,
    caller: Caller,
    clock: Arc<ManualClock>,
    provider: Arc<RotatingProvider>,
    operation: TestOperation,
    logs: Logs,
}

impl Bench {
    /// A server that answers one request after the other, the last answer again and again.
    async fn new(logs: Logs, answers: Vec<String>) -> Result<Self, Failed> {
        let mut script = Vec::new();
        for answer in answers {
            script.extend([Step::ReadRequest, Step::write(answer)]);
        }
        script.push(Step::GoTo(script.len() - 2));
        Self::with_script(logs, script).await
    }

    async fn with_script(logs: Logs, script: Vec<Step>) -> Result<Self, Failed> {
        let server = Scripted::start(vec![script]).await?;
        let transport = HyperTransport::builder().proxy(Proxy::none()).build()?;
        let provider = RotatingProvider::new(vec![
            Credentials::new("AKIDFIRST", SECRET).with_session_token(TOKEN),
            Credentials::new("AKIDSECOND", SECOND_SECRET).with_session_token(SECOND_TOKEN),
        ]);
        let clock = ManualClock::quick(NOW);
        let caller = Caller::builder(Arc::new(transport))
            .credentials(provider.clone())
            .clock(clock.clone())
            .random(|| 1.0)
            .retry(RetryPolicy::standard())
            .build()?;
        let operation = TestOperation::get(server.url("/photos/cat.jpg"));
        Ok(Self { server, caller, clock, provider, operation, logs })
    }

    async fn call(&self) -> Result<Response, Error> {
        let result = within(BOUND, self.caller.call(&self.operation, &region("us-east-1"))).await;
        let secrets = [SECRET, TOKEN, SECOND_SECRET, SECOND_TOKEN];
        assert_no_secret(&self.logs, &secrets);
        if let Err(error) = &result {
            let mut text = format!("{error} {error:?}");
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                text.push_str(&format!("{cause} {cause:?}"));
                source = cause.source();
            }
            assert_absent(&text, &secrets, "the error");
        }
        result
    }

    async fn fails(&self) -> Result<Error, Failed> {
        match self.call().await {
            Ok(response) => Err(format!("a success was not expected: {response:?}").into()),
            Err(error) => Ok(error),
        }
    }

    fn requests(&self) -> usize {
        self.server.received().len()
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn error(status: &str, code: &str) -> String {
    answer(
        status,
        "x-amz-request-id: 4442587FB7D0A2F9\r\n",
        &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"),
    )
}

fn ok() -> String {
    answer("200 OK", "", "done")
}

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (status, code) in [
        ("500 Internal Server Error", "InternalError"),
        ("502 Bad Gateway", "BadGateway"),
        ("503 Service Unavailable", "SlowDown"),
        ("504 Gateway Timeout", "GatewayTimeout"),
        ("429 Too Many Requests", "TooManyRequests"),
        ("400 Bad Request", "RequestTimeout"),
        ("200 OK", "InternalError"),
        ("200 OK", "SlowDown"),
    ] {
        for times in 1..=3_usize {
            let name = format!("call_faults::{}_{code}_{times}_times", &status[..3]);
            trials.push(logged_trial(&name, move |logs| async move { transient(logs, status, code, times).await }));
        }
    }
    for (name, value, waits) in [
        ("valid", "1500", [1500, 1500]),
        ("huge", "999999999", [20_000, 20_000]),
        ("beyond_any_number", "99999999999999999999999999", [1000, 2000]),
        ("negative", "-5", [1000, 2000]),
        ("garbage", "soon", [1000, 2000]),
    ] {
        let name = format!("call_faults::retry_after_{name}");
        trials.push(logged_trial(&name, move |logs| async move { retry_after(logs, value, waits).await }));
    }
    for (name, seconds) in
        [("plus_6_minutes", 360), ("minus_6_minutes", -360), ("plus_1_day", 86_400), ("minus_1_day", -86_400)]
    {
        let name = format!("call_faults::clock_is_off_by_{name}");
        trials.push(logged_trial(&name, move |logs| async move { skewed(logs, seconds).await }));
    }
    trials.extend([
        logged_trial("call_faults::clock_is_off_and_the_answer_has_no_date", no_date),
        logged_trial("call_faults::clock_stays_off", still_skewed),
        logged_trial("call_faults::redirect_with_region", redirect),
        logged_trial("call_faults::redirect_for_ever", redirect_for_ever),
        logged_trial("call_faults::redirect_out_of_the_partition", redirect_out),
        logged_trial("call_faults::redirect_to_another_host", redirect_host),
        logged_trial("call_faults::html_error_page", html),
        logged_trial("call_faults::endless_error_body", endless),
        logged_trial("call_faults::silent_error_body", silent),
        logged_trial("call_faults::error_body_cut_short", cut),
        logged_trial("call_faults::error_in_success_is_cut_short", success_cut),
        logged_trial("call_faults::error_in_success_is_a_success", success),
        logged_trial("call_faults::expired_token_is_renewed_once", expired),
        logged_trial("call_faults::expired_token_stays_expired", stays_expired),
        logged_trial("call_faults::a_service_repeats_the_request", repeats),
        logged_trial("call_faults::a_body_that_is_sent_once_is_not_tried_again", once),
        logged_trial("call_faults::a_storm_of_slow_down_empties_the_quota", storm),
        logged_trial("call_faults::reset_before_the_head", reset),
    ]);
    trials
}

/// The service fails a number of times, then answers: up to two failures are made good.
async fn transient(logs: Logs, status: &str, code: &str, times: usize) -> Result<(), Failed> {
    let mut answers = vec![error(status, code); times];
    let is_success = status.starts_with("200");
    answers.push(if is_success { answer("200 OK", "", "<CopyObjectResult/>") } else { ok() });
    let mut bench = Bench::new(logs, answers).await?;
    if is_success {
        bench.operation.error_in_success = ErrorInSuccess::XmlRoot;
    }
    if times < 3 {
        let response = bench.call().await?;
        let summary = response.extensions().get::<CallSummary>().ok_or("no summary")?;
        assert_eq!(summary.attempts.len(), times + 1);
        assert_eq!(bench.caller.retry_quota(), 500 - 5 * (times as u32 - 1));
        return Ok(());
    }
    let failed = bench.fails().await?;
    assert_eq!(
        (failed.kind(), failed.code(), failed.stop()),
        (ErrorKind::Service, Some(code), Some(Stop::AttemptsUsedUp))
    );
    assert_eq!((failed.attempts().len(), bench.requests()), (3, 3));
    assert_eq!(failed.request_id(), Some("4442587FB7D0A2F9"));
    assert_eq!(bench.clock.take_waits(), [Duration::from_secs(1), Duration::from_secs(2)]);
    let heads: Vec<String> = bench.server.received().into_iter().map(|received| received.head).collect();
    let date = |head: &str| head.lines().find(|line| line.starts_with("x-amz-date")).map(str::to_owned);
    assert!(date(&heads[0]) != date(&heads[1]) && date(&heads[1]) != date(&heads[2]), "each attempt is signed anew");
    Ok(())
}

async fn retry_after(logs: Logs, value: &'static str, waits: [u64; 2]) -> Result<(), Failed> {
    let body = "<Error><Code>SlowDown</Code></Error>";
    let headers = format!("x-amz-retry-after: {value}\r\n");
    let bench = Bench::new(logs, vec![answer("503 Slow Down", &headers, body)]).await?;
    assert_eq!(bench.fails().await?.code(), Some("SlowDown"));
    assert_eq!(bench.clock.take_waits(), waits.map(Duration::from_millis));
    Ok(())
}

fn too_skewed(date: Option<&str>) -> String {
    let date = date.map(|date| format!("date: {date}\r\n")).unwrap_or_default();
    answer("403 Forbidden", &date, "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>")
}

fn date_after(seconds: i64) -> &'static str {
    match seconds {
        360 => "Thu, 01 Jan 2026 00:06:00 GMT",
        -360 => "Wed, 31 Dec 2025 23:54:00 GMT",
        86_400 => "Fri, 02 Jan 2026 00:00:00 GMT",
        _ => "Wed, 31 Dec 2025 00:00:00 GMT",
    }
}

async fn skewed(logs: Logs, seconds: i64) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![too_skewed(Some(date_after(seconds))), ok()]).await?;
    // Read to its end, so that the next call uses the same connection.
    assert_eq!(bench.call().await?.into_body().collect(99).await?, "done");
    assert_eq!(bench.caller.skew(), Some(time::Duration::seconds(seconds)));
    assert!(bench.clock.take_waits().is_empty());
    bench.call().await?;
    assert_eq!(bench.requests(), 3, "the skew is kept for the next call");
    assert_eq!(bench.caller.now().unix_timestamp(), NOW, "a presigned URL is not shifted");
    Ok(())
}

async fn no_date(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![too_skewed(None)]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.code(), bench.requests()), (Some("RequestTimeTooSkewed"), 1));
    assert!(failed.to_string().contains("set the clock of this machine"), "{failed}");
    Ok(())
}

async fn still_skewed(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![too_skewed(Some(date_after(360)))]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.code(), bench.requests()), (Some("RequestTimeTooSkewed"), 2));
    assert_eq!(failed.attempts()[0].next, Next::CorrectedClock { skew_seconds: 360 });
    Ok(())
}

fn moved(region: &str) -> String {
    let body = format!("<Error><Code>PermanentRedirect</Code><Message>m</Message><Region>{region}</Region></Error>");
    answer("301 Moved Permanently", &format!("x-amz-bucket-region: {region}\r\n"), &body)
}

async fn redirect(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![moved("eu-west-1"), ok()]).await?;
    let response = bench.call().await?;
    let summary = response.extensions().get::<CallSummary>().ok_or("no summary")?;
    assert_eq!(summary.region.as_str(), "eu-west-1");
    let heads = bench.server.received();
    assert!(heads[0].head.contains("/us-east-1/s3/") && heads[1].head.contains("/eu-west-1/s3/"), "{heads:?}");
    Ok(())
}

async fn redirect_for_ever(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![moved("eu-west-1"), moved("eu-west-2"), moved("eu-west-3")]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.code(), bench.requests()), (Some("PermanentRedirect"), 2));
    assert!(failed.to_string().contains("region eu-west-2"), "{failed}");
    Ok(())
}

async fn redirect_out(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![moved("cn-north-1")]).await?;
    assert_eq!((bench.fails().await?.code(), bench.requests()), (Some("PermanentRedirect"), 1));
    Ok(())
}

async fn redirect_host(logs: Logs) -> Result<(), Failed> {
    let thief = Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "thanks")]]).await?;
    let body = "<Error><Code>TemporaryRedirect</Code><Message>m</Message><Endpoint>thief.example</Endpoint></Error>";
    let location = format!("location: {}\r\n", thief.url("/"));
    let bench = Bench::new(logs, vec![answer("307 Temporary Redirect", &location, body)]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.code(), bench.requests(), thief.connections()), (Some("TemporaryRedirect"), 1, 0));
    Ok(())
}

async fn html(logs: Logs) -> Result<(), Failed> {
    let page = "<!DOCTYPE html><html><head><title>403</title></head><body><p>\x1b[31mblocked</body></html>";
    let bench = Bench::new(logs, vec![answer("403 Forbidden", "server: squid/6\r\n", page)]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.kind(), failed.code()), (ErrorKind::Service, Some("Forbidden")));
    assert!(failed.to_string().contains("a web page, by the server squid/6"), "{failed}");
    assert!(!failed.to_string().contains('\x1b'));
    Ok(())
}

async fn endless(logs: Logs) -> Result<(), Failed> {
    let head = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n<Error><Code>AccessDenied</Code><Message>";
    let script = vec![Step::ReadRequest, Step::write(head), Step::WriteForever(vec![b'x'; 8192])];
    let bench = Bench::with_script(logs, script).await?;
    let failed = bench.fails().await?;
    assert_eq!(failed.code(), Some("AccessDenied"));
    assert!(failed.to_string().len() < 4096);
    within(BOUND, async {
        while bench.server.open() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    Ok(())
}

async fn silent(logs: Logs) -> Result<(), Failed> {
    let head = "HTTP/1.1 403 Forbidden\r\ncontent-length: 1000\r\n\r\n<Error><Code>AccessDenied</Code>";
    let bench = Bench::with_script(logs, vec![Step::ReadRequest, Step::write(head), Step::Hang]).await?;
    assert_eq!(bench.fails().await?.status().map(|status| status.as_u16()), Some(403));
    Ok(())
}

async fn cut(logs: Logs) -> Result<(), Failed> {
    let head = "HTTP/1.1 404 Not Found\r\ncontent-length: 1000\r\n\r\n<Error><Code>NoSuchKey</Code><Mess";
    let bench = Bench::with_script(logs, vec![Step::ReadRequest, Step::write(head), Step::Close]).await?;
    assert_eq!(bench.fails().await?.code(), Some("NoSuchKey"));
    Ok(())
}

async fn success_cut(logs: Logs) -> Result<(), Failed> {
    for body in ["", "<CompleteMultipartUploadResult><Locat"] {
        let mut bench = Bench::new(logs.clone(), vec![answer("200 OK", "", body)]).await?;
        bench.operation.error_in_success = ErrorInSuccess::XmlRoot;
        let failed = bench.fails().await?;
        assert_eq!((failed.kind(), failed.stop()), (ErrorKind::Response, Some(Stop::AttemptsUsedUp)));
        assert_eq!((bench.requests(), failed.was_sent()), (3, true));
        assert_eq!(failed.attempts()[0].outcome, Outcome::Unreadable);
    }
    Ok(())
}

async fn success(logs: Logs) -> Result<(), Failed> {
    let body = "  \n<CopyObjectResult><ETag>1</ETag></CopyObjectResult>";
    let mut bench = Bench::new(logs, vec![answer("200 OK", "", body)]).await?;
    bench.operation.error_in_success = ErrorInSuccess::XmlRoot;
    let response = bench.call().await?;
    assert_eq!(response.into_body().collect(1 << 20).await?, body.as_bytes());
    Ok(())
}

async fn expired(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![error("400 Bad Request", "ExpiredToken"), ok()]).await?;
    let response = bench.call().await?;
    let summary = response.extensions().get::<CallSummary>().ok_or("no summary")?;
    assert_eq!(summary.attempts[0].next, Next::RenewedIdentity);
    let heads = bench.server.received();
    assert!(heads[0].head.contains("AKIDFIRST") && heads[1].head.contains("AKIDSECOND"));
    assert_eq!(bench.provider.invalidated(), 1);
    Ok(())
}

async fn stays_expired(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![error("400 Bad Request", "ExpiredToken")]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.code(), bench.requests(), bench.provider.invalidated()), (Some("ExpiredToken"), 2, 1));
    assert!(failed.to_string().contains("log in again"), "{failed}");
    Ok(())
}

/// A service that puts the session token and the whole signature into its message, its id and the details.
async fn repeats(logs: Logs) -> Result<(), Failed> {
    let body = format!(
        "<Error><Code>InvalidToken</Code><Message>{TOKEN} or {SECOND_TOKEN} is malformed</Message><Token-0>{TOKEN}</Token-0>\
         <Resource>/?x={TOKEN}&amp;y={SECOND_TOKEN}</Resource><RequestId>{SECOND_TOKEN}</RequestId>\
         <CanonicalRequest>x-amz-security-token:{TOKEN}</CanonicalRequest></Error>"
    );
    let bench = Bench::new(logs, vec![answer("403 Forbidden", "", &body.replace(TOKEN, SECOND_TOKEN))]).await?;
    // The first credentials are refused and renewed, so that the second ones are those of the last attempt.
    let failed = bench.fails().await?;
    assert_eq!(failed.code(), Some("InvalidToken"));
    assert!(failed.to_string().contains("[redacted]"), "{failed}");
    let view = failed.service().and_then(|service| service.signature_mismatch()).ok_or("no view of the signature")?;
    assert!(view.canonical_request().is_some_and(|text| text.contains(SECOND_TOKEN)));
    Ok(())
}

async fn once(logs: Logs) -> Result<(), Failed> {
    let mut bench = Bench::new(logs, vec![error("503 Service Unavailable", "SlowDown"), ok()]).await?;
    bench.operation = TestOperation { method: http::Method::PUT, body: Some("bytes"), once: true, ..bench.operation };
    let failed = bench.fails().await?;
    assert_eq!((failed.code(), failed.stop(), bench.requests()), (Some("SlowDown"), Some(Stop::BodyNotReplayable), 1));
    assert!(failed.to_string().contains("the body can be sent once only"), "{failed}");
    Ok(())
}

/// A thousand calls against a service in trouble make little more than a thousand requests.
async fn storm(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::new(logs, vec![error("503 Slow Down", "SlowDown")]).await?;
    let mut last = None;
    for _ in 0..200 {
        last = Some(within(BOUND, bench.caller.call(&bench.operation, &region("us-east-1"))).await);
    }
    assert_eq!(bench.caller.retry_quota(), 0);
    assert_eq!(bench.requests(), 200 + 100, "one request for each call, and the quota's worth of retries");
    match last {
        Some(Err(failed)) => assert_eq!((failed.stop(), failed.attempts().len()), (Some(Stop::QuotaUsedUp), 1)),
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}

async fn reset(logs: Logs) -> Result<(), Failed> {
    let bench = Bench::with_script(logs, vec![Step::ReadRequest, Step::Reset]).await?;
    let failed = bench.fails().await?;
    assert_eq!((failed.kind(), failed.stop()), (ErrorKind::Transport, Some(Stop::AttemptsUsedUp)));
    assert!(failed.was_sent() && failed.attempts().len() == 3);
    Ok(())
}
