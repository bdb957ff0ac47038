//! What is done about an incident.

use super::super::act::{Act, Before, Deed, Method, Question, QuestionKind, Reason, Typed};
use super::super::item::{Cell, Item};
use super::TOUCHES;
use crate::event::Key::{Char, Ctrl};
use crate::keymap::Danger;

pub(super) const ACTS: &[Act] = &[
    Act {
        deed: Deed::Freeze,
        key: Char('F'),
        verb: "contain (frozen)",
        done: "contained (frozen)",
        what: "freezes everything that it touches, in one act",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::Unsaid("contained from the console"),
        said: |item| {
            vec![
                format!("Nothing more is signed for {}, until an operator lets it go on.", touched(item)),
                OWNERS_ARE_TOLD.to_owned(),
                STAYS_OPEN.to_owned(),
            ]
        },
        pointless: closed,
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/contain", target.id())),
        body: &[("state", Typed::Text("frozen"))],
        ..Act::PLAIN
    },
    Act {
        deed: Deed::ReduceOnly,
        key: Char('O'),
        verb: "contain (reduce-only)",
        done: "contained (reduce-only)",
        what: "lets only cancels and closing orders through in everything that it touches",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::Unsaid("contained from the console"),
        said: |item| {
            vec![
                format!("Only cancels and closing orders are signed for {}.", touched(item)),
                OWNERS_ARE_TOLD.to_owned(),
                STAYS_OPEN.to_owned(),
            ]
        },
        pointless: closed,
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/contain", target.id())),
        body: &[("state", Typed::Text("reduce-only"))],
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Revoke,
        key: Ctrl('x'),
        verb: "contain (revoked)",
        done: "contained (revoked)",
        what: "revokes everything that it touches, for good",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::Asked,
        questions: &[Question { name: "confirm", label: "id in its scope", kind: QuestionKind::Text(1) }],
        said: |item| {
            vec![
                format!("Nothing is signed for {}, ever again. This cannot be undone.", touched(item)),
                format!("It touches `{}`: type the id in that, to say that you mean it.", scope(item)),
                OWNERS_ARE_TOLD.to_owned(),
                STAYS_OPEN.to_owned(),
                "NOT done: the keys still exist at their venues. Their owners delete them there.".to_owned(),
            ]
        },
        pointless: |item| match scope(Some(item)) {
            "everything" => Some("everything would never be signed for again: freeze it"),
            venue if venue.starts_with("venue ") => Some("a whole venue would never be signed for again: freeze it"),
            _ => closed(item),
        },
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/contain", target.id())),
        body: &[("state", Typed::Text("revoked"))],
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Notify,
        key: Ctrl('n'),
        verb: "tell owners of",
        done: "owners told of",
        what: "tells the owners of everything that it touches, each once, what they are to do",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[Question { name: "text", label: "what they are to do", kind: QuestionKind::Text(1) }],
        said: |item| {
            vec![
                format!("A letter with these words goes to the owners of {}. It cannot be called back.", touched(item)),
                "Whom no letter reaches is listed under unreached.".to_owned(),
            ]
        },
        pointless: closed,
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/notify", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Publish,
        key: Char('P'),
        verb: "publish",
        done: "published",
        what: "has everybody read of it",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[Question { name: "summary", label: "summary, else as it is", kind: QuestionKind::Text(0) }],
        said: |_| {
            vec![
                "Everybody can read its title, its severity and its summary, on the public page of incidents."
                    .to_owned(),
                "Once it is closed, its root cause and its measures too. Nothing of that is taken back.".to_owned(),
            ]
        },
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/publish", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Meet,
        key: Char('C'),
        verb: "meet a clock of",
        done: "clock met of",
        what: "notes that what a clock is about was done, or why it need not be",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[
            Question {
                name: "clock",
                label: "clock",
                kind: QuestionKind::Choice(&["publish", "notify", "dora-initial", "dora-intermediate", "dora-final"]),
            },
            Question { name: "text", label: "how, or why not", kind: QuestionKind::Text(1) },
        ],
        said: |_| vec!["The clock stops, and the timeline says why. It does not run again.".to_owned()],
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/clocks", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Note,
        key: Char('A'),
        verb: "add a note to",
        done: "note added to",
        what: "adds to its timeline what was known or done",
        danger: Danger::D1,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[
            Question { name: "kind", label: "kind", kind: QuestionKind::Choice(&["known", "done"]) },
            Question { name: "text", label: "text", kind: QuestionKind::Text(1) },
        ],
        said: |_| vec!["The timeline keeps it for good, with your name and the time.".to_owned()],
        pointless: closed,
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/timeline", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Close,
        key: Ctrl('w'),
        verb: "review and close",
        done: "reviewed and closed",
        what: "reviews it and closes it; whoever opened it does not",
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[
            Question { name: "root_cause", label: "root cause", kind: QuestionKind::Text(10) },
            Question { name: "measures", label: "measures", kind: QuestionKind::Text(10) },
        ],
        said: |_| {
            vec![
                "It is closed for good. What it stopped stays stopped, and reports to a supervisor stay due."
                    .to_owned(),
                "If it is published, everybody reads the root cause and the measures.".to_owned(),
            ]
        },
        pointless: closed,
        method: Method::Post,
        path: |target| target.api(&format!("incidents/{}/close", target.id())),
        ..Act::PLAIN
    },
    Act {
        deed: Deed::Open,
        key: Char('N'),
        verb: "open an incident",
        done: "incident opened",
        what: "opens one; its clocks run from the moment that it was known",
        danger: Danger::D1,
        on_list: true,
        before: Before::Nothing,
        reason: Reason::None,
        questions: &[
            Question { name: "title", label: "title", kind: QuestionKind::Text(1) },
            Question {
                name: "severity",
                label: "severity",
                kind: QuestionKind::Choice(&["low", "medium", "high", "critical"]),
            },
            Question {
                name: "scope.kind",
                label: "it touches",
                kind: QuestionKind::Choice(&["credential", "owner", "app", "tenant", "venue", "all"]),
            },
            Question { name: "scope.id", label: "which: its id", kind: QuestionKind::Text(0) },
            Question { name: "summary", label: "summary", kind: QuestionKind::Text(0) },
            Question { name: "detected_at", label: "known since, else now", kind: QuestionKind::Text(0) },
        ],
        said: |_| {
            vec![
                "Nothing is stopped by it: contain it for that.".to_owned(),
                "Of a tenant, it is this one. Once it is published, everybody reads its title and its summary."
                    .to_owned(),
            ]
        },
        method: Method::Post,
        path: |target| target.api("incidents"),
        body: &[("scope.tenant", Typed::Tenant)],
        ..Act::PLAIN
    },
];

