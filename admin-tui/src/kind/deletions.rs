//! What was deleted, and is in backups yet.

use claviger_core::view::EpochsView;

use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "deletions",
    aliases: &["epochs"],
    one: "deletion epoch",
    what: "what was deleted and opens from backups yet, and until when",
    empty: "nothing is known of deletions",
    facts: &[
        detail("epoch"),
        detail("state"),
        detail("began"),
        detail("ends"),
        detail("deleted rows in it"),
        detail("open from no backup"),
        detail("moved last"),
        detail("being destroyed"),
    ],
    alone: true,
    events: &["rotation", "backup"],
    path: |target| target.api("deletions"),
    read: |bytes| read::alone(bytes, item),
    ..Shape::PLAIN
};

/// Backups that are never removed keep what was deleted for ever.
const NEVER: &str = "never: backups are kept for ever";

fn item(view: &EpochsView) -> Option<Item> {
    let state = match (view.late, view.state.as_str()) {
        (true, state) => Cell::word(Glyph::Alert, format!("{state}, late: see root-rotation"), Tone::Bad),
        (false, "open") => Cell::word(Glyph::On, "open", Tone::Good),
        (false, state) => Cell::word(Glyph::Going, state, Tone::Caution),
    };
    let rows = view.unerased.iter().map(|tenant| tenant.rows).fold(0_u64, u64::saturating_add);
    let roots: Vec<String> = view.destroying.iter().map(|root| format!("root/{root}")).collect();
    let item = Item::new(&view.epoch.to_string(), &format!("epoch {}", view.epoch), &view.state)?.with([
        Cell::Number(view.epoch),
        state,
        Cell::ago(&view.began_at),
        Cell::left(&view.ends_at),
        Cell::Number(rows),
        match (&view.unrecoverable_after, rows) {
            (Some(after), _) => Cell::left(after),
            (None, 0) => Cell::plain("nothing was deleted in it"),
            (None, _) => Cell::toned(NEVER, Tone::Caution),
        },
        view.moved_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        if roots.is_empty() { Cell::Nothing } else { Cell::plain(roots.join(", ")) },
    ]);
    let item = view.unerased.iter().fold(item, |item, tenant| {
        let rows = format!("{} rows, the last at {}", tenant.rows, tenant.last_at);
        item.known(&format!("of {}", tenant.tenant), Cell::plain(rows))
    });
    Some(view.waiting.iter().fold(item, |item, epoch| {
        let cell = match (&epoch.unrecoverable_after, epoch.late) {
            (_, true) if epoch.held_by.is_empty() => Cell::word(Glyph::Alert, "late", Tone::Bad),
            (_, true) => Cell::word(Glyph::Alert, format!("late: held by {}", epoch.held_by.join(", ")), Tone::Bad),
            (Some(after), false) => Cell::left(after),
            (None, false) => Cell::toned(NEVER, Tone::Caution),
        };
        item.known(&format!("epoch {}, below root/{}", epoch.epoch, epoch.roots_below), cell)
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;

    #[test]
    fn says_until_when_what_was_deleted_opens_yet() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/deletions");
        let at = "2026-11-22T08:00:00.000Z";
        let waiting = |epoch: u64, late: bool| json!({"epoch": epoch, "roots_below": 3, "unrecoverable_after": at, "late": late, "held_by": ["ten_2"]});
        let view = json!({"epoch": 5, "began_at": at, "ends_at": at, "state": "open", "late": true, "destroying": [1, 2],
            "unerased": [{"tenant": "ten_1", "rows": 4, "first_at": at, "last_at": at}],
            "waiting": [waiting(3, true), waiting(4, false)]});
        let item = read(&SHAPE, &view).items.remove(0);
        assert_eq!(fact(&SHAPE, &item, "deleted rows in it"), "Number(4)");
        assert!(fact(&SHAPE, &item, "open from no backup").contains("never"));
        assert!(fact(&SHAPE, &item, "being destroyed").contains("root/1, root/2"));
        assert_eq!(item.more.len(), 3);
        assert!(format!("{:?}", item.more[1]).contains("late: held by ten_2"));
        assert!(format!("{:?}", item.more[2]).contains("Left"));
        assert!(fact(&SHAPE, &item, "state").contains("open, late"));
    }
}
