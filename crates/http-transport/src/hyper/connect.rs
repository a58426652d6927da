//! TCP: name look-up, and the race over the addresses that it gives.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{Error, ErrorKind};

/// How long an address has before the next one is tried beside it (RFC 8305 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens TCP connections.
#[derive(Debug, Default)]
pub(super) struct Connector {
    /// Hosts whose addresses are given, in lower case.
    pinned: HashMap<String, Vec<SocketAddr>>,
    /// Moves on with each connection, so that they spread over the addresses of a name.
    turn: AtomicUsize,
}

impl Connector {
    pub(super) fn pin(&mut self, host: &str, address: SocketAddr) {
        self.pinned.entry(host.to_ascii_lowercase()).or_default().push(address);
    }

    pub(super) fn is_pinned(&self, host: &str) -> bool {
        !self.pinned.is_empty() && self.pinned.contains_key(&host.to_ascii_lowercase())
    }

    /// Connects to `host`, trying all of its addresses.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let addresses = self.addresses(host, port).await?;
        let stream = race(&addresses).await.map_err(|error| connect_error(host, port, addresses.len(), error))?;
        // Small requests must not wait for the acknowledgement of those before them. A socket that refuses still works.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Connects to `address` and no other.
    pub(super) async fn connect_to(&self, address: SocketAddr) -> Result<TcpStream, Error> {
        let result = TcpStream::connect(address).await;
        let stream = result.map_err(|error| connect_error(&address.ip().to_string(), address.port(), 1, error))?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        if self.is_pinned(host) {
            let pinned = self.pinned.get(&host.to_ascii_lowercase()).cloned().unwrap_or_default();
            return Ok(pinned);
        }
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let found = tokio::net::lookup_host((host, port)).await.map_err(|error| {
            let message =
                format!("the host name `{host}` can't be looked up: check the name, the region in it and the DNS");
            Error::new(ErrorKind::Dns, message).with_source(error)
        })?;
        let addresses = order(found.collect(), self.turn.fetch_add(1, Relaxed));
        if addresses.is_empty() {
            return Err(Error::new(ErrorKind::Dns, format!("the host name `{host}` has no address")));
        }
        Ok(addresses)
    }
}

/// The families in turn, the first one's first; inside each family the `turn`th address leads.
fn order(addresses: Vec<SocketAddr>, turn: usize) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else { return addresses };
    let is_first_family = first.is_ipv4();
    let count = addresses.len();
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == is_first_family);
    for family in [&mut ours, &mut theirs] {
        if !family.is_empty() {
            let lead = turn % family.len();
            family.rotate_left(lead);
        }
    }
    let (mut ours, mut theirs) = (ours.into_iter(), theirs.into_iter());
    let mut ordered = Vec::with_capacity(count);
    while ordered.len() < count {
        ordered.extend(ours.next());
        ordered.extend(theirs.next());
    }
    ordered
}

/// Tries one address after the other: the next starts when the one before has failed, or has had its time; the first that
/// connects wins.
async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    if let [only] = addresses {
        return TcpStream::connect(only).await;
    }
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.iter();
    let mut first_error = None;
    loop {
        let next = waiting.next();
        if let Some(address) = next {
            attempts.spawn(TcpStream::connect(*address));
        }
        let ended = if next.is_some() && !waiting.as_slice().is_empty() {
            match timeout(STAGGER, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        } else {
            attempts.join_next().await
        };
        match ended {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => first_error = first_error.or(Some(error)),
            Some(Err(error)) => first_error = first_error.or(Some(io::Error::other(error))),
            None => return Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
        }
    }
}

fn connect_error(host: &str, port: u16, tried: usize, error: io::Error) -> Error {
    let what = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route",
        io::ErrorKind::TimedOut => "no answer",
        io::ErrorKind::PermissionDenied => "forbidden by this machine",
        _ => "connecting failed",
    };
    let peer = super::host_port(host, port);
    let several = if tried == 1 { String::new() } else { format!(" (at all of {tried} addresses)") };
    let advice = "check that something listens there, and the address, port and proxy settings";
    Error::new(ErrorKind::Connect, format!("{what}: {peer}{several}: {advice}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_connections_spread() {
        let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        assert_eq!(order(found.clone(), 0), addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        assert_eq!(order(found, 4), addresses(&["[::2]:1", "1.1.1.1:1", "[::3]:1", "[::1]:1"]));
        assert!(order(Vec::new(), 7).is_empty());
    }

    #[tokio::test]
    async fn a_refusing_address_gives_way_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let dead = {
            let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            gone.local_addr().unwrap()
        };
        let start = std::time::Instant::now();
        assert_eq!(race(&[dead, dead, good]).await.unwrap().peer_addr().unwrap(), good);
        assert!(start.elapsed() < STAGGER, "waited {:?} for an address that refused", start.elapsed());
    }

    #[tokio::test]
    async fn an_error_names_the_peer_and_the_cause() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut connector = Connector::default();
        let error = connector.connect("127.0.0.1", gone.port()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().starts_with(&format!("connection refused: {gone}")), "{error}");
        connector.pin("Two.Example", gone);
        connector.pin("two.example", gone);
        let error = connector.connect("two.example", 443).await.unwrap_err();
        assert!(error.to_string().contains("two.example:443") && error.to_string().contains('2'), "{error}");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_a_dns_error() {
        let error = Connector::default().connect("no-such-host.invalid", 443).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Dns);
        assert!(std::error::Error::source(&error).is_some());
    }
}
