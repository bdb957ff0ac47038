//! How operators find a credential among many, and what it was used for.

use anyhow::Result;
use claviger_e2e::{Call, House, Key, OPERATOR, Operator, PASSWORD, Reply};
use serde_json::json;

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

async fn enrolled(house: &House) -> Result<String> {
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await
}

async fn found(house: &House, q: &str) -> Result<Reply> {
    house.operator.get(&format!("/api/v1/tenants/{}/credentials?q={q}", house.tenant)).await
}
