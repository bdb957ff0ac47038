//! What is stopped as a whole, and stopping it.

use serde::Deserialize;

use super::act::{Act, Before, Deed, Method, Question, QuestionKind, Reason, Typed};
use super::item::{Cell, Item};
use super::{Shape, column, detail, read};
use crate::event::Key::{Char, Ctrl};
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "stops",
    aliases: &["stop"],
    one: "stop",
    what: "what is stopped as a whole: everything, venues, your tenant; and stopping it",
    empty: "nothing is stopped as a whole",
    facts: &[
        column("stopped", 20, 30, 60),
        column("state", 13, 0, 60),
        detail("kind"),
        detail("venue"),
        detail("tenant"),
    ],
    acts: ACTS,
    events: &["stop"],
    path: |target| target.api("stops"),
    read: |bytes| read::list(bytes, item),
    ..Shape::PLAIN
};

/// Which of the facts say what is stopped, in the API's words.
const KIND: usize = 2;
const VENUE: usize = 3;
const TENANT: usize = 4;

const ACTS: &[Act] = &[
    Act {
        deed: Deed::Resume,
        key: Char('U'),
        verb: "let go on",
        done: "let go on",
        what: "lets it go on, once a second operator has approved it",
        danger: Danger::D2,
        before: Before::Plan,
        reason: Reason::Asked,
        pointless: |item| (item.state == "revoked").then_some("it is revoked: nothing is signed for it, ever again"),
        method: Method::Post,
        path: |target| target.api("stops/resume"),
        body: &[
            ("scope.kind", Typed::Fact(KIND)),
            ("scope.id", Typed::Fact(VENUE)),
            ("scope.tenant", Typed::Fact(TENANT)),
        ],
        ..Act::PLAIN
    },
    Act {
        deed: Deed::StopOwner,
        key: Char('O'),
        verb: "stop an owner",
        done: "owner stopped",
        what: "stops all credentials of an owner in this tenant",
        questions: &[Question { name: "scope.id", label: "owner", kind: QuestionKind::Text(1) }, HOW_FAR],
        body: &[("scope.kind", Typed::Text("owner")), ("scope.tenant", Typed::Tenant)],
        ..STOP
    },
    Act {
        deed: Deed::StopApp,
        key: Char('A'),
        verb: "stop an app",
        done: "app stopped",
        what: "stops all that an app asks for",
        questions: &[Question { name: "scope.id", label: "app: its id", kind: QuestionKind::Text(1) }, HOW_FAR],
        body: &[("scope.kind", Typed::Text("app"))],
        ..STOP
    },
    Act {
        deed: Deed::StopVenue,
        key: Char('V'),
        verb: "stop a venue",
        done: "venue stopped",
        what: "stops all credentials at a venue, of all tenants",
        questions: &[Question { name: "scope.id", label: "venue", kind: QuestionKind::Text(1) }, HOW_FAR],
        body: &[("scope.kind", Typed::Text("venue"))],
        ..STOP
    },
    Act {
        deed: Deed::StopTenant,
        key: Char('T'),
        verb: "stop this tenant",
        done: "tenant stopped",
        what: "stops all credentials of this tenant",
        questions: &[HOW_FAR],
        body: &[("scope.kind", Typed::Text("tenant")), ("scope.tenant", Typed::Tenant)],
        ..STOP
    },
    Act {
        deed: Deed::StopAll,
        key: Ctrl('e'),
        verb: "stop everything",
        done: "everything stopped",
        what: "stops all credentials of all tenants",
        questions: &[HOW_FAR],
        body: &[("scope.kind", Typed::Text("all"))],
        ..STOP
    },
    Act {
        deed: Deed::ResumeUnlisted,
        key: Ctrl('u'),
        verb: "let go on what is not listed",
        done: "let go on",
        what: "lets go on what this list does not show: an owner, an app or this tenant",
        danger: Danger::D2,
        before: Before::Plan,
        reason: Reason::Asked,
        questions: &[
            Question { name: "scope.kind", label: "kind", kind: QuestionKind::Choice(&["owner", "app", "tenant"]) },
            Question { name: "scope.id", label: "owner, or the app's id", kind: QuestionKind::Text(0) },
        ],
        path: |target| target.api("stops/resume"),
        body: &[("scope.tenant", Typed::Tenant)],
        ..STOP
    },
];

