//! The service and the region that a request is signed for, read off its host.

/// What a host says about the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The name of the service in the credential scope.
    pub(crate) service: Option<String>,
    /// The region in the credential scope.
    pub(crate) region: Option<String>,
}

impl Scope {
    fn new(service: &str, region: Option<&str>) -> Self {
        Self { service: Some(service.to_owned()), region: region.map(str::to_owned) }
    }
}

/// The domains of AWS, with the region of the services that have one address in the whole partition.
const DOMAINS: [(&str, &str); 9] = [
    ("amazonaws.com", "us-east-1"),
    ("amazonaws.com.cn", "cn-north-1"),
    ("amazonaws.eu", "eusc-de-east-1"),
    ("api.aws", "us-east-1"),
    ("api.amazonwebservices.com.cn", "cn-north-1"),
    ("on.aws", "us-east-1"),
    ("c2s.ic.gov", "us-iso-east-1"),
    ("sc2s.sgov.gov", "us-isob-east-1"),
    ("csp.hci.ic.gov", "us-isof-south-1"),
];

/// First labels of a host whose service signs under another name.
const SIGNING_NAMES: [(&str, &str); 42] = [
    ("api.ecr", "ecr"),
    ("api.ecr-public", "ecr-public"),
    ("api.pricing", "pricing"),
    ("api.sagemaker", "sagemaker"),
    ("appsync-api", "appsync"),
    ("aps-workspaces", "aps"),
    ("bedrock-agent", "bedrock"),
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("catalog.marketplace", "aws-marketplace"),
    ("data-ats.iot", "iotdata"),
    ("data.iot", "iotdata"),
    ("data.mediastore", "mediastore"),
    ("ddb", "dynamodb"),
    ("dkr.ecr", "ecr"),
    ("email", "ses"),
    ("entitlement.marketplace", "aws-marketplace"),
    ("featurestore-runtime.sagemaker", "sagemaker"),
    ("lambda-url", "lambda"),
    ("mem", "memorydb"),
    ("metering.marketplace", "aws-marketplace"),
    ("models-v2-lex", "lex"),
    ("models.lex", "lex"),
    ("neptune", "neptune-db"),
    ("personalize-events", "personalize"),
    ("personalize-runtime", "personalize"),
    ("queue", "sqs"),
    ("runtime-v2-lex", "lex"),
    ("runtime.lex", "lex"),
    ("runtime.sagemaker", "sagemaker"),
    ("s3-accelerate", "s3"),
    ("s3-accesspoint", "s3"),
    ("s3-control", "s3"),
    ("session.qldb", "qldb"),
    ("sms-voice.pinpoint", "sms-voice"),
    ("streams.dynamodb", "dynamodb"),
    ("timestream-influxdb", "timestream-influxdb"),
    ("transcribestreaming", "transcribe"),
    ("ingest.timestream", "timestream"),
    ("query.timestream", "timestream"),
    ("data.jobs.iot", "iot-jobs-data"),
    ("api.tunneling.iot", "IoTSecuredTunneling"),
];

/// The service and the region of `host` (a name without a port), as far as it tells them. A host outside AWS tells nothing.
pub(crate) fn scope_of(host: &str) -> Scope {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let Some((labels, default_region)) = labels_within_aws(&host) else { return Scope::default() };
    if let Some(scope) = s3_scope(&labels, default_region) {
        return scope;
    }
    match labels.iter().rposition(|label| is_region(label)) {
        // search-name.us-east-1.es.amazonaws.com, us-west-2.queue.amazonaws.com
        Some(at) if at + 1 < labels.len() => Scope::new(&service_name(&labels[at + 1..]), Some(labels[at])),
        // service.us-east-1.amazonaws.com, id.execute-api.us-east-1.amazonaws.com
        Some(0) => Scope { service: None, region: Some(labels[0].to_owned()) },
        Some(at) => Scope::new(&service_name(&labels[..at]), Some(labels[at])),
        // iam.amazonaws.com, iam.us-gov.amazonaws.com
        None => match labels.as_slice() {
            [] => Scope::default(),
            [service @ .., "us-gov"] if !service.is_empty() => {
                Scope::new(&service_name(service), Some("us-gov-west-1"))
            }
            ["globalaccelerator"] => Scope::new("globalaccelerator", Some("us-west-2")),
            labels => Scope::new(&service_name(labels), Some(default_region)),
        },
    }
}

