//! Presigned POST: the same form as botocore's, and what two stores accept and refuse.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy};
use aws_sigv4_free_http_transport::{Body, Transport as _};
use aws_sigv4_free_s3::{Bucket, ErrorExt as _, S3};
use aws_sigv4_free_signing::verify::Verifier;
use aws_sigv4_free_signing::{Credentials, PostForm, PostPolicy, SigV4};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integration_tests::python;
use integration_tests::s3_server::S3Server;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::harness::{async_trial, skipped, trial_with};

/// How many forms botocore makes too.
const FORMS: usize = 2_500;
/// The same forms at every run.
const SEED: u64 = 20_151_229;

type Outcome = Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let python = python::interpreter().map(|_| ());
    let mut trials = vec![trial_with("post_policy::botocore_makes_the_same_form", python, |()| botocore_agrees())];
    for is_in_process in [true, false] {
        let store = if is_in_process { "in_process" } else { "ministack" };
        let mut add = |case: &str, trial: fn(String, Option<String>) -> Trial| {
            let name = format!("post_policy::{store}::{case}");
            let found = std::env::var("SIGV4_TEST_MINISTACK");
            trials.push(match found {
                _ if is_in_process => trial(name, None),
                Ok(found) => trial(name, Some(found)),
                Err(_) => skipped(&name, "SIGV4_TEST_MINISTACK is not set: `cargo xtask test` starts the store"),
            });
        };
        add("a_form_uploads_what_its_policy_allows", |name, found| case(name, found, accepted));
        add("a_form_with_a_prefix_uploads_any_key_below", |name, found| case(name, found, prefix));
        add("what_the_policy_does_not_allow_is_refused", |name, found| case(name, found, refused));
        add("an_expired_form_is_refused", |name, found| case(name, found, expired));
        add("a_changed_policy_is_refused", |name, found| case(name, found, tampered));
        add("a_form_of_another_secret_is_refused", |name, found| case(name, found, wrong_secret));
    }
    trials
}

struct Form {
    access_key_id: String,
    secret: String,
    token: Option<String>,
    region: &'static str,
    bucket: String,
    key: String,
    expires: u64,
    time: i64,
    /// Field, value or prefix, and whether the value is exact.
    fields: Vec<(String, String, bool)>,
    content_length: Option<(u64, u64)>,
}

/// Characters that a JSON writer has to look after.
const ODD: [char; 14] = ['"', '\\', '/', '$', '\n', '\r', '\t', '\0', '\u{7f}', '\u{2028}', '<', '>', '&', '\''];

/// Any characters: letters, quotes, control characters, and others.
fn text(random: &mut fastrand::Rng, most: usize) -> String {
    (0..random.usize(..=most))
        .map(|_| match random.u8(..6) {
            0 => random.char(..),
            1 => ODD[random.usize(..ODD.len())],
            _ => random.char('a'..='z'),
        })
        .collect()
}

impl Form {
    fn random(random: &mut fastrand::Rng) -> Self {
        // Few pairs: botocore takes long to make a client.
        let who = random.usize(..8);
        let mut key = text(random, 20) + "x";
        if random.bool() {
            key.push_str("${filename}");
        }
        let mut fields: Vec<(String, String, bool)> = Vec::new();
        for (name, value) in [
            ("Content-Type", Some("image/png")),
            ("success_action_status", Some("201")),
            ("success_action_redirect", None),
            ("acl", Some("private")),
            ("x-amz-meta-one", None),
            ("x-amz-meta-Two", None),
            ("x-amz-server-side-encryption", Some("AES256")),
            ("tagging", None),
            ("Cache-Control", None),
        ] {
            if random.bool() {
                let is_exact = name == "success_action_status" || random.bool();
                let value = value.map_or_else(|| text(random, 30), str::to_owned);
                fields.push((name.to_owned(), value, is_exact));
            }
        }
        let least = random.u64(..1000);
        Self {
            access_key_id: format!("AKIDEXAMPLE{who}"),
            secret: format!("secret/+={who}"),
            token: (who % 2 == 1).then(|| format!("token/+=\"{who}").replace('"', "")),
            region: ["us-east-1", "eu-central-1"][who / 4],
            bucket: format!("photos-{}", random.u8(..)),
            key,
            expires: random.u64(1..=604_800),
            time: random.i64(0..4_102_444_800),
            fields,
            content_length: random.bool().then(|| (least, random.u64(least..))),
        }
    }

