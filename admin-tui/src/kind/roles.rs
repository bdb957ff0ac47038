//! Roles.

use claviger_core::view::RoleView;

use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, column, read};

pub(super) const SHAPE: Shape = Shape {
    name: "roles",
    aliases: &["role", "rol"],
    one: "role",
    what: "what operators may do",
    empty: "there is no role",
    facts: &[
        column("name", 20, 30, 60),
        column("made", 10, 0, 60),
        column("permissions", 11, 0, 60),
        column("shows", 14, 0, 80),
    ],
    events: &["role"],
    path: |target| target.api("roles"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &RoleView) -> Option<Item> {
    let made = if view.built_in {
        Cell::word(Glyph::On, "built in", Tone::Quiet)
    } else {
        Cell::word(Glyph::Half, "by you", Tone::Plain)
    };
    // A name may begin with a dot, an id may not.
    let item = Item::new(&format!("role_{}", view.name), &view.name, "")?.with([
        Cell::plain(&view.name),
        made,
        Cell::Number(u64::try_from(view.permissions.len()).unwrap_or(u64::MAX)),
        Cell::plain(if view.flagged_only { "what is flagged" } else { "all" }),
    ]);
    Some(view.permissions.iter().fold(item, |item, permission| item.told(permission)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;
    use crate::clean::Clean;

    #[test]
    fn lists_what_a_role_allows() {
        let answer = json!({ "data": [
            { "name": "admin", "permissions": ["credential.read", "stop.resume"], "flagged_only": false, "built_in": true },
            { "name": ".night", "permissions": [], "flagged_only": true, "built_in": false },
        ] });
        let items = read(&SHAPE, &answer).items;
        assert_eq!(items[0].text.iter().map(Clean::as_str).collect::<Vec<_>>(), ["credential.read", "stop.resume"]);
        assert!(fact(&SHAPE, &items[1], "shows").contains("flagged"));
        assert_eq!(path(&SHAPE, &[]), "/api/v1/roles");
    }
}
