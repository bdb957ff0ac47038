//! Credentials.

use claviger_core::view::CredentialView;

use super::act::{Act, Before, Deed, Method, Question, QuestionKind, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Closer, Kind, Search, Shape, column, detail, read};
use crate::event::Key::{Char, Ctrl};
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "credentials",
    aliases: &["cred", "c"],
    one: "credential",
    what: "the keys that owners enrolled",
    empty: "no credential is enrolled in this tenant",
    facts: &[
        column("label", 13, 20, 60),
        column("owner", 8, 12, 80),
        column("venue", 14, 0, 60),
        column("state", 13, 0, 60),
        column("health", 10, 0, 60),
        column("ceiling", 8, 22, 80),
        column("ver", 3, 0, 110),
        column("age", 4, 0, 80),
        column("used", 4, 0, 110),
        detail("id"),
        detail("tenant"),
        detail("kind"),
        detail("mode"),
        detail("key id"),
        detail("addresses"),
        detail("may do"),
        detail("changed"),
        detail("probed"),
        detail("expires"),
        detail("new key"),
        detail("kek"),
    ],
    parts: &[Kind::Executions, Kind::VirtualKeys, Kind::Grants, Kind::History],
    acts: ACTS,
    search: Search::There,
    events: &["credential"],
    path: |target| target.of_tenant("credentials"),
    read: |bytes| read::page(bytes, item),
    closer: Some(Closer {
        path: |target| target.of_tenant(&format!("credentials/{}", target.id())),
        read: |bytes| read::one(bytes, item),
    }),
    ..Shape::PLAIN
};

