//! Whose enrollment was refused, as far as the log may say it.

use claviger_core::envelope::Mode;
use claviger_core::secret::Plaintext;
use claviger_core::service::Enrollment;
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};

use super::world::World;

type NoContact = fn() -> Result<Plaintext, String>;

#[tokio::test]
async fn what_can_be_nobodys_name_gets_no_key_in_the_log() {
    let world = World::new(0).await;
    let (long, control) = ("x".repeat(1_000), "ada\u{7}");
    for (owner, is_kept) in [("ada", true), ("", false), (control, false), (long.as_str(), false)] {
        let enrollment = Enrollment {
            tenant: world.tenant,
            owner: owner.to_owned(),
            label: String::new(),
            venue: VenueId::Kraken,
            kind: SecretKind::Hmac,
            mode: Mode::Sealed,
            ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
            key_id: String::new(),
            expires_ms: None,
        };
        let secret = || Err("it is not asked for".to_owned());
        let origin = world.origin(&world.ann);
        world.service.enroll(enrollment, secret, None::<NoContact>, &origin).await.unwrap_err();
        let key = world.service.store().audit_key(world.tenant, owner.to_owned()).await.unwrap();
        assert_eq!(key.is_some(), is_kept, "{owner:?}");
    }
    assert_eq!(world.entries("credential.enroll").await, 4, "each refusal is in it");
}
