//! A client of the `admin` listener for one command at a time.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claviger_venues::encoding::{form, percent};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH, LINK};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::Failure;
use crate::auth::device::{DEVICE, DEVICE_SECRET};
use crate::config::Config;

/// Where this command works.
#[derive(Clone, Debug)]
pub(super) struct Here {
    pub(super) home: PathBuf,
    pub(super) admin: Option<String>,
    pub(super) json: bool,
}

/// One request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
    pub(super) if_match: Option<String>,
    /// The plan that an act is done on.
    pub(super) plan_digest: Option<String>,
    pub(super) accept: Option<&'static str>,
    /// Whether to say which device this is, as a proof of who the operator is does.
    pub(super) device: bool,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: None, if_match: None, plan_digest: None, accept: None, device: false }
    }

    /// A call whose body holds secrets, as texts by name; no JSON value holds them, and the answer comes once.
    pub(super) fn with_secrets(method: Method, path: &'a str, body: &Value, secrets: &[(&str, &str)]) -> Self {
        let mut text = Zeroizing::new(body.to_string());
        text.pop();
        for (name, secret) in secrets {
            let comma = if text.len() > 1 { "," } else { "" };
            let secret = Zeroizing::new(serde_json::to_string(secret).unwrap_or_default());
            text.push_str(&Zeroizing::new(format!("{comma}\"{name}\":{}", *secret)));
        }
        text.push('}');
        let body = Some(Zeroizing::new(text.as_bytes().to_vec()));
        Self { method, path, body, if_match: None, plan_digest: None, accept: None, device: true }
    }

    pub(super) fn post(path: &'a str, body: &Value) -> Self {
        let body = Some(Zeroizing::new(body.to_string().into_bytes()));
        Self { method: Method::POST, path, body, if_match: None, plan_digest: None, accept: None, device: false }
    }
}

/// One answer that is no problem.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) etag: Option<String>,
    /// Where the next page is, if there is one.
    pub(super) next: Option<String>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Here {
    pub(super) fn config(&self) -> Result<Config, Failure> {
        Config::load(&self.home).map_err(|e| Failure::new(64, e.to_string()))
    }

    pub(super) fn admin(&self) -> Result<String, Failure> {
        match &self.admin {
            Some(admin) => Ok(admin.trim_start_matches("https://").to_owned()),
            None => Ok(self.config()?.listen.admin.to_string()),
        }
    }

    pub(super) fn ca_file(&self) -> Result<PathBuf, Failure> {
        Ok(self.home.join(self.config()?.tls.ca))
    }

    pub(super) fn login_file(&self) -> PathBuf {
        self.home.join("operator.login")
    }

    fn device_file(&self) -> PathBuf {
        self.home.join("operator.device")
    }

    /// Keeps the bearer of a login, and the device's secret if it got one.
    pub(super) fn keep_login(&self, answer: &Value) -> Result<(), Failure> {
        keep(&self.login_file(), field(answer, "bearer"))?;
        match field(answer, "device_secret") {
            "" => Ok(()),
            secret => keep(&self.device_file(), secret),
        }
    }

    /// Keeps a bearer for the commands that follow, and says where.
    pub(super) fn keep_bearer(&self, bearer: &str) -> Result<PathBuf, Failure> {
        keep(&self.login_file(), bearer)?;
        Ok(self.login_file())
    }

    pub(super) fn bearer(&self) -> Option<Zeroizing<String>> {
        let text = Zeroizing::new(std::fs::read_to_string(self.login_file()).ok()?);
        Some(Zeroizing::new(text.trim().to_owned()))
    }

    /// Makes one call with the operator's login.
    pub(super) fn call(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let bearer = self.bearer().ok_or_else(|| Failure::new(3, "log in first: `claviger login`"))?;
        self.send(call, Some(&bearer))
    }

    /// Makes one call.
    pub(super) fn send(&self, call: Call<'_>, bearer: Option<&str>) -> Result<Answer, Failure> {
        let admin = self.admin()?;
        let tls = client_tls(&self.ca_file()?)?;
        let device = call.device.then(|| std::fs::read_to_string(self.device_file()).unwrap_or_default());
        let device = device.map(Zeroizing::new);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Failure::new(1, format!("no runtime: {e}")))?;
        runtime.block_on(async {
            let sent = exchange(&admin, tls, call, bearer, device.as_ref().map(|secret| secret.trim()));
            match tokio::time::timeout(Duration::from_mins(2), sent).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::new(75, format!("{admin} does not answer; try again"))),
            }
        })
    }

    /// Prints an answer: as it is with `--json`, else by `show`.
    pub(super) fn print(&self, value: &Value, show: impl Fn(&Value) -> String) {
        if self.json {
            println!("{value:#}");
        } else {
            println!("{}", show(value));
        }
    }
}