/// What stopping is like, of whatever.
const STOP: Act = Act {
    deed: Deed::StopAll,
    key: Ctrl('e'),
    verb: "stop",
    done: "stopped",
    what: "stops it",
    danger: Danger::D1,
    on_list: true,
    before: Before::Nothing,
    reason: Reason::Unsaid("stopped from the console"),
    questions: &[HOW_FAR],
    said: |_| {
        vec![
            "It is one act, however many credentials there are: when it is answered, nothing more is signed for them, \
             or with reduce-only cancels and closing orders alone."
                .to_owned(),
            "What is in flight may still be answered by the venues; open orders stay open.".to_owned(),
            "Letting it go on takes a second operator.".to_owned(),
        ]
    },
    method: Method::Post,
    path: |target| target.api("stops"),
    ..Act::PLAIN
};

const HOW_FAR: Question =
    Question { name: "state", label: "how far", kind: QuestionKind::Choice(&["frozen", "reduce-only"]) };

/// Something that is stopped, as the API says it.
#[derive(Deserialize)]
struct StoppedScope {
    scope: String,
    state: String,
}

fn item(view: &StoppedScope) -> Option<Item> {
    let (kind, id) = view.scope.split_once(' ').unwrap_or(("all", "everything"));
    let only = |of: &str| if kind == of { Cell::plain(id) } else { Cell::Nothing };
    Some(Item::new(id, &view.scope, &view.state)?.with([
        Cell::plain(&view.scope),
        super::credentials::state(&view.state),
        Cell::plain(kind),
        only("venue"),
        only("tenant"),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn what_is_stopped_can_be_named_again() {
        let answer = json!([
            { "scope": "everything", "state": "frozen" },
            { "scope": "venue mexc", "state": "reduce-only" },
            { "scope": "tenant ten_1", "state": "revoked" },
        ]);
        let items = read(&SHAPE, &answer).items;
        let named =
            |item: &Item| [KIND, VENUE, TENANT].map(|at| item.cells[at].text().unwrap_or("-").to_owned()).join(" ");
        assert_eq!(items.iter().map(named).collect::<Vec<_>>(), ["all - -", "venue mexc -", "tenant - ten_1"]);
        assert!(fact(&SHAPE, &items[1], "state").contains("reduce-only"));
        assert!((ACTS[0].pointless)(&items[2]).is_some() && (ACTS[0].pointless)(&items[0]).is_none());
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/stops");
        let of = |deed| sent(&SHAPE, deed, &[], "");
        let stop = "Post /api/v1/stops scope.kind";
        assert_eq!(of(Deed::StopOwner), format!("{stop}=owner scope.tenant=acme scope.id? state? reason?"));
        assert_eq!(of(Deed::StopApp), format!("{stop}=app scope.id? state? reason?"));
        assert_eq!(of(Deed::StopVenue), format!("{stop}=venue scope.id? state? reason?"));
        assert_eq!(of(Deed::StopTenant), format!("{stop}=tenant scope.tenant=acme state? reason?"));
        assert_eq!(of(Deed::StopAll), format!("{stop}=all state? reason?"));
        let resume = "Post /api/v1/stops/resume";
        assert_eq!(
            of(Deed::Resume),
            format!("{resume} scope.kind=its kind scope.id=its venue scope.tenant=its tenant reason?")
        );
        assert_eq!(of(Deed::ResumeUnlisted), format!("{resume} scope.tenant=acme scope.kind? scope.id? reason?"));
    }
}
