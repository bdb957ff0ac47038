//! One wrap: HPKE (RFC 9180) in base mode, X25519 with HKDF-SHA-256 and AES-256-GCM.
//!
//! ```text
//! 1  form (1)
//! 8  which recovery key
//! 32 encapsulated key
//! 16 tag
//! …  ciphertext, to the end
//! ```
//!
//! All before the encapsulated key and the [`WrapId`] are authenticated with it, so a wrap opens for the payload that it was
//! made for and for no other tenant, credential, version, kind or purpose.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use claviger_venues::SecretKind;
use hpke::aead::{AeadTag, AesGcm256};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use hpke::{single_shot_open_in_place_detached, single_shot_seal_in_place_detached};

use super::random::Random;
use super::{RecoveryKey, SetId};
use crate::envelope::{Binding, Envelope, Mode, Purpose};
use crate::secret::{Plaintext, SecretError};

const FORM: u8 = 1;
const INFO: &[u8] = b"claviger-recovery/v1";
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// Which sealed payload a wrap opens: SHA-256 over its binding and, but for a resident key, its ciphertext. A rewrap
/// changes neither.
pub type WrapId = [u8; 32];

/// Why there is no wrap, or it does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The wrap is not what was made for this payload and this recovery key.
    #[error("the wrap does not open")]
    DoesNotOpen,
    /// The public key is none.
    #[error("the recovery key is not usable")]
    Key,
    /// What is wrapped could not be held.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// The private half of a recovery key, while shares are made of it or were put together.
pub struct PrivateKey(Plaintext);

impl PrivateKey {
    /// A new one.
    ///
    /// # Errors
    /// [`WrapError`] without random numbers or room.
    pub fn generate() -> Result<Self, WrapError> {
        let mut key = Plaintext::zeroed(KEY_BYTES)?;
        key.fill(aws_lc_rs::rand::fill).map_err(|_| WrapError::Key)?;
        Ok(Self(key))
    }

    /// The one of these 32 bytes.
    ///
    /// # Errors
    /// [`WrapError::Key`] if they are not that many.
    pub fn of(bytes: Plaintext) -> Result<Self, WrapError> {
        if bytes.len() == KEY_BYTES { Ok(Self(bytes)) } else { Err(WrapError::Key) }
    }

    /// Its public half.
    ///
    /// # Errors
    /// [`WrapError::Key`].
    pub fn public(&self) -> Result<[u8; KEY_BYTES], WrapError> {
        let public = X25519HkdfSha256::sk_to_pk(&self.key()?).to_bytes();
        let mut bytes = [0; KEY_BYTES];
        bytes.copy_from_slice(&public);
        Ok(bytes)
    }

    /// The bytes, to be sent beside a message or cut into shares.
    pub fn bytes(&self) -> &Plaintext {
        &self.0
    }

    #[expect(clippy::disallowed_methods, reason = "EXPOSE: read from the arena by the key agreement itself")]
    fn key(&self) -> Result<<X25519HkdfSha256 as Kem>::PrivateKey, WrapError> {
        self.0.expose(<X25519HkdfSha256 as Kem>::PrivateKey::from_bytes).map_err(|_| WrapError::Key)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// Whether it is what a venue handed out for one login: a wrap of it would bring back nothing that counts.
pub fn lives_for_a_login(binding: &Binding) -> bool {
    binding.purpose == Purpose::VenueToken && binding.kind != SecretKind::Token
}

/// What opens an envelope without the token; `None` where nothing does, because its key was made in the token, or it
/// [lives for one login](lives_for_a_login).
pub fn wrap_id(envelope: &Envelope) -> Option<WrapId> {
    match envelope.binding.mode {
        Mode::HsmBorn => None,
        Mode::Resident => Some(payload_id(&envelope.binding)),
        Mode::Sealed if lives_for_a_login(&envelope.binding) => None,
        Mode::Sealed => {
            let length = u64::try_from(envelope.ciphertext.len()).unwrap_or(u64::MAX).to_be_bytes();
            let sealed = [&envelope.nonce, length.as_slice(), &envelope.ciphertext, &envelope.binding.to_aad()];
            Some(id(b"claviger-recovery-dek/v1\n", &sealed))
        }
    }
}

/// What opens a resident key: the secret itself is wrapped, whatever it is sealed as.
pub(crate) fn payload_id(binding: &Binding) -> WrapId {
    id(b"claviger-recovery-payload/v1\n", &[&binding.to_aad()])
}

fn id(what: &[u8], parts: &[&[u8]]) -> WrapId {
    let mut hash = Context::new(&SHA256);
    hash.update(what);
    for part in parts {
        hash.update(part);
    }
    let mut id = [0; 32];
    id.copy_from_slice(hash.finish().as_ref());
    id
}

/// Whether a wrap says that it is for this recovery key.
pub fn is_of(wrapped: &[u8], set: &SetId) -> bool {
    wrapped.get(1..9) == Some(set.as_slice())
}

/// Wraps a DEK or a payload.
pub(crate) fn wrap(key: &RecoveryKey, id: &WrapId, mut content: Plaintext) -> Result<Vec<u8>, WrapError> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.public).map_err(|_| WrapError::Key)?;
    let aad = aad(key.set, id);
    let (encapsulated, tag) = content
        .fill(|bytes| {
            single_shot_seal_in_place_detached::<AesGcm256, HkdfSha256, X25519HkdfSha256, _>(
                &OpModeS::Base,
                &public,
                INFO,
                bytes,
                &aad,
                &mut Random,
            )
        })
        .map_err(|_| WrapError::Key)?;
    let mut out = vec![FORM];
    out.extend_from_slice(&key.set);
    out.extend_from_slice(&encapsulated.to_bytes());
    out.extend_from_slice(&tag.to_bytes());
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: it is ciphertext by then")]
    content.expose(|ciphertext| out.extend_from_slice(ciphertext));
    Ok(out)
}

