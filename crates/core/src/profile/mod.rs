//! The configuration files of AWS (`~/.aws/config`, `~/.aws/credentials`) and of boto (`/etc/boto.cfg`, `~/.boto`).
//!
//! The parser is a function: text in, sections out. [`ProfileSet::load`] and [`BotoConfig::load`] find the files by the
//! environment and read them. Every property knows the file and the line where it stands; a broken file is an error
//! with file, line and column, never skipped.
//!
//! Values may be secrets: they are wiped from memory when they are dropped, and `Debug` does not show them.
//!
//! # Example
//! ```
//! use aws_sigv4_free_core::environment::{Env, Files};
//! use aws_sigv4_free_core::profile::ProfileSet;
//!
//! let env = Env::fixed([("HOME", "/home/me")]);
//! let files = Files::fixed([("/home/me/.aws/config", "[profile dev]\nregion = eu-west-1 # home\n")]);
//! let profiles = ProfileSet::load(&env, &files)?;
//! let region = profiles.profile("dev").and_then(|profile| profile.property("region")).unwrap();
//! assert_eq!(region.value(), "eu-west-1");
//! assert_eq!(region.location().to_string(), "~/.aws/config:2");
//! # Ok::<(), aws_sigv4_free_core::profile::ProfileError>(())
//! ```

mod boto;
mod error;
mod file;
mod load;
mod location;
mod parser;
mod section;
mod set;

pub use boto::BotoConfig;
pub use error::{ProfileError, ProfileErrorKind};
pub use file::{FileName, Location};
pub use location::{FileLocation, FileLocations, Platform, ProfileName, profile_name};
pub use parser::{Dialect, parse};
pub use section::{Property, Section};
pub use set::{FileKind, ProfileSet};
