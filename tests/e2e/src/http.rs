//! HTTPS as any client speaks it: HTTP/1.1, connections kept, nothing hidden from the test.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::identity::Identity;
use crate::ready::{Door, Ready};

type Sender = SendRequest<Full<Bytes>>;

/// A client of one listener.
///
/// It may be used by many tasks at once. A request is written once: one whose answer does not come is an error, for
/// nobody knows then what became of it.
#[derive(Debug)]
pub struct Client {
    place: Place,
    /// Which of this machine's addresses it speaks from, if not from any.
    from: Option<Ipv4Addr>,
    tls: Arc<ClientConfig>,
    idle: Mutex<Vec<Sender>>,
}

/// Where to connect to.
#[derive(Clone, Debug)]
enum Place {
    /// There, always.
    Fixed(String),
    /// Where the ready file says: the address is another one after a restart.
    Ready(PathBuf, Door),
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Client {
    /// A client of one of a server's listeners.
    ///
    /// # Errors
    /// When the server is not ready, or its authority cannot be read.
    pub fn of_server(ready_file: &Path, door: Door) -> Result<Self> {
        let ready = Ready::read(ready_file)?;
        Self::new(Place::Ready(ready_file.to_owned(), door), &ready.ca_file, None)
    }

    /// The same, of one that shows a client certificate.
    ///
    /// # Errors
    /// As [`Self::of_server`], and when the certificate cannot be used.
    pub fn of_server_as(ready_file: &Path, door: Door, identity: &Identity) -> Result<Self> {
        let ready = Ready::read(ready_file)?;
        Self::new(Place::Ready(ready_file.to_owned(), door), &ready.ca_file, Some(identity))
    }

    /// A client of `host:port`.
    ///
    /// # Errors
    /// When the authority cannot be read.
    pub fn of_address(address: &str, ca_file: &Path) -> Result<Self> {
        Self::new(Place::Fixed(address.to_owned()), ca_file, None)
    }

    fn new(place: Place, ca_file: &Path, identity: Option<&Identity>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca_file)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => builder.with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes())?],
                PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?,
            )?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { place, from: None, tls: Arc::new(config), idle: Mutex::default() })
    }

    /// The same client, from one of this machine's addresses: all of 127.0.0.0/8 are.
    #[must_use]
    pub fn from_address(&self, from: Ipv4Addr) -> Self {
        Self { place: self.place.clone(), from: Some(from), tls: Arc::clone(&self.tls), idle: Mutex::default() }
    }

    /// `host:port`, as it is now.
    ///
    /// # Errors
    /// When there is no ready file.
    pub fn address(&self) -> Result<String> {
        Ok(match &self.place {
            Place::Fixed(address) => address.clone(),
            Place::Ready(file, door) => Ready::read(file)?.address(*door).to_owned(),
        })
    }

    /// A request without a body.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.call("GET", path, None, None).await
    }

    /// A request as most are: a bearer, and a body of JSON.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn call(&self, method: &str, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Result<Reply> {
        self.send(request(method, path, bearer, body, &[])?).await
    }

    /// The same with more headers.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Reply> {
        self.send(request(method, path, bearer, body, headers)?).await
    }

    /// Any request at all.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Reply> {
        let mut sender = self.sender().await?;
        if !request.headers().contains_key(HOST) {
            request.headers_mut().insert(HOST, self.address()?.parse()?);
        }
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if sender.ready().await.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Closes the connections that are kept.
    pub fn hang_up(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Writes bytes over TLS and reads until the other side closes.
    ///
    /// # Errors
    /// When there is no connection, or no end.
    pub async fn write_raw(&self, bytes: &[u8]) -> Result<String> {
        exchange(self.connect().await?, bytes).await
    }

    /// Writes bytes without TLS and reads until the other side closes.
    ///
    /// # Errors
    /// When there is no connection, or no end.
    pub async fn write_plain(&self, bytes: &[u8]) -> Result<String> {
        exchange(TcpStream::connect(self.address()?).await?, bytes).await
    }

    /// A new connection.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn connect(&self) -> Result<TlsStream<TcpStream>> {
        let address = self.address()?;
        let connecting = match self.from {
            None => TcpStream::connect(&address).await,
            Some(from) => {
                let socket = TcpSocket::new_v4()?;
                socket.bind((from, 0).into())?;
                socket.connect(address.parse()?).await
            }
        };
        let tcp = connecting.with_context(|| format!("cannot connect to {address}"))?;
        tcp.set_nodelay(true)?;
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).to_owned();
        Ok(TlsConnector::from(Arc::clone(&self.tls)).connect(ServerName::try_from(host)?, tcp).await?)
    }

    /// A connection that takes a request: one that was kept and is still open, or a new one.
    async fn sender(&self) -> Result<Sender> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut kept) = kept else { break };
            if !kept.is_closed() && kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
        let (sender, connection) = handshake(TokioIo::new(self.connect().await?)).await?;
        // Its end is seen by whoever waits for the answer.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A request with a bearer, a body of JSON, and more headers.
