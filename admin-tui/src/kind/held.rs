//! Requests that a rule of the policy holds until an operator approves them.

use serde::Deserialize;

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Item};
use super::{Shape, column, detail, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "held",
    one: "held request",
    what: "requests of apps that a rule of the policy holds until an operator approves them",
    empty: "no request is held",
    facts: &[
        column("operation", 14, 10, 60),
        column("venue", 14, 0, 60),
        column("with", 20, 60, 60),
        column("age", 4, 0, 60),
        column("app", 30, 0, 110),
        detail("credential"),
        detail("id"),
    ],
    acts: ACTS,
    events: &["denial", "execution"],
    path: |target| target.of_tenant("held"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

const ACTS: &[Act] = &[Act {
    deed: Deed::Approve,
    key: Char('A'),
    verb: "approve",
    done: "approved",
    what: "lets the app make it once, within a quarter of an hour",
    danger: Danger::D2,
    before: Before::Nothing,
    reason: Reason::Asked,
    said: |item| {
        let app = item.and_then(|item| item.cells.get(APP)).and_then(Cell::text).unwrap_or("the app");
        let once = format!("{app} may make this very request once, within a quarter of an hour. It has to ask again.");
        let params = item.map_or_else(Vec::new, |item| item.text.iter().map(|line| line.as_str().to_owned()).collect());
        [once].into_iter().chain(params).collect()
    },
    method: Method::Post,
    path: |target| target.of_tenant(&format!("held/{}/approve", target.id())),
    ..Act::PLAIN
}];

/// Which of the facts is the app.
const APP: usize = 4;

/// A held request, as the API says it.
#[derive(Deserialize)]
struct HeldView {
    id: String,
    at: String,
    app: String,
    credential: Option<String>,
    venue: String,
    operation: String,
    params: Vec<(String, String)>,
}

fn item(view: &HeldView) -> Option<Item> {
    let params: Vec<String> = view.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let item = Item::new(&view.id, &format!("{} at {}", view.operation, view.venue), "held")?.with([
        Cell::plain(&view.operation),
        Cell::plain(&view.venue),
        Cell::plain(params.join(" ")),
        Cell::ago(&view.at),
        Cell::plain(&view.app),
        Cell::maybe(view.credential.as_ref()),
        Cell::plain(&view.id),
    ]);
    Some(params.iter().fold(item, |item, param| item.told(param)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn who_approves_reads_every_parameter() {
        let id = "ab".repeat(32);
        let answer = json!({ "data": [{ "id": id, "at": "2026-11-22T08:00:00.000Z", "app": "app_1",
            "credential": "cred_1", "venue": "mexc", "operation": "order.place",
            "params": [["symbol", "BTCUSDT"], ["quantity", "5"]] }] });
        let item = read(&SHAPE, &answer).items.swap_remove(0);
        assert!(fact(&SHAPE, &item, "with").contains("symbol=BTCUSDT quantity=5"));
        let said = (ACTS[0].said)(Some(&item));
        assert!(said[0].starts_with("app_1 may make this very request once"));
        assert_eq!(said[1..], ["symbol=BTCUSDT", "quantity=5"]);
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/held");
        assert_eq!(sent(&SHAPE, Deed::Approve, &[], "ab"), "Post /api/v1/tenants/acme/held/ab/approve reason?");
    }
}
