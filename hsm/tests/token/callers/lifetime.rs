//! How long a key stays unwrapped, and what is left when it does not.

use claviger_core::clock::BootTime;
use claviger_core::token::{Forget, Holder, IDLE, KeyKind, NewPair, Token as _, TokenKey};
use claviger_hsm::HsmSession;
use cryptoki::object::Attribute;

use super::{HOLDER, MESSAGE, START, import, sign};
use crate::harness::{Home, fault_module, in_child, opened, raw_session, token_module};

#[test]
fn a_key_is_unwrapped_once_and_forgotten_when_idle() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        let key = import(&mut session, KeyKind::HmacSha256, b"secret");
        let nearly = BootTime(START.after(IDLE).0 - 1);

        assert_eq!(unwraps(home, &mut session, &key, START), 1);
        assert_eq!(unwraps(home, &mut session, &key, nearly), 0, "used again just in time");
        assert_eq!(unwraps(home, &mut session, &key, BootTime(nearly.after(IDLE).0 - 1)), 0, "each use counts");
        let idle = nearly.after(IDLE).after(IDLE);
        session.forget(Forget::Idle(idle));
        assert_eq!(live(), 0, "it goes without being asked for");
        assert_eq!(unwraps(home, &mut session, &key, idle), 1);
        assert_eq!(unwraps(home, &mut session, &key, idle.after(IDLE)), 1, "it is not used when it ought to be gone");
        assert_eq!(live(), 1);
    });
}

#[test]
fn keys_are_forgotten_by_holder_and_all_at_once() {
    in_child(|_| {
        let (hsm, mut session) = opened(&token_module());
        let secrets = [b"one", b"two", b"six"];
        for (holder, secret) in (0..).zip(secrets) {
            let key = import(&mut session, KeyKind::HmacSha512, secret);
            session.sign_with(&key, Holder(holder / 2), MESSAGE, START).unwrap();
        }
        let born = session.generate_pair(NewPair::Rsa { bits: 2048 }, 0).unwrap().key;
        let mut elsewhere = hsm.session().unwrap();
        sign(&mut elsewhere, &born);
        assert_eq!(live(), 4);

        session.forget(Forget::Holder(Holder(7)));
        assert_eq!(live(), 4, "nobody's");
        session.forget(Forget::Holder(Holder(0)));
        assert_eq!(live(), 2, "both of one holder");
        session.forget(Forget::All);
        assert_eq!(live(), 1, "the other session has its own");
        drop(elsewhere);
        assert_eq!(live(), 0, "they die with their session");
    });
}

#[test]
fn a_full_cache_forgets_the_key_not_used_for_longest() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        let first = import(&mut session, KeyKind::HmacSha256, b"first");
        let second = import(&mut session, KeyKind::HmacSha256, b"second");
        for (key, at) in [(&second, 0), (&first, 1)] {
            session.sign_with(key, HOLDER, MESSAGE, BootTime(START.0 + at)).unwrap();
        }
        for number in 0..1023_u64 {
            let key = import(&mut session, KeyKind::HmacSha256, &number.to_le_bytes());
            session.sign_with(&key, HOLDER, MESSAGE, BootTime(START.0 + 2 + number)).unwrap();
        }
        assert_eq!(live(), 1024);
        assert_eq!(unwraps(home, &mut session, &first, BootTime(START.0 + 2000)), 0);
        assert_eq!(unwraps(home, &mut session, &second, BootTime(START.0 + 2000)), 1);
        assert_eq!(live(), 1024);
    });
}

#[test]
fn nothing_is_left_whatever_fails() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        let acts: [fn(&mut HsmSession) -> bool; 3] = [
            |session| {
                let secret = claviger_core::secret::Plaintext::copy_of(b"secret").unwrap();
                session.import_key(KeyKind::HmacSha256, &secret).is_ok()
            },
            |session| session.generate_pair(NewPair::Rsa { bits: 2048 }, 0).is_ok(),
            |session| session.generate_pair(NewPair::Ed25519, 1).is_ok(),
        ];
        for function in ["C_UnwrapKey", "C_WrapKey", "C_SignInit", "C_Sign", "C_GetAttributeValue", "C_GenerateKeyPair"]
        {
            for act in acts {
                // Each call of this function in turn, until the act gets by without meeting the fault.
                for after in 0.. {
                    // DEVICE_REMOVED is not retried.
                    home.rules(&format!("{function} return=0x32 after={after} count=1"));
                    let done = act(&mut session);
                    home.well();
                    assert_eq!(live(), 0, "{function}, call {after}");
                    let kept = session.key_objects().unwrap();
                    assert_eq!(kept.len(), usize::from(done && !kept.is_empty()), "{function}, call {after}");
                    for label in &kept {
                        session.destroy_key(label).unwrap();
                    }
                    if done {
                        break;
                    }
                }
            }
        }
    });
}

#[test]
fn what_the_library_leaks_is_counted() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        let key = import(&mut session, KeyKind::HmacSha256, b"secret");
        let leak = |session: &mut HsmSession| {
            let before = session.leaked_bytes();
            sign(session, &key);
            session.forget(Forget::All);
            session.leaked_bytes() - before
        };
        let once = leak(&mut session);
        assert!(once == 240 || once == 0, "one object, if the module leaks: {once}");
        assert_eq!(leak(&mut session), once);
        session.mac(claviger_core::token::MacKey::Row, b"data").unwrap();
        assert_eq!(leak(&mut session), once, "a MAC makes no object");
    });
}

/// How often signing at `now` unwraps.
fn unwraps(home: &Home, session: &mut HsmSession, key: &TokenKey, now: BootTime) -> usize {
    home.forget_calls();
    session.sign_with(key, HOLDER, MESSAGE, now).unwrap();
    home.calls("C_UnwrapKey").len()
}

/// How many session objects there are, in all sessions.
fn live() -> usize {
    raw_session().find_objects(&[Attribute::Token(false)]).unwrap().len()
}
