//! What the commands share, made when it is first needed: settings, credentials, the network, the async runtime.

use std::cell::{OnceCell, RefCell};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sigv4_free_core::clock::system_now;
use aws_sigv4_free_core::endpoint::{EndpointUrl, Region};
use aws_sigv4_free_core::identity::{CredentialsError, CredentialsErrorKind, ProvideCredentials as _};
use aws_sigv4_free_core::settings::{Settings, SettingsError, SettingsErrorKind};
use aws_sigv4_free_core::{Error, ErrorKind};
use aws_sigv4_free_credentials::Chain;
use aws_sigv4_free_http_transport::{self as transport, Timeouts, Transport};
use aws_sigv4_free_signing::{Credentials, Payload, SigV4};
use clap::Args;
use time::OffsetDateTime;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::Global;
use crate::exit::{Exit, Failure, with_causes};
use crate::host::scope_of;
use crate::http_text::{authority_of, host_of};
use crate::lazy_transport::{CaBundle, LazyTransport};

/// What a signature is for, where the host does not tell it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ScopeArguments {
    /// The name that the service signs under, such as execute-api; without it, read off the host
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// The service and the region of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SigningScope {
    pub(crate) service: String,
    pub(crate) region: String,
}

/// What the commands share.
pub(crate) struct Context {
    pub(crate) global: Global,
    settings: OnceCell<Settings>,
    runtime: RefCell<Option<Runtime>>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self { global, settings: OnceCell::new(), runtime: RefCell::new(None) }
    }

    /// Refuses what is never done, before anything else.
    pub(crate) fn check_options(&self) -> Result<(), Failure> {
        if self.global.no_verify_ssl {
            return Err(Failure::usage("--no-verify-ssl is not available: anybody on the way could read and change what is sent")
                .hint("give the server's certificate authority with --ca-bundle FILE, or use an http:// address for local tests"));
        }
        Ok(())
    }

    /// The time that requests are signed with.
    #[allow(clippy::unused_self)]
    pub(crate) fn now(&self) -> OffsetDateTime {
        system_now()
    }

    /// The settings: options of the command line, environment, files.
    pub(crate) fn settings(&self) -> Result<&Settings, Failure> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let mut builder = Settings::builder();
        if let Some(profile) = &self.global.profile {
            builder = builder.profile(profile);
        }
        if let Some(region) = &self.global.region {
            let region =
                Region::new(region).map_err(|error| Failure::usage(format!("--region: {}", with_causes(&error))))?;
            builder = builder.region(&region);
        }
        if let Some(url) = &self.global.endpoint_url {
            let url = EndpointUrl::new(url)
                .map_err(|error| Failure::usage(format!("--endpoint-url: {}", with_causes(&error))))?;
            builder = builder.endpoint_url(&url);
        }
        if let Some(path) = &self.global.ca_bundle {
            builder = builder.ca_bundle(path);
        }
        let settings = builder.load().map_err(|error| settings_failure(&error))?;
        Ok(self.settings.get_or_init(|| settings))
    }

    /// The chain of credential sources.
    pub(crate) fn chain(&self) -> Result<Chain, Failure> {
        Ok(Chain::from_settings(self.settings()?))
    }

    /// The credentials to sign with.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let chain = self.chain()?;
        self.block_on(async { chain.identity().await.map_err(|error| credentials_failure(&error)) })
    }

    /// The service and the region to sign for: options, else what the host says, else (the region) the settings.
    pub(crate) fn scope(&self, arguments: &ScopeArguments, url: &str) -> Result<SigningScope, Failure> {
        let host = host_of(authority_of(url));
        let from_host = scope_of(host);
        let Some(service) = arguments.service.clone().or(from_host.service) else {
            return Err(Failure::usage(format!("the host {host} does not tell the service to sign for"))
                .hint("add --service, such as --service s3 or --service execute-api"));
        };
        let region = match self.global.region.clone().or(from_host.region) {
            Some(region) => region,
            None => match self.settings()?.region() {
                Some(region) => region.value.as_str().to_owned(),
                None => {
                    return Err(Failure::new(Exit::Configuration, "no region is set, and the host does not tell it")
                        .hint("add --region, set AWS_REGION, or set region in the profile"));
                }
            },
        };
        Ok(SigningScope { service, region })
    }

    /// What a signature of `signer` says of a body that is sent with it.
    #[allow(clippy::unused_self)]
    pub(crate) fn payload_for<'a>(&self, signer: &SigV4, body: &'a [u8]) -> Payload<'a> {
        if signer.service() == "vpc-lattice-svcs" { Payload::Unsigned } else { Payload::Bytes(body) }
    }

    /// The limits of each stage of a request.
    pub(crate) fn timeouts(&self) -> Timeouts {
        let mut timeouts = Timeouts::default();
        let limit = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
        if let Some(seconds) = self.global.cli_connect_timeout {
            timeouts.connect = limit(seconds);
        }
        if let Some(seconds) = self.global.cli_read_timeout {
            timeouts.response_head = limit(seconds);
            timeouts.body_progress = limit(seconds);
        }
        timeouts
    }

    /// The HTTPS client.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>, Failure> {
        let ca_bundle = self.settings()?.ca_bundle();
        let ca_bundle =
            ca_bundle.map(|bundle| CaBundle { path: bundle.value.clone(), origin: bundle.origin.to_string() });
        Ok(Arc::new(LazyTransport::new(self.timeouts(), ca_bundle)))
    }

    /// Runs a future to its end, or until the user interrupts.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut slot = self.runtime.borrow_mut();
        let runtime = match &mut *slot {
            Some(runtime) => runtime,
            slot => slot.insert(
                Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| Failure::io("can't start the async runtime", &error))?,
            ),
        };
        runtime.block_on(async {
            tokio::select! {
                biased;
                result = future => result,
                () = interrupted() => Err(Failure::quiet(Exit::Interrupted)),
            }
        })
    }

    /// Ends the runtime. A write to a file that is under way ends, and the file is removed if it is not whole; a task that
    /// waits for standard input is not waited for.
    pub(crate) fn shut_down(&mut self) {
        if let Some(runtime) = self.runtime.get_mut().take() {
            runtime.shutdown_timeout(Duration::from_millis(500));
        }
    }
}

