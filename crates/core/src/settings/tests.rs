use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

const HOME: (&str, &str) = ("HOME", "/home/me");

fn builder(variables: &[(&str, &str)], config: &str) -> SettingsBuilder {
    let env = Env::fixed([HOME].into_iter().chain(variables.iter().copied()));
    Settings::builder().env(env).files(Files::fixed([("/home/me/.aws/config", config)]))
}

fn load(variables: &[(&str, &str)], config: &str) -> Settings {
    builder(variables, config).load().unwrap()
}

#[track_caller]
fn check_region(settings: &Settings, region: &str, origin: &str) {
    let found = settings.region().unwrap();
    assert_eq!((found.value.as_str(), found.origin.to_string().as_str()), (region, origin));
}

#[track_caller]
fn check_url(settings: &Settings, service: &str, expected: Option<(&str, &str)>) {
    let found = settings.endpoint_url(service).map(|url| (url.value.to_string(), url.origin.to_string()));
    assert_eq!(found, expected.map(|(url, origin)| (url.to_owned(), origin.to_owned())));
}

#[test]
fn nothing_set_is_the_defaults() {
    let settings =
        Settings::builder().env(Env::fixed::<&str, &str>([])).files(Files::fixed::<&str, &str>([])).load().unwrap();
    assert!(settings.region().is_none());
    assert!(settings.ca_bundle().is_none());
    check_url(&settings, "s3", None);
    assert_eq!(settings.profile(), &Setting { value: "default".to_owned(), origin: Origin::Default });
    assert_eq!(settings.max_attempts().value.get(), 3);
    assert_eq!(settings.retry_mode().value, RetryMode::Standard);
    assert_eq!(settings.fips().value, Fips::Disabled);
    assert_eq!(settings.dual_stack().value, DualStack::Disabled);
    assert_eq!(settings.skew_correction().value, SkewCorrection::Enabled);
    assert_eq!(settings.request_checksum().value, ChecksumMode::WhenSupported);
    assert_eq!(settings.response_checksum().value, ChecksumMode::WhenSupported);
    assert_eq!(settings.addressing_style().value, AddressingStyle::Auto);
    let error = settings.require_region().unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::MissingRegion);
    assert_eq!(error.to_string(), "no region is set: set AWS_REGION, or region in the profile \"default\"");
}

#[test]
fn the_layers_win_in_their_order() {
    let both = [("AWS_REGION", "a"), ("AWS_DEFAULT_REGION", "b")];
    let config = "[default]\nregion = c\n";
    let env = Env::fixed([HOME]);
    let boto = Files::fixed([("/etc/boto.cfg", "[Boto]\nec2_region_name = d\n")]);
    let explicit = Region::new("e").unwrap();
    check_region(&builder(&both, config).region(&explicit).load().unwrap(), "e", "given explicitly");
    check_region(&load(&both, config), "a", "AWS_REGION");
    check_region(&load(&both[1..], config), "b", "AWS_DEFAULT_REGION");
    check_region(&load(&[], config), "c", "profile \"default\" in ~/.aws/config:2");
    check_region(&Settings::builder().env(env).files(boto).load().unwrap(), "d", "[Boto] in /etc/boto.cfg:2");
}

#[test]
fn the_profile_is_chosen_by_code_then_by_two_variables() {
    let config = "[default]\nregion = d\n[profile a]\nregion = a\n[profile b]\nregion = b\n[profile c]\nregion = c\n";
    let variables = [("AWS_PROFILE", "b"), ("AWS_DEFAULT_PROFILE", "c")];
    let settings = builder(&variables, config).profile("a").load().unwrap();
    assert_eq!(settings.profile(), &Setting { value: "a".to_owned(), origin: Origin::Explicit });
    check_region(&settings, "a", "profile \"a\" in ~/.aws/config:4");
    check_region(&load(&variables, config), "b", "profile \"b\" in ~/.aws/config:6");
    check_region(&load(&variables[1..], config), "c", "profile \"c\" in ~/.aws/config:8");
    check_region(&load(&[], config), "d", "profile \"default\" in ~/.aws/config:2");
}

