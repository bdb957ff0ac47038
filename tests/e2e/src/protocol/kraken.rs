//! Kraken spot.

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::HMAC_SHA512;
use data_encoding::BASE64;

use crate::message::Message;
use crate::virtual_key::{VirtualKey, mac};

/// Source: `docs.kraken.com`, *Spot REST authentication*.
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    message.body = match message.body.strip_prefix('{') {
        Some("}") => format!("{{\"nonce\":\"{at_ms}\"}}"),
        Some(rest) => format!("{{\"nonce\":\"{at_ms}\",{rest}"),
        None if message.body.is_empty() => format!("nonce={at_ms}"),
        None => format!("nonce={at_ms}&{}", message.body),
    };
    let inner = digest(&SHA256, format!("{at_ms}{}", message.body).as_bytes());
    let text = [message.path.as_bytes(), inner.as_ref()].concat();
    message.set("API-Key", &key.key_id);
    message.set("API-Sign", &BASE64.encode(&mac(HMAC_SHA512, &key.decoded_secret()?, &text)));
    Ok(())
}
