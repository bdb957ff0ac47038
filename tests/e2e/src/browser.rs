//! A real Chromium, driven over the W3C protocol of its chromedriver, with an authenticator that is none of hardware.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::process::{children, kill};
use crate::scratch::Scratch;
use crate::wait::until;

/// Where the distributions put the two programs.
const CHROMIUM: &[&str] = &["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const DRIVER: &[&str] = &["/usr/bin/chromedriver", "/usr/lib/chromium-browser/chromedriver"];

/// A browser with a profile of its own. Dropped, it ends, and the profile is removed.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
    _profile: Scratch,
}

/// An authenticator that the browser believes to be built in.
#[derive(Clone, Debug)]
pub struct Authenticator(String);

impl Browser {
    /// Starts one.
    ///
    /// # Errors
    /// When Chromium is not installed, or does not start.
    pub async fn start() -> Result<Self> {
        let (chromium, driver) = (installed(CHROMIUM)?, installed(DRIVER)?);
        let profile = Scratch::new()?;
        let (driver, port) = spawn(&driver, profile.path())?;
        let folder = profile.path().join("profile");
        let address = format!("127.0.0.1:{port}");
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let args = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // The test authority is nobody's but this browser's.
            "--ignore-certificate-errors",
            format!("--user-data-dir={}", folder.display()),
        ]);
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "binary": chromium, "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.ask("POST", "/session", Some(&wanted)).await?;
        let session = session.get("sessionId").and_then(Value::as_str);
        session.context("no session")?.clone_into(&mut browser.session);
        Ok(browser)
    }

    /// Goes to an address, from an empty page.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open(&self, url: &str) -> Result<()> {
        for url in ["about:blank", url] {
            self.command("POST", "/url", &json!({ "url": url })).await?;
        }
        Ok(())
    }

    /// What a script returns that runs in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str) -> Result<Value> {
        self.command("POST", "/execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// Clicks what a CSS selector names, as a person would.
    ///
    /// # Errors
    /// When it is not there, or cannot be clicked.
    pub async fn click(&self, selector: &str) -> Result<()> {
        let element = self.element(selector).await?;
        self.command("POST", &format!("/element/{element}/click"), &json!({})).await.map(drop)
    }

    /// Types into what a CSS selector names; the enter key is `\u{e007}`.
    ///
    /// # Errors
    /// When it is not there, or takes nothing.
    pub async fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.element(selector).await?;
        self.command("POST", &format!("/element/{element}/value"), &json!({ "text": text })).await.map(drop)
    }

    /// The text that a person sees at a CSS selector, once there is some.
    ///
    /// # Errors
    /// When there never is.
    pub async fn text(&self, selector: &str) -> Result<String> {
        until(selector, async || {
            let element = self.element(selector).await?;
            let text = self.ask("GET", &format!("/session/{}/element/{element}/text", self.session), None).await?;
            let text = text.as_str().unwrap_or_default().to_owned();
            ensure!(!text.is_empty(), "no text");
            Ok(text)
        })
        .await
    }

    async fn element(&self, selector: &str) -> Result<String> {
        let found = self.command("POST", "/element", &json!({ "using": "css selector", "value": selector })).await?;
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        Ok(id.with_context(|| format!("no {selector}"))?.to_owned())
    }

    /// What the console has said since it was asked last.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn console(&self) -> Result<Vec<String>> {
        let log = self.command("POST", "/se/log", &json!({ "type": "browser" })).await?;
        let lines = log.as_array().context("no log")?.iter();
        Ok(lines.filter_map(|line| Some(line.get("message")?.as_str()?.to_owned())).collect())
    }

    /// Makes the window so wide, in pixels.
    ///
    /// # Errors
    /// When it stays as it is.
    pub async fn widen(&self, width: u32) -> Result<()> {
        let params = json!({ "width": width, "height": 640, "deviceScaleFactor": 1, "mobile": false });
        let set = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": params });
        self.command("POST", "/goog/cdp/execute", &set).await.map(drop)
    }

    /// Gives the browser an authenticator whose user is there and is verified.
    ///
    /// # Errors
    /// When it gets none.
    pub async fn authenticator(&self) -> Result<Authenticator> {
        let like = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "isUserConsenting": true,
        });
        let id = self.command("POST", "/webauthn/authenticator", &like).await?;
        Ok(Authenticator(id.as_str().context("no authenticator")?.to_owned()))
    }

    /// Takes it away.
    ///
    /// # Errors
    /// When it stays.
    pub async fn take_away(&self, authenticator: &Authenticator) -> Result<()> {
        self.of(authenticator, "DELETE", "", None).await.map(drop)
    }

    /// Whether its user is verified from here on.
    ///
    /// # Errors
    /// When it does not change.
    pub async fn verifies(&self, authenticator: &Authenticator, verified: bool) -> Result<()> {
        self.of(authenticator, "POST", "/uv", Some(&json!({ "isUserVerified": verified }))).await.map(drop)
    }

    /// The passkeys in it, with their private keys and counters.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn passkeys(&self, authenticator: &Authenticator) -> Result<Vec<Value>> {
        let all = self.of(authenticator, "GET", "/credentials", None).await?;
        Ok(all.as_array().context("no list")?.clone())
    }

    /// Puts a passkey into it, as another authenticator had it.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn put(&self, authenticator: &Authenticator, passkey: &Value) -> Result<()> {
        self.of(authenticator, "POST", "/credential", Some(passkey)).await.map(drop)
    }

    async fn of(&self, which: &Authenticator, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("/session/{}/webauthn/authenticator/{}{path}", self.session, which.0);
        self.ask(method, &path, body).await
    }

    async fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.ask(method, &format!("/session/{}{path}", self.session), Some(body)).await
    }

    /// One request to the driver; what it answers stands in `value`.
    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (mut sender, connection) = handshake(TokioIo::new(TcpStream::connect(&self.address).await?)).await?;
        tokio::spawn(connection);
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = Request::builder().method(method).uri(path).header(HOST, &self.address);
        let request = request.header(CONTENT_TYPE, "application/json").body(Full::new(body))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        let answer: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
        let value = answer.get("value").cloned().unwrap_or(Value::Null);
        if head.status.is_success() {
            return Ok(value);
        }
        let said = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        bail!("chromedriver: {path}: {}: {}", said("error"), said("message"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser is the driver's child, and has children of its own.
        let mut all = vec![self.driver.id()];
        let mut next = 0_usize;
        while let Some(pid) = all.get(next) {
            all.extend(children(*pid));
            next = next.saturating_add(1);
        }
        all.into_iter().for_each(kill);
        let _gone = self.driver.wait();
    }
}

fn installed(places: &[&str]) -> Result<PathBuf> {
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    found.context("Chromium is missing: apt install chromium chromium-driver")
}

/// Starts the driver on a port of its own choice, which it says.
fn spawn(program: &Path, home: &Path) -> Result<(Child, u16)> {
    let mut driver = Command::new(program)
        .args(["--port=0", "--allowed-ips=127.0.0.1"])
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_CACHE_HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut said = BufReader::new(driver.stdout.take().context("no output")?).lines();
    let port = said.find_map(|line| {
        let line = line.ok()?;
        line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
    });
    if let Some(port) = port {
        // What it says later is read by nobody, and must not hold it up.
        std::thread::spawn(move || said.for_each(drop));
        return Ok((driver, port));
    }
    let _killed = driver.kill();
    let _ended = driver.wait();
    bail!("chromedriver does not start")
}
