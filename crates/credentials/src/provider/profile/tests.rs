use std::error::Error;

use super::*;

const CREDENTIALS: &str = "/home/me/.aws/credentials";
const CONFIG: &str = "/home/me/.aws/config";

fn env(variables: &[(&str, &str)]) -> Env {
    Env::fixed([("HOME", "/home/me")].into_iter().chain(variables.iter().copied()))
}

fn provider(variables: &[(&str, &str)], files: &[(&str, &str)]) -> ProfileProvider {
    ProfileProvider::new().env(env(variables)).files(Files::fixed(files.iter().copied()))
}

fn read(credentials: &str) -> Result<Credentials, CredentialsError> {
    provider(&[], &[(CREDENTIALS, credentials)]).read()
}

#[track_caller]
fn check_error(result: Result<Credentials, CredentialsError>, kind: CredentialsErrorKind, message: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
}

#[tokio::test]
async fn keys_of_the_default_profile() {
    let text = "[default]\naws_access_key_id = AKID\naws_secret_access_key = secret # not kept secret by a comment\n";
    let credentials = provider(&[], &[(CREDENTIALS, text)]).identity().await.unwrap();
    assert_eq!(credentials.access_key_id(), "AKID");
    assert_eq!(credentials.secret_access_key().expose_secret(), "secret");
    assert!(credentials.session_token().is_none());
    assert_eq!(credentials.source(), "profile \"default\" in ~/.aws/credentials:2");
}

#[test]
fn token_and_account_are_taken() {
    let keys = "[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n";
    let token = |more: &str| {
        let credentials = read(&format!("{keys}{more}")).unwrap();
        credentials.session_token().map(|token| token.expose_secret().to_owned())
    };
    assert_eq!(token("aws_security_token = old\naws_session_token = new\n").as_deref(), Some("new"));
    assert_eq!(token("aws_security_token = old\n").as_deref(), Some("old"));
    let account = |id: &str| read(&format!("{keys}aws_account_id = {id}\n")).unwrap().account_id().map(str::to_owned);
    assert_eq!(account("123456789012").as_deref(), Some("123456789012"));
    assert_eq!(account("mine"), None);
}

#[test]
fn the_profile_is_chosen_by_code_then_by_variables() {
    let files: String = ["default", "a", "b", "c"]
        .map(|name| format!("[{name}]\naws_access_key_id = {name}\naws_secret_access_key = x\n"))
        .concat();
    let files = [(CREDENTIALS, files.as_str())];
    let variables = [("AWS_PROFILE", "b"), ("AWS_DEFAULT_PROFILE", "c")];
    let id = |provider: ProfileProvider| provider.read().unwrap().access_key_id().to_owned();
    assert_eq!(id(provider(&variables, &files).profile("a")), "a");
    assert_eq!(id(provider(&variables, &files)), "b");
    assert_eq!(id(provider(&variables[1..], &files)), "c");
    assert_eq!(id(provider(&[], &files)), "default");
}

#[test]
fn no_file_and_no_keys_let_the_chain_go_on() {
    check_error(
        provider(&[], &[]).read(),
        CredentialsErrorKind::NotConfigured,
        "there is no profile \"default\" in ~/.aws/config or ~/.aws/credentials",
    );
    check_error(
        ProfileProvider::new().env(Env::fixed::<&str, &str>([])).files(Files::fixed::<&str, &str>([])).read(),
        CredentialsErrorKind::NotConfigured,
        "there is no profile \"default\" in the configuration files, because HOME is not set",
    );
    check_error(
        provider(&[], &[(CONFIG, "[default]\nregion = x\naws_access_key_id =\n")]).read(),
        CredentialsErrorKind::NotConfigured,
        "the profile \"default\" in ~/.aws/config:1 holds no credentials",
    );
}

#[test]
fn a_profile_that_was_asked_for_must_exist() {
    let files = [(CREDENTIALS, "[a]\n[b]\n")];
    check_error(
        provider(&[("AWS_PROFILE", "x")], &files).read(),
        CredentialsErrorKind::InvalidConfiguration,
        "the profile \"x\" does not exist: use one of \"a\", \"b\" (asked for by AWS_PROFILE)",
    );
    assert_eq!(
        provider(&[("AWS_PROFILE", "default")], &files).read().unwrap_err().kind(),
        CredentialsErrorKind::NotConfigured
    );
    assert_eq!(
        provider(&[], &files).profile("default").read().unwrap_err().kind(),
        CredentialsErrorKind::InvalidConfiguration
    );
    check_error(
        provider(&[], &files).profile("x").read(),
        CredentialsErrorKind::InvalidConfiguration,
        "the profile \"x\" does not exist: use one of \"a\", \"b\" (asked for by the program)",
    );
}

