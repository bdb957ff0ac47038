//! How operators find a credential among many, and what it was used for.

use anyhow::Result;
use claviger_e2e::{Call, House, Key, OPERATOR, Operator, PASSWORD, Reply};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_found_by_words_or_by_its_id() -> Result<()> {
    let house = House::open().await?;
    let (one, other) = (enrolled(&house).await?, enrolled(&house).await?);
    house.operator.act(&house.tenant, &other, "freeze").await?.ok()?;

    assert_eq!(found(&house, "BINANCE").await?.ok()?.ids(), [one.as_str(), other.as_str()]);
    assert_eq!(found(&house, "trade%20frozen").await?.ok()?.ids(), [other.as_str()]);
    assert_eq!(found(&house, "frozen%20kraken").await?.ok()?.ids(), [""; 0]);
    assert_eq!(found(&house, &one).await?.ok()?.ids(), [one.as_str()]);
    assert_eq!(found(&house, "%20").await?.ok()?.ids().len(), 2);
    let first = found(&house, "binance&limit=1").await?.ok()?;
    let next = format!("binance&limit=1&cursor={}", first.text_at("/next_cursor")?);
    assert_eq!(found(&house, &next).await?.ok()?.ids(), [other.as_str()]);
    found(&house, "1%202%203%204%205%206%207%208%209").await?.problem(400, "page_invalid")?;
    // Apps do not search.
    house.app.get("/api/v1/credentials?q=binance").await?.problem(400, "page_invalid")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_of_one_credential_are_listed() -> Result<()> {
    let house = House::open().await?;
    let (one, other) = (enrolled(&house).await?, enrolled(&house).await?);
    house.app.acked(&Call::limit_order(&one, "binance")).await?;
    house.app.acked(&Call::limit_order(&other, "binance")).await?;
    let tenant = house.tenant.clone();
    let of = |credential: &str| format!("/api/v1/tenants/{tenant}/executions?credential={credential}");

    let listed = house.operator.get(&of(&one)).await?.ok()?;
    assert_eq!((listed.ids().len(), listed.text_at("/data/0/credential")?), (1, one.clone()));
    let when = |id: &str| format!("/api/v1/tenants/{tenant}/credentials/{id}");
    let used = house.operator.get(&when(&one)).await?.ok()?.text_at("/last_used_at")?;
    assert!(listed.text_at("/data/0/at")? <= used, "{used}");
    let never = enrolled(&house).await?;
    assert_eq!(house.operator.get(&when(&never)).await?.ok()?.json()["last_used_at"], json!(null));
    // Nobody remembers it but the list of executions.
    let house = house.restart().await?;
    let operator = Operator::log_in(&house.home.ready_file(), OPERATOR, PASSWORD).await?;
    let found = operator.get(&when(&one)).await?.ok()?.text_at("/last_used_at")?;
    assert!(found <= used, "{found}");
    operator.get(&of("cred_none")).await?.problem(400, "query_invalid")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_executions_has_no_answers_of_venues_and_one_has_its_own() -> Result<()> {
    let house = House::open().await?;
    let credential = enrolled(&house).await?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    let list = format!("/api/v1/tenants/{}/executions", house.tenant);

    let listed = house.operator.get(&list).await?.ok()?.json()["data"][0].clone();
    assert_eq!((&listed["venue"]["status"], listed["venue"].get("body")), (&json!(200), None), "{listed}");
    let id = listed["id"].as_str().unwrap_or_default();
    let mut one = house.operator.get(&format!("{list}/{id}")).await?.ok()?.json();
    let own = house.app.get(&format!("/api/v1/executions/{id}")).await?.ok()?.json();
    assert_eq!(one, own);
    let body = one["venue"].as_object_mut().and_then(|venue| venue.remove("body"));
    assert!(body.is_some_and(|body| body["orderId"].is_number()), "{own}");
    assert_eq!(one, listed, "nothing else differs");
    let audit = house.operator.audit(&house.tenant).await?;
    let read = |entry: &&Value| entry["action"] == "execution.read" && entry["user_kind"] == "operator";
    assert_eq!(audit.iter().rfind(read).map(|entry| &entry["resource_id"]), Some(&json!(id)));

    let foreign = format!("/api/v1/tenants/{}/executions/{id}", house.neighbour.tenant);
    house.operator.get(&foreign).await?.problem(404, "not_found")?;
    house.operator.get(&format!("{list}/exec_none")).await?.problem(404, "not_found")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_or_asked_for_last_comes_first_where_that_is_wanted() -> Result<()> {
    let house = House::open().await?;
    let open = async |title: &str| {
        let incident = json!({ "severity": "low", "title": title, "scope": { "kind": "all" } });
        house.operator.post("/api/v1/incidents", &incident).await?.ok()?.text_at("/id")
    };
    let ask = async |name: &str| {
        let operator = json!({ "name": name, "role": "viewer", "reason": "somebody has to watch" });
        house.operator.ask_for("POST", "/api/v1/operators", &operator, &[]).await?.ok()?.text_at("/id")
    };
    let incidents = [open("one").await?, open("two").await?, open("three").await?];
    let approvals = [ask("cy").await?, ask("di").await?, ask("ed").await?];
    for (list, [one, two, three]) in [("incidents", &incidents), ("approvals", &approvals)] {
        let path = format!("/api/v1/{list}");
        let of = |query: &str| format!("{path}?{query}");
        assert_eq!(house.operator.get(&path).await?.ok()?.ids(), [one.as_str(), two, three]);
        assert_eq!(house.operator.get(&of("order=oldest&limit=1")).await?.ok()?.ids(), [one.as_str()]);
        let first = house.operator.get(&of("order=newest&limit=2")).await?.ok()?;
        assert_eq!(first.ids(), [three.as_str(), two]);
        // What comes meanwhile moves no page.
        if list == "incidents" {
            open("four").await?
        } else {
            ask("flo").await?
        };
        let cursor = first.text_at("/next_cursor")?;
        let rest = house.operator.get(&of(&format!("order=newest&limit=2&cursor={cursor}"))).await?.ok()?;
        assert_eq!((rest.ids(), rest.json().get("next_cursor")), (vec![one.clone()], None));
        for wrong in ["order=latest", "order=newest&limit=0", "sort=newest"] {
            house.operator.get(&of(wrong)).await?.problem(400, "page_invalid")?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_for_one_credential_are_listed() -> Result<()> {
    let house = House::open().await?;
    let (one, other) = (enrolled(&house).await?, enrolled(&house).await?);
    let (tenant, app) = (&house.tenant, &house.app.id);
    let own = format!("/api/v1/tenants/{tenant}/apps/{app}/grants");
    let for_all = house.operator.get(&own).await?.ok()?.ids();
    let grant = house.operator.post(&own, &json!({ "credentials": [one], "operations": ["read"] })).await?.ok()?;
    let grant = grant.text_at("/id")?;
    let of = |query: &str| format!("/api/v1/tenants/{tenant}/grants?{query}");

    let wanted: Vec<String> = for_all.iter().chain([&grant]).cloned().collect();
    assert_eq!(house.operator.get(&of(&format!("credential={one}"))).await?.ok()?.ids(), wanted);
    assert_eq!(house.operator.get(&of(&format!("credential={other}"))).await?.ok()?.ids(), for_all);
    let first = house.operator.get(&of("limit=1")).await?.ok()?;
    assert_eq!(first.ids(), wanted[..1]);
    let next = format!("limit=10&cursor={}", first.text_at("/next_cursor")?);
    assert_eq!(house.operator.get(&of(&next)).await?.ok()?.ids(), wanted[1..]);
    let elsewhere = format!("/api/v1/tenants/{}/grants?credential={one}", house.neighbour.tenant);
    assert!(!house.operator.get(&elsewhere).await?.ok()?.ids().contains(&grant), "another tenant's");
    house.operator.get(&of("credential=all")).await?.problem(400, "query_invalid")?;
    house.operator.get(&of("cursor=AQ")).await?.problem(400, "page_invalid")?;
    let read = house.operator.audit(tenant).await?;
    assert!(read.iter().any(|entry| entry["action"] == "grant.read" && entry["outcome"] == "allowed"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_a_credential_is_told_version_by_version() -> Result<()> {
    let house = House::open().await?;
    let (one, other) = (enrolled(&house).await?, enrolled(&house).await?);
    let path = format!("/api/v1/tenants/{}/credentials/{one}", house.tenant);
    assert_eq!(house.operator.get(&path).await?.ok()?.json()["kek_version"], 1);
    house.operator.act(&house.tenant, &other, "freeze").await?.ok()?;
    house.operator.act(&house.tenant, &one, "freeze").await?.ok()?;
    house.app.execute(&Call::with(&one, "account")).await?;

    let (tenant, resource) = (&house.tenant, &one);
    let history = format!("/api/v1/audit?order=newest&tenant={tenant}&resource={resource}&action=credential.*");
    let told = async |query: &str| -> Result<Vec<String>> {
        let page = house.operator.get(&format!("{history}{query}")).await?.ok()?.json();
        let told = |entry: &Value| format!("{} {}", entry["action"], entry["detail"]["version"]);
        Ok(page["data"].as_array().into_iter().flatten().map(told).collect())
    };
    let wanted = [r#""credential.freeze" null"#, r#""credential.enroll" "1""#];
    assert_eq!(told("&reads=false").await?, wanted);
    assert_eq!(told("").await?, [wanted[0], r#""credential.read" null"#, wanted[1]]);
    house.operator.get(&format!("{history}&reads=no")).await?.problem(400, "query_invalid")?;
    Ok(())
}

async fn enrolled(house: &House) -> Result<String> {
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await
}

async fn found(house: &House, q: &str) -> Result<Reply> {
    house.operator.get(&format!("/api/v1/tenants/{}/credentials?q={q}", house.tenant)).await
}
