//! Steps, what each may leave behind, and what holds after all of them.

use std::collections::BTreeMap;

use claviger_core::act::Act;
use claviger_core::credential::{Health, State};
use claviger_core::envelope::{Envelope, Mode};
use claviger_core::id::TenantId;
use claviger_core::secret::Plaintext;
use claviger_core::service::{Enrollment, NewKey, Pace, ServiceError, Unopened};
use claviger_core::store::{Key, Range, Row, Scope, Stop, Versioned};
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
use proptest::prelude::*;

use super::model::{End, Known, Model, Tenant};
use super::picture::Picture;
use super::world::{REASON, World, origin};
use crate::seed::Seed;

/// Sequences that are tried, and how long one may be.
const CASES: u32 = 48;
const STEPS: usize = 40;

/// What somebody does in a tenant.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Enroll,
    Rotate(u8),
    Stop(u8, Stop),
    Unfreeze(u8),
    Delete(u8),
    Probe(u8),
    RotateKek { rekey: bool },
    MoveRows,
    DestroyKek,
    DeleteTenant,
    Clear,
    BackUp,
    Restore,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    tenant: usize,
    deed: Deed,
    /// The power goes after so many more writes and syncs, and everything starts anew.
    cut: Option<(u64, u64)>,
}

fn deed() -> impl Strategy<Value = Deed> {
    let stop = prop_oneof![4 => Just(Stop::Frozen), 2 => Just(Stop::ReduceOnly), 1 => Just(Stop::Revoked)];
    prop_oneof![
        8 => Just(Deed::Enroll),
        4 => any::<u8>().prop_map(Deed::Rotate),
        4 => (any::<u8>(), stop).prop_map(|(at, stop)| Deed::Stop(at, stop)),
        4 => any::<u8>().prop_map(Deed::Unfreeze),
        3 => any::<u8>().prop_map(Deed::Delete),
        3 => any::<u8>().prop_map(Deed::Probe),
        4 => any::<bool>().prop_map(|rekey| Deed::RotateKek { rekey }),
        8 => Just(Deed::MoveRows),
        3 => Just(Deed::DestroyKek),
        1 => Just(Deed::DeleteTenant),
        2 => Just(Deed::Clear),
        3 => Just(Deed::BackUp),
        2 => Just(Deed::Restore),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    // An enrollment takes three commits of about 18 operations each.
    let cut = prop_oneof![Just(None), (0_u64..72, any::<u64>()).prop_map(Some)];
    (0_usize..2, deed(), cut).prop_map(|(tenant, deed, cut)| Step { tenant, deed, cut })
}

proptest! {
    // What fails is shrunk and printed, with the seed that brings it back.
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_to_keys_and_whenever_the_power_goes(steps in prop::collection::vec(step(), 1..STEPS)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(live(steps))?;
    }
}

async fn live(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut world, mut model, mut keys) = (World::new().await, Model::default(), 0);
    let mut picture = None;
    for (place, Step { tenant, deed, cut }) in steps.into_iter().enumerate() {
        keys += 1;
        let told = |what: &str| format!("step {place}, {deed:?} in {tenant}, cut {cut:?}: {what}");
        match (deed, &picture) {
            (Deed::BackUp, _) => picture = Some(Picture::taken(&world, &model).await),
            (Deed::Restore, Some(picture)) => {
                let done = world.restore(picture).await;
                model = picture.restored(&model);
                for (tenant, should) in world.tenants.iter().zip(&mut model.tenants) {
                    if should.end == End::Gone && world.has_open(*tenant).await {
                        // Its KEKs stay until the outcome is known.
                        should.end = End::Going;
                    }
                }
                let differs = differs(&world, &model).await;
                prop_assert!(done.is_ok() && differs.is_none(), "{}", told(&format!("{done:?} {differs:?}")));
            }
            _ => {}
        }
        let others = dump(&world, world.tenants[1 - tenant]).await;
        if let Some((operations, _)) = cut {
            world.cut_after(operations);
        }
        let (mut after, mut between) = (model.clone(), Vec::new());
        let done = act(&world, (&mut after, &mut between), tenant, deed, keys).await;
        if let Some((_, seed)) = cut {
            world.crash(&mut Seed::new(seed)).await;
        }
        match (done, cut) {
            (Ok(()), _) => model = after,
            (Err(_), None) => {}
            (Err(error), Some(_)) => {
                // All of it, nothing, or one of the states that it passes through.
                if matches!(deed, Deed::Enroll) {
                    between.extend(with_stranger(&world, &model, tenant, keys).await);
                }
                let mut found = None;
                for may in [model.clone(), after].into_iter().chain(between) {
                    if found.is_none() && differs(&world, &may).await.is_none() {
                        found = Some(may);
                    }
                }
                model = found.ok_or_else(|| TestCaseError::fail(told(&format!("neither done nor not: {error}"))))?;
            }
        }
        let differs = differs(&world, &model).await;
        prop_assert!(differs.is_none(), "{}", told(&differs.unwrap_or_default()));
        if matches!(deed, Deed::Clear) {
            continue;
        }
        prop_assert_eq!(
            others,
            dump(&world, world.tenants[1 - tenant]).await,
            "{}",
            told("the other tenant is touched")
        );
    }
    all_open(&world, &model).await
}

