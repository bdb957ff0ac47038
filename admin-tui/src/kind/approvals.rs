//! Acts that wait for a second operator or for their time.

use claviger_core::view::{ApprovalView, DecisionView};

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Closer, Shape, column, detail, read};
use crate::clean::Clean;
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "approvals",
    aliases: &["approval", "apr"],
    one: "request",
    what: "acts that wait for a second operator, or for their time",
    empty: "nobody asked for an act that takes a second operator",
    facts: &[
        column("act", 19, 0, 60),
        column("name", 12, 24, 60),
        column("state", 11, 0, 60),
        column("until", 9, 0, 60),
        column("asked by", 10, 6, 80),
        column("age", 4, 0, 80),
        column("done in", 9, 0, 110),
        column("level", 5, 0, 110),
        detail("id"),
        detail("tenant"),
        detail("digest"),
    ],
    acts: ACTS,
    events: &["approval"],
    path: |target| target.api("approvals?order=newest"),
    read: |bytes| read::page(bytes, item),
    closer: Some(Closer {
        path: |target| target.api(&format!("approvals/{}", target.id())),
        read: |bytes| read::one(bytes, item),
    }),
    ..Shape::PLAIN
};

const ACTS: &[Act] = &[
    Act {
        deed: Deed::Approve,
        key: Char('A'),
        verb: "approve",
        done: "approved",
        what: "approves what another operator asked for; closes what was done in an emergency",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::Asked,
        said: |item| item.map_or_else(Vec::new, |item| item.text.iter().map(said).collect()),
        pointless: |item| match item.state.as_str() {
            "waiting" | "to-review" => None,
            "approved" => Some("it is approved, and is done when its time has come"),
            _ => Some(decided(item)),
        },
        method: Method::Post,
        path: |target| target.api(&format!("approvals/{}/approve", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Deny,
        key: Char('X'),
        verb: "deny",
        done: "denied",
        what: "says no to what another operator asked for",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::Asked,
        said: |_| vec!["It is not done. Who wants it has to ask anew.".to_owned()],
        pointless: |item| match item.state.as_str() {
            "waiting" => None,
            "approved" => Some("it is approved: cancel it, while its time has not come"),
            "to-review" => Some("it was done in an emergency: approve it to close the review"),
            _ => Some(decided(item)),
        },
        method: Method::Post,
        path: |target| target.api(&format!("approvals/{}/deny", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Cancel,
        key: Char('C'),
        verb: "cancel",
        done: "cancelled",
        what: "calls off what was not done yet",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::Asked,
        said: |_| {
            vec![
                "It is not done. Who wants it has to ask anew.".to_owned(),
                "NOT done: what was stopped when it was asked for stays stopped.".to_owned(),
            ]
        },
        pointless: |item| match item.state.as_str() {
            "waiting" | "approved" => None,
            _ => Some(decided(item)),
        },
        method: Method::Post,
        path: |target| target.api(&format!("approvals/{}/cancel", target.id())),
        ..Act::PLAIN
    },
];

fn decided(item: &Item) -> &'static str {
    match item.state.as_str() {
        "executed" | "reviewed" | "to-review" => "it was done already",
        "denied" | "cancelled" => "it was called off already",
        "expired" => "nobody approved it in time: ask for it anew",
        "stale" => "what it rests on has changed: ask for it anew",
        "failed" => "it was tried and failed: ask for it anew",
        _ => "it does not wait for anybody",
    }
}

fn said(line: &Clean) -> String {
    line.as_str().to_owned()
}

fn item(view: &ApprovalView) -> Option<Item> {
    let until = if view.state == "waiting" { Cell::left(&view.expires_at) } else { Cell::Nothing };
    let item = Item::new(&view.id, &format!("{} {}", view.act, view.name), &view.state)?.with([
        Cell::plain(&view.act),
        Cell::plain(&view.name),
        state(&view.state),
        until,
        Cell::plain(&view.requester),
        Cell::ago(&view.created_at),
        view.due_at.as_ref().map_or(Cell::Nothing, Cell::left),
        if view.danger == "D3" { Cell::toned(&view.danger, Tone::Bad) } else { Cell::plain(&view.danger) },
        Cell::plain(&view.id),
        Cell::maybe(view.tenant.as_ref()),
        Cell::plain(&view.digest),
    ]);
    let item = view.plan.iter().fold(item, |item, line| item.told(line));
    let counts: Vec<String> = view.blast_radius.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let item = if counts.is_empty() { item } else { item.told(&format!("On it hang {}.", counts.join(", "))) };
    let item = item.told(&format!("{} asked for it: {}", view.requester, view.reason));
    let item = view.why.iter().fold(item, |item, why| item.told(&format!("It failed: {why}")));
    let item = view.approved.iter().fold(item, |item, by| item.told(&decision("approved", by)));
    let closed = if view.state == "to-review" { "done" } else { view.state.as_str() };
    Some(view.closed.iter().fold(item, |item, by| item.told(&decision(closed, by))))
}

fn decision(what: &str, view: &DecisionView) -> String {
    format!("{what} by {} at {}: {}", view.by, view.at, view.reason)
}

fn state(word: &str) -> Cell {
    let (glyph, tone) = match word {
        "waiting" => (Glyph::Waiting, Tone::Caution),
        "approved" => (Glyph::Going, Tone::Caution),
        "to-review" => (Glyph::Alert, Tone::Bad),
        "executed" | "reviewed" => (Glyph::On, Tone::Good),
        "denied" | "cancelled" | "expired" | "stale" => (Glyph::Ended, Tone::Quiet),
        "failed" => (Glyph::Ended, Tone::Bad),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    fn view(state: &str) -> Value {
        json!({
            "id": "appr_1", "act": "credential.delete", "danger": "D3", "tenant": "ten_1", "name": "main",
            "plan": ["credential main is deleted for good"], "blast_radius": { "apps": 1, "virtual_keys": 2 },
            "digest": "sha256:00", "state": state, "requester": "ada", "requester_id": "op_1",
            "reason": "owner left the desk", "created_at": "2026-11-22T08:00:00.000Z",
            "expires_at": "2026-11-23T08:00:00.000Z",
        })
    }

    fn one(view: &Value) -> Item {
        read(&SHAPE, &json!({ "data": [view] })).items.swap_remove(0)
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/approvals?order=newest");
        let of = |deed| sent(&SHAPE, deed, &[], "appr_1");
        assert_eq!(of(Deed::Approve), "Post /api/v1/approvals/appr_1/approve reason?");
        assert_eq!(of(Deed::Deny), "Post /api/v1/approvals/appr_1/deny reason?");
        assert_eq!(of(Deed::Cancel), "Post /api/v1/approvals/appr_1/cancel reason?");
    }

    #[test]
    fn who_approves_reads_what_is_approved() {
        let item = one(&view("waiting"));
        let said = (ACTS[0].said)(Some(&item));
        assert_eq!(
            said,
            [
                "credential main is deleted for good",
                "On it hang 1 apps, 2 virtual_keys.",
                "ada asked for it: owner left the desk",
            ]
        );
    }

    #[test]
    fn what_waits_has_an_end_and_what_is_approved_a_time() {
        let item = one(&view("waiting"));
        assert!(fact(&SHAPE, &item, "until").starts_with("Left("));
        let mut approved = view("approved");
        approved["due_at"] = "2026-11-24T08:00:00.000Z".into();
        approved["approved"] =
            json!({ "by": "bob", "by_id": "op_2", "reason": "seen it too", "at": "2026-11-22T09:00:00.000Z" });
        let item = one(&approved);
        assert_eq!(fact(&SHAPE, &item, "until"), "Nothing");
        assert!(fact(&SHAPE, &item, "done in").starts_with("Left("));
        assert_eq!(item.text[3].as_str(), "approved by bob at 2026-11-22T09:00:00.000Z: seen it too");
    }

    #[test]
    fn only_what_changes_something_is_offered() {
        let offered = |state: &str| {
            let item = one(&view(state));
            let keys = ACTS.iter().filter(|act| (act.pointless)(&item).is_none());
            keys.map(|act| act.verb).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(offered("waiting"), "approve deny cancel");
        assert_eq!(offered("approved"), "cancel");
        assert_eq!(offered("to-review"), "approve");
        for state in ["executed", "denied", "cancelled", "expired", "stale", "failed", "reviewed"] {
            assert_eq!(offered(state), "", "{state}");
        }
    }
}
