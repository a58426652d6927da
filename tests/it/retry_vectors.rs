//! The retry vectors that the AWS SDKs share: through the scheduling alone, and through whole calls. One case per vector.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sigv4_free_core::call::rate::{Curve, RateLimiter};
use aws_sigv4_free_core::call::retry::{Decision, RetryQuota};
use aws_sigv4_free_core::call::{Caller, Polling, RetryMode, RetryPolicy, classify};
use aws_sigv4_free_core::error::{Next, Stop};
use http::{HeaderMap, StatusCode};
use integration_tests::calls::{ManualClock, ScriptedTransport, TestOperation, region};
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::harness::{async_trial, skipped, trial};

const FILES: [(&str, RetryMode, usize); 2] =
    [("standard-retry-v2.0", RetryMode::Standard, 6), ("standard-retry-v2.1", RetryMode::Standard2026, 18)];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (file, mode, count) in FILES {
        match load(file) {
            Ok(vectors) => {
                let groups = vectors.as_object().into_iter().flatten();
                let cases = groups.flat_map(|(_, cases)| cases.as_object().into_iter().flatten());
                let cases: Vec<_> = cases.map(|(name, case)| (name.clone(), case.clone())).collect();
                let single = cases.iter().filter(|(_, case)| case.get("responses").is_some()).count();
                trials.push(trial(&format!("retry_vectors::{file}::is_whole"), move || {
                    assert_eq!(single, count);
                    Ok(())
                }));
                for (name, case) in cases {
                    let name = format!("retry_vectors::{file}::{}", name.replace(' ', "_"));
                    if case.get("threads").is_some() {
                        trials.push(trial(&name, move || threads(mode, &case)));
                        continue;
                    }
                    let steps = case.clone();
                    trials.push(trial(&name, move || schedule(mode, &steps)));
                    trials.push(async_trial(&format!("{name}::call"), move || async move { calls(mode, &case).await }));
                }
            }
            Err(reason) => trials.push(skipped(&format!("retry_vectors::{file}"), &reason)),
        }
    }
    match load("adaptive") {
        Ok(vectors) => {
            for (name, case) in vectors["adaptiveRetryCubicTestCases"].as_object().cloned().unwrap_or_default() {
                let name = format!("retry_vectors::adaptive::{}", name.replace(' ', "_"));
                trials.push(trial(&name, move || cubic(&case)));
            }
            for (name, case) in vectors["adaptiveRetryE2eTestCases"].as_object().cloned().unwrap_or_default() {
                let name = format!("retry_vectors::adaptive::{}", name.replace(' ', "_"));
                trials.push(trial(&name, move || rates(&case)));
            }
        }
        Err(reason) => trials.push(skipped("retry_vectors::adaptive", &reason)),
    }
    trials
}

fn load(name: &str) -> Result<Value, String> {
    let path = vectors::shared_path(&format!("aws-config/retry-spec/{name}.json"))?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The policy of a vector, and the retry tokens that it begins with.
fn policy(mode: RetryMode, given: &Value) -> (RetryPolicy, u32) {
    let mut policy = RetryPolicy::new(mode);
    if let Some(attempts) = given["max_attempts"].as_u64() {
        policy = policy.max_attempts(attempts.try_into().expect("a small number"));
    }
    if let Some(seconds) = given["max_backoff_time"].as_f64() {
        policy = policy.max_wait(Duration::from_secs_f64(seconds));
    }
    let tokens =
        given["initial_retry_tokens"].as_u64().map_or(500, |tokens| tokens.try_into().expect("a small number"));
    (policy, tokens)
}

struct Answer {
    status: StatusCode,
    code: String,
    headers: HeaderMap,
}

fn answer(step: &Value) -> Result<Answer, Failed> {
    let response = &step["response"];
    let status = response["status_code"].as_u64().and_then(|status| u16::try_from(status).ok()).ok_or("no status")?;
    let mut headers = HeaderMap::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let name: http::HeaderName = name.parse()?;
        headers.insert(name, value.as_str().ok_or("no text")?.parse()?);
    }
    let code = response["error_code"].as_str().unwrap_or_default().to_owned();
    Ok(Answer { status: StatusCode::from_u16(status)?, code, headers })
}