/// Does it, and notes in `after` what that leaves, in `between` what it passes through.
async fn act(
    world: &World,
    (after, between): (&mut Model, &mut Vec<Model>),
    at: usize,
    deed: Deed,
    key: u32,
) -> Result<(), ServiceError> {
    let (service, tenant, before) = (world.service(), world.tenants[at], after.clone());
    let known = |place: u8| before.tenants[at].at(place).ok_or(ServiceError::NotFound("credential"));
    let mine = &mut after.tenants[at];
    match deed {
        Deed::Enroll => {
            let enrolled = service.enroll(enrollment(tenant, key), secret, None::<fn() -> _>, &origin()).await?;
            assert_eq!(mine.end, End::Lives, "nobody enrolls where no tenant is");
            mine.credentials.insert(enrolled.id, Known { state: State::Active, version: 1, key });
            Ok(())
        }
        Deed::Rotate(place) => {
            let id = known(place)?;
            let held = mine.credentials.get_mut(&id).expect("known");
            let past = std::mem::replace(&mut held.key, key);
            held.version += 1;
            mine.past.insert(past);
            let version = row_version(world, Key::Credential(tenant, id)).await?;
            service.rotate(tenant, id, version, new_key(key), secret, &origin()).await.map(drop)
        }
        Deed::Stop(place, stop) => {
            let id = known(place)?;
            let held = mine.credentials.get_mut(&id).expect("known");
            held.state = match (held.state, stop) {
                (State::Revoked, _) | (_, Stop::Revoked) => State::Revoked,
                (State::Frozen, _) | (_, Stop::Frozen) => State::Frozen,
                _ => State::ReduceOnly,
            };
            service.stop(Some(tenant), Scope::Credential(id), stop, REASON, &origin()).await.map(drop)
        }
        Deed::Unfreeze(place) => {
            let id = known(place)?;
            mine.credentials.get_mut(&id).expect("known").state = State::Active;
            world.two_do(Act::UnfreezeCredential { tenant, credential: id }).await
        }
        Deed::Delete(place) => {
            let id = known(place)?;
            let mut revoked = before.clone();
            revoked.tenants[at].credentials.get_mut(&id).expect("known").state = State::Revoked;
            between.push(revoked);
            mine.delete(id);
            service.delete_with_keys(tenant, id, REASON, &origin()).await.map(drop)
        }
        Deed::Probe(place) => {
            let id = known(place)?;
            service.reprobe(tenant, id, &origin()).await.map(drop)
        }
        Deed::RotateKek { rekey } => {
            service.rotate_kek(tenant, Pace { rekey, per_second: None }, REASON, &origin()).await.map(drop)
        }
        Deed::MoveRows => service.move_rows(tenant, &mut Unopened::default(), &origin()).await.map(drop),
        Deed::DestroyKek => {
            let oldest = service.keks(tenant).await?.first().map(|kek| kek.version);
            let version = oldest.ok_or(ServiceError::NotFound("KEK"))?;
            mine.destroyed.insert(version);
            world.two_do(Act::DestroyKek { tenant, version }).await
        }
        Deed::DeleteTenant => {
            mine.end = End::Going;
            world.two_do(Act::DeleteTenant { tenant }).await
        }
        // They are of the whole store, and done before.
        Deed::BackUp | Deed::Restore => Ok(()),
        Deed::Clear => {
            let going = |tenant: &&mut Tenant| tenant.end == End::Going;
            for tenant in after.tenants.iter_mut().filter(going) {
                tenant.end = End::Gone;
                tenant.delete_all();
            }
            service.delete_tenants().await?;
            // One that could not go on says so in the log alone.
            for (tenant, was) in world.tenants.iter().zip(&before.tenants) {
                if was.end == End::Going && service.deletion(*tenant).await?.ended_ms.is_none() {
                    return Err(ServiceError::Changed);
                }
            }
            Ok(())
        }
    }
}

/// The model with the credential that the store has and it does not: what it is called nobody was told.
async fn with_stranger(world: &World, model: &Model, at: usize, key: u32) -> Option<Model> {
    let found = credentials(world, world.tenants[at]).await;
    let stranger = found.into_iter().find(|row| !model.tenants[at].credentials.contains_key(&row.id))?;
    let mut with = model.clone();
    with.tenants[at].credentials.insert(stranger.id, Known { state: State::Active, version: 1, key });
    Some(with)
}

