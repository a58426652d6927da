//! The hosts of the endpoint rules, compared with botocore's, for each region that it knows.

use std::path::Path;

use aws_sigv4_free_core::endpoint::{DualStack, EndpointErrorKind, EndpointRules, Fips, Region};
use integration_tests::python;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::harness::trial_with;

/// The services: as they stand in hosts, and the names of botocore's models.
const SERVICES: [(&str, &str); 19] = [
    ("autoscaling", "autoscaling"),
    ("cassandra", "keyspaces"),
    ("cloudformation", "cloudformation"),
    ("dynamodb", "dynamodb"),
    ("ec2", "ec2"),
    ("elasticloadbalancing", "elbv2"),
    ("events", "events"),
    ("kinesis", "kinesis"),
    ("kms", "kms"),
    ("lambda", "lambda"),
    ("logs", "logs"),
    ("monitoring", "cloudwatch"),
    ("rds", "rds"),
    ("s3", "s3"),
    ("secretsmanager", "secretsmanager"),
    ("sns", "sns"),
    ("sqs", "sqs"),
    ("ssm", "ssm"),
    ("sts", "sts"),
];

pub fn trials() -> Vec<Trial> {
    let python = python::interpreter();
    vec![trial_with("endpoint_differential::hosts_are_those_of_botocore", python, |_| compare())]
}

fn compare() -> Result<(), Failed> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/botocore_endpoints.py");
    let services: Vec<[&str; 2]> = SERVICES.iter().map(|(host_name, model)| [*host_name, *model]).collect();
    let output = String::from_utf8(python::run(&script, &[], serde_json::to_string(&services)?.as_bytes())?)?;
    let mut compared = 0;
    let mut different = Vec::new();
    for line in output.lines() {
        let theirs: Value = serde_json::from_str(line)?;
        compared += 1;
        if let Err(ours) = check(&theirs)? {
            different.push(format!("{line}: {ours}"));
        }
    }
    assert!(compared >= SERVICES.len() * 30 * 4, "compared {compared} hosts only");
    assert!(different.is_empty(), "{} of {compared} differ:\n{}", different.len(), different.join("\n"));
    Ok(())
}

/// `Err` holds our own answer where it differs.
fn check(theirs: &Value) -> Result<Result<(), String>, Failed> {
    let text = |key: &str| theirs[key].as_str().ok_or(format!("no {key}"));
    let region = Region::new(text("region")?)?;
    if region.partition().name() != text("partition")? {
        return Ok(Err(format!("partition {}", region.partition())));
    }
    let fips = if theirs["fips"] == true { Fips::Enabled } else { Fips::Disabled };
    let dual_stack = if theirs["dual_stack"] == true { DualStack::Enabled } else { DualStack::Disabled };
    let ours = EndpointRules::new().fips(fips).dual_stack(dual_stack).resolve(text("service")?, &region);
    Ok(match ours {
        Ok(endpoint) if Some(endpoint.to_string().as_str()) == theirs["url"].as_str() => Ok(()),
        Ok(endpoint) => Err(endpoint.to_string()),
        // botocore says so for S3, and for the others makes up hosts that do not exist.
        Err(error) if error.kind() == EndpointErrorKind::Unsupported && text("partition")? == "aws-cn" => Ok(()),
        Err(error) => Err(error.to_string()),
    })
}
