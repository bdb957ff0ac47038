//! An app: a program with grants, and its bearer.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use data_encoding::BASE64;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::call::Call;
use crate::http::{Client, Reply, request};
use crate::key::{Key, unique};
use crate::ready::Door;
use crate::wait::patiently;

/// An app that has its access token.
#[derive(Debug)]
pub struct App {
    /// `app_…`
    pub id: String,
    /// `clv_app_…`
    pub secret: String,
    /// The access token.
    pub token: String,
    client: Client,
}

impl App {
    /// Gets an access token.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn log_in(ready_file: &Path, id: &str, secret: &str) -> Result<Self> {
        let client = Client::of_server(ready_file, Door::Api)?;
        let answer = patiently("a token", || ask_for_token(&client, Some((id, secret)), &[])).await?;
        let token = answer.ok().context("token")?.text_at("/access_token")?;
        Ok(Self { id: id.to_owned(), secret: secret.to_owned(), token, client })
    }

    /// Asks for another access token, whatever comes of it.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn ask_for_token(&self) -> Result<Reply> {
        ask_for_token(&self.client, Some((&self.id, &self.secret)), &[]).await
    }

    /// The way in, for requests that no app should make.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Enrolls a key, whatever comes of it; but what may be tried again is.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn enroll(&self, key: &Key) -> Result<Reply> {
        let body = key.enrollment();
        patiently("an enrollment", || self.call("POST", "/api/v1/credentials", Some(&body))).await
    }

    /// Enrolls a key and returns the credential's id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn enrolled(&self, key: &Key) -> Result<String> {
        self.enroll(key).await?.ok().context("enroll")?.text_at("/id")
    }

    /// Asks for an execution, whatever comes of it.
    ///
    /// # Errors
    /// When no answer comes: nobody knows then whether it was done.
    pub async fn execute(&self, call: &Call) -> Result<Reply> {
        let key = call.idempotency_key().map_or_else(unique, |key| Ok(key.to_owned()))?;
        let headers = [("idempotency-key", key.as_str())];
        self.client.send(request("POST", "/api/v1/executions", Some(&self.token), Some(&call.body()), &headers)?).await
    }

    /// Executes, and is content only with an acknowledgement of the venue; what may be tried again is, under the same key.
    ///
    /// # Errors
    /// When it comes to anything else.
    pub async fn acked(&self, call: &Call) -> Result<Reply> {
        let call = call.clone().once(&call.idempotency_key().map_or_else(unique, |key| Ok(key.to_owned()))?);
        let reply = patiently("an execution", || self.execute(&call)).await?;
        let acked = reply.status == 200 && reply.json().get("state").is_some_and(|state| state == "acked");
        ensure!(acked, "{}: status {}: {}", call.body(), reply.status, reply.text());
        Ok(reply)
    }

    /// Asks for a signature that is not sent, whatever comes of it.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn sign(&self, body: &Value, idempotency_key: &str) -> Result<Reply> {
        let headers = [("idempotency-key", idempotency_key)];
        self.client.send(request("POST", "/api/v1/signatures", Some(&self.token), Some(body), &headers)?).await
    }

    /// Any request with the access token.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        self.client.call(method, path, Some(&self.token), body).await
    }

    /// A GET with the access token.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.call("GET", path, None).await
    }
}

/// OAuth 2 client credentials (RFC 6749, 4.4): with HTTP Basic if there are id and secret, and with further members of the
/// form as they are.
///
/// # Errors
/// When no answer comes.
pub async fn ask_for_token(client: &Client, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Result<Reply> {
    let mut request = Request::post("/api/v1/token").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some((id, secret)) = basic {
        let basic = BASE64.encode(format!("{id}:{secret}").as_bytes());
        request = request.header(AUTHORIZATION, format!("Basic {basic}"));
    }
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let members = form.iter().map(|(name, value)| format!("&{}={}", encode(name), encode(value)));
    let body = format!("grant_type=client_credentials{}", members.collect::<String>());
    client.send(request.body(Full::from(body))?).await
}
