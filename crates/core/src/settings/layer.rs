//! The layers that settings are merged from, each a source of the `config` crate.

use config::{ConfigError, Map, Source, Value};

use super::error::{SettingsError, SettingsErrorKind};
use super::key::{self, Key};
use super::origin::{Origin, ProfileSection};
use crate::endpoint::error::quoted;
use crate::environment::Env;
use crate::profile::{BotoConfig, ProfileSet, Property, Section};

/// What one layer says.
#[derive(Clone, Default)]
pub(super) struct Layer(Vec<Entry>);

/// A value as text, under its name in the merged settings.
#[derive(Clone)]
struct Entry {
    name: String,
    text: String,
    origin: Origin,
}

impl Layer {
    pub(super) fn set(&mut self, key: &Key, text: impl Into<String>, origin: Origin) {
        self.push(key.name.to_owned(), text.into(), origin);
    }

    fn push(&mut self, name: String, text: String, origin: Origin) {
        self.0.push(Entry { name, text, origin });
    }

    /// The origin that was merged as `shown` under `name`.
    pub(super) fn origin(&self, name: &str, shown: &str) -> Option<&Origin> {
        self.0
            .iter()
            .filter(|entry| entry.name == name)
            .map(|entry| &entry.origin)
            .find(|origin| origin.to_string() == shown)
    }

    /// What the environment says.
    pub(super) fn of_environment(env: &Env, services: &[String]) -> Self {
        let mut layer = Self::default();
        for key in key::ALL {
            let found = key.variables.iter().find_map(|variable| Some((*variable, env.get(variable)?)));
            if let Some((variable, text)) = found {
                layer.set(key, text, Origin::Environment(variable.into()));
            }
        }
        for service in services {
            let variable = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
            if let Some(text) = env.get(&variable) {
                layer.push(service_endpoint_url(service), text, Origin::Environment(variable.into()));
            }
        }
        layer
    }

    /// What a profile says, and the `services` section that it points to.
    ///
    /// # Errors
    /// There is no such section. Going on would send what is meant for one host to another.
    pub(super) fn of_profile(
        profiles: &ProfileSet,
        profile: &Section,
        services: &[String],
    ) -> Result<Self, SettingsError> {
        let mut layer = Self::default();
        let in_profile = || ProfileSection::Profile(profile.name().to_owned());
        for key in key::ALL {
            let property = match key.property.split_once('.') {
                Some((outer, inner)) => profile.property(outer).and_then(|property| property.nested(inner)),
                None => profile.property(key.property).cloned(),
            };
            if let Some(property) = property {
                layer.push_property(key.name.to_owned(), &property, in_profile(), key.property);
            }
        }
        let Some(pointer) = profile.property("services").filter(|pointer| !pointer.value().trim().is_empty()) else {
            return Ok(layer);
        };
        let Some(section) = profiles.services(pointer.value()) else {
            let (origin, name) = (in_profile(), quoted(pointer.value()));
            let message = format!("{origin} in {}: there is no section [services {name}]: add it", pointer.location());
            return Err(SettingsError::new(SettingsErrorKind::InvalidValue, message));
        };
        for service in services {
            if let Some(url) = section.property(service).and_then(|property| property.nested("endpoint_url")) {
                let in_services = ProfileSection::Services(section.name().to_owned());
                let key = format!("{service}.endpoint_url");
                layer.push_property(service_endpoint_url(service), &url, in_services, &key);
            }
        }
        Ok(layer)
    }

    fn push_property(&mut self, name: String, property: &Property, section: ProfileSection, key: &str) {
        if property.value().trim().is_empty() {
            return;
        }
        let origin = Origin::Profile { location: property.location().clone(), section, key: key.to_owned() };
        self.push(name, property.value().to_owned(), origin);
    }

    /// What boto's files say, in the words of the other layers.
    pub(super) fn of_boto(boto: &BotoConfig) -> Self {
        let mut layer = Self::default();
        let mut take = |key: &Key, section: &str, option: &str, translate: fn(&str) -> Option<String>| {
            let Some(property) = boto.option(section, option) else { return };
            if let Some(text) = translate(property.value()) {
                let location = property.location().clone();
                let origin = Origin::Boto { location, section: section.to_owned(), key: option.to_owned() };
                layer.set(key, text, origin);
            }
        };
        take(key::REGION, "Boto", "ec2_region_name", not_blank);
        // Boto counts the attempts after the first one.
        take(key::MAX_ATTEMPTS, "Boto", "num_retries", |retries| {
            not_blank(retries).map(|text| match text.trim().parse::<u32>() {
                Ok(retries) => retries.saturating_add(1).to_string(),
                Err(_) => text,
            })
        });
        // `system` asks for the certificates of the machine.
        take(key::CA_BUNDLE, "Boto", "ca_certificates_file", |path| not_blank(path).filter(|path| path != "system"));
        take(key::ADDRESSING_STYLE, "s3", "calling_format", |class| {
            let style = match class.rsplit('.').next()? {
                "OrdinaryCallingFormat" | "ProtocolIndependentOrdinaryCallingFormat" => "path",
                "SubdomainCallingFormat" | "VHostCallingFormat" => "virtual",
                other => other,
            };
            not_blank(style)
        });
        layer
    }
}

fn not_blank(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.trim().is_empty())
}

/// The name of a service's own endpoint URL in the merged settings.
pub(super) fn service_endpoint_url(service: &str) -> String {
    format!("{}.{service}", key::SERVICE_ENDPOINT_URLS)
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let values = self.0.iter().map(|entry| {
            let value = Value::new(Some(&entry.origin.to_string()), entry.text.as_str());
            (entry.name.clone(), value)
        });
        Ok(values.collect())
    }
}

// The texts are not checked yet: a URL may hold a password.
impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|entry| (&entry.name, entry.origin.to_string()))).finish()
    }
}
