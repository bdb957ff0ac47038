//! Operators and roles over the API: made, shown, changed, reset and removed, and what each of it takes.

use anyhow::{Context as _, Result};
use claviger_e2e::{House, Key, Operator, REASON, Reply, SECOND};
use serde_json::{Value, json};

const OPERATORS: &str = "/api/v1/operators";
const SENTENCE: &str = "five angry llamas weave at night";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_operator_accepts_with_both_halves_and_is_removed_again() -> Result<()> {
    let house = House::open().await?;
    let (operator, second) = (&house.operator, house.operator.second()?);
    let new = json!({ "name": "cy", "role": "viewer", "reason": REASON });
    operator.post(OPERATORS, &new).await?.problem(428, "plan_missing")?;

    let asked = operator.ask_for("POST", OPERATORS, &new, &[]).await?;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let first_half = asked.text_at("/invitation")?;
    let again = operator.ask_for("POST", OPERATORS, &new, &[]).await?;
    assert_eq!((again.text_at("/id")?, &again.json()["invitation"]), (asked.text_at("/id")?, &Value::Null));
    assert_eq!(named(operator, "cy").await?, None, "nobody is made before it is approved");
    let approved = approve(second, &asked).await?.ok()?;
    let second_half = approved.text_at("/invitation")?;
    let seen = operator.get(&format!("/api/v1/approvals/{}", asked.text_at("/id")?)).await?.ok()?;
    assert!(!seen.text().contains("clv_invite_"), "it is shown once, and to one");

    let accept = async |invitation: &str| {
        let body = json!({ "invitation": invitation, "password": SENTENCE });
        operator.client().call("POST", "/api/v1/factors", None, Some(&body)).await
    };
    accept(&first_half).await?.problem(401, "unauthenticated")?;
    accept(&second_half).await?.problem(401, "unauthenticated")?;
    let both = format!("{first_half}.{second_half}");
    let bearer = accept(&both).await?.ok()?.text_at("/bearer")?;
    accept(&both).await?.problem(401, "unauthenticated")?;

    let cy = named(operator, "cy").await?.context("cy is listed")?;
    assert_eq!((&cy["role"], &cy["second_factor"], &cy["tenant"]), (&json!("viewer"), &json!(false), &Value::Null));
    let taken = operator.post(&format!("{OPERATORS}?dry_run=true"), &new).await?;
    taken.problem(409, "name_taken")?;
    let me = async |bearer: &str| operator.client().call("GET", "/api/v1/me/logins", Some(bearer), None).await;
    me(&bearer).await?.ok()?;
    let path = format!("{OPERATORS}/{}", cy["id"].as_str().context("an id")?);
    operator.call("DELETE", &path, None).await?.ok()?;
    me(&bearer).await?.problem(401, "unauthenticated")?;
    assert_eq!(named(operator, "cy").await?, None);
    operator.call("DELETE", &path, None).await?.problem(404, "not_found")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_an_operator_is_lowered_by_one_raised_by_two_and_somebody_stays_admin() -> Result<()> {
    let house = House::open().await?;
    let (operator, second) = (&house.operator, house.operator.second()?);
    let other = named(operator, SECOND).await?.context("the second operator")?;
    let path = format!("{OPERATORS}/{}", other["id"].as_str().context("an id")?);
    let role = |role: &str| json!({ "role": role, "reason": REASON });
    let logins = async || anyhow::Ok(second.get("/api/v1/me/logins").await?.status);

    let new = json!({ "name": "cy", "role": "viewer", "reason": REASON });
    operator.two_do("POST", OPERATORS, &new, &[]).await?.ok()?;
    let cy = format!("{OPERATORS}/{}", named(operator, "cy").await?.context("cy")?["id"].as_str().context("an id")?);
    let raised = operator.ask_for("PATCH", &cy, &role("compliance"), &[]).await?;
    assert_eq!(raised.status, 202, "{}", raised.text());
    approve(second, &raised).await?.ok()?;
    assert_eq!(named(operator, "cy").await?.context("cy")?["role"], "compliance");
    assert_eq!(operator.ask_for("PATCH", &cy, &role("viewer"), &[]).await?.status, 204);
    operator.ask_for("PATCH", &cy, &role("nobody-knows"), &[]).await?.problem(404, "not_found")?;

    assert_eq!(logins().await?, 200);
    assert_eq!(operator.ask_for("PATCH", &path, &role("viewer"), &[]).await?.status, 204);
    assert_eq!(logins().await?, 401, "whoever is lowered logs in anew");
    let own = named(operator, claviger_e2e::OPERATOR).await?.context("the operator")?;
    let own = format!("{OPERATORS}/{}", own["id"].as_str().context("an id")?);
    operator.ask_for("PATCH", &own, &role("viewer"), &[]).await?.problem(409, "last_admin")?;
    operator.call("DELETE", &own, None).await?.problem(409, "last_admin")?;
    operator.get(OPERATORS).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_ends_what_there_was_and_takes_both_halves() -> Result<()> {
    let house = House::open().await?;
    let (operator, second) = (&house.operator, house.operator.second()?);
    let own = named(operator, claviger_e2e::OPERATOR).await?.context("the operator")?;
    let path = format!("{OPERATORS}/{}/reset", own["id"].as_str().context("an id")?);
    let asked = operator.ask_for("POST", &path, &json!({ "reason": REASON }), &[]).await?;
    let half = asked.text_at("/invitation")?;
    let other = approve(second, &asked).await?.ok()?.text_at("/invitation")?;
    operator.get(OPERATORS).await?.problem(401, "unauthenticated")?;
    let body = json!({ "invitation": format!("{other}.{half}"), "password": SENTENCE });
    operator.client().call("POST", "/api/v1/factors", None, Some(&body)).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_made_and_widened_by_two_narrowed_by_one_and_removed_when_nobody_has_it() -> Result<()> {
    let house = House::open().await?;
    let (operator, second) = (&house.operator, house.operator.second()?);
    let desk = "/api/v1/roles/desk";
    let allows = |permissions: &[&str]| json!({ "permissions": permissions, "reason": REASON });
    let few = allows(&["credential.read"]);
    operator.get(desk).await?.problem(404, "not_found")?;
    operator.call("PUT", desk, Some(&few)).await?.problem(428, "plan_missing")?;
    operator
        .call("PUT", "/api/v1/roles/desk?dry_run=true", Some(&allows(&["credential.fly"])))
        .await?
        .problem(400, "body_invalid")?;
    operator.ask_for("PUT", "/api/v1/roles/admin", &few, &[]).await?.problem(409, "role_built_in")?;

    let asked = operator.ask_for("PUT", desk, &few, &[]).await?;
    assert_eq!(asked.status, 202, "{}", asked.text());
    assert_eq!(asked.json()["invitation"], Value::Null);
    operator.get(desk).await?.problem(404, "not_found")?;
    approve(second, &asked).await?.ok()?;
    let shown = operator.get(desk).await?.ok()?.json();
    assert_eq!(
        shown,
        json!({ "name": "desk", "permissions": ["credential.read"], "flagged_only": false, "built_in": false })
    );
    let listed = operator.get("/api/v1/roles").await?.ok()?.json();
    assert!(listed["data"].as_array().context("a list")?.contains(&shown));

    let more = allows(&["credential.read", "app.read"]);
    operator.two_do("PUT", desk, &more, &[]).await?.ok()?;
    assert_eq!(operator.ask_for("PUT", desk, &few, &[]).await?.status, 204, "less is done at once");
    assert_eq!(operator.get(desk).await?.ok()?.json()["permissions"], json!(["credential.read"]));

    let new = json!({ "name": "cy", "role": "desk", "reason": REASON });
    operator.two_do("POST", OPERATORS, &new, &[]).await?.ok()?;
    let has = operator.call("DELETE", desk, None).await?;
    assert_eq!(has.status, 409, "{}", has.text());
    let cy = format!("{OPERATORS}/{}", named(operator, "cy").await?.context("cy")?["id"].as_str().context("an id")?);
    operator.call("DELETE", &cy, None).await?.ok()?;
    operator.call("DELETE", desk, None).await?.ok()?;
    operator.get(desk).await?.problem(404, "not_found")?;
    Ok(())
}

/// Says what it will do, and does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_foreseen_and_nothing_is_done() -> Result<()> {
    let house = House::open().await?;
    let (operator, tenant) = (&house.operator, &house.tenant);
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let at = |rest: &str| format!("/api/v1/tenants/{tenant}{rest}?dry_run=true");
    let app = format!("/apps/{}", house.app.id);
    let grant = operator.get(&at(&format!("{app}/grants")).replace("?dry_run=true", "")).await?.ok()?.ids();
    let account = claviger_e2e::Call::with(&credential, "account");
    for (method, path, says) in [
        ("POST", at(&format!("/credentials/{credential}/revoke")), "revoked for good"),
        ("POST", at(&format!("{app}/revoke")), "revoked for good"),
        ("DELETE", at(&format!("{app}/grants/{}", grant[0])), "taken away"),
    ] {
        let body = (method == "POST").then(|| json!({}));
        let seen = operator.call(method, &path, body.as_ref()).await?.ok()?;
        assert!(seen.text_at("/plan/0")?.contains(says), "{}", seen.text());
        assert_eq!(seen.json()["blast_radius"]["open_requests"], 0);
        house.app.acked(&account).await?;
    }
    let seen = operator.post(&at(&format!("{app}/revoke")), &json!({})).await?.ok()?.json();
    assert_eq!(seen["blast_radius"]["grants"], grant.len());
    operator
        .post(&at(&format!("/apps/{}/revoke", house.neighbour.app.id)), &json!({}))
        .await?
        .problem(404, "not_found")?;
    Ok(())
}

async fn approve(second: &Operator, asked: &Reply) -> Result<Reply> {
    let path = format!("/api/v1/approvals/{}/approve", asked.text_at("/id")?);
    second.post(&path, &json!({ "reason": REASON })).await
}

/// The operator of this name, if one is listed.
async fn named(operator: &Operator, name: &str) -> Result<Option<Value>> {
    let listed = operator.get(OPERATORS).await?.ok()?.json();
    let all = listed["data"].as_array().context("a list")?;
    Ok(all.iter().find(|one| one["name"] == name).cloned())
}
