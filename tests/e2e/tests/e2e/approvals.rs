//! Acts that take a second operator, over the API and the command line.

use anyhow::{Context as _, Result};
use claviger_e2e::{Call, House, Key, REASON, Reply, Role, Signal};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn one_operator_asks_and_another_approves() -> Result<()> {
    let house = House::open().await?;
    let credential = frozen(&house).await?;
    let path = at(&house, &credential, "/unfreeze");
    let operator = &house.operator;
    let etag = operator.credential(&house.tenant, &credential).await?.ok()?.header("etag").to_owned();

    let plan = operator.post(&format!("{path}?dry_run=true"), &json!({})).await?.ok()?;
    assert_eq!((&plan.json()["second_operator"], plan.header("etag")), (&json!(true), etag.as_str()));
    let digest = plan.text_at("/digest")?;
    let ask = async |digest: Option<&str>, reason: &str| {
        let mut headers = vec![("if-match", etag.as_str())];
        headers.extend(digest.map(|digest| ("plan-digest", digest)));
        let body = json!({ "reason": reason });
        operator.send("POST", &path, &body, &headers).await
    };
    ask(None, REASON).await?.problem(428, "plan_missing")?;
    ask(Some("sha256:0"), REASON).await?.problem(412, "plan_changed")?;
    ask(Some(&digest), "short").await?.problem(400, "reason_missing")?;
    let asked = ask(Some(&digest), REASON).await?;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let approval = asked.text_at("/id")?;
    assert_eq!(asked.header("location"), format!("/api/v1/approvals/{approval}"));
    house.app.execute(&Call::with(&credential, "account")).await?.problem(403, "policy_denied")?;

    decide(&house, false, &approval, "approve").await?.problem(403, "second_operator_required")?;
    let done = decide(&house, true, &approval, "approve").await?.ok()?;
    assert_eq!(done.text_at("/state")?, "executed");
    house.app.acked(&Call::with(&credential, "account")).await?;
    let listed = operator.get("/api/v1/approvals").await?.ok()?.json();
    assert_eq!(listed["data"][0]["approved"]["by"], claviger_e2e::SECOND);
    decide(&house, true, &approval, "cancel").await?.problem(409, "approval_closed")?;
    Ok(())
}

