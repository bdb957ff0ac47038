//! The venue: the simulator, and what it saw.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use claviger_venue_sim::{Options, Running, serve};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Client, Reply};
use crate::key::Key;

/// The venues that Claviger and the simulator both know.
pub const VENUES: [&str; 3] = ["binance", "binance-usdm", "kraken"];

/// A simulator, and its control API.
#[derive(Debug)]
pub struct Sim {
    client: Client,
    url: String,
    ca_file: PathBuf,
    /// Serves until it is dropped; `None` for a simulator of another process.
    _running: Option<Running>,
}

/// An order as the venue has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// Rises over all requests.
    pub seq: u64,
    /// The venue's name for it.
    pub order_id: Value,
    /// The client's name for it.
    pub client_order_id: Option<String>,
    /// What is traded.
    pub symbol: String,
    /// How it stands.
    pub status: String,
    /// The parameters as they were signed.
    pub params: Value,
}

/// A request as the venue remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// Rises over all requests.
    pub seq: u64,
    /// When its last header had been read, nanoseconds since the Unix epoch.
    pub received_ns: u64,
    /// The venue.
    pub venue: String,
    /// The method.
    pub method: String,
    /// The path, beneath the venue's.
    pub path: String,
    /// The key id it named.
    pub key_id: String,
    /// Whether the signature was right; `None` where none was asked for.
    pub signed_ok: Option<bool>,
    /// The entry of the venue's catalogue; empty for none.
    pub operation: String,
    /// The status it was answered with.
    pub status: u16,
}

