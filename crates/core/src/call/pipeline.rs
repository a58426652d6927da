//! The path of one call: attempt after attempt, until it is done.

use std::sync::PoisonError;
use std::time::Duration;

use aws_sigv4_free_http_transport::redact::is_sensitive_header;
use aws_sigv4_free_http_transport::{Request, Response, ResponseBody};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use time::OffsetDateTime;
use tracing::{debug, trace};

use super::operation::{ErrorInSuccess, Operation};
use super::retry::{Decision, Failure};
use super::skew::SkewCorrection;
use super::{CallSummary, Inner, classify, read, redirect, sign, skew};
use crate::endpoint::Region;
use crate::error::{Attempt, Error, ErrorKind, Next, Outcome, ServiceError, Stop};
use crate::identity::{Credentials, Secret};
use crate::protocol::xml;

/// What the events of a call are filtered by.
const TARGET: &str = "aws_sigv4_free::call";
/// How long an attempt of the adaptive mode waits for its turn at most.
const MAX_RATE_WAIT: Duration = Duration::from_secs(60);

pub(super) async fn call(caller: &Inner, operation: &dyn Operation, region: &Region) -> Result<Response, Error> {
    let mut call = Call {
        caller,
        operation,
        region: region.clone(),
        attempts: Vec::new(),
        charged: 0,
        last_cost: None,
        skew_corrected: false,
        redirected: false,
        identity_renewed: false,
    };
    let ended = read::within(&*caller.clock, caller.timeout, call.run()).await;
    let failed = match ended {
        Some(Ok(mut response)) => {
            let summary = CallSummary { region: call.region, attempts: call.attempts.into() };
            response.extensions_mut().insert(summary);
            return Ok(response);
        }
        Some(Err(failed)) => failed,
        None => {
            let seconds = caller.timeout.unwrap_or_default().as_secs_f64();
            let message = format!("the call did not end within its {seconds} s");
            // An attempt was under way.
            Error::new(ErrorKind::Timeout, message).after_sending()
        }
    };
    let failed =
        if failed.operation().is_none() { failed.in_operation(operation.service(), operation.name()) } else { failed };
    Err(failed.with_attempts(call.attempts))
}

/// The state of a call between its attempts.
struct Call<'a> {
    caller: &'a Inner,
    operation: &'a dyn Operation,
    region: Region,
    attempts: Vec<Attempt>,
    /// Attempts that count against the policy: not those that follow a redirect or a renewed identity.
    charged: u32,
    last_cost: Option<u32>,
    skew_corrected: bool,
    redirected: bool,
    identity_renewed: bool,
}

/// An attempt that got an answer, or none.
struct Sent {
    started: OffsetDateTime,
    method: Method,
    credentials: Option<Credentials>,
    /// What the request was signed with beyond the machine's time.
    signed_with: time::Duration,
    /// What the answer shows.
    measured: Option<time::Duration>,
    replayable: bool,
    secrets: Secrets,
    result: Result<Response, aws_sigv4_free_http_transport::Error>,
}

/// How an attempt failed.
struct Failed {
    error: Error,
    outcome: Outcome,
    failure: Option<Failure>,
    retry_after: Option<Duration>,
    redirect: Option<Region>,
    identity_rejected: bool,
}

