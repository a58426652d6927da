//! Where a service listens: regions, partitions, and the hosts that follow from them.
//!
//! Everything here is a pure function over its arguments. A name that becomes a part of a host is checked first: a
//! region with a slash in it must not decide where a signed request goes.
//!
//! # Example
//! ```
//! use aws_sigv4_free_core::endpoint::{DualStack, EndpointRules, Region};
//!
//! let region = Region::new("eu-central-1")?;
//! let endpoint = EndpointRules::new().dual_stack(DualStack::Enabled).resolve("s3", &region)?;
//! assert_eq!(endpoint.host(), "s3.dualstack.eu-central-1.amazonaws.com");
//! assert_eq!(endpoint.uri("/photos?list-type=2")?, "https://s3.dualstack.eu-central-1.amazonaws.com/photos?list-type=2");
//!
//! let local = EndpointRules::new().endpoint_url("http://127.0.0.1:9000/store".parse()?).resolve("s3", &region)?;
//! assert_eq!(local.uri("/photos")?, "http://127.0.0.1:9000/store/photos");
//! # Ok::<(), aws_sigv4_free_core::endpoint::EndpointError>(())
//! ```

pub(crate) mod error;
mod host;
mod partition;
mod region;
mod rules;
mod url;

pub use error::{EndpointError, EndpointErrorKind};
pub use partition::Partition;
pub use region::Region;
pub use rules::{DualStack, Endpoint, EndpointKind, EndpointRules, Fips};
pub use url::EndpointUrl;
