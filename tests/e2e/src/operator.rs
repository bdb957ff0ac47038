//! An operator: a person with a login.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::app::App;
use crate::http::{Client, Reply, request};
use crate::ready::Door;
use crate::wait::patiently;

/// An operator who is logged in.
#[derive(Debug)]
pub struct Operator {
    /// `clv_login_…`
    pub bearer: String,
    client: Client,
    /// Who approves what this operator asks for.
    second: Option<Box<Operator>>,
}

impl Operator {
    /// With somebody who approves what this operator asks for.
    #[must_use]
    pub fn with_second(self, second: Self) -> Self {
        Self { second: Some(Box::new(second)), ..self }
    }

    /// Who approves what this operator asks for.
    ///
    /// # Errors
    /// When there is nobody.
    pub fn second(&self) -> Result<&Self> {
        self.second.as_deref().context("no second operator")
    }

    /// Logs in.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn log_in(ready_file: &Path, name: &str, password: &str) -> Result<Self> {
        let client = Client::of_server(ready_file, Door::Admin)?;
        let body = json!({ "operator": name, "password": password });
        let log_in = || client.call("POST", "/api/v1/login", None, Some(&body));
        let bearer = patiently("a login", log_in).await?.ok().context("login")?.text_at("/bearer")?;
        Ok(Self { bearer, client, second: None })
    }

    /// The way in, for requests that no operator should make.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a tenant and returns its id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn make_tenant(&self, name: &str) -> Result<String> {
        let body = json!({ "name": name });
        patiently("a tenant", || self.post("/api/v1/tenants", &body)).await?.ok().context("tenant")?.text_at("/id")
    }

    /// The id of a tenant, by its name.
    ///
    /// # Errors
    /// When there is none.
    pub async fn tenant(&self, name: &str) -> Result<String> {
        let tenants = self.get("/api/v1/tenants").await?.ok()?.json();
        let rows = tenants.get("data").and_then(Value::as_array).context("no tenants")?;
        let named = rows.iter().find(|row| row.get("name").and_then(Value::as_str) == Some(name));
        let id = named.and_then(|row| row.get("id")?.as_str()).with_context(|| format!("no tenant {name}"))?;
        Ok(id.to_owned())
    }

    /// Makes an app that may do everything with its tenant's credentials, and gets it an access token.
    ///
    /// # Errors
    /// When one of the steps is refused.
    pub async fn make_app(&self, ready_file: &Path, tenant: &str, name: &str) -> Result<App> {
        let app = self.post(&format!("/api/v1/tenants/{tenant}/apps"), &json!({ "name": name })).await?;
        let app = app.ok().context("app")?;
        let (id, secret) = (app.text_at("/id")?, app.text_at("/secret")?);
        self.grant(tenant, &id, &json!({ "operations": ["market", "read", "trade"], "enroll": true })).await?;
        App::log_in(ready_file, &id, &secret).await
    }

    /// Gives an app a grant and returns the grant's id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn grant(&self, tenant: &str, app: &str, grant: &Value) -> Result<String> {
        let reply = self.post(&format!("/api/v1/tenants/{tenant}/apps/{app}/grants"), grant).await?;
        reply.ok().context("grant")?.text_at("/id")
    }

    /// One credential, with its `ETag`.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn credential(&self, tenant: &str, id: &str) -> Result<Reply> {
        self.get(&format!("/api/v1/tenants/{tenant}/credentials/{id}")).await
    }

    /// An act on a credential that needs no `If-Match`: `freeze`, `reduce-only`, `revoke`, `probe`.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn act(&self, tenant: &str, id: &str, act: &str) -> Result<Reply> {
        let path = format!("/api/v1/tenants/{tenant}/credentials/{id}/{act}");
        self.post(&path, &json!({ "reason": "the test says so" })).await
    }

    /// An act on a credential that resumes or destroys: `unfreeze`, `rotate`, or `delete`. It reads the `ETag` first, and
    /// what takes a second operator is approved by that one.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn act_if_unchanged(&self, tenant: &str, id: &str, act: &str, body: &Value) -> Result<Reply> {
        let credential = self.credential(tenant, id).await?.ok()?;
        self.act_if_match(tenant, id, act, body, credential.header("etag")).await
    }

    /// The same with an `ETag` of the caller's.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn act_if_match(&self, tenant: &str, id: &str, act: &str, body: &Value, etag: &str) -> Result<Reply> {
        let path = format!("/api/v1/tenants/{tenant}/credentials/{id}");
        let (method, path) = if act == "delete" { ("DELETE", path) } else { ("POST", format!("{path}/{act}")) };
        if act != "rotate" {
            return self.two_do(method, &path, body, &[("if-match", etag)]).await;
        }
        self.send(method, &path, body, &[("if-match", etag)]).await
    }

    /// Stops a scope, such as `{"kind": "all"}`.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn stop(&self, scope: &Value, state: &str) -> Result<Reply> {
        self.post("/api/v1/stops", &json!({ "scope": scope, "state": state, "reason": "the test says so" })).await
    }

    /// Lets a scope go on.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn resume(&self, scope: &Value) -> Result<Reply> {
        let body = json!({ "scope": scope, "reason": "the test says so" });
        self.two_do("POST", "/api/v1/stops/resume", &body, &[]).await
    }

    /// Plans an act and asks for it; the other operator approves it. The answer is that of the first step that was
    /// refused, or of the approval.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn two_do(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Result<Reply> {
        let asked = self.ask_for(method, path, body, headers).await?;
        if asked.status != 202 {
            return Ok(asked);
        }
        let approval = asked.text_at("/id")?;
        let reason = json!({ "reason": "the test says so too" });
        self.second()?.post(&format!("/api/v1/approvals/{approval}/approve"), &reason).await
    }

    /// Plans an act and asks for it, with the name that it is confirmed by. The answer is that of the first step that was
    /// refused, or of the asking.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn ask_for(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Result<Reply> {
        let plan = self.call(method, &format!("{path}?dry_run=true"), Some(body)).await?;
        if plan.status != 200 {
            return Ok(plan);
        }
        let mut body = body.clone();
        if method == "DELETE"
            && let Some(fields) = body.as_object_mut()
        {
            fields.insert("confirm".to_owned(), plan.text_at("/name")?.into());
        }
        let digest = plan.text_at("/digest")?;
        let headers = [headers, &[("plan-digest", digest.as_str())]].concat();
        self.send(method, path, &body, &headers).await
    }

    /// The first 10,000 audit entries of a tenant.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn audit(&self, tenant: &str) -> Result<Vec<Value>> {
        let reply = self.get(&format!("/api/v1/audit?tenant={tenant}&limit=10000")).await?.ok().context("audit")?;
        let json = reply.json();
        Ok(json.get("data").and_then(Value::as_array).context("no data")?.clone())
    }

    /// The same as CSV.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn csv(&self, tenant: &str) -> Result<Reply> {
        let path = format!("/api/v1/audit?tenant={tenant}&limit=10000");
        self.client.send(request("GET", &path, Some(&self.bearer), None, &[("accept", "text/csv")])?).await
    }

    /// The export of the whole log, and the key that verifies it.
    ///
    /// # Errors
    /// When one of the two is refused.
    pub async fn export(&self) -> Result<(String, String)> {
        let export = self.get("/api/v1/audit/export").await?.ok().context("export")?.text();
        let key = self.get("/api/v1/audit/key").await?.ok().context("audit key")?.text();
        Ok((export, key))
    }

    /// Any request with the login.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        self.client.call(method, path, Some(&self.bearer), body).await
    }

    /// Any request with the login and further headers.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Result<Reply> {
        self.client.send(request(method, path, Some(&self.bearer), Some(body), headers)?).await
    }

    /// A GET with the login.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.call("GET", path, None).await
    }

    /// A POST with the login.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.call("POST", path, Some(body)).await
    }
}