impl Call<'_> {
    async fn run(&mut self) -> Result<Response, Error> {
        self.charged = 1;
        loop {
            let started = self.caller.clock.now();
            let sent = match self.send(started).await {
                Ok(sent) => sent,
                Err(error) => {
                    let (outcome, elapsed) = (Outcome::NotSent(error.kind()), self.since(started));
                    self.note(Attempt { outcome, elapsed, next: Next::End }, None);
                    return Err(error);
                }
            };
            let failed = match self.judge(&sent.method, sent.result, &sent.credentials, &sent.secrets).await {
                Ok(response) => {
                    self.caller.quota.succeeded(self.last_cost);
                    self.answered(false);
                    let (outcome, elapsed) = (Outcome::Success, self.since(sent.started));
                    self.note(Attempt { outcome, elapsed, next: Next::End }, Some(response.status()));
                    return Ok(response);
                }
                Err(failed) => *failed,
            };
            self.answered(failed.failure == Some(Failure::Throttling));
            let elapsed = self.since(sent.started);
            let code = failed.error.code().unwrap_or_default();
            let corrects_skew = self.caller.skew_correction == SkewCorrection::Enabled
                && sent.credentials.is_some()
                && !self.skew_corrected
                && skew::explains(code, sent.signed_with, sent.measured);
            let next = self.next(&failed, corrects_skew, sent.measured, sent.replayable, sent.credentials.as_ref());
            let status = failed.error.status();
            match next {
                Ok(next) => {
                    let wait = match &next {
                        Next::Retry { wait } => *wait,
                        _ => Duration::ZERO,
                    };
                    self.note(Attempt { outcome: failed.outcome, elapsed, next }, status);
                    self.sleep(wait).await;
                }
                Err((stop, wait)) => {
                    self.note(Attempt { outcome: failed.outcome, elapsed, next: Next::End }, status);
                    self.sleep(wait).await;
                    return Err(failed.error.with_stop(stop));
                }
            }
        }
    }

    /// Makes, signs and sends the request.
    async fn send(&self, started: OffsetDateTime) -> Result<Sent, Error> {
        let caller = self.caller;
        self.wait_for_turn().await?;
        trace!(
            target: TARGET,
            service = self.operation.service(),
            operation = self.operation.name(),
            region = self.region.as_str(),
            attempt = self.attempts.len() + 1,
            "attempt begins"
        );
        let credentials = match &caller.credentials {
            Some(provider) => Some(provider.identity().await?),
            None => None,
        };
        let prepared = self.operation.prepare(&self.region)?;
        let replayable = prepared.request.body().is_replayable();
        let method = prepared.request.method().clone();
        let signed_with = match caller.skew_correction {
            SkewCorrection::Enabled => caller.skew.get().unwrap_or_default(),
            SkewCorrection::Disabled => time::Duration::ZERO,
        };
        let sent_at = caller.clock.now();
        // A skew that leads out of the calendar is no skew.
        let signing_time = sent_at.checked_add(signed_with).unwrap_or(sent_at);
        let request = sign::sign(prepared, credentials.as_ref(), signing_time)?;
        let secrets = Secrets::of(&request);
        let result = caller.transport.send(request).await;
        let measured =
            result.as_ref().ok().and_then(|answer| skew::measure(answer.headers(), sent_at, caller.clock.now()));
        if let Some(measured) = measured {
            caller.skew.set(measured);
        }
        Ok(Sent { started, method, credentials, signed_with, measured, replayable, secrets, result })
    }

    /// What the answer means: a success, or how the attempt failed.
    async fn judge(
        &self,
        method: &Method,
        result: Result<Response, aws_sigv4_free_http_transport::Error>,
        credentials: &Option<Credentials>,
        secrets: &Secrets,
    ) -> Result<Response, Box<Failed>> {
        let response = result.map_err(Failed::without_answer)?;
        if !response.status().is_success() {
            let (head, body) = response.into_parts();
            let body = if method == Method::HEAD {
                Default::default()
            } else {
                read::error_body(&*self.caller.clock, body).await
            };
            return Err(self.refused(method, &head, &body, credentials, secrets));
        }
        match self.operation.error_in_success() {
            ErrorInSuccess::Never => Ok(response),
            ErrorInSuccess::XmlRoot => {
                let (head, body) = response.into_parts();
                let body = read::success_body(&*self.caller.clock, body).await.map_err(Failed::without_answer)?;
                match xml::Element::parse(&body) {
                    Ok(root) if root.name() == "Error" => Err(self.refused(method, &head, &body, credentials, secrets)),
                    Ok(_) => Ok(http::Response::from_parts(head, ResponseBody::from_bytes(body))),
                    Err(cause) => Err(Failed::unreadable(cause)),
                }
            }
        }
    }

    /// The service answered with an error.
    fn refused(
        &self,
        method: &Method,
        head: &http::response::Parts,
        body: &[u8],
        credentials: &Option<Credentials>,
        secrets: &Secrets,
    ) -> Box<Failed> {
        let service = self.operation.service();
        let error = self.operation.read_error(head, body);
        let error = secrets.take_out_of(error, credentials.as_ref());
        let (status, code) = (error.status(), error.code());
        let mode = self.caller.retry.mode();
        let retry_after = classify::retry_after(mode, service, status, code, &head.headers);
        Box::new(Failed {
            outcome: Outcome::Refused { status, code: code.to_owned() },
            failure: classify::failure(service, status, code),
            redirect: redirect::target(&self.region, self.operation.redirected_region(head, &error)),
            identity_rejected: credentials
                .as_ref()
                .is_some_and(|known| classify::rejects_identity(method, &error, known)),
            error: error.with_retry_after(retry_after).into(),
            retry_after,
        })
    }

    /// What follows a failed attempt; the reason and a last wait where nothing does.
    fn next(
        &mut self,
        failed: &Failed,
        corrects_skew: bool,
        measured: Option<time::Duration>,
        replayable: bool,
        credentials: Option<&Credentials>,
    ) -> Result<Next, (Option<Stop>, Duration)> {
        let redirect = failed.redirect.as_ref().filter(|_| !self.redirected);
        let rejected = failed.identity_rejected && !self.identity_renewed;
        if !replayable {
            let would_go_on = redirect.is_some() || corrects_skew || failed.failure.is_some();
            // Credentials that were refused are dropped for the calls to come.
            let renewed = rejected && self.invalidate(credentials);
            return Err(((would_go_on || renewed).then_some(Stop::BodyNotReplayable), Duration::ZERO));
        }
        if let Some(region) = redirect {
            self.redirected = true;
            self.region = region.clone();
            return Ok(Next::Redirect { region: region.to_string() });
        }
        if corrects_skew {
            if self.charged >= self.caller.retry.attempts() {
                return Err((Some(Stop::AttemptsUsedUp), Duration::ZERO));
            }
            self.charged += 1;
            self.skew_corrected = true;
            return Ok(Next::CorrectedClock { skew_seconds: measured.unwrap_or_default().whole_seconds() });
        }
        if rejected && self.invalidate(credentials) {
            self.identity_renewed = true;
            return Ok(Next::RenewedIdentity);
        }
        let Some(failure) = failed.failure else { return Err((None, Duration::ZERO)) };
        let (polling, random) = (self.operation.polling(), (self.caller.random)());
        let quota = &self.caller.quota;
        match self.caller.retry.decide(failure, self.charged, failed.retry_after, polling, quota, random) {
            Decision::Retry { wait, cost } => {
                self.charged += 1;
                self.last_cost = Some(cost);
                Ok(Next::Retry { wait })
            }
            Decision::Stop { reason, wait } => Err((Some(reason), wait)),
        }
    }

    /// Tells the provider that its credentials were refused; returns whether asking it again can help.
    fn invalidate(&self, credentials: Option<&Credentials>) -> bool {
        match (&self.caller.credentials, credentials) {
            (Some(provider), Some(credentials)) => provider.invalidate(credentials.access_key_id()),
            _ => false,
        }
    }

    /// In the adaptive mode, waits until the rate of requests leaves room for another.
    async fn wait_for_turn(&self) -> Result<(), Error> {
        let Some(limiter) = &self.caller.limiter else { return Ok(()) };
        let mut waited = Duration::ZERO;
        loop {
            let now = seconds(self.caller.clock.now());
            let acquired = limiter.lock().unwrap_or_else(PoisonError::into_inner).acquire(now);
            let Err(wait) = acquired else { return Ok(()) };
            if waited >= MAX_RATE_WAIT {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "the service throttles, and this client has more calls waiting than it takes: make fewer at a time",
                ));
            }
            let wait = Duration::try_from_secs_f64(wait).unwrap_or(MAX_RATE_WAIT);
            self.caller.clock.sleep(wait).await;
            waited += wait;
        }
    }

    fn answered(&self, throttled: bool) {
        if let Some(limiter) = &self.caller.limiter {
            let now = seconds(self.caller.clock.now());
            limiter.lock().unwrap_or_else(PoisonError::into_inner).answered(now, throttled);
        }
    }

    async fn sleep(&self, wait: Duration) {
        if !wait.is_zero() {
            self.caller.clock.sleep(wait).await;
        }
    }

    /// The time since `started`; zero where the clock was set back meanwhile.
    fn since(&self, started: OffsetDateTime) -> Duration {
        (self.caller.clock.now() - started).try_into().unwrap_or_default()
    }

    fn note(&mut self, attempt: Attempt, status: Option<StatusCode>) {
        debug!(
            target: TARGET,
            service = self.operation.service(),
            operation = self.operation.name(),
            region = self.region.as_str(),
            attempt = self.attempts.len() + 1,
            status = status.map(|status| status.as_u16()),
            outcome = ?attempt.outcome,
            elapsed = ?attempt.elapsed,
            next = ?attempt.next,
            "attempt ended"
        );
        self.attempts.push(attempt);
    }
}

