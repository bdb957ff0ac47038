//! Acts, from the eye to the log.

use anyhow::{Context as _, Result, ensure};
use claviger_core::identity::{Login, hash_secret};
use claviger_core::store::{Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{Call, House, Key, OPERATOR, PASSWORD, REASON, SECOND, Terminal};
use serde_json::json;

use super::{go, log_in, logged, logged_in, opened};
use crate::operators::codes;
use crate::tamper::{behind_its_back, sealed, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_found_rotated_and_revoked() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance().map(|key| key.labelled("bert-hedge"))).await?;
    let credential = house.app.enrolled(&key).await?;
    for label in ["anna-main", "anna-hedge"] {
        house.app.enrolled(&house.sim.knows(Key::binance().map(|key| key.labelled(label))).await?).await?;
    }
    let seed = codes::set_up(&house.operator).await?;
    let terminal = opened(&house, ["--operator", OPERATOR]).await?;
    log_in(&terminal, PASSWORD, Some(&codes::code(&seed, 1))).await?;
    let screen = terminal.shows("1 of 3").await?;
    ensure!(["anna-main", "anna-hedge", "bert-hedge"].iter().all(|label| screen.contains(label)), "{screen}");

    terminal.press("/").await?;
    terminal.types("bert").await?;
    terminal.shows_no("anna").await?;
    terminal.press("Enter").await?;
    let screen = terminal.shows("1 of 1").await?;
    ensure!(screen.contains("bert-hedge") && screen.contains("/bert"), "{screen}");

    let new = house.sim.knows(Key::binance()).await?;
    terminal.press("C-r").await?;
    let screen = terminal.shows("new key id").await?;
    ensure!(screen.contains("ROTATE credential") && screen.contains(&credential), "{screen}");
    terminal.fill(&new.key_id, &new.key_id[40..]).await?;
    terminal.press("Enter").await?;
    terminal.fill(&new.secret, "••••").await?;
    terminal.press("Enter").await?;
    let screen = terminal.shows("[y] rotate").await?;
    ensure!(screen.contains(&new.key_id), "what was typed is read once more: {screen}");
    terminal.press_until("y", "rotated credential").await?;
    let entry = logged(&house, &house.tenant, "credential.rotate", &credential).await?;
    ensure!(entry.to_string().contains(OPERATOR), "{entry}");
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    ensure!(house.sim.requests(&new).await?.iter().any(|request| request.path.contains("order")), "the old key signs");
    terminal.escape().await?;

    terminal.press("C-x").await?;
    let screen = terminal.shows("reason").await?;
    ensure!(screen.contains("REVOKE credential") && screen.contains("bert-hedge"), "{screen}");
    terminal.fill("the owner left us", "the owner left us").await?;
    terminal.press("Enter").await?;
    terminal.shows("[y] revoke").await?;
    terminal.press_until("y", "revoked credential").await?;
    logged(&house, &house.tenant, "credential.revoke", &credential).await?;
    house.app.execute(&Call::with(&credential, "account")).await?.problem(403, "policy_denied")?;
    terminal.escape().await?;
    terminal.shows("revoked").await?;
    // What was typed as a secret was never shown, and did not stay in what scrolled away.
    let all = terminal.everything().await?;
    ensure!(!all.contains(&new.secret[..16]) && !all.contains(PASSWORD), "{all}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_leads_to_its_history_and_to_grants_that_are_taken_away() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let path = format!("/api/v1/tenants/{}/grants?credential={credential}", house.tenant);
    let grants = house.operator.get(&path).await?.ok()?.ids();
    let grant = grants.first().context("none")?;

    let terminal = logged_in(&house).await?;
    terminal.shows("1 of 1").await?;
    terminal.press("Enter").await?;
    let screen = terminal.shows("kek").await?;
    ensure!(screen.contains(&credential) && screen.contains("version 1"), "{screen}");
    terminal.press("4").await?;
    let screen = terminal.shows("credential.enroll").await?;
    ensure!(screen.contains("1 of 1") && !screen.contains("credential.read"), "{screen}");
    terminal.press("Escape").await?;
    terminal.shows("addresses").await?;

    terminal.press("3").await?;
    terminal.shows(&format!("1 of {}", grants.len())).await?;
    terminal.press("C-x").await?;
    let screen = terminal.shows("[y] revoke").await?;
    ensure!(screen.contains("REVOKE grant"), "{screen}");
    terminal.press_until("y", "revoked grant").await?;
    logged(&house, &house.tenant, "grant.revoke", grant).await?;
    assert_eq!(house.operator.get(&path).await?.ok()?.ids(), grants[1..]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_a_detector_opened_is_contained() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let id = credential.parse()?;
    let house = behind_its_back(house, async |store| {
        let mut bytes = sealed(store, id).await?;
        *bytes.last_mut().context("no bytes")? ^= 1;
        write(store, RowKey::Sealed(id), Row::Sealed(bytes)).await
    })
    .await?;
    house.app.execute(&Call::with(&credential, "account")).await?.problem(500, "tampered")?;
    let incident = house.operator.get("/api/v1/incidents").await?.ok()?.ids().first().context("none")?.clone();

    let terminal = logged_in(&house).await?;
    go(&terminal, "incidents").await?;
    terminal.shows("left").await?;
    terminal.press("Enter").await?;
    let screen = terminal.shows("detector tamper").await?;
    ensure!(screen.contains(&incident) && screen.contains("open"), "{screen}");
    terminal.press("F").await?;
    let screen = terminal.shows("[y] contain (frozen)").await?;
    ensure!(screen.contains(&credential), "{screen}");
    terminal.press_until("y", "contained (frozen) incident").await?;

    logged(&house, &house.tenant, "incident.contain", &incident).await?;
    house.app.execute(&Call::with(&credential, "account")).await?.problem(403, "policy_denied")?;
    terminal.escape().await?;
    terminal.shows("contained").await?;
    go(&terminal, "credentials").await?;
    terminal.shows("frozen").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_operator_asked_for_is_approved() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    let path = format!("/api/v1/tenants/{}/credentials/{credential}", house.tenant);
    let etag = house.operator.get(&path).await?.ok()?.header("etag").to_owned();
    let reason = json!({ "reason": "the owner is back at the desk" });
    let asked =
        house.operator.ask_for("POST", &format!("{path}/unfreeze"), &reason, &[("if-match", &etag)]).await?.ok()?;
    let approval = asked.text_at("/id")?;

    let terminal = opened(&house, ["--operator", SECOND]).await?;
    log_in(&terminal, PASSWORD, None).await?;
    go(&terminal, "approvals").await?;
    let screen = terminal.shows("waiting").await?;
    ensure!(screen.contains("credential.unfreeze") && screen.contains(OPERATOR), "{screen}");
    terminal.press("A").await?;
    let screen = terminal.shows("reason").await?;
    ensure!(screen.contains("the owner is back at the desk"), "{screen}");
    terminal.fill("I spoke with the owner", "I spoke with the owner").await?;
    terminal.press("Enter").await?;
    terminal.shows("[y] approve").await?;
    terminal.press_until("y", "approved request").await?;

    logged(&house, &house.tenant, "approval.execute", &approval).await?;
    logged(&house, &house.tenant, "credential.unfreeze", &credential).await?;
    house.app.acked(&Call::with(&credential, "account")).await?;
    terminal.escape().await?;
    terminal.shows("executed").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_is_followed_to_its_end() -> Result<()> {
    const CREDENTIALS: usize = 16;
    let house = House::open().await?;
    for _ in 0..CREDENTIALS {
        house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    }
    let terminal = logged_in(&house).await?;
    go(&terminal, "keys").await?;
    terminal.shows("newest").await?;
    terminal.press_until("C-r", "rows a second").await?;
    // The plan counts.
    terminal.shows(&format!("{CREDENTIALS} ")).await?;
    terminal.fill("2", "no limit) 2").await?;
    terminal.press("Enter").await?;
    terminal.fill(REASON, REASON).await?;
    terminal.press("Enter").await?;
    terminal.shows("[y] rotate the KEK").await?;
    terminal.press_until("y", "rotation of the KEK begun").await?;
    terminal.escape().await?;
    terminal.shows("in-use").await?;

    go(&terminal, "rotation").await?;
    let running = terminal.shows("running").await?;
    ensure!(running.contains(&format!("of {CREDENTIALS}")) && running.contains("2 rows/s"), "{running}");
    let done = terminal.shows("100%").await?;
    ensure!(done.contains("done"), "{done}");
    let entries = house.operator.audit(&house.tenant).await?;
    let end = entries.iter().find(|entry| entry["action"] == "kek.rotate.end").context("no entry")?;
    assert_eq!((&end["detail"]["left"], &end["detail"]["rows"]), (&json!("0"), &json!(CREDENTIALS.to_string())));
    go(&terminal, "keys").await?;
    let screen = terminal.shows("empty").await?;
    ensure!(screen.contains("newest"), "{screen}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_the_server_wants_is_asked_for_and_the_act_goes_on() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    house.log_in().await?;
    let house = proven_long_ago(house).await?;
    let terminal = opened(&house, []).await?;
    terminal.shows("LIVE").await?;
    terminal.shows("frozen").await?;
    terminal.press("U").await?;
    terminal.shows("reason").await?;
    terminal.fill("the owner is back", "the owner is back").await?;
    terminal.press("Enter").await?;
    terminal.shows("[y] unfreeze").await?;
    terminal.press_until("y", "wants to know who you are").await?;
    let asked = async || Ok::<_, anyhow::Error>(house.operator.get("/api/v1/approvals").await?.ok()?.ids());
    ensure!(asked().await?.is_empty(), "nothing was done yet");

    prove(&terminal, "no password of anybody").await?;
    terminal.shows("401").await?;
    ensure!(asked().await?.is_empty(), "nothing was done yet");
    prove(&terminal, PASSWORD).await?;
    let screen = terminal.shows("waits for a second operator").await?;
    ensure!(screen.contains("asked to unfreeze"), "{screen}");
    let approval = asked().await?.first().context("nothing was asked for")?.clone();
    logged(&house, &house.tenant, "approval.request", &approval).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_wants_a_proof_is_shown_once_it_was_given() -> Result<()> {
    let house = House::open().await?;
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    house.log_in().await?;
    let seed = codes::set_up(&house.operator).await?;
    // A second factor ends every login but the one that set it up.
    std::fs::write(house.home.file("operator.login"), &house.operator.bearer)?;
    let house = proven_long_ago(house).await?;
    let terminal = opened(&house, []).await?;
    terminal.shows("LIVE").await?;
    go(&terminal, "keys").await?;
    terminal.shows("newest").await?;
    terminal.press_until("C-r", "rows a second").await?;
    terminal.fill("4", "no limit) 4").await?;
    terminal.press("Enter").await?;
    terminal.fill(REASON, REASON).await?;
    terminal.press_until("Enter", "wants to know who you are").await?;

    terminal.fill(PASSWORD, "••••").await?;
    terminal.press("Enter").await?;
    terminal.types(&codes::code(&seed, 1)).await?;
    terminal.press("Enter").await?;
    let screen = terminal.shows("[y] rotate the KEK").await?;
    ensure!(!screen.contains("who you are"), "{screen}");
    ensure!(rotations(&house).await? == 0, "nothing was done yet");
    terminal.press_until("y", "rotation of the KEK begun").await?;
    ensure!(rotations(&house).await? == 1, "it was done once");
    Ok(())
}

/// How many rotations were begun, as the log says it.
async fn rotations(house: &House) -> Result<usize> {
    let entries = house.operator.audit(&house.tenant).await?;
    Ok(entries.iter().filter(|entry| entry["action"] == "kek.rotate").count())
}

/// Types the password; Enter leads past the code, which this operator has none of.
async fn prove(terminal: &Terminal, password: &str) -> Result<()> {
    terminal.fill(password, "••••").await?;
    terminal.press("Enter").await?;
    terminal.press("Enter").await
}

/// Makes the login that was kept as old as if it had been made long ago.
async fn proven_long_ago(house: House) -> Result<House> {
    let bearer = std::fs::read_to_string(house.home.file("operator.login"))?;
    behind_its_back(house, async |store| {
        let row = RowKey::Login(hash_secret(bearer.trim()));
        let found = store.get(row.clone()).await?;
        let Some(Versioned { row: Row::Login(login), .. }) = found else { anyhow::bail!("it is not there") };
        write(store, row, Row::Login(Login { proven_ms: 1, ..login })).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_only_reads_does_nothing() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let terminal = opened(&house, ["--operator", OPERATOR, "--readonly"]).await?;
    log_in(&terminal, PASSWORD, None).await?;
    let screen = terminal.shows("READ ONLY").await?;
    ensure!(!screen.contains("freeze"), "{screen}");
    for key in ["F", "C-x", "C-r", "D", "O"] {
        terminal.press("r").await?;
        terminal.press_until(key, "refused: this console was started read-only").await?;
        terminal.press("y").await?;
    }
    let view = house.operator.credential(&house.tenant, &credential).await?.ok()?;
    assert_eq!((view.text_at("/state")?.as_str(), &view.json()["version"]), ("active", &json!(1)));
    Ok(())
}