/// The outcome, quota and wait of one step, in the vectors' words.
fn step(
    policy: &RetryPolicy,
    given: &Value,
    quota: &RetryQuota,
    attempt: u32,
    cost: &mut Option<u32>,
    step: &Value,
) -> Result<(&'static str, Duration), Failed> {
    let answer = answer(step)?;
    let service = given["service"].as_str().unwrap_or("s3");
    let polling = if given["long_polling"] == true { Polling::Long } else { Polling::Short };
    if answer.status.is_success() {
        quota.succeeded(*cost);
        return Ok(("success", Duration::ZERO));
    }
    let Some(failure) = classify::failure(service, answer.status, &answer.code) else {
        return Ok(("fail_request", Duration::ZERO));
    };
    let after = classify::retry_after(policy.mode(), service, answer.status, &answer.code, &answer.headers);
    Ok(match policy.decide(failure, attempt, after, polling, quota, 1.0) {
        Decision::Retry { wait, cost: charged } => {
            *cost = Some(charged);
            ("retry_request", wait)
        }
        Decision::Stop { reason: Stop::QuotaUsedUp, wait } => ("retry_quota_exceeded", wait),
        Decision::Stop { reason: Stop::AttemptsUsedUp, wait } => ("max_attempts_exceeded", wait),
        other => return Err(format!("{other:?}").into()),
    })
}

fn check(expected: &Value, outcome: &str, available: u32, wait: Option<Duration>) {
    assert_eq!(expected["outcome"], outcome);
    if let Some(quota) = expected["retry_quota"].as_u64() {
        assert_eq!(u64::from(available), quota, "quota after {outcome}");
    }
    let Some(wait) = wait else { return };
    let delay = expected["delay"].as_f64().unwrap_or(0.0);
    assert!((wait.as_secs_f64() - delay).abs() < 1e-9, "waits {wait:?}, not {delay} s, after {outcome}");
}

fn schedule(mode: RetryMode, case: &Value) -> Result<(), Failed> {
    let given = &case["given"];
    let (policy, tokens) = policy(mode, given);
    let quota = RetryQuota::with_available(&policy, tokens);
    let (mut attempt, mut cost) = (1, None);
    for current in case["responses"].as_array().ok_or("no responses")? {
        let (outcome, wait) = step(&policy, given, &quota, attempt, &mut cost, current)?;
        check(&current["expected"], outcome, quota.available(), Some(wait));
        (attempt, cost) = if outcome == "retry_request" { (attempt + 1, cost) } else { (1, None) };
    }
    Ok(())
}

/// Two callers of one client: the first fails twice, then the second once, then both succeed, the second first.
fn threads(mode: RetryMode, case: &Value) -> Result<(), Failed> {
    let given = &case["given"];
    let (policy, tokens) = policy(mode, given);
    let quota = RetryQuota::with_available(&policy, tokens);
    let threads: Vec<&Vec<Value>> =
        case["threads"].as_array().into_iter().flatten().filter_map(Value::as_array).collect();
    let mut state = [(1, None, 0_usize); 2];
    for thread in [0, 0, 1, 1, 0] {
        let (attempt, cost, at) = &mut state[thread];
        let current = threads.get(thread).and_then(|steps| steps.get(*at)).ok_or("no such step")?;
        let (outcome, _) = step(&policy, given, &quota, *attempt, cost, current)?;
        check(&current["expected"], outcome, quota.available(), None);
        *attempt += 1;
        *at += 1;
    }
    assert_eq!(u64::from(quota.available()), case["expected_final_quota"].as_u64().ok_or("no final quota")?);
    Ok(())
}

