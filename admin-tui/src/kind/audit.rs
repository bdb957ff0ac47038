//! The audit log, and what of it is about one credential.

use claviger_core::audit::{Entry, EntryOutcome, UserKind};

use super::act::encode;
use super::item::{Cell, Glyph, Item, Tone};
use super::read::short;
use super::{Fact, Kind, Named, Search, Shape, column, detail, read};
use crate::clean::clean;

pub(super) const SHAPE: Shape = Shape {
    name: "audit",
    one: "audit entry",
    what: "who did what, newest first; /user:ID, action:NAME*, resource:ID, tenant:NAME, since:TIME and until:TIME ask the server",
    empty: "the audit log has no such entry",
    facts: &facts(column("on", 20, 10, 80)),
    parts: &[Kind::Proof],
    search: Search::Named(named),
    tail: true,
    events: &["audit"],
    path: |target| target.api("audit?order=newest"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

/// What was done to a credential. Looked at, it is asked for all the time: that it was read is left out.
pub(super) const HISTORY: Shape = Shape {
    name: "history",
    one: "audit entry",
    what: "what was done to this credential, newest first, with the version that began then",
    empty: "the audit log, as far as it is in the store, has nothing of this credential",
    facts: &facts(column("version", 7, 0, 80)),
    parts: &[Kind::Proof],
    hangs_on_another: true,
    tail: true,
    events: &["credential"],
    path: |target| {
        let (tenant, id) = (encode(&target.scope.tenant), target.on_the_way(0));
        target.api(&format!("audit?order=newest&tenant={tenant}&resource={id}&action=credential.*&reads=false"))
    },
    read: |bytes| read::page(bytes, of_credential),
    ..Shape::PLAIN
};

/// What is known of an entry, with one column more.
const fn facts(fifth: Fact) -> [Fact; 17] {
    [
        column("age", 4, 0, 60),
        column("who", 14, 4, 60),
        column("action", 20, 8, 60),
        column("outcome", 11, 0, 60),
        fifth,
        column("rule", 18, 6, 110),
        column("at", 24, 0, 150),
        detail("number"),
        detail("user"),
        detail("resource"),
        detail("tenant"),
        detail("number in the tenant"),
        detail("address"),
        detail("request"),
        detail("intent"),
        detail("writer"),
        detail("personal fields"),
    ]
}

/// The names that the server knows, and what each is called in its query.
const NAMES: [&str; 9] = ["user", "action", "resource", "reads", "tenant", "since", "until", "from", "to"];

/// Words of the form `name:value` whose name the server knows go there; others are looked for here. A day stands for its
/// beginning, UTC.
fn named(filter: &str) -> Named {
    let (mut query, mut here) = (Vec::new(), Vec::new());
    for word in filter.split_whitespace() {
        match word.split_once(':').filter(|(name, value)| NAMES.contains(name) && !value.is_empty()) {
            Some((name @ ("since" | "until"), value)) => query.push(format!("{name}={}", encode(&moment(value)))),
            Some((name, value)) => query.push(format!("{name}={}", encode(value))),
            None => here.push(word),
        }
    }
    Named { query: query.join("&"), here: here.join(" ") }
}

fn moment(text: &str) -> String {
    if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") }
}

fn item(entry: &Entry) -> Option<Item> {
    let on = [entry.resource_type.as_str(), &short(&entry.resource_id)].join(" ");
    with(entry, Cell::plain(on.trim()))
}

fn of_credential(entry: &Entry) -> Option<Item> {
    with(entry, Cell::maybe(entry.detail.get("version")))
}

/// An entry, with what its fifth fact says.
fn with(entry: &Entry, fifth: Cell) -> Option<Item> {
    let mut item = Item::new(&entry.seq.to_string(), &format!("entry {}", entry.seq), "")?;
    let resource = [entry.resource_type.as_str(), &entry.resource_id].join(" ");
    let alarm = if entry.action.starts_with("alarm.") { Tone::Bad } else { Tone::Plain };
    item.more = entry.detail.iter().map(|(name, value)| (clean(name), Cell::plain(value))).collect();
    Some(item.with([
        Cell::ago(&entry.at),
        Cell::plain([kind(entry.user_kind), &short(&entry.user_id)].join(" ").trim_end()),
        Cell::toned(&entry.action, alarm),
        outcome(entry.outcome),
        fifth,
        text(&entry.rule),
        Cell::plain(&entry.at),
        Cell::Number(entry.seq),
        text(&entry.user_id),
        Cell::plain(resource.trim()),
        text(&entry.tenant),
        if entry.tenant_seq == 0 { Cell::Nothing } else { Cell::Number(entry.tenant_seq) },
        text(&entry.ip_address),
        text(&entry.request_id),
        entry.intent.map_or(Cell::Nothing, Cell::Number),
        Cell::plain(&entry.writer),
        Cell::plain(if entry.personal.is_some() { "sealed: they open with the owner's key alone" } else { "none" }),
    ]))
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Nothing } else { Cell::plain(text) }
}

fn kind(kind: UserKind) -> &'static str {
    match kind {
        UserKind::App => "app",
        UserKind::Operator => "operator",
        UserKind::System => "system",
        UserKind::Nobody => "nobody",
    }
}

