//! One suite against stores that other people wrote, each strict in another way: OpenStack Swift, MiniStack, and the
//! in-process server. What must be refused is as much of it as what must succeed.

use std::future::Future;
use std::time::Duration;

use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_http_transport::hyper::HyperTransport;
use aws_sigv4_free_http_transport::{Body, Transport as _};
use aws_sigv4_free_s3::{Bucket, BucketState, Credentials, ErrorExt as _, S3, S3ErrorCode};
use aws_sigv4_free_signing::{Payload, SigV4};
use http::StatusCode;
use integration_tests::plain_http;
use integration_tests::s3_server::S3Server;
use libtest_mimic::{Failed, Trial};
use time::OffsetDateTime;

use crate::harness::{async_trial, skipped};

/// A store and its keys; the in-process one lives as long as this.
struct Store {
    endpoint: String,
    access_key: String,
    secret_key: String,
    is: Kind,
    _server: Option<S3Server>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    InProcess,
    Swift,
    MiniStack,
}

type Outcome = Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (kind, name) in [(Kind::InProcess, "in_process"), (Kind::Swift, "swift"), (Kind::MiniStack, "ministack")] {
        let mut add = |case: &str, trial: fn(String, Kind, Option<String>) -> Trial| {
            let name = format!("stores::{name}::{case}");
            trials.push(match found(kind) {
                Ok(found) => trial(name, kind, found),
                Err(reason) => skipped(&name, &reason),
            });
        };
        add("an_object_goes_there_and_back", |n, k, f| case(n, k, f, round_trip));
        add("odd_keys_and_metadata_survive", |n, k, f| case(n, k, f, odd_keys));
        add("files_of_any_size_go_there_and_back", |n, k, f| case(n, k, f, files));
        add("lists_go_over_pages", |n, k, f| case(n, k, f, pages));
        add("a_batch_is_deleted", |n, k, f| case(n, k, f, batch));
        add("absent_things_are_told_apart", |n, k, f| case(n, k, f, absent));
        add("presigned_urls_work_without_credentials", |n, k, f| case(n, k, f, presigned));
        add("tampered_and_expired_urls_are_refused", |n, k, f| case(n, k, f, bad_urls));
        add("wrong_keys_are_refused_with_a_typed_error", |n, k, f| case(n, k, f, wrong_keys));
        add("a_request_changed_after_signing_is_refused", |n, k, f| case(n, k, f, changed));
    }
    trials
}

/// `None` for the in-process server, what the environment says of another one, or the reason for a skipped case.
fn found(kind: Kind) -> Result<Option<String>, String> {
    let name = match kind {
        Kind::InProcess => return Ok(None),
        Kind::Swift => "SIGV4_TEST_SWIFT",
        Kind::MiniStack => "SIGV4_TEST_MINISTACK",
    };
    std::env::var(name).map(Some).map_err(|_| format!("{name} is not set: `cargo xtask test` starts the store"))
}

fn case<F>(name: String, kind: Kind, found: Option<String>, run: fn(Store) -> F) -> Trial
where
    F: Future<Output = Outcome> + 'static,
{
    async_trial(&name, move || async move {
        let store = match found {
            None => {
                let server = S3Server::start().await;
                Store {
                    endpoint: server.endpoint(),
                    access_key: server.access_key().to_owned(),
                    secret_key: server.secret_key().to_owned(),
                    is: kind,
                    _server: Some(server),
                }
            }
            Some(found) => {
                let [endpoint, access_key, secret_key] = found.split(' ').collect::<Vec<_>>()[..] else {
                    return Err("the store is described by a URL, an access key and a secret key".into());
                };
                let [endpoint, access_key, secret_key] = [endpoint, access_key, secret_key].map(str::to_owned);
                Store { endpoint, access_key, secret_key, is: kind, _server: None }
            }
        };
        run(store).await
    })
}

impl Store {
    fn client(&self) -> Result<S3, Failed> {
        self.client_with(&self.access_key, &self.secret_key)
    }

