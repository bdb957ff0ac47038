//! `seal` and `verify_code` for operators' one-time codes: for whom a seed was sealed, and for nothing else.

use aws_lc_rs::hmac;
use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::envelope::{Binding, Mode, Purpose};
use claviger_core::id::{CredentialId, OperatorId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::message::{Refused, Reply, Request, Seal, VerifyCode};
use claviger_core::secret::Plaintext;
use claviger_venues::{Ceiling, CeilingClass, Product, Products, SecretKind, VenueId};

use super::front::{Front, HMAC_SECRET, Home, refusal, trade};

const SEED: &[u8; 20] = b"12345678901234567890";

#[test]
fn a_code_is_verified_for_whom_it_was_sealed_alone() {
    let home = Home::new("codes");
    let mut front = home.keeper();
    front.hello();
    let kek = front.kek(TenantId::OWN, 1);
    let [ada, bob] = [1, 2].map(|n| OperatorId::from_bytes([n; 16]));
    let sealed = sealed(seal(&mut front, binding(ada), &kek, SEED));
    let step = SystemClock.unix_ms() / 30_000;
    let verify = |front: &mut Front, operator, sealed: &[u8], code: &str| {
        let verify = VerifyCode { operator, sealed: sealed.to_vec(), kek: kek.clone() };
        let code = Plaintext::copy_of(code.as_bytes()).unwrap();
        front.ask_with(&Request::VerifyCode(Box::new(verify)), Some(&code))
    };

    let reply = verify(&mut front, ada, &sealed, &code(step));
    assert!(matches!(reply, Reply::Step(of) if of == step), "{reply:?}");
    for wrong in [code(step + 5).as_str(), code(step - 5).as_str(), "", "12345", "1234567", "12345a"] {
        assert_eq!(refusal(verify(&mut front, ada, &sealed, wrong)), Refused::Code, "{wrong}");
    }
    assert_eq!(refusal(verify(&mut front, bob, &sealed, &code(step))), Refused::Relabelled);
    let credential = front.enrolled();
    assert_eq!(refusal(verify(&mut front, ada, &credential.sealed, &code(step))), Refused::Relabelled);
    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(verify(&mut front, ada, &flipped, &code(step))), Refused::Tampered);
}

#[test]
fn a_seed_is_sealed_under_its_own_binding_alone() {
    let home = Home::new("seeds");
    let mut front = home.keeper();
    front.hello();
    let kek = front.kek(TenantId::OWN, 1);
    let own = binding(OperatorId::from_bytes([1; 16]));
    let bent = [
        Binding { tenant: TenantId::MAX, ..own.clone() },
        Binding { version: 2, ..own.clone() },
        Binding { venue: VenueId::Kraken, ..own.clone() },
        Binding { kind: SecretKind::Hmac, ..own.clone() },
        Binding { mode: Mode::Resident, ..own.clone() },
        Binding { ceiling: trade(Product::Spot), ..own.clone() },
    ];
    for binding in bent {
        assert_eq!(refusal(seal(&mut front, binding.clone(), &kek, SEED)), Refused::Relabelled, "{binding:?}");
    }
    for other in [&SEED[..19], HMAC_SECRET.as_bytes(), b""] {
        let refused = refusal(seal(&mut front, own.clone(), &kek, other));
        assert!(matches!(refused, Refused::Secret(_)), "{refused:?}");
    }
    sealed(seal(&mut front, own, &kek, SEED));
}

fn binding(operator: OperatorId) -> Binding {
    Binding {
        tenant: TenantId::OWN,
        credential: CredentialId::from_bytes(*operator.as_bytes()),
        version: 1,
        purpose: Purpose::Totp,
        venue: VenueId::Binance,
        kind: SecretKind::Token,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}

fn seal(front: &mut Front, binding: Binding, kek: &KekRow, seed: &[u8]) -> Reply {
    let seal = Seal { binding, key_id: String::new(), kek: kek.clone() };
    front.ask_with(&Request::Seal(Box::new(seal)), Some(&Plaintext::copy_of(seed).unwrap()))
}

fn sealed(reply: Reply) -> Vec<u8> {
    let Reply::Sealed(sealed) = reply else { panic!("{reply:?}") };
    sealed
}

/// RFC 4226 section 5.3, over [`SEED`].
fn code(step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SEED);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[19] & 0x0f);
    let word = u32::from_be_bytes(bytes[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}
