//! The name of a region.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Partition;
use super::error::{EndpointError, EndpointErrorKind, quoted};
use super::host;

/// A region, such as `us-east-1`: a lower-case host label of 1 to 63 characters. A clone is cheap.
///
/// The name need not be one that AWS has: S3-compatible stores have their own, such as `auto` or `us`.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::endpoint::{Partition, Region};
///
/// let region = Region::new("cn-north-1")?;
/// assert_eq!(region.partition(), Partition::AwsCn);
/// assert!(Region::new("us-east-1/../evil").is_err());
/// # Ok::<(), aws_sigv4_free_core::endpoint::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// Checks `name`.
    ///
    /// # Errors
    /// The name is not a host label by RFC 1123 in lower case: letters, digits and hyphens, no hyphen at either end.
    pub fn new(name: impl AsRef<str>) -> Result<Self, EndpointError> {
        let name = name.as_ref();
        if host::is_lower_case_label(name) {
            return Ok(Self(name.into()));
        }
        let advice = match name.trim().to_ascii_lowercase() {
            corrected if corrected != name && host::is_lower_case_label(&corrected) => {
                format!("did you mean {corrected:?}")
            }
            _ => "use 1 to 63 lower-case letters, digits and hyphens, as in \"us-east-1\"".to_owned(),
        };
        Err(EndpointError::new(EndpointErrorKind::InvalidRegion, format!("invalid region {}: {advice}", quoted(name))))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that the region belongs to.
    pub fn partition(&self) -> Partition {
        Partition::of(self)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.0)
    }
}

impl FromStr for Region {
    type Err = EndpointError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<&str> for Region {
    type Error = EndpointError;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<String> for Region {
    type Error = EndpointError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl AsRef<str> for Region {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Region {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Region {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_host_labels_are_taken() {
        for name in ["us-east-1", "auto", "us", "eusc-de-east-1", "aws-global", &"a".repeat(63)] {
            assert_eq!(Region::new(name).unwrap(), name);
        }
    }

    #[test]
    fn names_that_would_move_the_host_are_refused() {
        for name in
            ["", "a/b", "a.b", "-a", "a-", "a_b", "a@b", "a:1", "a#", "a?", "a\r\nb", "a\0", "é", &"a".repeat(64)]
        {
            let error = Region::new(name).unwrap_err();
            assert_eq!(error.kind(), EndpointErrorKind::InvalidRegion, "{name:?}");
            assert!(!error.to_string().contains(['\r', '\n', '\0']), "{error}");
        }
    }

    #[test]
    fn the_error_says_what_to_write() {
        assert_eq!(
            Region::new("US-East-1 ").unwrap_err().to_string(),
            r#"invalid region "US-East-1 ": did you mean "us-east-1""#
        );
        assert_eq!(
            Region::new("a/b").unwrap_err().to_string(),
            r#"invalid region "a/b": use 1 to 63 lower-case letters, digits and hyphens, as in "us-east-1""#
        );
        assert!(Region::new("é".repeat(1_000)).unwrap_err().to_string().len() < 300);
    }
}
