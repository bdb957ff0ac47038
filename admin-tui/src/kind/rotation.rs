//! Rotations: how far everything is on its way under a tenant's newest KEK, or under the newest root key.

use claviger_core::rotation::RotationState;
use claviger_core::view::{RootRotationView, RotationView};

use super::act::{Act, Before, Deed, Method, Reason, Target, Typed};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Fact, Shape, detail, keks, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "rotation",
    aliases: &["rewrap"],
    one: "rotation of the KEK",
    what: "how far everything is on its way under this tenant's newest KEK",
    empty: "this tenant's KEK was never rotated",
    facts: FACTS,
    acts: &[pause(OF_TENANT), resume(OF_TENANT), throttle(OF_TENANT)],
    alone: true,
    events: &["rotation"],
    path: OF_TENANT,
    read: |bytes| read::alone(bytes, |view: &RotationView| item(view, &format!("version {}", view.to))),
    ..Shape::PLAIN
};

pub(super) const ROOT: Shape = Shape {
    name: "root-rotation",
    aliases: &["root-rewrap"],
    one: "rotation of the root key",
    what: "how far all tenants are on their way under the newest root key",
    empty: "the root key was never rotated",
    facts: FACTS,
    acts: &[pause(OF_ROOT), resume(OF_ROOT), throttle(OF_ROOT)],
    alone: true,
    events: &["rotation"],
    path: OF_ROOT,
    read: |bytes| read::alone(bytes, of_root),
    ..Shape::PLAIN
};

type Path = fn(&Target<'_>) -> String;
const OF_TENANT: Path = |target| target.of_tenant("keks/rotation");
const OF_ROOT: Path = |target| target.api("roots/rotation");

const FACTS: &[Fact] = &[
    detail("state"),
    detail("progress"),
    detail("moved"),
    detail("left"),
    detail("do not open"),
    detail("rate"),
    detail("at most"),
    detail("time left"),
    detail("fresh DEKs"),
    detail("started"),
    detail("by"),
    detail("ended"),
];

const fn pause(path: Path) -> Act {
    Act {
        deed: Deed::Pause,
        key: Char('P'),
        verb: "pause",
        done: "paused",
        what: "has it wait until somebody resumes it",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::None,
        said: |_| vec!["No further row moves. What moved stays moved, and everything stays in use.".to_owned()],
        pointless: |item| (item.state != "running").then_some("it does not go on, so there is nothing to pause"),
        method: Method::Patch,
        path,
        body: &[("state", Typed::Text("paused"))],
        ..Act::PLAIN
    }
}

const fn resume(path: Path) -> Act {
    Act {
        deed: Deed::Resume,
        key: Char('R'),
        verb: "resume",
        done: "resumed",
        what: "has it go on, and tries again what did not open",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::None,
        said: |_| vec!["Rows move again, and stay in use meanwhile.".to_owned()],
        pointless: |item| match item.state.as_str() {
            "running" => Some("it goes on already"),
            _ => ended(item),
        },
        method: Method::Patch,
        path,
        body: &[("state", Typed::Text("running"))],
        ..Act::PLAIN
    }
}

const fn throttle(path: Path) -> Act {
    Act {
        deed: Deed::Throttle,
        key: Char('T'),
        verb: "throttle",
        done: "given another pace",
        what: "sets how many rows a second may move",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::None,
        questions: keks::PACE,
        said: |_| vec!["A lower pace leaves more of the token to signatures.".to_owned()],
        pointless: ended,
        method: Method::Patch,
        path,
        ..Act::PLAIN
    }
}

fn ended(item: &Item) -> Option<&'static str> {
    let over = item.state == "done" && item.cells.get(LEFT) == Some(&Cell::Number(0));
    over.then_some("it has ended: nothing is left on older versions")
}

/// Which of the facts is what is left.
const LEFT: usize = 3;

const BLOCKED: &str = "Only rows that do not open are left. The audit log names each of them: action alarm.tamper.
Delete them or have them enrolled anew, then resume.";

