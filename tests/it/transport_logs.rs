//! What the HTTPS client logs: enough to find a fault by, and no secret at any level, in any error.

use std::error::Error as _;
use std::fmt::Write;

use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy};
use aws_sigv4_free_http_transport::{Body, Error, Request, Transport};
use integration_tests::logs;
use integration_tests::scripted::{Scripted, Step};
use libtest_mimic::Trial;

use crate::harness::logged_trial;
use crate::transport_faults::fetch_by;

const SIGNATURE: &str = "canary-signature-0a1b2c";
const TOKEN: &str = "canary-token-3d4e5f";
const PASSWORD: &str = "canary-password-6a7b8c";
const SENT: &str = "canary-request-body-9d0e1f";
const RECEIVED: &str = "canary-response-body-2a3b4c";
const COOKIE: &str = "canary-cookie-5d6e7f";
const SECRETS: [&str; 6] = [SIGNATURE, TOKEN, PASSWORD, SENT, RECEIVED, COOKIE];

fn request(base: &str) -> Request {
    http::Request::put(format!("{base}/key?X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token={TOKEN}&partNumber=7"))
        .header("authorization", format!("AWS4-HMAC-SHA256 Signature={SIGNATURE}"))
        .header("x-amz-security-token", TOKEN)
        .header("x-amz-date", "20150830T123600Z")
        .body(Body::from(SENT))
        .unwrap()
}

/// Everything that a user may print of an error.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(source) = cause {
        write!(text, " {source} {source:?}").unwrap();
        cause = source.source();
    }
    text
}

pub fn trials() -> Vec<Trial> {
    vec![
        logged_trial("transport_logs::an_exchange_is_told_without_its_secrets", |logs| async move {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nset-cookie: {COOKIE}\r\nx-amz-request-id: 4442587FB7D0A2F9\r\nlocation: http://h/?X-Amz-Signature={SIGNATURE}\r\ncontent-length: {}\r\n\r\n{RECEIVED}",
                RECEIVED.len()
            );
            let server = Scripted::start(vec![
                vec![Step::ReadRequest, Step::write(&answer), Step::ReadRequest, Step::Close],
                vec![Step::ReadRequest, Step::write(&answer), Step::Hang],
            ])
            .await?;
            let proxy = Proxy::new(&format!("http://user:{PASSWORD}@{}", server.address()))?;
            let client = HyperTransport::builder().proxy(proxy).build()?;
            for _ in 0..2 {
                assert_eq!(fetch_by(&client, request("http://server.example")).await?.1, RECEIVED);
            }
            let text = logs.text();
            for expected in [
                "aws_sigv4_free::http",
                "aws_sigv4_free::wire",
                "PUT",
                "http://server.example/key?X-Amz-Signature=[redacted]",
                "partNumber=7",
                "status=200",
                "20150830T123600Z",
                "4442587FB7D0A2F9",
                "reused_connection=true",
                "attempt=2",
                "request failed",
                "response body ended",
            ] {
                assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
            }
            logs::assert_no_secret(&logs, &SECRETS);
            logs::assert_absent(&format!("{client:?}"), &SECRETS, "the client's debug form");
            Ok(())
        }),
        logged_trial("transport_logs::a_failure_is_told_without_its_secrets", |logs| async move {
            let head = format!("HTTP/1.1 200 OK\r\nset-cookie: {COOKIE}\r\n");
            let failures = [
                vec![Step::Close],
                vec![Step::Reset],
                vec![Step::write(RECEIVED), Step::Close],
                vec![Step::write(format!("{head}content-length: {SIGNATURE}\r\n\r\n")), Step::Close],
                vec![Step::write(format!("{head}x: {}\r\n\r\n", RECEIVED.repeat(4000))), Step::Close],
                vec![Step::write(format!("{head}content-length: 1000\r\n\r\n{RECEIVED}")), Step::Close],
                vec![Step::write(format!("{head}transfer-encoding: chunked\r\n\r\n{RECEIVED}\r\n")), Step::Close],
                vec![Step::respond(&format!("407 {RECEIVED}"), RECEIVED)],
            ];
            for steps in failures {
                let server = Scripted::start(vec![[vec![Step::ReadRequest], steps.clone()].concat()]).await?;
                let proxy = Proxy::new(&format!("http://user:{PASSWORD}@{}", server.address()))?;
                let client = HyperTransport::builder().proxy(proxy).build()?;
                let error = fetch_by(&client, request("http://server.example")).await.err();
                let error = error.ok_or_else(|| format!("no error after {steps:?}"))?;
                logs::assert_absent(&shown(&error), &SECRETS, &format!("the error after {steps:?}"));
                let error =
                    fetch_by(&client, request("https://server.example")).await.err().ok_or("no error from a tunnel")?;
                logs::assert_absent(&shown(&error), &SECRETS, "the error of a tunnel");
            }
            let client = HyperTransport::builder().proxy(Proxy::none()).build()?;
            for base in
                [format!("http://user:{PASSWORD}@127.0.0.1:1"), "ftp://h".to_owned(), "http://127.0.0.1:1".to_owned()]
            {
                let error = client.send(request(&base)).await.err().ok_or("no error")?;
                logs::assert_absent(&shown(&error), &SECRETS, "the error of a request that is not sent");
            }
            logs::assert_no_secret(&logs, &SECRETS);
            Ok(())
        }),
    ]
}
