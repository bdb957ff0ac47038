//! The console line by line, through pipes: what somebody types who cannot see a screen, and a script.

use anyhow::Result;
use claviger_e2e::{Command, House, Key, OPERATOR, PASSWORD};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_console_without_a_terminal_logs_in_freezes_and_says_so() -> Result<()> {
    let house = House::open().await?;
    let id = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let lines =
        [PASSWORD, "open 1", "back", "freeze 1", "y", "refresh", "go audit", "quit", "freeze 1", "y"].join("\n");
    let told = console(&house)?.args(["--plain"]).input(lines).output().await?.ok()?.stdout;

    assert!(told.starts_with("claviger console, line by line, because --plain was given."), "{told}");
    assert!(told.chars().all(|c| c == '\n' || !c.is_control()) && !told.contains(PASSWORD), "{told}");
    let at = |text: &str| told.find(text).unwrap_or_else(|| panic!("no `{text}` in\n{told}"));
    assert!(at(&format!("logged in as {OPERATOR}\n")) < at("state: active"));
    assert!(at(&format!("\nid: {id}\n")) < at("FREEZE credential\n"));
    assert!(at("type y to do it, anything else cancels:\n") < at("frozen credential"));
    assert!(at("frozen credential") < at("state: frozen"));
    assert!(at("state: frozen") < at(": audit\n"));

    let entries = house.operator.audit(&house.tenant).await?;
    let froze = |entry: &&Value| entry["action"] == "credential.freeze" && entry["resource_id"] == id.as_str();
    assert_eq!(entries.iter().filter(froze).count(), 1, "what follows `quit` is not read");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_whose_input_ends_within_a_dialog_does_nothing() -> Result<()> {
    let house = House::open().await?;
    let id = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let console = console(&house)?.env("CLAVIGER_PLAIN", "1").input(format!("{PASSWORD}\nfreeze 1\n"));
    let told = console.output().await?.ok()?.stdout;
    assert!(told.starts_with("claviger console, line by line, because CLAVIGER_PLAIN is set."), "{told}");
    assert!(told.ends_with("type y to do it, anything else cancels:\n"), "{told}");
    assert_eq!(house.operator.credential(&house.tenant, &id).await?.ok()?.json()["state"], "active");
    Ok(())
}

/// A console of the operator's whose first screen is the credentials.
fn console(house: &House) -> Result<Command> {
    let console = house.home.client(["console", "--operator", OPERATOR, "--tenant", &house.tenant])?;
    Ok(console.args(["--screen", "credentials"]))
}
