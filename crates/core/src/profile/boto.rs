//! The files of boto, together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tracing::{debug, warn};

use super::load::read;
use super::location::expand_home;
use super::section::merge_into;
use super::{Dialect, FileName, Platform, ProfileError, Property, Section, parse};
use crate::environment::{Env, Files};

/// The options of boto's files.
///
/// `BOTO_CONFIG` names the one file; else `BOTO_PATH` lists them; else they are `/etc/boto.cfg` and `~/.boto`. Of two
/// options with one name in the same section, the one of the later file counts.
#[derive(Clone, Debug, Default)]
pub struct BotoConfig {
    sections: BTreeMap<String, Section>,
}

impl BotoConfig {
    /// Reads the files from where `env` says. A file that is not there counts as an empty one; where `BOTO_CONFIG`
    /// names it, a warning is logged.
    ///
    /// # Errors
    /// A file that is there can't be read, is not UTF-8, or does not follow the grammar of [`Dialect::Boto`].
    pub fn load(env: &Env, files: &Files) -> Result<Self, ProfileError> {
        let mut config = Self::default();
        let home = env.home();
        for path in paths(env) {
            let file = FileName::in_home(path, home.as_deref());
            match read(files, &file)? {
                Some(text) => config.add(text.expose_secret(), &file)?,
                None if env.get("BOTO_CONFIG").is_some() => {
                    warn!("the file {file} that BOTO_CONFIG names does not exist");
                }
                None => debug!("there is no {file}"),
            }
        }
        Ok(config)
    }

    /// Adds what stands in the text of a file.
    ///
    /// # Errors
    /// The text does not follow the grammar of [`Dialect::Boto`]; nothing of it was added then.
    pub fn add(&mut self, text: &str, file: &FileName) -> Result<(), ProfileError> {
        for section in parse(text, file, Dialect::Boto)? {
            merge_into(&mut self.sections, section);
        }
        Ok(())
    }

    /// The section `name`; its case counts, as in `Credentials`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(name)
    }

    /// The option `key`, a lower-case name, of the section `name`.
    pub fn option(&self, name: &str, key: &str) -> Option<&Property> {
        self.section(name)?.property(key)
    }
}

fn paths(env: &Env) -> Vec<PathBuf> {
    let home = env.home();
    let expand = |path: &str| expand_home(path, home.as_deref(), Platform::CURRENT);
    if let Some(path) = env.get("BOTO_CONFIG") {
        return vec![expand(&path)];
    }
    if let Some(list) = env.get("BOTO_PATH") {
        let separator = if Platform::CURRENT == Platform::Windows { ';' } else { ':' };
        return list.split(separator).filter(|path| !path.is_empty()).map(expand).collect();
    }
    let system = (Platform::CURRENT == Platform::Unix).then(|| "/etc/boto.cfg".into());
    system.into_iter().chain(home.as_ref().map(|home| home.join(".boto"))).collect()
}
