//! `claviger venue`: what each venue asks of an owner.

use clap::Args;
use serde_json::Value;

use super::Failure;
use super::client::{Call, Here, field};

/// What a venue asks of an owner: which boxes to tick, which addresses to bind the key to, what to enter here.
#[derive(Debug, Args)]
pub(super) struct Venue {
    /// The venue; all of them without it.
    id: Option<String>,
}

impl Venue {
    pub(super) fn run(&self, here: &Here) -> Result<(), Failure> {
        let mut list = here.send(Call::get("/api/v1/venues"), None)?.json();
        if let Some(id) = &self.id {
            let venues = list.get_mut("data").and_then(Value::as_array_mut);
            let kept = venues.map(|venues| venues.retain(|venue| field(venue, "id") == id));
            if kept.is_none() || list["data"].as_array().is_none_or(Vec::is_empty) {
                return Err(Failure::new(4, format!("there is no venue {id}; `claviger venue` lists them")));
            }
        }
        here.print(&list, |list| {
            let venues = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
            venues.iter().map(shown).collect::<Vec<_>>().join("\n")
        });
        Ok(())
    }
}

fn shown(venue: &Value) -> String {
    let enabled = if venue["enabled"] == true { "enabled" } else { "not enabled" };
    let mut text = format!("{} ({enabled})\n", field(venue, "id"));
    for (at, step) in texts(&venue["guide"]).enumerate() {
        text.push_str(&format!("  {}. {step}\n", at.saturating_add(1)));
    }
    let addresses: Vec<_> = texts(&venue["addresses"]).collect();
    if !addresses.is_empty() {
        text.push_str(&format!("  addresses to bind the key to: {}\n", addresses.join(", ")));
    }
    for kind in venue["kinds"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let parts: Vec<_> = texts(&kind["parts"]).collect();
        text.push_str(&format!("  kind {}: {}\n", field(kind, "kind"), parts.join(", ")));
    }
    let types: Vec<_> = texts(&venue["key_types"]).collect();
    if !types.is_empty() {
        text.push_str(&format!("  types of private key: {}\n", types.join(", ")));
    }
    text.push_str(&format!("  {}\n", field(venue, "manage_url")));
    text
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str)
}