/// The same through whole calls: each request of the transport sees the quota and the waits that the vector expects.
async fn calls(mode: RetryMode, case: &Value) -> Result<(), Failed> {
    let given = case["given"].clone();
    let (policy, tokens) = policy(mode, &given);
    let steps = case["responses"].as_array().cloned().ok_or("no responses")?;
    let left: Arc<Mutex<VecDeque<Value>>> = Arc::new(Mutex::new(steps.into()));
    let script = Arc::clone(&left);
    let transport = ScriptedTransport::new(move |_| {
        let step =
            script.lock().unwrap_or_else(PoisonError::into_inner).pop_front().expect("no more requests than steps");
        let answer = answer(&step).map_err(|_| "a broken vector").expect("a step");
        let body =
            if answer.code.is_empty() { String::new() } else { format!("<Error><Code>{}</Code></Error>", answer.code) };
        let mut response = http::Response::new(aws_sigv4_free_http_transport::ResponseBody::from_bytes(body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    });
    let clock = ManualClock::at(1_767_225_600);
    let policy = policy.quota(tokens);
    let caller = Caller::builder(transport).clock(clock.clone()).retry(policy).random(|| 1.0).build()?;
    let mut operation = TestOperation::get("http://127.0.0.1/");
    operation.service = if given["service"] == "sqs" { "sqs" } else { "s3" };
    operation.polling = if given["long_polling"] == true { Polling::Long } else { Polling::Short };
    loop {
        let before = left.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if before.is_empty() {
            return Ok(());
        }
        clock.take_waits();
        let result = caller.call(&operation, &region("us-east-1")).await;
        let after = left.lock().unwrap_or_else(PoisonError::into_inner).len();
        let made: Vec<Value> = before.into_iter().rev().skip(after).rev().collect();
        let waits: Duration = clock.take_waits().iter().sum();
        let expected: f64 = made.iter().filter_map(|step| step["expected"]["delay"].as_f64()).sum();
        assert!((waits.as_secs_f64() - expected).abs() < 1e-9, "waits {waits:?}, not {expected} s");
        let last = &made.last().ok_or("no request was made")?["expected"];
        if let Some(quota) = last["retry_quota"].as_u64().filter(|quota| *quota <= u64::from(tokens)) {
            assert_eq!(u64::from(caller.retry_quota()), quota);
        }
        match (&result, last["outcome"].as_str().ok_or("no outcome")?) {
            (Ok(_), "success") => {}
            (Err(error), "max_attempts_exceeded") => assert_eq!(error.stop(), Some(Stop::AttemptsUsedUp)),
            (Err(error), "retry_quota_exceeded") => assert_eq!(error.stop(), Some(Stop::QuotaUsedUp)),
            (Err(error), "fail_request") => assert_eq!(error.stop(), None),
            (result, outcome) => return Err(format!("{outcome} was expected of {result:?}").into()),
        }
        if let Err(error) = result {
            assert_eq!(error.attempts().len(), made.len());
            let retries = error.attempts().iter().filter(|attempt| matches!(attempt.next, Next::Retry { .. })).count();
            assert_eq!(retries, made.len() - 1);
        }
    }
}

fn number(value: &Value) -> Result<f64, Failed> {
    value.as_f64().ok_or_else(|| format!("{value} is no number").into())
}

fn cubic(case: &Value) -> Result<(), Failed> {
    let mut curve = Curve::new(number(&case["given"]["last_max_rate"])?, number(&case["given"]["last_throttle_time"])?);
    let mut rate = 0.0;
    for step in case["cases"].as_array().ok_or("no cases")? {
        let now = number(&step["timestamp"])?;
        rate = if step["response"] == "throttle" { curve.throttled(rate, now) } else { curve.rate(now) };
        let expected = number(&step["calculated_rate"])?;
        assert!((rate - expected).abs() < 1e-6, "{rate}, not {expected}, at {now}");
    }
    Ok(())
}

fn rates(case: &Value) -> Result<(), Failed> {
    let mut limiter = RateLimiter::new(0.0);
    for step in case["cases"].as_array().ok_or("no cases")? {
        let now = number(&step["timestamp"])?;
        limiter.answered(now, step["response"] == "throttle");
        let (measured, rate) = (number(&step["measured_tx_rate"])?, number(&step["new_token_bucket_rate"])?);
        assert!(
            (limiter.measured() - measured).abs() < 1e-6,
            "measured {}, not {measured}, at {now}",
            limiter.measured()
        );
        assert!((limiter.rate() - rate).abs() < 1e-6, "rate {}, not {rate}, at {now}", limiter.rate());
    }
    Ok(())
}
