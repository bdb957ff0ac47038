//! Kraken Futures.

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::HMAC_SHA512;
use data_encoding::BASE64;

use crate::message::Message;
use crate::virtual_key::{VirtualKey, mac};

/// Source: `docs.kraken.com`, *Futures REST authentication*.
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    let path = message.path.strip_prefix("/derivatives").unwrap_or(&message.path);
    let inner = digest(&SHA256, format!("{}{}{at_ms}{path}", message.query, message.body).as_bytes());
    let signature = BASE64.encode(&mac(HMAC_SHA512, &key.decoded_secret()?, inner.as_ref()));
    message.set("APIKey", &key.key_id);
    message.set("Nonce", &at_ms.to_string());
    message.set("Authent", &signature);
    Ok(())
}