#[test]
fn a_missing_profile_is_an_error_where_it_is_explicit_only() {
    let error = builder(&[], "[profile a]\n[profile b]\n").profile("c").load().unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::MissingProfile);
    assert_eq!(error.to_string(), "the profile \"c\" does not exist: use one of \"a\", \"b\"");
    let error = builder(&[], "").profile("c\n").load().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the profile \"c\\n\" does not exist: there is no profile in the AWS configuration files"
    );
    assert_eq!(load(&[("AWS_PROFILE", "c")], "[profile a]\n").profile().value, "c");
}

#[test]
fn a_blank_value_counts_as_not_set() {
    let settings = load(&[("AWS_REGION", " ")], "[default]\nregion =\nmax_attempts = # later\n");
    assert!(settings.region().is_none());
    assert_eq!(settings.max_attempts().origin, Origin::Default);
}

#[test]
fn every_setting_is_read_from_the_environment_and_from_a_profile() {
    let variables = [
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE"),
        ("AWS_RETRY_MODE", "adaptive"),
        ("AWS_MAX_ATTEMPTS", "7"),
        ("AWS_CA_BUNDLE", "/ca.pem"),
        ("AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"),
        ("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_REQUIRED"),
    ];
    let config = "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\nretry_mode = adaptive\n\
                  max_attempts = 7\nca_bundle = /ca.pem\ndisable_clock_skew_correction = true\n\
                  request_checksum_calculation = when_required\nresponse_checksum_validation = when_required\n\
                  s3 =\n  addressing_style = path\n";
    for (settings, style) in [(load(&variables, ""), AddressingStyle::Auto), (load(&[], config), AddressingStyle::Path)]
    {
        assert_eq!(settings.fips().value, Fips::Enabled);
        assert_eq!(settings.dual_stack().value, DualStack::Enabled);
        assert_eq!(settings.retry_mode().value, RetryMode::Adaptive);
        assert_eq!(settings.max_attempts().value.get(), 7);
        assert_eq!(settings.ca_bundle().unwrap().value, Path::new("/ca.pem"));
        assert_eq!(settings.skew_correction().value, SkewCorrection::Disabled);
        assert_eq!(settings.request_checksum().value, ChecksumMode::WhenRequired);
        assert_eq!(settings.response_checksum().value, ChecksumMode::WhenRequired);
        assert_eq!(settings.addressing_style().value, style);
    }
    let origin = load(&[], config).addressing_style().origin.to_string();
    assert_eq!(origin, "profile \"default\" in ~/.aws/config:11");
}

#[test]
fn what_code_sets_wins() {
    let variables = [
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_RETRY_MODE", "adaptive"),
        ("AWS_CA_BUNDLE", "/a"),
        ("AWS_MAX_ATTEMPTS", "9"),
    ];
    let settings = builder(&variables, "[default]\ns3 =\n  addressing_style = path\n")
        .fips(Fips::Disabled)
        .dual_stack(DualStack::Enabled)
        .retry_mode(RetryMode::Standard)
        .max_attempts(NonZeroU32::MIN)
        .ca_bundle("/b")
        .skew_correction(SkewCorrection::Disabled)
        .request_checksum(ChecksumMode::WhenRequired)
        .response_checksum(ChecksumMode::WhenRequired)
        .addressing_style(AddressingStyle::Virtual)
        .load()
        .unwrap();
    assert_eq!(settings.fips(), &Setting { value: Fips::Disabled, origin: Origin::Explicit });
    assert_eq!(settings.dual_stack().value, DualStack::Enabled);
    assert_eq!(settings.retry_mode().value, RetryMode::Standard);
    assert_eq!(settings.max_attempts().value, NonZeroU32::MIN);
    assert_eq!(settings.ca_bundle().unwrap().value, Path::new("/b"));
    assert_eq!(settings.skew_correction().value, SkewCorrection::Disabled);
    assert_eq!(settings.request_checksum().value, ChecksumMode::WhenRequired);
    assert_eq!(settings.response_checksum().value, ChecksumMode::WhenRequired);
    assert_eq!(settings.addressing_style().value, AddressingStyle::Virtual);
}

const SERVICES: &str = "[default]\nendpoint_url = http://profile\nservices = local\n[services local]\ns3 =\n  endpoint_url = http://services\n";

