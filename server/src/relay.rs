//! The relay: where letters are handed over by SMTP (RFC 5321).

use std::io;
use std::path::Path;
use std::time::Duration;

use claviger_core::secret::Plaintext;
use claviger_core::service::Letter;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Notices, Security, Smtp};
use crate::sinks::read_token;

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
    tls: Option<TlsParameters>,
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
            Security::Tls | Security::StartTls => Some(tls(&smtp.host, ca.transpose()?.as_deref())?),
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
        let mut connection = match (&self.tls, self.smtp.security) {
            (Some(tls), Security::Tls) => {
                let connected =
                    AsyncSmtpConnection::connect_tokio1((host, port), None, &hello, Some(tls.clone()), None);
                connected.await.map_err(told)?
            }
            (tls, _) => {
                let stream = TcpStream::connect((host, port)).await.map_err(|e| e.to_string())?;
                // A letter ends in a packet of its own, which is not to wait for an answer to the one before.
                stream.set_nodelay(true).map_err(|e: io::Error| e.to_string())?;
                let mut connection =
                    AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(told)?;
                if let Some(tls) = tls {
                    connection.starttls(tls.clone(), &hello).await.map_err(told)?;
                }
                connection
            }
        };
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
        None => error.to_string(),
    }
}

fn tls(host: &str, ca: Option<&[u8]>) -> Result<TlsParameters, String> {
    let builder = TlsParameters::builder(host.to_owned());
    let builder = match ca {
        Some(pem) => {
            let certificate = Certificate::from_pem(pem).map_err(|e| format!("notices.ca_file: {e}"))?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate)
        }
        None => builder.certificate_store(CertificateStore::WebpkiRoots),
    };
    builder.build_rustls().map_err(|e| format!("notices.smtp: {e}"))
}
