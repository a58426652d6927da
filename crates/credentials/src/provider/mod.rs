//! The sources of credentials, one file each.
//!
//! Fixed credentials need no provider: `Credentials` is one itself.

mod environment;
mod profile;

pub use environment::EnvironmentProvider;
pub use profile::ProfileProvider;
