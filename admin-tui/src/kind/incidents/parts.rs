//! What an incident consists of: its timeline, what it touches, and what owners were told.

use claviger_core::incident::NoteKind;
use claviger_core::view::{AffectedView, IncidentView, NoteView, NoticeState, NoticeView, UnreachedView};
use serde::de::Error as _;

use super::super::item::{Cell, Glyph, Item, Tone};
use super::super::read::{self, Page};
use super::super::{Shape, Target, column, detail};

pub(in super::super) const TIMELINE: Shape = Shape {
    name: "timeline",
    one: "note",
    what: "what was known and done, and when",
    empty: "nothing was noted",
    facts: &[
        column("no.", 4, 0, 60),
        column("kind", 7, 0, 60),
        column("by", 10, 6, 60),
        column("age", 4, 0, 60),
        column("text", 26, 80, 60),
    ],
    path: |target| of_incident(target, "/timeline"),
    read: |bytes| read::page(bytes, note),
    ..PART
};

pub(in super::super) const AFFECTED: Shape = Shape {
    name: "affected",
    one: "affected credential",
    what: "the credentials that it touches",
    empty: "it touches no credential",
    facts: &[
        column("label", 13, 20, 60),
        column("owner", 14, 12, 60),
        column("venue", 14, 0, 60),
        column("state", 13, 0, 80),
        column("id", 31, 0, 110),
        detail("tenant"),
    ],
    events: &["incident", "credential"],
    path: |target| of_incident(target, "/affected"),
    read: |bytes| read::page(bytes, affected),
    ..PART
};

pub(in super::super) const AFFECTED_APPS: Shape = Shape {
    name: "affected-apps",
    one: "affected app",
    what: "the apps that may use what it touches",
    empty: "no app may use what it touches",
    facts: &[column("name", 20, 40, 60), column("id", 30, 0, 60), detail("tenant")],
    path: |target| of_incident(target, "/affected/apps"),
    read: |bytes| read::page(bytes, affected),
    ..PART
};

pub(in super::super) const NOTICES: Shape = Shape {
    name: "notices",
    one: "notice",
    what: "what owners were told of it, and how many it reached",
    empty: "no owner was told of it",
    facts: &[
        column("notice", 19, 0, 60),
        column("state", 11, 0, 60),
        column("age", 4, 0, 80),
        column("sent", 6, 0, 60),
        column("waiting", 7, 0, 60),
        column("failed", 6, 0, 60),
        column("no address", 10, 0, 80),
        detail("id"),
    ],
    path: |target| of_incident(target, ""),
    read: notices,
    ..PART
};

pub(in super::super) const UNREACHED: Shape = Shape {
    name: "unreached",
    one: "key",
    what: "keys whose owners could not be told, and why",
    empty: "every owner who was to be told was told",
    facts: &[
        column("credential", 31, 0, 60),
        column("why", 24, 60, 60),
        column("notice", 19, 0, 80),
        detail("id of the notice"),
    ],
    path: |target| of_incident(target, "/unreached"),
    read: |bytes| read::page(bytes, unreached),
    ..PART
};

/// What all of them are like.
const PART: Shape = Shape { hangs_on_another: true, events: &["incident"], ..Shape::PLAIN };

fn of_incident(target: &Target<'_>, part: &str) -> String {
    target.api(&format!("incidents/{}{part}", target.on_the_way(0)))
}

fn note(view: &NoteView) -> Option<Item> {
    let (word, kind) = match view.kind {
        NoteKind::Known => ("known", Cell::word(Glyph::Alert, "known", Tone::Caution)),
        NoteKind::Done => ("done", Cell::word(Glyph::On, "done", Tone::Good)),
    };
    let item = Item::new(&view.number.to_string(), &format!("note {}", view.number), word)?;
    let first = view.text.lines().next().unwrap_or_default();
    let cells =
        [Cell::Number(view.number.into()), kind, Cell::plain(&view.by), Cell::ago(&view.at), Cell::plain(first)];
    Some(item.with(cells).told(&view.text))
}

fn affected(view: &AffectedView) -> Option<Item> {
    Some(match view {
        AffectedView::Credential { id, tenant, owner, label, venue, state } => Item::new(id, label, state)?.with([
            Cell::plain(label),
            Cell::plain(owner),
            Cell::plain(venue),
            super::super::credentials::state(state),
            Cell::plain(id),
            Cell::plain(tenant),
        ]),
        AffectedView::App { id, tenant, name } => {
            Item::new(id, name, "")?.with([Cell::plain(name), Cell::plain(id), Cell::plain(tenant)])
        }
    })
}

