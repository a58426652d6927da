//! The HTTPS client and proxies: who is asked, with what, and what a refusal looks like.

use std::time::Duration;

use aws_sigv4_free_http_transport::hyper::{HyperTransport, Proxy, Tls};
use aws_sigv4_free_http_transport::{ErrorKind, Stage, Timeouts};
use integration_tests::scripted::{Scripted, Step, TestCa, Validity};
use libtest_mimic::{Failed, Trial};

use crate::harness::async_trial;
use crate::transport_faults::{expect, fetch_by, get};

/// `user:canary%40password` in base64, as it has to be sent.
const BASIC: &str = "Basic dXNlcjpjYW5hcnlAcGFzc3dvcmQ=";

fn case<F>(name: &str, run: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = Result<(), Failed>>,
{
    async_trial(&format!("transport_proxy::{name}"), run)
}

fn through(proxy: &Scripted) -> Result<Proxy, Failed> {
    Ok(Proxy::new(&format!("http://user:canary%40password@{}", proxy.address()))?)
}

/// A proxy that answers CONNECT with `answer`; the error that a client behind it gets.
async fn tunnel_refused(answer: Vec<Step>) -> Result<aws_sigv4_free_http_transport::Error, Failed> {
    let proxy = Scripted::start(vec![[vec![Step::ReadHead], answer].concat()]).await?;
    let client = HyperTransport::builder().proxy(through(&proxy)?).build()?;
    let error = expect(fetch_by(&client, get("https://server.example/")).await, ErrorKind::Proxy, false)?;
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(&proxy.address().to_string()) && !shown.contains("canary"), "{shown}");
    Ok(error)
}