    fn client_with(&self, access_key: &str, secret_key: &str) -> Result<S3, Failed> {
        let nothing: [(&str, &str); 0] = [];
        // Without the settings of this machine.
        let settings = Settings::builder().env(Env::fixed(nothing)).files(Files::fixed(nothing)).load()?;
        let client = S3::builder().settings(settings).region("us-east-1").endpoint(&self.endpoint).path_style();
        Ok(client.credentials(Credentials::new(access_key, secret_key)).build()?)
    }

    /// A new bucket with a name that no other case has.
    async fn bucket(&self) -> Result<Bucket, Failed> {
        let bucket = self.client()?.bucket(format!("case-{:016x}", fastrand::u64(..)));
        bucket.create().await?;
        Ok(bucket)
    }
}

async fn empty_and_delete(bucket: Bucket) -> Outcome {
    let mut objects = bucket.list("").await;
    while let Some(object) = objects.try_next().await? {
        bucket.object(object.key).delete().await?;
    }
    bucket.delete().await?;
    Ok(())
}

async fn round_trip(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    assert!(matches!(bucket.state().await?, BucketState::Accessible { .. }));
    let mut buckets = store.client()?.list_buckets().await;
    let mut seen = false;
    while let Some(found) = buckets.try_next().await? {
        seen |= found.name == bucket.name();
    }
    assert!(seen, "the new bucket is not in the list");

    let cat = bucket.object("pictures/cat.txt");
    cat.put("a black cat").metadata("colour", "black").content_type("text/plain").await?;
    let info = cat.head().await?;
    assert_eq!(info.size, Some(11));
    assert_eq!(info.metadata.get("colour").map(String::as_str), Some("black"));
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(&cat.get().bytes(100).await?[..], b"a black cat");

    let part = cat.get().range(2..7).await?;
    assert_eq!((part.range(), part.info().size), (Some((2, 6)), Some(11)));
    assert_eq!(&part.bytes(100).await?[..], b"black");
    assert_eq!(&cat.get().last_bytes(3).bytes(100).await?[..], b"cat");

    let copy = bucket.object("copy of the cat");
    copy.copy_from(&cat).await?;
    assert_eq!(&copy.get().bytes(100).await?[..], b"a black cat");

    cat.put("").await?;
    assert_eq!(cat.get().bytes(100).await?.len(), 0);

    empty_and_delete(bucket.clone()).await?;
    assert_eq!(bucket.state().await?, BucketState::Missing);
    Ok(())
}

async fn odd_keys(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    let mut keys = vec![
        "a b&c=d;e,f",
        "quote'\"<tag>&amp;",
        "ümläut/猫",
        "tilde~star*paren()!$@:",
        "a.b/..c/d..",
        "?question#hash",
    ];
    if store.is != Kind::InProcess {
        // A server over files cannot hold these; and its lists claim to be percent-encoded, and are not.
        keys.extend(["per%cent%20sign", "plus+sign", "trailing/", "two//slashes", "dots/./in/the/path"]);
    }
    for (number, key) in keys.iter().enumerate() {
        let text = format!("number {number}");
        bucket.object(*key).put(text.clone()).await.map_err(|error| format!("put {key:?}: {error}"))?;
        let back = bucket.object(*key).get().bytes(100).await.map_err(|error| format!("get {key:?}: {error}"))?;
        assert_eq!(back, text.as_bytes(), "{key:?}");
    }
    let mut listed = Vec::new();
    let mut objects = bucket.list("").await;
    while let Some(object) = objects.try_next().await? {
        listed.push(object.key);
    }
    keys.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, keys);
    empty_and_delete(bucket).await
}

async fn files(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    let folder = tempfile::tempdir()?;
    // Around the sizes of buffers, and more than one.
    for size in [0, 1, 65_535, 65_536, 5 << 20] {
        let content: Vec<u8> = (0..size).map(|index| (index * 31 % 251) as u8).collect();
        let (there, back) = (folder.path().join("there"), folder.path().join("back"));
        std::fs::write(&there, &content)?;
        let object = bucket.object(format!("file-{size}"));
        object.put_file(&there).await?;
        object.get().to_file(&back).await?;
        assert!(std::fs::read(&back)? == content, "a file of {size} bytes came back changed");
        std::fs::remove_file(&back)?;
    }
    empty_and_delete(bucket).await
}

