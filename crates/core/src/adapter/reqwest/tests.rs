use ::reqwest::{Body, Client, Url};
use aws_sigv4_free_signing::SigningErrorKind;
use http_body_util::Full;

use super::*;
use crate::identity::{BoxFuture, CredentialsError, CredentialsErrorKind};

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
}

fn request(url: &str) -> Request {
    Client::new().put(url).header("x-amz-meta-a", "b").body("body").build().unwrap()
}

fn signed(request: Request, payload: PayloadSigning) -> Result<Request, SignError> {
    sign_at(&SigV4::s3("us-east-1"), request, &credentials(), payload, OffsetDateTime::UNIX_EPOCH)
}

#[test]
fn signs_as_the_signer_does() {
    for (choice, payload) in
        [(PayloadSigning::Signed, Payload::bytes("body")), (PayloadSigning::Unsigned, Payload::Unsigned)]
    {
        let url = "https://bucket.s3.us-east-1.amazonaws.com/a%20b?x=1";
        let mut expected = http::Request::put(url).header("x-amz-meta-a", "b").body(()).unwrap();
        SigV4::s3("us-east-1").sign(&mut expected, payload, &credentials(), OffsetDateTime::UNIX_EPOCH).unwrap();
        let signed = signed(request(url), choice).unwrap();
        assert_eq!(signed.headers(), expected.headers());
        assert_eq!(signed.body().unwrap().as_bytes(), Some(&b"body"[..]));
        assert_eq!(signed.url().as_str(), url);
    }
}

#[test]
fn no_body_is_an_empty_one() {
    let request = Request::new(http::Method::GET, Url::parse("http://127.0.0.1:9000/bucket/key").unwrap());
    let signed = signed(request, PayloadSigning::default()).unwrap();
    assert_eq!(signed.headers()["host"], "127.0.0.1:9000");
    assert!(signed.headers()["x-amz-content-sha256"].to_str().unwrap().starts_with("e3b0c44298fc"));
}

#[test]
fn a_stream_is_refused_unless_it_is_left_unsigned() {
    let streamed = || {
        let mut request = request("http://127.0.0.1/bucket/key");
        *request.body_mut() = Some(Body::wrap(Full::new(bytes::Bytes::from_static(b"body"))));
        request
    };
    assert!(matches!(signed(streamed(), PayloadSigning::Signed), Err(SignError::StreamedBody)));
    let signed = signed(streamed(), PayloadSigning::Unsigned).unwrap();
    assert_eq!(signed.headers()["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
}

#[test]
fn what_can_not_be_signed_is_an_error_without_secrets() {
    // The client turns user information into a header of its own.
    let error = signed(request("http://user:canary@127.0.0.1/"), PayloadSigning::Signed).unwrap_err();
    assert!(
        matches!(&error, SignError::Signing(cause) if cause.kind() == SigningErrorKind::AlreadySigned),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("canary"));

    let long = format!("http://127.0.0.1/{}", "a".repeat(70_000));
    let error = signed(request(&long), PayloadSigning::Signed).unwrap_err();
    assert!(matches!(error, SignError::Url(_)), "{error:?}");
}

#[tokio::test]
async fn a_provider_that_fails_is_the_cause() {
    #[derive(Debug)]
    struct Away;
    impl ProvideCredentials for Away {
        fn identity(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
            Box::pin(async { Err(CredentialsError::new(CredentialsErrorKind::NotConfigured, "nothing is set up")) })
        }
    }
    let signer = SigV4::s3("us-east-1");
    let error = sign(&signer, request("http://127.0.0.1/"), &Away, PayloadSigning::Signed).await.unwrap_err();
    assert!(matches!(error, SignError::Credentials(_)));

    let signed = sign(&signer, request("http://127.0.0.1/"), &credentials(), PayloadSigning::Signed).await.unwrap();
    assert!(signed.headers().contains_key("authorization"));
}
