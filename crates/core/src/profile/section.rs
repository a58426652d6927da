//! A section of a configuration file, and what stands in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use aws_sigv4_free_http_transport::Secret;

use super::{FileName, Location};

/// A section: a profile, an SSO session, a set of services' settings.
#[derive(Clone, Debug)]
pub struct Section {
    name: String,
    location: Location,
    properties: BTreeMap<String, Property>,
}

impl Section {
    pub(super) fn new(name: impl Into<String>, location: Location) -> Self {
        Self { name: name.into(), location, properties: BTreeMap::new() }
    }

    pub(super) fn renamed(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The name, without `profile` and the like before it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the section begins; the first place, where there are several.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The value of `key`, a lower-case name. It may be a secret. `None` where it is blank, as for environment
    /// variables.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.property(key).map(Property::value).filter(|value| !value.trim().is_empty())
    }

    /// The property `key`, a lower-case name.
    pub fn property(&self, key: &str) -> Option<&Property> {
        self.properties.get(key)
    }

    /// All properties by name.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.properties.iter().map(|(key, property)| (key.as_str(), property))
    }

    pub(super) fn insert(&mut self, key: String, property: Property) {
        self.properties.insert(key, property);
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&str, &Property) -> bool) {
        self.properties.retain(|key, property| keep(key, property));
    }

    /// Takes what `other` has; of two properties with one name, the other's.
    pub(super) fn absorb(&mut self, other: Self) {
        self.properties.extend(other.properties);
    }
}

/// Merges `section` into the section of the same name.
pub(super) fn merge_into(sections: &mut BTreeMap<String, Section>, section: Section) {
    match sections.entry(section.name.clone()) {
        Entry::Vacant(entry) => {
            entry.insert(section);
        }
        Entry::Occupied(mut entry) => entry.get_mut().absorb(section),
    }
}

/// A property: its value, which may be a secret, and where it stands.
#[derive(Clone)]
pub struct Property {
    value: Secret,
    location: Location,
    nested: Vec<(String, Nested)>,
}

/// A property inside of a property, as in `s3 =` followed by an indented `addressing_style = path`.
#[derive(Clone)]
struct Nested {
    value: Secret,
    line: u32,
}

impl Property {
    pub(super) fn new(value: &str, file: &FileName, line: u32) -> Self {
        Self { value: value.into(), location: Location { file: file.clone(), line }, nested: Vec::new() }
    }

    pub(super) fn push_nested(&mut self, key: String, value: &str, line: u32) {
        self.nested.push((key, Nested { value: value.into(), line }));
    }

    /// The value; lines after the first follow a line feed. It may be a secret: do not print it.
    pub fn value(&self) -> &str {
        self.value.expose_secret()
    }

    /// Where the property stands.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The property `key`, a lower-case name, that is nested in this one; the last, where there are several.
    pub fn nested(&self, key: &str) -> Option<Self> {
        let (_, nested) = self.nested.iter().rev().find(|(name, _)| name == key)?;
        let location = Location { file: self.location.file.clone(), line: nested.line };
        Some(Self { value: nested.value.clone(), location, nested: Vec::new() })
    }

    pub(super) fn set_value(&mut self, value: String) {
        self.value = value.into();
    }
}

// The value may be a secret.
impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property").field("value", &self.value).field("location", &self.location).finish()
    }
}