pub fn trials() -> Vec<Trial> {
    vec![
        case("https_goes_through_a_tunnel", || async {
            let ca = TestCa::new()?;
            let script = vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::GoTo(0)];
            let server = Scripted::start_tls(ca.server(&["server.example"], Validity::Current)?, vec![script]).await?;
            let proxy = Scripted::start(vec![vec![
                Step::ReadHead,
                Step::write("HTTP/1.1 200 Connection established\r\nx: y\r\n\r\n"),
                Step::TunnelTo(server.address()),
            ]])
            .await?;
            let client =
                HyperTransport::builder().proxy(through(&proxy)?).tls(Tls::new().add_ca_pem(ca.pem())).build()?;
            for _ in 0..3 {
                let mut request = get("https://server.example:8443/key?X-Amz-Signature=abc");
                request.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 canary".parse()?);
                assert_eq!(fetch_by(&client, request).await?.1, "abc");
            }
            let asked = proxy.received();
            assert_eq!(asked.len(), 1, "the tunnel is used again");
            let expected = format!(
                "CONNECT server.example:8443 HTTP/1.1\r\nhost: server.example:8443\r\nproxy-authorization: {BASIC}\r\n\r\n"
            );
            assert_eq!(asked[0].head, expected);
            let served = server.received();
            assert!(served.iter().all(|request| request.head.starts_with("GET /key?X-Amz-Signature=abc HTTP/1.1\r\n")));
            assert!(served.iter().all(|request| !request.head.contains("proxy-authorization")));
            Ok(())
        }),
        case("http_is_forwarded", || async {
            let script = vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::GoTo(0)];
            let proxy = Scripted::start(vec![script]).await?;
            let client = HyperTransport::builder().proxy(through(&proxy)?).build()?;
            for _ in 0..2 {
                assert_eq!(fetch_by(&client, get("http://server.example:8080/a/../b?c")).await?.1, "abc");
            }
            let asked = proxy.received();
            assert_eq!((asked.len(), proxy.connections()), (2, 1));
            for request in asked {
                assert!(
                    request.head.starts_with("GET http://server.example:8080/a/../b?c HTTP/1.1\r\n"),
                    "{}",
                    request.head
                );
                assert!(request.head.contains("host: server.example:8080\r\n"), "{}", request.head);
                assert!(request.head.contains(&format!("proxy-authorization: {BASIC}\r\n")), "{}", request.head);
            }
            Ok(())
        }),
        case("a_tunnel_that_needs_a_password", || async {
            let error = tunnel_refused(vec![Step::respond("407 Proxy Authentication Required", "")]).await?;
            assert!(error.to_string().contains("407") && !error.is_transient(), "{error}");
            Ok(())
        }),
        case("a_tunnel_that_can_not_be_opened", || async {
            let error = tunnel_refused(vec![Step::respond("502 Bad Gateway", "<html>")]).await?;
            assert!(error.to_string().contains("502") && error.is_transient(), "{error}");
            Ok(())
        }),
        case("a_tunnel_that_is_forbidden", || async {
            let error = tunnel_refused(vec![Step::respond("403 Forbidden", "<html>")]).await?;
            assert!(error.to_string().contains("NO_PROXY") && !error.is_transient(), "{error}");
            Ok(())
        }),
        case("a_proxy_that_closes", || async {
            tunnel_refused(vec![Step::Close]).await?;
            tunnel_refused(vec![Step::write("HTTP/1.1 20"), Step::Reset]).await?;
            Ok(())
        }),
        case("a_proxy_that_is_none", || async {
            tunnel_refused(vec![Step::write("220 smtp.example ESMTP\r\n\r\n"), Step::Hang]).await?;
            tunnel_refused(vec![Step::WriteForever(vec![b'x'; 1000])]).await?;
            tunnel_refused(vec![Step::write("HTTP/1.1 200 OK\r\n\r\nsurprise"), Step::Hang]).await?;
            Ok(())
        }),
        case("a_forwarded_request_that_needs_a_password", || async {
            let script = vec![Step::ReadRequest, Step::respond("407 Proxy Authentication Required", ""), Step::GoTo(0)];
            let proxy = Scripted::start(vec![script]).await?;
            let client = HyperTransport::builder().proxy(through(&proxy)?).build()?;
            expect(fetch_by(&client, get("http://server.example/")).await, ErrorKind::Proxy, true)?;
            Ok(())
        }),
        case("a_proxy_that_hangs", || async {
            let proxy = Scripted::start(vec![vec![Step::ReadHead, Step::Hang]]).await?;
            let timeouts = Timeouts { handshake: Some(Duration::from_millis(100)), ..Timeouts::default() };
            let client = HyperTransport::builder().proxy(through(&proxy)?).timeouts(timeouts).build()?;
            let result = fetch_by(&client, get("https://server.example/")).await;
            let error = expect(result, ErrorKind::Timeout(Stage::Handshake), false)?;
            assert!(error.to_string().contains("the proxy 127.0.0.1"), "{error}");
            Ok(())
        }),
        case("a_proxy_that_is_not_there", || async {
            let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
            for url in ["https://server.example/", "http://server.example/"] {
                let client = HyperTransport::builder().proxy(Proxy::new(&format!("http://{address}"))?).build()?;
                let error = expect(fetch_by(&client, get(url)).await, ErrorKind::Proxy, false)?;
                assert!(error.to_string().contains(&address.to_string()) && error.is_transient(), "{error}");
            }
            Ok(())
        }),
        case("loopback_and_exceptions_are_reached_directly", || async {
            let script = vec![Step::ReadRequest, Step::respond("200 OK", "direct"), Step::GoTo(0)];
            let server = Scripted::start(vec![script]).await?;
            let proxy =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "proxy"), Step::GoTo(0)]]).await?;
            let client = HyperTransport::builder().proxy(through(&proxy)?).build()?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "direct");
            assert_eq!(fetch_by(&client, get(&server.url_for("localhost", "/"))).await?.1, "direct");
            assert_eq!(fetch_by(&client, get("http://server.example/")).await?.1, "proxy");
            // An exception is looked up, and there is no such name.
            let client = HyperTransport::builder().proxy(through(&proxy)?.no_proxy("invalid")).build()?;
            expect(fetch_by(&client, get("http://no-such-host.invalid/")).await, ErrorKind::Dns, false)?;
            // A host with an address of its own is reached there.
            let client = HyperTransport::builder()
                .proxy(through(&proxy)?)
                .resolve("server.example", server.address())
                .build()?;
            assert_eq!(fetch_by(&client, get("http://server.example/")).await?.1, "direct");
            assert_eq!(proxy.connections(), 1);
            Ok(())
        }),
        case("link_local_is_never_proxied", || async {
            let proxy =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "evil"), Step::GoTo(0)]]).await?;
            let timeouts = Timeouts { operation: Some(Duration::from_millis(100)), ..Timeouts::default() };
            let client = HyperTransport::builder().proxy(through(&proxy)?).timeouts(timeouts).build()?;
            for url in ["http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/", "http://[fd00:ec2::254]/"]
            {
                // Whatever happens there on this machine, the proxy must not hear of it.
                let _ = fetch_by(&client, get(url)).await;
            }
            assert_eq!(proxy.connections(), 0);
            Ok(())
        }),
    ]
}