fn outcome(outcome: EntryOutcome) -> Cell {
    let (word, glyph, tone) = match outcome {
        EntryOutcome::Allowed => ("allowed", Glyph::On, Tone::Good),
        EntryOutcome::Acked => ("acked", Glyph::On, Tone::Good),
        EntryOutcome::Released => ("released", Glyph::Going, Tone::Good),
        EntryOutcome::Denied => ("denied", Glyph::Stopped, Tone::Caution),
        EntryOutcome::Rejected => ("rejected", Glyph::Stopped, Tone::Caution),
        EntryOutcome::Unknown => ("unknown", Glyph::Unknown, Tone::Bad),
        EntryOutcome::Failed => ("failed", Glyph::Ended, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read};
    use super::*;

    #[test]
    fn shows_every_field_of_an_entry() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/audit?order=newest");
        let entry = json!({"v": 1, "writer": "w1", "seq": 812, "at": "2026-11-22T08:00:00.000Z", "tenant": "ten_1",
            "tenant_seq": 7, "user_kind": "operator", "user_id": "op_01k6g0000000000000000000a1", "action": "alarm.decoy",
            "resource_type": "decoy", "resource_id": "decoy_01k6g0000000000000000000b2", "ip_address": "127.0.0.1",
            "outcome": "denied", "rule": "role.denied", "request_id": "req_1", "intent": 3,
            "detail": {"label": "in\u{1b}[31mvoice"}, "personal": null, "salt": "00"});
        let page = read(&SHAPE, &json!({"data": [entry], "next_cursor": "813", "oldest": 0}));
        assert_eq!(page.next.as_deref(), Some("813"));
        let item = &page.items[0];
        assert_eq!(item.id.as_str(), "812");
        assert!(fact(&SHAPE, item, "who").contains("operator …00a1"));
        assert!(fact(&SHAPE, item, "on").contains("decoy …00b2"));
        assert!(fact(&SHAPE, item, "resource").contains("decoy decoy_01k6g0000000000000000000b2"));
        assert!(fact(&SHAPE, item, "action").contains("Bad"), "alarms stand out");
        assert!(fact(&SHAPE, item, "outcome").contains("denied"));
        assert_eq!(fact(&SHAPE, item, "intent"), "Number(3)");
        let label = format!("{:?}", item.more);
        assert!(label.contains("label") && !label.contains('\u{1b}'), "{label}");
    }

    #[test]
    fn a_history_tells_where_versions_begin() {
        let wanted = "/api/v1/audit?order=newest&tenant=acme&resource=cred_1&action=credential.*&reads=false";
        assert_eq!(path(&HISTORY, &["cred_1"]), wanted);
        let entry = |action: &str, detail: &serde_json::Value| {
            json!({"v": 1, "writer": "w1", "seq": 7, "at": "2026-11-22T08:00:00.000Z", "tenant": "ten_1", "tenant_seq": 7,
                "user_kind": "app", "user_id": "app_1", "action": action, "resource_type": "credential",
                "resource_id": "cred_1", "ip_address": "127.0.0.1", "outcome": "allowed", "rule": "", "request_id": "",
                "intent": null, "detail": detail, "personal": null, "salt": "00"})
        };
        let rotated = entry("credential.rotate", &json!({"version": "2"}));
        let page = read(&HISTORY, &json!({"data": [entry("credential.freeze", &json!({})), rotated]}));
        assert_eq!(fact(&HISTORY, &page.items[0], "version"), "Nothing");
        assert!(fact(&HISTORY, &page.items[1], "version").contains('2'));
    }

    #[test]
    fn names_go_to_the_server_and_other_words_stay_here() {
        let named = |filter| {
            let Named { query, here } = named(filter);
            (query, here)
        };
        let pair = |query: &str, here: &str| (query.to_owned(), here.to_owned());
        assert_eq!(named(""), pair("", ""));
        assert_eq!(named("frozen anna"), pair("", "frozen anna"));
        assert_eq!(
            named("user:op_1 anna action:credential.* tenant:acme"),
            pair("user=op_1&action=credential.%2A&tenant=acme", "anna")
        );
        assert_eq!(named("since:2026-11-22 from:7"), pair("since=2026-11-22T00%3A00%3A00Z&from=7", ""));
        assert_eq!(named("until:2026-11-22T09:00:00+01:00"), pair("until=2026-11-22T09%3A00%3A00%2B01%3A00", ""));
        assert_eq!(named("user: outcome:denied"), pair("", "user: outcome:denied"));
        assert_eq!(named("user:a&limit=9"), pair("user=a%26limit%3D9", ""), "nothing else gets into the query");
    }
}
