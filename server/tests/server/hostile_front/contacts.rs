//! `seal` and `open_contact` for owners' addresses: what was sealed as one, and nothing else.

use claviger_core::envelope::{Binding, Mode, Purpose};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::message::{OpenContact, Refused, Reply, Request, Seal};
use claviger_core::secret::Plaintext;
use claviger_venues::{Ceiling, CeilingClass, Product, Products, SecretKind, VenueId};

use super::front::{Front, HMAC_SECRET, Home, refusal, trade};

const ADDRESS: &str = "ada@mail.example.org";

#[test]
fn no_secret_opens_as_an_address() {
    let home = Home::new("contacts");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    let open = |front: &mut Front, sealed: &[u8]| {
        let open = OpenContact { sealed: sealed.to_vec(), kek: credential.kek.clone() };
        front.ask(&Request::OpenContact(Box::new(open)))
    };
    assert_eq!(refusal(open(&mut front, &credential.sealed)), Refused::Relabelled);

    let own = binding(credential.kek.tenant);
    let reply = seal(&mut front, own.clone(), &credential.kek, ADDRESS);
    let Reply::Sealed(sealed) = reply else { panic!("{reply:?}") };
    let opened = open(&mut front, &sealed);
    assert!(!format!("{opened:?}").contains(ADDRESS), "{opened:?}");
    assert!(matches!(&opened, Reply::Contact(address) if address.as_str() == ADDRESS), "{opened:?}");
    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(open(&mut front, &flipped)), Refused::Tampered);
}

#[test]
fn an_address_is_sealed_under_its_own_binding_alone() {
    let home = Home::new("contact-bindings");
    let mut front = home.keeper();
    front.hello();
    let kek = front.enrolled().kek;
    let own = binding(kek.tenant);
    let bent = [
        Binding { tenant: TenantId::MAX, ..own.clone() },
        Binding { version: 2, ..own.clone() },
        Binding { kind: SecretKind::Hmac, ..own.clone() },
        Binding { mode: Mode::Resident, ..own.clone() },
        Binding { ceiling: trade(Product::Spot), ..own.clone() },
    ];
    for binding in bent {
        assert_eq!(refusal(seal(&mut front, binding.clone(), &kek, ADDRESS)), Refused::Relabelled, "{binding:?}");
    }
    for other in [HMAC_SECRET, "ada", "ada@mail.example.org\r\nRCPT TO:<eve@example.org>", ""] {
        let refused = refusal(seal(&mut front, own.clone(), &kek, other));
        assert!(matches!(refused, Refused::Secret(_)), "{refused:?}");
    }
}

fn binding(tenant: TenantId) -> Binding {
    Binding {
        tenant,
        credential: CredentialId::from_bytes([7; 16]),
        version: 1,
        purpose: Purpose::Contact,
        venue: VenueId::Binance,
        kind: SecretKind::Token,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}

fn seal(front: &mut Front, binding: Binding, kek: &KekRow, address: &str) -> Reply {
    let seal = Seal { binding, key_id: String::new(), kek: kek.clone() };
    front.ask_with(&Request::Seal(Box::new(seal)), Some(&Plaintext::copy_of(address.as_bytes()).unwrap()))
}
