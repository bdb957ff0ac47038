//! Operators.

use claviger_core::view::OperatorView;

use super::act::{Act, Before, Deed, Method, Question, QuestionKind, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Shape, column, detail, read};
use crate::event::Key::{Char, Ctrl};
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "operators",
    aliases: &["operator", "op"],
    one: "operator",
    what: "who may log in, and as what",
    empty: "there is no operator that you manage",
    facts: &[
        column("name", 16, 20, 60),
        column("role", 14, 10, 60),
        column("second factor", 14, 0, 60),
        column("age", 4, 0, 60),
        column("bound to", 30, 0, 110),
        detail("id"),
    ],
    acts: ACTS,
    events: &["operator"],
    path: |target| target.api("operators"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

const ACTS: &[Act] = &[
    Act {
        deed: Deed::Invite,
        key: Char('N'),
        verb: "invite an operator",
        done: "operator invited",
        what: "has an operator made, who sets the factors by an invitation",
        danger: Danger::D2,
        on_list: true,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: &[
            Question { name: "name", label: "login name", kind: QuestionKind::Text(1) },
            ROLE,
            Question { name: "tenant", label: "bound to tenant, else as you are", kind: QuestionKind::Text(0) },
        ],
        said: |_| vec![HALVES.to_owned()],
        method: Method::Post,
        path: |target| target.api("operators"),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::ChangeRole,
        key: Char('C'),
        verb: "change the role of",
        done: "role changed of",
        what: "gives them another role; one that allows more takes a second operator",
        danger: Danger::D2,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: &[ROLE],
        method: Method::Patch,
        path: |target| target.api(&format!("operators/{}", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Reset,
        key: Ctrl('r'),
        verb: "reset the factors of",
        done: "factors reset of",
        what: "has them set password, codes and passkeys anew; their logins end then",
        danger: Danger::D2,
        before: Before::Plan,
        reason: Reason::Asked,
        said: |_| vec![HALVES.to_owned()],
        method: Method::Post,
        path: |target| target.api(&format!("operators/{}/reset", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Remove,
        key: Char('D'),
        verb: "remove",
        done: "removed",
        what: "removes them: all their logins end",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::None,
        said: |_| {
            vec![
                "All their logins end at once, and they cannot log in again.".to_owned(),
                "What they asked for and nobody approved yet is not done.".to_owned(),
            ]
        },
        method: Method::Delete,
        path: |target| target.api(&format!("operators/{}", target.id())),
        ..Act::PLAIN
    },
];

const ROLE: Question = Question { name: "role", label: "role", kind: QuestionKind::Text(1) };

const HALVES: &str =
    "You are shown half of an invitation, once, and who approves it the other half. Hand them on apart.";

fn item(view: &OperatorView) -> Option<Item> {
    let second = if view.second_factor {
        Cell::word(Glyph::On, "set", Tone::Good)
    } else {
        Cell::word(Glyph::Alert, "none", Tone::Caution)
    };
    Some(Item::new(&view.id, &view.name, "")?.with([
        Cell::plain(&view.name),
        Cell::plain(&view.role),
        second,
        view.created_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::maybe(view.tenant.as_ref()),
        Cell::plain(&view.id),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn says_who_has_no_second_factor() {
        let answer = json!({ "data": [
            { "id": "op_1", "name": "ada", "role": "admin", "second_factor": true },
            { "id": "op_2", "name": "bob", "role": "viewer", "second_factor": false, "tenant": "ten_1",
              "created_at": "2026-11-22T08:00:00.000Z" },
        ] });
        let items = read(&SHAPE, &answer).items;
        assert!(fact(&SHAPE, &items[0], "second factor").contains("set"));
        assert!(fact(&SHAPE, &items[1], "second factor").contains("none"));
        assert_eq!(fact(&SHAPE, &items[0], "bound to"), "Nothing");
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/operators");
        assert_eq!(sent(&SHAPE, Deed::Invite, &[], ""), "Post /api/v1/operators name? role? tenant? reason?");
        assert_eq!(sent(&SHAPE, Deed::ChangeRole, &[], "op_1"), "Patch /api/v1/operators/op_1 role? reason?");
        assert_eq!(sent(&SHAPE, Deed::Reset, &[], "op_1"), "Post /api/v1/operators/op_1/reset reason?");
        assert_eq!(sent(&SHAPE, Deed::Remove, &[], "op_1"), "Delete /api/v1/operators/op_1");
    }
}
