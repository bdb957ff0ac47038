//! Everything at a glance.

use claviger_core::view::{OverviewView, VenueStateView};

use super::item::{Cell, Glyph, Item, Tone};
use super::{Kind, Shape, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "overview",
    aliases: &["dash", "status"],
    one: "overview",
    what: "how the service is, what it does, and what waits for somebody",
    empty: "the service says nothing of itself",
    facts: &[
        detail("service"),
        detail("executions"),
        detail("denials"),
        detail("open incidents"),
        detail("clocks run out"),
        detail("next clock"),
        detail("of"),
        detail("approvals waiting"),
        detail("keys that expire soon"),
        detail("logins to review"),
        detail("rotations"),
        detail("running for"),
        detail("version"),
        detail("server's clock"),
    ],
    parts: &[Kind::Incidents, Kind::Approvals, Kind::Jobs, Kind::Executions, Kind::Denials, Kind::Audit, Kind::Logins],
    alone: true,
    events: &["status", "incident", "approval", "rotation", "execution", "denial"],
    path: |target| target.api("overview"),
    read: |bytes| read::alone(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &OverviewView) -> Option<Item> {
    let service = if view.ready.ready {
        Cell::word(Glyph::On, "executions are served", Tone::Good)
    } else {
        Cell::word(Glyph::Alert, "executions are NOT served", Tone::Bad)
    };
    let nearest = view.incidents.as_ref().and_then(|incidents| incidents.nearest.as_ref());
    let item = Item::new("overview", "the service", "")?.told(&view.ready.warnings.join("\n")).with([
        service,
        view.last_minute.map_or(Cell::Nothing, |minute| Cell::plain(rate(minute.executions))),
        view.last_minute.map_or(Cell::Nothing, |minute| Cell::plain(rate(minute.denials))),
        view.incidents.as_ref().map_or(Cell::Nothing, |incidents| waiting(incidents.open, Tone::Bad)),
        view.incidents.as_ref().map_or(Cell::Nothing, |incidents| waiting(incidents.overdue, Tone::Bad)),
        nearest.map_or(Cell::Nothing, |clock| Cell::left(&clock.due_at)),
        nearest.map_or(Cell::Nothing, |clock| Cell::plain(format!("{}, {}", clock.incident, clock.clock))),
        view.approvals_waiting.map_or(Cell::Nothing, |count| waiting(count, Tone::Caution)),
        view.expiring.as_ref().map_or(Cell::Nothing, |keys| counted(keys.count, keys.more, Tone::Caution)),
        view.unreviewed_logins.as_ref().map_or(Cell::Nothing, |logins| waiting(logins.count, Tone::Bad)),
        counted(u64::try_from(view.rotations.len()).unwrap_or(u64::MAX), view.more_rotations, Tone::Plain),
        Cell::ago(&view.started_at),
        Cell::plain(&view.version),
        Cell::plain(&view.now),
    ]);
    let item = view.ready.parts.iter().fold(item, |item, (part, state)| {
        let (glyph, tone) = if state == "ok" { (Glyph::On, Tone::Good) } else { (Glyph::Alert, Tone::Bad) };
        item.known(part, Cell::word(glyph, state, tone))
    });
    let item = view.venues.iter().fold(item, |item, at| item.known(&format!("venue {}", at.id), venue(at)));
    let expiring = view.expiring.iter().flat_map(|keys| &keys.first);
    let item = expiring.fold(item, |item, key| {
        let name = if key.label.is_empty() { &key.credential } else { &key.label };
        item.known(&format!("{name} expires in"), Cell::left(&key.expires_at))
    });
    let logins = view.unreviewed_logins.iter().flat_map(|logins| &logins.first);
    let item = logins.fold(item, |item, login| {
        let what = format!("{} from {}, at {}", login.operator, login.address, login.created_at);
        item.known("break-glass login", Cell::word(Glyph::Alert, what, Tone::Bad))
    });
    Some(view.rotations.iter().fold(item, |item, of| {
        let all = of.rotation.done.saturating_add(of.rotation.left);
        item.known(&format!("rotation of {}", of.tenant), Cell::Done(of.rotation.done, all))
    }))
}

/// How much there was in a minute, and how much that is in a second.
fn rate(count: u64) -> String {
    let tenths = count.saturating_add(3) / 6;
    format!("{}.{} a second ({count} in the last minute)", tenths / 10, tenths % 10)
}

/// A number that asks for a look unless it is 0.
fn waiting(count: u64, tone: Tone) -> Cell {
    if count == 0 { Cell::toned("none", Tone::Good) } else { Cell::toned(count.to_string(), tone) }
}

/// The same, where only so many were counted.
fn counted(count: u64, more: bool, tone: Tone) -> Cell {
    if more { Cell::toned(format!("{count} or more"), tone) } else { waiting(count, tone) }
}

fn venue(view: &VenueStateView) -> Cell {
    match (&view.gap, view.quiet_ms) {
        (Some(gap), _) => {
            Cell::word(Glyph::Alert, format!("cannot be asked since {}: {}", gap.since, gap.why), Tone::Bad)
        }
        (None, Some(ms)) => {
            let left = read::span(ms.div_ceil(1_000));
            Cell::word(Glyph::Waiting, format!("left alone for {left}, as it asked for"), Tone::Caution)
        }
        (None, None) => Cell::word(Glyph::On, "ok", Tone::Good),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{fact, path, read};
    use super::*;

    const AT: &str = "2026-11-22T08:00:00.000Z";

    fn overview() -> Value {
        json!({"ready": false, "parts": {"keeper": "ok", "token": "the token is gone"}, "warnings": ["mlock is off"],
            "now": AT, "started_at": AT, "version": "0.1.0", "venues": []})
    }

    #[test]
    fn what_is_red_stands_out() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/overview");
        let mut view = overview();
        view["last_minute"] = json!({"executions": 2283, "denials": 0});
        view["incidents"] = json!({"open": 2, "overdue": 1,
            "nearest": {"incident": "inc_1", "clock": "notify-owners", "due_at": AT}});
        view["approvals_waiting"] = 3.into();
        view["venues"] = json!([{"id": "binance"}, {"id": "kraken", "quiet_ms": 61_500},
            {"id": "mexc", "gap": {"venue": "mexc", "since": AT, "why": "timeout"}}]);
        view["rotations"] = json!([{"tenant": "ten_1", "to": 2, "state": "running", "rekey": false, "done": 3,
            "left": 1, "unopened": 0, "by": "ada", "started_at": AT}]);
        view["expiring"] = json!({"count": 7, "first": [{"credential": "cred_1", "tenant": "ten_1", "label": "anna",
            "venue": "binance", "expires_at": AT}]});
        view["unreviewed_logins"] = json!({"count": 1, "first": [{"id": "login_1", "operator": "ada",
            "kind": "break-glass", "address": "127.0.0.1", "device": "", "created_at": AT, "expires_at": AT}]});
        let item = read(&SHAPE, &view).items.remove(0);
        assert!(fact(&SHAPE, &item, "keys that expire soon").contains('7'));
        assert!(fact(&SHAPE, &item, "logins to review").contains("Bad"));
        assert!(fact(&SHAPE, &item, "service").contains("NOT served"));
        assert!(fact(&SHAPE, &item, "executions").contains("38.1 a second (2283 in the last minute)"));
        assert!(fact(&SHAPE, &item, "open incidents").contains("Bad"));
        assert!(fact(&SHAPE, &item, "of").contains("inc_1, notify-owners"));
        let more: Vec<String> = item.more.iter().map(|(name, cell)| format!("{} {cell:?}", name.as_str())).collect();
        assert_eq!(more.len(), 8);
        assert!(more[0].starts_with("keeper") && more[0].contains("Good"));
        assert!(more[1].starts_with("token") && more[1].contains("Bad"));
        assert!(more[3].contains("1 min 2 s"), "{more:?}");
        assert!(more[4].contains("timeout") && more[4].contains("Bad"));
        assert!(more[5].starts_with("anna expires in"), "{more:?}");
        assert!(more[6].contains("ada from 127.0.0.1"), "{more:?}");
        assert!(more[7].contains("Done(3, 4)"));
        assert_eq!(item.text.len(), 1);
    }

    #[test]
    fn what_was_counted_up_to_a_bound_is_not_called_none() {
        let mut view = overview();
        view["expiring"] = json!({"count": 0, "more": true, "first": []});
        view["more_rotations"] = true.into();
        let item = read(&SHAPE, &view).items.remove(0);
        for name in ["keys that expire soon", "rotations"] {
            assert!(fact(&SHAPE, &item, name).contains("0 or more"), "{name}");
        }
        view["expiring"]["more"] = false.into();
        let item = read(&SHAPE, &view).items.remove(0);
        assert!(fact(&SHAPE, &item, "keys that expire soon").contains("none"));
    }

    #[test]
    fn what_a_role_may_not_read_is_not_called_none() {
        let item = read(&SHAPE, &overview()).items.remove(0);
        for name in ["executions", "open incidents", "next clock", "approvals waiting", "logins to review"] {
            assert_eq!(fact(&SHAPE, &item, name), "Nothing", "{name}");
        }
    }
}
