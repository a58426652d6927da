//! The HTTPS client and certificates: who is trusted, and what the error says where nobody is.

use std::time::Duration;

use aws_sigv4_free_http_transport::hyper::{HyperTransport, Tls};
use aws_sigv4_free_http_transport::{Body, ErrorKind};
use integration_tests::scripted::{Scripted, Step, TestCa, Validity, self_signed};
use libtest_mimic::{Failed, Trial};

use crate::harness::async_trial;
use crate::transport_faults::{builder, expect, fetch_by, get, put};

const NAME: &str = "server.example";

fn case<F>(name: &str, run: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = Result<(), Failed>>,
{
    async_trial(&format!("transport_tls::{name}"), run)
}

/// A server that answers all requests, and a client that finds it under [`NAME`].
async fn pair(config: rustls::ServerConfig, tls: Tls) -> Result<(Scripted, HyperTransport), Failed> {
    let script = vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::GoTo(0)];
    let server = Scripted::start_tls(config, vec![script]).await?;
    let client = builder().tls(tls).resolve(NAME, server.address()).build()?;
    Ok((server, client))
}

/// The handshake with `config` fails, and the error holds `words`.
async fn refuses(config: rustls::ServerConfig, tls: Tls, words: &str) -> Result<(), Failed> {
    let (server, client) = pair(config, tls).await?;
    let error = expect(fetch_by(&client, get(&server.url_for(NAME, "/"))).await, ErrorKind::Tls, false)?;
    assert!(error.to_string().contains(words) && error.to_string().contains(NAME), "{error}");
    assert!(std::error::Error::source(&error).is_some() && !error.is_transient());
    assert!(server.received().is_empty());
    Ok(())
}

