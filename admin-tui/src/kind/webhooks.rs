//! Webhooks, and what was sent to them.

use claviger_core::view::{WebhookDeliveryView, WebhookView};

use super::act::{Act, Before, Deed, Method, Reason};
use super::item::{Cell, Glyph, Item, Tone};
use super::{Kind, Shape, column, detail, read};
use crate::event::Key::Char;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "webhooks",
    aliases: &["wh"],
    one: "webhook",
    what: "where this tenant is told of what happens",
    empty: "this tenant has no webhook",
    facts: &[
        column("label", 16, 16, 60),
        column("host", 20, 20, 60),
        column("state", 12, 0, 60),
        column("took", 5, 0, 80),
        column("age", 5, 0, 80),
        detail("id"),
        detail("disabled"),
        detail("because"),
        detail("old secret until"),
    ],
    parts: &[Kind::Deliveries],
    acts: &[
        Act {
            deed: Deed::Test,
            key: Char('T'),
            verb: "test",
            done: "sent a ping",
            what: "sends it webhook.ping; one that is disabled and takes it is enabled again",
            danger: Danger::D0,
            many: true,
            before: Before::Nothing,
            reason: Reason::None,
            said: |_| {
                vec!["It is sent webhook.ping. If it is disabled and takes that, it is enabled again.".to_owned()]
            },
            method: Method::Post,
            path: |target| target.of_tenant(&format!("webhooks/{}/test", target.id())),
            ..Act::PLAIN
        },
        Act {
            deed: Deed::Delete,
            key: Char('D'),
            verb: "remove",
            done: "removed",
            what: "removes it, with what was and is to be sent to it",
            danger: Danger::D2,
            before: Before::Nothing,
            reason: Reason::None,
            said: |_| vec!["What waits to be sent to it is never sent. Its secret is gone.".to_owned()],
            method: Method::Delete,
            path: |target| target.of_tenant(&format!("webhooks/{}", target.id())),
            ..Act::PLAIN
        },
    ],
    path: |target| target.of_tenant("webhooks"),
    read: |bytes| read::page(bytes, item),
    ..Shape::PLAIN
};

fn item(view: &WebhookView) -> Option<Item> {
    let (glyph, tone) = if view.state == "active" { (Glyph::On, Tone::Good) } else { (Glyph::Stopped, Tone::Bad) };
    let because = view.disabled_because.as_deref().map(|because| match because {
        "gone" => "gone: its host said that it is not there any more",
        "failing" => "failing: it took nothing for days",
        other => other,
    });
    Some(Item::new(&view.id, &view.label, &view.state)?.with([
        Cell::plain(&view.label),
        Cell::plain(&view.host),
        Cell::word(glyph, &view.state, tone),
        view.last_taken_at.as_ref().map_or_else(|| Cell::plain("never"), Cell::ago),
        Cell::ago(&view.created_at),
        Cell::plain(&view.id),
        view.disabled_at.as_ref().map_or(Cell::Nothing, Cell::ago),
        Cell::maybe(because),
        view.previous_secret_until.as_ref().map_or(Cell::Nothing, Cell::left),
    ]))
}

/// What a webhook was sent, and is to be sent.
pub(super) const DELIVERIES: Shape = Shape {
    name: "deliveries",
    one: "delivery",
    what: "what a webhook was sent in 30 days and is to be sent, newest first",
    empty: "this webhook was sent nothing in 30 days",
    facts: &[
        column("age", 4, 0, 60),
        column("event", 26, 10, 60),
        column("state", 11, 0, 60),
        column("tries", 5, 0, 60),
        column("status", 6, 0, 80),
        column("fault", 15, 40, 80),
        detail("id"),
        detail("next try"),
        detail("last try"),
    ],
    acts: &[Act {
        deed: Deed::Redeliver,
        key: Char('R'),
        verb: "send again",
        done: "sent again",
        what: "sends it once more, under the same webhook-id",
        danger: Danger::D1,
        many: true,
        before: Before::Nothing,
        reason: Reason::None,
        said: |_| vec!["It is sent under the same webhook-id, by which its receiver knows it again.".to_owned()],
        pointless: |item| (item.state == "waiting").then_some("it is being tried: look at its next try"),
        method: Method::Post,
        path: |target| {
            target.of_tenant(&format!("webhooks/{}/deliveries/{}/redeliver", target.on_the_way(0), target.id()))
        },
        ..Act::PLAIN
    }],
    hangs_on_another: true,
    path: |target| target.of_tenant(&format!("webhooks/{}/deliveries", target.on_the_way(0))),
    read: |bytes| read::page(bytes, delivery),
    ..Shape::PLAIN
};

fn delivery(view: &WebhookDeliveryView) -> Option<Item> {
    let (glyph, tone) = match view.state.as_str() {
        "taken" => (Glyph::On, Tone::Good),
        "waiting" => (Glyph::Waiting, Tone::Caution),
        "given-up" => (Glyph::Ended, Tone::Bad),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    Some(Item::new(&view.id, &view.kind, &view.state)?.with([
        Cell::ago(&view.happened_at),
        Cell::plain(&view.kind),
        Cell::word(glyph, &view.state, tone),
        Cell::Number(view.attempts.into()),
        view.last_status.map_or(Cell::Nothing, |status| Cell::Number(status.into())),
        Cell::maybe(view.last_fault.as_ref()),
        Cell::plain(&view.id),
        view.next_attempt_at.as_ref().map_or(Cell::Nothing, Cell::left),
        view.last_attempt_at.as_ref().map_or(Cell::Nothing, Cell::ago),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    const AT: &str = "2026-11-22T08:00:00.000Z";

    #[test]
    fn says_why_a_webhook_is_disabled() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/webhooks");
        let hook = json!({"id": "hook_1", "label": "ops", "host": "example.org", "state": "disabled",
            "disabled_because": "failing", "disabled_at": AT, "created_at": AT});
        let page = read(&SHAPE, &json!({"data": [hook]}));
        assert!(fact(&SHAPE, &page.items[0], "state").contains("Bad"));
        assert!(fact(&SHAPE, &page.items[0], "because").contains("failing"));
        assert!(fact(&SHAPE, &page.items[0], "took").contains("never"));
    }

    #[test]
    fn only_what_is_not_being_tried_is_sent_again() {
        assert_eq!(path(&DELIVERIES, &["hook_1"]), "/api/v1/tenants/acme/webhooks/hook_1/deliveries");
        let delivery = |state: &str| {
            json!({"id": "msg_1", "type": "incident.opened", "happened_at": AT, "state": state, "attempts": 2,
                "last_status": 500, "last_fault": "it answered 500"})
        };
        let page = read(&DELIVERIES, &json!({"data": [delivery("waiting"), delivery("given-up"), delivery("taken")]}));
        let pointless = |item| (DELIVERIES.acts[0].pointless)(item).is_some();
        assert_eq!(page.items.iter().map(pointless).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(fact(&DELIVERIES, &page.items[1], "status"), "Number(500)");
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(sent(&SHAPE, Deed::Test, &[], "hook_1"), "Post /api/v1/tenants/acme/webhooks/hook_1/test");
        assert_eq!(sent(&SHAPE, Deed::Delete, &[], "hook_1"), "Delete /api/v1/tenants/acme/webhooks/hook_1");
        let again = sent(&DELIVERIES, Deed::Redeliver, &["hook_1"], "msg_1");
        assert_eq!(again, "Post /api/v1/tenants/acme/webhooks/hook_1/deliveries/msg_1/redeliver");
    }
}