const OWNERS_ARE_TOLD: &str = "Their owners are told, the first time that it goes so far.";

const STAYS_OPEN: &str = "What is in flight may still be answered by the venues; open orders stay open.";

fn closed(item: &Item) -> Option<&'static str> {
    (item.state == "closed").then_some("it is closed: open another incident")
}

/// What it touches, as the API says it: `credential cred_…`.
fn scope(item: Option<&Item>) -> &str {
    item.and_then(|item| item.cells.get(TOUCHES)).and_then(Cell::text).unwrap_or("everything")
}

/// How much that is, in words.
fn touched(item: Option<&Item>) -> String {
    match scope(item).split_once(' ') {
        Some(("credential", id)) => format!("one credential, {id}"),
        Some(("owner", id)) => format!("all credentials of the owner {id}"),
        Some(("tenant", id)) => format!("all credentials of the tenant {id}"),
        Some(("venue", id)) => format!("all credentials at {id}"),
        Some((kind, id)) => format!("all that is asked for under the {kind} {id}"),
        None => "any credential of any tenant".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::sent;
    use super::super::tests::{one, open};
    use super::*;

    fn act(deed: Deed) -> &'static Act {
        ACTS.iter().find(|act| act.deed == deed).unwrap()
    }

    #[test]
    fn each_asks_as_the_api_wants_it() {
        let of = |deed| sent(&super::super::SHAPE, deed, &[], "inc_1");
        let contain = "Post /api/v1/incidents/inc_1/contain";
        assert_eq!(of(Deed::Freeze), format!("{contain} state=frozen reason?"));
        assert_eq!(of(Deed::ReduceOnly), format!("{contain} state=reduce-only reason?"));
        assert_eq!(of(Deed::Revoke), format!("{contain} state=revoked confirm? reason?"));
        assert_eq!(of(Deed::Notify), "Post /api/v1/incidents/inc_1/notify text?");
        assert_eq!(of(Deed::Publish), "Post /api/v1/incidents/inc_1/publish summary?");
        assert_eq!(of(Deed::Meet), "Post /api/v1/incidents/inc_1/clocks clock? text?");
        assert_eq!(of(Deed::Note), "Post /api/v1/incidents/inc_1/timeline kind? text?");
        assert_eq!(of(Deed::Close), "Post /api/v1/incidents/inc_1/close root_cause? measures?");
        assert_eq!(
            sent(&super::super::SHAPE, Deed::Open, &[], ""),
            "Post /api/v1/incidents scope.tenant=acme title? severity? scope.kind? scope.id? summary? detected_at?"
        );
    }

    #[test]
    fn containing_says_how_much_is_stopped() {
        let said = |scope: &str| {
            let mut view = open();
            view["scope"] = scope.into();
            (act(Deed::Freeze).said)(Some(&one(&view))).swap_remove(0)
        };
        assert!(said("credential cred_1").contains("for one credential, cred_1, until"));
        assert!(said("owner ten_1/eu_7f21").contains("for all credentials of the owner ten_1/eu_7f21, until"));
        assert!(said("everything").contains("for any credential of any tenant, until"));
    }

    #[test]
    fn all_there_is_and_what_is_closed_is_not_revoked() {
        let pointless = |scope: &str, state: &str| {
            let mut view = open();
            (view["scope"], view["state"]) = (scope.into(), state.into());
            (act(Deed::Revoke).pointless)(&one(&view)).is_some()
        };
        assert!(pointless("everything", "open") && pointless("venue binance", "open"));
        assert!(!pointless("tenant ten_1", "open") && pointless("tenant ten_1", "closed"));
    }

    #[test]
    fn what_is_chosen_is_what_the_api_knows() {
        use claviger_core::incident::{NoteKind, Severity};
        use serde_json::{Value, from_value};
        let words = |deed, name| {
            let question = act(deed).questions.iter().find(|question| question.name == name).unwrap();
            let QuestionKind::Choice(words) = question.kind else { panic!("no choice") };
            words.iter().map(|word| Value::from(*word))
        };
        assert!(words(Deed::Open, "severity").all(|word| from_value::<Severity>(word).is_ok()));
        assert!(words(Deed::Note, "kind").all(|word| from_value::<NoteKind>(word).is_ok()));
    }

    #[test]
    fn clocks_can_be_chosen_as_the_api_knows_them() {
        use claviger_core::incident::Duty;
        let QuestionKind::Choice(words) = act(Deed::Meet).questions[0].kind else { panic!("no choice") };
        let mut known = Duty::ALL.map(Duty::as_str);
        let mut words = words.to_vec();
        known.sort_unstable();
        words.sort_unstable();
        assert_eq!(words, known);
    }
}