async fn pages(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    let keys: Vec<String> = (0..7).map(|number| format!("in/{number}")).collect();
    for key in keys.iter().map(String::as_str).chain(["out"]) {
        bucket.object(key).put("x").await?;
    }
    let mut listed = Vec::new();
    let mut objects = bucket.list("in/").max_keys(3).await;
    while let Some(object) = objects.try_next().await? {
        listed.push(object.key);
    }
    assert_eq!(listed, keys);

    let mut folders = bucket.list("").delimiter("/").await;
    let page = folders.try_next_page().await?.ok_or("no page")?;
    assert_eq!(page.common_prefixes, ["in/"]);
    assert_eq!(page.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["out"]);
    empty_and_delete(bucket).await
}

async fn batch(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    let keys = ["one", "two & <three>", "four/five"];
    for key in keys {
        bucket.object(key).put("x").await?;
    }
    let done = bucket.delete_objects(keys).await?;
    assert!(done.failures.is_empty(), "{:?}", done.failures);
    let mut deleted: Vec<&str> = done.deleted.iter().map(|object| object.key.as_str()).collect();
    deleted.sort_unstable();
    assert_eq!(deleted, ["four/five", "one", "two & <three>"]);
    assert_eq!(bucket.list("").await.try_next().await?, None);
    bucket.delete().await?;
    Ok(())
}

async fn absent(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    let error = bucket.object("absent").get().await.err().ok_or("an absent object was found")?;
    assert_eq!(error.s3_code(), Some(S3ErrorCode::NoSuchKey), "{error}");
    assert!(error.is_not_found());
    let error = bucket.object("absent").head().await.err().ok_or("an absent object was found")?;
    assert!(error.is_not_found(), "{error}");
    bucket.object("absent").delete().await?;
    bucket.delete().await?;
    let error = bucket.object("any").get().await.err().ok_or("an absent bucket was found")?;
    if store.is == Kind::InProcess {
        // It does not look at the bucket.
        assert!(error.is_not_found(), "{error}");
    } else {
        assert_eq!(error.s3_code(), Some(S3ErrorCode::NoSuchBucket), "{error}");
    }
    Ok(())
}

async fn presigned(store: Store) -> Outcome {
    const LIFE: Duration = Duration::from_secs(60);
    let bucket = store.bucket().await?;
    let object = bucket.object("shared/with a friend");
    object.put("for you").await?;
    let url = object.presign_get(LIFE).await?;
    let answer = plain_http::get(url.as_str()).await?;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"for you"[..]), "{}", answer.head);

    let transport = HyperTransport::new()?;
    let url = object.presign_put(LIFE).await?;
    let answer = transport.send(http::Request::put(url.as_str()).body(Body::from("from you"))?).await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(&object.get().bytes(100).await?[..], b"from you");

    let url = object.presign_head(LIFE).await?;
    let answer = transport.send(http::Request::head(url.as_str()).body(Body::empty())?).await?;
    assert_eq!(answer.status(), StatusCode::OK);

    let url = object.presign_delete(LIFE).await?;
    let answer = transport.send(http::Request::delete(url.as_str()).body(Body::empty())?).await?;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(object.head().await.is_err_and(|error| error.is_not_found()));
    empty_and_delete(bucket).await
}

