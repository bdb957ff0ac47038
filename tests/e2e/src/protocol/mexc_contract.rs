//! MEXC futures.

use anyhow::Result;
use aws_lc_rs::hmac::HMAC_SHA256;
use data_encoding::HEXLOWER;

use crate::message::Message;
use crate::virtual_key::{VirtualKey, mac};

/// Source: `mexc.com/api-docs/futures`, *Integration guide*.
#[expect(clippy::unnecessary_wraps, reason = "of the type of every protocol's")]
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    let payload = if message.method == "GET" { sorted(&message.query) } else { message.body.clone() };
    let text = format!("{}{at_ms}{payload}", key.key_id);
    message.set("ApiKey", &key.key_id);
    message.set("Request-Time", &at_ms.to_string());
    message.set("Signature", &HEXLOWER.encode(&mac(HMAC_SHA256, key.secret.as_bytes(), text.as_bytes())));
    Ok(())
}

fn sorted(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_by_key(|pair| pair.split('=').next());
    pairs.join("&")
}
