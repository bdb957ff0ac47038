//! Virtual keys: what clients sign with in place of a credential's real key.

use claviger_core::view::VirtualKeyView;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Item};
use super::read::short;
use super::{Shape, column, detail, read};
use crate::event::Key::Ctrl;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "virtual-keys",
    aliases: &["vk"],
    one: "virtual key",
    what: "what clients of venues' own protocols sign with in place of the real key",
    empty: "there is no virtual key here",
    facts: &[
        column("label", 16, 20, 60),
        column("venue", 14, 4, 60),
        column("app", 8, 0, 60),
        column("credential", 10, 0, 60),
        column("proof", 8, 0, 80),
        column("age", 5, 0, 80),
        detail("id"),
        detail("of app"),
        detail("signs with"),
        detail("key id"),
        detail("base path"),
    ],
    acts: &[Act {
        deed: Deed::Revoke,
        key: Ctrl('x'),
        verb: "revoke",
        done: "revoked",
        what: "revokes it for good: nothing signed with it is carried out any more",
        danger: Danger::D2,
        many: true,
        before: Before::Plan,
        reason: Reason::None,
        said: |_| vec!["The credential behind it, and other virtual keys of it, go on.".to_owned()],
        method: Method::Delete,
        path: |target| target.of_tenant(&format!("virtual-keys/{}", target.id())),
        ..Act::PLAIN
    }],
    events: &["virtual-key"],
    path: |target| target.of_credential("virtual-keys"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &VirtualKeyView) -> Option<Item> {
    let name = if view.label.is_empty() { &view.id } else { &view.label };
    Some(Item::new(&view.id, name, "")?.with([
        Cell::plain(&view.label),
        Cell::plain(&view.venue),
        Cell::plain(short(&view.app)),
        Cell::plain(short(&view.credential)),
        Cell::plain(&view.proof),
        Cell::ago(&view.created_at),
        Cell::plain(&view.id),
        Cell::plain(&view.app),
        Cell::plain(&view.credential),
        if view.key_id.is_empty() { Cell::plain("none: clients show a token") } else { Cell::plain(&view.key_id) },
        Cell::plain(&view.base_path),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn shows_whose_it_is_and_what_it_stands_for() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/virtual-keys");
        assert_eq!(path(&SHAPE, &["cred_1"]), "/api/v1/tenants/acme/virtual-keys?credential=cred_1");
        let key = json!({"id": "vkey_01a", "app": "app_01k6g0000000000000000000a1",
            "credential": "cred_01k6g0000000000000000000b2", "venue": "binance", "label": "", "key_id": "AbC",
            "proof": "hmac", "base_path": "/gateway/binance", "created_at": "2026-11-22T08:00:00.000Z"});
        let page = read(&SHAPE, &json!({"data": [key]}));
        let item = &page.items[0];
        assert_eq!(item.name.as_str(), "vkey_01a", "what has no label is called by its id");
        assert!(fact(&SHAPE, item, "app").contains("…00a1"));
        assert!(fact(&SHAPE, item, "signs with").contains("cred_01k6g0000000000000000000b2"));
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(sent(&SHAPE, Deed::Revoke, &[], "vkey_1"), "Delete /api/v1/tenants/acme/virtual-keys/vkey_1");
    }
}
