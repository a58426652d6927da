//! From service and region to the host that answers.

use std::fmt;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::error::{EndpointError, EndpointErrorKind, quoted};
use super::{EndpointUrl, Partition, Region, host};

/// Whether to call the hosts whose cryptography is validated by FIPS 140.
#[allow(clippy::exhaustive_enums, reason = "a switch has two positions")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fips {
    /// The usual hosts.
    #[default]
    Disabled,
    /// The validated hosts. Not every region has them.
    Enabled,
}

/// Whether to call the hosts that answer over IPv6 as well as IPv4.
#[allow(clippy::exhaustive_enums, reason = "a switch has two positions")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DualStack {
    /// The usual hosts.
    #[default]
    Disabled,
    /// The hosts with both. Not every service has them.
    Enabled,
}

/// How to find the host of a service: by the rules of AWS, or the one that the user names.
///
/// `https://{service}.{region}.{suffix}` is the rule, with the exceptions of the services that this family of crates
/// has clients for. A service that has one host for a whole partition, such as IAM, needs its own URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointRules {
    fips: Fips,
    dual_stack: DualStack,
    endpoint_url: Option<EndpointUrl>,
}

impl EndpointRules {
    /// The rules of AWS, with the usual hosts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for hosts whose cryptography is validated. The default is [`Fips::Disabled`].
    #[must_use]
    pub fn fips(mut self, fips: Fips) -> Self {
        self.fips = fips;
        self
    }

    /// Asks for hosts with IPv6. The default is [`DualStack::Disabled`].
    #[must_use]
    pub fn dual_stack(mut self, dual_stack: DualStack) -> Self {
        self.dual_stack = dual_stack;
        self
    }

    /// Calls this URL, whatever the service and the region are.
    #[must_use]
    pub fn endpoint_url(mut self, url: EndpointUrl) -> Self {
        self.endpoint_url = Some(url);
        self
    }

    /// The host of `service` in `region`. `service` is the name as it stands in hosts: `s3`, `sts`, `monitoring`.
    ///
    /// # Errors
    /// The service's name can't be a part of a host, the partition has no FIPS hosts, or a URL is given together with
    /// FIPS or dual stack.
    pub fn resolve(&self, service: &str, region: &Region) -> Result<Endpoint, EndpointError> {
        let region = region.clone();
        if let Some(url) = &self.endpoint_url {
            self.refuse_variants_of(url)?;
            return Ok(Endpoint { url: url.clone(), region, kind: EndpointKind::Custom });
        }
        if !service.split('.').all(host::is_lower_case_label) {
            let message =
                format!("invalid service {}: use the name that stands in its hosts, as in \"s3\"", quoted(service));
            return Err(EndpointError::new(EndpointErrorKind::InvalidPart, message));
        }
        if self.fips == Fips::Enabled && region.partition() == Partition::AwsCn {
            let message = format!("there are no FIPS hosts in {region}: switch FIPS off");
            return Err(EndpointError::new(EndpointErrorKind::Unsupported, message));
        }
        let authority = authority(&self.host(service, &region))?;
        Ok(Endpoint { url: EndpointUrl::https(authority), region, kind: EndpointKind::Aws })
    }

    fn refuse_variants_of(&self, url: &EndpointUrl) -> Result<(), EndpointError> {
        let variant = match (self.fips, self.dual_stack) {
            (Fips::Disabled, DualStack::Disabled) => return Ok(()),
            (Fips::Enabled, _) => "FIPS",
            (_, DualStack::Enabled) => "dual stack",
        };
        let message = format!("the endpoint URL {url} and {variant} exclude each other: switch one of them off");
        Err(EndpointError::new(EndpointErrorKind::Unsupported, message))
    }

    fn host(&self, service: &str, region: &Region) -> String {
        let partition = region.partition();
        let service_label = match self.fips {
            Fips::Enabled if !is_validated_as_it_is(service, partition, self.dual_stack) => format!("{service}-fips"),
            _ => service.to_owned(),
        };
        match self.dual_stack {
            // S3 had IPv6 before there was a suffix for it.
            DualStack::Enabled if service == "s3" => {
                format!("{service_label}.dualstack.{region}.{}", partition.dns_suffix())
            }
            DualStack::Enabled if !has_ipv6_as_it_is(service, partition) => {
                format!("{service_label}.{region}.{}", partition.dual_stack_suffix())
            }
            _ => format!("{service_label}.{region}.{}", partition.dns_suffix()),
        }
    }
}

