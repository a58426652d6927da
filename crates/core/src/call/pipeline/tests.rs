use std::sync::Arc;

use aws_sigv4_free_http_transport::ErrorKind as TransportErrorKind;
use aws_sigv4_free_http_transport::{self as transport, BoxFuture, Stage, Transport};

use super::super::testing::{HandClock, Keys, Script, Try, answer, no_answer};
use super::super::{Caller, CallerBuilder, RetryMode, RetryPolicy};
use super::*;
use crate::clock::Clock;

const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code><Message>m</Message></Error>";
const EXPIRED: &str = "<Error><Code>ExpiredToken</Code></Error>";
const MOVED: &str = "<Error><Code>PermanentRedirect</Code><Region>eu-west-1</Region></Error>";

fn region() -> Region {
    Region::new("us-east-1").unwrap()
}

fn builder(script: &Arc<Script>, clock: &Arc<HandClock>) -> CallerBuilder {
    Caller::builder(script.clone()).clock(clock.clone()).random(|| 1.0).credentials(Keys::new(&["FIRST", "SECOND"]))
}

async fn run(
    answers: impl IntoIterator<Item = Result<Response, transport::Error>>,
    operation: Try,
) -> (Result<Response, Error>, Arc<Script>, Arc<HandClock>) {
    let (script, clock) = (Script::new(answers), HandClock::new());
    let caller = builder(&script, &clock).build().unwrap();
    (caller.call(&operation, &region()).await, script, clock)
}

#[tokio::test]
async fn a_success_tells_how_it_came_about() {
    let (result, script, clock) =
        run([answer(503, SLOW_DOWN), answer(301, MOVED), answer(200, "done")], Try::default()).await;
    let response = result.unwrap();
    let summary = response.extensions().get::<CallSummary>().unwrap().clone();
    assert_eq!(summary.region.as_str(), "eu-west-1");
    let next: Vec<_> = summary.attempts.iter().map(|attempt| attempt.next.clone()).collect();
    let retry = Next::Retry { wait: Duration::from_secs(1) };
    assert_eq!(next, [retry, Next::Redirect { region: "eu-west-1".into() }, Next::End]);
    assert_eq!(summary.attempts[2].outcome, Outcome::Success);
    assert_eq!(clock.waits(), [1]);
    assert!(script.authorization(1).unwrap().contains("/us-east-1/s3/"));
    assert!(script.authorization(2).unwrap().contains("/eu-west-1/s3/"));
    assert_eq!(response.into_body().collect(9).await.unwrap(), "done");
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for (status, body, code) in [
        (404, "<Error><Code>NoSuchKey</Code></Error>", "NoSuchKey"),
        (403, "", "Forbidden"),
        (304, "", "NotModified"),
        (501, "<html>", "NotImplemented"),
    ] {
        let (result, script, _) = run([answer(status, body)], Try::default()).await;
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.stop(), script.requests()), (Some(code), None, 1));
        assert_eq!((error.service_name(), error.operation()), (Some("s3"), Some("Try")));
    }
    let (result, script, _) = run([no_answer(TransportErrorKind::Tls)], Try::default()).await;
    assert_eq!((result.unwrap_err().kind(), script.requests()), (ErrorKind::Transport, 1));
}

#[tokio::test]
async fn a_lost_connection_is_made_good_and_a_time_out_costs_more() {
    let lost = no_answer(TransportErrorKind::ConnectionClosed);
    let late = no_answer(TransportErrorKind::Timeout(Stage::ResponseHead));
    let (script, clock) = (Script::new([lost, late, answer(200, "")]), HandClock::new());
    let caller = builder(&script, &clock).build().unwrap();
    caller.call(&Try::default(), &region()).await.unwrap();
    assert_eq!(caller.retry_quota(), 500 - 5);
    assert_eq!(clock.waits(), [1, 2]);
}

#[tokio::test]
async fn a_body_that_is_sent_once_ends_the_call_and_says_so() {
    let operation = Try { once: true, ..Try::default() };
    for first in
        [answer(503, SLOW_DOWN), answer(301, MOVED), answer(400, EXPIRED), no_answer(TransportErrorKind::Connect)]
    {
        let (result, script, _) = run([first], operation).await;
        let error = result.unwrap_err();
        assert_eq!((error.stop(), script.requests()), (Some(Stop::BodyNotReplayable), 1));
    }
    let (result, ..) = run([answer(404, "")], operation).await;
    assert_eq!(result.unwrap_err().stop(), None);
}

#[tokio::test]
async fn a_refused_identity_is_renewed_once() {
    let (result, script, clock) = run([answer(400, EXPIRED), answer(200, "")], Try::default()).await;
    result.unwrap();
    assert!(
        script.authorization(0).unwrap().contains("FIRST/") && script.authorization(1).unwrap().contains("SECOND/")
    );
    assert!(clock.waits().is_empty());
    let (result, script, _) = run([answer(400, EXPIRED), answer(400, EXPIRED)], Try::default()).await;
    assert_eq!((result.unwrap_err().code(), script.requests()), (Some("ExpiredToken"), 2));
}