/// The front may die before, in or after the commit: it is done once or not at all, and the approval says which.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_an_act_done_once_or_not_at_all() -> Result<()> {
    let mut house = House::open().await?;
    let credential = frozen(&house).await?;
    let mut executed = 0;
    for round in 0..6 {
        let reason = json!({ "reason": REASON });
        let headers = house.operator.credential(&house.tenant, &credential).await?.ok()?;
        let path = at(&house, &credential, "/unfreeze");
        let asked = house.operator.ask_for("POST", &path, &reason, &[("if-match", headers.header("etag"))]).await?;
        let approval = asked.ok()?.text_at("/id")?;
        // The killing comes at another moment of the approving each time.
        let killing = async {
            for _ in 0..round {
                house.operator.get("/api/v1/approvals").await.ok();
            }
            house.server.signal(Role::Front, Signal::Kill)
        };
        let (answer, killed) = tokio::join!(decide(&house, true, &approval, "approve"), killing);
        killed?;
        house = house.crash().await?;
        let state = house.operator.get(&format!("/api/v1/approvals/{approval}")).await?.ok()?.text_at("/state")?;
        let active = house.operator.credential(&house.tenant, &credential).await?.ok()?.text_at("/state")? == "active";
        assert_eq!(state == "executed", active, "round {round}: {state}");
        if answer.is_ok_and(|reply| reply.status == 200) {
            assert_eq!(state, "executed", "round {round}: what was answered stays");
        }
        if state != "executed" {
            decide(&house, true, &approval, "approve").await?.ok()?;
        }
        executed += 1;
        house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
        let entries = house.operator.audit(&house.tenant).await?;
        let count = |action: &str| entries.iter().filter(|entry| entry["action"] == action).count();
        assert_eq!((count("credential.unfreeze"), count("approval.execute")), (executed, executed), "round {round}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_ceiling_is_allowed_once() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance().map(Key::for_reading)).await?;
    let credential = house.app.enrolled(&key).await?;
    let trade = json!({ "class": "trade", "products": ["spot"] });
    let rotate = async |ceiling: &Value| {
        let key = house.sim.knows(Key::binance()).await?;
        let body = json!({ "key_id": key.key_id, "secret": key.secret, "ceiling": ceiling });
        house.operator.act_if_unchanged(&house.tenant, &credential, "rotate", &body).await
    };
    rotate(&trade).await?.problem(403, "ceiling_not_allowed")?;
    let widen = json!({ "ceiling": trade, "reason": REASON });
    house.operator.act_if_unchanged(&house.tenant, &credential, "ceiling", &widen).await?.ok()?;
    assert_eq!(rotate(&trade).await?.ok()?.json()["ceiling"], trade);
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    let margin = json!({ "class": "trade", "products": ["spot", "margin"] });
    rotate(&margin).await?.problem(403, "ceiling_not_allowed")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_narrowed_at_once_and_widened_by_two() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let (tenant, app) = (&house.tenant, &house.app.id);
    let grants = house.operator.get(&format!("/api/v1/tenants/{tenant}/apps/{app}/grants")).await?.ok()?.ids();
    let path = format!("/api/v1/tenants/{tenant}/apps/{app}/grants/{}", grants[0]);
    let change = async |operations: Value| {
        let body = json!({ "operations": operations, "reason": REASON });
        house.operator.ask_for("PATCH", &path, &body, &[]).await
    };
    assert_eq!(change(json!(["read"])).await?.status, 204);
    let order = Call::limit_order(&credential, "binance");
    house.app.execute(&order).await?.problem(403, "policy_denied")?;
    let asked = change(json!(["read", "order.place"])).await?;
    assert_eq!(asked.status, 202, "{}", asked.text());
    house.app.execute(&order).await?.problem(403, "policy_denied")?;
    decide(&house, true, &asked.text_at("/id")?, "approve").await?.ok()?;
    house.app.acked(&order).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_plan_and_says_who_is_missing() -> Result<()> {
    let house = House::open().await?;
    let credential = frozen(&house).await?;
    let login = |name: &'static str| {
        let password = house.home.beside("password");
        std::fs::write(&password, claviger_e2e::PASSWORD)?;
        Ok::<_, anyhow::Error>(house.home.client(["login", "--operator", name, "--password-file"])?.args([&password]))
    };
    login(claviger_e2e::OPERATOR)?.output().await?.ok()?;
    let unfreeze = ["credential", "unfreeze", &credential, "--yes", "--reason", REASON];
    let asked = house.home.client(unfreeze)?.output().await?.ok()?;
    assert!(asked.stderr.contains("it waits for a second operator"), "{}", asked.stderr);
    let approval = asked.stdout.split_whitespace().next().context("no approval")?.to_owned();
    let approve = ["approval", "approve", &approval, "--reason", REASON];
    assert!(house.home.client(approve)?.output().await?.ok().is_err(), "who asked does not approve");
    login(claviger_e2e::SECOND)?.output().await?.ok()?;
    let done = house.home.client(approve)?.output().await?.ok()?;
    assert!(done.stdout.contains("is executed"), "{}", done.stdout);
    house.app.acked(&Call::with(&credential, "account")).await?;
    Ok(())
}

async fn frozen(house: &House) -> Result<String> {
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    Ok(credential)
}

fn at(house: &House, credential: &str, act: &str) -> String {
    format!("/api/v1/tenants/{}/credentials/{credential}{act}", house.tenant)
}

/// A decision of who asked, or of the second operator.
async fn decide(house: &House, second: bool, approval: &str, verb: &str) -> Result<Reply> {
    let who = if second { house.operator.second()? } else { &house.operator };
    who.post(&format!("/api/v1/approvals/{approval}/{verb}"), &json!({ "reason": REASON })).await
}
