//! Tenants.

use claviger_core::view::TenantView;

use super::item::{Cell, Item};
use super::{Shape, column, read};

pub(super) const SHAPE: Shape = Shape {
    name: "tenants",
    aliases: &["tenant", "ten"],
    one: "tenant",
    what: "the tenants that you reach",
    empty: "there is no tenant",
    facts: &[column("name", 16, 30, 60), column("kek", 3, 0, 60), column("age", 4, 0, 60), column("id", 30, 0, 60)],
    events: &["tenant"],
    path: |target| target.api("tenants"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &TenantView) -> Option<Item> {
    Some(Item::new(&view.id, &view.name, "")?.with([
        Cell::plain(&view.name),
        Cell::Number(view.kek_version.into()),
        Cell::ago(&view.created_at),
        Cell::plain(&view.id),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;

    #[test]
    fn names_them_with_the_newest_version_of_their_keks() {
        let answer = json!({ "data": [{ "id": "ten_1", "name": "acme", "kek_version": 3,
            "created_at": "2026-11-22T08:00:00.000Z" }], "next_cursor": "c" });
        let page = read(&SHAPE, &answer);
        assert_eq!(fact(&SHAPE, &page.items[0], "kek"), "Number(3)");
        assert_eq!((path(&SHAPE, &[]).as_str(), page.next.as_deref()), ("/api/v1/tenants", Some("c")));
    }
}