const ACTS: &[Act] = &[
    Act {
        deed: Deed::Freeze,
        key: Char('F'),
        verb: "freeze",
        done: "frozen",
        what: "freezes it: nothing is signed with it until somebody unfreezes it",
        danger: Danger::D1,
        many: true,
        before: Before::Nothing,
        reason: Reason::Unsaid("frozen from the console"),
        said: |item| {
            vec!["Nothing more is signed with it until an operator unfreezes it.".to_owned(), stays_open(item)]
        },
        pointless: revoked,
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/freeze", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::ReduceOnly,
        key: Char('O'),
        verb: "make reduce-only",
        done: "made reduce-only",
        what: "lets only cancels and closing orders through",
        danger: Danger::D1,
        many: true,
        before: Before::Nothing,
        reason: Reason::Unsaid("made reduce-only from the console"),
        said: |item| vec!["Only cancels and closing orders are signed with it.".to_owned(), stays_open(item)],
        pointless: revoked,
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/reduce-only", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Unfreeze,
        key: Char('U'),
        verb: "unfreeze",
        done: "unfrozen",
        what: "lets it be used again",
        danger: Danger::D2,
        before: Before::Plan,
        reason: Reason::Asked,
        pointless: |item| match item.state.as_str() {
            "active" | "pending" => Some("it is not frozen, so there is nothing to unfreeze"),
            _ => revoked(item),
        },
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/unfreeze", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Rotate,
        key: Ctrl('r'),
        verb: "rotate",
        done: "rotated",
        what: "replaces its key by a new one, which the venue is asked about first",
        danger: Danger::D2,
        before: Before::Thing,
        reason: Reason::None,
        questions: &[
            Question { name: "key_id", label: "new key id", kind: QuestionKind::Text(1) },
            Question { name: "secret", label: "new secret", kind: QuestionKind::Secret },
        ],
        said: |item| {
            vec![
                "The venue is asked what the new key may do; if that is no more than the ceiling, the old version is \
                 destroyed in the same commit."
                    .to_owned(),
                format!("NOT done: the old key still exists at {}. Its owner deletes it there.", venue(item)),
            ]
        },
        pointless: revoked,
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/rotate", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Revoke,
        key: Ctrl('x'),
        verb: "revoke",
        done: "revoked",
        what: "revokes it for good",
        danger: Danger::D2,
        many: true,
        before: Before::Plan,
        reason: Reason::Asked,
        said: |item| {
            vec![
                "Nothing is signed with it, ever again. This cannot be undone.".to_owned(),
                stays_open(item),
                format!("NOT done: the key still exists at {}. Its owner deletes it there.", venue(item)),
            ]
        },
        pointless: revoked,
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/revoke", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Delete,
        key: Char('D'),
        verb: "delete",
        done: "deleted",
        what: "deletes it, with everything that is sealed for it",
        danger: Danger::D3,
        before: Before::Plan,
        reason: Reason::Asked,
        method: Method::Delete,
        path: |target| target.of_tenant(&format!("credentials/{}", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Probe,
        key: Char('p'),
        verb: "probe",
        done: "probed",
        what: "asks the venue what the key may do",
        danger: Danger::D0,
        many: true,
        before: Before::Nothing,
        reason: Reason::None,
        said: |item| vec![format!("{} is asked what the key may do.", venue(item))],
        pointless: revoked,
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/probe", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Reenroll,
        key: Char('E'),
        verb: "ask for a new key of",
        done: "asked for a new key of",
        what: "asks its owner for a new key; it stays as it is until then",
        danger: Danger::D1,
        many: true,
        before: Before::Nothing,
        reason: Reason::Unsaid("asked from the console"),
        said: |_| vec!["Its owner is told that a new key is needed.".to_owned()],
        pointless: revoked,
        method: Method::Post,
        path: |target| target.of_tenant(&format!("credentials/{}/reenroll", target.id())),
        ..Act::PLAIN
    },
];

fn revoked(item: &Item) -> Option<&'static str> {
    (item.state == "revoked").then_some("it is revoked already: nothing is signed with it, ever again")
}

fn venue(item: Option<&Item>) -> String {
    item.and_then(|item| item.cells.get(VENUE)).and_then(Cell::text).unwrap_or("its venue").to_owned()
}

fn stays_open(item: Option<&Item>) -> String {
    format!("What is in flight may still be answered by {}; open orders stay open.", venue(item))
}

/// Which of the facts is the venue.
const VENUE: usize = 2;

fn item(view: &CredentialView) -> Option<Item> {
    let ceiling = format!("{} {}", view.ceiling.class, view.ceiling.products.join(","));
    let addresses = if view.ip_restricted { "listed ones only" } else { "not restricted, as far as the venue says" };
    let item = Item::new(&view.id, &view.label, view.state.as_str())?;
    Some(item.with([
        Cell::plain(&view.label),
        Cell::plain(&view.owner),
        Cell::plain(&view.venue),
        state(view.state.as_str()),
        health(view.health.as_str()),
        Cell::plain(ceiling.trim_end()),
        Cell::Number(view.version.into()),
        Cell::ago(&view.created_at),
        view.last_used_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::plain(&view.id),
        Cell::plain(&view.tenant),
        Cell::plain(&view.kind),
        Cell::plain(&view.mode),
        Cell::plain(&view.hint),
        Cell::plain(addresses),
        Cell::plain(view.powers.join(", ")),
        Cell::ago(&view.changed_at),
        Cell::ago(&view.probed_at),
        view.expires_at.as_ref().map_or(Cell::Nothing, Cell::left),
        if view.reenroll.is_some() { Cell::toned("is waited for", Tone::Caution) } else { Cell::Nothing },
        Cell::maybe(view.kek_version.map(|version| format!("version {version}"))),
    ]))
}

pub(super) fn state(word: &str) -> Cell {
    let (glyph, tone) = match word {
        "active" => (Glyph::On, Tone::Good),
        "frozen" => (Glyph::Stopped, Tone::Caution),
        "reduce-only" => (Glyph::Half, Tone::Caution),
        "pending" => (Glyph::Waiting, Tone::Caution),
        "revoked" => (Glyph::Ended, Tone::Bad),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}

fn health(word: &str) -> Cell {
    let (glyph, tone) = match word {
        "ok" => (Glyph::On, Tone::Good),
        "suspect" | "unproven" => (Glyph::Half, Tone::Caution),
        "dead" => (Glyph::Ended, Tone::Bad),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}
