//! Acts whose commit comes after somebody else's: what they rest on is as it was planned, or they are not done.

use claviger_core::act::Act;
use claviger_core::credential::Credential;
use claviger_core::store::{Change, Key, Row};
use claviger_venues::{Ceiling, CeilingClass, Products};

use super::world::{World, code};

#[tokio::test]
async fn a_wider_ceiling_is_for_the_version_that_it_was_asked_for() {
    let world = World::new(0).await;
    let ceiling = Ceiling { class: CeilingClass::Trade, products: Products::SPOT };
    let act = Act::WidenCeiling { tenant: world.tenant, credential: world.credential, ceiling };
    let asked = world.asked(act, &world.ann).await;
    let rotated = Credential { version: 2, ..world.row().await.unwrap() };
    let rotation = Change::set(Key::Credential(world.tenant, world.credential), Row::Credential(rotated));
    let allowance = Key::Allowance(world.credential);
    let which = allowance.clone();
    world.meddler.overtake(move |change| change.key == which, vec![rotation]);

    let approved = world.approve(asked.id, &world.bob).await;

    assert!(world.meddler.is_done());
    assert_eq!(code(approved), "approval_stale");
    assert_eq!(world.service.store().get(allowance).await.unwrap(), None);
}
