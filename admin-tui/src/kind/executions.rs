//! Executions: what apps had done at venues.

use claviger_core::store::ExecutionState;
use claviger_core::view::ExecutionView;
use serde_json::Value;

use super::item::{Cell, Glyph, Item, Tone};
use super::read::short;
use super::{Closer, Shape, column, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "executions",
    aliases: &["exec"],
    one: "execution",
    what: "what this tenant's apps had done at venues, newest first",
    empty: "nothing was executed here yet",
    facts: &[
        column("age", 4, 0, 60),
        column("operation", 20, 10, 60),
        column("venue", 14, 4, 60),
        column("state", 12, 0, 60),
        column("status", 6, 0, 80),
        column("credential", 10, 0, 80),
        column("receipt", 9, 0, 110),
        detail("id"),
        detail("at"),
        detail("used"),
        detail("answer to"),
        detail("valid until"),
        detail("log"),
        detail("leaf hash"),
    ],
    events: &["execution"],
    path: |target| target.of_credential("executions"),
    read: |bytes| read::page(bytes, item),
    closer: Some(Closer {
        path: |target| target.of_tenant(&format!("executions/{}", target.id())),
        read: |bytes| read::one(bytes, |view| Some(item(view)?.told(&answer(view)))),
    }),
    ..Shape::PLAIN
};

fn item(view: &ExecutionView) -> Option<Item> {
    Some(Item::new(&view.id, &view.operation, view.state.as_str())?.with([
        Cell::ago(&view.at),
        Cell::plain(&view.operation),
        Cell::plain(&view.venue.id),
        state(view.state),
        view.venue.status.map_or(Cell::Nothing, |status| Cell::Number(status.into())),
        view.credential.as_deref().map_or(Cell::Nothing, |id| Cell::plain(short(id))),
        Cell::Number(view.receipt.seq),
        Cell::plain(&view.id),
        Cell::plain(&view.at),
        Cell::maybe(view.credential.as_ref()),
        Cell::maybe(view.venue.answer_to.as_ref()),
        Cell::maybe(view.valid_until.as_ref()),
        Cell::plain(&view.receipt.origin),
        Cell::plain(&view.receipt.leaf_hash),
    ]))
}

/// What the venue answered. Lists do not say it.
fn answer(view: &ExecutionView) -> String {
    let text = match &view.venue.body {
        None if view.venue.status.is_some() => "The venue's answer is not kept any more.".to_owned(),
        None => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(body) => serde_json::to_string_pretty(body).unwrap_or_default(),
    };
    text.chars().take(CHARS_MAX).collect()
}

/// Of a longer answer, the beginning is shown.
const CHARS_MAX: usize = 32_000;

fn state(state: ExecutionState) -> Cell {
    let (glyph, tone) = match state {
        ExecutionState::Open => (Glyph::Going, Tone::Plain),
        ExecutionState::Acked => (Glyph::On, Tone::Good),
        ExecutionState::Released => (Glyph::Waiting, Tone::Good),
        ExecutionState::Rejected => (Glyph::Stopped, Tone::Caution),
        ExecutionState::Unknown => (Glyph::Unknown, Tone::Bad),
        ExecutionState::Failed => (Glyph::Ended, Tone::Bad),
    };
    Cell::word(glyph, state.as_str(), tone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Target;
    use super::super::testing::{fact, path, read, scope};
    use super::*;

    #[test]
    fn shows_what_the_venue_said() {
        let execution = json!({"id": "exec_01a", "state": "acked", "operation": "order.place",
            "credential": "cred_01k6g0000000000000000000a1", "at": "2026-11-22T08:00:00.000Z",
            "venue": {"id": "binance", "status": 200, "body": {"orderId": 7, "text": "\u{1b}]0;x\u{7}"}},
            "receipt": {"origin": "claviger/log", "seq": 812, "leaf_hash": "ab"}});
        let listed = read(&SHAPE, &json!({"data": [execution]})).items.remove(0);
        assert!(listed.text.is_empty(), "{:?}", listed.text);
        let item = (SHAPE.closer.unwrap().read)(execution.to_string().as_bytes()).unwrap().unwrap();
        let item = &item;
        assert!(fact(&SHAPE, item, "state").contains("acked"));
        assert_eq!(fact(&SHAPE, item, "status"), "Number(200)");
        assert!(fact(&SHAPE, item, "credential").contains("…00a1"));
        assert_eq!(item.text.len(), 4, "{:?}", item.text);
        assert!(item.text.iter().all(|line| !line.as_str().contains('\u{1b}')));
    }

    #[test]
    fn of_a_credential_only_its_own_are_asked_for() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/executions");
        assert_eq!(path(&SHAPE, &["cred_01a"]), "/api/v1/tenants/acme/executions?credential=cred_01a");
        assert_eq!(path(&SHAPE, &["app_01a"]), "/api/v1/tenants/acme/executions");
        let one = Target { scope: &scope(&[]), id: "exec_01a", item: None };
        assert_eq!((SHAPE.closer.unwrap().path)(&one), "/api/v1/tenants/acme/executions/exec_01a");
    }
}
