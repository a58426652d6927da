use std::time::Instant;

use super::*;
use crate::profile::{BotoConfig, FileKind, ProfileErrorKind, ProfileSet};

fn file() -> FileName {
    FileName::new("/f")
}

fn config(text: &str) -> ProfileSet {
    let mut profiles = ProfileSet::new();
    profiles.add(text, &file(), FileKind::Config).unwrap();
    profiles
}

#[track_caller]
fn check(text: &str, profile: &str, expected: &[(&str, &str)]) {
    let profiles = config(text);
    let found: Vec<_> =
        profiles.profile(profile).unwrap().properties().map(|(key, property)| (key, property.value())).collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn check_error(dialect: Dialect, text: &str, line: u32, column: u32, part: &str) {
    let error = parse(text, &file(), dialect).unwrap_err();
    assert_eq!(error.kind(), ProfileErrorKind::Syntax);
    assert_eq!((error.line(), error.column()), (Some(line), Some(column)), "{error}");
    assert!(error.to_string().starts_with(&format!("/f:{line}:{column}: ")), "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn values_are_trimmed_and_names_are_lower_case() {
    check("[default]\nRegion \t=\t us-east-1 \t\nx = A=B", "default", &[("region", "us-east-1"), ("x", "A=B")]);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_are_no_part_of_the_text() {
    check("\u{feff}[default]\r\nregion = x\r\n\r\n", "default", &[("region", "x")]);
}

#[test]
fn a_comment_after_a_value_needs_white_space_and_one_after_a_bracket_does_not() {
    let text = "# a\n; b\n[default]# c\na = 1 # d\nb = 1# e\nc = 1\t; f\nd = # g\ne = ;h";
    check(text, "default", &[("a", "1"), ("b", "1# e"), ("c", "1"), ("d", ""), ("e", "")]);
}

#[test]
fn an_indented_line_goes_on_with_the_value_and_keeps_its_comment() {
    check("[default]\na = 1\n  2 # x\n\t3 ", "default", &[("a", "1\n2 # x\n3")]);
}

#[test]
fn properties_nest_in_one_without_a_value() {
    let text = "[default]\ns3 =\n  addressing_style = path # why\n  # a comment\n\n  Max = 1\n  max = 2\nregion = x";
    let profiles = config(text);
    let s3 = profiles.profile("default").unwrap().property("s3").unwrap();
    let style = s3.nested("addressing_style").unwrap();
    assert_eq!((style.value(), style.location().line), ("path", 3));
    assert_eq!(s3.nested("max").unwrap().value(), "2");
    assert!(s3.nested("region").is_none());
    assert_eq!(s3.value(), "\naddressing_style = path\nMax = 1\nmax = 2");
}

#[test]
fn sections_that_stand_twice_are_merged_and_the_last_property_counts() {
    check("[profile a]\nx = 1\ny = 1\n[profile b]\n[profile a]\nX = 2", "a", &[("x", "2"), ("y", "1")]);
}

#[test]
fn the_prefixed_default_wins() {
    for text in ["[default]\na = 1\n[profile default]\nb = 2", "[profile default]\nb = 2\n[default]\na = 1"] {
        check(text, "default", &[("b", "2")]);
    }
}

#[test]
fn names_that_are_not_names_are_left_out() {
    let text = "[profile a b]\nx = 1\n[b]\nx = 1\n[profile]\nx = 1\n[profile c]\nx y = 1\nz = 1\n[profilex]\n[other d]\n[profile é]";
    assert_eq!(config(text).profiles().map(Section::name).collect::<Vec<_>>(), ["c"]);
    check(text, "c", &[("z", "1")]);
    let mut credentials = ProfileSet::new();
    credentials.add("[profile a]\nx = 1\n[b]\n[sso-session c]\n[default]", &file(), FileKind::Credentials).unwrap();
    assert_eq!(credentials.profiles().map(Section::name).collect::<Vec<_>>(), ["b", "default"]);
    assert!(credentials.sso_session("c").is_none());
}

#[test]
fn sections_beside_the_profiles_are_kept_apart() {
    let profiles =
        config("[sso-session a]\nsso_region = x\n[services b]\ns3 =\n  endpoint_url = http://h\n[profile c]");
    assert_eq!(profiles.sso_session("a").unwrap().value("sso_region"), Some("x"));
    let s3 = profiles.services("b").unwrap().property("s3").unwrap();
    assert_eq!(s3.nested("endpoint_url").unwrap().value(), "http://h");
    assert_eq!(profiles.profiles().count(), 1);
}

#[test]
fn the_credentials_file_wins_over_the_config_file() {
    let mut profiles = ProfileSet::new();
    profiles.add("[profile a]\nx = 1\ny = 1", &FileName::new("/config"), FileKind::Config).unwrap();
    profiles.add("[a]\nx = 2", &FileName::new("/credentials"), FileKind::Credentials).unwrap();
    let a = profiles.profile("a").unwrap();
    let places: Vec<_> = a.properties().map(|(key, property)| format!("{key} {}", property.location())).collect();
    assert_eq!(places, ["x /credentials:2", "y /config:3"]);
    assert_eq!(profiles.files().len(), 2);
}

#[test]
fn a_file_with_an_error_adds_nothing() {
    let mut profiles = ProfileSet::new();
    assert!(profiles.add("[profile a]\nx = 1\nbroken", &file(), FileKind::Config).is_err());
    assert_eq!(profiles.profiles().count(), 0);
}

#[test]
fn an_error_says_where_and_what() {
    check_error(Dialect::Sdk, "a = 1", 1, 1, "[default]");
    check_error(Dialect::Sdk, "\n\n  a = 1", 3, 3, "[default]");
    check_error(Dialect::Sdk, "[default", 1, 9, "`]`");
    check_error(Dialect::Sdk, "[default] x", 1, 12, "`]`");
    check_error(Dialect::Sdk, "[default]\nkey : value", 2, 12, "`=`");
    check_error(Dialect::Sdk, "[default]\r\né # x\r\n", 2, 2, "`=`");
    check_error(Dialect::Sdk, "[default]\n= 1", 2, 1, "name");
    check_error(Dialect::Sdk, "[default]\n  x", 2, 3, "indent");
    check_error(Dialect::Sdk, "[default]\na = 1\n[x]\n  y", 4, 3, "indent");
    check_error(Dialect::Sdk, "[default]\ns3 =\n  x", 3, 4, "nested");
    check_error(Dialect::Sdk, "[default]\ns3 =\n  = x", 3, 3, "nested");
    check_error(Dialect::Boto, "a = 1", 1, 1, "[Credentials]");
    check_error(Dialect::Boto, "[Boto\nx = 1", 1, 6, "`]`");
    check_error(Dialect::Boto, "[Boto]\nx", 2, 2, "`:`");
    check_error(Dialect::Boto, "[Boto]\n: x", 2, 1, "name");
    check_error(Dialect::Boto, "[Boto]\nx = 1\n[s3]\n[Boto]", 4, 1, "line 1");
    check_error(Dialect::Boto, "[Boto]\nx = 1\nX : 2", 3, 1, "line 2");
}

#[test]
fn an_error_repeats_no_line_of_the_file() {
    for text in [
        "canary",
        "[default]\ncanary",
        "[default]\n  canary",
        "[default]\n= canary",
        "[default]\ns3 =\n  canary",
        "[default\ncanary",
        "[canary x",
    ] {
        for dialect in [Dialect::Sdk, Dialect::Boto] {
            if let Err(error) = parse(text, &file(), dialect) {
                assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
            }
        }
    }
}

#[test]
fn debug_shows_no_value() {
    let profiles = config("[default]\naws_secret_access_key = canary\ns3 =\n  x = canary\n[sso-session a]\nx = canary");
    assert!(!format!("{profiles:?}").contains("canary"));
}

#[test]
fn the_dialect_of_boto() {
    let mut config = BotoConfig::default();
    let text = "# a\n  ; b\n[Credentials] x\nAWS_Access_Key_Id : a:b=c\naws_secret_access_key = \"q\" ; kept\n\n[Boto]\n\
                debug = 1\n  2\n# between\n  3\nproxy = 50%% %x\nempty =\n";
    config.add(text, &file()).unwrap();
    let value = |section: &str, key: &str| config.option(section, key).unwrap().value().to_owned();
    assert_eq!(value("Credentials", "aws_access_key_id"), "a:b=c");
    assert_eq!(value("Credentials", "aws_secret_access_key"), "\"q\" ; kept");
    assert_eq!(value("Boto", "debug"), "1\n2\n3");
    assert_eq!(value("Boto", "proxy"), "50% %x");
    assert_eq!(value("Boto", "empty"), "");
    assert!(config.section("credentials").is_none());
    assert_eq!(config.option("Boto", "debug").unwrap().location().line, 8);
}

#[test]
fn a_later_file_of_boto_wins_per_option() {
    let mut config = BotoConfig::default();
    config.add("[Boto]\na = 1\nb = 1", &FileName::new("/etc/boto.cfg")).unwrap();
    config.add("[Boto]\nb = 2", &FileName::new("/home/me/.boto")).unwrap();
    assert_eq!(config.option("Boto", "a").unwrap().location().to_string(), "/etc/boto.cfg:2");
    assert_eq!(config.option("Boto", "b").unwrap().location().to_string(), "/home/me/.boto:2");
}

/// Text made of the pieces that the grammar looks at, the same on each run.
fn random_text(random: &mut fastrand::Rng) -> String {
    const PIECES: [&str; 22] = [
        "[", "]", "profile ", "default", "a", "=", " = ", ":", "#", ";", " #", "\n", "\n", "\r\n", " ", "\t", "\n ",
        "%", "%%", "é", "\u{feff}", "\0",
    ];
    (0..random.usize(0..60)).map(|_| PIECES[random.usize(0..PIECES.len())]).collect()
}

#[test]
fn any_text_is_parsed_or_refused_at_a_line_that_exists() {
    let mut random = fastrand::Rng::with_seed(1);
    let (mut parsed, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let text = random_text(&mut random);
        for dialect in [Dialect::Sdk, Dialect::Boto] {
            match parse(&text, &file(), dialect) {
                Ok(_) => parsed += 1,
                Err(error) => {
                    let line = error.line().unwrap() as usize;
                    let length = text.split('\n').nth(line - 1).unwrap().chars().count();
                    assert!((1..=length as u32 + 1).contains(&error.column().unwrap()), "{text:?}: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(parsed > 1_000 && refused > 1_000, "{parsed} parsed, {refused} refused");
}

#[test]
fn the_time_is_linear_in_the_length() {
    // Each is a shape that a careless parser reads again and again.
    let shapes: [fn(usize) -> String; 6] = [
        |n| format!("[default]\na = 1\n{}", "  x\n".repeat(n)),
        |n| format!("[default]\na = {}", "#".repeat(4 * n)),
        |n| format!("[default]\na =\n{}", "  x = 1\n".repeat(n)),
        |n| "[profile a]\nx = 1\n".repeat(n),
        |n| (0..n).map(|i| format!("[profile {i}]\nx{i} = 1\n")).collect(),
        |n| format!("[default]\na = {}", "% ".repeat(2 * n)),
    ];
    for (index, shape) in shapes.iter().enumerate() {
        let measure = |n| {
            let text = shape(n);
            (0..3)
                .map(|_| {
                    let start = Instant::now();
                    let _ = parse(&text, &file(), Dialect::Sdk).unwrap();
                    let _ = parse(&text, &file(), Dialect::Boto).is_ok();
                    start.elapsed()
                })
                .min()
                .unwrap()
        };
        let (small, large) = (measure(1_000), measure(20_000));
        // Twenty times the text; four hundred times the time if it were quadratic.
        assert!(large < small * 100, "shape {index}: {small:?} and {large:?}");
    }
}
