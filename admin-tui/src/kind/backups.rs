//! Backups, as they lie in their folder.

use claviger_core::view::BackupView;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, column, detail, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "backups",
    aliases: &["backup", "bak"],
    one: "backup",
    what: "the backups that are kept, newest first, and what the last look at each found",
    empty: "no backup is kept: B makes one",
    facts: &[
        column("file", 36, 0, 60),
        column("age", 4, 0, 60),
        column("verdict", 13, 20, 60),
        column("entries", 9, 4, 80),
        column("size", 9, 0, 80),
        detail("taken"),
        detail("checked"),
        detail("sha256"),
    ],
    acts: &[BACK_UP],
    events: &["backup"],
    path: |target| target.api("backups"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

/// Makes a backup.
pub(super) const BACK_UP: Act = Act {
    deed: Deed::BackUp,
    key: Char('B'),
    verb: "make a backup",
    done: "backup made",
    what: "makes a backup at once",
    danger: Danger::D1,
    on_list: true,
    before: Before::Nothing,
    reason: Reason::None,
    said: |_| vec!["The store is written to the backup folder, for the recipients that are configured.".to_owned()],
    method: Method::Post,
    path: |target| target.api("backups"),
    ..Act::PLAIN
};

fn item(view: &BackupView) -> Option<Item> {
    let (glyph, tone) = match view.verdict.as_str() {
        "as written" => (Glyph::On, Tone::Good),
        "not checked" => (Glyph::Waiting, Tone::Caution),
        _ => (Glyph::Alert, Tone::Bad),
    };
    Some(Item::new(&view.name, &view.name, "")?.with([
        Cell::plain(&view.name),
        Cell::ago(&view.at),
        Cell::word(glyph, &view.verdict, tone),
        Cell::Number(view.entries),
        Cell::plain(size(view.bytes)),
        Cell::plain(&view.at),
        view.checked_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::plain(&view.sha256),
    ]))
}

/// A length in the largest unit of which it has one.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..MIB => format!("{} KiB", bytes / KIB),
        MIB..GIB => format!("{} MiB", bytes / MIB),
        _ => format!("{} GiB", bytes / GIB),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_stands_out() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/backups");
        let backup = |verdict: &str| {
            json!({"name": "claviger-2026-11-22T080000.000Z.age", "at": "2026-11-22T08:00:00.000Z", "age_seconds": 60,
                "entries": 812, "bytes": 3_500_000, "sha256": "ab", "verdict": verdict})
        };
        let all = json!({"data": [backup("as written"), backup("not checked"), backup("the file is shorter")]});
        let items = read(&SHAPE, &all).items;
        for (item, tone) in items.iter().zip(["Good", "Caution", "Bad"]) {
            assert!(fact(&SHAPE, item, "verdict").contains(tone), "{item:?}");
        }
        assert!(fact(&SHAPE, &items[0], "size").contains("3 MiB"));
        assert_eq!(sent(&SHAPE, Deed::BackUp, &[], ""), "Post /api/v1/backups");
    }

    #[test]
    fn sizes_are_round() {
        assert_eq!([0, 1023, 1024, 5 << 20, 3 << 30].map(size), ["0 B", "1023 B", "1 KiB", "5 MiB", "3 GiB"]);
    }
}
