//! Apps, and what they authenticate with.

use std::collections::BTreeMap;

use claviger_core::view::{AppView, AuthenticatorView};

use super::act::{Act, Before, Deed, Method, Reason, Target};
use super::item::{Cell, Item};
use super::read::short;
use super::{Closer, Kind, Shape, column, detail, read};
use crate::event::Key::Ctrl;
use crate::keymap::Danger;

pub(super) const SHAPE: Shape = Shape {
    name: "apps",
    aliases: &["app"],
    one: "app",
    what: "this tenant's apps, and what each authenticates with",
    empty: "this tenant has no app",
    facts: &[
        column("name", 20, 20, 60),
        column("authenticates by", 18, 20, 60),
        column("used", 5, 0, 60),
        column("age", 5, 0, 60),
        detail("id"),
        detail("tenant"),
    ],
    parts: &[Kind::Grants, Kind::Authenticators],
    acts: &[REVOKE],
    events: &["app"],
    path: |target| target.of_tenant("apps"),
    read: |bytes| read::page(bytes, item),
    closer: Some(Closer { path: one, read: |bytes| read::one(bytes, item) }),
    ..Shape::PLAIN
};

const REVOKE: Act = Act {
    deed: Deed::Revoke,
    key: Ctrl('x'),
    verb: "revoke",
    done: "revoked",
    what: "revokes it for good: its access tokens are refused, and nothing is signed for it",
    danger: Danger::D2,
    before: Before::Plan,
    reason: Reason::Asked,
    said: |_| {
        vec![
            "Nothing is signed for it, ever again. This cannot be undone.".to_owned(),
            "What is in flight may still be answered by the venue; open orders stay open.".to_owned(),
        ]
    },
    method: Method::Post,
    path: |target| target.of_tenant(&format!("apps/{}/revoke", target.id())),
    ..Act::PLAIN
};

fn one(target: &Target<'_>) -> String {
    target.of_tenant(&format!("apps/{}", target.id()))
}

fn item(view: &AppView) -> Option<Item> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &view.authenticators {
        let count = kinds.entry(one.kind.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let item = Item::new(&view.id, &view.name, "")?.with([
        Cell::plain(&view.name),
        if kinds.is_empty() { Cell::plain("nothing") } else { Cell::plain(kinds.join(", ")) },
        view.last_used_at.as_ref().map_or_else(|| Cell::plain("never"), Cell::ago),
        Cell::ago(&view.created_at),
        Cell::plain(&view.id),
        Cell::plain(&view.tenant),
    ]);
    Some(view.authenticators.iter().fold(item, |item, one| {
        let used = one.last_used_at.as_ref().map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
        item.known(&format!("{} {}", one.kind, short(&one.id)), Cell::plain(format!("made {}, {used}", one.created_at)))
    }))
}

/// What an app authenticates with.
pub(super) const AUTHENTICATORS: Shape = Shape {
    name: "authenticators",
    one: "authenticator",
    what: "the secrets, keys and certificates of an app",
    empty: "this app has nothing to authenticate with: it cannot get in",
    facts: &[
        column("kind", 12, 0, 60),
        column("id", 31, 0, 60),
        column("used", 5, 0, 60),
        column("age", 5, 0, 60),
        detail("algorithm"),
        detail("thumbprint"),
    ],
    acts: &[
        end(Deed::EndSecret, 's', "end the secret", "ends a secret: access tokens given for it are refused", SECRET),
        end(Deed::EndKey, 'k', "end the key", "ends a key: access tokens given for its assertions are refused", KEY),
        end(
            Deed::EndCertificate,
            't',
            "end the certificate",
            "ends a certificate: access tokens given for it or bound to it are refused",
            CERTIFICATE,
        ),
    ],
    hangs_on_another: true,
    events: &["app"],
    path: |target| target.of_tenant(&format!("apps/{}", target.on_the_way(0))),
    read: |bytes| read::inner(bytes, |view: &AppView| &view.authenticators, authenticator),
    ..Shape::PLAIN
};

/// Each kind has a route of its own: why an act is not for others, and where it goes.
type Route = (fn(&Item) -> Option<&'static str>, fn(&Target<'_>) -> String);
const SECRET: Route = (
    |item| (item.state != "secret").then_some("it is no secret: ^k ends a key, ^t a certificate"),
    |target| target.of_tenant(&format!("apps/{}/secrets/{}", target.on_the_way(0), target.id())),
);
const KEY: Route = (
    |item| (item.state != "key").then_some("it is no key: ^s ends a secret, ^t a certificate"),
    |target| target.of_tenant(&format!("apps/{}/keys/{}", target.on_the_way(0), target.id())),
);
const CERTIFICATE: Route = (
    |item| (item.state != "certificate").then_some("it is no certificate: ^s ends a secret, ^k a key"),
    |target| target.of_tenant(&format!("apps/{}/certificates/{}", target.on_the_way(0), target.id())),
);

