//! Syslog: one RFC 5424 message for each line, over a local socket, UDP (RFC 5426) or TCP (RFC 6587, octet counting).
//!
//! Syslog has no acknowledgement. Over TCP a batch counts as taken when the receiver has read all of it and closed the
//! connection; over the others, when the kernel took it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use claviger_core::audit::{export::hash_line, leaf_hash};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};
use tokio::time::timeout;

use super::batch::{Batch, Line};

/// Facility 13 (log audit), severity 6 (informational).
const PRIORITY: u8 = 13 * 8 + 6;

/// The longest message, which common receivers take uncut. A leaf that does not fit is represented by its hash.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// A batch is taken within this time, or sent again.
const DEADLINE: Duration = Duration::from_secs(30);

/// Who takes the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A datagram socket of this machine.
    Unix(PathBuf),
    /// Host and port.
    Udp(String),
    /// Host and port.
    Tcp(String),
}

impl Receiver {
    /// Reads `unix:<path>`, `udp:<host>:<port>` or `tcp:<host>:<port>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let address = || {
            let (host, port) = rest.rsplit_once(':')?;
            let good = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
            good.then(|| rest.to_owned())
        };
        match kind {
            "unix" if rest.starts_with('/') => Some(Self::Unix(rest.into())),
            "udp" => address().map(Self::Udp),
            "tcp" => address().map(Self::Tcp),
            _ => None,
        }
    }

    /// Sends a batch.
    pub(super) async fn take(&self, batch: &Batch) -> Result<(), String> {
        let messages: Vec<Vec<u8>> = batch.lines.iter().filter_map(message).collect();
        let sent = timeout(DEADLINE, self.send(&messages)).await;
        sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(|e| format!("syslog: {e}"))
    }

    async fn send(&self, messages: &[Vec<u8>]) -> io::Result<()> {
        match self {
            Self::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                for message in messages {
                    socket.send(message).await?;
                }
            }
            Self::Udp(host) => {
                let address = lookup_host(host).await?.next().ok_or(io::ErrorKind::NotFound)?;
                let own: SocketAddr = match address {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(own).await?;
                socket.connect(address).await?;
                for message in messages {
                    socket.send(message).await?;
                }
            }
            Self::Tcp(host) => {
                let mut stream = TcpStream::connect(host).await?;
                for message in messages {
                    stream.write_all(format!("{} ", message.len()).as_bytes()).await?;
                    stream.write_all(message).await?;
                }
                stream.shutdown().await?;
                // Receivers say nothing; that the connection ends in order says that all was read.
                while stream.read(&mut [0; 256]).await? > 0 {}
            }
        }
        Ok(())
    }
}

/// A line as a message, `None` for a checkpoint that does not fit.
///
/// There are no structured data and so nothing to escape: the line is the message, and JSON has no control characters.
/// One that has some all the same, or is too long, is represented by the hash of its leaf, as in an export.
fn message(line: &Line) -> Option<Vec<u8>> {
    let kind = if line.seq.is_some() { "entry" } else { "checkpoint" };
    let head = format!("<{PRIORITY}>1 {} - claviger - {kind} - ", line.at.as_deref().unwrap_or("-"));
    let fits = |text: &[u8]| head.len().saturating_add(text.len()) <= MESSAGE_BYTES_MAX;
    let is_one_line = line.text.iter().all(|byte| *byte >= b' ');
    let text = match line.seq {
        _ if fits(&line.text) && is_one_line => line.text.clone(),
        Some(seq) => hash_line(seq, &leaf_hash(&line.text)).trim_end().as_bytes().to_vec(),
        None => return None,
    };
    Some([head.into_bytes(), text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, seq: Option<u64>) -> Line {
        Line { text: text.as_bytes().to_vec(), at: Some("2026-07-29T08:00:00.123Z".to_owned()), seq }
    }

    fn text(line: &Line) -> String {
        String::from_utf8(message(line).unwrap()).unwrap()
    }

    #[test]
    fn a_leaf_is_the_message_byte_for_byte() {
        let leaf = r#"{"v":1,"detail":{"a":"\n]\"\\ é"}}"#;
        let head = "<110>1 2026-07-29T08:00:00.123Z - claviger - ";
        assert_eq!(text(&line(leaf, Some(7))), format!("{head}entry - {leaf}"));
        let note = r#"{"checkpoint":"claviger/x\n1\n"}"#;
        assert_eq!(text(&line(note, None)), format!("{head}checkpoint - {note}"));
        let dateless = Line { at: None, ..line("{}", Some(7)) };
        assert_eq!(text(&dateless), "<110>1 - - claviger - entry - {}");
    }

    #[test]
    fn a_leaf_that_is_too_long_or_not_one_line_stands_as_its_hash() {
        for leaf in ["x".repeat(MESSAGE_BYTES_MAX), "{}\n<110>1 - - forged - - - x".to_owned()] {
            let hash = leaf_hash(leaf.as_bytes());
            let said = text(&line(&leaf, Some(7)));
            assert!(said.ends_with(&format!(" - {{\"seq\":7,\"hash\":\"{hash}\"}}")), "{said}");
        }
        assert_eq!(message(&line(&"x".repeat(MESSAGE_BYTES_MAX), None)), None);
        let longest = MESSAGE_BYTES_MAX - text(&line("", Some(7))).len();
        assert_eq!(message(&line(&"x".repeat(longest), Some(7))).unwrap().len(), MESSAGE_BYTES_MAX);
    }

    #[test]
    fn addresses_are_read() {
        let check = |text: &str, expected: Option<Receiver>| assert_eq!(Receiver::parse(text), expected, "{text}");
        check("unix:/dev/log", Some(Receiver::Unix("/dev/log".into())));
        check("udp:log.example:514", Some(Receiver::Udp("log.example:514".to_owned())));
        check("tcp:[::1]:514", Some(Receiver::Tcp("[::1]:514".to_owned())));
        for wrong in ["", "unix:log", "udp:log", "udp::514", "udp:log:0", "tcp:log:99999", "tls:log:514"] {
            check(wrong, None);
        }
    }
}