    fn credentials(&self) -> Credentials {
        let credentials = Credentials::new(self.access_key_id.as_str(), self.secret.as_str());
        match &self.token {
            Some(token) => credentials.with_session_token(token.as_str()),
            None => credentials,
        }
    }

    fn now(&self) -> Result<OffsetDateTime, Failed> {
        Ok(OffsetDateTime::from_unix_timestamp(self.time)?)
    }

    fn sign(&self) -> Result<PostForm, Failed> {
        let policy = PostPolicy::new(&self.bucket, &self.key).expires_in(Duration::from_secs(self.expires));
        let mut policy = self.fields.iter().fold(policy, |policy, (name, value, is_exact)| {
            if *is_exact { policy.field(name, value) } else { policy.starts_with(name, value) }
        });
        if let Some((least, most)) = self.content_length {
            policy = policy.content_length(least..=most);
        }
        Ok(SigV4::s3(self.region).presign_post(&policy, &self.credentials(), self.now()?)?)
    }

    fn to_json(&self, policy: &str) -> Value {
        let mut conditions: Vec<Value> = Vec::new();
        let mut fields = Vec::new();
        for (name, value, is_exact) in &self.fields {
            if *is_exact {
                conditions.push(json!({ name.as_str(): value }));
                fields.push((name, value));
            } else {
                conditions.push(json!(["starts-with", format!("${name}"), value]));
            }
        }
        if let Some((least, most)) = self.content_length {
            conditions.push(json!(["content-length-range", least, most]));
        }
        json!({
            "access_key_id": self.access_key_id, "secret_access_key": self.secret, "session_token": self.token,
            "region": self.region, "bucket": self.bucket, "key": self.key, "expires": self.expires, "time": self.time,
            "fields": fields, "conditions": conditions, "policy": policy,
        })
    }
}

/// A policy whose conditions stand in an order of their own.
fn sorted(mut policy: Value) -> Value {
    if let Some(conditions) = policy["conditions"].as_array_mut() {
        conditions.sort_by_key(Value::to_string);
    }
    policy
}

