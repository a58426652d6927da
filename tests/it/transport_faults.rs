//! The HTTPS client against servers that break: each fault gives the right error, or the right answer, within its bound.

use std::time::{Duration, Instant};

use aws_sigv4_free_http_transport::hyper::{Builder, HyperTransport, Limits, MinThroughput, Proxy};
use aws_sigv4_free_http_transport::{Body, ConnectTo, Error, ErrorKind, Request, Response, Stage, Timeouts, Transport};
use integration_tests::scripted::{Scripted, Step, within};
use libtest_mimic::{Failed, Trial};

use crate::harness::async_trial;

/// The limit of the stages that are to time out.
const SHORT: Duration = Duration::from_millis(150);
/// More than a loopback connection needs.
const BOUND: Duration = Duration::from_secs(3);

pub(crate) fn builder() -> Builder {
    HyperTransport::builder().proxy(Proxy::none())
}

pub(crate) fn get(url: &str) -> Request {
    http::Request::get(url).body(Body::empty()).unwrap()
}

pub(crate) fn put(url: &str, body: Body) -> Request {
    http::Request::put(url).body(body).unwrap()
}

/// Sends with the default settings and reads the body.
async fn fetch(url: &str) -> Result<(Response, bytes::Bytes), Error> {
    fetch_by(&builder().build()?, get(url)).await
}

pub(crate) async fn fetch_by(client: &HyperTransport, request: Request) -> Result<(Response, bytes::Bytes), Error> {
    within(BOUND, async {
        let (head, body) = client.send(request).await?.into_parts();
        let bytes = body.collect(64 << 20).await?;
        Ok((Response::from_parts(head, aws_sigv4_free_http_transport::ResponseBody::empty()), bytes))
    })
    .await
}

#[track_caller]
pub(crate) fn expect<T>(result: Result<T, Error>, kind: ErrorKind, was_sent: bool) -> Result<Error, Failed> {
    let caller = std::panic::Location::caller();
    match result {
        Ok(_) => Err(format!("no error, expected {kind:?}, at {caller}").into()),
        Err(error) if (error.kind(), error.was_sent()) == (kind, was_sent) => Ok(error),
        Err(error) => Err(format!("expected {kind:?}, sent {was_sent}; got {error:?}, at {caller}").into()),
    }
}

/// A server that reads a request and then does `steps`.
async fn after_request(steps: &[Step]) -> std::io::Result<Scripted> {
    Scripted::start(vec![[&[Step::ReadRequest], steps].concat()]).await
}