const fn end(deed: Deed, key: char, verb: &'static str, what: &'static str, (pointless, path): Route) -> Act {
    Act {
        deed,
        key: Ctrl(key),
        verb,
        done: "ended",
        what,
        danger: Danger::D2,
        before: Before::Nothing,
        reason: Reason::None,
        said: |_| {
            vec!["Access tokens that were given for it are refused at once, and no new one is given for it.".to_owned()]
        },
        pointless,
        method: Method::Delete,
        path,
        ..Act::PLAIN
    }
}

fn authenticator(view: &AuthenticatorView) -> Option<Item> {
    let item = Item::new(&view.id, &format!("{} {}", view.kind, short(&view.id)), &view.kind)?;
    Some(item.with([
        Cell::plain(&view.kind),
        Cell::plain(&view.id),
        view.last_used_at.as_ref().map_or_else(|| Cell::plain("never"), Cell::ago),
        Cell::ago(&view.created_at),
        Cell::maybe(view.alg.as_ref()),
        Cell::maybe(view.thumbprint.as_ref()),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{fact, path, read, sent};
    use super::*;

    fn app() -> Value {
        let made = "2026-11-22T08:00:00.000Z";
        json!({"id": "app_01a", "tenant": "ten_1", "name": "gridbot", "created_at": made, "authenticators": [
            {"id": "auth_1", "kind": "secret", "created_at": made, "last_used_at": made},
            {"id": "auth_2", "kind": "key", "alg": "EdDSA", "created_at": made},
            {"id": "auth_3", "kind": "secret", "created_at": made}]})
    }

    #[test]
    fn shows_what_an_app_authenticates_with() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/tenants/acme/apps");
        let page = read(&SHAPE, &json!({"data": [app()]}));
        let item = &page.items[0];
        assert!(fact(&SHAPE, item, "authenticates by").contains("1 key, 2 secret"));
        assert!(fact(&SHAPE, item, "used").contains("never"));
        assert_eq!(item.more.len(), 3);

        assert_eq!(path(&AUTHENTICATORS, &["app_01a"]), "/api/v1/tenants/acme/apps/app_01a");
        let items = read(&AUTHENTICATORS, &app()).items;
        assert_eq!(items.len(), 3);
        assert!(fact(&AUTHENTICATORS, &items[1], "algorithm").contains("EdDSA"));
        let refused = |item: &Item| AUTHENTICATORS.acts.iter().filter(|act| (act.pointless)(item).is_none()).count();
        assert!(items.iter().all(|item| refused(item) == 1), "each is ended by one act");
    }

    #[test]
    fn acts_are_what_the_api_takes() {
        assert_eq!(sent(&SHAPE, Deed::Revoke, &[], "app_01a"), "Post /api/v1/tenants/acme/apps/app_01a/revoke reason?");
        let sent = |deed| sent(&AUTHENTICATORS, deed, &["app_01a"], "auth_1");
        assert_eq!(sent(Deed::EndSecret), "Delete /api/v1/tenants/acme/apps/app_01a/secrets/auth_1");
        assert_eq!(sent(Deed::EndKey), "Delete /api/v1/tenants/acme/apps/app_01a/keys/auth_1");
        assert_eq!(sent(Deed::EndCertificate), "Delete /api/v1/tenants/acme/apps/app_01a/certificates/auth_1");
    }
}
