//! A KEK is given up after a count of the rows themselves, whatever the list of what is under it says.

use claviger_core::act::Act;
use claviger_core::credential::Health;
use claviger_core::rotation::RotationState;
use claviger_core::service::{Pace, ServiceError, Step, Unopened};
use redb::{Database, TableDefinition};

use super::steps::{enrollment, secret};
use super::world::{REASON, World, origin};

#[tokio::test]
async fn a_row_that_is_on_no_list_keeps_its_kek() {
    let mut world = World::new().await;
    let tenant = world.tenants[0];
    let id = world.service().enroll(enrollment(tenant, 1), secret, None::<fn() -> _>, &origin()).await.unwrap().id;
    world.service().rotate_kek(tenant, Pace::default(), REASON, &origin()).await.unwrap();
    world.edit(empty_lists).await;
    let service = world.service().clone();
    assert!(service.keks(tenant).await.unwrap().iter().all(|kek| kek.rows == 0), "nothing is listed");

    let step = service.move_rows(tenant, &mut Unopened::default(), &origin()).await.unwrap();

    assert!(matches!(step, Step::After(_)), "{step:?}");
    assert_eq!(service.rotation(tenant).await.unwrap().1.state, RotationState::Running);
    let refused = world.two_do(Act::DestroyKek { tenant, version: 1 }).await;
    assert!(matches!(refused, Err(ServiceError::Conflict { code: "kek_uncounted", .. })), "{refused:?}");
    assert_eq!(service.reprobe(tenant, id, &origin()).await.unwrap().0.health, Health::Ok);
}

fn empty_lists(database: &Database) {
    let transaction = database.begin_write().unwrap();
    let sealed_under = TableDefinition::<([u8; 16], u32, &[u8]), ()>::new("sealed_under");
    let sealed_counts = TableDefinition::<([u8; 16], u32), u64>::new("sealed_counts");
    transaction.open_table(sealed_under).unwrap().retain(|_, ()| false).unwrap();
    transaction.open_table(sealed_counts).unwrap().retain(|_, _| false).unwrap();
    transaction.commit().unwrap();
}