/// Waits until the user interrupts.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the signal ends the process by itself.
        std::future::pending::<()>().await;
    }
}

/// Settings that can't be used.
pub(crate) fn settings_failure(error: &SettingsError) -> Failure {
    let failure = Failure::caused(Exit::Configuration, error);
    match error.kind() {
        SettingsErrorKind::MissingRegion => failure.hint("add --region, set AWS_REGION, or set region in the profile"),
        SettingsErrorKind::MissingProfile => failure.hint("check --profile and AWS_PROFILE"),
        _ => failure,
    }
}

/// No credentials. The text of the error says what was looked at, and what to do.
pub(crate) fn credentials_failure(error: &CredentialsError) -> Failure {
    let failure = Failure::caused(Exit::Configuration, error);
    match error.kind() {
        CredentialsErrorKind::Expired => failure.hint("log in again, or renew the credentials"),
        _ => failure.hint("`sigv4 credentials show` tells what was looked at"),
    }
}

/// A call that failed.
pub(crate) fn call_failure(error: &Error) -> Failure {
    if let Some(service) = error.service() {
        let operation = error.operation().unwrap_or("request");
        let message = match service.message() {
            "" => format!("HTTP status {}", service.status()),
            message => message.to_owned(),
        };
        let message =
            format!("An error occurred ({}) when calling the {operation} operation: {message}", service.code());
        let failure = Failure::new(Exit::Service, message).request_id(service.request_id());
        return match error.advice() {
            Some(advice) => failure.hint(advice),
            None => failure,
        };
    }
    let source = std::error::Error::source(error);
    if let Some(credentials) = source.and_then(|source| source.downcast_ref::<CredentialsError>()) {
        return credentials_failure(credentials);
    }
    let exit = match error.kind() {
        ErrorKind::Credentials | ErrorKind::Settings | ErrorKind::Endpoint => Exit::Configuration,
        ErrorKind::InvalidInput => Exit::Usage,
        _ => Exit::Other,
    };
    let failure = Failure::caused(exit, error);
    match (error.kind(), source.and_then(|source| source.downcast_ref::<transport::Error>()).and_then(transport_hint)) {
        (_, Some(hint)) => failure.hint(hint),
        (ErrorKind::Transport | ErrorKind::Timeout, None) => {
            failure.hint("check the network, --region and --endpoint-url; --debug tells more")
        }
        _ => failure,
    }
}