impl Sim {
    /// Starts a simulator in this process.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(folder: &Path) -> Result<Self> {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = serve(Options { listen, tls_dir: folder.join("venue-tls"), ready_file: None }).await?;
        let (url, ca_file) = (running.url(), running.ca_file().to_owned());
        let client = Client::of_address(&running.address().to_string(), &ca_file)?;
        Ok(Self { client, url, ca_file, _running: Some(running) })
    }

    /// Speaks to a simulator of another process, as its ready file describes it.
    ///
    /// # Errors
    /// When the file is not there yet.
    pub fn of_ready_file(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("no ready file {}", file.display()))?;
        let ready: Value = serde_json::from_str(&text)?;
        let field = |name: &str| ready.get(name).and_then(Value::as_str).with_context(|| format!("no {name}: {text}"));
        let (url, ca_file) = (field("url")?.to_owned(), PathBuf::from(field("ca_file")?));
        let client = Client::of_address(url.trim_start_matches("https://"), &ca_file)?;
        Ok(Self { client, url, ca_file, _running: None })
    }

    /// `https://…`; a venue's base is this and its name.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The authority that vouches for it.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The way in, for a client of the venue's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a key known, and gives it back.
    ///
    /// # Errors
    /// When the simulator refuses it.
    pub async fn knows(&self, key: Result<Key>) -> Result<Key> {
        let key = key?;
        self.control("POST", "/_sim/keys", Some(&key.registration())).await?;
        Ok(key)
    }

    /// Has the venue forget a key.
    ///
    /// # Errors
    /// When it never knew it.
    pub async fn forgets(&self, key: &Key) -> Result<()> {
        self.control("DELETE", &format!("/_sim/keys/{}/{}", key.venue, escaped(&key.key_id)), None).await?;
        Ok(())
    }

    /// Puts a fault in force, such as `{"kind": "slow", "delay_ms": 200}`.
    ///
    /// # Errors
    /// When the simulator does not understand it.
    pub async fn fault(&self, fault: &Value) -> Result<()> {
        self.control("POST", "/_sim/faults", Some(fault)).await?;
        Ok(())
    }

    /// Has a venue show a symbol at another price; orders fill as before.
    ///
    /// # Errors
    /// When the venue shows no public price of that symbol.
    pub async fn price(&self, venue: &str, symbol: &str, price: &str) -> Result<()> {
        let price = json!({ "venue": venue, "symbol": symbol, "price": price });
        self.control("POST", "/_sim/prices", Some(&price)).await?;
        Ok(())
    }

    /// Ends all faults.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn heal(&self) -> Result<()> {
        self.control("DELETE", "/_sim/faults", None).await?;
        Ok(())
    }

    /// The orders of a key, oldest first.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn orders(&self, key: &Key) -> Result<Vec<Order>> {
        let query = format!("/_sim/orders?venue={}&key_id={}", key.venue, escaped(&key.key_id));
        self.list(&query, "orders").await
    }

    /// The newest 20,000 requests that named a key, oldest first.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn requests(&self, key: &Key) -> Result<Vec<Receipt>> {
        let query = format!("/_sim/requests?limit=20000&venue={}&key_id={}", key.venue, escaped(&key.key_id));
        self.list(&query, "requests").await
    }

    /// The newest 20,000 requests, oldest first.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn all_requests(&self) -> Result<Vec<Receipt>> {
        self.list("/_sim/requests?limit=20000", "requests").await
    }

    /// The last 256 requests with all their bytes: `{seq, received_ns, method, uri, headers, body}`.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn raw(&self) -> Result<Vec<Value>> {
        self.list("/_sim/raw?limit=256", "requests").await
    }

    /// How often a call that moves money or keys came in.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn tripped(&self) -> Result<u64> {
        let tripwire = self.control("GET", "/_sim/tripwire", None).await?;
        tripwire.get("count").and_then(Value::as_u64).context("no count")
    }

    /// Has the venue keep to its documented limits.
    ///
    /// # Errors
    /// When the simulator does not know the venue.
    pub async fn is_strict(&self, venue: &str) -> Result<()> {
        self.control("POST", "/_sim/limits/strict", Some(&json!({ "venue": venue, "on": true }))).await?;
        Ok(())
    }

    /// How often a venue had to say "too many".
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn refused(&self, venue: &str) -> Result<u64> {
        let limits = self.control("GET", "/_sim/limits", None).await?;
        let count = limits.pointer(&format!("/venues/{venue}/refused")).and_then(Value::as_u64);
        count.with_context(|| format!("no count: {limits}"))
    }

    /// Sends a call that is correctly signed with a key of Binance's straight to the venue, past Claviger.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn signed_by(&self, key: &Key, method: &str, path: &str, params: &str) -> Result<Reply> {
        let path = format!("/{}{path}?{}", key.venue, key.signed_query(params));
        let request = crate::http::request(method, &path, None, None, &[("X-MBX-APIKEY", &key.key_id)])?;
        self.client.send(request).await
    }

    /// Sends a request that Claviger gave out, as it is.
    ///
    /// # Errors
    /// When it is none to this simulator, or no answer comes.
    pub async fn given(&self, request: &Value) -> Result<Reply> {
        let text = |name: &str| request.get(name).and_then(Value::as_str).with_context(|| format!("no {name}"));
        let path = text("url")?.strip_prefix(&self.url).context("a request to elsewhere")?;
        let mut sent = hyper::Request::builder().method(text("method")?).uri(path);
        for header in request.get("headers").and_then(Value::as_array).into_iter().flatten() {
            let (name, value): (String, String) = serde_json::from_value(header.clone())?;
            sent = sent.header(name, value);
        }
        self.client.send(sent.body(Full::from(text("body")?.to_owned()))?).await
    }

    /// Sends a correctly signed withdrawal straight to the venue: what the tripwire is there to see.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn withdraw(&self, key: &Key) -> Result<Reply> {
        let params = "coin=USDT&address=elsewhere&amount=1";
        self.signed_by(key, "POST", "/sapi/v1/capital/withdraw/apply", params).await
    }

    async fn list<T: serde::de::DeserializeOwned>(&self, path: &str, field: &str) -> Result<Vec<T>> {
        let mut answer = self.control("GET", path, None).await?;
        Ok(serde_json::from_value(answer.get_mut(field).map(Value::take).unwrap_or(json!([])))?)
    }

    async fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let reply = self.client.call(method, path, None, body).await?;
        Ok(reply.ok().with_context(|| format!("simulator: {method} {path}"))?.json())
    }
}

/// A key id in a query or path; Kraken's hold slashes and plus signs.
fn escaped(key_id: &str) -> String {
    percent_encoding::utf8_percent_encode(key_id, percent_encoding::NON_ALPHANUMERIC).to_string()
}