async fn bad_urls(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    for key in ["mine", "yours"] {
        bucket.object(key).put("secret").await?;
    }
    let url = bucket.object("mine").presign_get(Duration::from_secs(1)).await?;
    let other_key = url.as_str().replacen("/mine?", "/yours?", 1);
    let longer = url.as_str().replacen("X-Amz-Expires=1&", "X-Amz-Expires=600&", 1);
    let flipped =
        format!("{}{}", &url.as_str()[..url.as_str().len() - 1], if url.as_str().ends_with('0') { '1' } else { '0' });
    for (what, tampered) in [("another key", &other_key), ("a longer life", &longer), ("another signature", &flipped)] {
        assert_ne!(tampered, url.as_str(), "{what}: nothing was changed");
        let answer = plain_http::get(tampered).await?;
        assert_eq!((answer.status, answer.code()), (403, Some("SignatureDoesNotMatch")), "{what}: {}", answer.head);
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let answer = plain_http::get(url.as_str()).await?;
    assert_eq!((answer.status, answer.code()), (403, Some("AccessDenied")), "expired: {}", answer.head);
    let unsigned = url.as_str().split('?').next().unwrap_or_default();
    // Swift takes a request without a signature for one of its own protocol, and a bad one.
    let expected = if store.is == Kind::Swift { 400 } else { 403 };
    assert_eq!(plain_http::get(unsigned).await?.status, expected, "without a signature");
    empty_and_delete(bucket).await
}

async fn wrong_keys(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    bucket.object("mine").put("secret").await?;

    let client = store.client_with(&store.access_key, "not-the-secret-key")?;
    let error = client.bucket(bucket.name()).object("mine").get().await.err().ok_or("a wrong secret was accepted")?;
    assert_eq!(error.s3_code(), Some(S3ErrorCode::SignatureDoesNotMatch), "{error}");
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert!(error.advice().is_some(), "no advice: {error}");

    let client = store.client_with("AKIANOBODY", "not-the-secret-key")?;
    let error = client.bucket(bucket.name()).object("mine").get().await.err().ok_or("an unknown key was accepted")?;
    let expected: &[&str] = match store.is {
        // Swift does not tell whether it is the key or the secret.
        Kind::Swift => &["SignatureDoesNotMatch"],
        Kind::MiniStack => &["InvalidAccessKeyId"],
        Kind::InProcess => &["NotSignedUp"],
    };
    assert!(error.code().is_some_and(|code| expected.contains(&code)), "{error}");
    empty_and_delete(bucket).await
}

/// Requests that were signed well and changed on the way.
async fn changed(store: Store) -> Outcome {
    let bucket = store.bucket().await?;
    let url = format!("{}/{}/changed", store.endpoint, bucket.name());
    let (signer, transport) = (SigV4::s3("us-east-1"), HyperTransport::new()?);
    let identity = Credentials::new(&*store.access_key, &*store.secret_key);
    let signed = |signer: &SigV4, at: OffsetDateTime| -> Result<http::Request<Body>, Failed> {
        let mut request = http::Request::put(&url).header("x-amz-meta-colour", "black").body(Body::from("body"))?;
        signer.sign(&mut request, Payload::bytes("body"), &identity, at)?;
        Ok(request)
    };
    let now = OffsetDateTime::now_utc();
    let answer = transport.send(signed(&signer, now)?).await?;
    assert_eq!(answer.status(), StatusCode::OK, "unchanged");

    let mut header = signed(&signer, now)?;
    header.headers_mut().insert("x-amz-meta-colour", "white".parse()?);
    let mut query = signed(&signer, now)?;
    *query.uri_mut() = format!("{url}?acl").parse()?;
    let mut requests = vec![
        ("a signed header", header),
        ("the query", query),
        ("an hour ago", signed(&signer, now - time::Duration::hours(1))?),
        ("an hour ahead", signed(&signer, now + time::Duration::hours(1))?),
    ];
    if store.is != Kind::MiniStack {
        // MiniStack does not hold the body against its hash.
        let mut body = signed(&signer, now)?;
        *body.body_mut() = Body::from("changed");
        requests.push(("the body", body));
    }
    if store.is == Kind::Swift {
        // Only Swift looks at the scope, and at headers that should have been signed.
        let mut added = signed(&signer, now)?;
        added.headers_mut().insert("x-amz-acl", "public-read".parse()?);
        requests.push(("a header that was not signed", added));
        requests.push(("another region", signed(&SigV4::s3("eu-west-1"), now)?));
        requests.push(("another service", signed(&SigV4::new("sqs", "us-east-1"), now)?));
    }
    for (what, request) in requests {
        let answer = transport.send(request).await?;
        let status = answer.status();
        // The in-process server reports a body that does not match as an error of its own.
        let refused =
            status.is_client_error() || (store.is == Kind::InProcess && what == "the body" && status.is_server_error());
        assert!(refused, "{what} was changed, and the answer is {status}");
    }
    assert_eq!(&bucket.object("changed").get().bytes(100).await?[..], b"body", "a refused request changed the object");
    empty_and_delete(bucket).await
}
