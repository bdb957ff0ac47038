//! Passkeys: a terminal asks, a real browser shows one.

mod page;
mod proof;
mod refused;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{
    Authenticator, Browser, Client, Door, Home, House, OPERATOR, Operator, Programs, Ready, Reply, SECOND, Scratch,
    Server, Sim, until,
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_founder_registers_by_invitation_and_logs_in_while_the_token_is_away() -> Result<()> {
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    let home = Home::at(&scratch.path().join("home"), scratch.path(), &scratch.path().join("log"))?;
    let file = scratch.path().join("invitations.json");
    home.claviger(["init", "--operator", "ada", "--invitations"])?.args([&file]).output().await?.ok()?;
    home.use_sim(&sim)?;
    let server = Server::start(&home).await?;
    let invitations: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let invitation = invitations[0]["invitation"].as_str().context("no invitation")?;
    let terminal = Terminal { admin: Client::of_server(&home.ready_file(), Door::Admin)? };
    let browser = Browser::start().await?;
    browser.authenticator().await?;

    let by_invitation = json!({ "invitation": invitation, "label": "laptop" });
    let begun = terminal.begin(&by_invitation).await?;
    ensure!(terminal.poll(&begun).await?.status == 202, "nobody showed a passkey yet");
    let seen = made(&terminal, &browser, &begun, None).await?;
    ensure!(seen.contains("Register a passkey") && seen.contains("ada") && seen.contains("127.0.0.1"), "{seen}");
    // It is spent.
    let again = terminal.admin.call("POST", "/api/v1/login/browser", None, Some(&by_invitation)).await?;
    again.problem(401, "unauthenticated")?;

    let (tokens, away) = (home.token_file("tokens"), home.token_file("tokens.away"));
    fs::rename(&tokens, &away)?;
    until("the service to be red", async || {
        let status = server.readyz().await?.status;
        ensure!(status == 503, "status {status}");
        Ok(())
    })
    .await?;
    let begun = terminal.begin(&json!({ "operator": "ada" })).await?;
    shown(&browser, &begun).await?;
    let login = terminal.ended(&begun).await?.ok()?;
    ensure!(login.text_at("/login/kind")? == "passkey", "{}", login.text());
    terminal.poll(&begun).await?.problem(410, "passkey_expired")?;
    let bearer = login.text_at("/bearer")?;
    // A passkey stands for two factors.
    let call = async |method: &str, path: &str| terminal.admin.call(method, path, Some(&bearer), None).await;
    call("GET", "/api/v1/tenants").await?.ok()?;
    fs::rename(&away, &tokens)?;

    let own = call("GET", "/api/v1/me/passkeys").await?.ok()?;
    ensure!(own.text_at("/data/0/label")? == "laptop" && own.text_at("/data/0/used_at").is_ok(), "{}", own.text());
    let path = format!("/api/v1/me/passkeys/{}", own.text_at("/data/0/id")?);
    call("DELETE", &path).await?.problem(409, "last_factor")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_added_used_and_removed_at_the_command_line() -> Result<()> {
    let house = House::open().await?;
    let browser = Browser::start().await?;
    let first = browser.authenticator().await?;
    let password = house.home.beside("password");
    fs::write(&password, claviger_e2e::PASSWORD)?;
    let login = house.home.client(["login", "--operator", OPERATOR, "--password-file"])?.args([&password]);
    login.output().await?.ok()?;

    in_browser(&house, &browser, &["passkey", "add", "--label", "first"]).await?;
    browser.take_away(&first).await?;
    let second = browser.authenticator().await?;
    in_browser(&house, &browser, &["passkey", "add", "--label", "second"]).await?;
    let said = in_browser(&house, &browser, &["login", "--operator", OPERATOR, "--passkey"]).await?;
    ensure!(said.starts_with("logged in as operator"), "{said}");
    let said = in_browser(&house, &browser, &["me", "proof", "--passkey"]).await?;
    ensure!(said.starts_with("proven"), "{said}");

    let listed = house.home.client(["--json", "passkey", "list"])?.output().await?.ok()?.json()?;
    let id = |label: &str| {
        let rows = listed["data"].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| row["label"] == label);
        row.and_then(|row| Some(row["id"].as_str()?.to_owned())).context("not listed")
    };
    house.home.client(["passkey", "remove", &id("second")?])?.output().await?.ok()?;
    house.home.client(["passkey", "remove", &id("second")?])?.output().await?.exits(4)?;
    house.home.client(["passkey", "remove", &id("first")?])?.output().await?.ok()?;
    ensure!(!browser.passkeys(&second).await?.is_empty(), "the authenticator keeps its own");

    // The login of the house ended with the first passkey.
    let reader = Operator::log_in(&house.home.ready_file(), SECOND, claviger_e2e::PASSWORD).await?;
    let entries = reader.get("/api/v1/audit?limit=1000").await?.ok()?.text();
    for action in ["passkey.create", "passkey.use", "passkey.delete", "login.prove"] {
        ensure!(entries.contains(&format!("\"{action}\"")), "no entry {action}");
    }
    Ok(())
}

/// A terminal that is no command line.
struct Terminal {
    admin: Client,
}

impl Terminal {
    fn of(house: &House) -> Result<Self> {
        Ok(Self { admin: Client::of_server(&house.home.ready_file(), Door::Admin)? })
    }

