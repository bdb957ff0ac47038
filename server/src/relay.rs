//! The relay: where letters are handed over by SMTP (RFC 5321).

mod bounded;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claviger_core::secret::Plaintext;
use claviger_core::service::Letter;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{Notices, Security, Smtp};
use crate::egress::{client_config, server_name};
use crate::sinks::read_token;
use bounded::Bounded;

/// A connection is there within this time, or not this time.
const CONNECT: Duration = Duration::from_secs(20);

/// A letter is taken within this time, or handed over again. Longer than RFC 5321 section 4.5.3.2.6 gives a relay that
/// scans what it gets would keep the rest waiting.
const TAKEN: Duration = Duration::from_mins(2);

/// Who says hello: relays look at addresses, and the name of this machine is nobody's business.
const HELLO: &str = "claviger.invalid";

/// How the relay is reached, as it was before the process shut itself in.
pub(crate) struct Relay {
    smtp: Smtp,
    from: Mailbox,
    tls: Option<TlsConnector>,
    login: Option<(String, Plaintext)>,
    /// Connections at the same time.
    pub(crate) connections: usize,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("smtp", &self.smtp).finish_non_exhaustive()
    }
}

/// A connection to the relay.
pub(crate) struct Connection {
    inner: AsyncSmtpConnection,
    broken: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("broken", &self.broken).finish_non_exhaustive()
    }
}

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It will not be, however often it is sent.
    #[error("the relay refuses it: {0}")]
    Permanent(String),
    /// It may be another time, and may have been this time.
    #[error("the relay did not take it: {0}")]
    Transient(String),
}

impl Relay {
    /// Reads what a sandbox would keep from being read; `None` where no relay is configured.
    ///
    /// # Errors
    /// The key of the configuration and what to do.
    pub(crate) fn prepare(config: &Notices, home: &Path) -> Result<Option<Self>, String> {
        let (Some(smtp), Some(from)) = (config.smtp().map_err(|e| e.to_string())?, &config.from) else {
            return Ok(None);
        };
        let from = from.parse().map_err(|e| format!("notices.from: {e}: give an address, or `Name <address>`"))?;
        let ca = config.ca_file.as_ref().map(|file| {
            let file = home.join(file);
            std::fs::read(&file).map_err(|e| format!("notices.ca_file: {}: {e}", file.display()))
        });
        let tls = match smtp.security {
            Security::Tls => {
                let config = client_config("notices.ca_file", ca.transpose()?.as_deref()).map_err(|e| e.to_string())?;
                Some(TlsConnector::from(Arc::new(config)))
            }
            Security::Plain => None,
        };
        let login = config.username.clone().zip(config.password_file.as_ref()).map(|(name, file)| {
            let password = read_token("notices.password_file", &home.join(file))?;
            Ok::<_, String>((name, password))
        });
        Ok(Some(Self { smtp, from, tls, login: login.transpose()?, connections: config.connections }))
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// Why not. Nothing was sent then.
    pub(crate) async fn connect(&self) -> Result<Connection, String> {
        let connected = timeout(CONNECT, self.connect_unhurried()).await;
        connected.unwrap_or_else(|_| Err(format!("no connection within {CONNECT:?}")))
    }

    async fn connect_unhurried(&self) -> Result<Connection, String> {
        let (host, port) = (self.smtp.host.as_str(), self.smtp.port);
        let hello = ClientId::Domain(HELLO.to_owned());
        let told = |e: lettre::transport::smtp::Error| described(&e);
        let tcp = TcpStream::connect((host, port)).await.map_err(|e| e.to_string())?;
        // A letter ends in a packet of its own, which is not to wait for an answer to the one before.
        tcp.set_nodelay(true).map_err(|e| e.to_string())?;
        let peer = tcp.peer_addr().map_err(|e| e.to_string())?;
        let stream: Box<dyn AsyncTokioStream> = match &self.tls {
            Some(tls) => {
                let name = server_name(host).map_err(|e| e.to_string())?;
                let stream = tls.connect(name, tcp).await.map_err(|e| format!("TLS was not agreed: {e}"))?;
                Box::new(Bounded::new(stream, peer))
            }
            None => Box::new(Bounded::new(tcp, peer)),
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(told)?;
        if let Some(credentials) = self.credentials() {
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(told)?;
        }
        Ok(Connection { inner: connection, broken: false })
    }

    fn credentials(&self) -> Option<Credentials> {
        let (name, password) = self.login.as_ref()?;
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: the relay's password goes to the relay")]
        let password = password.expose(|bytes| str::from_utf8(bytes).map(str::to_owned)).ok()?;
        Some(Credentials::new(name.clone(), password))
    }

    /// The letter as it is sent: plain text, encoded so that seven bits are enough.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn written(&self, letter: &Letter) -> Result<(Envelope, Vec<u8>), String> {
        let to: lettre::Address = letter.to.as_str().parse().map_err(|_| "its address is none".to_owned())?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(&letter.subject)
            .message_id(Some(letter.message_id.clone()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.replace('\n', "\r\n"))
            .map_err(|e| e.to_string())?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

impl Connection {
    /// Hands a letter over. Only what is said of its addressee and its content speaks against the letter itself: a relay
    /// that takes nothing at all loses none.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(crate) async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> Result<(), Refusal> {
        let sent = timeout(TAKEN, self.send_unhurried(envelope, message)).await;
        let refusal = match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(refusal)) => refusal,
            Err(_) => {
                self.broken = true;
                return Err(Refusal::Transient(format!("no answer within {TAKEN:?}")));
            }
        };
        // What was said so far is not to be the next letter's.
        self.broken |= !matches!(timeout(CONNECT, self.inner.command(Rset)).await, Ok(Ok(_)));
        Err(refusal)
    }

    async fn send_unhurried(&mut self, envelope: &Envelope, message: &[u8]) -> Result<(), Refusal> {
        let from = Mail::new(envelope.from().cloned(), Vec::new());
        self.inner.command(from).await.map_err(|e| Refusal::Transient(described(&e)))?;
        for to in envelope.to() {
            self.inner.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(|e| judged(&e))?;
        }
        self.inner.command(Data).await.map_err(|e| judged(&e))?;
        self.inner.message(message).await.map(drop).map_err(|e| judged(&e))
    }

    /// Whether nothing more can be said on it.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        // Whoever is not there any more need not be told.
        let _ = timeout(CONNECT, self.inner.quit()).await;
    }
}

