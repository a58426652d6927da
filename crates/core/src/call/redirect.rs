//! Whether a call goes on in another region.

use crate::endpoint::Region;

/// The region to go to: the one that the service `named`, where it is not the `current` one and of the same partition. A
/// signed request never follows a host that a server names.
pub(super) fn target(current: &Region, named: Option<Region>) -> Option<Region> {
    named.filter(|named| named != current && named.partition() == current.partition())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_in_its_partition() {
        let region = |name: &str| Region::new(name).unwrap();
        let here = region("us-east-1");
        assert_eq!(target(&here, Some(region("eu-west-1"))), Some(region("eu-west-1")));
        assert_eq!(target(&here, Some(region("cn-north-1"))), None);
        assert_eq!(target(&here, Some(region("us-gov-west-1"))), None);
        assert_eq!(target(&here, Some(here.clone())), None);
        assert_eq!(target(&here, None), None);
    }
}
