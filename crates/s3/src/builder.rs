//! How a client is set up.

use std::sync::{Arc, RwLock};

use aws_sigv4_free_core::call::{Caller, RetryPolicy};
use aws_sigv4_free_core::clock::Clock;
use aws_sigv4_free_core::endpoint::{EndpointError, EndpointUrl, Region};
use aws_sigv4_free_core::identity::{ProvideCredentials, SharedProvider};
use aws_sigv4_free_core::settings::{AddressingStyle, ChecksumMode, Settings};
use aws_sigv4_free_core::{Error, ErrorKind};
use aws_sigv4_free_credentials::Chain;
use aws_sigv4_free_http_transport::Transport;
use aws_sigv4_free_signing::SigV4;

use crate::client::{Inner, Remembered, S3};

/// The region where none is set: the one that knows all the others.
const DEFAULT_REGION: &str = "us-east-1";

/// Whether the signature covers the bytes of objects.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PayloadSigning {
    /// On plain HTTP only. Over HTTPS the connection protects the bytes, and a CRC-32 finds what it does not. The default.
    #[default]
    Auto,
    /// Always. It costs a SHA-256 over every byte before the request is sent, and a stream needs its SHA-256 given.
    Signed,
    /// Never, not even where nothing protects the bytes on their way.
    Unsigned,
}

/// Sets up an [`S3`].
///
/// Decide where: [`region`](Self::region), or [`endpoint`](Self::endpoint) for a store of your own. Decide who:
/// [`credentials`](Self::credentials), or [`anonymous`](Self::anonymous). Whatever is left out comes from the environment and
/// the AWS configuration files.
///
/// # Example
/// ```
/// use aws_sigv4_free_s3::{Credentials, S3};
///
/// # fn example() -> Result<S3, aws_sigv4_free_s3::Error> {
/// let s3 = S3::builder()
///     .endpoint("http://127.0.0.1:9000")
///     .path_style()
///     .credentials(Credentials::new("AKIDEXAMPLE", "secret"))
///     .build()?;
/// # Ok(s3)
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct S3Builder {
    settings: Option<Settings>,
    region: Option<String>,
    endpoint: Option<String>,
    addressing: Option<AddressingStyle>,
    identity: Identity,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    retry: Option<RetryPolicy>,
    request_checksum: Option<ChecksumMode>,
    response_checksum: Option<ChecksumMode>,
    payload_signing: PayloadSigning,
}

#[derive(Debug, Default)]
enum Identity {
    #[default]
    Chain,
    Provider(SharedProvider),
    Anonymous,
}

impl S3Builder {
    /// Takes these settings in the place of those of the environment and the AWS configuration files.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Sets the region, "eu-central-1". A bucket in another region is found all the same, at the cost of one more request.
    pub fn region(mut self, region: impl AsRef<str>) -> Self {
        self.region = Some(region.as_ref().to_owned());
        self
    }

    /// Sends every request to this URL, `http[s]://host[:port][/path]`: a store of your own.
    pub fn endpoint(mut self, url: impl AsRef<str>) -> Self {
        self.endpoint = Some(url.as_ref().to_owned());
        self
    }

    /// Puts buckets into the path of URLs: `http://127.0.0.1:9000/photos/cat.jpg`. Without this and
    /// [`virtual_host_style`](Self::virtual_host_style) they are put into the host where that works: not for names with a
    /// period over HTTPS, nor where the endpoint is an IP address, `localhost` or a name without a period.
    pub fn path_style(self) -> Self {
        self.addressing_style(AddressingStyle::Path)
    }

    /// Puts buckets into the host of URLs: `https://photos.s3.example.com/cat.jpg`.
    pub fn virtual_host_style(self) -> Self {
        self.addressing_style(AddressingStyle::Virtual)
    }

    /// Sets where buckets stand in URLs.
    pub fn addressing_style(mut self, style: AddressingStyle) -> Self {
        self.addressing = Some(style);
        self
    }

    /// Signs with these credentials, or with those that this provider has at the moment of each request.
    pub fn credentials(mut self, provider: impl ProvideCredentials + 'static) -> Self {
        self.identity = Identity::Provider(Arc::new(provider));
        self
    }

    /// Signs nothing: for buckets that everybody may read.
    pub fn anonymous(mut self) -> Self {
        self.identity = Identity::Anonymous;
        self
    }

    /// Sends requests through `transport`. The default is `HyperTransport`, of the feature `hyper`.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Takes the time from `clock`. The default is the clock of this machine, of the feature `hyper`.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Retries by `policy`. The default is the standard mode with 3 attempts.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sets when checksums are sent. [`ChecksumMode::WhenRequired`] is for stores that refuse the header.
    pub fn request_checksum(mut self, mode: ChecksumMode) -> Self {
        self.request_checksum = Some(mode);
        self
    }

    /// Sets when checksums of downloads are asked for and verified.
    pub fn response_checksum(mut self, mode: ChecksumMode) -> Self {
        self.response_checksum = Some(mode);
        self
    }

    /// Sets whether the signature covers the bytes of objects.
    pub fn payload_signing(mut self, payload_signing: PayloadSigning) -> Self {
        self.payload_signing = payload_signing;
        self
    }