#[test]
fn an_endpoint_url_of_a_service_wins_inside_of_its_layer_only() {
    let variables = [("AWS_ENDPOINT_URL", "http://env"), ("AWS_ENDPOINT_URL_S3", "http://env-s3")];
    check_url(&load(&variables, SERVICES), "s3", Some(("http://env-s3", "AWS_ENDPOINT_URL_S3")));
    check_url(&load(&variables, SERVICES), "sts", Some(("http://env", "AWS_ENDPOINT_URL")));
    check_url(&load(&variables[..1], SERVICES), "s3", Some(("http://env", "AWS_ENDPOINT_URL")));
    check_url(
        &load(&variables[1..], SERVICES),
        "sts",
        Some(("http://profile", "profile \"default\" in ~/.aws/config:2")),
    );
    check_url(&load(&[], SERVICES), "s3", Some(("http://services", "services \"local\" in ~/.aws/config:6")));
    let explicit = builder(&variables, SERVICES).endpoint_url(&"http://code".parse().unwrap()).load().unwrap();
    check_url(&explicit, "s3", Some(("http://code", "given explicitly")));
}

#[test]
fn configured_endpoint_urls_can_be_ignored() {
    let variables = [("AWS_ENDPOINT_URL", "http://a"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
    check_url(&load(&variables, SERVICES), "s3", None);
    check_url(
        &load(&[], &SERVICES.replace("services =", "ignore_configured_endpoint_urls = true\nservices =")),
        "s3",
        None,
    );
    let explicit = builder(&variables, SERVICES).endpoint_url(&"http://code".parse().unwrap()).load().unwrap();
    check_url(&explicit, "s3", Some(("http://code", "given explicitly")));
}

#[test]
fn a_service_that_is_asked_for_has_its_own_url() {
    let variables = [("AWS_ENDPOINT_URL_DYNAMODB", "http://d")];
    check_url(&load(&variables, ""), "dynamodb", None);
    let settings = builder(&variables, "").service("dynamodb").service("a.b[0]").load().unwrap();
    check_url(&settings, "dynamodb", Some(("http://d", "AWS_ENDPOINT_URL_DYNAMODB")));
}

#[test]
fn the_rules_follow_the_settings() {
    let settings = load(&[("AWS_REGION", "eu-west-1"), ("AWS_USE_DUALSTACK_ENDPOINT", "true")], "");
    let endpoint = settings.endpoint_rules("s3").resolve("s3", settings.require_region().unwrap()).unwrap();
    assert_eq!(endpoint.host(), "s3.dualstack.eu-west-1.amazonaws.com");
    let settings = load(&[("AWS_REGION", "x"), ("AWS_ENDPOINT_URL_S3", "http://h:1/p")], "");
    let endpoint = settings.endpoint_rules("s3").resolve("s3", settings.require_region().unwrap()).unwrap();
    assert_eq!(endpoint.to_string(), "http://h:1/p");
}

#[track_caller]
fn check_error(variables: &[(&str, &str)], config: &str, message: &str) {
    let error = builder(variables, config).load().unwrap_err();
    assert_eq!(error.kind(), SettingsErrorKind::InvalidValue);
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_bad_value_is_named_with_its_origin_and_what_is_accepted() {
    check_error(
        &[("AWS_REGION", "us-east-1/x")],
        "",
        "AWS_REGION: invalid region \"us-east-1/x\": use 1 to 63 lower-case letters, digits and hyphens, as in \"us-east-1\"",
    );
    check_error(
        &[],
        "[default]\nretry_mode = twice\n",
        "profile \"default\" in ~/.aws/config:2: invalid retry_mode \"twice\": use standard or adaptive or legacy",
    );
    for attempts in ["0", "-1", "x", "1.5", "99999999999"] {
        let message = format!("AWS_MAX_ATTEMPTS: invalid max_attempts \"{attempts}\": use a whole number from 1 on");
        check_error(&[("AWS_MAX_ATTEMPTS", attempts)], "", &message);
    }
    check_error(
        &[("AWS_USE_FIPS_ENDPOINT", "yes\r\n")],
        "",
        "AWS_USE_FIPS_ENDPOINT: invalid use_fips_endpoint \"yes\\r\\n\": use true or false",
    );
    check_error(
        &[],
        "[default]\ns3 =\n  addressing_style = dns\n",
        "profile \"default\" in ~/.aws/config:3: invalid addressing_style \"dns\": use auto or path or virtual",
    );
    check_error(
        &[],
        "[default]\nrequest_checksum_calculation = never\n",
        "profile \"default\" in ~/.aws/config:2: invalid request_checksum_calculation \"never\": use when_supported or when_required",
    );
    check_error(
        &[("AWS_ENDPOINT_URL_S3", "localhost:9000")],
        "",
        "AWS_ENDPOINT_URL_S3: an endpoint URL begins with http:// or https://, as in \"http://localhost:9000\"",
    );
    check_error(&[("AWS_CA_BUNDLE", "a\0b")], "", "AWS_CA_BUNDLE: invalid ca_bundle \"a\\0b\": use the path of a file");
}

#[test]
fn a_bad_value_that_another_one_wins_over_does_no_harm() {
    let variables = [("AWS_REGION", "a/b"), ("AWS_MAX_ATTEMPTS", "2"), ("AWS_ENDPOINT_URL_S3", "x")];
    let settings = builder(&variables, "[default]\nmax_attempts = x\n")
        .region(&Region::new("auto").unwrap())
        .endpoint_url(&"http://h".parse().unwrap())
        .load()
        .unwrap();
    check_region(&settings, "auto", "given explicitly");
    assert_eq!(settings.max_attempts().value.get(), 2);
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let error = builder(&[("AWS_ENDPOINT_URL", "https://me:canary@h")], "").load().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    let builder =
        builder(&[("AWS_ENDPOINT_URL", "https://me:canary@h")], "[default]\naws_secret_access_key = canary\n");
    assert!(!format!("{builder:?}").contains("canary"));
    let settings = load(&[("AWS_SECRET_ACCESS_KEY", "canary")], "[default]\naws_secret_access_key = canary\n");
    assert!(!format!("{settings:?}").contains("canary"));
}

#[test]
fn a_broken_file_is_an_error_and_says_where() {
    let env = || Env::fixed([HOME, ("AWS_REGION", "x")]);
    for (path, text, place) in [
        ("/home/me/.aws/config", "[default]\nregion\n", "~/.aws/config:2:7: "),
        ("/home/me/.aws/credentials", "oops = 1\n", "~/.aws/credentials:1:1: "),
        ("/home/me/.boto", "[Boto]\ndebug\n", "~/.boto:2:6: "),
    ] {
        let error = Settings::builder().env(env()).files(Files::fixed([(path, text)])).load().unwrap_err();
        assert_eq!(error.kind(), SettingsErrorKind::InvalidFile);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.starts_with(place), "{source}");
    }
    let latin1 = Files::fixed([("/home/me/.aws/config", b"[default]\nx = caf\xe9\n")]);
    let error = Settings::builder().env(env()).files(latin1).load().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "~/.aws/config:2:8: the file is not UTF-8: save it as UTF-8");
}

#[test]
fn a_missing_file_is_an_empty_one() {
    let env =
        Env::fixed([("AWS_CONFIG_FILE", "/none"), ("AWS_SHARED_CREDENTIALS_FILE", "/none"), ("BOTO_CONFIG", "/none")]);
    assert!(Settings::builder().env(env).files(Files::fixed::<&str, &str>([])).load().unwrap().region().is_none());
}

#[test]
fn the_retries_of_2026_are_asked_for_by_a_variable() {
    let new = ("AWS_NEW_RETRIES_2026", "true");
    let mode = |variables: &[(&str, &str)], config: &str| load(variables, config).retry_mode().clone();
    let asked_for =
        Setting { value: RetryMode::Standard2026, origin: Origin::Environment("AWS_NEW_RETRIES_2026".into()) };
    assert_eq!(mode(&[new], ""), asked_for);
    assert_eq!(mode(&[new], "[default]\nretry_mode = standard\n"), asked_for);
    assert_eq!(mode(&[new], "[default]\nretry_mode = adaptive\n").value, RetryMode::Adaptive);
    assert_eq!(mode(&[("AWS_NEW_RETRIES_2026", "false")], "").value, RetryMode::Standard);
    let explicit = builder(&[new], "").retry_mode(RetryMode::Off).load().unwrap();
    assert_eq!(explicit.retry_mode(), &Setting { value: RetryMode::Off, origin: Origin::Explicit });
}

#[test]
fn the_retry_policy_has_mode_and_attempts() {
    let attempts = [("AWS_MAX_ATTEMPTS", "7")];
    assert_eq!(load(&[], "").retry_policy(), RetryPolicy::standard());
    assert_eq!(load(&attempts, "").retry_policy(), RetryPolicy::standard().max_attempts(7));
    let off = builder(&attempts, "").retry_mode(RetryMode::Off).load().unwrap();
    assert_eq!(off.retry_policy(), RetryPolicy::new(RetryMode::Off));
}

#[test]
fn a_services_section_that_is_pointed_to_must_exist() {
    check_error(
        &[],
        "[default]\nservices = gone\n[services other]\n",
        "profile \"default\" in ~/.aws/config:2: there is no section [services \"gone\"]: add it",
    );
}

#[test]
fn the_files_of_boto() {
    let load = |variables: &[(&str, &str)]| {
        let env = Env::fixed([HOME].into_iter().chain(variables.iter().copied()));
        let files = Files::fixed([
            ("/etc/boto.cfg", "[Boto]\nnum_retries = 4\nca_certificates_file = system\n"),
            (
                "/home/me/.boto",
                "[Boto]\nec2_region_name = a\n[s3]\ncalling_format = boto.s3.connection.OrdinaryCallingFormat\n",
            ),
            ("/one", "[Boto]\nec2_region_name = b\nca_certificates_file = /ca.pem\n"),
            ("/bad", "[Boto]\nnum_retries = many\n"),
        ]);
        Settings::builder().env(env).files(files).load()
    };
    let settings = load(&[]).unwrap();
    check_region(&settings, "a", "[Boto] in ~/.boto:2");
    assert_eq!(settings.max_attempts().value.get(), 5);
    assert_eq!(settings.max_attempts().origin.to_string(), "[Boto] in /etc/boto.cfg:2");
    assert_eq!(settings.addressing_style().value, AddressingStyle::Path);
    assert!(settings.ca_bundle().is_none());
    let settings = load(&[("BOTO_CONFIG", "/one"), ("BOTO_PATH", "/bad")]).unwrap();
    check_region(&settings, "b", "[Boto] in /one:2");
    assert_eq!(settings.max_attempts().value.get(), 3);
    assert_eq!(settings.ca_bundle().unwrap().value, Path::new("/ca.pem"));
    check_region(&load(&[("BOTO_PATH", "/one:~/.boto:/none")]).unwrap(), "a", "[Boto] in ~/.boto:2");
    let error = load(&[("BOTO_PATH", "/bad")]).unwrap_err();
    assert_eq!(error.to_string(), "[Boto] in /bad:2: invalid max_attempts \"many\": use a whole number from 1 on");
}

#[test]
fn loading_a_thousand_profiles_is_quick() {
    let config: String = (0..1_000).map(|i| format!("[profile p{i}]\nregion = us-east-1\noutput = json\n")).collect();
    let builder = builder(&[("AWS_PROFILE", "p999")], &config);
    let start = Instant::now();
    check_region(&builder.load().unwrap(), "us-east-1", "profile \"p999\" in ~/.aws/config:2999");
    // Without optimisation, on a busy machine; some milliseconds otherwise.
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn any_service_may_be_asked_for() {
    let env = Env::fixed([
        ("AWS_ENDPOINT_URL_", "http://empty"),
        ("AWS_ENDPOINT_URL_1ST", "http://digit"),
        ("AWS_ENDPOINT_URL_42", "http://number"),
        ("AWS_ENDPOINT_URL_UPPER", "http://upper"),
        ("AWS_ENDPOINT_URL__", "http://underscore"),
    ]);
    let builder = Settings::builder().env(env).files(Files::fixed([("/none", "")]));
    let settings = ["", "1st", "42", "UPPER", "_", "a.b", "a b"]
        .into_iter()
        .fold(builder, SettingsBuilder::service)
        .load()
        .unwrap();
    let url = |service: &str| settings.endpoint_url(service).map(|setting| setting.value.to_string());
    for (service, expected) in [
        ("1st", Some("http://digit")),
        ("42", Some("http://number")),
        ("UPPER", Some("http://upper")),
        ("_", Some("http://underscore")),
        ("", None),
        ("a.b", None),
    ] {
        assert_eq!(url(service).as_deref(), expected, "{service}");
    }
}
