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
            if kept.is_none() || list.get("data").and_then(Value::as_array).is_none_or(Vec::is_empty) {
                return Err(Failure::new(4, format!("there is no venue {id}; `claviger venue` lists them")));
            }
        }
        here.print(&list, |list| {
            let venues = list.get("data").and_then(Value::as_array).into_iter().flatten();
            venues.map(shown).collect::<Vec<_>>().join("\n")
        });
        Ok(())
    }
}

fn shown(venue: &Value) -> String {
    let of = |name: &str| venue.get(name).unwrap_or(&Value::Null);
    let enabled = if of("enabled") == true { "enabled" } else { "not enabled" };
    let mut lines = vec![format!("{} ({enabled})", field(venue, "id"))];
    lines.extend(texts(of("guide")).enumerate().map(|(at, step)| format!("  {}. {step}", at.saturating_add(1))));
    lines.extend(listed("addresses to bind the key to", of("addresses")));
    for kind in of("kinds").as_array().into_iter().flatten() {
        lines.extend(listed(&format!("kind {}", field(kind, "kind")), kind.get("parts").unwrap_or(&Value::Null)));
    }
    lines.extend(listed("types of private key", of("key_types")));
    lines.push(format!("  {}\n", field(venue, "manage_url")));
    lines.join("\n")
}

/// A line, unless there is nothing in the list.
fn listed(what: &str, list: &Value) -> Option<String> {
    let texts: Vec<_> = texts(list).collect();
    (!texts.is_empty()).then(|| format!("  {what}: {}", texts.join(", ")))
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str)
}
