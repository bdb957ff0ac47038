//! What is done about apps once a minute: their uses are stored, and assertions that are over are forgotten.

use claviger_core::id::{AppId, AuthenticatorId};
use claviger_core::identity::{App, Authenticator, Evidence};
use claviger_core::store::{AuditRange, Change, Key, Row};

use super::world::World;

const MINUTE_MS: u64 = 60 * 1_000;

#[tokio::test]
async fn when_an_app_was_used_is_stored_once_a_minute_and_is_no_act() {
    let world = World::new(0).await;
    let (id, secret) = (AppId::from_bytes([3; 16]), AuthenticatorId::from_bytes([4; 16]));
    let authenticators = vec![Authenticator { id: secret, evidence: Evidence::Secret([5; 32]), created_ms: 0 }];
    let app = App { id, tenant: world.tenant, name: "desk".to_owned(), authenticators, created_ms: 0 };
    world.put(vec![Change::set(Key::App(id), Row::App(app.clone()))]).await;
    let stored = async || world.service.store().get(Key::AppUse(id)).await.unwrap();
    let entries = || world.service.store().audit_scan(AuditRange { from: 0, limit: 10_000, tenant: None });
    let before = entries().await.unwrap().len();
    let first = world.clock_ms();

    world.service.note_use(id, Some(secret));
    world.clock.step(MINUTE_MS / 2);
    world.service.note_use(id, None);
    assert_eq!(stored().await, None, "written for each use");
    let known = world.service.app_use(&app).await.unwrap();
    assert_eq!((known.last_ms, known.of(secret)), (first + MINUTE_MS / 2, Some(first)));

    world.service.store_uses().await.unwrap();
    let row = stored().await.unwrap();
    assert_eq!(row.row, Row::AppUse(known.clone()));
    // What is stored is dropped from memory: nothing is written for an app that was not used.
    world.service.store_uses().await.unwrap();
    assert_eq!(stored().await.unwrap().version, row.version);
    world.service.note_use(id, None);
    world.service.store_uses().await.unwrap();
    assert_ne!(stored().await.unwrap().version, row.version);
    assert_eq!(world.service.app_use(&app).await.unwrap().of(secret), known.of(secret));
    assert_eq!(entries().await.unwrap().len(), before, "a use has an entry");
    // One that is not there any more leaves no row.
    let gone = AppId::from_bytes([6; 16]);
    world.service.note_use(gone, None);
    world.service.store_uses().await.unwrap();
    assert_eq!(world.service.store().get(Key::AppUse(gone)).await.unwrap(), None);
}

#[tokio::test]
async fn assertions_are_forgotten_when_they_are_over_and_not_before() {
    let world = World::new(0).await;
    let now = world.clock_ms();
    let hash = |number: u16| {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&number.to_be_bytes());
        hash
    };
    // More than one page, of which every other one is over sooner.
    let row = |number: u16| {
        let (hash, until_ms) = (hash(number), now + if number.is_multiple_of(2) { MINUTE_MS } else { 2 * MINUTE_MS });
        Change::set(Key::Jti(hash), Row::Jti { hash, until_ms })
    };
    world.put((0..2_500).map(row).collect()).await;
    let there = async |number| world.service.store().get(Key::Jti(hash(number))).await.unwrap().is_some();

    world.clock.step(MINUTE_MS - 1);
    assert_eq!(world.service.forget_assertions().await.unwrap(), 0);
    world.clock.step(1);
    assert_eq!(world.service.forget_assertions().await.unwrap(), 1_250);
    assert_eq!((there(0).await, there(1).await, there(2_498).await, there(2_499).await), (false, true, false, true));
    world.clock.step(MINUTE_MS);
    assert_eq!(world.service.forget_assertions().await.unwrap(), 1_250);
    assert_eq!(world.service.forget_assertions().await.unwrap(), 0);
}