fn item(view: &RotationView, name: &str) -> Option<Item> {
    let (glyph, tone) = match view.state {
        RotationState::Running => (Glyph::Going, Tone::Good),
        RotationState::Paused => (Glyph::Stopped, Tone::Caution),
        RotationState::Blocked => (Glyph::Alert, Tone::Bad),
        RotationState::Done => (Glyph::On, Tone::Good),
    };
    let unopened = if view.unopened == 0 { Tone::Plain } else { Tone::Bad };
    let item = Item::new("rotation", &format!("the rotation to {name}"), view.state.as_str())?.with([
        Cell::word(glyph, view.state.as_str(), tone),
        Cell::Done(view.done, view.done.saturating_add(view.left)),
        Cell::Number(view.done),
        Cell::Number(view.left),
        Cell::toned(view.unopened.to_string(), unopened),
        Cell::maybe(view.rows_per_second.map(per_second)),
        view.rows_per_second_max.map_or_else(|| Cell::plain("no limit"), |most| Cell::plain(per_second(most.into()))),
        Cell::maybe(view.eta_seconds.map(read::span)),
        Cell::plain(if view.rekey { "yes: every payload is sealed anew" } else { "no: payloads stay as they are" }),
        Cell::ago(&view.started_at),
        Cell::plain(&view.by),
        view.ended_at.as_ref().map_or(Cell::Nothing, Cell::ago),
    ]);
    Some(if view.state == RotationState::Blocked { item.told(BLOCKED) } else { item })
}

fn of_root(view: &RootRotationView) -> Option<Item> {
    let all = view.tenants_done.saturating_add(view.tenants_left);
    let item = item(&view.sum, &format!("root/{}", view.sum.to))?;
    let item = item.known("tenants", Cell::plain(format!("{} of {all}", view.tenants_done)));
    Some(match view.tenant {
        Some(tenant) => item.known("at tenant", Cell::plain(tenant.to_string())),
        None => item,
    })
}

fn per_second(rows: u64) -> String {
    format!("{rows} rows/s")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    fn rotation(state: &str, left: u64) -> Value {
        json!({"to": 4, "state": state, "rekey": false, "done": 30, "left": left, "unopened": 2,
            "rows_per_second": 12, "eta_seconds": 90, "by": "ada", "started_at": "2026-11-22T08:00:00.000Z"})
    }

    fn pointless(state: &str, left: u64) -> Vec<Deed> {
        let page = read(&SHAPE, &rotation(state, left));
        let refused = SHAPE.acts.iter().filter(|act| (act.pointless)(&page.items[0]).is_some());
        refused.map(|act| act.deed).collect()
    }

    #[test]
    fn says_how_far_it_is() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/keks/rotation");
        let page = read(&SHAPE, &rotation("running", 10));
        let item = &page.items[0];
        assert_eq!(item.name.as_str(), "the rotation to version 4");
        assert_eq!(fact(&SHAPE, item, "progress"), "Done(30, 40)");
        assert!(fact(&SHAPE, item, "do not open").contains("Bad"));
        assert!(fact(&SHAPE, item, "rate").contains("12 rows/s"));
        assert!(fact(&SHAPE, item, "at most").contains("no limit"));
        assert!(fact(&SHAPE, item, "time left").contains("1 min"));
        assert!(item.text.is_empty());
        assert_eq!(read(&SHAPE, &rotation("blocked", 2)).items[0].text.len(), 2);
    }

    #[test]
    fn of_the_root_key_it_says_how_many_tenants_are_done() {
        let mut view = rotation("running", 10);
        view["tenants_done"] = 3.into();
        view["tenants_left"] = 4.into();
        let page = read(&ROOT, &view);
        assert_eq!(page.items[0].name.as_str(), "the rotation to root/4");
        assert!(format!("{:?}", page.items[0].more).contains("3 of 7"));
        assert_eq!(path(&ROOT, &[]), "/api/v1/roots/rotation");
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        for (shape, at) in [(&SHAPE, "/api/v1/tenants/acme/keks/rotation"), (&ROOT, "/api/v1/roots/rotation")] {
            let sent = |deed| sent(shape, deed, &[], "rotation");
            assert_eq!(sent(Deed::Pause), format!("Patch {at} state=paused"));
            assert_eq!(sent(Deed::Resume), format!("Patch {at} state=running"));
            assert_eq!(sent(Deed::Throttle), format!("Patch {at} rows_per_second?"));
        }
    }

    #[test]
    fn only_what_changes_something_is_offered() {
        assert_eq!(pointless("running", 5), [Deed::Resume]);
        assert_eq!(pointless("paused", 5), [Deed::Pause]);
        assert_eq!(pointless("done", 0), [Deed::Pause, Deed::Resume, Deed::Throttle]);
        assert_eq!(pointless("done", 1), [Deed::Pause], "a restore may leave rows behind");
    }
}
