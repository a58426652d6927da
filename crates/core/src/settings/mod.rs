//! What the user has set, merged from five layers: explicit > environment > AWS profile > boto's files > default.
//!
//! Each value knows where it comes from. Loading is synchronous, reads at most four small files, and calls nobody: the
//! region is never asked from the network.
//!
//! # Example
//! ```
//! use aws_sigv4_free_core::environment::{Env, Files};
//! use aws_sigv4_free_core::settings::Settings;
//!
//! let env = Env::fixed([("HOME", "/home/me"), ("AWS_PROFILE", "dev"), ("AWS_MAX_ATTEMPTS", "5")]);
//! let files = Files::fixed([("/home/me/.aws/config", "[profile dev]\nregion = eu-west-1\n")]);
//! let settings = Settings::builder().env(env).files(files).load()?;
//! let region = settings.region().unwrap();
//! assert_eq!(region.value, "eu-west-1");
//! assert_eq!(region.origin.to_string(), "profile \"dev\" in ~/.aws/config:2");
//! assert_eq!(settings.max_attempts().origin.to_string(), "AWS_MAX_ATTEMPTS");
//! # Ok::<(), aws_sigv4_free_core::settings::SettingsError>(())
//! ```

mod builder;
mod error;
mod key;
mod layer;
mod origin;
mod value;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

pub use builder::SettingsBuilder;
pub use error::{SettingsError, SettingsErrorKind};
pub use origin::{Origin, ProfileSection, Setting};
pub use value::{AddressingStyle, ChecksumMode};

use crate::call::{RetryMode, RetryPolicy, SkewCorrection};
use crate::endpoint::{DualStack, EndpointRules, EndpointUrl, Fips, Region};
use crate::environment::{Env, Files};
use crate::profile::ProfileSet;

/// The settings of a client. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Settings(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    env: Env,
    files: Files,
    profiles: ProfileSet,
    profile: Setting<String>,
    region: Option<Setting<Region>>,
    endpoint_url: Option<Setting<EndpointUrl>>,
    service_endpoint_urls: BTreeMap<String, Setting<EndpointUrl>>,
    fips: Setting<Fips>,
    dual_stack: Setting<DualStack>,
    retry_mode: Setting<RetryMode>,
    max_attempts: Setting<NonZeroU32>,
    ca_bundle: Option<Setting<PathBuf>>,
    skew_correction: Setting<SkewCorrection>,
    request_checksum: Setting<ChecksumMode>,
    response_checksum: Setting<ChecksumMode>,
    addressing_style: Setting<AddressingStyle>,
}

impl Settings {
    /// Settings to be loaded, from the environment and the files of this machine unless it is told otherwise.
    pub fn builder() -> SettingsBuilder {
        SettingsBuilder::default()
    }

    /// The settings that the environment and the files of this machine say.
    ///
    /// # Errors
    /// As [`SettingsBuilder::load`].
    pub fn load() -> Result<Self, SettingsError> {
        Self::builder().load()
    }

    /// The environment that the settings were read from.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The files that the settings were read from.
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// The profiles of the AWS configuration files.
    pub fn profiles(&self) -> &ProfileSet {
        &self.0.profiles
    }

    /// The name of the profile that counts: explicit, else `AWS_PROFILE`, else `AWS_DEFAULT_PROFILE`, else `default`.
    /// Unless it is explicit, it need not exist.
    pub fn profile(&self) -> &Setting<String> {
        &self.0.profile
    }

    /// The region: explicit, `AWS_REGION`, `AWS_DEFAULT_REGION`, `region` of the profile, `ec2_region_name` of boto's
    /// files.
    pub fn region(&self) -> Option<&Setting<Region>> {
        self.0.region.as_ref()
    }

    /// The region.
    ///
    /// # Errors
    /// None is set: [`SettingsErrorKind::MissingRegion`].
    pub fn require_region(&self) -> Result<&Region, SettingsError> {
        self.region().map(|setting| &setting.value).ok_or_else(|| {
            let profile = &self.0.profile.value;
            let message = format!("no region is set: set AWS_REGION, or region in the profile {profile:?}");
            SettingsError::new(SettingsErrorKind::MissingRegion, message)
        })
    }