/// The labels of `host` before the domain of AWS, and the region of that domain's global services.
fn labels_within_aws(host: &str) -> Option<(Vec<&str>, &'static str)> {
    DOMAINS.iter().find_map(|(domain, default_region)| {
        let before = host.strip_suffix(domain)?.strip_suffix('.')?;
        let mut labels: Vec<_> = before.split('.').collect();
        labels.retain(|label| *label != "dualstack" && *label != "fips");
        (!labels.iter().any(|label| label.is_empty())).then_some((labels, *default_region))
    })
}

/// S3 in its many forms: path and virtual-host style, the dash of the old regional names, access points, directory buckets.
fn s3_scope(labels: &[&str], default_region: &str) -> Option<Scope> {
    let (region, before) = match labels {
        [before @ .., region] if is_region(region) => (Some(*region), before),
        before => (None, before),
    };
    let label = *before.last()?;
    let label = label.strip_suffix("-fips").unwrap_or(label);
    let at_home = region.unwrap_or(default_region);
    match label {
        "s3" | "s3-external-1" | "s3-accesspoint" | "s3-control" => Some(Scope::new("s3", Some(at_home))),
        // An accelerated bucket is anywhere: the host does not say where.
        "s3-accelerate" => Some(Scope::new("s3", region)),
        "s3-outposts" | "s3-object-lambda" => Some(Scope::new(label, Some(at_home))),
        // Websites are read unsigned: there is nothing to sign for.
        _ if label.starts_with("s3-website") => Some(Scope::default()),
        _ if label.starts_with("s3express-") => Some(Scope::new("s3express", region)),
        _ => {
            let old = label.strip_prefix("s3-")?;
            is_region(old).then(|| Scope::new("s3", Some(old)))
        }
    }
}

/// The signing name of a service from the labels that name it.
fn service_name(labels: &[&str]) -> String {
    let last = labels.last().copied().unwrap_or_default();
    let last = last.strip_suffix("-fips").unwrap_or(last);
    let known = |name: &str| SIGNING_NAMES.iter().find(|(host, _)| *host == name).map(|(_, signing)| *signing);
    for count in (2..=labels.len().min(3)).rev() {
        if let Some(signing) = known(&labels[labels.len() - count..].join(".")) {
            return signing.to_owned();
        }
    }
    known(last).unwrap_or(last).to_owned()
}

