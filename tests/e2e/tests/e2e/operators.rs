//! How operators prove who they are: invitations, passwords, codes, devices, throttles, and the way in when the token is
//! away.

pub(super) mod codes;
mod throttle;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{
    Client, Door, Home, House, OPERATOR, Operator, PASSWORD, Reply, Scratch, Server, Setup, Sim, until,
};
use serde_json::{Value, json};

/// Another good password.
const ANOTHER: &str = "seven quiet otters repaint the barn";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_share_or_an_invitation_of_a_home_that_was_not_made() -> Result<()> {
    let scratch = Scratch::new()?;
    let home = Home::at(&scratch.path().join("home"), scratch.path(), &scratch.path().join("log"))?;
    let at = |name: &str| scratch.path().join(name);
    let init = async |invitations: &Path, shares: &Path| {
        let init = home.claviger(["init", "--recovery-shares", "3", "--recovery-threshold", "2", "--recovery-out"])?;
        init.args([shares]).args(["--invitations"]).args([invitations]).output().await?.exits(1)
    };

    init(&at("nowhere/invitations"), &at("shares")).await?;
    ensure!(!at("shares").exists(), "shares of no home");

    fs::write(at("taken"), "")?;
    init(&at("invitations"), &at("taken")).await?;
    ensure!(!at("invitations").exists(), "invitations to no home");
    ensure!(!home.path().exists(), "a home that is half made");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn founders_accept_their_invitations_once() -> Result<()> {
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    let home = Home::at(&scratch.path().join("home"), scratch.path(), &scratch.path().join("log"))?;
    let file = scratch.path().join("invitations.json");
    let init = home.claviger(["init", "--operator", "ada", "--operator", "bob", "--invitations"])?.args([&file]);
    let said = init.output().await?.ok()?.stdout;
    home.use_sim(&sim)?;
    let _server = Server::start(&home).await?;
    let invitations: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let ada = invitations[0]["invitation"].as_str().context("no invitation")?;
    ensure!(said.contains(ada) && invitations[1]["operator"] == "bob", "{said}");
    ensure!(mode(&file)? == 0o600, "others may read it");
    let admin = Client::of_server(&home.ready_file(), Door::Admin)?;
    let accept = |invitation: &str, password: &str| {
        let body = json!({ "invitation": invitation, "password": password });
        let admin = &admin;
        async move { admin.call("POST", "/api/v1/factors", None, Some(&body)).await }
    };

    accept(ada, "ada").await?.problem(400, "password_length")?;
    accept(ada, "Sunshine-2026").await?.problem(400, "password_common")?;
    accept("clv_invite_nobodys", PASSWORD).await?.problem(401, "unauthenticated")?;
    let bearer = accept(ada, PASSWORD).await?.ok()?.text_at("/bearer")?;
    accept(ada, ANOTHER).await?.problem(401, "unauthenticated")?;

    // A password alone sets up a second factor, and does nothing else.
    let get = async |path: &str| admin.call("GET", path, Some(&bearer), None).await;
    get("/api/v1/tenants").await?.problem(403, "second_factor_missing")?;
    get("/api/v1/me/logins").await?.ok()?;
    // Whoever knew it is out with the first code; who showed the code is in.
    let other = log_in(&admin, "ada", PASSWORD, None).await?.ok()?.text_at("/bearer")?;
    let ada = Person { name: "ada", bearer, admin };
    let codes = ada.set_up_totp().await?.1;
    ensure!(codes.len() == 10, "{} codes", codes.len());
    ada.call("GET", "/api/v1/tenants", None).await?.ok()?;
    ada.admin.call("GET", "/api/v1/me/logins", Some(&other), None).await?.problem(401, "unauthenticated")?;

    // The other one, by the command line.
    let password = scratch.path().join("password");
    fs::write(&password, ANOTHER)?;
    let accept = home.client(["operator", "accept", "--operator", "bob", "--invitation-file"])?.args([&file]);
    let said = accept.args([Path::new("--password-file"), &password]).output().await?.ok()?.stdout;
    ensure!(said.starts_with("logged in as bob"), "{said}");
    ensure!(mode(&home.file("operator.device"))? == 0o600, "others may read it");
    let listed = home.client(["me", "logins"])?.output().await?.ok()?.stdout;
    ensure!(listed.lines().count() == 2, "{listed}");
    home.client(["tenant", "list"])?.output().await?.exits(3)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_every_login() -> Result<()> {
    let house = House::open().await?;
    let person = Person::of(&house).await?;
    let second = Operator::log_in(&house.home.ready_file(), OPERATOR, PASSWORD).await?;
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });

    let path = "/api/v1/me/password";
    person.call("PUT", path, Some(&change("wrong wrong wrong", ANOTHER))).await?.problem(401, "unauthenticated")?;
    person.call("PUT", path, Some(&change(PASSWORD, "aaaaaaaaaaaaaaaa"))).await?.problem(400, "password_guessable")?;
    second.get("/api/v1/tenants").await?.ok()?;
    let changed = person.call("PUT", path, Some(&change(PASSWORD, ANOTHER))).await?.ok()?;

    for ended in [&person.bearer, &second.bearer, &house.operator.bearer] {
        person.admin.call("GET", "/api/v1/tenants", Some(ended), None).await?.problem(401, "unauthenticated")?;
    }
    let bearer = changed.text_at("/bearer")?;
    let logins = person.admin.call("GET", "/api/v1/me/logins", Some(&bearer), None).await?.ok()?;
    ensure!(logins.ids().len() == 1, "{}", logins.text());
    log_in(&person.admin, OPERATOR, PASSWORD, None).await?.problem(401, "unauthenticated")?;
    log_in(&person.admin, OPERATOR, ANOTHER, None).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_listed_by_device_and_ended_one_by_one() -> Result<()> {
    let house = House::open().await?;
    let person = Person::of(&house).await?;
    let phone = log_in_from(&person.admin, PASSWORD, None, &[("claviger-device", "phone")]).await?.ok()?;
    let (id, bearer) = (phone.text_at("/login/id")?, phone.text_at("/bearer")?);
    let listed = person.call("GET", "/api/v1/me/logins", None).await?.ok()?;
    let rows = listed.json();
    let row = rows["data"].as_array().context("no rows")?.iter().find(|row| row["id"] == *id).context("not listed")?;
    ensure!(row["device"] == "phone" && row["kind"] == "password", "{row}");

    person.call("DELETE", &format!("/api/v1/me/logins/{id}"), None).await?.ok()?;
    person.admin.call("GET", "/api/v1/tenants", Some(&bearer), None).await?.problem(401, "unauthenticated")?;
    person.call("DELETE", &format!("/api/v1/me/logins/{id}"), None).await?.problem(404, "not_found")?;
    let other = log_in(&person.admin, OPERATOR, PASSWORD, None).await?.ok()?;
    let (id, bearer) = (other.text_at("/login/id")?, other.text_at("/bearer")?);
    ensure!(person.call("GET", "/api/v1/logins", None).await?.ok()?.ids().contains(&id), "not listed");
    person.call("DELETE", &format!("/api/v1/logins/{id}"), None).await?.ok()?;
    person.admin.call("GET", "/api/v1/tenants", Some(&bearer), None).await?.problem(401, "unauthenticated")?;

    // The oldest of too many ends.
    let oldest = log_in(&person.admin, OPERATOR, PASSWORD, None).await?.ok()?.text_at("/bearer")?;
    for _ in 0..32 {
        log_in(&person.admin, OPERATOR, PASSWORD, None).await?.ok()?;
    }
    person.admin.call("GET", "/api/v1/tenants", Some(&oldest), None).await?.problem(401, "unauthenticated")?;
    let newest = log_in(&person.admin, OPERATOR, PASSWORD, None).await?.ok()?.text_at("/bearer")?;
    let listed = person.admin.call("GET", "/api/v1/me/logins", Some(&newest), None).await?.ok()?;
    ensure!(listed.ids().len() == 32, "{}", listed.ids().len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn break_glass_works_while_the_token_is_away_and_is_reviewed() -> Result<()> {
    let house = Setup::default().open().await?;
    let person = Person::of(&house).await?;
    let codes = codes_of(&person.call("POST", "/api/v1/me/break-glass", None).await?.ok()?);
    let (first, second) = (codes.first().context("no code")?, codes.get(1).context("no second code")?);
    let key = house.sim.knows(claviger_e2e::Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let (tokens, away) = (house.home.token_file("tokens"), house.home.token_file("tokens.away"));

    fs::rename(&tokens, &away)?;
    until("the service to be red", async || {
        let status = house.server.readyz().await?.status;
        ensure!(status == 503, "status {status}");
        Ok(())
    })
    .await?;
    let refused = log_in(&person.admin, OPERATOR, PASSWORD, None).await?;
    ensure!(refused.status == 503, "a password was verified without the token: {}", refused.text());
    let break_glass = |code: &str| json!({ "operator": OPERATOR, "break_glass": code });
    let enter = async |body: &Value| person.admin.call("POST", "/api/v1/login", None, Some(body)).await;
    enter(&break_glass("0000-0000")).await?.problem(401, "unauthenticated")?;
    let login = enter(&break_glass(&first.to_uppercase().replace('-', " "))).await?.ok()?;
    enter(&break_glass(first)).await?.problem(401, "unauthenticated")?;
    let bearer = login.text_at("/bearer")?;
    let tenant = &house.tenant;
    for (act, state) in [("freeze", "frozen"), ("revoke", "revoked")] {
        let path = format!("/api/v1/tenants/{tenant}/credentials/{credential}/{act}");
        let body = json!({ "reason": "the token is away" });
        let done = person.admin.call("POST", &path, Some(&bearer), Some(&body)).await?.ok()?;
        ensure!(done.text_at("/state")? == state, "{}", done.text());
    }
    // A login that was made before goes on.
    person.call("GET", "/api/v1/tenants", None).await?.ok()?;
    fs::rename(&away, &tokens)?;

    let id = login.text_at("/login/id")?;
    let lasts = jiff_ms(&login.text_at("/login/expires_at")?)? - jiff_ms(&login.text_at("/login/created_at")?)?;
    ensure!(lasts == 3_600_000, "{lasts} ms");
    let status = person.call("GET", "/api/v1/status", None).await?.ok()?.json();
    ensure!(status["unreviewed_logins"][0]["id"] == *id, "{status}");
    let seen = house.operator.get("/api/v1/overview").await?.ok()?.json();
    ensure!(
        seen["unreviewed_logins"] == json!({ "count": 1, "first": status["unreviewed_logins"], "more": false }),
        "{seen}"
    );
    let review = format!("/api/v1/logins/{id}/review");
    person.call("POST", &review, Some(&json!({ "reason": "mine" }))).await?.problem(409, "own_login")?;
    let log = fs::read_to_string(house.home.log_file())?;
    ensure!(log.contains("break-glass"), "no error line");
    let entries = house.operator.get("/api/v1/audit?limit=1000").await?.ok()?.text();
    ensure!(entries.contains("alarm.break-glass"), "no alarm");
    ensure!(!log.contains(second.as_str()) && !entries.contains(second.as_str()), "a code was written down");
    Ok(())
}

/// An operator and their login.
struct Person {
    name: &'static str,
    bearer: String,
    admin: Client,
}

impl Person {
    /// The operator of a house, by a login of their own.
    async fn of(house: &House) -> Result<Self> {
        let admin = Client::of_server(&house.home.ready_file(), Door::Admin)?;
        let bearer = log_in(&admin, OPERATOR, PASSWORD, None).await?.ok()?.text_at("/bearer")?;
        Ok(Self { name: OPERATOR, bearer, admin })
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        self.admin.call(method, path, Some(&self.bearer), body).await
    }

    /// Sets up one-time codes, and returns the seed and the backup codes.
    async fn set_up_totp(&self) -> Result<(Vec<u8>, Vec<String>)> {
        let url = self.call("POST", "/api/v1/me/totp", None).await?.ok()?.text_at("/url")?;
        ensure!(url.starts_with(&format!("otpauth://totp/Claviger:{}?", self.name)), "{url}");
        let seed = codes::seed(&url)?;
        let confirm = |code: String| json!({ "code": code });
        let path = "/api/v1/me/totp/confirm";
        self.call("POST", path, Some(&confirm(codes::wrong(&seed)))).await?.problem(400, "code_wrong")?;
        let done = self.call("POST", path, Some(&confirm(codes::code(&seed, 0)))).await?.ok()?;
        Ok((seed, codes_of(&done)))
    }
}

fn codes_of(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let rows = json["codes"].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|code| Some(code.as_str()?.to_owned())).collect()
}

async fn log_in(admin: &Client, name: &str, password: &str, code: Option<&str>) -> Result<Reply> {
    let mut body = json!({ "operator": name, "password": password });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    admin.call("POST", "/api/v1/login", None, Some(&body)).await
}

/// The same for the usual operator, with headers of the device's.
async fn log_in_from(admin: &Client, password: &str, code: Option<&str>, headers: &[(&str, &str)]) -> Result<Reply> {
    let mut body = json!({ "operator": OPERATOR, "password": password });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    admin.call_with("POST", "/api/v1/login", None, Some(&body), headers).await
}

fn mode(file: &Path) -> Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(file)?.permissions().mode() & 0o777)
}

fn jiff_ms(text: &str) -> Result<i64> {
    Ok(text.parse::<jiff::Timestamp>()?.as_millisecond())
}