fn judged(error: &lettre::transport::smtp::Error) -> Refusal {
    let text = described(error);
    if error.is_permanent() { Refusal::Permanent(text) } else { Refusal::Transient(text) }
}

/// What went wrong, by its status: a relay's words may repeat the address.
fn described(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("status {code}"),
        None if error.is_response() => "its answer is not SMTP".to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use claviger_core::clock::{Clock as _, SystemClock};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::tls;

    fn relay(smtp: &str, ca: Option<&Path>) -> Relay {
        let (smtp, from, ca_file) = (Some(smtp.to_owned()), Some("a@b.example".to_owned()), ca.map(Into::into));
        Relay::prepare(&Notices { smtp, from, ca_file, ..Notices::default() }, Path::new("/")).unwrap().unwrap()
    }

    /// A relay's place, and who comes there next.
    async fn place() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn a_relay_that_answers_without_end_is_hung_up_on() {
        let (listener, address) = place().await;
        let answers = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 hello\r\n").await.unwrap();
            let mut written = 0;
            while stream.write_all(&[b'2'; 4096]).await.is_ok() {
                written += 4096;
            }
            written
        });

        let refused = relay(&format!("plain:{address}"), None).connect().await.unwrap_err();

        assert!(refused.contains("network error"), "{refused}");
        let written = answers.await.unwrap();
        assert!(written < 32 * 1024 * 1024, "more than the buffers of two sockets: {written}");
    }

    #[tokio::test]
    async fn what_a_relay_answers_is_not_repeated() {
        let (listener, address) = place().await;
        let answers = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in ["220 hello\r\n", "250 go on\r\n", "250 yes\r\n", "no c@d.example here\r\n"] {
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.read(&mut [0; 512]).await;
            }
        });
        let relay = relay(&format!("plain:{address}"), None);
        let envelope =
            Envelope::new(Some("a@b.example".parse().unwrap()), vec!["c@d.example".parse().unwrap()]).unwrap();

        let refused = relay.connect().await.unwrap().send(&envelope, b"a letter").await.unwrap_err();

        assert!(matches!(&refused, Refusal::Transient(why) if why == "its answer is not SMTP"), "{refused:?}");
        answers.await.unwrap();
    }

    #[tokio::test]
    async fn a_relay_shows_the_certificate_of_its_ca() {
        let [mine, others] = ["mine", "others"].map(|name| {
            let folder = std::env::temp_dir().join(format!("claviger-relay-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let made = tls::make_test_ca_and_certificate(&folder, &["127.0.0.1".to_owned()], SystemClock.unix_ms());
            (folder, made.unwrap())
        });
        let pair = tls::Files::from(mine.1.clone()).read().unwrap();
        let config = tls::server_config(Arc::new(tls::Served::new(pair)), false, tls::Clients::Anonymous).unwrap();
        let (listener, address) = place().await;
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(config);
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                stream.write_all(b"220 hello\r\n").await.unwrap();
                let _ = stream.read(&mut [0; 512]).await;
                stream.write_all(b"250 go on\r\n").await.unwrap();
            }
        });
        let smtp = format!("tls:{address}");

        relay(&smtp, Some(&mine.1.ca)).connect().await.unwrap();

        for ca in [Some(&*others.1.ca), None] {
            let refused = relay(&smtp, ca).connect().await.unwrap_err();
            assert!(refused.contains("TLS was not agreed"), "{refused}");
        }
        for (folder, _) in [mine, others] {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}
