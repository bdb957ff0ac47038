//! Very many credentials: what is asked for and held stays little.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_core::clock::SystemClock;
use claviger_core::credential::Credential;
use claviger_core::id::CredentialId;
use claviger_core::store::{Change, Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{House, Key, until};

use super::logged_in;
use crate::tamper::behind_its_back;

const CREDENTIALS: u32 = 30_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_very_many_is_asked_for_and_held_in_part_and_one_is_found() -> Result<()> {
    let house = stocked(House::open().await?).await?;
    let terminal = logged_in(&house).await?;
    terminal.shows("desk-").await?;
    let opened = asked(&house).await?;

    // To the end of what is loaded, which brings the next page, and so on.
    let reached = until("a row far down", async || {
        terminal.press("G").await?;
        let screen = terminal.screen().await?;
        let number = number(&screen).with_context(|| screen.clone())?;
        ensure!(number >= 6_000, "{screen}");
        Ok(number)
    })
    .await?;
    let scrolled = asked(&house).await? - opened;
    ensure!(scrolled <= u64::from(reached) / 100 + 40, "{scrolled} requests for {reached} rows");

    terminal.press("/").await?;
    let wanted = format!("desk-{:07}", CREDENTIALS - 1);
    terminal.types(&wanted).await?;
    let screen = terminal.shows("1 of 1\n").await?;
    ensure!(screen.contains(&wanted), "{screen}");
    terminal.press("Escape").await?;
    terminal.shows("1 of 100+").await?;

    let status = fs::read_to_string(format!("/proc/{}/status", terminal.pid().await?))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no figure")?;
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    ensure!(peak < 100 * 1024, "{peak} KiB");
    Ok(())
}

/// The number of the row under the cursor, as the screen says it.
fn number(screen: &str) -> Option<u32> {
    let words: Vec<&str> = screen.lines().nth(1)?.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "of")?.checked_sub(1)?;
    words.get(at)?.parse().ok()
}

/// How often the list of credentials was asked for.
async fn asked(house: &House) -> Result<u64> {
    let metrics = house.server.metrics().await?;
    let of_lists = metrics.lines().filter(|line| {
        line.starts_with("claviger_requests_total{") && line.contains("admin") && line.contains("/credentials\"")
    });
    Ok(of_lists.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum())
}

/// Writes rows of credentials past the service. Nothing is sealed for them: they are looked at only.
async fn stocked(house: House) -> Result<House> {
    let credential: CredentialId = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?.parse()?;
    let tenant = house.tenant.parse()?;
    behind_its_back(house, async |store| {
        let found = store.get(RowKey::Credential(tenant, credential)).await?;
        let Some(Versioned { row: Row::Credential(one), .. }) = found else { anyhow::bail!("it is not there") };
        let mut changes = Vec::new();
        for n in 1..CREDENTIALS {
            let id = CredentialId::new(&SystemClock);
            let mut index = one.index;
            index.iter_mut().zip(id.as_bytes()).for_each(|(to, from)| *to = *from);
            let row = Credential { id, index, label: format!("desk-{n:07}"), ..one.clone() };
            changes.push(Change::create(RowKey::Index(index), Row::CredentialRef(id)));
            changes.push(Change::create(RowKey::Credential(tenant, id), Row::Credential(row)));
            if changes.len() >= 2_000 || n + 1 == CREDENTIALS {
                store.put_cas(std::mem::take(&mut changes), Vec::new()).await?;
            }
        }
        Ok(())
    })
    .await
}
