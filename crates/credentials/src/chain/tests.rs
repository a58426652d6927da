use std::sync::Mutex;

use aws_sigv4_free_core::environment::{Env, Files};

use super::*;

/// Answers with one of the kinds of error, or with keys, and counts how often it was asked.
#[derive(Debug)]
struct Scripted {
    answer: Result<&'static str, CredentialsErrorKind>,
    asked: Arc<Mutex<u32>>,
}

impl ProvideCredentials for Scripted {
    fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        *self.asked.lock().unwrap() += 1;
        let answer = self
            .answer
            .map(|id| Credentials::new(id, "canary").with_session_token("canary").with_source("the script"))
            .map_err(|kind| CredentialsError::new(kind, format!("it is {kind:?}")).with_source("the cause"));
        Box::pin(async { answer })
    }

    fn invalidate(&self, access_key_id: &str) -> bool {
        *self.asked.lock().unwrap() += 1;
        self.answer == Ok(access_key_id)
    }
}

fn scripted(answer: Result<&'static str, CredentialsErrorKind>) -> (Scripted, Arc<Mutex<u32>>) {
    let asked = Arc::new(Mutex::new(0));
    (Scripted { answer, asked: asked.clone() }, asked)
}

const NOT_CONFIGURED: Result<&str, CredentialsErrorKind> = Err(CredentialsErrorKind::NotConfigured);

#[tokio::test]
async fn the_first_that_is_configured_is_used_and_the_rest_is_not_asked() {
    let (first, first_asked) = scripted(NOT_CONFIGURED);
    let (second, _) = scripted(Ok("AKID"));
    let (third, third_asked) = scripted(Ok("OTHER"));
    let chain = Chain::new().with("one", first).with("two", second).with("three", third);
    assert_eq!(chain.identity().await.unwrap().access_key_id(), "AKID");
    assert_eq!((*first_asked.lock().unwrap(), *third_asked.lock().unwrap()), (1, 0));
    let explanation = chain.explain().await;
    assert_eq!(
        explanation.to_string(),
        "one: not configured: it is NotConfigured: the cause\ntwo: used: access key AKID, from the script\nthree: not asked"
    );
    assert_eq!(explanation.used().unwrap().provider, "two");
    assert_eq!(explanation.attempts().len(), 3);
    assert!(!format!("{explanation:?} {chain:?}").contains("canary"));
    assert_eq!(*third_asked.lock().unwrap(), 0);
}

#[tokio::test]
async fn any_other_error_ends_the_chain() {
    use CredentialsErrorKind::{Expired, InvalidConfiguration, Unavailable};
    for kind in [InvalidConfiguration, Unavailable, Expired] {
        let (broken, _) = scripted(Err(kind));
        let (other, asked) = scripted(Ok("OTHER"));
        let chain = Chain::new().with("none", scripted(NOT_CONFIGURED).0).with("broken", broken).with("other", other);
        let error = chain.identity().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        let expected = format!(
            "no credentials: none: not configured: it is NotConfigured: the cause; broken: failed: it is {kind:?}: the cause"
        );
        assert_eq!(error.to_string(), expected);
        let explanation = chain.explain().await;
        assert!(matches!(&explanation.attempts()[1].outcome, Outcome::Failed { kind: found, .. } if *found == kind));
        assert_eq!(explanation.attempts()[2].outcome, Outcome::NotAsked);
        assert_eq!(explanation.used(), None);
        assert_eq!(*asked.lock().unwrap(), 0);
    }
}

#[tokio::test]
async fn nothing_configured_says_what_was_tried_and_what_to_do() {
    let env = Env::fixed([("HOME", "/home/me")]);
    let settings = Settings::builder().env(env).files(Files::fixed::<&str, &str>([])).load().unwrap();
    let error = Chain::from_settings(&settings).identity().await.unwrap_err();
    assert_eq!(error.kind(), CredentialsErrorKind::NotConfigured);
    assert_eq!(
        error.to_string(),
        "no credentials: environment: not configured: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; profile: not \
         configured: there is no profile \"default\" in ~/.aws/config or ~/.aws/credentials; set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or add a profile with keys to ~/.aws/credentials"
    );
    let empty = Chain::new();
    assert_eq!(empty.identity().await.unwrap_err().to_string(), "no credentials: the chain has no providers");
    assert_eq!(empty.explain().await.to_string(), "the chain has no providers");
}

const FILE: &str = "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n\
                    [dev]\naws_access_key_id = DEV\naws_secret_access_key = x\n";

fn settings(variables: &[(&str, &str)], profile: Option<&str>) -> Settings {
    let env = Env::fixed([("HOME", "/home/me")].into_iter().chain(variables.iter().copied()));
    let builder = Settings::builder().env(env).files(Files::fixed([("/home/me/.aws/credentials", FILE)]));
    match profile {
        Some(profile) => builder.profile(profile),
        None => builder,
    }
    .load()
    .unwrap()
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "x")];

#[tokio::test]
async fn an_explicit_profile_wins_over_the_environment_and_a_variable_does_not() {
    let with_profile_variable = [KEYS[0], KEYS[1], ("AWS_PROFILE", "dev")];
    for (settings, expected) in [
        (settings(&KEYS, None), "ENV"),
        (settings(&with_profile_variable, None), "ENV"),
        (settings(&KEYS, Some("dev")), "DEV"),
        (settings(&with_profile_variable[2..], None), "DEV"),
        (settings(&[], None), "DEFAULT"),
    ] {
        let credentials = Chain::from_settings(&settings).identity().await.unwrap();
        assert_eq!(credentials.access_key_id(), expected);
    }
}

#[tokio::test]
async fn half_set_variables_do_not_fall_through_to_a_profile() {
    let error = Chain::from_settings(&settings(&KEYS[..1], None)).identity().await.unwrap_err();
    assert_eq!(error.kind(), CredentialsErrorKind::InvalidConfiguration);
    assert_eq!(
        error.to_string(),
        "no credentials: environment: failed: AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both, or neither"
    );
}

#[tokio::test]
async fn an_explanation_shows_account_and_expiry() {
    let variables = [
        KEYS[0],
        KEYS[1],
        ("AWS_ACCOUNT_ID", "123456789012"),
        ("AWS_CREDENTIAL_EXPIRATION", "2030-01-31T13:00:00+01:00"),
    ];
    let explanation = Chain::from_settings(&settings(&variables, None)).explain().await;
    assert_eq!(
        explanation.to_string(),
        "environment: used: access key ENV of account 123456789012, from environment variables, expires at \
         2030-01-31T12:00:00Z\nprofile: not asked"
    );
}

#[tokio::test]
async fn all_are_told_whose_keys_were_refused() {
    let (one, one_told) = scripted(Ok("A"));
    let (two, two_told) = scripted(Ok("B"));
    let chain = Chain::new().with("one", one).with("two", two);
    assert!(chain.invalidate("A"));
    assert!(chain.invalidate("B"));
    assert!(!chain.invalidate("C"));
    assert_eq!((*one_told.lock().unwrap(), *two_told.lock().unwrap()), (3, 3));
}

#[tokio::test]
async fn the_default_chain_has_its_providers_in_order() {
    let names: Vec<_> = default_chain().await.links.into_iter().map(|link| link.name).collect();
    assert_eq!(names, ["environment", "profile"]);
}
