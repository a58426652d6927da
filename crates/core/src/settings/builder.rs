//! Loading: the layers in their order, merged, and each value read.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use config::{Config, Map, Value, ValueKind};
use tracing::warn;

use super::error::{SettingsError, SettingsErrorKind};
use super::key::{self, Key};
use super::layer::{Layer, service_endpoint_url};
use super::origin::{Origin, Setting};
use super::value::FromSetting;
use super::{AddressingStyle, ChecksumMode, Inner, Settings};
use crate::call::{RetryMode, SkewCorrection};
use crate::endpoint::{DualStack, EndpointUrl, Fips, Region};
use crate::environment::{Env, Files};
use crate::profile::{BotoConfig, ProfileSet, profile_name};

/// The usual number of attempts.
const MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

/// Settings to be loaded. What is set here is explicit, and wins over everything else.
#[derive(Clone, Debug, Default)]
pub struct SettingsBuilder {
    env: Option<Env>,
    files: Option<Files>,
    services: Vec<String>,
    profile: Option<String>,
    ca_bundle: Option<PathBuf>,
    retry_mode: Option<RetryMode>,
    explicit: Layer,
}

impl SettingsBuilder {
    /// Reads the environment from here. The default is that of this process.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// Reads the files from here. The default is those of this machine.
    #[must_use]
    pub fn files(mut self, files: Files) -> Self {
        self.files = Some(files);
        self
    }

    /// Reads the endpoint URL of this service too, named as in a `services` section: `dynamodb`, `api_gateway`. Those
    /// of the services that this family of crates has clients for are read anyway. A name with other characters than
    /// letters, digits and underscores has no settings.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.services.push(service.into());
        self
    }

    /// Takes the settings of this profile, which must exist.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Sets the region.
    #[must_use]
    pub fn region(self, region: &Region) -> Self {
        self.explicit(key::REGION, region.as_str())
    }

    /// Sets the endpoint URL, for all services.
    #[must_use]
    pub fn endpoint_url(self, url: &EndpointUrl) -> Self {
        self.explicit(key::ENDPOINT_URL, url.to_string())
    }

    /// Sets whether to call the hosts with validated cryptography.
    #[must_use]
    pub fn fips(self, fips: Fips) -> Self {
        self.explicit(key::FIPS, (fips == Fips::Enabled).to_string())
    }

    /// Sets whether to call the hosts with IPv6.
    #[must_use]
    pub fn dual_stack(self, dual_stack: DualStack) -> Self {
        self.explicit(key::DUAL_STACK, (dual_stack == DualStack::Enabled).to_string())
    }

    /// Sets how failed calls are sent again.
    #[must_use]
    pub fn retry_mode(mut self, retry_mode: RetryMode) -> Self {
        self.retry_mode = Some(retry_mode);
        self
    }

    /// Sets how often a call is sent at most, the first time included.
    #[must_use]
    pub fn max_attempts(self, max_attempts: NonZeroU32) -> Self {
        self.explicit(key::MAX_ATTEMPTS, max_attempts.to_string())
    }

    /// Sets the file with the certificates to trust.
    #[must_use]
    pub fn ca_bundle(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_bundle = Some(path.into());
        self
    }

    /// Sets whether a wrong clock is corrected.
    #[must_use]
    pub fn skew_correction(self, skew_correction: SkewCorrection) -> Self {
        self.explicit(key::SKEW_CORRECTION, (skew_correction == SkewCorrection::Disabled).to_string())
    }

    /// Sets when checksums are sent.
    #[must_use]
    pub fn request_checksum(self, mode: ChecksumMode) -> Self {
        self.explicit(key::REQUEST_CHECKSUM, mode.as_str())
    }

    /// Sets when checksums are compared.
    #[must_use]
    pub fn response_checksum(self, mode: ChecksumMode) -> Self {
        self.explicit(key::RESPONSE_CHECKSUM, mode.as_str())
    }

    /// Sets how S3 buckets are named in URLs.
    #[must_use]
    pub fn addressing_style(self, style: AddressingStyle) -> Self {
        self.explicit(key::ADDRESSING_STYLE, style.as_str())
    }

    fn explicit(mut self, key: &Key, text: impl Into<String>) -> Self {
        self.explicit.set(key, text, Origin::Explicit);
        self
    }

    /// Reads the environment and the files, and merges what they say. A value that another one wins over is not looked
    /// at.
    ///
    /// # Errors
    /// - A value is not one that its setting may have.
    /// - A configuration file is there and can't be read, is not UTF-8, or has a syntax error.
    /// - The explicit profile exists in none of the files.
    pub fn load(self) -> Result<Settings, SettingsError> {
        let env = self.env.unwrap_or_else(Env::process);
        let files = self.files.unwrap_or_else(Files::machine);
        let profiles = ProfileSet::load(&env, &files)?;
        let profile = choose_profile(self.profile, &env, &profiles)?;

        let mut services = self.services;
        services.retain(|service| service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        services.extend(key::SERVICES.map(str::to_owned));

        let of_profile = match profiles.profile(&profile.value) {
            Some(section) => Layer::of_profile(&profiles, section, &services)?,
            None => Layer::default(),
        };
        let layers = [
            Layer::of_boto(&BotoConfig::load(&env, &files)?),
            of_profile,
            Layer::of_environment(&env, &services),
            self.explicit,
        ];
        let merged = Merged::new(&layers)?;

        let ca_bundle = match self.ca_bundle {
            Some(value) => Some(Setting { value, origin: Origin::Explicit }),
            None => merged.read(key::CA_BUNDLE)?,
        };
        let retry_mode = match self.retry_mode {
            Some(value) => Setting { value, origin: Origin::Explicit },
            None => merged.read_retry_mode()?,
        };
        let mut inner = Inner {
            profile,
            region: merged.read(key::REGION)?,
            endpoint_url: None,
            service_endpoint_urls: BTreeMap::new(),
            fips: merged.read_or_default(key::FIPS)?,
            dual_stack: merged.read_or_default(key::DUAL_STACK)?,
            retry_mode,
            max_attempts: merged.read(key::MAX_ATTEMPTS)?.unwrap_or(Setting::by_default(MAX_ATTEMPTS)),
            ca_bundle,
            skew_correction: merged.read_or_default(key::SKEW_CORRECTION)?,
            request_checksum: merged.read_or_default(key::REQUEST_CHECKSUM)?,
            response_checksum: merged.read_or_default(key::RESPONSE_CHECKSUM)?,
            addressing_style: merged.read_or_default(key::ADDRESSING_STYLE)?,
            profiles,
            env,
            files,
        };
        merged.read_endpoint_urls(&services, &mut inner)?;
        Ok(Settings(Arc::new(inner)))
    }
}

