//! How a caller's secret enters the token.
//!
//! A one-time *carrier* key goes in by RSA-OAEP to `import-secret`, then the secret by RFC 5649 under the carrier. So
//! neither is ever an argument of `C_CreateObject`, which devices in a certified mode refuse for keys, and the module
//! in front of a device sees ciphertext alone. It is also one way for HMAC secrets and PKCS#8, which nobody has to
//! take apart. The import key's unwrap template admits carriers only, and a carrier unwraps only.
//!
//! The newborn is extractable until it is wrapped, a few calls later on the session that made it. Whoever can use the
//! process's login in that moment can wrap it, too; they could as well read the secret, which is in the process then.

use aws_lc_rs::digest;
use aws_lc_rs::hmac;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use claviger_core::secret::{Plaintext, SecretError};
use claviger_core::token::{KEY_BYTES, KeyKind, OaepHash, TokenError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use crate::error::{Class, Fault};
use crate::mechanism::Kwp;
use crate::object::{self, Temporary};
use crate::template::caller as template;

/// The key through which secrets enter.
#[derive(Clone, Debug)]
pub(crate) struct ImportKey {
    pub(crate) private: ObjectHandle,
    pub(crate) public: RsaPublicKeyComponents<Vec<u8>>,
}

/// The hash of RSA-OAEP. SHA-1 is all that `SoftHSM` 2.6 has; OAEP does not rest on its collision resistance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Oaep {
    Sha256,
    Sha1,
}

impl Oaep {
    /// The best first.
    pub(crate) const ALL: [Self; 2] = [Self::Sha256, Self::Sha1];

    pub(crate) fn mechanism(self) -> Mechanism<'static> {
        let (hash, mgf) = match self {
            Self::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
            Self::Sha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
        };
        Mechanism::RsaPkcsOaep(PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty()))
    }

    /// What outsiders call it.
    pub(crate) fn hash(self) -> OaepHash {
        match self {
            Self::Sha256 => OaepHash::Sha256,
            Self::Sha1 => OaepHash::Sha1,
        }
    }

    fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
            Self::Sha1 => &OAEP_SHA1_MGF1SHA1,
        }
    }
}

/// The way in, on one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door<'s> {
    pub(crate) session: &'s Session,
    pub(crate) key: &'s ImportKey,
    pub(crate) oaep: Oaep,
    pub(crate) kwp: Kwp,
}

impl<'s> Door<'s> {
    /// The door as the token opens it: tries each hash with `carrier`. `None` if it opens with none.
    pub(crate) fn find(
        session: &'s Session,
        key: &'s ImportKey,
        kwp: Kwp,
        carrier: &[u8; KEY_BYTES],
    ) -> Result<Option<Self>, Fault> {
        for oaep in Oaep::ALL {
            let door = Self { session, key, oaep, kwp };
            match door.carrier(carrier) {
                Ok(_) => return Ok(Some(door)),
                // Both sides have to use the same hash, and a module may notice only that nothing comes out.
                Err(fault) if fault.class() == Class::Refused || fault.blames_bytes() => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(None)
    }

    /// Brings a secret in as a newborn key. `carrier` is fresh random bytes.
    pub(crate) fn bring(
        &self,
        kind: KeyKind,
        carrier: &[u8; KEY_BYTES],
        secret: &[u8],
    ) -> Result<Temporary<'s>, Fault> {
        let inside = self.carrier(carrier)?;
        let mut wrapped = vec![0; secret.len().next_multiple_of(8).saturating_add(8)];
        AesKek::new(&AES_256, carrier)
            .and_then(|carrier| carrier.wrap_with_padding(secret, &mut wrapped).map(drop))
            .map_err(|_| refused("the secret does not go into the token: its length"))?;
        let newborn =
            object::unwrap(self.session, &self.kwp.mechanism(), inside.handle, &wrapped, &template::newborn(kind))?;
        Ok(Temporary::new(self.session, newborn))
    }

    /// A key sealed to the import key.
    pub(crate) fn seal(&self, carrier: &[u8; KEY_BYTES]) -> Result<Vec<u8>, Fault> {
        let public: Result<PublicEncryptingKey, _> = self.key.public.clone().try_into();
        let sealed = public.and_then(OaepPublicEncryptingKey::new).and_then(|public| {
            let mut sealed = vec![0; public.ciphertext_size()];
            public.encrypt(self.oaep.algorithm(), carrier, &mut sealed, None)?;
            Ok(sealed)
        });
        sealed.map_err(|_| refused("nothing can be sealed to its import key"))
    }

    /// `carrier` as a key in the token.
    pub(crate) fn carrier(&self, carrier: &[u8; KEY_BYTES]) -> Result<Temporary<'s>, Fault> {
        let sealed = self.seal(carrier)?;
        let template = template::carrier(self.kwp.id());
        let handle = object::unwrap(self.session, &self.oaep.mechanism(), self.key.private, &sealed, &template)?;
        Ok(Temporary::new(self.session, handle))
    }
}

