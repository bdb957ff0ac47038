//! Which rows hold sealed bytes, and which version of a tenant's KEK these are under.

use std::borrow::Cow;

use super::{Key, Row, VenueToken};
use crate::credential::{Contact, Contacts};
use crate::envelope::{Envelope, parted};
use crate::id::{CredentialId, TenantId};
use crate::identity::{Factors, Operator};
use crate::recovery::{WrapId, wrap_id};
use crate::virtual_key::{Proof, VirtualKey};
use crate::webhook::Webhook;

/// Every place of a row that holds sealed bytes, to be read or, with `mut`, to be written.
macro_rules! sealed_in {
    ($row:expr, $iter:ident $(, $mut:ident)?) => {{
        if let Self::Sealed(sealed)
        | Self::Token(VenueToken { sealed, .. })
        | Self::Contact(Contact { sealed, .. })
        | Self::VirtualKey(VirtualKey { proof: Proof::Hmac(sealed), .. }) = $row
        {
            vec![sealed]
        } else if let Self::Webhook(webhook) = $row {
            let Webhook { previous, sealed, .. } = &$($mut)? **webhook;
            previous.$iter().map(|previous| &$($mut)? previous.sealed).chain([sealed]).collect()
        } else if let Self::Contacts(Contacts { now, former }) = $row {
            let former = former.$iter().map(|former| &$($mut)? former.sealed);
            now.$iter().map(|now| &$($mut)? now.sealed).chain(former).collect()
        } else if let Self::Operator(Operator { factors: Factors { totp, totp_pending, .. }, .. }) = $row {
            totp.$iter().map(|totp| &$($mut)? totp.sealed).chain(totp_pending).collect()
        } else {
            Vec::new()
        }
    }};
}

impl Key {
    /// What a row with sealed bytes belongs to: its kind, and its id.
    pub(crate) fn resource(&self) -> (&'static str, String) {
        if let Self::Sealed(id) | Self::Token(id) | Self::Contact(id) = self {
            ("credential", id.to_string())
        } else if let Self::VirtualKey(_, id) = self {
            ("virtual-key", id.to_string())
        } else if let Self::Webhook(_, id) = self {
            ("webhook", id.to_string())
        } else if let Self::Operator(id) = self {
            ("operator", id.to_string())
        } else {
            ("row", format!("{self:?}"))
        }
    }

    /// Where a credential's rows with sealed bytes are.
    pub(crate) fn sealed_of(id: CredentialId) -> [Self; 3] {
        [Self::Sealed(id), Self::Token(id), Self::Contact(id)]
    }
}

impl Row {
    /// The sealed bytes in it, each an envelope's stored form.
    pub fn sealed(&self) -> Vec<&Vec<u8>> {
        sealed_in!(self, iter)
    }

    /// Sealed bytes in it that are under this version of the tenant's KEK.
    pub(crate) fn sealed_under(&self, tenant: TenantId, version: u32) -> Option<Vec<u8>> {
        let is_under = |sealed: &&Vec<u8>| {
            let envelope = Envelope::from_bytes(sealed);
            envelope.is_ok_and(|found| (found.binding.tenant, found.kek_version) == (tenant, version))
        };
        self.sealed().into_iter().find(is_under).cloned()
    }

    /// Whose secret is given up when `after` takes this row's place, or nothing does. A venue's token is none: another
    /// replaces it all the time, and none lives long.
    pub(crate) fn given_up_for(&self, after: Option<&Self>) -> Vec<TenantId> {
        if let Self::Token(_) = self {
            return Vec::new();
        }
        let bindings = |row: &Self| -> Vec<_> {
            let sealed = row.sealed().into_iter();
            sealed.filter_map(|sealed| Envelope::from_bytes(sealed).ok()).map(|envelope| envelope.binding).collect()
        };
        // All addresses of an owner's are bound alike: of two, one can go.
        let mut stays = after.map(bindings).unwrap_or_default();
        let mut gone = bindings(self);
        gone.retain(|gone| match stays.iter().position(|stays| stays == gone) {
            Some(at) => {
                stays.swap_remove(at);
                false
            }
            None => true,
        });
        gone.into_iter().map(|gone| gone.tenant).collect()
    }

    /// The same places, to be sealed anew.
    pub(crate) fn sealed_mut(&mut self) -> Vec<&mut Vec<u8>> {
        sealed_in!(self, iter_mut, mut)
    }

    /// The versions of tenants' KEKs that they are under, as they say themselves. Bytes that are no envelope are under
    /// none, and open under none.
    pub(crate) fn keks(&self) -> Vec<(TenantId, u32)> {
        self.envelopes().map(|envelope| (envelope.binding.tenant, envelope.kek_version)).collect()
    }

    /// Whether recovery wraps come with what is sealed in it.
    pub(crate) fn carries_wraps(&self) -> bool {
        self.sealed().iter().any(|sealed| parted(sealed).0.is_some())
    }

    /// The row as it is stored, and the recovery wraps that came with what is sealed in it.
    pub(crate) fn parted(&self) -> (Cow<'_, Self>, Vec<(WrapId, Vec<u8>)>) {
        if !self.carries_wraps() {
            return (Cow::Borrowed(self), Vec::new());
        }
        let (mut row, mut wraps) = (self.clone(), Vec::new());
        for sealed in row.sealed_mut() {
            let (wrap, alone) = parted(sealed);
            let id = Envelope::from_bytes(alone).ok().and_then(|envelope| wrap_id(&envelope));
            wraps.extend(id.zip(wrap.map(<[u8]>::to_vec)));
            *sealed = alone.to_vec();
        }
        (Cow::Owned(row), wraps)
    }

    /// Which wraps open what is sealed in it.
    pub(crate) fn wrap_ids(&self) -> Vec<WrapId> {
        self.envelopes().filter_map(|envelope| wrap_id(&envelope)).collect()
    }

    /// The same, of what is under a version of a tenant's KEK.
    pub(crate) fn wrap_ids_under(&self, tenant: TenantId, version: u32) -> Vec<WrapId> {
        let is_under = |found: &Envelope| (found.binding.tenant, found.kek_version) == (tenant, version);
        self.envelopes().filter(is_under).filter_map(|envelope| wrap_id(&envelope)).collect()
    }

    fn envelopes(&self) -> impl Iterator<Item = Envelope> {
        self.sealed().into_iter().filter_map(|sealed| Envelope::from_bytes(sealed).ok())
    }
}
