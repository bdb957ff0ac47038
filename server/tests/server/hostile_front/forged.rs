//! Bytes that are not what the keeper gave out: relabelled, moved, changed.

use claviger_core::clock::SystemClock;
use claviger_core::envelope::{Binding, Envelope};
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::message::{ImportKek, Refused, Reply, Request};
use claviger_venues::{Ceiling, CeilingClass, Product, Products, SecretKind, VenueId};

use super::front::{Enrolled, Front, Home, refusal};

#[test]
fn a_sealed_version_serves_its_own_tenant_credential_and_venue() {
    let home = Home::new("elsewhere");
    let mut front = home.keeper();
    front.hello();
    let (ours, theirs) = (front.enrolled(), front.enrolled());
    let ways: [fn(&mut Enrolled, &Enrolled); 4] = [
        |it, other| it.scopes.tenant = other.scopes.tenant,
        |it, other| it.scopes.credential = other.scopes.credential,
        |it, _| it.scopes.credential = None,
        |it, _| it.scopes.venue = VenueId::BinanceUsdm,
    ];
    for (at, way) in ways.into_iter().enumerate() {
        let mut moved = ours.clone();
        way(&mut moved, &theirs);
        let sign = front.sign(&moved, "account", &[]);
        assert_eq!(front.refused(sign), Refused::Relabelled, "way {at}");
    }
    signs(&mut front, &ours);
}

#[test]
fn a_relabelled_envelope_does_not_open() {
    let home = Home::new("relabelled");
    let mut front = home.keeper();
    front.hello();
    let (ours, theirs) = (front.enrolled(), front.enrolled());
    let everything = Products::SPOT_AND_MARGIN.with(Product::Derivatives);
    let labels: [fn(&mut Binding); 7] = [
        |label| label.tenant = TenantId::new(&SystemClock),
        |label| label.credential = CredentialId::new(&SystemClock),
        |label| label.version = 2,
        |label| label.venue = VenueId::BinanceUsdm,
        |label| label.venue = VenueId::Kraken,
        |label| label.kind = SecretKind::PrivateKey,
        |label| label.ceiling = Ceiling { class: CeilingClass::Read, products: Products::SPOT },
    ];
    for (at, relabel) in labels.into_iter().enumerate() {
        let forged = relabelled(&ours, relabel);
        let sign = front.sign(&forged, "account", &[]);
        assert_eq!(front.refused(sign), Refused::Tampered, "label {at}");
    }
    let wider = relabelled(&ours, |label| label.ceiling.products = everything);
    let sign = front.order(&wider);
    assert_eq!(front.refused(sign), Refused::Tampered, "a wider ceiling");
    // A sealed payload beside another one's label, and a wrapped DEK beside another one's payload.
    for part in [
        |mine: &mut Envelope, other: Envelope| (mine.nonce, mine.ciphertext) = (other.nonce, other.ciphertext),
        |mine: &mut Envelope, other: Envelope| mine.wrapped_dek = other.wrapped_dek,
    ] {
        let mut envelope = Envelope::from_bytes(&ours.sealed).unwrap();
        part(&mut envelope, Envelope::from_bytes(&theirs.sealed).unwrap());
        let sign = front.order(&Enrolled { sealed: envelope.to_bytes(), ..ours.clone() });
        assert_eq!(front.refused(sign), Refused::Tampered);
    }
    signs(&mut front, &ours);
}

#[test]
fn no_bit_of_the_sealed_bytes_can_be_flipped() {
    let home = Home::new("flipped");
    let mut front = home.keeper();
    front.hello();
    let ours = front.enrolled();
    for bit in 0..ours.sealed.len() * 8 {
        let mut forged = ours.clone();
        flip(&mut forged.sealed, bit);
        let sign = front.order(&forged);
        let refused = front.refused(sign);
        let expected = matches!(refused, Refused::Tampered | Refused::Relabelled | Refused::Ceiling);
        assert!(expected, "bit {bit}: {refused:?}");
    }
    for cut in 0..ours.sealed.len() {
        let sign = front.order(&Enrolled { sealed: ours.sealed[..cut].to_vec(), ..ours.clone() });
        assert_eq!(front.refused(sign), Refused::Tampered, "{cut} bytes");
    }
    let longer = [ours.sealed.as_slice(), &[0]].concat();
    let sign = front.order(&Enrolled { sealed: longer, ..ours.clone() });
    assert_eq!(front.refused(sign), Refused::Tampered, "a byte more");
    signs(&mut front, &ours);
}