fn case<F>(name: &str, run: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = Result<(), Failed>>,
{
    async_trial(&format!("transport_faults::{name}"), run)
}

pub fn trials() -> Vec<Trial> {
    let mut trials = answers();
    trials.extend(silence());
    trials.extend(uploads());
    trials.extend(connections());
    trials
}

/// Answers that are broken, too large, or end too early.
fn answers() -> Vec<Trial> {
    let closed = ErrorKind::ConnectionClosed;
    let broken: [(&'static str, ErrorKind, Vec<Step>); 19] = [
        ("reset_before_the_head", closed, vec![Step::Reset]),
        ("closed_before_the_head", closed, vec![Step::Close]),
        (
            "reset_inside_the_head",
            closed,
            vec![Step::write("HTTP/1.1 200 OK\r\nconte"), Step::Wait(SHORT), Step::Reset],
        ),
        ("closed_inside_the_head", closed, vec![Step::write("HTTP/1.1 200 OK\r\nconte"), Step::Close]),
        (
            "reset_inside_the_body",
            closed,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"), Step::Wait(SHORT), Step::Reset],
        ),
        (
            "reset_before_the_last_byte",
            closed,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabc"), Step::Wait(SHORT), Step::Reset],
        ),
        (
            "fewer_bytes_than_announced",
            closed,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"), Step::Close],
        ),
        (
            "no_byte_of_those_announced",
            closed,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"), Step::Close],
        ),
        (
            "chunks_without_an_end",
            closed,
            vec![Step::write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"), Step::Close],
        ),
        (
            "a_bad_chunk_size",
            ErrorKind::Protocol,
            vec![Step::write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nabc\r\n"), Step::Hang],
        ),
        (
            "two_lengths",
            ErrorKind::Protocol,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd"), Step::Hang],
        ),
        (
            "the_same_length_twice",
            ErrorKind::Protocol,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc"), Step::Hang],
        ),
        (
            "a_length_and_chunks",
            ErrorKind::Protocol,
            vec![
                Step::write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
                Step::Hang,
            ],
        ),
        (
            "another_transfer_encoding",
            ErrorKind::Protocol,
            vec![Step::write("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), Step::Hang],
        ),
        ("a_garbled_status_line", ErrorKind::Protocol, vec![Step::write("SSH-2.0-OpenSSH_9.6\r\n\r\n"), Step::Hang]),
        (
            "a_length_that_is_no_number",
            ErrorKind::Protocol,
            vec![Step::write("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), Step::Hang],
        ),
        (
            "a_switch_of_protocol",
            ErrorKind::Protocol,
            vec![
                Step::write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
                Step::Hang,
            ],
        ),
        (
            "headers_of_64_kib",
            ErrorKind::TooLarge,
            vec![
                Step::write(format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(64 * 1024))),
                Step::Hang,
            ],
        ),
        (
            "more_than_100_headers",
            ErrorKind::TooLarge,
            vec![
                Step::write(format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x: y\r\n".repeat(100))),
                Step::Hang,
            ],
        ),
    ];
    let mut trials: Vec<Trial> = broken
        .into_iter()
        .map(|(name, kind, steps)| {
            case(name, move || async move {
                let server = after_request(&steps).await?;
                expect(fetch(&server.url("/")).await, kind, true)?;
                assert_eq!(server.received().len(), 1, "a fresh connection is not tried twice");
                Ok(())
            })
        })
        .collect();
    trials.extend([
        case("a_head_without_end", || async {
            let line = format!("x: {}\r\n", "y".repeat(1000));
            let server = after_request(&[Step::write("HTTP/1.1 200 OK\r\n"), Step::WriteForever(line.into())]).await?;
            expect(fetch(&server.url("/")).await, ErrorKind::TooLarge, true)?;
            Ok(())
        }),
        case("interim_responses_are_passed_over", || async {
            let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
            let server = after_request(&[Step::write(interim), Step::respond("200 OK", "abc"), Step::Hang]).await?;
            let (head, body) = fetch(&server.url("/")).await?;
            assert_eq!((head.status().as_u16(), &body[..]), (200, &b"abc"[..]));
            Ok(())
        }),
        case("interim_responses_without_end", || async {
            let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
            let server = after_request(&[Step::WriteForever(flood.into())]).await?;
            expect(fetch(&server.url("/")).await, ErrorKind::TooLarge, true)?;
            Ok(())
        }),
        case("limits_of_the_head_are_settings", || async {
            let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n{}", "y".repeat(80_000), "x: y\r\n".repeat(150));
            let server = after_request(&[Step::write(head + "content-length: 0\r\n\r\n"), Step::Hang]).await?;
            let client = builder().limits(Limits { head_bytes: 90_000, headers: 200 }).build()?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.0.headers().get_all("x").iter().count(), 151);
            Ok(())
        }),
        case("more_bytes_than_announced_are_not_the_next_answer", || async {
            let answer =
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
            let server = Scripted::start(vec![
                vec![Step::ReadRequest, Step::write(answer), Step::Hang],
                vec![Step::ReadRequest, Step::respond("200 OK", "good"), Step::Hang],
            ])
            .await?;
            let client = builder().build()?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abc");
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "good");
            assert_eq!(server.connections(), 2);
            Ok(())
        }),
        case("an_endless_body_is_cut_at_the_limit", || async {
            let server =
                after_request(&[Step::write("HTTP/1.1 200 OK\r\n\r\n"), Step::WriteForever(vec![b'x'; 4096])]).await?;
            let response = builder().build()?.send(get(&server.url("/"))).await?;
            expect(within(BOUND, response.into_body().collect(100_000)).await, ErrorKind::TooLarge, true)?;
            closes(&server).await
        }),
        case("a_body_until_the_end_of_the_connection", || async {
            let server = after_request(&[Step::write("HTTP/1.1 200 OK\r\n\r\nabc"), Step::Close]).await?;
            assert_eq!(fetch(&server.url("/")).await?.1, "abc");
            Ok(())
        }),
        case("a_chunked_body_with_trailers", || async {
            let body =
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nx-check: 1\r\n\r\n";
            let server = Scripted::start(vec![vec![Step::ReadRequest, Step::write(body), Step::GoTo(0)]]).await?;
            let client = builder().build()?;
            for _ in 0..3 {
                assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abc");
            }
            assert_eq!(server.connections(), 1);
            Ok(())
        }),
        case("heads_without_bodies_leave_the_connection_usable", || async {
            let head = Step::write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
            let none = Step::write("HTTP/1.1 204 No Content\r\n\r\n");
            let server = Scripted::start(vec![vec![
                Step::ReadRequest,
                head,
                Step::ReadRequest,
                none,
                Step::ReadRequest,
                Step::respond("200 OK", "abc"),
                Step::Hang,
            ]])
            .await?;
            let client = builder().build()?;
            let request = http::Request::head(server.url("/")).body(Body::empty())?;
            let (head, body) = fetch_by(&client, request).await?;
            assert_eq!((&head.headers()["content-length"], body.len()), (&"1000".parse()?, 0));
            assert_eq!(
                fetch_by(&client, http::Request::delete(server.url("/")).body(Body::empty())?).await?.0.status(),
                204
            );
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abc");
            assert_eq!(server.connections(), 1);
            Ok(())
        }),
        case("a_redirect_is_an_answer", || async {
            let other = after_request(&[Step::respond("200 OK", "")]).await?;
            let redirect =
                format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", other.url("/"));
            let server = after_request(&[Step::write(redirect), Step::Hang]).await?;
            let mut request = get(&server.url("/"));
            request.headers_mut().insert("authorization", "canary".parse()?);
            assert_eq!(fetch_by(&builder().build()?, request).await?.0.status(), 307);
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(other.connections(), 0);
            Ok(())
        }),
    ]);
    trials
}

/// Waits until the server has no open connection.
async fn closes(server: &Scripted) -> Result<(), Failed> {
    let start = Instant::now();
    while server.open() > 0 {
        if start.elapsed() > BOUND {
            return Err("the client keeps the connection open".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Sends with `timeouts`, and checks that the stage named ends it, in time.
async fn stalls(
    server: &Scripted,
    request: Request,
    timeouts: Timeouts,
    stage: Stage,
    was_sent: bool,
) -> Result<(), Failed> {
    let client = builder().timeouts(timeouts).build()?;
    let start = Instant::now();
    expect(fetch_by(&client, request).await, ErrorKind::Timeout(stage), was_sent)?;
    let took = start.elapsed();
    assert!(took >= SHORT && took < SHORT * 6, "took {took:?} for a limit of {SHORT:?}");
    closes(server).await
}

/// Servers that fall silent.
fn silence() -> Vec<Trial> {
    let head = Timeouts { response_head: Some(SHORT), ..Timeouts::default() };
    let body = Timeouts { body_progress: Some(SHORT), ..Timeouts::default() };
    let whole = Timeouts { operation: Some(SHORT), ..Timeouts::default() };
    vec![
        case("silence_before_the_head", move || async move {
            let server = after_request(&[Step::Hang]).await?;
            stalls(&server, get(&server.url("/")), head, Stage::ResponseHead, true).await?;
            stalls(&server, put(&server.url("/"), Body::from("abc")), head, Stage::ResponseHead, true).await?;
            stalls(&server, get(&server.url("/")), whole, Stage::Operation, true).await
        }),
        case("a_head_that_drips", move || async move {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".repeat(5);
            let server = after_request(&[Step::Drip(answer.into(), SHORT / 10)]).await?;
            stalls(&server, get(&server.url("/")), head, Stage::ResponseHead, true).await
        }),
        case("silence_inside_the_body", move || async move {
            let server =
                after_request(&[Step::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"), Step::Hang]).await?;
            stalls(&server, get(&server.url("/")), body, Stage::BodyProgress, true).await?;
            stalls(&server, get(&server.url("/")), whole, Stage::Operation, true).await
        }),
        case("a_body_that_drips_makes_progress", move || async move {
            let server = after_request(&[
                Step::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
                Step::Drip(b"abcdefghi".to_vec(), SHORT / 3),
            ])
            .await?;
            let client = builder().timeouts(body).build()?;
            assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "abcdefghi");
            Ok(())
        }),
        case("a_body_that_drips_below_the_floor", move || async move {
            let server = after_request(&[
                Step::write("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"),
                Step::Drip(vec![b'x'; 900], Duration::from_millis(10)),
            ])
            .await?;
            for (bytes_per_second, is_met) in [(1000, false), (10, true)] {
                let floor = MinThroughput { bytes_per_second, over: SHORT };
                let whole = Timeouts { operation: Some(SHORT * 4), ..Timeouts::default() };
                let client = builder().min_throughput(floor).timeouts(whole).build()?;
                let stage = if is_met { Stage::Operation } else { Stage::BodyProgress };
                expect(fetch_by(&client, get(&server.url("/"))).await, ErrorKind::Timeout(stage), true)?;
            }
            Ok(())
        }),
        case("an_endless_body_ends_with_the_operation", move || async move {
            let server =
                after_request(&[Step::write("HTTP/1.1 200 OK\r\n\r\n"), Step::WriteForever(vec![b'x'; 64])]).await?;
            let client = builder().timeouts(whole).build()?;
            let mut response = client.send(get(&server.url("/"))).await?;
            let error = within(BOUND, async {
                loop {
                    if let Err(error) = response.body_mut().chunk().await {
                        return error;
                    }
                }
            });
            expect::<()>(Err(error.await), ErrorKind::Timeout(Stage::Operation), true)?;
            Ok(())
        }),
        case("a_reader_that_rests_is_not_a_stall", move || async move {
            let length = 4 << 20;
            let server = after_request(&[
                Step::write(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")),
                Step::Write(vec![b'x'; length]),
                Step::Hang,
            ])
            .await?;
            let floor = MinThroughput { bytes_per_second: 1 << 10, over: SHORT };
            let client = builder().timeouts(body).min_throughput(floor).build()?;
            let mut response = client.send(get(&server.url("/"))).await?;
            let mut received = response.body_mut().chunk().await?.map_or(0, |chunk| chunk.len());
            tokio::time::sleep(SHORT * 3).await;
            while let Some(chunk) = within(BOUND, response.body_mut().chunk()).await? {
                received += chunk.len();
            }
            assert_eq!(received, length);
            Ok(())
        }),
        case("an_upload_that_nobody_reads", move || async move {
            let server = Scripted::start(vec![vec![Step::ReadHead, Step::Hang]]).await?;
            let big = Body::from(vec![0; 32 << 20]);
            stalls(&server, put(&server.url("/"), big), body, Stage::BodyProgress, true).await
        }),
        case("an_upload_below_the_floor", move || async move {
            let server = Scripted::start(vec![vec![Step::ReadHead, Step::Hang]]).await?;
            let floor = MinThroughput { bytes_per_second: 1 << 30, over: SHORT };
            let client = builder().min_throughput(floor).build()?;
            let request = put(&server.url("/"), Body::from(vec![0; 32 << 20]));
            expect(fetch_by(&client, request).await, ErrorKind::Timeout(Stage::BodyProgress), true)?;
            Ok(())
        }),
        case("silence_in_the_tls_handshake", || async {
            let server = Scripted::start(vec![vec![Step::Hang]]).await?;
            let timeouts = Timeouts { handshake: Some(SHORT), ..Timeouts::default() };
            let url = format!("https://{}/", server.address());
            stalls(&server, get(&url), timeouts, Stage::Handshake, false).await
        }),
        case("time_outs_of_a_request_come_first", move || async move {
            let server = after_request(&[Step::Hang]).await?;
            let mut request = get(&server.url("/"));
            request.extensions_mut().insert(head);
            stalls(&server, request, Timeouts::NONE, Stage::ResponseHead, true).await
        }),
    ]
}

/// Request bodies, and answers before their end.
fn uploads() -> Vec<Trial> {
    vec![
        case("an_answer_before_the_end_of_the_upload", || async {
            for ending in [Step::Reset, Step::Close, Step::Hang] {
                // Closing with unread data makes the server's end send RST right behind the answer.
                let server = Scripted::start(vec![vec![
                    Step::ReadHead,
                    Step::respond("403 Forbidden", "<Error/>"),
                    Step::Wait(SHORT),
                    ending,
                ]])
                .await?;
                let client = builder().build()?;
                let (head, body) = fetch_by(&client, put(&server.url("/"), Body::from(vec![0; 32 << 20]))).await?;
                assert_eq!((head.status().as_u16(), &body[..]), (403, &b"<Error/>"[..]));
                closes(&server).await?;
            }
            Ok(())
        }),
        case("an_answer_right_before_the_reset", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadHead, Step::respond("403 Forbidden", "<Error/>"), Step::Close]])
                    .await?;
            let client = builder().build()?;
            for _ in 0..20 {
                let (head, body) = fetch_by(&client, put(&server.url("/"), Body::from(vec![0; 8 << 20]))).await?;
                assert_eq!((head.status().as_u16(), &body[..]), (403, &b"<Error/>"[..]));
            }
            Ok(())
        }),
        case("a_reset_in_the_middle_of_the_upload", || async {
            let server = Scripted::start(vec![vec![Step::ReadHead, Step::Read(100_000), Step::Reset]]).await?;
            let client = builder().build()?;
            let result = fetch_by(&client, put(&server.url("/"), Body::from(vec![0; 32 << 20]))).await;
            expect(result, ErrorKind::ConnectionClosed, true)?;
            Ok(())
        }),
        case("a_half_closed_upload_is_answered", || async {
            let server = after_request(&[Step::respond("200 OK", "abc"), Step::HalfClose]).await?;
            assert_eq!(fetch_by(&builder().build()?, put(&server.url("/"), Body::from("xyz"))).await?.1, "abc");
            Ok(())
        }),
        case("bodies_of_each_kind_arrive_whole", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", ""), Step::GoTo(0)]]).await?;
            let client = builder().build()?;
            let content: Vec<u8> = (0..1_000_000_u32).map(|index| (index % 251) as u8).collect();
            let file = tempfile::NamedTempFile::new()?;
            std::fs::write(file.path(), &content)?;
            let start = {
                let content = content.clone();
                move || streams::pieces(&content, 7_777)
            };
            let bodies = [
                Body::from(content.clone()),
                Body::file(file.path(), 10, 999_990),
                Body::stream(Some(1_000_000), start.clone()),
                Body::stream(None, start),
            ];
            for body in bodies {
                fetch_by(&client, put(&server.url("/"), body)).await?;
            }
            let received = server.received();
            assert!(received[0].body == content && received[1].body == content[10..] && received[2].body == content);
            assert!(received[0].head.contains("content-length: 1000000\r\n"), "{}", received[0].head);
            assert!(
                received[3].head.contains("transfer-encoding: chunked\r\n") && received[3].body.len() > content.len()
            );
            assert!(received.iter().all(|request| !request.head.contains("expect")));
            assert_eq!(server.connections(), 1);
            Ok(())
        }),
        case("a_request_body_that_fails", || async {
            let server = after_request(&[Step::respond("200 OK", "")]).await?;
            let client = builder().build()?;
            let missing = put(&server.url("/"), Body::file("/no/such/file", 0, 10));
            let error = fetch_by(&client, missing).await.err().ok_or("no error")?;
            assert_eq!(error.kind(), ErrorKind::RequestBody);
            assert!(error.to_string().contains("/no/such/file"), "{error}");
            let short = put(&server.url("/"), Body::stream(Some(11), || streams::pieces(b"abc", 2)));
            let error = fetch_by(&client, short).await.err().ok_or("no error")?;
            assert_eq!(error.kind(), ErrorKind::RequestBody);
            assert!(server.received().is_empty(), "the server took a request that was not whole");
            Ok(())
        }),
        case("a_slow_source_is_not_a_stall", || async {
            let server = after_request(&[Step::respond("200 OK", "abc"), Step::Hang]).await?;
            let timeouts = Timeouts { body_progress: Some(SHORT), response_head: Some(SHORT), ..Timeouts::default() };
            let client = builder().timeouts(timeouts).build()?;
            let body = Body::once(Some(3), Box::new(streams::Slow::new(3, SHORT * 2)));
            assert_eq!(fetch_by(&client, put(&server.url("/"), body)).await?.1, "abc");
            Ok(())
        }),
    ]
}

/// Connecting, and connections that are used again.
fn connections() -> Vec<Trial> {
    vec![
        case("refused", || async {
            let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
            let error = expect(fetch(&format!("http://{address}/")).await, ErrorKind::Connect, false)?;
            assert!(error.to_string().contains(&format!("connection refused: {address}")), "{error}");
            Ok(())
        }),
        case("no_such_host", || async {
            expect(fetch("http://no-such-host.invalid/").await, ErrorKind::Dns, false)?;
            Ok(())
        }),
        case("an_address_that_never_answers", || async {
            let blackhole = full_backlog()?;
            let client = builder().timeouts(Timeouts { connect: Some(SHORT), ..Timeouts::default() }).build()?;
            let start = Instant::now();
            let result = fetch_by(&client, get(&format!("http://{}/", blackhole.address))).await;
            expect(result, ErrorKind::Timeout(Stage::Connect), false)?;
            assert!(start.elapsed() < SHORT * 4, "{:?}", start.elapsed());
            Ok(())
        }),
        case("the_second_address_is_used_where_the_first_is_dead", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::Hang]]).await?;
            let refusing = std::net::TcpListener::bind("127.0.0.2:0")?.local_addr()?;
            let blackhole = full_backlog()?;
            for dead in [refusing, blackhole.address] {
                let client = builder().resolve("two.example", dead).resolve("two.example", server.address()).build()?;
                let start = Instant::now();
                assert_eq!(fetch_by(&client, get("http://TWO.example/")).await?.1, "abc");
                assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
            }
            assert!(server.received()[0].head.contains("host: TWO.example\r\n"));
            Ok(())
        }),
        case("one_request_can_name_its_address", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::Hang]]).await?;
            let client = builder().build()?;
            let mut request = get("http://checked.invalid/");
            request.extensions_mut().insert(ConnectTo(server.address()));
            assert_eq!(fetch_by(&client, request).await?.1, "abc");
            // The connection is not for those who did not name the address.
            expect(fetch_by(&client, get("http://checked.invalid/")).await, ErrorKind::Dns, false)?;
            Ok(())
        }),
        case("connections_are_used_again_and_closed_when_idle", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::GoTo(0)]]).await?;
            let client = builder().pool_idle(SHORT).build()?;
            for _ in 0..50 {
                fetch_by(&client, get(&server.url("/"))).await?;
            }
            assert_eq!((server.connections(), server.open()), (1, 1));
            tokio::time::sleep(SHORT * 3).await;
            assert_eq!(server.open(), 0, "an idle connection is still open");
            fetch_by(&client, get(&server.url("/"))).await?;
            assert_eq!(server.connections(), 2);
            drop(client);
            closes(&server).await
        }),
        case("no_pool_with_no_idle_time", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::GoTo(0)]]).await?;
            let client = builder().pool_idle(Duration::ZERO).build()?;
            for _ in 0..3 {
                fetch_by(&client, get(&server.url("/"))).await?;
            }
            assert_eq!(server.connections(), 3);
            closes(&server).await
        }),
        case("a_body_that_is_not_read_closes_its_connection", || async {
            let answer = Step::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
            let server = after_request(&[answer, Step::Hang]).await?;
            let client = builder().build()?;
            drop(client.send(get(&server.url("/"))).await?);
            closes(&server).await?;
            // So does giving up the request.
            let server = after_request(&[Step::Hang]).await?;
            let _ = tokio::time::timeout(SHORT, client.send(get(&server.url("/")))).await;
            closes(&server).await
        }),
        stale("a_stale_connection_is_replaced_for_a_get", Step::Close, get, true),
        stale("a_stale_connection_is_replaced_for_a_replayable_post", Step::Close, post, true),
        stale("a_reset_stale_connection_is_replaced", Step::Reset, post, true),
        stale("a_stale_connection_fails_a_body_that_goes_once", Step::Close, post_once, false),
        case("a_fault_after_the_first_byte_is_not_retried", || async {
            let server = Scripted::start(vec![
                vec![
                    Step::ReadRequest,
                    Step::respond("200 OK", "abc"),
                    Step::ReadRequest,
                    Step::write("HTTP/1.1 2"),
                    Step::Close,
                ],
                vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::Hang],
            ])
            .await?;
            let client = builder().build()?;
            fetch_by(&client, get(&server.url("/"))).await?;
            expect(fetch_by(&client, get(&server.url("/"))).await, ErrorKind::ConnectionClosed, true)?;
            assert_eq!(server.connections(), 1);
            Ok(())
        }),
        case("a_second_fault_is_told", || async {
            let once = vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::ReadRequest, Step::Close];
            let server = Scripted::start(vec![once, vec![Step::ReadRequest, Step::Close]]).await?;
            let client = builder().build()?;
            fetch_by(&client, get(&server.url("/"))).await?;
            expect(fetch_by(&client, get(&server.url("/"))).await, ErrorKind::ConnectionClosed, true)?;
            assert_eq!(server.connections(), 2);
            Ok(())
        }),
        case("an_idle_connection_that_was_closed_is_not_used", || async {
            let closing = vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::Close];
            let server = Scripted::start(vec![closing]).await?;
            let client = builder().build()?;
            for round in 1..=20 {
                fetch_by(&client, http::Request::post(server.url("/")).body(once())?).await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
                assert_eq!(server.connections(), round);
            }
            Ok(())
        }),
        case("one_thread_is_enough", || async {
            let server =
                Scripted::start(vec![vec![Step::ReadRequest, Step::respond("200 OK", "abc"), Step::GoTo(0)]]).await?;
            let url = server.url("/");
            let client = builder().build()?;
            for _ in 0..2 {
                // Connections of the first runtime are dead in the second.
                let (client, url) = (client.clone(), url.clone());
                tokio::task::spawn_blocking(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(async {
                        for _ in 0..20 {
                            assert_eq!(fetch_by(&client, get(&url)).await?.1, "abc");
                        }
                        Ok::<(), Failed>(())
                    })
                })
                .await??;
            }
            assert_eq!(server.connections(), 2);
            Ok(())
        }),
        Trial::test("transport_faults::without_a_runtime_there_is_an_error", || {
            let client = builder().build()?;
            let request = get("http://127.0.0.1:1/");
            let mut future = client.send(request);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            match future.as_mut().poll(&mut context) {
                std::task::Poll::Ready(result) => expect(result, ErrorKind::Configuration, false).map(drop),
                std::task::Poll::Pending => Err("the request waits".into()),
            }
        }),
    ]
}

