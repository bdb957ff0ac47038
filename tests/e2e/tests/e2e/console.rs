//! The operator console in a real terminal: what a person sees is read from the screen, and what came of it from the
//! server's own log.

mod acts;
mod link;
mod many;
mod passkey;
mod terminal;
mod text;

use anyhow::Result;
use claviger_e2e::{House, OPERATOR, PASSWORD, Terminal, until};
use serde_json::Value;

/// Opens a console of the operator's in a terminal of 80 columns and 24 rows, which asks for a login.
async fn opened<const N: usize>(house: &House, args: [&str; N]) -> Result<Terminal> {
    let terminal = Terminal::open(80, 24).await?;
    start(house, &terminal, args).await?;
    Ok(terminal)
}

/// Starts a console in a terminal; its first screen is the credentials.
async fn start<const N: usize>(house: &House, terminal: &Terminal, args: [&str; N]) -> Result<()> {
    terminal.run("console", house.home.client(["console", "--screen", "credentials"])?.args(args)).await
}

/// Opens a console and logs the operator in, by password: it shows credentials.
async fn logged_in(house: &House) -> Result<Terminal> {
    let terminal = opened(house, ["--operator", OPERATOR]).await?;
    log_in(&terminal, PASSWORD, None).await?;
    Ok(terminal)
}

/// Fills the login form in, whose cursor is at the password.
async fn log_in(terminal: &Terminal, password: &str, code: Option<&str>) -> Result<()> {
    terminal.shows("password").await?;
    terminal.types(password).await?;
    if let Some(code) = code {
        terminal.press("Tab").await?;
        terminal.types(code).await?;
    }
    terminal.press("Enter").await?;
    terminal.shows("LIVE").await?;
    Ok(())
}

/// Goes to the screen of this name.
async fn go(terminal: &Terminal, name: &str) -> Result<()> {
    terminal.press(":").await?;
    terminal.shows("tab complete").await?;
    terminal.types(name).await?;
    terminal.press("Enter").await
}

/// Waits until the log has an entry of this action about this thing, and returns it.
async fn logged(house: &House, tenant: &str, action: &str, resource: &str) -> Result<Value> {
    until(action, async || {
        let entries = house.operator.audit(tenant).await?;
        let found = entries.into_iter().find(|entry| entry["action"] == action && entry["resource_id"] == resource);
        found.ok_or_else(|| anyhow::anyhow!("no entry {action} of {resource}"))
    })
    .await
}