fn choose_profile(
    explicit: Option<String>,
    env: &Env,
    profiles: &ProfileSet,
) -> Result<Setting<String>, SettingsError> {
    if let Some(value) = explicit {
        if profiles.profile(&value).is_none() {
            return Err(SettingsError::new(SettingsErrorKind::MissingProfile, profiles.missing(&value)));
        }
        return Ok(Setting { value, origin: Origin::Explicit });
    }
    let chosen = profile_name(env);
    let value = chosen.name.into_owned();
    let Some(variable) = chosen.variable else { return Ok(Setting::by_default(value)) };
    if profiles.profile(&value).is_none() {
        // Credentials may come from elsewhere, and then nothing is wrong; the profile's own provider refuses.
        warn!("{variable}: {}", profiles.missing(&value));
    }
    Ok(Setting { value, origin: Origin::Environment(variable.into()) })
}

/// The layers, merged.
struct Merged<'a> {
    layers: &'a [Layer],
    values: Map<String, Value>,
}

impl<'a> Merged<'a> {
    fn new(layers: &'a [Layer]) -> Result<Self, SettingsError> {
        let mut builder = Config::builder();
        for layer in layers {
            builder = builder.add_source(layer.clone());
        }
        // Our sources do not fail, and the names are ours.
        let merged = builder.build();
        let merged = merged.map_err(|error| SettingsError::new(SettingsErrorKind::InvalidValue, error.to_string()))?;
        let values = match merged.cache.kind {
            ValueKind::Table(values) => values,
            _ => Map::new(),
        };
        Ok(Self { layers, values })
    }

    fn read<T: FromSetting>(&self, key: &Key) -> Result<Option<Setting<T>>, SettingsError> {
        self.values.get(key.name).map(|value| self.setting(key.name, key.name, value)).transpose()
    }

    fn read_or_default<T: FromSetting + Default>(&self, key: &Key) -> Result<Setting<T>, SettingsError> {
        Ok(self.read(key)?.unwrap_or_else(|| Setting::by_default(T::default())))
    }

    fn setting<T: FromSetting>(&self, name: &str, shown: &str, value: &Value) -> Result<Setting<T>, SettingsError> {
        let origin = self.origin(name, value);
        let text = match &value.kind {
            ValueKind::String(text) => text.as_str(),
            _ => "",
        };
        match T::from_setting(shown, text) {
            Ok(value) => Ok(Setting { value, origin }),
            Err(why) => Err(SettingsError::new(SettingsErrorKind::InvalidValue, format!("{origin}: {why}"))),
        }
    }

    /// The origin that the merged value carries as text.
    fn origin(&self, name: &str, value: &Value) -> Origin {
        let shown = value.origin().unwrap_or_default();
        self.layers.iter().find_map(|layer| layer.origin(name, shown)).cloned().unwrap_or(Origin::Default)
    }

    fn read_retry_mode(&self) -> Result<Setting<RetryMode>, SettingsError> {
        let mode: Setting<RetryMode> = self.read_or_default(key::RETRY_MODE)?;
        let new: Setting<bool> = self.read_or_default(key::NEW_RETRIES)?;
        if new.value && mode.value == RetryMode::Standard {
            return Ok(Setting { value: RetryMode::Standard2026, origin: new.origin });
        }
        Ok(mode)
    }

    fn read_endpoint_urls(&self, services: &[String], inner: &mut Inner) -> Result<(), SettingsError> {
        let ignore: Setting<bool> = self.read_or_default(key::IGNORE_ENDPOINT_URLS)?;
        let own = match self.values.get(key::SERVICE_ENDPOINT_URLS).map(|value| &value.kind) {
            Some(ValueKind::Table(own)) if !ignore.value => Some(own),
            _ => None,
        };
        if let Some(value) = self.values.get(key::ENDPOINT_URL.name)
            && (!ignore.value || self.origin(key::ENDPOINT_URL.name, value) == Origin::Explicit)
        {
            inner.endpoint_url = Some(self.setting(key::ENDPOINT_URL.name, key::ENDPOINT_URL.name, value)?);
        }
        let general = inner.endpoint_url.as_ref().map_or(0, |general| general.origin.rank());
        for service in services {
            let name = service_endpoint_url(service);
            let Some(value) = own.and_then(|own| own.get(service)) else { continue };
            if self.origin(&name, value).rank() >= general {
                let url = self.setting(&name, key::ENDPOINT_URL.name, value)?;
                inner.service_endpoint_urls.insert(service.clone(), url);
            }
        }
        Ok(())
    }
}
