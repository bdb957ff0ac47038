//! Who gets to which route: every route of the API's document, tried as every kind of caller on a running server, and
//! compared with `docs/roles-matrix.txt`. A cell says what access control decided: a status, with the code of a 403, or
//! `in` where the request got through to what refuses it for being senseless.

mod password;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_core::clock::SystemClock;
use claviger_core::id::{LoginId, OperatorId, TenantId};
use claviger_core::identity::role::{ADMIN, COMPLIANCE, Permissions, Role, VIEWER};
use claviger_core::identity::{CallerSecret, Login, Operator};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Change, Key as RowKey, Range, Row, Store as _};
use claviger_e2e::{App, Call, Client, Door, House, Key, Reply};
use serde_json::json;

use crate::apps::tokens::{forged, parts};
use crate::tamper::behind_its_back;

/// Set, it writes the page anew instead of comparing: read what changed before you commit it.
const REGENERATE: &str = "REGENERATE_ROLES_MATRIX";

/// One route, as the document spells it.
struct Route {
    listener: &'static str,
    method: String,
    path: String,
}

/// One kind of caller.
struct Caller {
    name: &'static str,
    bearer: Option<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_caller_gets_to_its_own_routes_only() -> Result<()> {
    let house = House::open().await?;
    let ids = Ids::of(&house).await?;
    let apps = [
        Caller { name: "nobody", bearer: None },
        Caller { name: "app without grant", bearer: Some(ungranted(&house).await?) },
        Caller { name: "app of another tenant", bearer: Some(house.neighbour.app.token.clone()) },
    ];
    let (house, operators) = with_operators(house).await?;
    let callers: Vec<Caller> = apps.into_iter().chain(operators).collect();

    let (doors, mut matrix) = (Doors::of(&house)?, BTreeMap::new());
    for route in routes(&house).await? {
        let mut cells = Vec::new();
        for caller in &callers {
            cells.push(cell(&route, &doors.tried(&ids, &route, caller).await?));
        }
        matrix.insert((route.listener, route.path.clone(), route.method.clone()), cells);
    }

    let drawn = page(&callers, &matrix);
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles-matrix.txt");
    if regenerating() {
        fs::write(&place, &drawn)?;
    }
    let kept = fs::read_to_string(&place).unwrap_or_default();
    for (kept, drawn) in kept.lines().zip(drawn.lines()) {
        assert_eq!(kept, drawn, "if this is meant, run the test with {REGENERATE}=1 and read the difference");
    }
    assert_eq!(kept.lines().count(), drawn.lines().count(), "run the test with {REGENERATE}=1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_of_apps_takes_a_token_that_is_wrong_in_one_way() -> Result<()> {
    let house = House::open().await?;
    let ids = Ids::of(&house).await?;
    let mut wrong = forged(&house)?;
    let revoked = house.operator.make_app(&house.home.ready_file(), &house.tenant, "revoked").await?;
    let path = format!("/api/v1/tenants/{}/apps/{}/revoke", house.tenant, revoked.id);
    house.operator.post(&path, &json!({ "reason": "the test says so" })).await?.ok()?;
    wrong.push(("of a revoked app", revoked.token));
    let mut key = Vec::new();
    let house = behind_its_back(house, async |store| {
        let found = store.get(RowKey::KeeperKeys).await?.map(|found| found.row);
        let Some(Row::KeeperKeys(keys)) = found else { anyhow::bail!("no public keys") };
        key = keys.api;
        Ok(())
    })
    .await?;
    wrong.push(("HS256 by the public key", parts(&house.app.token)?.header("alg", json!("HS256")).maced(&key)));

    let doors = Doors::of(&house)?;
    let mut tried = 0;
    for route in routes(&house).await?.into_iter().filter(|route| route.listener == "api") {
        let nobody = Caller { name: "nobody", bearer: None };
        // Some routes are everybody's, and the gateway has proofs of its own.
        if doors.tried(&ids, &route, &nobody).await?.status != 401 || route.path.starts_with("/gateway/") {
            continue;
        }
        for (name, token) in &wrong {
            let reply = doors.tried(&ids, &route, &Caller { name, bearer: Some(token.clone()) }).await?;
            ensure!(reply.status == 401, "{} {} with {name}: {}", route.method, route.path, reply.status);
        }
        let right = Caller { name: "the app", bearer: Some(house.app.token.clone()) };
        ensure!(doors.tried(&ids, &route, &right).await?.status != 401, "{} {}", route.method, route.path);
        tried += 1;
    }
    ensure!(tried >= 10, "{tried} routes of apps");
    Ok(())
}

fn regenerating() -> bool {
    std::env::var_os(REGENERATE).is_some()
}

/// The routes of the document; those of all listeners once for each.
async fn routes(house: &House) -> Result<Vec<Route>> {
    let document = house.home.claviger(["openapi"])?.output().await?.ok()?.json()?;
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().context("no paths")? {
        for (method, about) in methods.as_object().context("no methods")? {
            let listeners: &[&str] = match about["tags"][0].as_str() {
                Some("api") => &["api"],
                Some("admin") => &["admin"],
                Some("page") => &["public"],
                _ => &["api", "admin", "public"],
            };
            let (method, path) = (method.to_uppercase(), path.clone());
            let row = |listener| Route { listener, method: method.clone(), path: path.clone() };
            routes.extend(listeners.iter().copied().map(row));
        }
    }
    // The login that is used ends: nothing comes after it.
    routes.sort_by_key(|route| (route.method == "DELETE" && route.path == "/api/v1/login", route.path.clone()));
    Ok(routes)
}

/// What lies in the tenant `default`, and is there.
struct Ids {
    tenant: String,
    credential: String,
    execution: String,
    virtual_key: String,
}

impl Ids {
    async fn of(house: &House) -> Result<Self> {
        let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
        let execution = house.app.acked(&Call::with(&credential, "account")).await?.text_at("/id")?;
        let body = json!({ "credential": credential, "label": "bot" });
        let virtual_key = house.app.call("POST", "/api/v1/virtual-keys", Some(&body)).await?.ok()?.text_at("/id")?;
        Ok(Self { tenant: house.tenant.clone(), credential, execution, virtual_key })
    }

    /// A path that leads somewhere for apps, and only into a tenant for operators: nothing there is to be changed.
    fn fill(&self, route: &Route) -> String {
        let id = match (route.listener, route.path.split('/').nth(3)) {
            ("api", Some("credentials")) => &self.credential,
            ("api", Some("executions")) => &self.execution,
            ("api", Some("virtual-keys")) => &self.virtual_key,
            _ => "none",
        };
        let path = route.path.replace("{t}", &self.tenant).replace("{id}", id).replace("{venue}", "binance");
        let mut parts: Vec<&str> = path.split('/').collect();
        for part in &mut parts {
            if part.starts_with('{') {
                *part = "none";
            }
        }
        parts.join("/")
    }
}

/// The listeners.
struct Doors([(&'static str, Client); 3]);

impl Doors {
    fn of(house: &House) -> Result<Self> {
        let to = |door| Client::of_server(&house.home.ready_file(), door);
        Ok(Self([("api", to(Door::Api)?), ("admin", to(Door::Admin)?), ("public", to(Door::Public)?)]))
    }

    async fn tried(&self, ids: &Ids, route: &Route, caller: &Caller) -> Result<Reply> {
        let (_, client) = self.0.iter().find(|(name, _)| *name == route.listener).context("no such listener")?;
        let body = match route.method.as_str() {
            "GET" => None,
            // There is nothing of the name.
            "DELETE" => Some(json!({ "reason": "the test says so" })),
            // No route takes such a body.
            _ => Some(json!({ "no such": "field" })),
        };
        // No stream goes on after that, so each answer has an end.
        let headers = [("last-event-id", "none")];
        let (path, bearer) = (ids.fill(route), caller.bearer.as_deref());
        let reply = client.call_with(&route.method, &path, bearer, body.as_ref(), &headers).await?;
        ensure!(reply.status != 500, "{} {} as {}: {}", route.method, route.path, caller.name, reply.text());
        Ok(reply)
    }
}

/// What access control decided.
fn cell(route: &Route, reply: &Reply) -> String {
    let json = reply.json();
    let says = |text: &str| json["detail"].as_str().is_some_and(|detail| detail.contains(text));
    match reply.status {
        401 => "401".to_owned(),
        403 => format!("403 {}", reply.code()),
        404 if route.listener == "api" || says("no such tenant") => "404".to_owned(),
        _ => "in".to_owned(),
    }
}

fn page(callers: &[Caller], matrix: &BTreeMap<(&'static str, String, String), Vec<String>>) -> String {
    let mut page = String::new();
    for ((listener, path, method), cells) in matrix {
        let _ = writeln!(page, "{listener} {method} {path}");
        // Callers who fare alike share a line.
        let mut alike: Vec<(&str, Vec<&str>)> = Vec::new();
        for (caller, cell) in callers.iter().zip(cells) {
            match alike.iter_mut().find(|(known, _)| *known == cell) {
                Some((_, names)) => names.push(caller.name),
                None => alike.push((cell, vec![caller.name])),
            }
        }
        for (cell, names) in alike {
            let names = if names.len() == callers.len() { "everybody".to_owned() } else { names.join(", ") };
            let _ = writeln!(page, "    {cell:<16} {names}");
        }
    }
    page
}

/// An access token of an app of the tenant's that has no grant.
async fn ungranted(house: &House) -> Result<String> {
    let path = format!("/api/v1/tenants/{}/apps", house.tenant);
    let made = house.operator.post(&path, &json!({ "name": "ungranted" })).await?.ok()?;
    let (id, secret) = (made.text_at("/id")?, made.text_at("/secret")?);
    Ok(App::log_in(&house.home.ready_file(), &id, &secret).await?.token)
}

/// Operators of every kind, each with a login: they take the place of persons who would have been approved a day ago.
async fn with_operators(house: House) -> Result<(House, Vec<Caller>)> {
    let (own, other): (TenantId, TenantId) = (house.tenant.parse()?, house.neighbour.tenant.parse()?);
    let kinds = [
        ("viewer", VIEWER, None, true),
        ("compliance", COMPLIANCE, None, true),
        ("admin", ADMIN, None, true),
        ("admin without fresh proof", ADMIN, None, false),
        ("admin of the tenant", ADMIN, Some(own), true),
        ("admin of another tenant", ADMIN, Some(other), true),
        ("role that allows nothing", "nothing", None, true),
    ];
    let mut callers = Vec::new();
    let house = behind_its_back(house, async |store| {
        let nothing = Role { name: "nothing".to_owned(), permissions: Permissions::NONE, flagged_only: false };
        let mut changes = vec![Change::create(RowKey::Role(nothing.name.clone()), Row::Role(nothing))];
        let (founder, login) = founder(store).await?;
        for (name, role, tenant, proven) in kinds {
            let bearer = CallerSecret::generate("login").ok().context("no random numbers")?;
            let (id, word) = (OperatorId::new(&SystemClock), name.replace(' ', "-"));
            let operator = Operator { id, name: word.clone(), role: role.to_owned(), tenant, ..founder.clone() };
            let proven_ms = if proven { login.proven_ms } else { 1 };
            let login =
                Login { id: LoginId::new(&SystemClock), operator: id, name: word.clone(), proven_ms, ..login.clone() };
            changes.push(Change::create(RowKey::OperatorName(word), Row::OperatorRef(id)));
            changes.push(Change::create(RowKey::Operator(id), Row::Operator(operator)));
            changes.push(Change::create(RowKey::Login(bearer.hash()), Row::Login(login)));
            callers.push(Caller { name, bearer: Some(bearer.reveal().to_owned()) });
        }
        store.put_cas(changes, Vec::new()).await.map(drop).context("the operators are not stored")
    })
    .await?;
    Ok((house, callers))
}

/// The operator whom `init` made, and a login of theirs.
async fn founder(store: &RedbStore) -> Result<(Operator, Login)> {
    let operators = store.scan(Range::Operators, None, 10).await?.rows;
    let logins = store.scan(Range::Logins, None, 10).await?.rows;
    let operator =
        operators.into_iter().find_map(|found| if let Row::Operator(row) = found.row { Some(row) } else { None });
    let login = logins.into_iter().find_map(|found| if let Row::Login(row) = found.row { Some(row) } else { None });
    operator.zip(login).context("nobody is there")
}
