//! A tenant with very many credentials: what must not take longer because of them.

use std::time::Duration;

use anyhow::{Result, ensure};
use claviger_core::agenda::Errand;
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Range, Store as _};
use claviger_e2e::{House, OPERATOR, Operator, PASSWORD, SECOND, Server};
use claviger_venues::VenueId;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::stats::Round;
use crate::stock::{stock, store_of};

/// How many.
pub(crate) const CREDENTIALS: u32 = 100_000;

/// How many of those that are due next the health monitor reads at once.
pub(crate) const LOOKS: usize = 32;

/// How often all of them are frozen, each time anew.
const FREEZES: u32 = 30;

/// Reads in one round at most.
const READS_MAX: u32 = 20_000;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Many {
    /// Stops of the tenant, over the API.
    pub(crate) freezes: Round,
    /// Incidents of the tenant that were contained: the same stop, and what is written down of it.
    pub(crate) containments: Round,
    /// Reads of the next [`LOOKS`] credentials whose venue is to be asked, while there are hardly any.
    pub(crate) looks_before: Round,
    /// The same with all of them.
    pub(crate) looks_after: Round,
}

/// Gives the house's tenant its credentials, and measures.
pub(crate) async fn many(house: House, lasting: Duration) -> Result<(House, Many)> {
    house.server.stop().await?;
    let home = house.home.path();
    let store = store_of(home)?;
    let looks_before = looks(&store, lasting).await?;
    stock(home, &store, house.tenant.parse()?, CREDENTIALS).await?;
    let looks_after = looks(&store, lasting).await?;
    store.close();

    let house = House { server: Server::start(&house.home).await?, ..house };
    // Who lets it go on shows that it is still the same person.
    let ready_file = house.home.ready_file();
    let second = Operator::log_in(&ready_file, SECOND, PASSWORD).await?;
    let operator = Operator::log_in(&ready_file, OPERATOR, PASSWORD).await?.with_second(second);
    let scope = json!({ "kind": "tenant", "tenant": house.tenant });
    let (mut freezes, mut containments) = (Round::default(), Round::default());
    for _ in 0..FREEZES {
        freeze(&operator, &scope, &mut freezes).await?;
        contain(&operator, &scope, &mut containments).await?;
    }
    Ok((house, Many { freezes, containments, looks_before, looks_after }))
}

async fn freeze(operator: &Operator, scope: &Value, into: &mut Round) -> Result<()> {
    let asked = Instant::now();
    operator.stop(scope, "frozen").await?.ok()?;
    took(asked, into);
    operator.resume(scope).await?.ok().map(drop)
}

async fn contain(operator: &Operator, scope: &Value, into: &mut Round) -> Result<()> {
    let incident = json!({ "severity": "critical", "title": "A drill", "scope": scope });
    let id = operator.post("/api/v1/incidents", &incident).await?.ok()?.text_at("/id")?;
    let path = format!("/api/v1/incidents/{id}/contain");
    let asked = Instant::now();
    operator.post(&path, &json!({ "state": "frozen", "reason": "a drill" })).await?.ok()?;
    took(asked, into);
    operator.resume(scope).await?.ok().map(drop)
}

fn took(asked: Instant, into: &mut Round) {
    let time = asked.elapsed();
    into.took(time);
    into.elapsed = into.elapsed.saturating_add(time);
}

async fn looks(store: &RedbStore, lasting: Duration) -> Result<Round> {
    let (mut round, began) = (Round::default(), Instant::now());
    while began.elapsed() < lasting && round.count() < READS_MAX {
        let asked = Instant::now();
        let page = store.scan(Range::Due(Errand::Probe(VenueId::Binance)), None, LOOKS).await?;
        round.took(asked.elapsed());
        ensure!(!page.rows.is_empty(), "nothing is planned");
    }
    round.elapsed = began.elapsed();
    Ok(round)
}
