//! A value, and where it comes from.

use std::borrow::Cow;
use std::fmt;

use crate::profile::Location;

/// A value, and where it comes from.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    pub(super) fn by_default(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }
}

/// Where a value comes from; the later ones win.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file of boto's.
    Boto {
        /// File and line.
        location: Location,
        /// The section.
        section: String,
        /// The name of the option.
        key: String,
    },
    /// A profile of the AWS configuration files.
    Profile {
        /// File and line.
        location: Location,
        /// The section: a profile, or the `services` section that it points to.
        section: ProfileSection,
        /// The name of the property.
        key: String,
    },
    /// An environment variable.
    Environment(Cow<'static, str>),
    /// The program, or the command line.
    Explicit,
}

/// A section of the AWS configuration files.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ProfileSection {
    /// A profile.
    Profile(String),
    /// A `services` section.
    Services(String),
}

impl Origin {
    /// The layers in the order in which they win: the higher rank does.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Boto { .. } => 1,
            Self::Profile { .. } => 2,
            Self::Environment(_) => 3,
            Self::Explicit => 4,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Boto { location, section, .. } => write!(f, "[{section}] in {location}"),
            Self::Profile { location, section, .. } => write!(f, "{section} in {location}"),
            Self::Environment(variable) => f.write_str(variable),
            Self::Explicit => f.write_str("given explicitly"),
        }
    }
}

impl fmt::Display for ProfileSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(f, "profile {name:?}"),
            Self::Services(name) => write!(f, "services {name:?}"),
        }
    }
}