fn post(url: &str) -> Request {
    http::Request::post(url).body(Body::from("abc")).unwrap()
}

fn once() -> Body {
    Body::once(Some(3), streams::pieces(b"abc", 2))
}

fn post_once(url: &str) -> Request {
    http::Request::post(url).body(once()).unwrap()
}

/// A server that answers one request on its first connection, and ends that one when the next request has come.
fn stale(name: &str, ending: Step, request: fn(&str) -> Request, is_retried: bool) -> Trial {
    case(name, move || async move {
        let server = Scripted::start(vec![
            vec![Step::ReadRequest, Step::respond("200 OK", "first"), Step::ReadRequest, ending],
            vec![Step::ReadRequest, Step::respond("200 OK", "second"), Step::GoTo(0)],
        ])
        .await?;
        let client = builder().build()?;
        assert_eq!(fetch_by(&client, get(&server.url("/"))).await?.1, "first");
        let result = fetch_by(&client, request(&server.url("/"))).await;
        if is_retried {
            assert_eq!(result?.1, "second");
            assert_eq!(server.connections(), 2);
            let served = server.received().iter().filter(|request| request.connection == 1).count();
            assert_eq!(served, 1, "the request was processed {served} times");
        } else {
            expect(result, ErrorKind::ConnectionClosed, true)?;
            assert_eq!(server.connections(), 1);
        }
        Ok(())
    })
}

