//! Text from outside, as far as the API takes it: nothing of it drives the terminal.

use anyhow::{Result, ensure};
use claviger_e2e::{House, Key, Terminal, until};
use serde_json::json;

use super::{go, logged_in};

/// What attackers write, longest first where the API cuts.
const HOSTILE: &[&str] = &[
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[H\u{1b}[31mowned",
    "\u{1b}]52;c;cm0gLXJmIC8=\u{7}\u{1b}[?1049l\u{1b}c",
    "\u{9b}31m\u{90}q\u{9c}\r\n\t\u{8}\u{7f}",
    "active\u{202e}nezorf\u{2066}x\u{2069}\u{200b}\u{feff}\u{ad}",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}algo \u{e0041}\u{fe0f}",
    "日本語の非常に長いラベルが列からはみ出す",
    "[y] revoke  LIVE",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_leaves_the_terminal_as_it_was() -> Result<()> {
    let house = House::open().await?;
    let wide = "W".repeat(10_000);
    let mut taken = 0;
    for text in HOSTILE.iter().copied().chain([wide.as_str()]) {
        let short: String = text.chars().take(128).collect();
        for label in [text, &short] {
            let key = Key::binance().map(|key| key.labelled(label).owned_by(label));
            let reply = house.app.enroll(&house.sim.knows(key).await?).await?;
            ensure!(reply.status < 500, "{}", reply.text());
            if reply.status < 300 {
                taken += 1;
                let credential = reply.text_at("/id")?;
                let path = format!("/api/v1/tenants/{}/credentials/{credential}/freeze", house.tenant);
                house.operator.post(&path, &json!({ "reason": format!("why {text}") })).await?;
            }
        }
        let opened = json!({
            "severity": "high", "title": format!("title {text}"), "scope": { "kind": "tenant", "tenant": "default" },
            "detected_at": "2026-01-02T03:04:05Z",
        });
        let opened = house.operator.post("/api/v1/incidents", &opened).await?;
        if opened.status < 300 {
            let note = json!({ "kind": "known", "text": format!("note {text}") });
            let path = format!("/api/v1/incidents/{}/timeline", opened.text_at("/id")?);
            house.operator.post(&path, &note).await?;
        }
    }
    ensure!(taken >= 4, "the API took {taken} hostile labels");

    let terminal = logged_in(&house).await?;
    let before = known(&terminal).await?;
    for name in ["credentials", "incidents", "audit", "logins"] {
        go(&terminal, name).await?;
        terminal.shows_no("tab complete").await?;
        headed(&terminal, |header| header.contains(name)).await?;
        let listed = terminal.shows("▌").await?;
        harmless(&listed, name)?;
        let way = header(&listed);
        for _ in 0..8 {
            terminal.press("Enter").await?;
            harmless(&headed(&terminal, |header| header != way).await?, name)?;
            terminal.press("Escape").await?;
            headed(&terminal, |header| header == way).await?;
            terminal.press("Down").await?;
        }
    }
    ensure!(known(&terminal).await? == before, "the terminal is not as it was");
    ensure!(terminal.clipboard().await.is_err(), "something was copied");
    terminal.press("q").await?;
    terminal.ended().await
}

/// Whether every line is as wide as the terminal at most, and nothing unseen is in it.
fn harmless(screen: &str, name: &str) -> Result<()> {
    let unseen = |c: &char| c.is_control() && *c != '\n' || UNSEEN.contains(c);
    ensure!(!screen.chars().any(|c| unseen(&c)), "{name}: {screen:?}");
    ensure!(screen.lines().count() <= 24 && screen.lines().next().is_some_and(is_header), "{name}:\n{screen}");
    Ok(())
}

/// Whether a line says where one is, and how far what is shown can be believed.
fn is_header(line: &str) -> bool {
    line.starts_with(" claviger") && ["LIVE", "STALE", "  …"].iter().any(|how| line.contains(how))
}

/// The screen, as soon as its way, what its first line has on the left, is so, and nothing is asked for any more.
async fn headed(terminal: &Terminal, is: impl Fn(&str) -> bool) -> Result<String> {
    until("another way", async || {
        let screen = terminal.screen().await?;
        ensure!(is(&header(&screen)) && !screen.contains("asking the server"), "{screen}");
        Ok(screen)
    })
    .await
}

fn header(screen: &str) -> String {
    let line = screen.lines().next().unwrap_or_default();
    line.split("  ").next().unwrap_or_default().to_owned()
}

async fn known(terminal: &Terminal) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for format in ["pane_title", "alternate_on", "insert_flag", "origin_flag", "wrap_flag", "scroll_region_lower"] {
        known.push(terminal.knows(format).await?);
    }
    Ok(known)
}

const UNSEEN: &[char] =
    &['\u{202e}', '\u{2066}', '\u{2069}', '\u{200b}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{fe0f}'];