#[test]
fn half_of_a_pair_is_an_error_that_names_the_other_half() {
    check_error(
        read("[default]\naws_access_key_id = AKID\n"),
        CredentialsErrorKind::InvalidConfiguration,
        "the profile \"default\" sets aws_access_key_id in ~/.aws/credentials:2 and does not set aws_secret_access_key: set \
         both, or neither",
    );
    check_error(
        read("[default]\naws_access_key_id =\naws_secret_access_key = canary\n"),
        CredentialsErrorKind::InvalidConfiguration,
        "the profile \"default\" sets aws_secret_access_key in ~/.aws/credentials:3 and does not set aws_access_key_id: set \
         both, or neither",
    );
    check_error(
        read("[default]\naws_session_token = canary\n"),
        CredentialsErrorKind::InvalidConfiguration,
        "the profile \"default\" sets aws_session_token in ~/.aws/credentials:2 and does not set aws_access_key_id: set \
         both, or neither",
    );
}

#[test]
fn what_this_version_can_not_do_is_an_error_and_never_another_identity() {
    for key in FROM_ELSEWHERE {
        // The keys beside it are those of another identity.
        let text = format!("[profile a]\n{key} = canary\naws_access_key_id = AKID\naws_secret_access_key = secret\n");
        let error = provider(&[], &[(CONFIG, &text)]).profile("a").read().unwrap_err();
        assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration);
        let expected = format!("the profile \"a\" sets {key} in ~/.aws/config:2, which this version does not support");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for key in BESIDE_ELSEWHERE {
        let text = format!("[profile a]\n{key} = x\n");
        let error = provider(&[], &[(CONFIG, &text)]).profile("a").read().unwrap_err();
        assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration);
        let text = format!("{text}aws_access_key_id = AKID\naws_secret_access_key = secret\n");
        assert_eq!(provider(&[], &[(CONFIG, &text)]).profile("a").read().unwrap().access_key_id(), "AKID");
    }
}

#[test]
fn what_would_break_a_header_is_refused_and_not_repeated() {
    for (key, value) in [
        ("aws_access_key_id", "canary\n  x"),
        ("aws_secret_access_key", "canary\n  x"),
        ("aws_session_token", "can ary"),
    ] {
        let text = format!("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n{key} = {value}\n");
        let error = read(&text).unwrap_err();
        assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration);
        assert!(error.to_string().starts_with(&format!("{key} in ~/.aws/credentials:4 can't be used: ")), "{error}");
        assert!(!format!("{error:?}").contains("ary"), "{error:?}");
    }
}

#[test]
fn a_broken_file_is_an_error_with_its_place_as_cause() {
    let error = read("[default]\naws_secret_access_key canary\n").unwrap_err();
    assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration);
    assert!(error.source().unwrap().to_string().starts_with("~/.aws/credentials:2:29: "), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn settings_are_used_as_they_were_loaded() {
    let files =
        Files::fixed([(CREDENTIALS, "[a]\naws_access_key_id = A\naws_secret_access_key = x\n[default]\nregion = x\n")]);
    let settings = Settings::builder().env(env(&[])).files(files).profile("a").load().unwrap();
    assert_eq!(ProfileProvider::from_settings(&settings).read().unwrap().access_key_id(), "A");
}

#[test]
fn refused_keys_are_read_again() {
    let folder = std::env::temp_dir().join(format!("sigv4-profile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("credentials");
    let write = |id: &str| {
        std::fs::write(&file, format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = x\n")).unwrap();
    };
    write("OLD");
    let env = Env::fixed([("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())]);
    let provider = ProfileProvider::new().env(env);
    assert_eq!(provider.read().unwrap().access_key_id(), "OLD");
    write("NEW");
    assert_eq!(provider.read().unwrap().access_key_id(), "OLD");
    assert!(!provider.invalidate("OTHER"));
    assert!(provider.invalidate("OLD"));
    // Another call was under way with the old key: it may go on with the new one, before and after that is read.
    assert!(provider.invalidate("OLD"));
    assert_eq!(provider.read().unwrap().access_key_id(), "NEW");
    assert!(provider.invalidate("OLD"));
    assert!(!provider.invalidate("OTHER"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn debug_shows_no_key() {
    let text = "[default]\naws_access_key_id = AKID\naws_secret_access_key = canary\n";
    let provider = provider(&[], &[(CREDENTIALS, text)]);
    provider.read().unwrap();
    assert!(!format!("{provider:?}").contains("canary"));
}
