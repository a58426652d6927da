//! A tunnel through a proxy: CONNECT and the proxy's answer.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connection::Socket;
use super::host_port;
use super::proxy::ProxyServer;
use crate::{Error, ErrorKind};

/// How long a proxy's answer may be. More than any proxy needs.
const ANSWER_LIMIT: usize = 16 * 1024;

/// Asks `proxy`, at the other end of `socket`, for a tunnel to `host`.
pub(super) async fn open(mut socket: Socket, proxy: &ProxyServer, host: &str, port: u16) -> Result<Socket, Error> {
    let target = host_port(host, port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let name = format!("the proxy {}", proxy.address());
    let lost = |error: std::io::Error| {
        Error::new(ErrorKind::Proxy, format!("{name} closed the connection when asked for a tunnel to {target}"))
            .with_source(error)
    };
    socket.write_all(&request).await.map_err(lost)?;
    let mut answer = Vec::with_capacity(512);
    let end = loop {
        if let Some(end) = find_end(&answer) {
            break end;
        }
        if answer.len() >= ANSWER_LIMIT {
            return Err(Error::new(
                ErrorKind::Proxy,
                format!("the answer of {name} is larger than {ANSWER_LIMIT} bytes"),
            )
            .permanent());
        }
        if socket.read_buf(&mut answer).await.map_err(lost)? == 0 {
            return Err(lost(std::io::ErrorKind::UnexpectedEof.into()));
        }
    };
    match status(&answer) {
        // In TLS the client speaks first: what comes before that is not from the server.
        Some(200..=299) if answer.len() > end => {
            Err(Error::new(ErrorKind::Proxy, format!("{name} sent data that is not the server's")).permanent())
        }
        Some(200..=299) => Ok(socket),
        Some(407) => Err(authentication_required(&name)),
        Some(status @ 500..=599) => {
            let message = format!(
                "{name} could not open a tunnel to {target} (status {status}): check the host, or ask the proxy's operator"
            );
            Err(Error::new(ErrorKind::Proxy, message))
        }
        Some(status) => {
            let message = format!(
                "{name} refused a tunnel to {target} (status {status}): ask the proxy's operator, or list the host in NO_PROXY"
            );
            Err(Error::new(ErrorKind::Proxy, message).permanent())
        }
        None => Err(Error::new(ErrorKind::Proxy, format!("{name} does not answer like an HTTP proxy")).permanent()),
    }
}

/// The proxy wants a user name and a password, or others.
pub(super) fn authentication_required(proxy: &str) -> Error {
    let message = format!(
        "{proxy} asks for a user name and a password (status 407): put them into the proxy URL, or correct them"
    );
    Error::new(ErrorKind::Proxy, message).permanent()
}

/// Where the head in `answer` ends.
fn find_end(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|window| window == b"\r\n\r\n").map(|start| start + 4)
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let status = rest.split(' ').next()?;
    let is_http = matches!(version, "HTTP/1.1" | "HTTP/1.0");
    (is_http && status.len() == 3).then(|| status.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read_strictly() {
        for (answer, expected) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            ("HTTP/1.0 407\r\n\r\n", Some(407)),
            ("HTTP/1.1  200 OK\r\n\r\n", None),
            ("HTTP/2 200 OK\r\n\r\n", None),
            ("HTTP/1.1 20 OK\r\n\r\n", None),
            ("HTTP/1.1 2000 OK\r\n\r\n", None),
            ("SSH-2.0-OpenSSH\r\n\r\n", None),
            ("\r\n\r\n", None),
        ] {
            assert_eq!(status(answer.as_bytes()), expected, "{answer:?}");
        }
    }
}