pub(crate) fn request(
    method: &str,
    path: &str,
    bearer: Option<&str>,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(bearer) = bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
    }
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    Ok(request.body(Full::new(body))?)
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Result<String> {
    let mut answer = Vec::new();
    let talk = async {
        stream.write_all(bytes).await?;
        stream.flush().await?;
        // A connection that is cut instead of closed has said what it had to say.
        match stream.read_to_end(&mut answer).await {
            Ok(_) => Ok(()),
            Err(_) if !answer.is_empty() => Ok(()),
            Err(error) => Err(error),
        }
    };
    tokio::time::timeout(crate::DEADLINE, talk).await.context("the other side does not close")??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or the empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The stable code of a problem, or the empty text.
    pub fn code(&self) -> String {
        self.json().get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Itself, unless it says that nothing was done and that it may be tried again: a machine with too much to do can cost
    /// a test its keeper, and a client of any sense its patience.
    ///
    /// # Errors
    /// When it says so.
    pub(crate) fn not_to_be_repeated(self) -> Result<Self> {
        let passing = ["keeper_unavailable", "overloaded", "temporarily_unavailable"];
        let code = self.text_at("/code").or_else(|_| self.text_at("/error")).unwrap_or_default();
        ensure!(self.status != 503 || !passing.contains(&code.as_str()), "status 503: {}", self.text());
        Ok(self)
    }

    /// Itself, if the status says that it was done.
    ///
    /// # Errors
    /// When it says anything else, with the body.
    pub fn ok(self) -> Result<Self> {
        ensure!((200..300).contains(&self.status), "status {}: {}", self.status, self.text());
        Ok(self)
    }

    /// A text of the answer, by its JSON pointer.
    ///
    /// # Errors
    /// When it is not there.
    pub fn text_at(&self, pointer: &str) -> Result<String> {
        let json = self.json();
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.map(ToOwned::to_owned).with_context(|| format!("no text at {pointer} in {}", self.text()))
    }

    /// The ids of the rows of a page.
    pub fn ids(&self) -> Vec<String> {
        let json = self.json();
        let rows = json.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        rows.iter().filter_map(|row| Some(row.get("id")?.as_str()?.to_owned())).collect()
    }

    /// Itself, if it is a problem with this status and stable code, as RFC 9457 wants it: with a sentence that says what
    /// to do and the id of the request.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn problem(self, status: u16, code: &str) -> Result<Self> {
        let json = self.json();
        let filled = |name: &str| json.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if self.status != status || self.code() != code {
            bail!("status {} and code {:?}, not {status} and {code:?}: {}", self.status, self.code(), self.text());
        }
        ensure!(self.header("content-type") == "application/problem+json", "not a problem: {:?}", self.headers);
        ensure!(filled("detail"), "says nothing: {json}");
        Ok(self)
    }
}