/// The incident's own answer has its notices.
fn notices(bytes: &[u8]) -> Result<Page, serde_json::Error> {
    let view: IncidentView = serde_json::from_slice(bytes)?;
    let items: Option<Vec<Item>> = view.notices.iter().map(notice).collect();
    Ok(Page { items: items.ok_or_else(|| serde_json::Error::custom("a notice without a proper id"))?, next: None })
}

fn notice(view: &NoticeView) -> Option<Item> {
    let (word, glyph, tone) = match view.state {
        NoticeState::Spreading => ("spreading", Glyph::Going, Tone::Caution),
        NoticeState::Sending => ("sending", Glyph::Going, Tone::Caution),
        NoticeState::Ended => ("ended", Glyph::On, Tone::Good),
    };
    let item = Item::new(&view.id, view.topic.as_str(), word)?;
    Some(item.with([
        Cell::plain(view.topic.as_str()),
        Cell::word(glyph, word, tone),
        Cell::ago(&view.at),
        Cell::Number(view.sent),
        Cell::Number(view.waiting),
        Cell::Number(view.failed),
        Cell::Number(view.unreached),
        Cell::plain(&view.id),
    ]))
}

fn unreached(view: &UnreachedView) -> Option<Item> {
    // One key may be missed by several notices.
    let item = Item::new(&format!("{}.{}", view.notice, view.credential), &view.credential, "")?;
    Some(item.with([
        Cell::plain(&view.credential),
        Cell::plain(&view.why),
        Cell::plain(view.topic.as_str()),
        Cell::plain(&view.notice),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{fact, path, read};
    use super::super::tests::open;
    use super::*;

    #[test]
    fn each_is_asked_for_under_its_incident() {
        let of = |shape| path(shape, &["inc_1"]);
        assert_eq!(of(&TIMELINE), "/api/v1/incidents/inc_1/timeline");
        assert_eq!(of(&AFFECTED), "/api/v1/incidents/inc_1/affected");
        assert_eq!(of(&AFFECTED_APPS), "/api/v1/incidents/inc_1/affected/apps");
        assert_eq!(of(&NOTICES), "/api/v1/incidents/inc_1");
        assert_eq!(of(&UNREACHED), "/api/v1/incidents/inc_1/unreached");
    }

    #[test]
    fn a_note_is_shown_whole() {
        let view = json!({ "data": [{ "number": 2, "at": "2026-11-22T08:00:00.000Z", "by": "ada", "kind": "done",
            "text": "asked the venue\nno answer" }] });
        let items = read(&TIMELINE, &view).items;
        assert_eq!(items[0].cells[4].text(), Some("asked the venue"));
        assert_eq!(items[0].text.len(), 2);
    }

    #[test]
    fn what_it_touches_is_read_as_what_it_is() {
        let view = json!({ "data": [{ "kind": "credential", "id": "cred_1", "tenant": "ten_1", "owner": "eu_1",
            "label": "main", "venue": "mexc", "state": "frozen" }], "next_cursor": "c" });
        let page = read(&AFFECTED, &view);
        assert_eq!(page.next.as_deref(), Some("c"));
        assert!(fact(&AFFECTED, &page.items[0], "state").contains("frozen"));
        let view = json!({ "data": [{ "kind": "app", "id": "app_1", "tenant": "ten_1", "name": "gridbot" }] });
        let page = read(&AFFECTED_APPS, &view);
        assert!(fact(&AFFECTED_APPS, &page.items[0], "name").contains("gridbot"));
    }

    #[test]
    fn notices_come_with_the_incident() {
        let mut view = open();
        let counts = |id: &str, sent: u64| {
            json!({ "id": id, "topic": "incident.notified", "at": "2026-11-22T08:00:00.000Z", "state": "sending",
                "sent": sent, "waiting": 1, "failed": 0, "unreached": 2 })
        };
        view["notices"] = json!([counts("ntc_1", 4), counts("ntc_2", 0)]);
        let items = read(&NOTICES, &view).items;
        assert_eq!((items.len(), &items[0].cells[3]), (2, &Cell::Number(4)));
    }

    #[test]
    fn a_key_is_missed_by_each_notice_for_itself() {
        let missed = |notice: &str| json!({ "notice": notice, "topic": "incident.notified", "credential": "cred_1", "why": "no address" });
        let view = json!({ "data": [missed("ntc_1"), missed("ntc_2")] });
        let items = read(&UNREACHED, &view).items;
        assert_ne!(items[0].id, items[1].id);
    }
}