    /// The client. Nothing is sent; unless [`settings`](Self::settings) were given, the configuration files are read.
    ///
    /// # Errors
    /// A setting or a configuration file can't be used; or the crate was built without the feature `hyper`, and a transport or
    /// a clock is missing.
    pub fn build(self) -> Result<S3, Error> {
        let settings = match self.settings {
            Some(settings) => settings,
            None => Settings::load()?,
        };
        let region = match (&self.region, settings.region()) {
            (Some(region), _) => Region::new(region).map_err(|error| given(&error))?,
            (None, Some(setting)) => setting.value.clone(),
            (None, None) => Region::new(DEFAULT_REGION)?,
        };
        let mut rules = settings.endpoint_rules("s3");
        if let Some(url) = &self.endpoint {
            rules = rules.endpoint_url(EndpointUrl::new(url).map_err(|error| given(&error))?);
        }
        let endpoint = rules.resolve("s3", &region).map_err(|error| given(&error))?;

        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(&settings)?,
        };
        let mut caller = Caller::builder(transport)
            .retry(self.retry.unwrap_or_else(|| settings.retry_policy()))
            .skew_correction(settings.skew_correction().value);
        if let Some(clock) = self.clock {
            caller = caller.clock(clock);
        }
        match self.identity {
            Identity::Anonymous => {}
            Identity::Provider(provider) => caller = caller.credentials(provider),
            Identity::Chain => caller = caller.credentials(default_provider(&settings)),
        }
        Ok(S3::new(Inner {
            caller: caller.build()?,
            signer: Arc::new(SigV4::s3(region.as_str().to_owned())),
            region,
            rules,
            endpoint,
            addressing: self.addressing.unwrap_or(settings.addressing_style().value),
            request_checksum: self.request_checksum.unwrap_or(settings.request_checksum().value),
            response_checksum: self.response_checksum.unwrap_or(settings.response_checksum().value),
            payload_signing: self.payload_signing,
            remembered: RwLock::new(Remembered::default()),
        }))
    }
}

/// What was given in code and can't be used: the words for it are the error's own.
fn given(error: &EndpointError) -> Error {
    Error::new(ErrorKind::Settings, error.to_string())
}

fn default_provider(settings: &Settings) -> SharedProvider {
    // The configuration is read when the first request needs a signature.
    Arc::new(Chain::from_settings(settings))
}

#[cfg(feature = "hyper")]
fn default_transport(settings: &Settings) -> Result<Arc<dyn Transport>, Error> {
    use aws_sigv4_free_http_transport::hyper::{HyperTransport, Tls};

    let mut transport = HyperTransport::builder();
    if let Some(bundle) = settings.ca_bundle() {
        let path = &bundle.value;
        let pem = settings.files().read(path).map_err(|error| {
            let message = format!("can't read the CA file {} that {} names", path.display(), bundle.origin);
            Error::new(ErrorKind::Settings, message).with_source(error)
        })?;
        transport = transport.tls(Tls::new().only_ca_pem(pem));
    }
    Ok(Arc::new(transport.build()?))
}

#[cfg(not(feature = "hyper"))]
fn default_transport(_: &Settings) -> Result<Arc<dyn Transport>, Error> {
    Err(Error::new(ErrorKind::Settings, "there is no transport: give one, or switch the feature `hyper` on"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sigv4_free_core::environment::{Env, Files};

    fn settings(env: &[(&str, &str)], files: &[(&str, &str)]) -> Settings {
        let files = files.iter().map(|(path, text)| (*path, *text));
        Settings::builder().env(Env::fixed(env.iter().copied())).files(Files::fixed(files)).load().unwrap()
    }

    fn build(builder: S3Builder, settings: Settings) -> Result<S3, Error> {
        builder
            .settings(settings)
            .transport(crate::test_support::Wire::default())
            .clock(crate::test_support::Still)
            .build()
    }

    #[test]
    fn settings_fill_what_is_not_given() {
        let env = [("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000"), ("HOME", "/h")];
        let config = "[default]\nrequest_checksum_calculation = when_required\ns3 =\n  addressing_style = path\n";
        let s3 = build(S3::builder(), settings(&env, &[("/h/.aws/config", config)])).unwrap();
        assert_eq!(s3.region().as_str(), "eu-west-1");
        assert_eq!(s3.endpoint().to_string(), "http://127.0.0.1:9000");
        let shown = format!("{s3:?}");
        assert!(shown.contains("addressing: Path") && shown.contains("request_checksum: WhenRequired"), "{shown}");

        let given = S3::builder().region("us-west-2").endpoint("https://s3.example.com").virtual_host_style();
        let s3 = build(given, settings(&env, &[("/h/.aws/config", config)])).unwrap();
        assert_eq!((s3.region().as_str(), s3.endpoint().host()), ("us-west-2", "s3.example.com"));
        assert!(format!("{s3:?}").contains("addressing: Virtual"));
    }

    #[test]
    fn without_any_setting_it_is_aws_in_its_first_region() {
        let s3 = build(S3::builder(), settings(&[], &[])).unwrap();
        assert_eq!(s3.endpoint().to_string(), "https://s3.us-east-1.amazonaws.com");
    }

    #[test]
    fn what_can_not_be_used_is_an_error_and_not_a_guess() {
        let none = || settings(&[], &[]);
        for (builder, part) in [
            (S3::builder().region("us/east"), "us/east"),
            (S3::builder().region(""), "region"),
            (S3::builder().endpoint("ftp://example.com"), "endpoint"),
            (S3::builder().endpoint("example.com"), "endpoint"),
        ] {
            let error = build(builder, none()).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        let fips = settings(&[("AWS_USE_FIPS_ENDPOINT", "true")], &[]);
        let error = build(S3::builder().endpoint("http://127.0.0.1:9000"), fips).unwrap_err();
        assert!(error.to_string().contains("FIPS"), "{error}");
    }

    #[cfg(feature = "hyper")]
    #[test]
    fn a_ca_file_that_is_not_there_is_named() {
        let settings = settings(&[("AWS_CA_BUNDLE", "/missing.pem")], &[]);
        let error = S3::builder().settings(settings).build().unwrap_err();
        assert!(error.to_string().contains("/missing.pem") && error.to_string().contains("AWS_CA_BUNDLE"), "{error}");
    }
}