/// Opens what [`wrap`] made.
pub(crate) fn open(private: &PrivateKey, id: &WrapId, wrapped: &[u8]) -> Result<Plaintext, WrapError> {
    let no = |_| WrapError::DoesNotOpen;
    let (form, rest) = wrapped.split_first().ok_or(WrapError::DoesNotOpen)?;
    let (set, rest) = rest.split_first_chunk::<8>().ok_or(WrapError::DoesNotOpen)?;
    let (encapsulated, rest) = rest.split_first_chunk::<KEY_BYTES>().ok_or(WrapError::DoesNotOpen)?;
    let (tag, ciphertext) = rest.split_first_chunk::<TAG_BYTES>().ok_or(WrapError::DoesNotOpen)?;
    if *form != FORM {
        return Err(WrapError::DoesNotOpen);
    }
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(no)?;
    let tag = AeadTag::<AesGcm256>::from_bytes(tag).map_err(no)?;
    let key = private.key()?;
    let mut content = Plaintext::copy_of(ciphertext)?;
    let opened = content.fill(|bytes| {
        single_shot_open_in_place_detached::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &key,
            &encapsulated,
            INFO,
            bytes,
            &aad(*set, id),
            &tag,
        )
    });
    opened.map_err(no)?;
    Ok(content)
}

/// Whether a wrap opens: what it holds is wiped at once.
pub fn opens(private: &PrivateKey, id: &WrapId, wrapped: &[u8]) -> bool {
    open(private, id, wrapped).is_ok()
}

fn aad(set: SetId, id: &WrapId) -> Vec<u8> {
    [&[FORM], set.as_slice(), id.as_slice()].concat()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "EXPOSE: tests look at what they put in")]
mod tests {
    use claviger_venues::{Ceiling, CeilingClass, Products, VenueId};

    use super::*;
    use crate::id::{CredentialId, TenantId};
    use crate::recovery::split;

    fn envelope() -> Envelope {
        let binding = Binding {
            tenant: TenantId::from_bytes([1; 16]),
            credential: CredentialId::from_bytes([2; 16]),
            version: 3,
            purpose: Purpose::VenueSecret,
            venue: VenueId::Binance,
            kind: SecretKind::Hmac,
            mode: Mode::Sealed,
            ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
        };
        Envelope { binding, kek_version: 1, wrapped_dek: vec![3; 60], nonce: [4; 12], ciphertext: vec![5; 80] }
    }

    fn ids() -> Vec<WrapId> {
        let one = envelope();
        let with = |change: fn(&mut Envelope)| {
            let mut other = envelope();
            change(&mut other);
            other
        };
        let others = [
            with(|other| other.binding.tenant = TenantId::from_bytes([9; 16])),
            with(|other| other.binding.credential = CredentialId::from_bytes([9; 16])),
            with(|other| other.binding.version = 4),
            with(|other| other.binding.kind = SecretKind::Bearer),
            with(|other| other.binding.purpose = Purpose::VirtualKey),
            with(|other| other.binding.mode = Mode::Resident),
            with(|other| other.nonce = [9; 12]),
            with(|other| other.ciphertext[7] ^= 1),
        ];
        [one].iter().chain(&others).map(|envelope| wrap_id(envelope).unwrap()).collect()
    }

    #[test]
    fn a_wrap_opens_what_it_was_made_for_and_nothing_else() {
        let private = PrivateKey::generate().unwrap();
        let (key, _) = split(&private, (2, 2), 0).unwrap();
        let ids = ids();
        let made = |id| wrap(&key, id, Plaintext::copy_of(b"a DEK or a payload").unwrap()).unwrap();
        let wrapped = made(&ids[0]);
        assert!(is_of(&wrapped, &key.set) && !is_of(&wrapped, &[0; 8]));
        assert_ne!(wrapped, made(&ids[0]));
        assert_eq!(open(&private, &ids[0], &wrapped).unwrap().expose(<[u8]>::to_vec), b"a DEK or a payload");
        for id in &ids[1..] {
            assert_eq!(open(&private, id, &wrapped).unwrap_err(), WrapError::DoesNotOpen);
        }
        assert_eq!(open(&PrivateKey::generate().unwrap(), &ids[0], &wrapped).unwrap_err(), WrapError::DoesNotOpen);
        for at in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[at] ^= 1;
            assert!(!opens(&private, &ids[0], &bent), "{at}");
            assert!(!opens(&private, &ids[0], &wrapped[..at]), "{at}");
        }
    }

    #[test]
    fn a_rewrap_keeps_its_wrap_and_what_is_not_to_come_back_has_none() {
        let moved = Envelope { kek_version: 2, wrapped_dek: vec![7; 60], ..envelope() };
        assert_eq!(wrap_id(&moved), wrap_id(&envelope()));
        let mut resident = envelope();
        resident.binding.mode = Mode::Resident;
        let rekeyed = Envelope { nonce: [8; 12], ciphertext: vec![8; 80], ..resident.clone() };
        assert_eq!(wrap_id(&rekeyed), wrap_id(&resident), "the secret is the same");
        resident.binding.mode = Mode::HsmBorn;
        assert_eq!(wrap_id(&resident), None);
        let mut token = envelope();
        token.binding.purpose = Purpose::VenueToken;
        assert_eq!(wrap_id(&token), None, "it lives for one login");
        token.binding.kind = SecretKind::Token;
        assert!(wrap_id(&token).is_some(), "its owner enrolled it");
    }
}