    async fn begin(&self, body: &Value) -> Result<Reply> {
        self.admin.call("POST", "/api/v1/login/browser", None, Some(body)).await?.ok()
    }

    async fn poll(&self, begun: &Reply) -> Result<Reply> {
        let body = json!({ "device_code": begun.text_at("/device_code")? });
        self.admin.call("POST", "/api/v1/login/browser/poll", None, Some(&body)).await
    }

    /// Says that a passkey that was made is the operator's.
    async fn confirm(&self, begun: &Reply, bearer: Option<&str>) -> Result<Reply> {
        let body = json!({ "device_code": begun.text_at("/device_code")?, "confirmed": true });
        self.admin.call("POST", "/api/v1/login/browser/poll", bearer, Some(&body)).await
    }

    /// What became of it, once something has.
    async fn ended(&self, begun: &Reply) -> Result<Reply> {
        until("the browser", async || {
            let reply = self.poll(begun).await?;
            ensure!(reply.status != 202, "nobody showed a passkey yet");
            Ok(reply)
        })
        .await
    }
}

/// Registers a passkey for the operator of a house, and returns the authenticator that holds it.
pub(super) async fn registered(house: &House, browser: &Browser) -> Result<Authenticator> {
    let authenticator = browser.authenticator().await?;
    let begun = house.operator.post("/api/v1/me/passkeys", &json!({ "label": "one" })).await?.ok()?;
    made(&Terminal::of(house)?, browser, &begun, Some(&house.operator.bearer)).await?;
    Ok(authenticator)
}

/// Makes a passkey on the page, and registers it at the terminal; returns what a person read on the way.
async fn made(terminal: &Terminal, browser: &Browser, begun: &Reply, bearer: Option<&str>) -> Result<String> {
    let seen = asked(browser, begun).await?;
    browser.click("#show").await?;
    let said = said(browser).await?;
    let check = terminal.ended(begun).await?.ok()?.text_at("/check")?;
    ensure!(said.contains(&check), "{said}: {check}");
    ensure!(terminal.confirm(begun, bearer).await?.status == 204, "not registered");
    Ok(seen)
}

/// Goes through the page to its good end, and returns what a person read on the way.
async fn shown(browser: &Browser, begun: &Reply) -> Result<String> {
    let seen = asked(browser, begun).await?;
    browser.click("#show").await?;
    let said = said(browser).await?;
    ensure!(said.starts_with("Done."), "{said}");
    Ok(seen)
}

/// Goes as far as the question, and returns it.
async fn asked(browser: &Browser, begun: &Reply) -> Result<String> {
    browser.open(&begun.text_at("/url")?).await?;
    browser.click("#enter button").await?;
    browser.text("#what").await?;
    browser.text("#asked").await
}

/// What the page says in the end.
pub(super) async fn said(browser: &Browser) -> Result<String> {
    until("the page to say something", async || {
        let said = browser.text("#said").await?;
        ensure!(!said.starts_with("Waiting"), "{said}");
        Ok(said)
    })
    .await
}

/// Runs a command that sends its user to a browser, and does there what it asks for.
async fn in_browser(house: &House, browser: &Browser, args: &[&str]) -> Result<String> {
    let admin = Ready::read(&house.home.ready_file())?.admin;
    let mut command = Command::new(Programs::find()?.claviger()?);
    let command = command.args(["--home".as_ref(), house.home.path().as_os_str()]).args(["--admin", &admin]).args(args);
    let mut command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = command.stdin.take().context("no input")?;
    let (stdout, stderr) = (command.stdout.take().context("no output")?, command.stderr.take().context("no output")?);
    let url = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("open ").map(ToOwned::to_owned));
        // The rest is read later: the pipe stays open.
        (url, lines)
    });
    let (url, rest) = url.await?;
    browser.open(&url.context("no address")?).await?;
    browser.click("#enter button").await?;
    browser.text("#what").await?;
    browser.click("#show").await?;
    let said_by_page = said(browser).await?;
    let makes = args.contains(&"add");
    ensure!(said_by_page.starts_with(if makes { "Go back to your terminal" } else { "Done." }), "{said_by_page}");
    let (said, status, rest) = tokio::task::spawn_blocking(move || {
        if makes {
            stdin.write_all(b"y\n")?;
        }
        let said = std::io::read_to_string(stdout)?;
        Ok::<_, std::io::Error>((said, command.wait()?, rest.collect::<Vec<_>>()))
    })
    .await??;
    ensure!(status.success(), "{args:?}: {status}: {said} {rest:?}");
    Ok(said)
}