/// An address whose SYNs are not answered.
struct Blackhole {
    address: std::net::SocketAddr,
    _listener: tokio::net::TcpListener,
    _streams: Vec<std::net::TcpStream>,
}

/// A listener that accepts nothing, with its queue full: the kernel drops further SYNs.
fn full_backlog() -> std::io::Result<Blackhole> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind("127.0.0.2:0".parse().map_err(std::io::Error::other)?)?;
    let listener = socket.listen(0)?;
    let address = listener.local_addr()?;
    let mut streams = Vec::new();
    for _ in 0..4 {
        match std::net::TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            Ok(stream) => streams.push(stream),
            Err(_) => break,
        }
    }
    Ok(Blackhole { address, _listener: listener, _streams: streams })
}

pub(crate) mod streams {
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use aws_sigv4_free_http_transport::{ChunkSource, Error};
    use bytes::Bytes;

    struct Pieces(Bytes, usize);

    /// `content` in pieces of `size`.
    pub(crate) fn pieces(content: &[u8], size: usize) -> Box<dyn ChunkSource> {
        Box::new(Pieces(Bytes::copy_from_slice(content), size))
    }

    impl ChunkSource for Pieces {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
            let size = self.0.len().min(self.1);
            Poll::Ready((size > 0).then(|| Ok(self.0.split_to(size))))
        }
    }

    /// Gives a byte, and takes a while for each.
    pub(crate) struct Slow {
        left: usize,
        pause: Duration,
        timer: Option<Pin<Box<tokio::time::Sleep>>>,
    }

    impl Slow {
        pub(crate) fn new(count: usize, pause: Duration) -> Self {
            Self { left: count, pause, timer: None }
        }
    }

    impl ChunkSource for Slow {
        fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            let pause = self.pause;
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            ready!(timer.as_mut().poll(context));
            self.timer = None;
            self.left -= 1;
            Poll::Ready(Some(Ok(Bytes::from_static(b"x"))))
        }
    }
}
