//! Bybit v5.

use anyhow::Result;
use aws_lc_rs::hmac::HMAC_SHA256;
use data_encoding::{BASE64, HEXLOWER};

use crate::message::Message;
use crate::virtual_key::{VirtualKey, mac};

const WINDOW_MS: &str = "20000";

/// Source: `bybit-exchange.github.io/docs/v5/guide`, *Authentication*.
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    let payload = if message.method == "GET" { &message.query } else { &message.body };
    let text = format!("{at_ms}{}{WINDOW_MS}{payload}", key.key_id).into_bytes();
    let signature = match key.pair_signature(&text) {
        Some(signature) => BASE64.encode(&signature?),
        None => HEXLOWER.encode(&mac(HMAC_SHA256, key.secret.as_bytes(), &text)),
    };
    message.set("X-BAPI-API-KEY", &key.key_id);
    message.set("X-BAPI-TIMESTAMP", &at_ms.to_string());
    message.set("X-BAPI-RECV-WINDOW", WINDOW_MS);
    message.set("X-BAPI-SIGN", &signature);
    Ok(())
}
