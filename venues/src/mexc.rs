//! MEXC: spot and futures, which share keys and the permission probe.
//!
//! Sources: `mexc.com/api-docs/spot-v3` and `mexc.com/api-docs/futures` (2026-11-21).

mod contract;
mod permissions;
mod spot;

pub(crate) use contract::Contract;
pub use contract::string_to_sign as contract_string_to_sign;
pub(crate) use spot::Spot;
pub use spot::string_to_sign;

use data_encoding::HEXLOWER;

use crate::{
    inbound::{Alphabet, InboundError, Shape, VirtualForm, VirtualSecret},
    secret::{SecretKind, SecretRule, TEXT},
};

const HOST: &str = "https://api.mexc.com";
const MANAGE_URL: &str = "https://www.mexc.com/user/openapi";
const SECRETS: &[SecretRule] = &[SecretRule { kind: SecretKind::Hmac, parts: TEXT }];

/// Key ids begin with `mx0v` and have 18 letters and digits, secrets have 32.
const VIRTUAL_FORM: VirtualForm = VirtualForm {
    key_id: Shape { prefix: "mx0vclv", alphabet: Alphabet::Alphanumeric, chars: 18 },
    secret: VirtualSecret::Text(32),
    passphrase: false,
};

/// The form of client order ids that both markets take: 32 characters at most.
fn client_order_id(digest: &[u8; 16]) -> String {
    HEXLOWER.encode(digest)
}

/// Reads a signature, which MEXC takes in lower case only.
fn signature(text: &str) -> Result<Vec<u8>, InboundError> {
    HEXLOWER.decode(text.as_bytes()).map_err(|_| InboundError::Malformed("the signature is malformed"))
}