/// Services whose usual hosts in GovCloud are the validated ones; hosts with `-fips` do not exist.
const VALIDATED_IN_GOVCLOUD: [&str; 22] = [
    "autoscaling",
    "cassandra",
    "cloudformation",
    "cloudtrail",
    "config",
    "dynamodb",
    "ec2",
    "eks",
    "elasticache",
    "elasticloadbalancing",
    "events",
    "kinesis",
    "logs",
    "monitoring",
    "rds",
    "redshift",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
    "swf",
];

fn is_validated_as_it_is(service: &str, partition: Partition, dual_stack: DualStack) -> bool {
    let validated: &[&str] = match dual_stack {
        DualStack::Disabled => &VALIDATED_IN_GOVCLOUD,
        DualStack::Enabled => &["events", "monitoring"],
    };
    partition == Partition::AwsUsGov && validated.contains(&service)
}

/// Whether the usual hosts have IPv6 too.
fn has_ipv6_as_it_is(service: &str, partition: Partition) -> bool {
    service == "secretsmanager" && matches!(partition, Partition::Aws | Partition::AwsCn | Partition::AwsUsGov)
}

fn authority(host: &str) -> Result<Authority, EndpointError> {
    let refuse = || EndpointError::new(EndpointErrorKind::InvalidPart, format!("{} is not a host name", quoted(host)));
    if host::is_host_name(host) { host.parse().map_err(|_| refuse()) } else { Err(refuse()) }
}

/// Where the host comes from.
#[allow(clippy::exhaustive_enums, reason = "the rules, or not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointKind {
    /// The rules of AWS.
    Aws,
    /// A URL of the user's.
    Custom,
}

/// A host that answers for a service, and the region to sign for.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: EndpointUrl,
    region: Region,
    kind: EndpointKind,
}

impl Endpoint {
    /// `http` or `https`.
    pub fn scheme(&self) -> &Scheme {
        self.url.scheme()
    }

    /// The host, and the port where one is given.
    pub fn authority(&self) -> &Authority {
        self.url.authority()
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.url.host()
    }

    /// The path that goes before each request's own: empty, or a slash and what follows, without a slash at the end.
    pub fn base_path(&self) -> &str {
        self.url.base_path()
    }

    /// The region to sign for.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Where the host comes from.
    pub fn kind(&self) -> EndpointKind {
        self.kind
    }

    /// Whether the host is an IP address, which can't have a prefix.
    pub fn is_ip_address(&self) -> bool {
        host::is_ip_address(self.host())
    }

    /// The endpoint whose host has `prefix` and a dot before it, such as a bucket's name.
    ///
    /// # Errors
    /// The prefix is not made of lower-case host labels, the host gets longer than a host name may be, or the host is
    /// an IP address.
    pub fn with_host_prefix(&self, prefix: &str) -> Result<Self, EndpointError> {
        let refuse = |why: &str| {
            let message = format!("{} can't stand before the host {}: {why}", quoted(prefix), self.host());
            EndpointError::new(EndpointErrorKind::InvalidPart, message)
        };
        if self.is_ip_address() {
            return Err(refuse("it is an IP address; use path style"));
        }
        if !prefix.split('.').all(host::is_lower_case_label) {
            return Err(refuse("it is not a name of lower-case letters, digits and hyphens"));
        }
        let host = format!("{prefix}.{}", self.host());
        if !host::is_host_name(&host) {
            return Err(refuse("the name gets longer than 253 characters"));
        }
        let authority =
            format!("{prefix}.{}", self.authority()).parse().map_err(|_| refuse("it is not a host name"))?;
        Ok(Self { url: self.url.with_authority(authority), region: self.region.clone(), kind: self.kind })
    }

