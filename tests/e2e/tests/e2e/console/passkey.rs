//! The way in by passkey: the console says where to go on and with which code, and a real browser goes there.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Browser, House, Key, OPERATOR, Operator, PASSWORD, SECOND};
use serde_json::json;

use super::super::passkeys::{registered, said};
use super::opened;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_passkey_is_made_in_the_browser_and_seen_in_the_terminal() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance().map(|key| key.labelled("anna-main"))).await?;
    house.app.enrolled(&key).await?;
    let browser = Browser::start().await?;
    registered(&house, &browser).await?;
    let terminal = opened(&house, ["--operator", OPERATOR]).await?;
    terminal.shows("password").await?;

    let screen = terminal.press_until("C-p", CODE).await?;
    let (url, code) = told(&screen)?;
    ensure!(!screen.contains("anna-main"), "nobody is logged in yet: {screen}");
    browser.open(&url).await?;
    let shown = browser.run("return document.querySelector('#code').value").await?;
    assert_eq!(shown, json!(code), "the page shows the code that the terminal has");
    browser.click("#enter button").await?;
    browser.text("#what").await?;
    browser.click("#show").await?;
    let said = said(&browser).await?;
    ensure!(said.starts_with("Done."), "{said}");

    let screen = terminal.shows("LIVE").await?;
    ensure!(!screen.contains(CODE) && !screen.contains(&code), "{screen}");
    terminal.shows("anna-main").await?;
    let reader = Operator::log_in(&house.home.ready_file(), SECOND, PASSWORD).await?;
    let entries = reader.get("/api/v1/audit?limit=1000").await?.ok()?.text();
    ensure!(entries.contains("\"passkey.use\""), "no entry: {entries}");
    Ok(())
}

/// The address and the code that are on the screen; the address may be broken into lines.
fn told(screen: &str) -> Result<(String, String)> {
    let (_, rest) = screen.split_once("open this page in a browser:").context("no address")?;
    let (url, rest) = rest.split_once(CODE).context("no code")?;
    let url = url.chars().filter(char::is_ascii_graphic).collect();
    Ok((url, rest.split_whitespace().next().context("no code")?.to_owned()))
}

const CODE: &str = "it has to show this code:";