/// A secret, as the token takes it and as software knows it.
pub(crate) struct Secret<'a> {
    kind: KeyKind,
    given: &'a Plaintext,
    /// An HMAC key, brought to the block's length.
    block: Option<Plaintext>,
}

impl<'a> Secret<'a> {
    /// HMAC keys are brought to the length of the hash's block: hashed if longer, then filled with zeros, which by
    /// definition gives the same MAC (RFC 2104, section 2).
    ///
    /// Tokens refuse short keys, and `SoftHSM`'s RFC 5649 fills odd lengths with zeros, which beyond the block is
    /// another key. A block hides the length, too.
    ///
    /// # Errors
    /// [`TokenError::Refused`] if it is no key of this kind, [`TokenError::Capacity`] if the arena is full.
    pub(crate) fn new(kind: KeyKind, given: &'a Plaintext) -> Result<Self, Fault> {
        let block = match kind {
            KeyKind::HmacSha256 => Some(block(given, 64, &digest::SHA256)?),
            KeyKind::HmacSha512 => Some(block(given, 128, &digest::SHA512)?),
            KeyKind::RsaSha256 if is_rsa(given) => None,
            KeyKind::RsaSha256 => return Err(refused("the secret is no RSA key of 2048 to 4096 bits as PKCS#8")),
            KeyKind::Ed25519 => return Err(refused("an Ed25519 key has to be born in the token")),
        };
        Ok(Self { kind, given, block })
    }

    /// Brings it in.
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: wrapped for the token, straight from the arena")]
    pub(crate) fn bring<'s>(&self, door: &Door<'s>, carrier: &[u8; KEY_BYTES]) -> Result<Temporary<'s>, Fault> {
        self.block.as_ref().unwrap_or(self.given).expose(|bytes| door.bring(self.kind, carrier, bytes))
    }

    /// Whether `signature` is what software makes of `message` with the secret as it was given.
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the token's first signature is compared with software's")]
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.given.expose(|bytes| match self.kind {
            KeyKind::HmacSha256 => hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, bytes), message, signature).is_ok(),
            KeyKind::HmacSha512 => hmac::verify(&hmac::Key::new(hmac::HMAC_SHA512, bytes), message, signature).is_ok(),
            KeyKind::RsaSha256 => KeyPair::from_pkcs8(bytes).is_ok_and(|pair| {
                let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
                public.verify(message, signature).is_ok()
            }),
            KeyKind::Ed25519 => false,
        })
    }
}

/// Asked of software, because what a token says of bytes that are no key cannot be told from a fault of its own.
#[expect(clippy::disallowed_methods, reason = "EXPOSE: parsed from the arena; the copy is freed and wiped by aws-lc")]
fn is_rsa(secret: &Plaintext) -> bool {
    let modulus_bytes = 256..=512;
    secret
        .expose(|bytes| KeyPair::from_pkcs8(bytes).is_ok_and(|pair| modulus_bytes.contains(&pair.public_modulus_len())))
}

#[expect(clippy::disallowed_methods, reason = "EXPOSE: from the arena into the arena; what the hash spills is wiped")]
fn block(secret: &Plaintext, bytes: usize, hash: &'static digest::Algorithm) -> Result<Plaintext, Fault> {
    if secret.is_empty() {
        return Err(refused("an HMAC key is not empty"));
    }
    let mut block = Plaintext::zeroed(bytes).map_err(room)?;
    secret.expose(|secret| {
        block.fill(|block| {
            let mut copy = |from: &[u8]| block.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            if secret.len() > bytes { copy(digest::digest(hash, secret).as_ref()) } else { copy(secret) }
        });
    });
    Ok(block)
}

fn room(error: SecretError) -> Fault {
    TokenError::Capacity(error.to_string()).into()
}

fn refused(why: &str) -> Fault {
    TokenError::Refused(why.to_owned()).into()
}