pub fn trials() -> Vec<Trial> {
    vec![
        case("an_own_ca_is_trusted", || async {
            let ca = TestCa::new()?;
            for tls in [Tls::new().add_ca_pem(ca.pem()), Tls::new().only_ca_pem(ca.pem())] {
                let (server, client) = pair(ca.server(&[NAME], Validity::Current)?, tls).await?;
                for _ in 0..3 {
                    assert_eq!(fetch_by(&client, get(&server.url_for(NAME, "/"))).await?.1, "abc");
                }
                assert_eq!(server.connections(), 1);
                let big = vec![7; 3 << 20];
                fetch_by(&client, put(&server.url_for(NAME, "/"), Body::from(big.clone()))).await?;
                assert!(server.received()[3].body == big);
            }
            Ok(())
        }),
        case("an_address_in_the_certificate", || async {
            let ca = TestCa::new()?;
            let (server, client) =
                pair(ca.server(&["127.0.0.1"], Validity::Current)?, Tls::new().add_ca_pem(ca.pem())).await?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abc");
            Ok(())
        }),
        case("a_server_name_of_its_own", || async {
            let ca = TestCa::new()?;
            let tls = Tls::new().add_ca_pem(ca.pem()).server_name(NAME);
            let (server, client) = pair(ca.server(&[NAME], Validity::Current)?, tls).await?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abc");
            Ok(())
        }),
        case("an_unknown_ca", || async {
            refuses(TestCa::new()?.server(&[NAME], Validity::Current)?, Tls::new(), "add the CA").await
        }),
        case("another_own_ca", || async {
            let tls = Tls::new().only_ca_pem(TestCa::new()?.pem());
            let config = TestCa::new()?.server(&[NAME], Validity::Current)?;
            let (server, client) = pair(config, tls).await?;
            expect(fetch_by(&client, get(&server.url_for(NAME, "/"))).await, ErrorKind::Tls, false)?;
            Ok(())
        }),
        case("self_signed", || async { refuses(self_signed(&[NAME])?, Tls::new(), "not trusted: add the CA").await }),
        case("another_name", || async {
            let ca = TestCa::new()?;
            refuses(ca.server(&["other.example"], Validity::Current)?, Tls::new().add_ca_pem(ca.pem()), "another name")
                .await
        }),
        case("expired", || async {
            let ca = TestCa::new()?;
            refuses(ca.server(&[NAME], Validity::Expired)?, Tls::new().add_ca_pem(ca.pem()), "has expired").await
        }),
        case("not_valid_yet", || async {
            let ca = TestCa::new()?;
            refuses(ca.server(&[NAME], Validity::Future)?, Tls::new().add_ca_pem(ca.pem()), "not valid yet").await
        }),
        case("plain_http_on_the_port", || async {
            let server =
                Scripted::start(vec![vec![Step::Read(20), Step::respond("400 Bad Request", ""), Step::Close]]).await?;
            let client = builder().build()?;
            let url = format!("https://{}/", server.address());
            let error = expect(fetch_by(&client, get(&url)).await, ErrorKind::Tls, false)?;
            assert!(error.to_string().contains("plain http"), "{error}");
            Ok(())
        }),
        case("tls_on_a_plain_url", || async {
            let (server, client) = pair(TestCa::new()?.server(&[NAME], Validity::Current)?, Tls::new()).await?;
            let url = format!("http://{NAME}:{}/", server.address().port());
            let error = fetch_by(&client, get(&url)).await.err().ok_or("no error")?;
            assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::ConnectionClosed), "{error:?}");
            Ok(())
        }),
        case("only_tls_1_1", || async {
            // What such a server says to a client that begins at 1.2: the alert `protocol_version`.
            let alert = vec![21, 3, 2, 0, 2, 2, 70];
            let server = Scripted::start(vec![vec![Step::Read(20), Step::Write(alert), Step::Hang]]).await?;
            let client = builder().build()?;
            let url = format!("https://{}/", server.address());
            let error = expect(fetch_by(&client, get(&url)).await, ErrorKind::Tls, false)?;
            assert!(error.to_string().contains("older than 1.2"), "{error}");
            Ok(())
        }),
        case("closed_in_the_handshake", || async {
            for ending in [Step::Close, Step::Reset] {
                let server = Scripted::start(vec![vec![Step::Read(20), ending]]).await?;
                let url = format!("https://{}/", server.address());
                let result = fetch_by(&builder().build()?, get(&url)).await;
                expect(result, ErrorKind::ConnectionClosed, false)?;
            }
            Ok(())
        }),
        case("a_body_without_close_notify_is_not_complete", || async {
            let ca = TestCa::new()?;
            let config = ca.server(&["127.0.0.1"], Validity::Current)?;
            let answer = "HTTP/1.1 200 OK\r\n\r\nabc";
            let server =
                Scripted::start_tls(config, vec![vec![Step::ReadRequest, Step::write(answer), Step::Close]]).await?;
            let client = builder().tls(Tls::new().add_ca_pem(ca.pem())).build()?;
            expect(fetch_by(&client, get(&server.url("/"))).await, ErrorKind::ConnectionClosed, true)?;
            Ok(())
        }),
        case("a_body_with_close_notify_is_complete", || async {
            let ca = TestCa::new()?;
            let config = ca.server(&["127.0.0.1"], Validity::Current)?;
            let answer = "HTTP/1.1 200 OK\r\n\r\nabc";
            let server = Scripted::start_tls(config, vec![vec![Step::ReadRequest, Step::write(answer)]]).await?;
            let client = builder().tls(Tls::new().add_ca_pem(ca.pem())).build()?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abc");
            Ok(())
        }),
        case("a_stale_connection_is_replaced", || async {
            let ca = TestCa::new()?;
            let config = ca.server(&["127.0.0.1"], Validity::Current)?;
            let server = Scripted::start_tls(
                config,
                vec![
                    vec![Step::ReadRequest, Step::respond("200 OK", "first"), Step::ReadRequest],
                    vec![Step::ReadRequest, Step::respond("200 OK", "second"), Step::Hang],
                ],
            )
            .await?;
            let client = builder().tls(Tls::new().add_ca_pem(ca.pem())).build()?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "first");
            assert_eq!(fetch_by(&client, put(&server.url("/"), Body::from("abc"))).await?.1, "second");
            Ok(())
        }),
        case("an_answer_before_the_end_of_the_upload", || async {
            let ca = TestCa::new()?;
            let config = ca.server(&["127.0.0.1"], Validity::Current)?;
            let server = Scripted::start_tls(
                config,
                vec![vec![
                    Step::ReadHead,
                    Step::respond("403 Forbidden", "<Error/>"),
                    Step::Wait(Duration::from_millis(100)),
                    Step::Reset,
                ]],
            )
            .await?;
            let client = builder().tls(Tls::new().add_ca_pem(ca.pem())).build()?;
            let (head, body) = fetch_by(&client, put(&server.url("/"), Body::from(vec![0; 32 << 20]))).await?;
            assert_eq!((head.status().as_u16(), &body[..]), (403, &b"<Error/>"[..]));
            Ok(())
        }),
    ]
}
