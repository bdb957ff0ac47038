//! The page itself: nothing runs on it but its own script, and people can use it.

use anyhow::{Result, ensure};
use claviger_e2e::{Browser, Client, Door, House, OPERATOR};
use serde_json::json;

use super::{Terminal, asked, registered, said};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_runs_nothing_but_its_own_script() -> Result<()> {
    let house = House::open().await?;
    let public = Client::of_server(&house.home.ready_file(), Door::Public)?;
    for path in ["/login", "/login/page.js", "/login/page.css"] {
        let reply = public.get(path).await?.ok()?;
        let policy = reply.header("content-security-policy");
        ensure!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        ensure!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        ensure!(reply.header("referrer-policy") == "no-referrer", "{path}");
        ensure!(!reply.text().contains("http://"), "{path} names another place");
    }

    let terminal = Terminal::of(&house)?;
    let browser = Browser::start().await?;
    let begun = terminal.begin(&json!({ "operator": OPERATOR })).await?;
    asked(&browser, &begun).await?;
    ensure!(browser.run("return location.hash + location.search").await? == "", "the code stays in the address");
    let console = browser.console().await?;
    ensure!(console.is_empty(), "{console:?}");

    let inject = "const s = document.createElement('script'); s.textContent = 'window.injected = 1';
        document.head.append(s); const i = document.createElement('img'); i.setAttribute('onerror', 'window.injected = 1');
        i.src = 'x'; document.body.append(i); return null;";
    browser.run(inject).await?;
    let console = browser.console().await?;
    ensure!(console.iter().any(|line| line.contains("Content Security Policy")), "{console:?}");
    ensure!(browser.run("return typeof window.injected").await? == "undefined", "an injected script ran");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_narrow_and_needs_no_mouse() -> Result<()> {
    const ENTER: &str = "\u{e007}";
    let house = House::open().await?;
    let terminal = Terminal::of(&house)?;
    let browser = Browser::start().await?;
    registered(&house, &browser).await?;
    browser.widen(320).await?;
    let begun = terminal.begin(&json!({ "operator": OPERATOR })).await?;

    // The code is typed, as from another machine's screen: in any case, and without the dash.
    let (url, code) = (begun.text_at("/url")?, begun.text_at("/user_code")?);
    browser.open(url.split('#').next().unwrap_or_default()).await?;
    browser.type_into("#code", &format!("{}{ENTER}", code.to_lowercase().replace('-', ""))).await?;
    browser.text("#what").await?;
    let fits = browser.run("return document.documentElement.scrollWidth <= 320").await?;
    ensure!(fits == true, "wider than 320 pixels");
    ensure!(browser.run("return document.activeElement.id").await? == "what", "the question has no focus");
    browser.type_into("#show", ENTER).await?;
    let said = said(&browser).await?;

    ensure!(said.starts_with("Done."), "{said}");
    terminal.ended(&begun).await?.ok()?;
    Ok(())
}
