use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use tokio::runtime::Runtime;

use super::*;
use crate::Body;

const LIMIT: Duration = Duration::from_secs(3);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server that answers each request on each of its connections.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
                }
            });
        }
    });
    address
}

async fn fetch(transport: &HyperTransport, address: SocketAddr) {
    let request = http::Request::get(format!("http://{address}/")).body(Body::empty()).unwrap();
    let answer = async { transport.send(request).await.unwrap().into_body().collect(9).await.unwrap() };
    assert_eq!(tokio::time::timeout(LIMIT, answer).await.expect("an answer"), "ok");
}

#[test]
fn a_runtime_that_nobody_drives_does_not_hold_up_the_others() {
    let (transport, address) = (HyperTransport::builder().proxy(Proxy::none()).build().unwrap(), server());
    let (first, second) = (runtime(), runtime());
    first.block_on(fetch(&transport, address));
    // The connection is idle now, and its runtime waits for its next `block_on`.
    second.block_on(fetch(&transport, address));
    first.block_on(fetch(&transport, address));
}
