//! Decoys: what looks like a virtual key, and tells where it was taken from when somebody tries it.

use claviger_core::view::DecoyView;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, column, detail, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "decoys",
    aliases: &["decoy"],
    one: "decoy",
    what: "keys that nobody should ever use, and whether somebody did",
    empty: "this tenant has no decoy",
    facts: &[
        column("label", 22, 20, 60),
        column("venue", 14, 4, 60),
        column("state", 11, 0, 60),
        column("uses", 5, 0, 80),
        column("age", 5, 0, 80),
        detail("first used"),
        detail("last used"),
        detail("id"),
        detail("key id"),
        detail("base path"),
    ],
    acts: &[Act {
        deed: Deed::Delete,
        key: Char('D'),
        verb: "remove",
        done: "removed",
        what: "removes it: nobody hears of its use any more",
        danger: Danger::D2,
        on_list: false,
        many: false,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[],
        said: |_| {
            vec![
                "Whoever tries what was planted raises no alarm from then on.".to_owned(),
                "NOT done: what was planted is still there. It cannot be made a decoy again.".to_owned(),
            ]
        },
        pointless: |_| None,
        method: Method::Delete,
        path: |target| target.of_tenant(&format!("decoys/{}", target.id())),
        body: &[],
    }],
    path: |target| target.of_tenant("decoys"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &DecoyView) -> Option<Item> {
    let (word, glyph, tone) = match view.uses {
        0 => ("untouched", Glyph::On, Tone::Good),
        _ => ("used", Glyph::Alert, Tone::Bad),
    };
    Some(Item::new(&view.id, &view.label, word)?.with([
        Cell::plain(&view.label),
        Cell::plain(&view.venue),
        Cell::word(glyph, word, tone),
        Cell::Number(view.uses),
        Cell::ago(&view.created_at),
        view.first_used_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        view.last_used_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::plain(&view.id),
        Cell::plain(&view.key_id),
        Cell::plain(&view.base_path),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{path, read, sent};
    use super::*;

    #[test]
    fn tells_those_that_were_tried() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/decoys");
        let decoy = |uses: u64| {
            json!({"id": "decoy_1", "venue": "binance", "label": "ci server", "key_id": "k", "uses": uses,
                "base_path": "/gateway/binance", "created_at": "2026-11-22T08:00:00.000Z"})
        };
        let page = read(&SHAPE, &json!({"data": [decoy(0), decoy(2)]}));
        let states: Vec<&str> = page.items.iter().map(|item| item.state.as_str()).collect();
        assert_eq!(states, ["untouched", "used"]);
        assert_eq!(sent(&SHAPE, Deed::Delete, &[], "decoy_1"), "Delete /api/v1/tenants/acme/decoys/decoy_1");
    }
}
