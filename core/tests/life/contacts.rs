//! An address that counts no more is told so once, and is kept until then: sealed, under the newest KEK, and gone with its
//! credential.

use claviger_core::audit::{Entry, EntryOutcome};
use claviger_core::credential::{Contacts, Former};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::notice::Delivery;
use claviger_core::secret::Plaintext;
use claviger_core::service::{Fate, Pace, Service, ServiceError, Unopened};
use claviger_core::store::{AuditRange, Change, Key, Row};

use super::steps::{enrollment, secret};
use super::world::{REASON, World, origin};

const OLD: &str = "old@mail.example.org";
const NEW: &str = "new@mail.example.org";
const NEWEST: &str = "newest@mail.example.org";

#[tokio::test]
async fn an_address_that_is_replaced_or_removed_is_told_once_and_destroyed_then() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(service, tenant).await;
    let Some(Row::Contact(before)) = stored(service, id).await else { panic!("it was enrolled with one") };

    let set = service.set_contact(tenant, id, || address(NEW), &origin()).await.unwrap();

    let kept = former(service, id).await;
    assert_eq!(kept.iter().map(|former| &former.sealed).collect::<Vec<_>>(), [&before.sealed]);
    let letter = only(due(service).await);
    let written = service.letter(&letter).await.unwrap().unwrap();
    assert_eq!(written.to.as_str(), OLD);
    assert!(written.text.contains("told to another address, because the service of one asked"), "{}", written.text);
    assert!(!written.text.contains(NEW) && !written.subject.contains(NEW), "{written:?}");
    assert_eq!(unerased(service, tenant).await, 0, "it is there as long as it is needed");
    service.settle_letters(&[(letter, Fate::Sent)]).await.unwrap();
    assert_eq!(due(service).await, []);
    assert_eq!(stored(service, id).await, Some(Row::Contact(set)));
    assert_eq!(unerased(service, tenant).await, 1, "backups have it still");

    service.remove_contact(tenant, id, &origin()).await.unwrap();
    assert!(matches!(service.contact(tenant, id).await, Err(ServiceError::NotFound(_))));
    assert!(matches!(service.remove_contact(tenant, id, &origin()).await, Err(ServiceError::NotFound(_))));
    let letter = only(due(service).await);
    let written = service.letter(&letter).await.unwrap().unwrap();
    assert_eq!(written.to.as_str(), NEW);
    assert!(written.text.contains("told to nobody"), "{}", written.text);
    let refused = Fate::Failed("status 550".to_owned());
    service.settle_letters(&[(letter, refused)]).await.unwrap();
    assert_eq!(due(service).await, []);
    assert_eq!(stored(service, id).await, None);
    assert_eq!(unerased(service, tenant).await, 2);
    assert_eq!(ends(service).await, [(EntryOutcome::Allowed, "1"), (EntryOutcome::Failed, "0")].map(owned));

    // There was nobody to be told.
    service.set_contact(tenant, id, || address(NEWEST), &origin()).await.unwrap();
    assert_eq!(due(service).await, []);
}

#[tokio::test]
async fn each_address_is_told_of_its_own_change_and_only_so_many_wait() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(service, tenant).await;
    service.set_contact(tenant, id, || address(NEW), &origin()).await.unwrap();
    service.set_contact(tenant, id, || address(NEWEST), &origin()).await.unwrap();

    let letters = due(service).await;
    let mut told = Vec::new();
    for letter in &letters {
        told.push(service.letter(letter).await.unwrap().unwrap().to.as_str().to_owned());
    }
    told.sort_unstable();
    assert_eq!(told, [NEW, OLD]);
    // One that was tried for long enough is not kept for another try.
    let last = Delivery { since_ms: 0, ..letters[0] };
    service.settle_letters(&[(last, Fate::Later)]).await.unwrap();
    assert_eq!(due(service).await, letters[1..]);
    assert_eq!(former(service, id).await.len(), 1);
    service.settle_letters(&[(letters[1], Fate::Sent)]).await.unwrap();
    assert_eq!(due(service).await, []);
    assert!(matches!(stored(service, id).await, Some(Row::Contact(_))));

    for _ in 0..16 {
        service.set_contact(tenant, id, || address(NEW), &origin()).await.unwrap();
    }
    let waits = service.set_contact(tenant, id, || address(OLD), &origin()).await;
    assert!(matches!(waits, Err(ServiceError::Conflict { code: "contact_letters_wait", .. })), "{waits:?}");
    let waits = service.remove_contact(tenant, id, &origin()).await;
    assert!(matches!(waits, Err(ServiceError::Conflict { code: "contact_letters_wait", .. })), "{waits:?}");
    assert_eq!(due(service).await.len(), 16);
}