fn client_tls(ca_file: &std::path::Path) -> Result<Arc<rustls::ClientConfig>, Failure> {
    let unusable = |why: String| Failure::new(64, format!("{}: {why}", ca_file.display()));
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca_file).map_err(|e| unusable(e.to_string()))?;
    for certificate in certificates {
        roots.add(certificate.map_err(|e| unusable(e.to_string()))?).map_err(|e| unusable(e.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| unusable(e.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

async fn exchange(
    admin: &str,
    tls: Arc<rustls::ClientConfig>,
    call: Call<'_>,
    bearer: Option<&str>,
    device: Option<&str>,
) -> Result<Answer, Failure> {
    let away = |e: &dyn std::fmt::Display| {
        Failure::new(69, format!("{admin}: {e}; is `claviger serve` running, and --admin its address?"))
    };
    let host = admin.rsplit_once(':').map_or(admin, |(host, _)| host).trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(|e| away(&e))?;
    let stream = TcpStream::connect(admin).await.map_err(|e| away(&e))?;
    let stream = tokio_rustls::TlsConnector::from(tls).connect(name, stream).await.map_err(|e| away(&e))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| away(&e))?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(call.method).uri(call.path).header(HOST, admin);
    if let Some(bearer) = bearer {
        request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
    }
    if let Some(secret) = device {
        request = request.header(DEVICE, host_name());
        if !secret.is_empty() {
            request = request.header(DEVICE_SECRET, secret);
        }
    }
    if let Some(tag) = call.if_match {
        request = request.header(IF_MATCH, tag);
    }
    if let Some(digest) = call.plan_digest {
        request = request.header("plan-digest", digest);
    }
    if let Some(accept) = call.accept {
        request = request.header(ACCEPT, accept);
    }
    if call.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = call.body.map(|body| Bytes::copy_from_slice(&body)).unwrap_or_default();
    let request = request.body(Full::new(body)).map_err(|e| Failure::new(2, e.to_string()))?;
    let response = sender.send_request(request).await.map_err(|e| away(&e))?;
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let etag = header(ETAG).map(str::to_owned);
    let next = header(LINK).and_then(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")).map(str::to_owned);
    let body = response.into_body().collect().await.map_err(|e| away(&e))?.to_bytes();
    if status.is_success() { Ok(Answer { status, body, etag, next }) } else { Err(problem(status, &body)) }
}

/// What this machine calls itself.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.chars().filter(char::is_ascii_graphic).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// Writes a secret to a file of its owner's.
fn keep(file: &std::path::Path, secret: &str) -> Result<(), Failure> {
    let written = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(secret.as_bytes()));
    written.map_err(|e| Failure::new(1, format!("{}: {e}", file.display())))
}

/// A problem as an exit code and a sentence.
fn problem(status: StatusCode, body: &[u8]) -> Failure {
    let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let detail = value.get("detail").and_then(Value::as_str).unwrap_or("no reason was given");
    let code = value.get("code").and_then(Value::as_str).unwrap_or_default();
    let rule = value.get("rule").and_then(Value::as_str).map(|rule| format!(", rule {rule}")).unwrap_or_default();
    let exit = match status.as_u16() {
        401 | 403 | 422 | 429 => 3,
        404 => 4,
        409 | 412 | 428 => 5,
        503 => 75,
        _ => 1,
    };
    Failure { problem: code.to_owned(), ..Failure::new(exit, format!("{detail} ({code}{rule})")) }
}

/// The path of something in the API. Each part is one segment of it, whatever an argument has in it.
pub(super) fn api_path(parts: &[&str]) -> String {
    parts.iter().fold("/api/v1".to_owned(), |path, part| format!("{path}/{}", percent(part)))
}

/// The path and query of a long page of a list, from a cursor on.
pub(super) fn listed(parts: &[&str], cursor: Option<&str>) -> String {
    let cursor = cursor.map(|cursor| ("cursor", cursor));
    format!("{}?{}", api_path(parts), form([("limit", "200")].into_iter().chain(cursor)))
}

/// A text field of an answer.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Rows of a list as lines, one field beside the other.
pub(super) fn table(value: &Value, fields: &[&str]) -> String {
    let rows = value.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |name: &&str| match row.get(*name) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            fields.iter().map(cell).collect()
        })
        .collect();
    let width = |column: usize| {
        let longest = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        longest.unwrap_or(0).max(fields.get(column).map_or(0, |name| name.len()))
    };
    let widths: Vec<usize> = (0..fields.len()).map(width).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = fields.iter().map(|name| name.to_uppercase()).collect();
    std::iter::once(head).chain(cells.clone()).map(line).collect::<Vec<_>>().join("\n")
}
