//! The S3 client before stores that break: the right result, or the right error, within its bound, and no half a file.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sigv4_free_core::call::RetryPolicy;
use aws_sigv4_free_http_transport::Timeouts;
use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy, Tls};
use aws_sigv4_free_s3::{Credentials, Error, ErrorExt, ErrorKind, S3};
use integration_tests::scripted::{Scripted, Step, TestCa, Validity, within};
use libtest_mimic::{Failed, Trial};

use crate::harness::async_trial;
use crate::s3::empty;

/// No case waits longer.
const BOUND: Duration = Duration::from_secs(10);

pub fn trials() -> Vec<Trial> {
    vec![
        async_trial("s3_faults::a_body_that_ends_early", || async {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
            broken_download(vec![Step::ReadHead, Step::write(head), Step::Close], ErrorKind::Transport).await
        }),
        async_trial("s3_faults::a_connection_that_is_reset_in_the_body", || async {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
            let wait = Step::Wait(Duration::from_millis(50));
            broken_download(vec![Step::ReadHead, Step::write(head), wait, Step::Reset], ErrorKind::Transport).await
        }),
        async_trial("s3_faults::silence_in_the_body", || async {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
            broken_download(vec![Step::ReadHead, Step::write(head), Step::Hang], ErrorKind::Timeout).await
        }),
        async_trial("s3_faults::silence_in_the_place_of_a_head", || async {
            broken_download(vec![Step::ReadHead, Step::Hang], ErrorKind::Timeout).await
        }),
        async_trial("s3_faults::bytes_that_were_not_stored", || async {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-amz-checksum-crc32: NhCmhg==\r\n\r\njello";
            broken_download(vec![Step::ReadHead, Step::write(head), Step::Hang], ErrorKind::Integrity).await
        }),
        async_trial("s3_faults::a_page_of_a_proxy", || async {
            let page = "<html><body>canary</body></html>";
            let head =
                format!("HTTP/1.1 403 Forbidden\r\nserver: squid\r\ncontent-length: {}\r\n\r\n{page}", page.len());
            broken_download(vec![Step::ReadHead, Step::write(head), Step::Hang], ErrorKind::Service).await
        }),
        async_trial("s3_faults::an_error_that_does_not_end", || async {
            let head = "HTTP/1.1 403 Forbidden\r\ncontent-length: 100000000000\r\n\r\n<Error><Code>AccessDenied</Code><Message>";
            let steps = vec![Step::ReadHead, Step::write(head), Step::WriteForever(vec![b'x'; 4096])];
            broken_download(steps, ErrorKind::Service).await
        }),
        async_trial("s3_faults::a_file_is_sent_whole_in_every_attempt", || async { every_attempt().await }),
        async_trial("s3_faults::a_file_that_becomes_shorter", || async { shorter().await }),
        async_trial("s3_faults::another_region_is_signed_for_once_and_remembered", || async { region().await }),
        async_trial("s3_faults::documents_that_are_none", || async { documents().await }),
        async_trial("s3_faults::over_https_the_bytes_are_not_signed", || async { https().await }),
    ]
}

/// A client that does not wait long, nor try again.
fn impatient(endpoint: &str, retry: RetryPolicy, tls: Tls) -> Result<S3, Failed> {
    let short = Some(Duration::from_millis(300));
    let timeouts = Timeouts { response_head: short, body_progress: short, ..Timeouts::default() };
    let transport = HyperTransport::builder().proxy(Proxy::none()).timeouts(timeouts).tls(tls).build()?;
    let credentials = Credentials::new("AKIDEXAMPLE", "canary of the secret key");
    let builder = empty().endpoint(endpoint).path_style().credentials(credentials);
    Ok(builder.retry(retry).transport(transport).build()?)
}

fn client(server: &Scripted) -> Result<S3, Failed> {
    impatient(&server.url(""), RetryPolicy::off(), Tls::new())
}

/// A folder with an old file, which has to be all that is in it afterwards.
struct Old {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Old {
    fn new() -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("cat.jpg");
        std::fs::write(&path, "old")?;
        Ok(Self { folder, path })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(std::fs::read(&self.path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 1, "a temporary file stays");
    }
}

async fn bounded<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    within(BOUND, future).await
}

async fn broken_download(steps: Vec<Step>, kind: ErrorKind) -> Result<(), Failed> {
    let server = Scripted::start(vec![steps]).await?;
    let old = Old::new()?;
    let object = client(&server)?.bucket("photos").object("cat.jpg");
    let error = bounded(object.get().to_file(old.path())).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().starts_with("s3 GetObject: "), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    old.assert_untouched();
    Ok(())
}

