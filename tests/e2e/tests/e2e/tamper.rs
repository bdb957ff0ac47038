//! Whoever can write the database cannot make a secret serve another purpose: stored bytes that were moved, relabelled
//! or changed sign nothing, and each attempt to use them leaves an alarm.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use claviger_core::clock::SystemClock;
use claviger_core::credential::Credential;
use claviger_core::envelope::{Binding, Envelope};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Change, Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{Call, House, Key, Server};
use claviger_venues::{Ceiling, CeilingClass, Product, Products, SecretKind, VenueId};
use serde_json::{Value, json};

/// What is done to a credential's row and its sealed bytes.
type Damage = fn(&mut Credential, &mut Vec<u8>, &Others);

/// What there is to take from elsewhere.
struct Others {
    /// Another credential of the same tenant.
    beside: Vec<u8>,
    /// The neighbour's.
    neighbours: Vec<u8>,
}

const DAMAGES: &[(&str, Damage)] = &[
    ("another credential's bytes", |_, sealed, others| sealed.clone_from(&others.beside)),
    ("another tenant's bytes", |_, sealed, others| sealed.clone_from(&others.neighbours)),
    ("another credential's bytes, relabelled", |row, sealed, others| {
        sealed.clone_from(&others.beside);
        relabel(sealed, |label| label.credential = row.id);
    }),
    ("another tenant's bytes, relabelled", |row, sealed, others| {
        sealed.clone_from(&others.neighbours);
        relabel(sealed, |label| (label.tenant, label.credential) = (row.tenant, row.id));
    }),
    ("the row at another venue", |row, _, _| row.venue = VenueId::BinanceUsdm),
    ("the row of another kind", |row, _, _| row.kind = SecretKind::PrivateKey),
    ("the row of another version", |row, _, _| row.version = 2),
    ("the row with a wider ceiling", |row, _, _| row.ceiling = EVERYTHING),
    ("both at another venue", |row, sealed, _| {
        row.venue = VenueId::BinanceUsdm;
        relabel(sealed, |label| label.venue = VenueId::BinanceUsdm);
    }),
    ("both of another kind", |row, sealed, _| {
        row.kind = SecretKind::PrivateKey;
        relabel(sealed, |label| label.kind = SecretKind::PrivateKey);
    }),
    ("both of another version", |row, sealed, _| {
        row.version = 2;
        relabel(sealed, |label| label.version = 2);
    }),
    ("both with a wider ceiling", |row, sealed, _| {
        row.ceiling = EVERYTHING;
        relabel(sealed, |label| label.ceiling = EVERYTHING);
    }),
    ("the purpose", |_, sealed, _| sealed[PURPOSE_AT] += 1),
    ("a KEK that the tenant does not have", |_, sealed, _| rewrite(sealed, |envelope| envelope.kek_version = 9)),
    ("a bit of the format", |_, sealed, _| sealed[0] ^= 0x80),
    ("a bit of the tenant", |_, sealed, _| sealed[TENANT_AT] ^= 1),
    ("a bit of the wrapped DEK", |_, sealed, _| rewrite(sealed, |envelope| envelope.wrapped_dek[20] ^= 1)),
    ("a bit of the nonce", |_, sealed, _| rewrite(sealed, |envelope| envelope.nonce[0] ^= 1)),
    ("a bit of the ciphertext", |_, sealed, _| rewrite(sealed, |envelope| envelope.ciphertext[0] ^= 0x10)),
    ("a bit of the tag", |_, sealed, _| *sealed.last_mut().unwrap() ^= 1),
    ("a cut", |_, sealed, _| sealed.truncate(40)),
    ("nothing left", |_, sealed, _| sealed.clear()),
];

const EVERYTHING: Ceiling =
    Ceiling { class: CeilingClass::Trade, products: Products::SPOT_AND_MARGIN.with(Product::Derivatives) };

/// Behind the format, the length of the label and the label's own format.
const TENANT_AT: usize = 4;

/// Behind tenant, credential and version.
const PURPOSE_AT: usize = TENANT_AT + 16 + 16 + 4;