    /// The URI of a request. `path_and_query` begins with a slash and is percent-encoded.
    ///
    /// # Errors
    /// `path_and_query` is not a path and a query as a URL has them, or is too long for one.
    pub fn uri(&self, path_and_query: &str) -> Result<Uri, EndpointError> {
        // The path and the query are not repeated: they are the user's data, and a query may be a secret.
        let refuse = || {
            let message = "a request's path must begin with a slash, be percent-encoded, and be shorter than 64 KiB";
            EndpointError::new(EndpointErrorKind::InvalidPart, message)
        };
        if !path_and_query.starts_with('/') || path_and_query.contains('#') {
            return Err(refuse());
        }
        let path_and_query: PathAndQuery = match self.base_path() {
            "" => path_and_query.parse(),
            base_path => PathAndQuery::try_from(format!("{base_path}{path_and_query}")),
        }
        .map_err(|_| refuse())?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme().clone());
        parts.authority = Some(self.authority().clone());
        parts.path_and_query = Some(path_and_query);
        Uri::from_parts(parts).map_err(|_| refuse())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &format_args!("{}", self.url))
            .field("region", &self.region)
            .field("kind", &self.kind)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Region {
        Region::new(name).unwrap()
    }

    #[track_caller]
    fn check(service: &str, region_name: &str, fips: Fips, dual_stack: DualStack, expected: &str) {
        let rules = EndpointRules::new().fips(fips).dual_stack(dual_stack);
        assert_eq!(rules.resolve(service, &region(region_name)).unwrap().to_string(), expected);
    }

    #[test]
    fn hosts_of_aws() {
        use DualStack as D;
        use Fips as F;
        check("s3", "us-east-1", F::Disabled, D::Disabled, "https://s3.us-east-1.amazonaws.com");
        check("s3", "cn-north-1", F::Disabled, D::Disabled, "https://s3.cn-north-1.amazonaws.com.cn");
        check("s3", "eu-west-1", F::Disabled, D::Enabled, "https://s3.dualstack.eu-west-1.amazonaws.com");
        check("s3", "us-east-2", F::Enabled, D::Disabled, "https://s3-fips.us-east-2.amazonaws.com");
        check("s3", "us-gov-west-1", F::Enabled, D::Enabled, "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com");
        check("sts", "eu-central-1", F::Disabled, D::Disabled, "https://sts.eu-central-1.amazonaws.com");
        check("sts", "us-east-1", F::Enabled, D::Disabled, "https://sts-fips.us-east-1.amazonaws.com");
        check("sts", "us-gov-east-1", F::Enabled, D::Disabled, "https://sts.us-gov-east-1.amazonaws.com");
        check("sts", "us-gov-east-1", F::Enabled, D::Enabled, "https://sts-fips.us-gov-east-1.api.aws");
        check("monitoring", "us-gov-east-1", F::Enabled, D::Enabled, "https://monitoring.us-gov-east-1.api.aws");
        check("secretsmanager", "eu-west-1", F::Disabled, D::Enabled, "https://secretsmanager.eu-west-1.amazonaws.com");
        check("ec2", "us-west-2", F::Disabled, D::Enabled, "https://ec2.us-west-2.api.aws");
        check(
            "monitoring",
            "eusc-de-east-1",
            F::Disabled,
            D::Disabled,
            "https://monitoring.eusc-de-east-1.amazonaws.eu",
        );
        check("ec2", "us-isob-east-1", F::Disabled, D::Disabled, "https://ec2.us-isob-east-1.sc2s.sgov.gov");
    }

    #[test]
    fn china_has_no_fips_hosts() {
        let error = EndpointRules::new().fips(Fips::Enabled).resolve("s3", &region("cn-north-1")).unwrap_err();
        assert_eq!(error.kind(), EndpointErrorKind::Unsupported);
        assert_eq!(error.to_string(), "there are no FIPS hosts in cn-north-1: switch FIPS off");
    }

    #[test]
    fn a_service_is_checked_before_it_becomes_a_host() {
        for service in ["", "s3/", "s3@evil", "S3", "a..b", "s3\r\n", "s3:80"] {
            let error = EndpointRules::new().resolve(service, &region("us-east-1")).unwrap_err();
            assert_eq!(error.kind(), EndpointErrorKind::InvalidPart, "{service:?}");
        }
        let endpoint = EndpointRules::new().resolve("api.ecr", &region("us-east-1")).unwrap();
        assert_eq!(endpoint.host(), "api.ecr.us-east-1.amazonaws.com");
    }

    #[test]
    fn a_url_replaces_the_rules_and_keeps_port_and_path() {
        let rules = EndpointRules::new().endpoint_url("http://localhost:9000/store".parse().unwrap());
        let endpoint = rules.resolve("s3", &region("auto")).unwrap();
        assert_eq!(endpoint.kind(), EndpointKind::Custom);
        assert_eq!(endpoint.region(), &"auto");
        assert_eq!(endpoint.uri("/b/k%20?x=1").unwrap(), "http://localhost:9000/store/b/k%20?x=1");
        assert_eq!(endpoint.uri("/").unwrap(), "http://localhost:9000/store/");
    }

    #[test]
    fn a_url_excludes_fips_and_dual_stack() {
        let rules = EndpointRules::new().endpoint_url("http://localhost:9000".parse().unwrap());
        for rules in [rules.clone().fips(Fips::Enabled), rules.dual_stack(DualStack::Enabled)] {
            let error = rules.resolve("s3", &region("us-east-1")).unwrap_err();
            assert_eq!(error.kind(), EndpointErrorKind::Unsupported);
        }
    }

    #[test]
    fn a_prefix_goes_before_the_host_and_keeps_the_port() {
        let rules = EndpointRules::new().endpoint_url("http://localhost:9000/x".parse().unwrap());
        let endpoint = rules.resolve("s3", &region("us-east-1")).unwrap();
        assert_eq!(endpoint.with_host_prefix("photos").unwrap().to_string(), "http://photos.localhost:9000/x");
        assert_eq!(endpoint.with_host_prefix("a.b").unwrap().host(), "a.b.localhost");
        for prefix in ["", "a/b", "A", "a..b", ".a", "a@b", "a\r\n", &"a".repeat(64), &"a.".repeat(130)] {
            assert!(endpoint.with_host_prefix(prefix).is_err(), "{prefix:?}");
        }
        for address in ["http://127.0.0.1:9000", "http://[::1]"] {
            let rules = EndpointRules::new().endpoint_url(address.parse().unwrap());
            assert!(rules.resolve("s3", &region("us-east-1")).unwrap().with_host_prefix("photos").is_err());
        }
    }

    #[test]
    fn whatever_is_given_the_host_ends_as_the_partition_says() {
        const PIECES: [&str; 16] =
            ["a", "us-", "cn-", "east", "1", "-", ".", "/", "@", ":80", "#", "?", "\\", "%2f", "\r\n", "s3"];
        let mut random = fastrand::Rng::with_seed(1);
        let mut text =
            || -> String { (0..random.usize(0..5)).map(|_| PIECES[random.usize(0..PIECES.len())]).collect() };
        let mut resolved = 0;
        for _ in 0..200_000 {
            let (name, service, prefix) = (text(), text(), text());
            let Ok(region) = Region::new(&name) else { continue };
            let Ok(endpoint) = EndpointRules::new().resolve(&service, &region) else { continue };
            let endpoint = endpoint.with_host_prefix(&prefix).unwrap_or(endpoint);
            let uri = endpoint.uri("/").unwrap();
            let suffix = format!(".{region}.{}", region.partition().dns_suffix());
            assert!(uri.host().unwrap().ends_with(&suffix), "{name:?} {service:?} {prefix:?}: {uri}");
            assert_eq!((uri.port(), uri.path(), uri.query()), (None, "/", None));
            resolved += 1;
        }
        assert!(resolved > 1_000, "{resolved}");
    }

    #[test]
    fn a_path_that_is_not_one_is_refused_and_not_repeated() {
        let endpoint = EndpointRules::new().resolve("s3", &region("us-east-1")).unwrap();
        for path in ["", "canary", "@canary/", "/canary canary", "/canary\r\n", "/a#canary", "?canary"] {
            let error = endpoint.uri(path).unwrap_err();
            assert_eq!(error.kind(), EndpointErrorKind::InvalidPart, "{path:?}");
            assert!(!error.to_string().contains("canary"));
        }
        assert!(endpoint.uri(&format!("/{}", "a".repeat(70_000))).is_err());
    }
}
