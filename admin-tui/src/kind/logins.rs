//! Logins: of everybody, and one's own.

use claviger_core::view::LoginView;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, column, detail, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "logins",
    aliases: &["login"],
    one: "login",
    what: "who is logged in, from where and by what",
    empty: "nobody is logged in",
    facts: &[
        column("operator", 12, 12, 60),
        column("by", 15, 0, 60),
        column("address", 15, 24, 60),
        column("age", 4, 0, 60),
        column("ends in", 8, 0, 80),
        column("device", 12, 40, 80),
        detail("id"),
    ],
    acts: &[
        Act { path: |target| target.api(&format!("logins/{}", target.id())), ..END },
        Act {
            deed: Deed::Review,
            key: Char('V'),
            verb: "review",
            done: "reviewed",
            what: "notes that you have reviewed what another operator did with a break-glass code",
            danger: Danger::D1,
            before: Before::Nothing,
            reason: Reason::Asked,
            said: |_| vec!["The audit log keeps that you looked, and what you found. The login goes on.".to_owned()],
            pointless: |item| (item.state != BREAK_GLASS).then_some("only logins by break-glass code are reviewed"),
            method: Method::Post,
            path: |target| target.api(&format!("logins/{}/review", target.id())),
            ..Act::PLAIN
        },
    ],
    events: &["login"],
    path: |target| target.api("logins"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

/// The operator's own.
pub(super) const OWN: Shape = Shape {
    name: "own-logins",
    aliases: &["me"],
    one: "login",
    what: "your own logins, this one among them",
    empty: "you are not logged in",
    acts: &[Act { path: |target| target.api(&format!("me/logins/{}", target.id())), ..END }],
    path: |target| target.api("me/logins"),
    ..SHAPE
};

/// Its path is that of whoever may end it.
const END: Act = Act {
    deed: Deed::End,
    key: Char('X'),
    verb: "end",
    done: "ended",
    what: "ends it: whoever has it must log in again",
    danger: Danger::D1,
    many: true,
    before: Before::Nothing,
    reason: Reason::None,
    said: |_| vec!["Whoever has it must log in again. If it is this console's own, it asks you too.".to_owned()],
    method: Method::Delete,
    path: |target| target.api(&format!("logins/{}", target.id())),
    ..Act::PLAIN
};

const BREAK_GLASS: &str = "break-glass";

fn item(view: &LoginView) -> Option<Item> {
    Some(Item::new(&view.id, &format!("{} on {}", view.operator, view.device), &view.kind)?.with([
        Cell::plain(&view.operator),
        kind(&view.kind),
        Cell::plain(&view.address),
        Cell::ago(&view.created_at),
        Cell::left(&view.expires_at),
        Cell::plain(&view.device),
        Cell::plain(&view.id),
    ]))
}

fn kind(word: &str) -> Cell {
    let (glyph, tone) = match word {
        "passkey" | "password+code" => (Glyph::On, Tone::Good),
        "password" => (Glyph::Half, Tone::Caution),
        BREAK_GLASS => (Glyph::Alert, Tone::Bad),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Cell::word(glyph, word, tone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    fn login(kind: &str) -> Item {
        let answer = json!({ "data": [{ "id": "login_1", "operator": "ada", "kind": kind, "address": "127.0.0.1",
            "device": "console", "created_at": "2026-11-22T08:00:00.000Z",
            "expires_at": "2026-11-22T20:00:00.000Z" }] });
        assert_eq!(read(&OWN, &answer).items.len(), 1);
        read(&SHAPE, &answer).items.swap_remove(0)
    }

    #[test]
    fn only_what_was_made_in_an_emergency_is_reviewed() {
        let review = SHAPE.acts.iter().find(|act| act.deed == Deed::Review).unwrap();
        assert!((review.pointless)(&login("passkey")).is_some());
        assert_eq!((review.pointless)(&login("break-glass")), None);
        assert!(fact(&SHAPE, &login("break-glass"), "by").contains("Alert"));
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!((path(&SHAPE, &[]), path(&OWN, &[])), ("/api/v1/logins".into(), "/api/v1/me/logins".into()));
        assert_eq!(sent(&SHAPE, Deed::End, &[], "login_1"), "Delete /api/v1/logins/login_1");
        assert_eq!(sent(&SHAPE, Deed::Review, &[], "login_1"), "Post /api/v1/logins/login_1/review reason?");
        assert_eq!(sent(&OWN, Deed::End, &[], "login_1"), "Delete /api/v1/me/logins/login_1");
    }
}
