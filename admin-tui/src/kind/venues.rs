//! Venues, and what each asks of an owner.

use claviger_core::view::VenueGuideView;

use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, column, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "venues",
    aliases: &["venue"],
    one: "venue",
    what: "the venues that Claviger knows, and how their owners make a key for it",
    empty: "no venue is known",
    facts: &[
        column("venue", 18, 0, 60),
        column("state", 12, 0, 60),
        column("kinds of secret", 22, 20, 60),
        column("key pairs", 14, 6, 80),
        column("shows powers", 12, 0, 110),
        detail("keys are edited at"),
        detail("addresses"),
    ],
    path: |target| target.api("venues"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &VenueGuideView) -> Option<Item> {
    let (word, glyph, tone) =
        if view.enabled { ("enabled", Glyph::On, Tone::Good) } else { ("disabled", Glyph::Stopped, Tone::Quiet) };
    let kinds: Vec<&str> = view.kinds.iter().map(|kind| kind.kind.as_str()).collect();
    let steps: Vec<String> = view.guide.iter().zip(1..).map(|(step, number)| format!("{number}. {step}")).collect();
    let item = Item::new(&view.id, &view.id, word)?.told(&steps.join("\n")).with([
        Cell::plain(&view.id),
        Cell::word(glyph, word, tone),
        Cell::plain(kinds.join(", ")),
        Cell::plain(if view.key_types.is_empty() { "none".to_owned() } else { view.key_types.join(", ") }),
        Cell::plain(if view.shows_permissions { "yes" } else { "no" }),
        Cell::plain(&view.manage_url),
        Cell::plain(if view.addresses.is_empty() { "none configured".to_owned() } else { view.addresses.join(", ") }),
    ]);
    Some(
        view.kinds.iter().fold(item, |item, kind| {
            item.known(&format!("parts of {}", kind.kind), Cell::plain(kind.parts.join(", ")))
        }),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;
    use crate::clean::Clean;

    #[test]
    fn shows_how_a_key_is_made() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/venues");
        let venue = json!({"id": "binance", "enabled": true, "guide": ["Open the page.", "Tick trading."],
            "manage_url": "https://example.org", "kinds": [{"kind": "hmac", "parts": ["secret"]}],
            "key_types": ["ed25519"], "shows_permissions": true, "addresses": []});
        let item = read(&SHAPE, &json!({"data": [venue]})).items.remove(0);
        assert_eq!(item.text.iter().map(Clean::as_str).collect::<Vec<_>>(), ["1. Open the page.", "2. Tick trading."]);
        assert!(fact(&SHAPE, &item, "kinds of secret").contains("hmac"));
        assert!(fact(&SHAPE, &item, "addresses").contains("none configured"));
    }
}
