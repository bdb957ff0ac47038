//! Which token: by label or by serial number, never by slot number, which changes from start to start.

use std::fmt;

use cryptoki::context::Pkcs11;
use cryptoki::slot::Slot;

use crate::error::{Fault, LOG};
use crate::module::OpenError;

/// Names one token of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotSelector {
    /// The token with this label (`CKA_LABEL` of the token, at most 32 bytes).
    Label(String),
    /// The token with this serial number.
    Serial(String),
}

impl fmt::Display for SlotSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "with label {label:?}"),
            Self::Serial(serial) => write!(f, "with serial number {serial:?}"),
        }
    }
}

/// What a token says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The token's label.
    pub label: String,
    /// The token's serial number.
    pub serial: String,
    /// Manufacturer and model.
    pub model: String,
}

/// Finds the one token that `selector` names.
///
/// A slot that cannot describe its token is skipped: another vendor's broken slot must not hide ours.
pub(crate) fn find(context: &Pkcs11, selector: &SlotSelector) -> Result<(Slot, Device), OpenError> {
    let mut found = Vec::new();
    for slot in context.get_slots_with_token().map_err(Fault::from)? {
        let token = match context.get_token_info(slot) {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(target: LOG, slot = slot.id(), "a slot does not describe its token: {error}");
                continue;
            }
        };
        let named = match selector {
            SlotSelector::Label(label) => token.label() == label,
            SlotSelector::Serial(serial) => token.serial_number() == serial,
        };
        if named && token.token_initialized() {
            let device = Device {
                label: token.label().to_owned(),
                serial: token.serial_number().to_owned(),
                model: format!("{} {}", token.manufacturer_id(), token.model()),
            };
            found.push((slot, device));
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(OpenError::NoToken(selector.clone())),
        (Some(_), false) => Err(OpenError::ManyTokens(selector.clone())),
    }
}
