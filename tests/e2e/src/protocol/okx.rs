//! OKX.

use anyhow::Result;
use aws_lc_rs::hmac::HMAC_SHA256;
use data_encoding::BASE64;
use jiff::Timestamp;

use crate::message::Message;
use crate::virtual_key::{VirtualKey, mac};

/// Source: `www.okx.com/docs-v5`, *REST Authentication*.
pub(super) fn sign(key: &VirtualKey, message: &mut Message, at_ms: u64) -> Result<()> {
    let time = format!("{:.3}", Timestamp::from_millisecond(i64::try_from(at_ms)?)?);
    let text = format!("{time}{}{}{}", message.method, message.path_and_query(), message.body);
    message.set("OK-ACCESS-KEY", &key.key_id);
    message.set("OK-ACCESS-PASSPHRASE", &key.passphrase);
    message.set("OK-ACCESS-TIMESTAMP", &time);
    message.set("OK-ACCESS-SIGN", &BASE64.encode(&mac(HMAC_SHA256, key.secret.as_bytes(), text.as_bytes())));
    Ok(())
}
