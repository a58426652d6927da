//! The profiles of the two AWS files, together.

use std::collections::BTreeMap;

use tracing::warn;

use super::section::merge_into;
use super::{Dialect, FileName, ProfileError, Section, parse};
use crate::endpoint::error::quoted;

/// Which of the two AWS files.
#[allow(clippy::exhaustive_enums, reason = "there are two files")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `~/.aws/config`: profiles are written `[profile name]`, and other sections may stand beside them.
    Config,
    /// `~/.aws/credentials`: profiles are written `[name]`.
    Credentials,
}

/// The profiles, SSO sessions and services' settings of the AWS configuration files.
///
/// Of two properties with one name in the same profile, the one of the credentials file counts.
#[derive(Clone, Debug, Default)]
pub struct ProfileSet {
    profiles: BTreeMap<String, Section>,
    sso_sessions: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
    files: Vec<FileName>,
}

impl ProfileSet {
    /// No profiles.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what stands in the text of a file. Add the config file first, then the credentials file.
    ///
    /// A section or a property whose name is not made of letters, digits and `_-/.%@:+` is left out with a warning, as
    /// is a section without the prefix that the kind of file asks for.
    ///
    /// # Errors
    /// The text does not follow the grammar; nothing of it was added then.
    pub fn add(&mut self, text: &str, file: &FileName, kind: FileKind) -> Result<(), ProfileError> {
        let sections = parse(text, file, Dialect::Sdk)?;
        self.files.push(file.clone());
        // `[profile default]` beats `[default]`, whichever comes first.
        let has_prefixed_default = kind == FileKind::Config
            && sections.iter().any(|section| matches!(split_name(section.name()), Some(("profile", "default"))));
        for section in sections {
            let section = without_odd_properties(section);
            let map_and_name = match (kind, section.name(), split_name(section.name())) {
                (FileKind::Config, "default", _) if has_prefixed_default => {
                    warn!(at = %section.location(), "[default] is left out, because there is a [profile default] too");
                    continue;
                }
                (_, "default", _) => Some((&mut self.profiles, "default")),
                (FileKind::Config, _, Some(("profile", name))) => Some((&mut self.profiles, name)),
                (FileKind::Config, _, Some(("sso-session", name))) => Some((&mut self.sso_sessions, name)),
                (FileKind::Config, _, Some(("services", name))) => Some((&mut self.services, name)),
                (FileKind::Config, ..) => None,
                (FileKind::Credentials, name, _) => Some((&mut self.profiles, name)),
            };
            match map_and_name {
                Some((map, name)) if is_valid_name(name) => {
                    let name = name.to_owned();
                    merge_into(map, section.renamed(&name));
                }
                _ => {
                    let name = quoted(section.name());
                    warn!(at = %section.location(), "the section {name} is left out: {}", advice(kind));
                }
            }
        }
        Ok(())
    }

    /// The profile `name`.
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    /// All profiles, by name.
    pub fn profiles(&self) -> impl Iterator<Item = &Section> {
        self.profiles.values()
    }

    /// The section `[sso-session name]`.
    pub fn sso_session(&self, name: &str) -> Option<&Section> {
        self.sso_sessions.get(name)
    }

    /// All `[sso-session ...]` sections, by name.
    pub fn sso_sessions(&self) -> impl Iterator<Item = &Section> {
        self.sso_sessions.values()
    }

    /// The section `[services name]`.
    pub fn services(&self, name: &str) -> Option<&Section> {
        self.services.get(name)
    }

    /// A sentence for a profile that does not exist: it lists those that do.
    pub fn missing(&self, name: &str) -> String {
        /// More names than this are no help.
        const SHOWN: usize = 20;
        let mut names: Vec<String> = self.profiles.keys().take(SHOWN).map(|name| quoted(name)).collect();
        if self.profiles.len() > SHOWN {
            names.push(format!("{} more", self.profiles.len() - SHOWN));
        }
        let name = quoted(name);
        if names.is_empty() {
            return format!("the profile {name} does not exist: there is no profile in the AWS configuration files");
        }
        format!("the profile {name} does not exist: use one of {}", names.join(", "))
    }

    /// The files that were read, in the order in which they were added.
    pub fn files(&self) -> &[FileName] {
        &self.files
    }
}

/// Splits `profile dev` at the white space.
fn split_name(name: &str) -> Option<(&str, &str)> {
    name.split_once([' ', '\t']).map(|(prefix, rest)| (prefix, rest.trim_matches([' ', '\t'])))
}

fn advice(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Config => "write `[profile NAME]` in this file, with letters, digits and _-/.%@:+ in the name",
        FileKind::Credentials => "write `[NAME]` in this file, with letters, digits and _-/.%@:+ in the name",
    }
}

fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.%@:+".contains(&byte))
}

fn without_odd_properties(mut section: Section) -> Section {
    section.retain(|key, property| {
        let valid = is_valid_name(key);
        if !valid {
            // The name is not repeated: a secret may have slipped before the `=`.
            warn!(at = %property.location(), "a property is left out: its name may have letters, digits and _-/.%@:+ only");
        }
        valid
    });
    section
}
