//! The mechanisms this crate uses, and what differs between modules.

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::vendor_defined::VendorDefinedMechanism;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::slot::Slot;

use claviger_core::token::{KeyKind, TokenError};

use crate::error::{Class, Fault};
use crate::object::{self, Temporary};
use crate::{raw, template};

/// Under which id a module does RFC 5649 (AES key wrap with padding). The wrapped bytes are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kwp {
    /// `CKM_AES_KEY_WRAP_KWP`, 0x210B: the id of PKCS #11 v3.0 (kryoptic).
    V3,
    /// `CKM_AES_KEY_WRAP_PAD`, 0x210A: the older id. `SoftHSM` does RFC 5649 under it.
    V2,
}

impl Kwp {
    /// The best first.
    const ALL: [Self; 2] = [Self::V3, Self::V2];

    /// The id, for `CKA_ALLOWED_MECHANISMS`.
    pub(crate) fn id(self) -> MechanismType {
        match self {
            Self::V3 => raw::aes_key_wrap_kwp(),
            Self::V2 => MechanismType::AES_KEY_WRAP_PAD,
        }
    }

    /// The mechanism, for `C_WrapKey` and `C_UnwrapKey`.
    pub(crate) fn mechanism(self) -> Mechanism<'static> {
        match self {
            Self::V3 => Mechanism::VendorDefined(VendorDefinedMechanism::new::<()>(self.id(), None)),
            Self::V2 => Mechanism::AesKeyWrapPad,
        }
    }

    /// The id a new root key is made for.
    ///
    /// # Errors
    /// [`TokenError::Refused`] if the module wraps and unwraps under neither.
    pub(crate) fn offered_by(context: &Pkcs11, slot: Slot) -> Result<Self, Fault> {
        for kwp in Self::ALL {
            match context.get_mechanism_info(slot, kwp.id()).map_err(Fault::from) {
                Ok(info) if info.wrap() && info.unwrap() => return Ok(kwp),
                Ok(_) => {}
                Err(fault) if fault.class() == Class::Refused => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(TokenError::Refused(String::from("the module has no AES key wrap with padding (RFC 5649)")).into())
    }

    /// The id an existing wrapping key accepts: it was made for one, and the module may have learnt the other since.
    ///
    /// Asks by wrapping a throwaway key, because `CKA_ALLOWED_MECHANISMS` cannot be read back through the binding.
    ///
    /// # Errors
    /// [`TokenError::Refused`] if the key wraps under neither.
    pub(crate) fn accepted_by(session: &Session, key: ObjectHandle) -> Result<Self, Fault> {
        let throwaway = object::generate(session, &Mechanism::AesKeyGen, &template::newborn_kek())?;
        let throwaway = Temporary::new(session, throwaway);
        for kwp in Self::ALL {
            match session.wrap_key(&kwp.mechanism(), key, throwaway.handle).map_err(Fault::from) {
                Ok(_) => return Ok(kwp),
                Err(fault) if fault.class() == Class::Refused => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(TokenError::Refused(String::from("a wrapping key wraps under no known mechanism")).into())
    }
}

/// The mechanism by which a caller's key signs.
pub(crate) fn signing(kind: KeyKind) -> Mechanism<'static> {
    match kind {
        KeyKind::HmacSha256 => Mechanism::Sha256Hmac,
        KeyKind::HmacSha512 => Mechanism::Sha512Hmac,
        KeyKind::RsaSha256 => Mechanism::Sha256RsaPkcs,
        KeyKind::Ed25519 => ed25519(),
    }
}

/// Ed25519 as in RFC 8032, "pure". Without a parameter, because kryoptic refuses one.
pub(crate) fn ed25519() -> Mechanism<'static> {
    Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure))
}
