#![expect(clippy::disallowed_methods, reason = "EXPOSE: tests look at what they sealed")]

use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::id::{CredentialId, TenantId};

fn binding() -> Binding {
    Binding {
        tenant: TenantId::from_bytes([1; 16]),
        credential: CredentialId::from_bytes([2; 16]),
        version: 3,
        purpose: Purpose::VenueSecret,
        venue: VenueId::Binance,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
    }
}

/// A "token" that wraps by xor: what is tested here is the envelope, not the wrapping.
fn sealed(secret: &[u8]) -> Envelope {
    let payload = Payload::new("key-id".into(), vec![Plaintext::copy_of(secret).unwrap()]);
    let dek = Dek::from_random(Zeroizing::new([7; 32]));
    seal::<EnvelopeError>(binding(), 1, dek, &payload, |key, hash| Ok(xor(key, hash))).unwrap()
}

fn xor(key: &[u8; 32], hash: &[u8; 32]) -> Vec<u8> {
    key.iter().zip(hash).map(|(a, b)| a ^ b).collect()
}

fn unwrap(envelope: &Envelope) -> [u8; 32] {
    xor(&envelope.wrapped_dek.clone().try_into().unwrap_or([0; 32]), &envelope.binding.hash()).try_into().unwrap()
}

proptest! {
    #[test]
    fn what_was_sealed_opens(secret in proptest::collection::vec(any::<u8>(), 1..600)) {
        let envelope = Envelope::from_bytes(&sealed(&secret).to_bytes()).unwrap();
        let payload = open(&envelope, &unwrap(&envelope)).unwrap();
        prop_assert_eq!(payload.key_id(), "key-id");
        prop_assert_eq!(payload.parts()[0].expose(<[u8]>::to_vec), secret);
        prop_assert_eq!(envelope.ciphertext.len() % 64, 16);
    }

    #[test]
    fn a_flipped_bit_does_not_open(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = sealed(b"secret").to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // The KEK's version is not authenticated by the envelope: another KEK does not unwrap the DEK.
        if let Ok(envelope) = Envelope::from_bytes(&bytes) && envelope.kek_version == 1 {
            prop_assert!(open(&envelope, &unwrap(&envelope)).is_err());
        }
    }

    #[test]
    fn hostile_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(envelope) = Envelope::from_bytes(&bytes) {
            prop_assert_eq!(envelope.to_bytes(), bytes);
        }
    }
}

#[test]
fn a_relabelled_row_does_not_open() {
    let relabel: [fn(&mut Binding); 7] = [
        |b| b.tenant = TenantId::from_bytes([9; 16]),
        |b| b.credential = CredentialId::from_bytes([9; 16]),
        |b| b.version = 4,
        |b| b.venue = VenueId::Kraken,
        |b| b.kind = SecretKind::PrivateKey,
        |b| b.ceiling.class = CeilingClass::Read,
        |b| b.ceiling.products = Products::SPOT.union(Products::DERIVATIVES),
    ];
    for change in relabel {
        let mut envelope = sealed(b"secret");
        let dek = unwrap(&envelope);
        change(&mut envelope.binding);
        assert_eq!(open(&envelope, &dek).unwrap_err(), EnvelopeError::DoesNotOpen, "{:?}", envelope.binding);
        assert_ne!(unwrap(&envelope), dek, "the wrapped DEK is bound as well");
    }
}

#[test]
fn the_first_format_opens_for_ever() {
    let stored = include_str!("../../testdata/envelope/v1/binance-hmac.hex");
    let bytes = data_encoding::HEXLOWER.decode(stored.trim().as_bytes()).unwrap();
    let envelope = Envelope::from_bytes(&bytes).unwrap();
    assert_eq!(envelope.binding, binding());
    let payload = open(&envelope, &unwrap(&envelope)).unwrap();
    assert_eq!(payload.parts()[0].expose(<[u8]>::to_vec), b"a secret of the first format");
}
