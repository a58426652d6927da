//! GET over a bare TCP connection: how somebody without credentials, and without this library, fetches a URL.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The most of a body that is kept; the rest is counted.
const KEPT: usize = 1 << 20;
/// The most of a head that is read.
const HEAD: usize = 64 << 10;
/// No answer takes longer.
const WITHIN: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, as text.
    pub head: String,
    /// The length of the body in bytes.
    pub length: u64,
    /// The first MiB of the body.
    pub body: Vec<u8>,
}

impl Answer {
    /// What stands in the element `Code` of an S3 error.
    pub fn code(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.body).ok()?;
        Some(text.split_once("<Code>")?.1.split_once("</Code>")?.0)
    }
}

/// Fetches a URL of the scheme `http`.
///
/// # Errors
/// The URL is another one, the connection fails, the answer is not HTTP, or it takes longer than a minute.
pub async fn get(url: &str) -> io::Result<Answer> {
    get_with(url, &[]).await
}

/// As [`get`], with headers, each a whole line.
///
/// # Errors
/// Those of [`get`].
pub async fn get_with(url: &str, headers: &[&str]) -> io::Result<Answer> {
    let answer = tokio::time::timeout(WITHIN, exchange(url, headers)).await;
    answer.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no whole answer within a minute"))?
}

async fn exchange(url: &str, headers: &[&str]) -> io::Result<Answer> {
    let rest = url.strip_prefix("http://").ok_or_else(|| io::Error::other("only http:// URLs"))?;
    let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let slash = if target.starts_with('/') { "" } else { "/" };
    let mut stream = TcpStream::connect(host).await?;
    let mut request = format!("GET {slash}{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;

    let mut received = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let end = loop {
        let count = stream.read(&mut buffer).await?;
        received.extend_from_slice(&buffer[..count]);
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if count == 0 || received.len() > HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no whole head came"));
        }
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))?;
    let declared = head.lines().filter_map(|line| line.split_once(':'));
    let declared = declared.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let declared: Option<u64> = declared.filter_map(|(_, value)| value.trim().parse().ok()).next();

    let mut body = received.split_off(end);
    let mut length = body.len() as u64;
    body.truncate(KEPT);
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        length += count as u64;
        let room = KEPT.saturating_sub(body.len()).min(count);
        body.extend_from_slice(&buffer[..room]);
    }
    if declared.is_some_and(|declared| declared != length) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body is shorter or longer than was said"));
    }
    Ok(Answer { status, head, length, body })
}
