//! What the tour shows: a tenant's credentials, and an incident.

use anyhow::Result;
use claviger_e2e::{House, Key};
use serde_json::json;

/// Labels and owners of the credentials.
const CREDENTIALS: &[(&str, &str)] = &[
    ("spot-main", "desk-1"),
    ("spot-hedge", "desk-1"),
    ("perp-main", "desk-2"),
    ("perp-hedge", "desk-2"),
    ("arb-1", "desk-3"),
    ("arb-2", "desk-3"),
    ("treasury", "desk-4"),
    ("maker", "desk-5"),
];

/// Sets the stage, and returns the incident's id.
pub(super) async fn set() -> Result<(House, String)> {
    let house = House::open().await?;
    for (label, owner) in CREDENTIALS {
        let key = if label.starts_with("perp") { Key::binance_usdm() } else { Key::binance() };
        let key = house.sim.knows(key.map(|key| key.labelled(label).owned_by(owner))).await?;
        house.app.enrolled(&key).await?;
    }
    let incident = json!({
        "severity": "high", "title": "Keys of a desk in a build log",
        "scope": { "kind": "owner", "tenant": "default", "id": "desk-3" },
    });
    let opened = house.operator.post("/api/v1/incidents", &incident).await?.ok()?;
    Ok((house, opened.text_at("/id")?))
}
