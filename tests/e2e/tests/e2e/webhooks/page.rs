//! `docs/webhooks.md`: what it shows receivers works as it stands there.

use std::fs;
use std::path::Path;

use anyhow::Result;
use claviger_e2e::{Command, Page};
use serde_json::json;

use super::{at, made, open};

/// Calls the page's function with the message in a file, and with the same message bent.
const CALLS: &str = r#"
import json, sys
case = json.load(open(sys.argv[1]))
headers, body = case["headers"], bytes.fromhex(case["body"])
assert verified(case["secret"], headers, body) == headers["webhook-id"]
for bent in [
    (case["other"], headers, body, None),
    (case["secret"], headers, body + b" ", None),
    (case["secret"], {**headers, "webhook-id": "msg_x"}, body, None),
    (case["secret"], {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body, None),
    (case["secret"], headers, body, int(headers["webhook-timestamp"]) + 301),
]:
    try:
        verified(*bent)
    except ValueError:
        continue
    sys.exit(f"verified: {bent}")
print("all is well")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_of_webhooks_shows_verifies_a_message_and_no_other() -> Result<()> {
    let (house, receiver) = open().await?;
    let (id, first) = made(&house, &house.tenant, &receiver.url("/in")).await?;
    let path = at(&house.tenant, &format!("/{id}/rotate"));
    let second = house.operator.post(&path, &json!({})).await?.ok()?.text_at("/secret")?;
    house.operator.post(&at(&house.tenant, &format!("/{id}/test")), &json!({})).await?.ok()?;
    let came = receiver.takes("webhook.ping").await?;
    let script = house.scratch.path().join("receiver.py");
    fs::write(&script, [Page::read("../webhooks.md")?.block("python")?, CALLS].concat())?;

    for secret in [&first, &second] {
        let headers = json!({ "webhook-id": came.id, "webhook-timestamp": came.timestamp,
            "webhook-signature": came.signature });
        let other = format!("whsec_{}", data_encoding::BASE64.encode(&[7; 32]));
        let body = data_encoding::HEXLOWER.encode(&came.body);
        let told = json!({ "secret": secret, "other": other, "headers": headers, "body": body });
        let file = house.scratch.path().join("message.json");
        fs::write(&file, told.to_string())?;
        let python = Command::new(Path::new("python3")).args(["-B"]).args([&script, &file]);
        assert_eq!(python.output().await?.ok()?.stdout.trim(), "all is well");
    }
    Ok(())
}
