//! Binance, spot and USD-M, and MEXC spot, which signs alike.

use anyhow::Result;
use aws_lc_rs::hmac::HMAC_SHA256;
use data_encoding::{BASE64, HEXLOWER};

use crate::message::{Message, escaped};
use crate::virtual_key::{VirtualKey, mac};

/// Source: `rest-api.md`, *SIGNED Endpoint Security*.
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    message.set("X-MBX-APIKEY", &key.key_id);
    sign_parameters(key, message, at_ms)
}

/// Source: `mexcdevelop.github.io/apidocs/spot_v3_en`, *Signed*.
pub(super) fn sign_for_mexc(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    message.set("X-MEXC-APIKEY", &key.key_id);
    sign_parameters(key, message, at_ms)
}

fn sign_parameters(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    let timed = format!("recvWindow=60000&timestamp={at_ms}");
    let in_body = !message.body.is_empty();
    push(if in_body { &mut message.body } else { &mut message.query }, &timed);
    let text = [message.query.as_bytes(), message.body.as_bytes()].concat();
    let signature = match key.pair_signature(&text) {
        Some(signature) => escaped(&BASE64.encode(&signature?)),
        None => HEXLOWER.encode(&mac(HMAC_SHA256, key.secret.as_bytes(), &text)),
    };
    push(if in_body { &mut message.body } else { &mut message.query }, &format!("signature={signature}"));
    Ok(())
}

fn push(to: &mut String, pair: &str) {
    if !to.is_empty() {
        to.push('&');
    }
    to.push_str(pair);
}
