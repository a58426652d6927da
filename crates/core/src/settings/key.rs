//! The names of the settings in each layer.

/// One setting, under the names that the layers have for it.
#[derive(Debug)]
pub(super) struct Key {
    /// The name in the merged settings and in messages.
    pub(super) name: &'static str,
    /// The environment variables, the first one that is set counts.
    pub(super) variables: &'static [&'static str],
    /// The property of a profile; `s3.x` is nested in `s3`, and an empty name is none.
    pub(super) property: &'static str,
}

macro_rules! keys {
    ($($constant:ident = $name:literal, [$($variable:literal),*], $property:literal;)*) => {
        $(pub(super) const $constant: &Key = &Key { name: $name, variables: &[$($variable),*], property: $property };)*
        /// All of them.
        pub(super) const ALL: &[&Key] = &[$($constant),*];
    };
}

keys! {
    REGION = "region", ["AWS_REGION", "AWS_DEFAULT_REGION"], "region";
    ENDPOINT_URL = "endpoint_url", ["AWS_ENDPOINT_URL"], "endpoint_url";
    IGNORE_ENDPOINT_URLS = "ignore_configured_endpoint_urls", ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"], "ignore_configured_endpoint_urls";
    FIPS = "use_fips_endpoint", ["AWS_USE_FIPS_ENDPOINT"], "use_fips_endpoint";
    DUAL_STACK = "use_dualstack_endpoint", ["AWS_USE_DUALSTACK_ENDPOINT"], "use_dualstack_endpoint";
    RETRY_MODE = "retry_mode", ["AWS_RETRY_MODE"], "retry_mode";
    NEW_RETRIES = "new_retries_2026", ["AWS_NEW_RETRIES_2026"], "";
    MAX_ATTEMPTS = "max_attempts", ["AWS_MAX_ATTEMPTS"], "max_attempts";
    CA_BUNDLE = "ca_bundle", ["AWS_CA_BUNDLE"], "ca_bundle";
    SKEW_CORRECTION = "disable_clock_skew_correction", ["AWS_DISABLE_CLOCK_SKEW_CORRECTION"], "disable_clock_skew_correction";
    REQUEST_CHECKSUM = "request_checksum_calculation", ["AWS_REQUEST_CHECKSUM_CALCULATION"], "request_checksum_calculation";
    RESPONSE_CHECKSUM = "response_checksum_validation", ["AWS_RESPONSE_CHECKSUM_VALIDATION"], "response_checksum_validation";
    ADDRESSING_STYLE = "addressing_style", [], "s3.addressing_style";
}

/// The table in the merged settings that holds the endpoint URLs of single services.
pub(super) const SERVICE_ENDPOINT_URLS: &str = "service_endpoint_url";

/// The services whose own endpoint URLs are read unless the program names others: as they stand in a `services`
/// section.
pub(super) const SERVICES: [&str; 7] = ["s3", "sts", "ec2", "cloudwatch", "sns", "iam", "secrets_manager"];