/// What is not as the model says; nothing if all is.
async fn differs(world: &World, model: &Model) -> Option<String> {
    for (tenant, should) in world.tenants.iter().zip(&model.tenants) {
        let found = credentials(world, *tenant).await;
        if should.end == End::Going {
            continue;
        }
        let states: Vec<_> = found.iter().map(|row| (row.id, row.state, row.version)).collect();
        let wanted: Vec<_> = should.credentials.iter().map(|(id, held)| (*id, held.state, held.version)).collect();
        if states != wanted {
            return Some(format!("credentials are {states:?} and should be {wanted:?}"));
        }
        let store = world.service().store();
        let mut under = BTreeMap::new();
        for row in &found {
            let Some(Versioned { row: Row::Sealed(sealed), .. }) = store.get(Key::Sealed(row.id)).await.unwrap() else {
                return Some(format!("{} has no sealed version", row.id));
            };
            let envelope = Envelope::from_bytes(&sealed).unwrap();
            if (envelope.binding.credential, envelope.binding.version) != (row.id, row.version) {
                return Some(format!("{} holds another version's bytes", row.id));
            }
            if store.get(Key::Kek(*tenant, envelope.kek_version)).await.unwrap().is_none() {
                return Some(format!("{} is under KEK {}, which is gone", row.id, envelope.kek_version));
            }
            *under.entry(envelope.kek_version).or_insert(0_u64) += 1;
            let named = store.get(Key::Index(row.index)).await.unwrap().map(|found| found.row);
            if named != Some(Row::CredentialRef(row.id)) {
                return Some(format!("the index of {} is {named:?}", row.id));
            }
        }
        if store.sealed_under(*tenant).await.unwrap() != under {
            return Some("something else is sealed".to_owned());
        }
        for id in &should.deleted {
            for key in [Key::Credential(*tenant, *id), Key::Sealed(*id), Key::Token(*id), Key::Allowance(*id)] {
                if store.get(key.clone()).await.unwrap().is_some() {
                    return Some(format!("{key:?} came back"));
                }
            }
        }
        for version in &should.destroyed {
            if store.get(Key::Kek(*tenant, *version)).await.unwrap().is_some() {
                return Some(format!("KEK {version} came back"));
            }
        }
        for key in &should.past {
            let index = world.service().keeper().index(*tenant, VenueId::Binance, &key_id(*key)).await.unwrap();
            if store.get(Key::Index(index)).await.unwrap().is_some() {
                return Some(format!("the past key {key} is still found"));
            }
        }
        let keks = store.scan(Range::Keks(*tenant), None, 100).await.unwrap().rows.len();
        let has_row = store.get(Key::Tenant(*tenant)).await.unwrap().is_some();
        if has_row != (should.end == End::Lives) || (keks == 0) != (should.end == End::Gone) {
            return Some(format!("the tenant is {:?}: row {has_row}, {keks} KEKs", should.end));
        }
    }
    None
}

/// Whatever is not revoked opens, and the venue finds it good.
async fn all_open(world: &World, model: &Model) -> Result<(), TestCaseError> {
    for (tenant, should) in world.tenants.iter().zip(&model.tenants) {
        if should.end != End::Lives {
            continue;
        }
        for (id, _) in should.credentials.iter().filter(|(_, held)| held.state != State::Revoked) {
            let probed = world.service().reprobe(*tenant, *id, &origin()).await;
            prop_assert!(matches!(&probed, Ok((row, _)) if row.health == Health::Ok), "{id}: {probed:?}");
        }
    }
    Ok(())
}

/// Everything of a tenant's, with its versions.
async fn dump(world: &World, tenant: TenantId) -> String {
    let store = world.service().store();
    let mut all = Vec::new();
    for range in [Range::Keks(tenant), Range::Credentials(tenant), Range::VirtualKeys(tenant)] {
        all.extend(store.scan(range, None, 1_000).await.unwrap().rows);
    }
    let own = [Key::Tenant(tenant), Key::Rotation(tenant), Key::Stopped(Scope::Tenant(tenant)), Key::Deletion(tenant)];
    let sealed = credentials(world, tenant).await.into_iter().map(|row| Key::Sealed(row.id));
    for key in own.into_iter().chain(sealed) {
        all.extend(store.get(key).await.unwrap());
    }
    format!("{all:?}")
}

async fn credentials(world: &World, tenant: TenantId) -> Vec<claviger_core::credential::Credential> {
    let rows = world.service().store().scan(Range::Credentials(tenant), None, 1_000).await.unwrap().rows;
    rows.into_iter().filter_map(|row| if let Row::Credential(row) = row.row { Some(row) } else { None }).collect()
}

async fn row_version(world: &World, key: Key) -> Result<u64, ServiceError> {
    Ok(world.service().store().get(key).await?.ok_or(ServiceError::NotFound("credential"))?.version)
}

pub(super) fn enrollment(tenant: TenantId, key: u32) -> Enrollment {
    Enrollment {
        tenant,
        owner: format!("owner {}", key % 3),
        label: String::new(),
        venue: VenueId::Binance,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
        key_id: key_id(key),
        expires_ms: None,
    }
}

fn new_key(key: u32) -> NewKey {
    NewKey { key_id: key_id(key), ceiling: None, expires_ms: None }
}

fn key_id(key: u32) -> String {
    format!("{key:0>64}")
}

pub(super) fn secret() -> Result<Plaintext, String> {
    Plaintext::copy_of(&[b'S'; 64]).map_err(|error| error.to_string())
}
