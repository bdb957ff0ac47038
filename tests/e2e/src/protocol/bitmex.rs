//! `BitMEX`.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use aws_lc_rs::hmac::HMAC_SHA256;
use data_encoding::HEXLOWER;

use crate::message::Message;
use crate::virtual_key::{VirtualKey, mac};

/// Two requests of one second that ask the same must not be the same bytes: each ends at another second, at least so
/// many after now, and never a minute.
const AFTER_S: u64 = 32;
const SPREAD_S: u64 = 27;

/// Source: bitmex.com, *API Keys Usage*.
#[expect(clippy::unnecessary_wraps, reason = "of the type of every protocol's")]
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    static SIGNED: AtomicU64 = AtomicU64::new(0);
    let after_s = AFTER_S.saturating_add(SIGNED.fetch_add(1, Ordering::Relaxed) % SPREAD_S);
    let expires = (at_ms / 1_000).saturating_add(after_s).to_string();
    let text = format!("{}{}{expires}{}", message.method, message.path_and_query(), message.body);
    message.set("api-key", &key.key_id);
    message.set("api-expires", &expires);
    message.set("api-signature", &HEXLOWER.encode(&mac(HMAC_SHA256, key.secret.as_bytes(), text.as_bytes())));
    Ok(())
}
