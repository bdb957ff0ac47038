//! The token's root keys.

use claviger_core::view::RootView;

use super::act::{Act, Before, Deed, Method, Reason, Typed};
use super::item::{Cell, Glyph, Item, Tone};
use super::keks::{PACE, REKEYED};
use super::{Kind, Shape, column, read};
use crate::event::Key::{Char, Ctrl};
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "roots",
    aliases: &["root"],
    one: "root key",
    what: "the token's root keys, and what hangs on each",
    empty: "the token has no root key",
    facts: &[column("root", 8, 0, 60), column("state", 12, 0, 60), column("keks", 8, 4, 60), column("rows", 10, 4, 60)],
    parts: &[Kind::RootRotation],
    acts: ACTS,
    events: &["rotation"],
    path: |target| target.api("roots"),
    read: |bytes| read::list(bytes, item),
    ..Shape::PLAIN
};

const ACTS: &[Act] = &[
    Act {
        deed: Deed::Rotate,
        key: Ctrl('r'),
        verb: "rotate the root key",
        done: "rotation of the root key begun",
        what: "makes a new root key in the token, and every tenant a KEK under it",
        danger: Danger::D2,
        on_list: true,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: PACE,
        method: Method::Post,
        path: |target| target.api("roots/rotate"),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Rekey,
        key: Ctrl('k'),
        verb: "rotate the root key, with fresh DEKs",
        done: "rotation of the root key with fresh DEKs begun",
        what: "makes a new root key, and seals everything anew under fresh DEKs",
        danger: Danger::D2,
        on_list: true,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: PACE,
        said: |_| vec![REKEYED.to_owned()],
        method: Method::Post,
        path: |target| target.api("roots/rotate"),
        body: &[("rekey", Typed::Flag(true))],
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Destroy,
        key: Char('D'),
        verb: "destroy",
        done: "destroyed",
        what: "destroys a root key that nothing is sealed under, with its KEKs",
        danger: Danger::D3,
        before: Before::Plan,
        reason: Reason::Asked,
        said: |_| vec!["What older backups hold under it opens never again.".to_owned()],
        pointless: |item| match item.state.as_str() {
            "newest" => Some("new KEKs are wrapped by it: rotate first"),
            "in-use" => Some("rows are sealed under it: rotate first, and wait for the end"),
            "destroying" => Some("it is being destroyed already"),
            _ => None,
        },
        method: Method::Delete,
        path: |target| target.api(&format!("roots/{}", target.id())),
        ..Act::PLAIN
    },
];

fn item(view: &RootView) -> Option<Item> {
    let (word, glyph, tone) = match view {
        RootView { destroying: true, .. } => ("destroying", Glyph::Going, Tone::Caution),
        RootView { newest: true, .. } => ("newest", Glyph::On, Tone::Good),
        RootView { rows: 0, .. } => ("empty", Glyph::Ended, Tone::Quiet),
        _ => ("in-use", Glyph::Half, Tone::Caution),
    };
    let name = format!("root/{}", view.number);
    let item = Item::new(&view.number.to_string(), &name, word)?;
    Some(item.with([
        Cell::plain(&name),
        Cell::word(glyph, word, tone),
        Cell::Number(view.keks),
        Cell::Number(view.rows),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn says_how_each_root_key_stands() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/roots");
        let root = |number: u32, rows: u64, newest: bool, destroying: bool| json!({"number": number, "keks": 2, "rows": rows, "newest": newest, "destroying": destroying});
        let all = json!([
            root(1, 0, false, true),
            root(2, 0, false, false),
            root(3, 7, false, false),
            root(4, 0, true, false)
        ]);
        let roots = read(&SHAPE, &all).items;
        let states: Vec<&str> = roots.iter().map(|item| item.state.as_str()).collect();
        assert_eq!(states, ["destroying", "empty", "in-use", "newest"]);
        let destroy = ACTS.iter().find(|act| act.deed == Deed::Destroy).unwrap();
        let refused: Vec<bool> = roots.iter().map(|item| (destroy.pointless)(item).is_some()).collect();
        assert_eq!(refused, [true, false, true, true]);
        assert_eq!(fact(&SHAPE, &roots[2], "rows"), "Number(7)");
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        let sent = |deed| sent(&SHAPE, deed, &[], "2");
        assert_eq!(sent(Deed::Rotate), "Post /api/v1/roots/rotate rows_per_second? reason?");
        assert_eq!(sent(Deed::Rekey), "Post /api/v1/roots/rotate rekey=true rows_per_second? reason?");
        assert_eq!(sent(Deed::Destroy), "Delete /api/v1/roots/2 reason? confirm?");
    }
}