#[tokio::test]
async fn a_provider_that_fails_after_a_refusal_ends_the_call_with_its_history() {
    let (script, clock) = (Script::new([answer(400, EXPIRED)]), HandClock::new());
    let caller = builder(&script, &clock).credentials(Keys::new(&["ONLY"])).build().unwrap();
    let error = caller.call(&Try::default(), &region()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let outcomes: Vec<_> = error.attempts().iter().map(|attempt| attempt.outcome.clone()).collect();
    let refused = Outcome::Refused { status: StatusCode::BAD_REQUEST, code: "ExpiredToken".into() };
    assert_eq!(outcomes, [refused, Outcome::NotSent(ErrorKind::Credentials)]);
}

#[tokio::test]
async fn an_anonymous_caller_sends_unsigned_requests() {
    let (script, clock) = (Script::new([answer(400, EXPIRED)]), HandClock::new());
    let caller = Caller::builder(script.clone()).clock(clock).build().unwrap();
    assert!(caller.identity().await.unwrap().is_none());
    assert_eq!(caller.call(&Try::default(), &region()).await.unwrap_err().code(), Some("ExpiredToken"));
    assert_eq!(script.authorization(0), None);
}

#[tokio::test]
async fn a_request_that_can_not_be_made_is_not_sent() {
    let (result, script, _) = run([], Try { unprepared: true, ..Try::default() }).await;
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "s3 Try: the key is empty, give one");
    assert_eq!((error.kind(), error.was_sent(), script.requests()), (ErrorKind::InvalidInput, false, 0));
}

#[tokio::test]
async fn the_body_of_a_success_is_an_error_only_where_the_operation_says_so() {
    let (result, ..) = run([answer(200, SLOW_DOWN)], Try::default()).await;
    assert_eq!(result.unwrap().into_body().collect(99).await.unwrap(), SLOW_DOWN);
    let copy = Try { error_in_success: ErrorInSuccess::XmlRoot, ..Try::default() };
    let denied = "<Error><Code>AccessDenied</Code></Error>";
    for (body, code) in [(denied, "AccessDenied"), ("<?xml version=\"1.0\"?>\n<Error/>", "Status200")] {
        let (result, ..) = run([answer(200, body)], copy).await;
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.status()), (Some(code), Some(StatusCode::OK)));
    }
    let (result, script, _) =
        run([answer(200, SLOW_DOWN), answer(200, "<Cop"), answer(200, "<CopyResult/>")], copy).await;
    assert_eq!(result.unwrap().into_body().collect(99).await.unwrap(), "<CopyResult/>");
    assert_eq!(script.requests(), 3);
}

/// A transport that never answers.
#[derive(Debug)]
struct Silence;

impl Transport for Silence {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, transport::Error>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_call_as_a_whole_has_a_limit() {
    let clock = HandClock::new();
    let caller = Caller::builder(Arc::new(Silence)).clock(clock).timeout(Duration::from_secs(7)).build().unwrap();
    let error = caller.call(&Try::default(), &region()).await.unwrap_err();
    assert_eq!(error.to_string(), "s3 Try: the call did not end within its 7 s");
    assert!(error.kind() == ErrorKind::Timeout && error.was_sent());
}

#[tokio::test]
async fn the_adaptive_mode_slows_down_after_throttling() {
    let mut answers = vec![answer(503, SLOW_DOWN)];
    answers.extend((0..20).map(|_| answer(200, "")));
    let (script, clock) = (Script::new(answers), HandClock::new());
    let caller = builder(&script, &clock).retry(RetryPolicy::new(RetryMode::Adaptive)).build().unwrap();
    let began = clock.now();
    for _ in 0..20 {
        caller.call(&Try::default(), &region()).await.unwrap();
    }
    assert!(clock.now() - began > time::Duration::seconds(3), "{:?}", clock.waits());
}

/// Each seam fails a number of times in a row, at each place of a call that has several steps: the call always ends, in the
/// result that belongs to the number, with no more requests than the policy allows.
#[tokio::test]
async fn any_seam_may_fail_any_number_of_times() {
    type Fault = fn() -> Result<Response, transport::Error>;
    let faults: [(Fault, bool); 9] = [
        (|| answer(500, ""), true),
        (|| answer(503, SLOW_DOWN), true),
        (|| answer(200, "<Cut"), true),
        (|| no_answer(TransportErrorKind::Connect), true),
        (|| no_answer(TransportErrorKind::ConnectionClosed), true),
        (|| no_answer(TransportErrorKind::Timeout(Stage::Connect)), true),
        (|| no_answer(TransportErrorKind::Tls), false),
        (|| no_answer(TransportErrorKind::TooLarge), false),
        (|| answer(404, ""), false),
    ];
    let detours: [Option<Fault>; 3] = [None, Some(|| answer(301, MOVED)), Some(|| answer(400, EXPIRED))];
    let mut runs = 0;
    for (fault, passes) in faults {
        for detour in detours {
            for place in 0..3 {
                for attempts in 1..6_u32 {
                    for times in 0..8_u32 {
                        let mut answers: Answers = (0..times).map(|_| fault()).collect();
                        if let Some(detour) = detour {
                            answers.insert(place.min(answers.len()), detour());
                        }
                        answers.push(answer(200, "<Done/>"));
                        let (script, clock) = (Script::new(answers), HandClock::new());
                        let policy = RetryPolicy::standard().max_attempts(attempts);
                        let caller = builder(&script, &clock).retry(policy).build().unwrap();
                        let operation = Try { error_in_success: ErrorInSuccess::XmlRoot, ..Try::default() };
                        let result = caller.call(&operation, &region()).await;
                        let succeeds = times == 0 || (passes && times < attempts);
                        assert_eq!(result.is_ok(), succeeds, "{times} times, {attempts} attempts: {result:?}");
                        assert!(script.requests() as u32 <= attempts + 1);
                        if let Err(error) = result {
                            assert_eq!(error.attempts().len(), script.requests());
                            assert!(!format!("{error} {error:?}").contains("canary"));
                        }
                        runs += 1;
                    }
                }
            }
        }
    }
    assert_eq!(runs, 9 * 3 * 3 * 5 * 8);
}

type Answers = Vec<Result<Response, transport::Error>>;