/// A part of a KEK row: its name, its bytes, and how one bit of it is flipped.
type Part = (&'static str, usize, fn(&mut KekRow, usize));

#[test]
fn no_bit_of_a_kek_row_can_be_flipped() {
    let home = Home::new("kek-bits");
    let mut front = home.keeper();
    front.hello();
    let ours = front.enrolled();
    let flips: [Part; 4] = [
        ("wrapped key", ours.kek.blob.wrapped.len(), |row, bit| flip(&mut row.blob.wrapped, bit)),
        ("canary", ours.kek.blob.canary.len(), |row, bit| flip(&mut row.blob.canary, bit)),
        ("MAC", ours.kek.mac.len(), |row, bit| flip(&mut row.mac, bit)),
        ("root", 4, |row, bit| row.blob.root ^= 1 << bit),
    ];
    for (part, bytes, change) in flips {
        assert!(bytes > 0, "{part}");
        for bit in 0..bytes * 8 {
            let mut forged = ours.clone();
            change(&mut forged.kek, bit);
            let sign = front.order(&forged);
            assert_eq!(front.refused(sign), Refused::Tampered, "bit {bit} of the {part}");
        }
    }
    signs(&mut front, &ours);
}

#[test]
fn a_tenant_that_is_not_named_brings_nothing() {
    let home = Home::new("brings");
    let (named, other) = (TenantId::from_bytes([5; 16]), TenantId::from_bytes([6; 16]));
    home.configure("[hsm]\n", &format!("[hsm]\nimport_tenants = [\"{named}\"]\n"));
    let mut front = home.keeper();
    front.hello();

    let import = |tenant| ImportKek { tenant, version: 2, wrapped: vec![1; 256], known: None };
    for tenant in [other, TenantId::OWN] {
        let door = refusal(front.ask(&Request::KekDoor { tenant }));
        assert!(matches!(&door, Refused::Import(why) if why.contains("import_tenants")), "{door:?}");
        let refused = refusal(front.ask(&Request::ImportKek(Box::new(import(tenant)))));
        assert_eq!(refused, door, "{tenant}");
    }

    let reply = front.ask(&Request::KekDoor { tenant: named });
    assert!(matches!(reply, Reply::KekDoor(_)), "{reply:?}");
    let refused = refusal(front.ask(&Request::ImportKek(Box::new(import(named)))));
    assert!(matches!(&refused, Refused::Import(why) if why.contains("no AES key")), "{refused:?}");
    let ours = front.enrolled();
    signs(&mut front, &ours);
}

#[test]
fn a_kek_row_serves_its_own_tenant_and_version() {
    let home = Home::new("kek-rows");
    let mut front = home.keeper();
    front.hello();
    let (ours, theirs) = (front.enrolled(), front.enrolled());
    let tenant = ours.scopes.tenant;
    let (newer, version) = (front.kek(tenant, 2), |row: &KekRow, version| KekRow { version, ..row.clone() });
    let rows = [
        ("another tenant's", theirs.kek.clone()),
        ("another tenant's under this one's name", KekRow { tenant, ..theirs.kek.clone() }),
        ("a genuine newer one", newer.clone()),
        ("a newer one under the older's version", version(&newer, 1)),
        ("the same under another version", version(&ours.kek, 2)),
    ];
    for (row, kek) in rows {
        let sign = front.order(&Enrolled { kek, ..ours.clone() });
        assert_eq!(front.refused(sign), Refused::Tampered, "{row}");
    }
    // The envelope may name the newer KEK as well: the DEK is not wrapped by it.
    let mut envelope = Envelope::from_bytes(&ours.sealed).unwrap();
    envelope.kek_version = 2;
    let sign = front.order(&Enrolled { sealed: envelope.to_bytes(), kek: newer, ..ours.clone() });
    assert_eq!(front.refused(sign), Refused::Tampered);
    // A whole tenant relabelled: envelope, scopes and KEK row.
    let mut forged = relabelled(&ours, |label| label.tenant = TenantId::MIN);
    forged.kek = theirs.kek.clone();
    forged.kek.tenant = TenantId::MIN;
    let sign = front.order(&forged);
    assert_eq!(front.refused(sign), Refused::Tampered);
    signs(&mut front, &ours);
    signs(&mut front, &theirs);
}

/// The envelope under another label, and a request that goes with it.
fn relabelled(credential: &Enrolled, relabel: impl FnOnce(&mut Binding)) -> Enrolled {
    let mut envelope = Envelope::from_bytes(&credential.sealed).unwrap();
    relabel(&mut envelope.binding);
    let mut forged = credential.clone();
    forged.sealed = envelope.to_bytes();
    forged.scopes.tenant = envelope.binding.tenant;
    forged.scopes.credential = Some(envelope.binding.credential);
    forged.scopes.venue = envelope.binding.venue;
    forged
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

/// The control: the keeper is well, and the credential is what it was.
fn signs(front: &mut Front, credential: &Enrolled) {
    let sign = front.order(credential);
    front.signed(sign);
}
