//! The in-process S3 server refuses what it must: a server that accepts anything would let every other case pass.

use integration_tests::plain_http;
use integration_tests::refusal;
use integration_tests::s3_server::S3Server;
use libtest_mimic::Trial;
use tokio::net::TcpStream;

use crate::harness::{async_trial, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        async_trial("s3_server::unsigned_is_refused", || async {
            let server = S3Server::start().await;
            let answer = plain_http::get(&server.endpoint()).await?;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert_eq!(server.requests(), 1);
            server.stop().await;
            Ok(())
        }),
        async_trial("s3_server::a_made_up_signature_is_refused", || async {
            let server = S3Server::start().await;
            let scope = format!("{}/20261121/us-east-1/s3/aws4_request", server.access_key());
            let authorization = format!(
                "authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={}",
                "0".repeat(64)
            );
            let answer =
                plain_http::get_with(&server.endpoint(), &[&authorization, "x-amz-date: 20261121T000000Z"]).await?;
            assert!((400..500).contains(&answer.status), "{answer:?}");
            server.stop().await;
            Ok(())
        }),
        trial("s3_server::a_refusal_says_what_was_computed", || {
            // The GET of an object in AWS's published examples of Signature Version 4 for S3.
            let (head, ()) = http::Request::get("/test.txt")
                .header("host", "examplebucket.s3.amazonaws.com")
                .header("range", "bytes=0-9")
                .header("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
                .header("x-amz-date", "20130524T000000Z")
                .header(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                     SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=0",
                )
                .body(())?
                .into_parts();
            let computed = refusal::compute(&head).ok_or("nothing was computed")?;
            let expected = "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
                            7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
            assert_eq!(computed.string_to_sign, expected, "{}", computed.canonical_request);
            let document = refusal::with_details("<Error><Code>x</Code></Error>", &computed).ok_or("not an error")?;
            assert!(document.starts_with("<Error><Code>x</Code><StringToSign>AWS4-HMAC-SHA256\n2013"), "{document}");
            assert!(document.ends_with("</CanonicalRequest></Error>"), "{document}");
            Ok(())
        }),
        async_trial("s3_server::a_stopped_server_is_gone", || async {
            let server = S3Server::start().await;
            let (port, folder) = (server.port(), server.folder().to_owned());
            server.stop().await;
            assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port still answers");
            assert!(!folder.exists(), "the folder is still there");
            Ok(())
        }),
    ]
}
