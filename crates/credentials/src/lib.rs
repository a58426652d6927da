//! AWS credentials without the AWS SDK: where they come from, asked in order, and why.
//!
//! [`default_chain`] asks the environment, then the configuration files. [`Chain`] is one of your own. Both say what
//! they tried: [`Chain::explain`].
//!
//! A provider that is *not configured* lets the chain go on to the next one. A provider that is configured wrongly
//! stops it: a typing error must not lead to calls in another's name. This version has no providers that fetch
//! credentials from somewhere (roles, single sign-on, processes, containers, instances); a profile that asks for one of
//! them is an error that says so.
//!
//! # Example
//! ```
//! use aws_sigv4_free_core::environment::{Env, Files};
//! use aws_sigv4_free_core::identity::ProvideCredentials;
//! use aws_sigv4_free_credentials::{Chain, EnvironmentProvider, ProfileProvider};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let env = Env::fixed([("HOME", "/home/me")]);
//! let files = Files::fixed([(
//!     "/home/me/.aws/credentials",
//!     "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n",
//! )]);
//! let chain = Chain::new()
//!     .with("environment", EnvironmentProvider::new().env(env.clone()))
//!     .with("profile", ProfileProvider::new().env(env).files(files));
//! let credentials = chain.identity().await?;
//! assert_eq!(credentials.access_key_id(), "AKIDEXAMPLE");
//! assert_eq!(credentials.source(), "profile \"default\" in ~/.aws/credentials:2");
//! println!("{}", chain.explain().await);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod chain;
mod check;
mod explain;
pub mod provider;

pub use aws_sigv4_free_core::identity::{
    BoxFuture, Credentials, CredentialsError, CredentialsErrorKind, ProvideCredentials, Secret, SharedProvider,
};
pub use chain::{Chain, default_chain};
pub use explain::{Attempt, Explanation, Outcome};
pub use provider::{EnvironmentProvider, ProfileProvider};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