fn botocore_agrees() -> Outcome {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut input = String::new();
    let mut ours = Vec::new();
    for _ in 0..FORMS {
        let form = Form::random(&mut random);
        let signed = form.sign()?;
        let fields: BTreeMap<String, String> =
            signed.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let _ = writeln!(input, "{}", form.to_json(&fields["policy"]));
        ours.push((form, signed, fields));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/botocore_post.py");
    let output = String::from_utf8(python::run(&script, &[], input.as_bytes())?)?;
    let answers: Vec<(BTreeMap<String, String>, Value, String)> =
        output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(answers.len(), FORMS);
    for ((form, signed, mut ours), (mut fields, policy, signature)) in ours.into_iter().zip(answers) {
        assert_eq!(sorted(serde_json::from_str(signed.policy())?), sorted(policy), "{}", signed.policy());
        assert_eq!(ours.remove("x-amz-signature"), Some(signature), "{}", signed.policy());
        assert!(fields.remove("x-amz-signature").is_some() && fields.remove("policy").is_some());
        ours.remove("policy");
        assert_eq!(ours, fields);

        // And the other side accepts it, with what the page has to fill in.
        let credentials = form.credentials();
        let verifier = Verifier::new(move |_: &str| Some(credentials.clone())).service("s3").region(form.region);
        let open = form.fields.iter().filter(|field| !field.2).map(|(name, value, _)| (name.as_str(), value.as_str()));
        let sent: Vec<(&str, &str)> = signed.fields().chain(open).collect();
        let length = form.content_length.map_or(0, |(least, _)| least);
        let verified = verifier.verify_form(&form.bucket, &sent, length, form.now()?)?;
        assert_eq!(verified.expires_at(), signed.expires_at());
        if form.content_length.is_some_and(|(_, most)| most < u64::MAX) {
            assert!(verifier.verify_form(&form.bucket, &sent, u64::MAX, form.now()?).is_err());
        }
    }
    Ok(())
}

/// A store, a bucket of the case's own, and the keys.
struct Store {
    endpoint: String,
    access_key: String,
    secret_key: String,
    is_in_process: bool,
    bucket: Bucket,
    _server: Option<S3Server>,
}

fn case<F>(name: String, found: Option<String>, run: fn(Store) -> F) -> Trial
where
    F: Future<Output = Outcome> + 'static,
{
    async_trial(&name, move || async move {
        let (server, [endpoint, access_key, secret_key]) = match &found {
            None => {
                let server = S3Server::start().await;
                let described = [server.endpoint(), server.access_key().to_owned(), server.secret_key().to_owned()];
                (Some(server), described)
            }
            Some(found) => match found.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into() {
                Ok(described) => (None, described),
                Err(_) => return Err("the store is described by a URL, an access key and a secret key".into()),
            },
        };
        let nothing: [(&str, &str); 0] = [];
        let settings = Settings::builder().env(Env::fixed(nothing)).files(Files::fixed(nothing)).load()?;
        let client = S3::builder().settings(settings).region("us-east-1").endpoint(&endpoint).path_style();
        let client = client.credentials(Credentials::new(access_key.as_str(), secret_key.as_str())).build()?;
        let bucket = client.bucket(format!("form-{:016x}", fastrand::u64(..)));
        bucket.create().await?;
        let is_in_process = server.is_some();
        run(Store { endpoint, access_key, secret_key, is_in_process, bucket, _server: server }).await
    })
}

impl Store {
    fn sign(&self, policy: &PostPolicy) -> Result<Vec<(String, String)>, Failed> {
        self.sign_at(policy, &self.secret_key, OffsetDateTime::now_utc())
    }

    fn sign_at(&self, policy: &PostPolicy, secret: &str, now: OffsetDateTime) -> Result<Vec<(String, String)>, Failed> {
        let credentials = Credentials::new(self.access_key.as_str(), secret);
        Ok(SigV4::s3("us-east-1").presign_post(policy, &credentials, now)?.into_fields())
    }

    /// What a policy for most cases allows: images of at most 100 bytes below `in/`.
    fn policy(&self) -> PostPolicy {
        PostPolicy::new(self.bucket.name(), "in/${filename}")
            .content_length(1..=100)
            .content_type_starts_with("image/")
            .metadata("colour", "black")
            .success_action_status(201)
            .expires_in(Duration::from_secs(60))
    }

    /// Sends the form as a browser does, and gives the status and the answer.
    async fn send(&self, fields: &[(String, String)], file: &str) -> Result<(u16, String), Failed> {
        const BOUNDARY: &str = "----------------------------9051914041544843365972754266";
        let mut body = String::new();
        for (name, value) in fields {
            let _ = write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        let _ = write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cat.png\"\r\n\
             Content-Type: image/png\r\n\r\n{file}\r\n--{BOUNDARY}--\r\n"
        );
        let request = http::Request::post(format!("{}/{}", self.endpoint, self.bucket.name()))
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(Body::from(body))?;
        let transport = HyperTransport::builder().proxy(Proxy::none()).build()?;
        let (head, body) = transport.send(request).await?.into_parts();
        let body = body.collect(1 << 20).await?;
        Ok((head.status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
    }

    /// Sends a form that has to be refused, and checks that nothing was stored.
    async fn refuse(&self, what: &str, fields: &[(String, String)], file: &str, codes: &[&str]) -> Outcome {
        let (status, answer) = self.send(fields, file).await?;
        assert!((400..500).contains(&status), "{what}: {status} {answer}");
        let code =
            answer.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
        assert!(codes.contains(&code), "{what}: {answer}");
        let mut objects = self.bucket.list("").await;
        assert!(objects.try_next().await?.is_none(), "{what}: something was stored");
        Ok(())
    }
}

fn with(fields: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut fields = fields.to_vec();
    match fields.iter_mut().find(|(other, _)| other == name) {
        Some(field) => value.clone_into(&mut field.1),
        None => fields.push((name.to_owned(), value.to_owned())),
    }
    fields
}

async fn accepted(store: Store) -> Outcome {
    let form = with(&store.sign(&store.policy())?, "content-type", "image/png");
    // The in-process server does not know `${filename}`.
    let form = if store.is_in_process { with(&form, "key", "in/cat.png") } else { form };
    let (status, answer) = store.send(&form, "meow").await?;
    assert_eq!(status, 201, "{answer}");
    assert!(answer.contains("in/cat.png"), "{answer}");
    let object = store.bucket.object("in/cat.png");
    let head = object.head().await?;
    assert_eq!(head.metadata["colour"], "black");
    assert_eq!(object.get().await?.bytes(10).await?, "meow");
    object.delete().await?;

    // One key, no other condition; odd characters in the key and the metadata.
    let key = "odd \"key\" \u{e9}\u{1f408} $5 +%2B";
    let policy = PostPolicy::new(store.bucket.name(), key).content_type("text/plain").metadata("note", "a \\ \"b\" $");
    let (status, answer) = store.send(&store.sign(&policy)?, "hello").await?;
    assert!((200..300).contains(&status), "{status} {answer}");
    assert_eq!(store.bucket.object(key).get().await?.bytes(10).await?, "hello");
    assert_eq!(store.bucket.object(key).head().await?.metadata["note"], "a \\ \"b\" $");
    Ok(())
}

async fn prefix(store: Store) -> Outcome {
    let policy = PostPolicy::with_key_prefix(store.bucket.name(), "in/");
    let form = store.sign(&policy)?;
    store
        .refuse(
            "no key",
            &form,
            "meow",
            &[
                "InvalidArgument",
                "InvalidRequest",
                "MissingFields",
                "AccessDenied",
                "InvalidPolicyDocument",
                "UserKeyMustBeSpecified",
            ],
        )
        .await?;
    store
        .refuse("another prefix", &with(&form, "key", "out/a"), "meow", &["AccessDenied", "InvalidPolicyDocument"])
        .await?;
    let (status, answer) = store.send(&with(&form, "key", "in/any"), "meow").await?;
    assert!((200..300).contains(&status), "{status} {answer}");
    assert_eq!(store.bucket.object("in/any").get().await?.bytes(10).await?, "meow");
    let error = store.bucket.object("out/a").head().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    Ok(())
}

async fn refused(store: Store) -> Outcome {
    let form = with(&with(&store.sign(&store.policy())?, "content-type", "image/png"), "key", "in/cat.png");
    let policy = ["AccessDenied", "InvalidPolicyDocument"];
    store.refuse("another key", &with(&form, "key", "out/cat.png"), "meow", &policy).await?;
    store.refuse("another type", &with(&form, "content-type", "text/html"), "meow", &policy).await?;
    store.refuse("other metadata", &with(&form, "x-amz-meta-colour", "white"), "meow", &policy).await?;
    store.refuse("one field more", &with(&form, "acl", "public-read"), "meow", &policy).await?;
    store.refuse("too large", &form, &"m".repeat(101), &["EntityTooLarge"]).await?;
    store.refuse("too small", &form, "", &["EntityTooSmall"]).await?;
    let (status, answer) = store.send(&form, &"m".repeat(100)).await?;
    assert_eq!(status, 201, "{answer}");
    Ok(())
}

async fn expired(store: Store) -> Outcome {
    let then = OffsetDateTime::now_utc() - time::Duration::minutes(2);
    let sent = |policy: PostPolicy| -> Result<_, Failed> {
        Ok(with(
            &with(&store.sign_at(&policy, &store.secret_key, then)?, "content-type", "image/png"),
            "key",
            "in/cat.png",
        ))
    };
    store.refuse("expired", &sent(store.policy())?, "meow", &["AccessDenied"]).await?;
    let alive = sent(store.policy().expires_in(Duration::from_secs(180)))?;
    let (status, answer) = store.send(&alive, "meow").await?;
    assert_eq!(status, 201, "{answer}");
    Ok(())
}

async fn tampered(store: Store) -> Outcome {
    let form = with(&with(&store.sign(&store.policy())?, "content-type", "image/png"), "key", "in/cat.png");
    let policy = form.iter().find(|(name, _)| name == "policy").ok_or("no policy")?;
    let document = String::from_utf8(STANDARD.decode(&policy.1)?)?;
    let larger = document.replace("1,100]", "1,1000000]");
    assert_ne!(larger, document);
    let larger = with(&form, "policy", &STANDARD.encode(larger));
    store.refuse("changed policy", &larger, &"m".repeat(101), &["SignatureDoesNotMatch"]).await?;
    // White space changes the meaning of nothing, and the text that was signed.
    let same = with(&form, "policy", &STANDARD.encode(document + " "));
    store.refuse("the same policy in another text", &same, "meow", &["SignatureDoesNotMatch"]).await?;
    let signature = form.iter().find(|(name, _)| name == "x-amz-signature").ok_or("no signature")?.1.clone();
    let flipped = if signature.starts_with('0') { "1" } else { "0" }.to_owned() + &signature[1..];
    let flipped = with(&form, "x-amz-signature", &flipped);
    store.refuse("changed signature", &flipped, "meow", &["SignatureDoesNotMatch"]).await
}

async fn wrong_secret(store: Store) -> Outcome {
    let form = store.sign_at(&store.policy(), "another secret", OffsetDateTime::now_utc())?;
    let form = with(&with(&form, "content-type", "image/png"), "key", "in/cat.png");
    store.refuse("another secret", &form, "meow", &["SignatureDoesNotMatch"]).await
}
