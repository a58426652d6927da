//! The clock skew vectors that the AWS SDKs share, through whole calls: one case per scenario.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sigv4_free_core::call::{Caller, RetryPolicy};
use aws_sigv4_free_core::identity::Credentials;
use aws_sigv4_free_http_transport::ResponseBody;
use integration_tests::calls::{ManualClock, ScriptedTransport, TestOperation, region};
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::harness::{async_trial, skipped, trial};

pub fn trials() -> Vec<Trial> {
    let scenarios = match load() {
        Ok(scenarios) => scenarios,
        Err(reason) => return vec![skipped("skew_vectors::all", &reason)],
    };
    let operations: usize =
        scenarios.iter().filter_map(|scenario| scenario["operations"].as_array()).map(Vec::len).sum();
    let count = scenarios.len();
    let mut trials = vec![trial("skew_vectors::are_whole", move || {
        assert_eq!((count, operations), (10, 14));
        Ok(())
    })];
    for scenario in scenarios {
        let name = scenario["description"].as_str().unwrap_or_default().replace([' ', ','], "_");
        trials.push(async_trial(&format!("skew_vectors::{name}"), move || async move { run(&scenario).await }));
    }
    trials
}

fn load() -> Result<Vec<Value>, String> {
    let path = vectors::shared_path("aws-config/smithy-rs-aws-runtime/clock-skew-test-cases.json")?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let whole: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    whole["tests"].as_array().cloned().ok_or_else(|| "no tests".to_owned())
}

fn moment(value: &Value) -> Result<OffsetDateTime, Failed> {
    Ok(OffsetDateTime::parse(value.as_str().ok_or("no time")?, &Rfc3339)?)
}

async fn run(scenario: &Value) -> Result<(), Failed> {
    let clock = ManualClock::at(1_767_225_600);
    // What the server answers to each attempt, and when: the answer, and the time of the client when it is there.
    type Answers = Arc<Mutex<Vec<(http::Response<&'static str>, OffsetDateTime)>>>;
    let answers: Answers = Arc::default();
    let (script, hand) = (Arc::clone(&answers), Arc::clone(&clock));
    let transport = ScriptedTransport::new(move |_| {
        let (answer, received) = script.lock().unwrap_or_else(PoisonError::into_inner).remove(0);
        hand.set(received);
        Ok(answer.map(ResponseBody::from_bytes))
    });
    let mut callers = Vec::new();
    for attempts in [1, 3] {
        let policy = RetryPolicy::standard().max_attempts(attempts);
        let credentials = Arc::new(Credentials::new("AKIDEXAMPLE", "secret-of-the-vectors"));
        let builder = Caller::builder(transport.clone()).clock(clock.clone()).credentials(credentials).retry(policy);
        callers.push((u64::from(attempts), builder.build()?));
    }
    let operation = TestOperation::get("http://127.0.0.1/");
    for (index, vector) in scenario["operations"].as_array().into_iter().flatten().enumerate() {
        let limit = vector["maxAttempts"].as_u64().unwrap_or(3);
        let (_, caller) = callers.iter().find(|(attempts, _)| *attempts == limit).ok_or("no such caller")?;
        let initial = vector["initialClientSkew"].as_i64().ok_or("no initial skew")?;
        if index == 0 && initial != 0 {
            // An earlier call has measured it.
            let now = OffsetDateTime::from_unix_timestamp(1_767_225_000)?;
            clock.set(now);
            answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((respond(200, Some(&http_date(initial)), None)?, now));
            caller.call(&operation, &region("us-east-1")).await?;
            transport.take_sent();
        }
        assert_eq!(caller.skew().unwrap_or_default().whole_seconds(), initial, "the skew before operation {index}");
        let attempts = vector["attempts"].as_array().ok_or("no attempts")?;
        for attempt in attempts {
            let response = &attempt["response"];
            let mut answer = respond(
                response["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).ok_or("no status")?,
                response["headers"]["Date"].as_str(),
                response["errorCode"].as_str(),
            )?;
            if let Some(age) = response["headers"]["Age"].as_str() {
                answer.headers_mut().insert("age", age.parse()?);
            }
            let received = moment(&attempt["clientTimeAtReceive"])?;
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((answer, received));
        }
        clock.set(moment(&attempts[0]["clientTimeAtSend"])?);
        let result = caller.call(&operation, &region("us-east-1")).await;
        assert_eq!(vector["expectedOutcome"], if result.is_ok() { "success" } else { "error" }, "{result:?}");
        let sent = transport.take_sent();
        assert_eq!(sent.len(), attempts.len(), "attempts of operation {index}");
        for (request, attempt) in sent.iter().zip(attempts) {
            let signed: String = moment(&attempt["expectedSigningTime"])?.format(&Rfc3339)?.replace(['-', ':'], "");
            assert_eq!(request.headers()["x-amz-date"], signed, "the signing time of operation {index}");
        }
        let expected = vector["expectedClientSkew"].as_i64().ok_or("no expected skew")?;
        assert_eq!(
            caller.skew().unwrap_or_default(),
            time::Duration::seconds(expected),
            "the skew after operation {index}"
        );
    }
    Ok(())
}

/// The time 2025-12-31 23:50:00, and `skew` seconds later.
fn http_date(skew: i64) -> String {
    format!("Wed, 31 Dec 2025 23:{:02}:{:02} GMT", 50 + skew / 60, skew % 60)
}

fn respond(status: u16, date: Option<&str>, code: Option<&str>) -> Result<http::Response<&'static str>, Failed> {
    let body = match code {
        None => "",
        Some("RequestTimeTooSkewed") => "<Error><Code>RequestTimeTooSkewed</Code></Error>",
        Some("InvalidSignatureException") => "<Error><Code>InvalidSignatureException</Code></Error>",
        Some(other) => return Err(format!("the code {other} is new").into()),
    };
    let mut response = http::Response::builder().status(status);
    if let Some(date) = date {
        response = response.header("date", date);
    }
    Ok(response.body(body)?)
}
