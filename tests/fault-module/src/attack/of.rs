//! Which keys a call is about: attacks on them have names of their own.
#![expect(unsafe_code, reason = "asks the target for attributes")]

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_OBJECT_HANDLE, CK_SESSION_HANDLE, CK_ULONG, CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL,
    CKK_GENERIC_SECRET, CKO_PRIVATE_KEY, CKR_OK,
};

use super::number;
use crate::forward::target_call;
use crate::rules;

/// The four families of attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Root,
    Import,
    Resident,
    Private,
}

impl Of {
    /// By the label of a key that unwraps.
    pub(super) fn unwrapping_key(session: CK_SESSION_HANDLE, key: CK_OBJECT_HANDLE) -> Self {
        let mut label = [0_u8; 32];
        let len = CK_ULONG::try_from(label.len()).unwrap_or(0);
        let mut query = CK_ATTRIBUTE { type_: CKA_LABEL, pValue: label.as_mut_ptr().cast(), ulValueLen: len };
        let labelled = target_call!(C_GetAttributeValue(session, key, &raw mut query, 1)) == CKR_OK;
        let families = [(&b"kek-res/"[..], Self::Resident), (b"kek-priv-", Self::Private), (b"import-", Self::Import)];
        let family = families.into_iter().find(|(prefix, _)| labelled && label.starts_with(prefix));
        family.map_or(Self::Root, |(_, of)| of)
    }

    /// By the type of a key that was unwrapped.
    pub(super) fn key(session: CK_SESSION_HANDLE, key: CK_OBJECT_HANDLE) -> Self {
        if number(session, key, CKA_CLASS) == Some(CKO_PRIVATE_KEY) {
            Self::Private
        } else if number(session, key, CKA_KEY_TYPE) == Some(CKK_GENERIC_SECRET) {
            Self::Resident
        } else {
            Self::Root
        }
    }

    /// Whether the attack with this suffix is to succeed.
    pub(super) fn attacked(self, what: &str) -> bool {
        let family = match self {
            Self::Root => "unwrap",
            Self::Import => "import",
            Self::Resident => "resident",
            Self::Private => "private",
        };
        rules::attack(&format!("{family}-{what}"))
    }

    pub(super) fn read_value(self) -> &'static str {
        match self {
            Self::Root | Self::Import => "read-value",
            Self::Resident => "resident-read-value",
            Self::Private => "private-read-value",
        }
    }

    pub(super) fn decrypt(self) -> &'static str {
        match self {
            Self::Root => "decrypt-wrapped-blob",
            Self::Import => "import-decrypt",
            Self::Resident => "resident-decrypt",
            Self::Private => "private-decrypt",
        }
    }

    pub(super) fn wrap(self) -> &'static str {
        match self {
            Self::Root | Self::Import => "wrap-then-decrypt",
            Self::Resident => "resident-wrap-out",
            Self::Private => "private-wrap-out",
        }
    }
}
