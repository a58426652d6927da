//! The partitions of AWS: groups of regions that share a DNS suffix and nothing else.

use std::fmt;

use super::Region;

/// A partition: credentials and redirects do not cross its border.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions, and every name that no other partition claims.
    Aws,
    /// China.
    AwsCn,
    /// The European Sovereign Cloud.
    AwsEusc,
    /// The isolated regions of the USA, top secret.
    AwsIso,
    /// The isolated regions of the USA, secret.
    AwsIsoB,
    /// The isolated regions of Europe.
    AwsIsoE,
    /// The isolated regions of the USA, for a group of agencies.
    AwsIsoF,
    /// GovCloud of the USA.
    AwsUsGov,
}

struct Facts {
    name: &'static str,
    region_prefix: &'static str,
    dns_suffix: &'static str,
    dual_stack_suffix: &'static str,
    global_region: &'static str,
}

impl Partition {
    const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsEusc,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
        Self::AwsUsGov,
    ];

    const fn facts(self) -> Facts {
        let (name, region_prefix, dns_suffix, dual_stack_suffix, global_region) = match self {
            Self::Aws => ("aws", "", "amazonaws.com", "api.aws", "us-east-1"),
            Self::AwsCn => ("aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"),
            Self::AwsEusc => ("aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"),
            Self::AwsIso => ("aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"),
            Self::AwsIsoB => ("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"),
            Self::AwsIsoE => ("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
            Self::AwsIsoF => ("aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1"),
            Self::AwsUsGov => ("aws-us-gov", "us-gov-", "amazonaws.com", "api.aws", "us-gov-west-1"),
        };
        Facts { name, region_prefix, dns_suffix, dual_stack_suffix, global_region }
    }

    /// The partition of `region`, by the beginning of its name. A name that no partition claims belongs to
    /// [`Partition::Aws`].
    pub fn of(region: &Region) -> Self {
        let name = region.as_str();
        let claims = |partition: &Self| {
            let Facts { name: partition_name, region_prefix, .. } = partition.facts();
            // `aws-cn-global` and its like stand for a partition as a whole.
            name.starts_with(region_prefix)
                || name.strip_suffix("-global").is_some_and(|prefix| prefix == partition_name)
        };
        Self::ALL.into_iter().skip(1).find(claims).unwrap_or(Self::Aws)
    }

    /// The name as it occurs in ARNs, such as `aws-cn`.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The end of the hosts, such as `amazonaws.com`.
    pub const fn dns_suffix(self) -> &'static str {
        self.facts().dns_suffix
    }

    /// The end of the hosts that answer over IPv6 too, such as `api.aws`. S3 does not use it.
    pub const fn dual_stack_suffix(self) -> &'static str {
        self.facts().dual_stack_suffix
    }

    /// The region that signs for the services that have none, such as `us-east-1`.
    pub const fn global_region(self) -> &'static str {
        self.facts().global_region
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(region: &str, partition: Partition) {
        assert_eq!(Partition::of(&Region::new(region).unwrap()), partition, "{region}");
    }

    #[test]
    fn a_region_belongs_to_one_partition() {
        check("us-east-1", Partition::Aws);
        check("eu-central-1", Partition::Aws);
        check("cn-north-1", Partition::AwsCn);
        check("us-gov-west-1", Partition::AwsUsGov);
        check("us-iso-east-1", Partition::AwsIso);
        check("us-isob-east-1", Partition::AwsIsoB);
        check("eu-isoe-west-1", Partition::AwsIsoE);
        check("us-isof-south-1", Partition::AwsIsoF);
        check("eusc-de-east-1", Partition::AwsEusc);
        check("aws-global", Partition::Aws);
        check("aws-cn-global", Partition::AwsCn);
        check("aws-us-gov-global", Partition::AwsUsGov);
    }

    #[test]
    fn a_name_that_nobody_claims_is_commercial() {
        check("auto", Partition::Aws);
        check("mars-north-1", Partition::Aws);
        check("cn", Partition::Aws);
    }

    #[test]
    fn each_global_region_is_in_its_own_partition() {
        for partition in Partition::ALL {
            check(partition.global_region(), partition);
        }
    }
}
