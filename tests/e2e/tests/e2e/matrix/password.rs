//! What a login by a password alone gets to where a second factor is required.

use anyhow::{Context as _, Result, ensure};
use claviger_core::clock::SystemClock;
use claviger_core::id::{LoginId, OperatorId};
use claviger_core::identity::{CallerSecret, Login, LoginKind, Operator, Totp};
use claviger_core::store::{Change, Key as RowKey, Row, Store as _};
use claviger_e2e::House;

use super::{Caller, Doors, Ids, cell, founder, routes};
use crate::tamper::behind_its_back;

/// What asks for no login, or for any of whoever it is about.
const OPEN: &[&str] = &[
    "/api/v1/factors",
    "/api/v1/login",
    "/api/v1/login/browser",
    "/api/v1/login/browser/poll",
    "/api/v1/venues",
    "/livez",
    "/readyz",
];

/// What is set up by a password alone only as long as there is nothing beside it.
const FIRST: &[(&str, &str)] = &[
    ("DELETE", "/api/v1/me/passkeys/{id}"),
    ("DELETE", "/api/v1/me/totp"),
    ("POST", "/api/v1/me/backup-codes"),
    ("POST", "/api/v1/me/passkeys"),
    ("POST", "/api/v1/me/totp"),
    ("POST", "/api/v1/me/totp/confirm"),
    ("PUT", "/api/v1/me/password"),
];

/// What stands for a whole login, so that no password alone makes it.
const WHOLE: &str = "/api/v1/me/break-glass";

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_password_alone_gets_to_its_own_first_factors_and_nothing_else() -> Result<()> {
    let house = House::open().await?;
    let ids = Ids::of(&house).await?;
    house.home.configure("operators.second_factor", "required")?;
    let mut callers = Vec::new();
    let house = behind_its_back(house, async |store| {
        let (founder, login) = founder(store).await?;
        for (name, totp) in [("without", None), ("with", Some(Totp { sealed: vec![1], last_step: 0 }))] {
            let bearer = CallerSecret::generate("login").ok().context("no random numbers")?;
            let id = OperatorId::new(&SystemClock);
            let mut operator = Operator { id, name: name.to_owned(), ..founder.clone() };
            operator.factors.totp = totp;
            let (kind, id) = (LoginKind::Password, LoginId::new(&SystemClock));
            let login = Login { id, operator: operator.id, name: name.to_owned(), kind, ..login.clone() };
            let changes = vec![
                Change::create(RowKey::Operator(operator.id), Row::Operator(operator)),
                Change::create(RowKey::Login(bearer.hash()), Row::Login(login)),
            ];
            store.put_cas(changes, Vec::new()).await.context("not stored")?;
            callers.push(Caller { name, bearer: Some(bearer.reveal().to_owned()) });
        }
        Ok(())
    })
    .await?;

    let doors = Doors::of(&house)?;
    for route in routes(&house).await?.into_iter().filter(|route| route.listener == "admin") {
        let (method, path) = (route.method.as_str(), route.path.as_str());
        let own = OPEN.contains(&path) || path.starts_with("/api/v1/me/") && path != WHOLE;
        for caller in &callers {
            let first = caller.name == "with" && FIRST.contains(&(method, path));
            let refused = cell(&route, &doors.tried(&ids, &route, caller).await?) == "403 second_factor_missing";
            ensure!(refused == (!own || first), "{method} {path} of one {} a second factor: {refused}", caller.name);
        }
    }
    Ok(())
}