/// A request that did not get its answer.
pub(crate) fn transport_failure(error: &transport::Error) -> Failure {
    use transport::ErrorKind as Kind;
    let exit = match error.kind() {
        Kind::InvalidRequest => Exit::Usage,
        Kind::Configuration => Exit::Configuration,
        _ => Exit::Other,
    };
    let failure = Failure::caused(exit, error);
    match transport_hint(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// What to do where the text of an error does not say it.
fn transport_hint(error: &transport::Error) -> Option<&'static str> {
    match error.kind() {
        transport::ErrorKind::Tls => {
            Some("if the server's certificate is from an authority of your own, add it with --ca-bundle FILE")
        }
        transport::ErrorKind::Timeout(_) => Some("--cli-connect-timeout and --cli-read-timeout set the limits"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(region: Option<&str>) -> Context {
        Context::new(Global { region: region.map(str::to_owned), ..Global::default() })
    }

    #[test]
    fn an_option_beats_the_host() {
        let arguments = |service: Option<&str>| ScopeArguments { service: service.map(str::to_owned) };
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com:443/x";
        let scope = context(None).scope(&arguments(None), url).unwrap();
        assert_eq!((scope.service.as_str(), scope.region.as_str()), ("execute-api", "eu-west-1"));
        let scope = context(Some("us-east-2")).scope(&arguments(Some("mine")), url).unwrap();
        assert_eq!((scope.service.as_str(), scope.region.as_str()), ("mine", "us-east-2"));
        let failure = context(Some("us-east-2")).scope(&arguments(None), "http://localhost:9000/").unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.render(false).contains("--service"));
    }

    #[test]
    fn zero_seconds_mean_no_limit() {
        let global = Global { cli_connect_timeout: Some(0), cli_read_timeout: Some(7), ..Global::default() };
        let timeouts = Context::new(global).timeouts();
        assert_eq!((timeouts.connect, timeouts.response_head), (None, Some(Duration::from_secs(7))));
    }

    #[test]
    fn verification_is_never_switched_off() {
        let global = Global { no_verify_ssl: true, ..Global::default() };
        let failure = Context::new(global).check_options().unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.render(false).contains("--ca-bundle"));
    }

    #[test]
    fn failures_have_the_exit_codes_of_their_kinds() {
        for (kind, exit) in [
            (ErrorKind::Credentials, Exit::Configuration),
            (ErrorKind::Settings, Exit::Configuration),
            (ErrorKind::InvalidInput, Exit::Usage),
            (ErrorKind::Transport, Exit::Other),
            (ErrorKind::Integrity, Exit::Other),
            (ErrorKind::Io, Exit::Other),
        ] {
            assert_eq!(call_failure(&Error::new(kind, "x")).exit(), exit, "{kind:?}");
        }
    }

    #[test]
    fn an_unknown_authority_leads_to_the_bundle() {
        let tls = || transport::Error::new(transport::ErrorKind::Tls, "the issuer is unknown");
        for failure in [transport_failure(&tls()), call_failure(&Error::from(tls()))] {
            assert_eq!(failure.exit(), Exit::Other);
            assert!(failure.render(false).contains("--ca-bundle"), "{}", failure.render(false));
        }
    }

    #[test]
    fn a_service_error_is_worded_as_the_aws_cli_does() {
        let refusal = aws_sigv4_free_core::ServiceError::new(http::StatusCode::NOT_FOUND)
            .with_code("NoSuchKey")
            .with_message("The specified key does not exist.")
            .with_request_id("R1");
        let failure = call_failure(&Error::from(refusal).in_operation("s3", "GetObject"));
        assert_eq!(failure.exit(), Exit::Service);
        let text = failure.render(false);
        let first = "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.\nhint: ";
        assert!(text.starts_with(first), "{text}");
        assert!(!text.contains("R1") && failure.render(true).contains("request id: R1"));
    }
}
