//! Incidents.

mod acts;
pub(super) mod parts;

use claviger_core::view::{ClockView, IncidentView};

use super::item::{Cell, Glyph, Item, Tone};
use super::{Closer, Kind, Shape, column, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "incidents",
    aliases: &["incident", "inc"],
    one: "incident",
    what: "suspected and confirmed compromises, and their clocks",
    empty: "no incident was ever opened",
    facts: &[
        column("title", 15, 25, 60),
        column("severity", 10, 0, 60),
        column("state", 11, 0, 60),
        column("due", 12, 0, 60),
        column("touches", 16, 22, 80),
        column("seen", 4, 0, 80),
        column("age", 4, 0, 110),
        column("contained", 11, 0, 110),
        column("next clock", 17, 0, 150),
        detail("id"),
        detail("tenant"),
        detail("known since"),
        detail("opened by"),
        detail("published"),
        detail("notes"),
    ],
    parts: &[Kind::Timeline, Kind::Affected, Kind::AffectedApps, Kind::Notices, Kind::Unreached],
    acts: acts::ACTS,
    events: &["incident"],
    path: |target| target.api("incidents?order=newest"),
    read: |bytes| read::page(bytes, item),
    closer: Some(Closer {
        path: |target| target.api(&format!("incidents/{}", target.id())),
        read: |bytes| read::one(bytes, item),
    }),
    ..Shape::PLAIN
};

/// Which of the facts is what an incident touches.
const TOUCHES: usize = 4;

fn item(view: &IncidentView) -> Option<Item> {
    let next = view.clocks.iter().find(|clock| clock.met_at.is_none());
    let item = Item::new(&view.id, &view.title, view.state.as_str())?.with([
        Cell::plain(&view.title),
        severity(view.severity.as_str()),
        state(view.state.as_str()),
        next.map_or(Cell::Nothing, |clock| Cell::left(&clock.due_at)),
        Cell::plain(&view.scope),
        Cell::Number(view.sightings.into()),
        Cell::ago(&view.opened_at),
        view.containment.as_deref().map_or(Cell::Nothing, super::credentials::state),
        Cell::maybe(next.map(|clock| &clock.clock)),
        Cell::plain(&view.id),
        Cell::maybe(view.tenant.as_ref()),
        Cell::ago(&view.detected_at),
        Cell::plain(&view.opened_by),
        view.published_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::Number(view.notes.into()),
    ]);
    let item = view.clocks.iter().fold(item, |item, it| item.known(&format!("clock {}", it.clock), clock(it)));
    let item = if view.summary.is_empty() { item } else { item.told(&format!("Summary: {}", view.summary)) };
    Some(match &view.review {
        None => item,
        Some(review) => item
            .told(&format!("Reviewed by {} at {}.", review.by, review.at))
            .told(&format!("Root cause: {}", review.root_cause))
            .told(&format!("Measures: {}", review.measures)),
    })
}

/// How a clock stands: what is left of it, or when it was met.
fn clock(view: &ClockView) -> Cell {
    match &view.met_at {
        Some(at) => Cell::word(Glyph::On, format!("met {at}"), Tone::Good),
        None => Cell::left(&view.due_at),
    }
}

fn severity(word: &str) -> Cell {
    let (glyph, tone) = match word {
        "critical" => (Glyph::Alert, Tone::Bad),
        "high" => (Glyph::Alert, Tone::Caution),
        "medium" => (Glyph::Half, Tone::Caution),
        "low" => (Glyph::On, Tone::Plain),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}

fn state(word: &str) -> Cell {
    let (glyph, tone) = match word {
        "open" => (Glyph::Alert, Tone::Bad),
        "contained" => (Glyph::Stopped, Tone::Caution),
        "notified" => (Glyph::Half, Tone::Caution),
        "closed" => (Glyph::Ended, Tone::Quiet),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;
    use crate::clean::Clean;

    pub(super) fn one(view: &serde_json::Value) -> Item {
        (SHAPE.closer.unwrap().read)(view.to_string().as_bytes()).unwrap().unwrap()
    }

    pub(super) fn open() -> serde_json::Value {
        json!({
            "id": "inc_1", "severity": "high", "title": "keys in a log", "summary": "", "state": "open",
            "detected_at": "2026-11-22T08:00:00.000Z", "opened_at": "2026-11-22T08:05:00.000Z",
            "opened_by": "detector burst", "tenant": "ten_1", "scope": "owner ten_1/eu_7f21", "notes": 1,
            "sightings": 3, "overdue": false, "clocks": [
                { "clock": "dora-initial", "due_at": "2026-11-22T12:00:00.000Z",
                  "met_at": "2026-11-22T09:00:00.000Z", "overdue": false },
                { "clock": "publish", "due_at": "2026-11-23T08:00:00.000Z", "overdue": false },
                { "clock": "notify", "due_at": "2026-11-25T08:00:00.000Z", "overdue": false },
            ],
        })
    }

    fn closed() -> serde_json::Value {
        let mut view = open();
        view["state"] = "closed".into();
        view["summary"] = "Some keys were logged.\nNone was used.".into();
        view["review"] = json!({ "root_cause": "a debug line", "measures": "a test", "by": "bob",
            "at": "2026-11-24T08:00:00.000Z" });
        view
    }

    #[test]
    fn the_next_clock_is_the_first_that_is_not_met() {
        let item = one(&open());
        assert_eq!(fact(&SHAPE, &item, "due"), format!("{:?}", Cell::left("2026-11-23T08:00:00.000Z")));
        assert!(fact(&SHAPE, &item, "next clock").contains("publish"));
        let clocks: Vec<&str> = item.more.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(clocks, ["clock dora-initial", "clock publish", "clock notify"]);
        assert_eq!(item.more[0].1.text(), Some("met 2026-11-22T09:00:00.000Z"));
        assert_eq!(item.more[2].1, Cell::left("2026-11-25T08:00:00.000Z"));
    }

    #[test]
    fn what_was_said_of_it_is_shown_line_by_line() {
        let lines: Vec<String> = one(&closed()).text.iter().map(|line| Clean::as_str(line).to_owned()).collect();
        assert_eq!(
            lines,
            [
                "Summary: Some keys were logged.",
                "None was used.",
                "Reviewed by bob at 2026-11-24T08:00:00.000Z.",
                "Root cause: a debug line",
                "Measures: a test",
            ]
        );
    }

    #[test]
    fn a_list_is_read_newest_first_with_its_next_page() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/incidents?order=newest");
        let page = json!({ "data": [open(), closed()], "next_cursor": "abc" });
        let page = read(&SHAPE, &page);
        assert_eq!((page.items.len(), page.next.as_deref()), (2, Some("abc")));
        assert_eq!(page.items[1].state, "closed");
    }
}