impl Failed {
    fn without_answer(cause: aws_sigv4_free_http_transport::Error) -> Box<Self> {
        Box::new(Self {
            outcome: Outcome::NoAnswer(cause.kind()),
            failure: classify::transport_failure(&cause),
            error: cause.into(),
            retry_after: None,
            redirect: None,
            identity_rejected: false,
        })
    }

    fn unreadable(cause: xml::XmlError) -> Box<Self> {
        let message = "the service reported success, and its answer is not the XML document that belongs to it";
        Box::new(Self {
            outcome: Outcome::Unreadable,
            failure: Some(Failure::Transient),
            error: Error::response(message).with_source(cause),
            retry_after: None,
            redirect: None,
            identity_rejected: false,
        })
    }
}

/// What a request carried that must not come back in the text of an error.
struct Secrets(Vec<HeaderValue>);

impl Secrets {
    fn of(request: &Request) -> Self {
        let headers = request.headers().iter();
        Self(
            headers
                .filter(|(name, value)| value.is_sensitive() || is_sensitive_header(name))
                .map(|(name, value)| match name == AUTHORIZATION {
                    // All but the signature itself is public, and a message may well mention the algorithm.
                    true => signature_of(value).unwrap_or_else(|| value.clone()),
                    false => value.clone(),
                })
                .collect(),
        )
    }

    fn take_out_of(&self, error: ServiceError, credentials: Option<&Credentials>) -> ServiceError {
        let mut secrets: Vec<&str> =
            self.0.iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok()).collect();
        if let Some(credentials) = credentials {
            secrets.push(credentials.secret_access_key().expose_secret());
            secrets.extend(credentials.session_token().map(Secret::expose_secret));
        }
        error.without(&secrets)
    }
}

fn signature_of(value: &HeaderValue) -> Option<HeaderValue> {
    let (_, signature) = value.to_str().ok()?.rsplit_once("Signature=")?;
    HeaderValue::from_str(signature).ok()
}

/// A moment as the rate limiter has it.
pub(super) fn seconds(now: OffsetDateTime) -> f64 {
    now.unix_timestamp() as f64 + f64::from(now.nanosecond()) / 1e9
}

#[cfg(test)]
mod tests;
