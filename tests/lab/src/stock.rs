//! A store with as many credentials as a platform has: sealed by a keeper and written past the service, which would have
//! its venue asked about each.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use claviger_core::agenda::{Agenda, DAY_MS, Due, Errand, next_probe_ms};
use claviger_core::audit::{Draft, EntryOutcome, Personal};
use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::credential::{Contact, Credential, Health, State, Upkeep};
use claviger_core::envelope::{Envelope, Mode};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Change, Key, Row, Store as _, Versioned};
use claviger_server::config::Config;
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};

use crate::link::Link;

/// Secrets that are with the keeper at the same time: it holds few.
const UNDER_WAY: u32 = 8;

/// Rows of one commit, about.
const BATCH: usize = 500;

/// The store of a home whose server has stopped.
pub(crate) fn store_of(home: &Path) -> Result<RedbStore> {
    let config = Config::load(home)?;
    Ok(RedbStore::open(&home.join("claviger.redb"), &config.audit.log, Arc::new(SystemClock))?)
}

/// Puts so many owners of a tenant, each with a credential and an address, into the store of a home whose server has
/// stopped. Owner and address bear the number that `address` writes.
pub(crate) async fn crowd(
    home: &Path,
    store: &RedbStore,
    tenant: TenantId,
    owners: u32,
    address: impl Fn(u32) -> String,
) -> Result<()> {
    let Some(Versioned { row: Row::Kek(kek), .. }) = store.get(Key::Kek(tenant, 1)).await? else {
        bail!("the tenant has no KEK")
    };
    let mut link = Link::start(home)?;
    let (mut changes, mut entries) = (Vec::new(), Vec::new());
    for n in 0..owners {
        let owner = format!("owner-{n}");
        let id = CredentialId::new(&SystemClock);
        let row = Credential { owner: owner.clone(), ..credential_row(tenant, id) };
        link.seal(&row, &kek)?;
        let secret = link.sealed()?;
        link.seal_contact(&row, &kek, &address(n))?;
        let contact = Contact { sealed: link.sealed()?, set_ms: row.created_ms };
        // The key over what the log says of an owner is made with the first entry about him.
        let entry = Draft::new("credential.enroll", EntryOutcome::Allowed).tenant(tenant.to_string());
        entries.push(entry.on("credential", id.to_string()).personal(Personal { owner }));
        changes.extend([
            Change::create(Key::Index(row.index), Row::CredentialRef(id)),
            Change::create(Key::Contact(id), Row::Contact(contact)),
            Change::create(Key::Sealed(id), Row::Sealed(secret)),
            Change::create(Key::Credential(tenant, id), Row::Credential(row)),
        ]);
        if changes.len() >= BATCH || n.saturating_add(1) == owners {
            store.put_cas(std::mem::take(&mut changes), std::mem::take(&mut entries)).await?;
        }
    }
    Ok(())
}

/// Puts so many credentials of a tenant into the store of a home whose server has stopped, `desk-0000000` and so on. None
/// is due to be asked about for half a day.
pub(crate) async fn stock(home: &Path, store: &RedbStore, tenant: TenantId, credentials: u32) -> Result<()> {
    let Some(Versioned { row: Row::Kek(kek), .. }) = store.get(Key::Kek(tenant, 1)).await? else {
        bail!("the tenant has no KEK")
    };
    let mut link = Link::start(home)?;
    let (mut left, mut changes) = (credentials, Vec::new());
    while left > 0 {
        let next = left.min(UNDER_WAY);
        changes.extend(sealed(&mut link, tenant, &kek, credentials.saturating_sub(left), next)?);
        left = left.saturating_sub(next);
        if left == 0 || changes.len() >= BATCH {
            store.put_cas(std::mem::take(&mut changes), Vec::new()).await?;
        }
    }
    Ok(())
}

/// The rows of so many credentials, sealed at the same time, the first of which has this number.
fn sealed(link: &mut Link, tenant: TenantId, kek: &KekRow, first: u32, count: u32) -> Result<Vec<Change>> {
    for _ in 0..count {
        link.seal(&credential_row(tenant, CredentialId::new(&SystemClock)), kek)?;
    }
    let mut changes = Vec::new();
    for n in 0..count {
        let bytes = link.sealed()?;
        let id = Envelope::from_bytes(&bytes)?.binding.credential;
        let label = format!("desk-{:07}", first.saturating_add(n));
        let row = Credential { label, ..credential_row(tenant, id) };
        let probe_ms = next_probe_ms(id, row.created_ms, DAY_MS);
        let (errand, agenda) =
            (Errand::Probe(row.venue), Agenda { probed_ms: row.created_ms, probe_ms, expiry_ms: None, used_ms: None });
        let due = Due { at_ms: probe_ms, tenant, credential: id };
        changes.extend([
            Change::create(Key::Index(row.index), Row::CredentialRef(id)),
            Change::create(Key::Credential(tenant, id), Row::Credential(row)),
            Change::create(Key::Sealed(id), Row::Sealed(bytes)),
            Change::create(Key::Due(errand, probe_ms, id), Row::Due(due)),
            Change::create(Key::Agenda(id), Row::Agenda(agenda)),
        ]);
    }
    Ok(changes)
}

/// A credential for orders at Binance spot, just enrolled.
pub(crate) fn credential_row(tenant: TenantId, id: CredentialId) -> Credential {
    let now = SystemClock.unix_ms();
    let mut index = [0xff; 32];
    index.iter_mut().zip(id.as_bytes()).for_each(|(to, from)| *to = *from);
    Credential {
        id,
        tenant,
        owner: "trader-1".to_owned(),
        label: "of a crowd".to_owned(),
        venue: VenueId::Binance,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
        hint: "vmPU…Eh8A".to_owned(),
        index,
        state: State::Active,
        health: Health::Ok,
        ip_restricted: true,
        version: 1,
        epoch: 1,
        created_ms: now,
        changed_ms: now,
        probed_ms: now,
        upkeep: Upkeep::default(),
    }
}