async fn every_attempt() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("file");
    let content: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(&path, &content)?;
    let refuse = |status: &str, code: &str| {
        vec![Step::ReadRequest, Step::respond(status, &format!("<Error><Code>{code}</Code></Error>")), Step::Close]
    };
    let server = Scripted::start(vec![
        refuse("503 Slow Down", "SlowDown"),
        vec![Step::ReadRequest, Step::Reset],
        vec![Step::ReadRequest, Step::respond("200 OK", ""), Step::Hang],
    ])
    .await?;
    let retry = RetryPolicy::standard().base_wait(Duration::from_millis(1)).max_wait(Duration::from_millis(5));
    let s3 = impatient(&server.url(""), retry, Tls::new())?;
    bounded(s3.bucket("photos").object("a").put_file(&path).send()).await?;
    let received = server.received();
    assert_eq!(received.len(), 3);
    let signature =
        |head: &str| head.split("Signature=").nth(1).map(|rest| rest.lines().next().unwrap_or("").to_owned());
    for request in &received {
        assert!(request.body == content, "an attempt sent other bytes");
        assert!(signature(&request.head).is_some(), "{}", request.head);
    }
    Ok(())
}

async fn shorter() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("file");
    std::fs::write(&path, vec![7; 4 << 20])?;
    let server = Scripted::start(vec![vec![Step::ReadHead, Step::Wait(Duration::from_secs(1)), Step::Close]]).await?;
    let cut = path.clone();
    let put = client(&server)?.bucket("photos").object("a").put_file(&path).on_progress(move |_, _| {
        std::fs::write(&cut, "short").unwrap();
    });
    let error = bounded(put.send()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    assert!(error.to_string().contains("was changed while it was sent"), "{error}");
    Ok(())
}

async fn region() -> Result<(), Failed> {
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; \
                     expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>";
    let server = Scripted::start(vec![vec![
        Step::ReadRequest,
        Step::respond("400 Bad Request", malformed),
        Step::ReadRequest,
        Step::respond("200 OK", "hello"),
        Step::ReadRequest,
        Step::respond("200 OK", "hello"),
        Step::Hang,
    ]])
    .await?;
    let object = client(&server)?.bucket("photos").object("a");
    for _ in 0..2 {
        assert_eq!(bounded(object.get().bytes(5)).await?, "hello");
    }
    let scopes: Vec<_> = server.received().iter().map(|request| request.head.contains("/eu-west-1/s3/")).collect();
    assert_eq!(scopes, [false, true, true], "the host stays, the region does not");
    Ok(())
}

async fn documents() -> Result<(), Failed> {
    let deep = format!("<ListBucketResult>{}", "<a>".repeat(100));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]><ListBucketResult><Name>&a;&a;</Name></ListBucketResult>";
    for document in ["", "canary", "<html><body>canary</body></html>", "<ListBucketResult>", &deep, bomb] {
        let respond = Step::respond("200 OK", document);
        let steps = vec![Step::ReadRequest, respond.clone(), Step::ReadRequest, respond, Step::Hang];
        let server = Scripted::start(vec![steps]).await?;
        let mut list = client(&server)?.bucket("photos").list("").await;
        let error = bounded(list.try_next()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Response, "{document}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    // A copy that answers with an error in its success is tried again, or told.
    let failed = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let server = Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", failed), Step::Hang]]).await?;
    let copy = client(&server)?.bucket("photos").object("a").copy_from(("photos", "b"));
    let error = bounded(copy.send()).await.unwrap_err();
    assert!(error.is_access_denied(), "{error}");
    Ok(())
}

async fn https() -> Result<(), Failed> {
    let authority = TestCa::new()?;
    let config = authority.server(&["localhost"], Validity::Current)?;
    let steps = vec![Step::ReadRequest, Step::respond("200 OK", ""), Step::Hang];
    let server = Scripted::start_tls(config, vec![steps]).await?;
    let tls = Tls::new().only_ca_pem(authority.pem());
    let s3 = impatient(&server.url_for("localhost", ""), RetryPolicy::off(), tls)?;
    bounded(s3.bucket("photos").object("a").put("hello").send()).await?;
    let received = server.received();
    let head = received[0].head.to_ascii_lowercase();
    assert!(head.starts_with("put /photos/a http/1.1\r\n"), "{head}");
    assert!(head.contains("x-amz-content-sha256: unsigned-payload\r\n"), "{head}");
    assert!(head.contains("x-amz-checksum-crc32: nhcmhg==\r\n"), "{head}");
    assert_eq!(received[0].body, b"hello");
    Ok(())
}