    /// The endpoint URL of `service`, as a `services` section names it (`s3`, `secrets_manager`): explicit, else
    /// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the `services` section that the profile points to, `endpoint_url` of
    /// the profile. `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` leaves the explicit one only.
    ///
    /// The URLs of single services are known for those of [`SettingsBuilder::service`].
    pub fn endpoint_url(&self, service: &str) -> Option<&Setting<EndpointUrl>> {
        let general = self.0.endpoint_url.as_ref();
        let own = self.0.service_endpoint_urls.get(service);
        match (own, general) {
            // Of the same layer, the service's own is the more specific one.
            (Some(own), Some(general)) if own.origin.rank() >= general.origin.rank() => Some(own),
            (own, general) => general.or(own),
        }
    }

    /// The rules that lead to the host of `service`, as a `services` section names it.
    pub fn endpoint_rules(&self, service: &str) -> EndpointRules {
        let rules = EndpointRules::new().fips(self.0.fips.value).dual_stack(self.0.dual_stack.value);
        match self.endpoint_url(service) {
            Some(url) => rules.endpoint_url(url.value.clone()),
            None => rules,
        }
    }

    /// `AWS_USE_FIPS_ENDPOINT`, `use_fips_endpoint`. The default is [`Fips::Disabled`].
    pub fn fips(&self) -> &Setting<Fips> {
        &self.0.fips
    }

    /// `AWS_USE_DUALSTACK_ENDPOINT`, `use_dualstack_endpoint`. The default is [`DualStack::Disabled`].
    pub fn dual_stack(&self) -> &Setting<DualStack> {
        &self.0.dual_stack
    }

    /// `AWS_RETRY_MODE`, `retry_mode`. The default is [`RetryMode::Standard`], or [`RetryMode::Standard2026`] with
    /// `AWS_NEW_RETRIES_2026=true`.
    pub fn retry_mode(&self) -> &Setting<RetryMode> {
        &self.0.retry_mode
    }

    /// [`retry_mode`](Self::retry_mode) and [`max_attempts`](Self::max_attempts), as a client takes them.
    pub fn retry_policy(&self) -> RetryPolicy {
        let policy = RetryPolicy::new(self.0.retry_mode.value);
        // Each mode has its own number of attempts, and that of `Off` is its meaning.
        if self.0.max_attempts.origin == Origin::Default || self.0.retry_mode.value == RetryMode::Off {
            return policy;
        }
        policy.max_attempts(self.0.max_attempts.value.get())
    }

    /// How often a call is sent at most, the first time included: `AWS_MAX_ATTEMPTS`, `max_attempts`, `num_retries` of
    /// boto's files plus one. The default is 3.
    pub fn max_attempts(&self) -> &Setting<NonZeroU32> {
        &self.0.max_attempts
    }

    /// The file with the certificates to trust: `AWS_CA_BUNDLE`, `ca_bundle`, `ca_certificates_file` of boto's files.
    pub fn ca_bundle(&self) -> Option<&Setting<PathBuf>> {
        self.0.ca_bundle.as_ref()
    }

    /// `AWS_DISABLE_CLOCK_SKEW_CORRECTION`, `disable_clock_skew_correction`. The default is
    /// [`SkewCorrection::Enabled`].
    pub fn skew_correction(&self) -> &Setting<SkewCorrection> {
        &self.0.skew_correction
    }

    /// When checksums are sent: `AWS_REQUEST_CHECKSUM_CALCULATION`, `request_checksum_calculation`. The default is
    /// [`ChecksumMode::WhenSupported`].
    pub fn request_checksum(&self) -> &Setting<ChecksumMode> {
        &self.0.request_checksum
    }

    /// When checksums are compared: `AWS_RESPONSE_CHECKSUM_VALIDATION`, `response_checksum_validation`. The default is
    /// [`ChecksumMode::WhenSupported`].
    pub fn response_checksum(&self) -> &Setting<ChecksumMode> {
        &self.0.response_checksum
    }

    /// How S3 buckets are named in URLs: `addressing_style` under `s3` of the profile, `calling_format` of boto's
    /// files. The default is [`AddressingStyle::Auto`].
    pub fn addressing_style(&self) -> &Setting<AddressingStyle> {
        &self.0.addressing_style
    }
}

#[cfg(test)]
mod tests;