/// Whether a label has the form of a region: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`.
fn is_region(label: &str) -> bool {
    const AREAS: [&str; 11] = ["us", "eu", "eusc", "ap", "sa", "ca", "me", "af", "cn", "il", "mx"];
    const DIRECTIONS: [&str; 10] = [
        "north",
        "south",
        "east",
        "west",
        "central",
        "northeast",
        "northwest",
        "southeast",
        "southwest",
        "centralwest",
    ];
    let mut parts = label.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let direction = parts.next().unwrap_or_default();
    !number.is_empty()
        && number.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && DIRECTIONS.contains(&direction)
        && parts.next_back().is_some_and(|area| AREAS.contains(&area))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, service: &str, region: &str) {
        let scope = scope_of(host);
        let shown = (scope.service.as_deref().unwrap_or("-"), scope.region.as_deref().unwrap_or("-"));
        assert_eq!(shown, (service, region), "{host}");
    }

    #[test]
    fn services_by_region() {
        check("ec2.eu-west-1.amazonaws.com", "ec2", "eu-west-1");
        check("EC2.EU-WEST-1.amazonaws.com.", "ec2", "eu-west-1");
        check("abc.execute-api.us-east-1.amazonaws.com", "execute-api", "us-east-1");
        check("abc-vpce1.execute-api.us-gov-west-1.amazonaws.com", "execute-api", "us-gov-west-1");
        check("ec2.cn-north-1.amazonaws.com.cn", "ec2", "cn-north-1");
        check("lambda.us-east-1.api.aws", "lambda", "us-east-1");
        check("ec2-fips.us-west-2.amazonaws.com", "ec2", "us-west-2");
        check("fips.transcribe.us-west-2.amazonaws.com", "transcribe", "us-west-2");
        check("ec2.eusc-de-east-1.amazonaws.eu", "ec2", "eusc-de-east-1");
        check("bedrock-runtime.us-west-2.amazonaws.com", "bedrock", "us-west-2");
        check("email.us-west-2.amazonaws.com", "ses", "us-west-2");
        check("123456789012.dkr.ecr.us-west-2.amazonaws.com", "ecr", "us-west-2");
        check("123456789012.ddb.us-west-2.amazonaws.com", "dynamodb", "us-west-2");
        check("streams.dynamodb.us-west-2.amazonaws.com", "dynamodb", "us-west-2");
    }

    #[test]
    fn services_behind_their_region() {
        check("search-logs-east-1.us-east-2.es.amazonaws.com", "es", "us-east-2");
        check("abc.us-east-2.aoss.amazonaws.com", "aoss", "us-east-2");
        check("us-west-2.queue.amazonaws.com", "sqs", "us-west-2");
        check("db.cluster-abc.us-west-2.neptune.amazonaws.com", "neptune-db", "us-west-2");
    }

    #[test]
    fn lattice_and_function_urls() {
        check("orders-0d.7d67968.vpc-lattice-svcs.us-west-2.on.aws", "vpc-lattice-svcs", "us-west-2");
        check("abcdef.lambda-url.eu-central-1.on.aws", "lambda", "eu-central-1");
    }

    #[test]
    fn global_services() {
        check("iam.amazonaws.com", "iam", "us-east-1");
        check("sts.amazonaws.com", "sts", "us-east-1");
        check("queue.amazonaws.com", "sqs", "us-east-1");
        check("iam.us-gov.amazonaws.com", "iam", "us-gov-west-1");
        check("iam.cn-north-1.amazonaws.com.cn", "iam", "cn-north-1");
        check("globalaccelerator.amazonaws.com", "globalaccelerator", "us-west-2");
    }

    #[test]
    fn s3_in_its_forms() {
        check("s3.amazonaws.com", "s3", "us-east-1");
        check("my.dotted.bucket.s3.amazonaws.com", "s3", "us-east-1");
        check("bucket.s3.eu-west-1.amazonaws.com", "s3", "eu-west-1");
        check("bucket.s3-eu-west-1.amazonaws.com", "s3", "eu-west-1");
        check("s3-us-west-2.amazonaws.com", "s3", "us-west-2");
        check("bucket.s3.dualstack.eu-west-1.amazonaws.com", "s3", "eu-west-1");
        check("bucket.s3-fips.dualstack.us-east-2.amazonaws.com", "s3", "us-east-2");
        check("bucket.s3.cn-northwest-1.amazonaws.com.cn", "s3", "cn-northwest-1");
        check("ec2.s3.us-west-2.amazonaws.com", "s3", "us-west-2");
        check("point-123456789012.s3-accesspoint.us-west-2.amazonaws.com", "s3", "us-west-2");
        check("123456789012.s3-control.us-west-2.amazonaws.com", "s3", "us-west-2");
        check("b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com", "s3express", "us-west-2");
        check("bucket.s3-accelerate.amazonaws.com", "s3", "-");
        check("bucket.s3-website-us-east-1.amazonaws.com", "-", "-");
        check("bucket.s3-website.eu-central-1.amazonaws.com", "-", "-");
        check("o-1.s3-outposts.us-west-2.amazonaws.com", "s3-outposts", "us-west-2");
    }

    #[test]
    fn hosts_outside_aws_tell_nothing() {
        for host in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "example.com",
            "amazonaws.com",
            "notamazonaws.com",
            "s3.amazonaws.com.evil.org",
            "",
        ] {
            check(host, "-", "-");
        }
    }
}