#[tokio::test(flavor = "multi_thread")]
async fn stored_bytes_that_were_moved_relabelled_or_changed_sign_nothing() -> Result<()> {
    let house = House::open().await?;
    let beside = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let mut credentials = Vec::new();
    for _ in DAMAGES {
        credentials.push(house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?);
    }
    let (tenant, neighbour) = (house.tenant.parse()?, house.neighbour.credential.parse()?);

    let house = behind_its_back(house, async |store| {
        let others =
            Others { beside: sealed(store, beside.parse()?).await?, neighbours: sealed(store, neighbour).await? };
        for (credential, (_, damage)) in credentials.iter().zip(DAMAGES) {
            let id = credential.parse()?;
            let (mut row, mut bytes) = (row(store, tenant, id).await?, sealed(store, id).await?);
            damage(&mut row, &mut bytes, &others);
            write(store, RowKey::Credential(tenant, id), Row::Credential(row)).await?;
            write(store, RowKey::Sealed(id), Row::Sealed(bytes)).await?;
        }
        Ok(())
    })
    .await?;

    let before = house.sim.all_requests().await?.len();
    for (credential, (damage, _)) in credentials.iter().zip(DAMAGES) {
        // Every venue and every ceiling has this one: nothing but the stored bytes speaks against it.
        let reply = house.app.execute(&Call::with(credential, "account")).await?;
        reply.problem(500, "tampered").with_context(|| (*damage).to_owned())?;
        let probed = house.operator.act(&house.tenant, credential, "probe").await?;
        probed.problem(500, "tampered").with_context(|| format!("probe: {damage}"))?;
    }
    assert_eq!(house.sim.all_requests().await?.len(), before, "something reached the venue");
    let entries = house.operator.audit(&house.tenant).await?;
    let log = house.server.log()?;
    for (credential, (damage, _)) in credentials.iter().zip(DAMAGES) {
        let alarms = entries.iter().filter(|entry| is_alarm(entry, credential)).count();
        assert_eq!(alarms, 2, "{damage}: alarms in the audit log");
        let lines = log.lines().filter(|line| line.contains("ERROR") && line.contains("tamper"));
        assert_eq!(lines.filter(|line| line.contains(credential)).count(), 2, "{damage}: alarms in the server's log");
        // What cannot be used any more can still be stopped and deleted.
        house.operator.act(&house.tenant, credential, "revoke").await?.ok().with_context(|| (*damage).to_owned())?;
    }
    house.operator.act_if_unchanged(&house.tenant, &credentials[0], "delete", &reason()).await?.ok()?;
    house.app.acked(&Call::limit_order(&beside, "binance")).await?;
    let theirs = Call::limit_order(&house.neighbour.credential, "binance");
    house.neighbour.app.acked(&theirs).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_put_back_signs_nothing() -> Result<()> {
    let house = House::open().await?;
    let (old, new) = (house.sim.knows(Key::binance()).await?, house.sim.knows(Key::binance()).await?);
    let credential = house.app.enrolled(&old).await?;
    let id = credential.parse()?;
    let mut kept = Vec::new();
    let house = behind_its_back(house, async |store| {
        kept = sealed(store, id).await?;
        Ok(())
    })
    .await?;
    let rotation = json!({ "key_id": new.key_id, "secret": new.secret });
    house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &rotation).await?.ok()?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;

    let put_back = async |store: &RedbStore| write(store, RowKey::Sealed(id), Row::Sealed(kept.clone())).await;
    let house = behind_its_back(house, put_back).await?;
    let before = house.sim.requests(&old).await?.len();
    house.app.execute(&Call::limit_order(&credential, "binance")).await?.problem(500, "tampered")?;

    assert_eq!(house.sim.requests(&old).await?.len(), before);
    assert_eq!(alarms(&house, &credential).await?, 1);
    Ok(())
}

