use serde_json::{Value as Json, json};

use super::*;
use crate::event::Moment;
use crate::kind::{Deed, KINDS};
use crate::state::dialog::DEAF_MS;
use crate::state::{Dialog, Planned};

fn scope() -> Scope {
    Scope { tenant: "acme & co/é".to_owned(), way: Vec::new() }
}

fn credential() -> Item {
    let view = json!({
        "id": "cred_01a", "tenant": "ten_1", "owner": "o", "label": "l", "venue": "binance", "kind": "hmac",
        "ceiling": {"class": "read"}, "hint": "h", "state": "frozen", "health": "ok", "ip_restricted": false,
        "version": 1, "created_at": "", "changed_at": "", "probed_at": ""
    });
    let page = json!({"data": [view]}).to_string();
    (Kind::Credentials.shape().read)(page.as_bytes()).unwrap().items.remove(0)
}

fn shown(plan: &Plan) -> String {
    let body = plan.body.as_ref().map_or("", |body| std::str::from_utf8(body).unwrap());
    let etag = plan.if_match.as_deref().map_or(String::new(), |etag| format!(" [{etag}]"));
    let digest = plan.digest.as_deref().map_or(String::new(), |digest| format!(" <{digest}>"));
    format!("{} {}{etag}{digest} {body}", plan.method, plan.path).trim().to_owned()
}

/// An act as it is sent once `typed` was typed into the fields of its dialog, one after the other.
fn sent(deed: Deed, typed: &[&str], secret: &str) -> String {
    let act = Kind::Credentials.shape().acts.iter().find(|act| act.deed == deed).unwrap();
    let cause = Cause { kind: Kind::Credentials, deed, scope: scope(), victims: vec![credential()] };
    let mut dialog = Dialog::open(cause, 7);
    let (name, etag) = ("the l".to_owned(), Some("\"7\"".to_owned()));
    let planned = Planned { name, etag, digest: Some("sha256:d".to_owned()), ..Planned::default() };
    dialog.read(7, &Ok(planned));
    for text in typed {
        match dialog.form.field() {
            Some(field) => field.paste(text),
            None => dialog.note_secret(true),
        }
        dialog.submit().unwrap();
    }
    dialog.drawn(Moment::default());
    let confirmed = dialog.confirm(Moment { steady_ms: DEAF_MS, unix_ms: 0 }).unwrap();
    shown(&Plan::act(act, &confirmed, confirmed.targets().first(), secret))
}

#[test]
fn asks_as_the_api_wants_it() {
    let typed = |code: &str| Secrets {
        password: Zeroizing::new("pass\"word".to_owned()),
        code: Zeroizing::new(code.to_owned()),
        ..Secrets::default()
    };
    assert_eq!(
        shown(&Plan::login("ada", &typed(""))),
        r#"POST /api/v1/login {"operator":"ada","password":"pass\"word"}"#
    );
    assert_eq!(
        shown(&Plan::proof(&typed(" 123456 "))),
        r#"POST /api/v1/me/proof {"password":"pass\"word","code":"123456"}"#
    );
    let of_tenant = "GET /api/v1/tenants/acme%20%26%20co%2F%C3%A9/credentials";
    let page = |cursor, query| shown(&Plan::page(Kind::Credentials, &scope(), cursor, query));
    assert_eq!(page(None, ""), format!("{of_tenant}?limit=100"));
    assert_eq!(page(Some("a&b=c"), "q=anna"), format!("{of_tenant}?limit=100&cursor=a%26b%3Dc&q=anna"));
    let one = Plan::one(Kind::Credentials, &scope(), "cred_01a").unwrap();
    assert_eq!(shown(&one), format!("{of_tenant}/cred_01a"));
}

#[test]
fn acts_as_the_api_wants_it() {
    let of_credential = "/api/v1/tenants/acme%20%26%20co%2F%C3%A9/credentials/cred_01a";
    let (reason, read) = ("  the \"quoted\" reason ", "[\"7\"] <sha256:d>");
    let said = r#"{"reason":"the \"quoted\" reason"}"#;
    assert_eq!(
        sent(Deed::Freeze, &[], ""),
        format!(r#"POST {of_credential}/freeze {{"reason":"frozen from the console"}}"#)
    );
    assert_eq!(sent(Deed::Unfreeze, &[reason], ""), format!("POST {of_credential}/unfreeze {read} {said}"));
    let deleted = r#"{"reason":"the \"quoted\" reason","confirm":"the l"}"#;
    assert_eq!(sent(Deed::Delete, &[reason, "the l"], ""), format!("DELETE {of_credential} {read} {deleted}"));
    let rotated = |secret: &str, as_sent: &str| {
        let body = format!(r#"{{"key_id":"k1","secret":{as_sent}}}"#);
        assert_eq!(sent(Deed::Rotate, &["k1", ""], secret), format!("POST {of_credential}/rotate {read} {body}"));
    };
    rotated("s\"3", r#""s\"3""#);
    rotated(r#"{"secret":"a","passphrase":"b"}"#, r#"{"secret":"a","passphrase":"b"}"#);
    rotated("{no object", r#""{no object""#);
}

#[test]
fn every_plan_is_asked_for_at_the_act_s_own_route() {
    for kind in KINDS {
        for act in kind.shape().acts.iter().filter(|act| act.before == crate::kind::Before::Plan) {
            let victims = if act.on_list { Vec::new() } else { vec![Item::new("thing_1", "n", "").unwrap()] };
            let cause = Cause { kind: *kind, deed: act.deed, scope: scope(), victims };
            let dry = Plan::dry_run(act, &cause, &[]);
            assert!(dry.path.starts_with("/api/v1/") && dry.path.ends_with("dry_run=true"), "{}", dry.path);
            assert!(dry.digest.is_none() && dry.if_match.is_none());
        }
    }
}

#[test]
fn names_with_dots_lead_into_objects() {
    let fields =
        [("scope.kind", Value::Text("venue")), ("rate", Value::number("")), ("scope.id", Value::Text("kraken"))];
    let written: Json = serde_json::from_str(&serde_json::to_string(&Value::nested(fields)).unwrap()).unwrap();
    assert_eq!(written, json!({"scope": {"kind": "venue", "id": "kraken"}, "rate": null}));
    let number = serde_json::to_string(&Value::nested([("rate", Value::number(" 50 "))])).unwrap();
    assert_eq!(number, r#"{"rate":50}"#);
}

#[test]
fn the_bearer_is_sent_and_never_printed() {
    let bearer = super::super::Bearer::new("clv_login_abc\n", false).unwrap();
    assert!(!format!("{bearer:?}").contains("clv_login_abc"));
    let request = Plan::status().into_request("h:1", Some(bearer.header)).unwrap();
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer clv_login_abc");
    assert_eq!(request.headers()[HOST], "h:1");
    assert!(!format!("{request:?}").contains("clv_login_abc"));
}
