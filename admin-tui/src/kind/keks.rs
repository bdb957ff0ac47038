//! The versions of a tenant's KEK.

use claviger_core::view::KekView;

use super::act::{Act, Before, Deed, Method, Question, QuestionKind, Reason, Typed};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Kind, Shape, column, detail, read};
use crate::event::Key::{Char, Ctrl};
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "keys",
    aliases: &["keks", "kek"],
    one: "version of the KEK",
    what: "the versions of this tenant's KEK, and what is sealed under each",
    empty: "this tenant has no KEK",
    facts: &[
        column("version", 7, 0, 60),
        column("state", 12, 0, 60),
        column("rows", 10, 4, 60),
        column("root", 6, 0, 60),
        column("origin", 9, 4, 60),
        detail("recovery"),
    ],
    parts: &[Kind::Rotation],
    acts: ACTS,
    events: &["rotation"],
    path: |target| target.of_tenant("keks"),
    read: |bytes| read::list(bytes, item),
    ..Shape::PLAIN
};

/// What is asked where a rotation begins.
pub(super) const PACE: &[Question] = &[Question {
    name: "rows_per_second",
    label: "rows a second at most (empty: no limit)",
    kind: QuestionKind::Number,
}];

/// What a rotation says of itself that seals every payload anew.
pub(super) const REKEYED: &str = "Every payload is opened and sealed anew under a fresh DEK, too; that takes longer.";

const ACTS: &[Act] = &[
    Act {
        deed: Deed::Rotate,
        key: Ctrl('r'),
        verb: "rotate the KEK",
        done: "rotation of the KEK begun",
        what: "makes a new version, and rewraps everything under it while it is used",
        danger: Danger::D2,
        on_list: true,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: PACE,
        method: Method::Post,
        path: |target| target.of_tenant("keks/rotate"),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Rekey,
        key: Ctrl('k'),
        verb: "rotate the KEK, with fresh DEKs",
        done: "rotation of the KEK with fresh DEKs begun",
        what: "makes a new version, and seals everything anew under fresh DEKs",
        danger: Danger::D2,
        on_list: true,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: PACE,
        said: |_| vec![REKEYED.to_owned()],
        method: Method::Post,
        path: |target| target.of_tenant("keks/rotate"),
        body: &[("rekey", Typed::Flag(true))],
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Withdraw,
        key: Ctrl('w'),
        verb: "take the tenant's own KEK away",
        done: "taken away",
        what: "takes the KEK away that the tenant brought: nothing of the tenant is signed until it is back",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::Asked,
        said: |_| {
            vec![
                "Nothing of this tenant is signed from then on.".to_owned(),
                "Only the tenant can end that: it brings the same KEK again (claviger kek import).".to_owned(),
            ]
        },
        pointless: |item| match (item.state.as_str(), item.cells.get(ORIGIN).and_then(Cell::text)) {
            ("withdrawn", _) => Some("it is taken away already: nothing is signed until the tenant brings it again"),
            (_, Some("imported")) => None,
            _ => Some("it was made in the token: only a KEK that the tenant brought can be taken away"),
        },
        method: Method::Post,
        path: |target| target.of_tenant("keks/withdraw"),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Destroy,
        key: Char('D'),
        verb: "destroy",
        done: "destroyed",
        what: "destroys a version that nothing is sealed under",
        danger: Danger::D3,
        before: Before::Plan,
        reason: Reason::Asked,
        said: |_| vec!["What older backups hold under it opens never again.".to_owned()],
        pointless: |item| match item.state.as_str() {
            "newest" => Some("new rows are sealed under it: rotate first"),
            "in-use" => Some("rows are sealed under it: rotate first, and wait for the end"),
            _ => None,
        },
        method: Method::Delete,
        path: |target| target.of_tenant(&format!("keks/{}", target.id())),
        ..Act::PLAIN
    },
];

/// Which of the facts is the origin.
const ORIGIN: usize = 4;

fn item(view: &KekView) -> Option<Item> {
    let (word, glyph, tone) = match view {
        KekView { withdrawn: true, .. } => ("withdrawn", Glyph::Stopped, Tone::Bad),
        KekView { newest: true, .. } => ("newest", Glyph::On, Tone::Good),
        KekView { rows: 0, .. } => ("empty", Glyph::Ended, Tone::Quiet),
        _ => ("in-use", Glyph::Half, Tone::Caution),
    };
    let item = Item::new(&view.version.to_string(), &format!("version {}", view.version), word)?;
    Some(item.with([
        Cell::Number(view.version.into()),
        Cell::word(glyph, word, tone),
        Cell::Number(view.rows),
        Cell::plain(format!("root/{}", view.root)),
        Cell::plain(&view.origin),
        if view.wraps_left { Cell::toned("wraps of it are still being removed", Tone::Caution) } else { Cell::Nothing },
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    fn versions() -> Vec<Item> {
        let version = |version: u32, rows: u64, newest: bool, origin: &str, withdrawn: bool| {
            json!({"version": version, "root": 1, "rows": rows, "newest": newest, "origin": origin,
                "withdrawn": withdrawn, "wraps_left": withdrawn})
        };
        let all = json!([
            version(1, 0, false, "generated", false),
            version(2, 9, false, "imported", true),
            version(3, 4, false, "imported", false),
            version(4, 0, true, "imported", false)
        ]);
        read(&SHAPE, &all).items
    }

    #[test]
    fn says_how_each_version_stands() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/keks");
        let versions = versions();
        let states: Vec<&str> = versions.iter().map(|item| item.state.as_str()).collect();
        assert_eq!(states, ["empty", "withdrawn", "in-use", "newest"]);
        assert_eq!(fact(&SHAPE, &versions[1], "rows"), "Number(9)");
        assert!(fact(&SHAPE, &versions[1], "root").contains("root/1"));
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        let sent = |deed| sent(&SHAPE, deed, &[], "3");
        assert_eq!(sent(Deed::Rotate), "Post /api/v1/tenants/acme/keks/rotate rows_per_second? reason?");
        assert_eq!(sent(Deed::Rekey), "Post /api/v1/tenants/acme/keks/rotate rekey=true rows_per_second? reason?");
        assert_eq!(sent(Deed::Withdraw), "Post /api/v1/tenants/acme/keks/withdraw reason?");
        assert_eq!(sent(Deed::Destroy), "Delete /api/v1/tenants/acme/keks/3 reason? confirm?");
    }

    #[test]
    fn what_holds_rows_is_not_destroyed_and_what_the_token_made_is_not_taken_away() {
        let pointless = |deed: Deed, item: &Item| {
            let act = ACTS.iter().find(|act| act.deed == deed).unwrap();
            (act.pointless)(item).is_some()
        };
        let versions = versions();
        let destroys: Vec<bool> = versions.iter().map(|item| pointless(Deed::Destroy, item)).collect();
        assert_eq!(destroys, [false, false, true, true]);
        let withdraws: Vec<bool> = versions.iter().map(|item| pointless(Deed::Withdraw, item)).collect();
        assert_eq!(withdraws, [true, true, false, false]);
    }
}