/// Whoever changes an address says nothing of what it was before.
#[tokio::test]
async fn an_address_is_changed_while_a_former_one_is_told() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(service, tenant).await;
    for address_after in [Some(NEW), None] {
        let told = vec![Change::set(Key::Contact(id), stored(service, id).await.unwrap())];
        world.meddler.overtake(move |change| change.key == Key::Contact(id), told);
        match address_after {
            Some(text) => service.set_contact(tenant, id, || address(text), &origin()).await.map(drop).unwrap(),
            None => service.remove_contact(tenant, id, &origin()).await.unwrap(),
        }
        assert!(world.meddler.is_done());
    }
    let (told, left) = (former(service, id).await.len(), service.contact(tenant, id).await);
    assert_eq!((told, left.is_err()), (2, true));
}

#[tokio::test]
async fn a_former_address_moves_with_its_kek() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(service, tenant).await;
    service.set_contact(tenant, id, || address(NEW), &origin()).await.unwrap();
    let letter = only(due(service).await);

    service.rotate_kek(tenant, Pace { rekey: true, per_second: None }, REASON, &origin()).await.unwrap();
    service.move_rows(tenant, &mut Unopened::default(), &origin()).await.unwrap();

    let rows: Vec<u64> = service.keks(tenant).await.unwrap().iter().map(|kek| kek.rows).collect();
    assert_eq!(rows, [0, 2], "the secret and the addresses");
    assert_eq!(service.letter(&letter).await.unwrap().unwrap().to.as_str(), OLD);
}

#[tokio::test]
async fn a_former_address_goes_with_its_credential() {
    let world = World::new().await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let [waiting, unspread] = [enrolled(service, tenant).await, enrolled(service, tenant).await];
    service.set_contact(tenant, waiting, || address(NEW), &origin()).await.unwrap();
    let letter = only(due(service).await);
    service.set_contact(tenant, unspread, || address(NEW), &origin()).await.unwrap();

    for id in [waiting, unspread] {
        service.delete_with_keys(tenant, id, "mine", &origin()).await.unwrap();
        assert_eq!(stored(service, id).await, None);
    }

    assert_eq!(service.keks(tenant).await.unwrap()[0].rows, 0);
    assert!(service.letter(&letter).await.unwrap().is_none());
    service.settle_letters(&[(letter, Fate::Gone)]).await.unwrap();
    assert_eq!(due(service).await, []);
    for id in [waiting, unspread] {
        assert_eq!(stored(service, id).await, None, "it does not come back");
    }
}

#[tokio::test]
async fn without_a_relay_nobody_is_told_and_nothing_kept() {
    let world = World::with_mails(false).await;
    let (service, tenant) = (world.service(), world.tenants[0]);
    let id = enrolled(service, tenant).await;
    let set = service.set_contact(tenant, id, || address(NEW), &origin()).await.unwrap();
    assert_eq!(due(service).await, []);
    assert_eq!(stored(service, id).await, Some(Row::Contact(set)));
    assert_eq!(ends(service).await, [(EntryOutcome::Failed, "0")].map(owned));
}

fn address(text: &str) -> Result<Plaintext, String> {
    Plaintext::copy_of(text.as_bytes()).map_err(|error| error.to_string())
}

/// Enrolls one more key, with an address.
async fn enrolled(service: &Service, tenant: TenantId) -> CredentialId {
    let number = service.store().tree_head().await.unwrap().size as u32;
    let contact = Some(|| address(OLD));
    service.enroll(enrollment(tenant, number), secret, contact, &origin()).await.unwrap().id
}

async fn stored(service: &Service, id: CredentialId) -> Option<Row> {
    service.store().get(Key::Contact(id)).await.unwrap().map(|found| found.row)
}

async fn former(service: &Service, id: CredentialId) -> Vec<Former> {
    match stored(service, id).await {
        Some(Row::Contacts(Contacts { former, .. })) => former,
        other => panic!("{other:?}"),
    }
}

/// The letters that are due once nothing else is left to be done.
async fn due(service: &Service) -> Vec<Delivery> {
    while service.tend_notices().await.unwrap() {}
    service.due_letters(99).await.unwrap()
}

fn only(mut letters: Vec<Delivery>) -> Delivery {
    assert_eq!(letters.len(), 1, "{letters:?}");
    letters.remove(0)
}

/// How many sealed things of a tenant's are gone from here alone.
async fn unerased(service: &Service, tenant: TenantId) -> u64 {
    match service.store().get(Key::Unerased(tenant)).await.unwrap().map(|found| found.row) {
        Some(Row::Unerased(noted)) => noted.count,
        _ => 0,
    }
}

/// How the notices of changes ended, and how many letters of each were sent.
async fn ends(service: &Service) -> Vec<(EntryOutcome, String)> {
    let leaves = service.store().audit_scan(AuditRange { limit: 10_000, ..AuditRange::default() }).await.unwrap();
    let entries = leaves.iter().map(|leaf| Entry::from_leaf(&leaf.bytes).unwrap());
    let ended = entries.filter(|entry| entry.action == "notice.end");
    ended
        .map(|entry| {
            assert_eq!(entry.detail["topic"], "contact.changed");
            (entry.outcome, entry.detail["sent"].clone())
        })
        .collect()
}

fn owned((outcome, sent): (EntryOutcome, &str)) -> (EntryOutcome, String) {
    (outcome, sent.to_owned())
}