/// What is done to a KEK row, given another tenant's.
type KekDamage = (&'static str, fn(&mut KekRow, KekRow));

#[tokio::test(flavor = "multi_thread")]
async fn a_kek_row_that_was_moved_or_changed_opens_nothing() -> Result<()> {
    let damages: [KekDamage; 4] = [
        ("another tenant's", |row, others| *row = others),
        ("another tenant's key", |row, others| row.blob = others.blob),
        ("a bit of the key", |row, _| row.blob.wrapped[3] ^= 1),
        ("a bit of the MAC", |row, _| row.mac[0] ^= 1),
    ];
    let mut house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let (ours, theirs) = (RowKey::Kek(house.tenant.parse()?, 1), RowKey::Kek(house.neighbour.tenant.parse()?, 1));
    for (at, (damage, change)) in damages.into_iter().enumerate() {
        let (mut intact, before) = (None, house.sim.requests(&key).await?.len());
        house = behind_its_back(house, async |store| {
            let (mut row, other) = (kek(store, &ours).await?, kek(store, &theirs).await?);
            intact = Some(row.clone());
            change(&mut row, other);
            write(store, ours.clone(), Row::Kek(row)).await
        })
        .await?;

        let reply = house.app.execute(&Call::limit_order(&credential, "binance")).await?;
        reply.problem(500, "tampered").with_context(|| damage.to_owned())?;

        assert_eq!(house.sim.requests(&key).await?.len(), before, "{damage}");
        assert_eq!(alarms(&house, &credential).await?, at + 1, "{damage}");
        house.neighbour.app.acked(&Call::with(&house.neighbour.credential, "account")).await?;
        let intact = intact.context("the row as it was")?;
        house = behind_its_back(house, async |store| write(store, ours.clone(), Row::Kek(intact)).await).await?;
        house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    }
    Ok(())
}

/// Stops the server, edits its database, and starts it again.
pub(crate) async fn behind_its_back(house: House, edit: impl AsyncFnOnce(&RedbStore) -> Result<()>) -> Result<House> {
    house.server.stop().await?;
    let config: toml::Table = fs::read_to_string(house.home.file("claviger.toml"))?.parse()?;
    let origin = config["audit"]["log"].as_str().context("the log's name")?;
    let store = RedbStore::open(&house.home.file("claviger.redb"), origin, Arc::new(SystemClock))?;
    edit(&store).await?;
    store.close();
    Ok(House { server: Server::start(&house.home).await?, ..house })
}

pub(crate) async fn write(store: &RedbStore, key: RowKey, row: Row) -> Result<()> {
    store.put_cas(vec![Change::set(key, row)], Vec::new()).await?;
    Ok(())
}

pub(crate) async fn sealed(store: &RedbStore, id: CredentialId) -> Result<Vec<u8>> {
    match store.get(RowKey::Sealed(id)).await? {
        Some(Versioned { row: Row::Sealed(bytes), .. }) => Ok(bytes),
        other => anyhow::bail!("no sealed bytes: {other:?}"),
    }
}

async fn row(store: &RedbStore, tenant: TenantId, id: CredentialId) -> Result<Credential> {
    match store.get(RowKey::Credential(tenant, id)).await? {
        Some(Versioned { row: Row::Credential(row), .. }) => Ok(row),
        other => anyhow::bail!("no credential: {other:?}"),
    }
}

async fn kek(store: &RedbStore, key: &RowKey) -> Result<KekRow> {
    match store.get(key.clone()).await? {
        Some(Versioned { row: Row::Kek(row), .. }) => Ok(row),
        other => anyhow::bail!("no KEK: {other:?}"),
    }
}

fn relabel(sealed: &mut Vec<u8>, label: impl FnOnce(&mut Binding)) {
    rewrite(sealed, |envelope| label(&mut envelope.binding));
}

fn rewrite(sealed: &mut Vec<u8>, change: impl FnOnce(&mut Envelope)) {
    let mut envelope = Envelope::from_bytes(sealed).expect("what Claviger stored");
    change(&mut envelope);
    *sealed = envelope.to_bytes();
}

async fn alarms(house: &House, credential: &str) -> Result<usize> {
    let entries = house.operator.audit(&house.tenant).await?;
    ensure!(entries.len() < 10_000, "more entries than one page has");
    Ok(entries.iter().filter(|entry| is_alarm(entry, credential)).count())
}

fn is_alarm(entry: &Value, credential: &str) -> bool {
    entry["action"] == "alarm.tamper" && entry["resource_id"] == credential
}

fn reason() -> Value {
    json!({ "reason": "the test says so" })
}
