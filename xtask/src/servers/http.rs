//! Just enough HTTP to ask a server on the loopback address whether it is ready.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(2);

/// Whether `GET path` is answered with 200.
pub fn is_ok(url: &str, path: &str) -> bool {
    let Some(address) = url.strip_prefix("http://").and_then(|address| address.parse::<SocketAddr>().ok()) else {
        return false;
    };
    status(address, path).is_some_and(|line| line.split(' ').nth(1) == Some("200"))
}

fn status(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, WITHIN).ok()?;
    stream.set_read_timeout(Some(WITHIN)).ok()?;
    stream.set_write_timeout(Some(WITHIN)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut head = Vec::new();
    stream.take(64).read_to_end(&mut head).ok()?;
    Some(String::from_utf8_lossy(&head).lines().next()?.to_owned())
}

/// Ports of 127.0.0.1 that are free now, each another.
pub fn free_ports<const N: usize>() -> Result<[u16; N], String> {
    let no_port = |error: std::io::Error| format!("no free port on 127.0.0.1: {error}");
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(no_port)?;
        *port = listener.local_addr().map_err(no_port)?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        });
        format!("http://{address}")
    }

    #[test]
    fn only_200_is_ready() {
        assert!(is_ok(&answering("HTTP/1.1 200 OK\r\n\r\n"), "/"));
        assert!(!is_ok(&answering("HTTP/1.1 503 Service Unavailable\r\n\r\n200"), "/"));
        assert!(!is_ok(&answering(""), "/"));
        assert!(!is_ok("http://127.0.0.1:1", "/"));
        assert!(!is_ok("not a url", "/"));
    }

    #[test]
    fn free_ports_differ() {
        let [a, b, c] = free_ports::<3>().unwrap();
        assert!(a != b && b != c && a != c);
    }
}
