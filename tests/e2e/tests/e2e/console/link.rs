//! The line to the server: a login that ends, a server that goes away and comes back, and what others do meanwhile.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{House, Key, PASSWORD, Role, Server, Signal, until};
use tokio::time::{Duration, Instant};

use super::{log_in, logged_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_ends_is_asked_for_again_and_the_view_is_still_there() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance().map(|key| key.labelled("anna-main"))).await?;
    let credential = house.app.enrolled(&key).await?;
    let own = async || Ok::<_, anyhow::Error>(house.operator.get("/api/v1/me/logins").await?.ok()?.ids());
    let before = own().await?;
    let terminal = logged_in(&house).await?;
    terminal.press("Enter").await?;
    terminal.shows(&credential).await?;
    terminal.press("F").await?;
    terminal.shows("[y] freeze").await?;

    let login = own().await?.into_iter().find(|id| !before.contains(id)).context("no login of the console's")?;
    let ended = house.operator.call("DELETE", &format!("/api/v1/me/logins/{login}"), None).await?;
    ensure!(ended.status < 300, "{}", ended.text());
    let screen = terminal.shows("this login has ended").await?;
    ensure!(!screen.contains("LIVE") && !screen.contains("anna-main"), "{screen}");
    // A form that came up by itself hears nothing for a moment: what was typed just then was meant for the list.
    terminal.press_until("x", "••").await?;
    terminal.press("C-u").await?;
    terminal.shows_no("••").await?;
    log_in(&terminal, PASSWORD, None).await?;
    let screen = terminal.shows("[y] freeze").await?;
    ensure!(screen.contains(&credential), "{screen}");
    terminal.press_until("y", "frozen credential").await?;
    let state = house.operator.credential(&house.tenant, &credential).await?.ok()?.text_at("/state")?;
    assert_eq!(state, "frozen");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_not_shown_as_current_and_comes_back() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance().map(|key| key.labelled("anna-main"))).await?;
    let credential = house.app.enrolled(&key).await?;
    // It comes back at the address that the console knows.
    house.home.configure("listen.admin", house.server.ready()?.admin)?;
    let terminal = logged_in(&house).await?;
    terminal.shows("active").await?;

    house.server.stop().await?;
    let screen = terminal.shows_no("LIVE").await?;
    ensure!(screen.contains("STALE") || screen.contains("OFFLINE"), "{screen}");
    let screen = terminal.shows("OFFLINE").await?;
    ensure!(screen.contains("the server is not reached") && screen.contains("all parts ok?"), "{screen}");
    // What may be old is shown, and is nothing to act upon.
    terminal.press_until("C-x", "refused: what you see may be old").await?;

    let house = House { server: Server::start(&house.home).await?, ..house };
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    terminal.shows("LIVE").await?;
    terminal.shows("frozen").await?;
    terminal.shows_no("not reached").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_halts_is_stale_since_then_and_live_when_it_goes_on() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance().map(|key| key.labelled("anna-main"))).await?;
    let credential = house.app.enrolled(&key).await?;
    let terminal = logged_in(&house).await?;
    terminal.shows("active").await?;

    // Requests go out over connections that are open, and nothing comes back.
    house.server.signal(Role::Front, Signal::Stop)?;
    let screen = terminal.shows("STALE since ").await?;
    ensure!(seconds_since(&screen).is_some_and(|seconds| seconds > 0), "{screen}");
    ensure!(screen.contains("anna-main") && !screen.contains("LIVE"), "what may be old is shown:\n{screen}");
    terminal.press_until("C-x", "refused: what you see may be old").await?;

    house.server.signal(Role::Front, Signal::Continue)?;
    let screen = terminal.shows("LIVE").await?;
    ensure!(!screen.contains("STALE"), "{screen}");
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    terminal.shows("frozen").await?;
    Ok(())
}

/// How many seconds ago it was as it is shown, by the first line: `since 10:20:30Z (7s)`.
fn seconds_since(screen: &str) -> Option<u64> {
    let (_, seconds) = screen.lines().next()?.split_once("Z (")?;
    seconds.split_once("s)")?.0.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_is_seen_where_it_stands() -> Result<()> {
    let house = House::open().await?;
    let mut credentials = Vec::new();
    let labels = ["anna-main", "bert-hedge", "carl-spot"];
    for label in labels {
        let key = house.sim.knows(Key::binance().map(|key| key.labelled(label))).await?;
        credentials.push(house.app.enrolled(&key).await?);
    }
    let terminal = logged_in(&house).await?;
    let before = terminal.shows("1 of 3").await?;
    house.app.enrolled(&house.sim.knows(Key::binance().map(|key| key.labelled("new-one"))).await?).await?;
    let (began, mut after) = (Instant::now(), String::new());
    for (frozen, credential) in (1..).zip(&credentials) {
        house.operator.act(&house.tenant, credential, "freeze").await?.ok()?;
        after = until("it to be frozen", async || {
            let screen = terminal.screen().await?;
            ensure!(screen.matches("frozen").count() == frozen, "{screen}");
            Ok(screen)
        })
        .await?;
    }
    // A list that nothing is told of is asked for every 15 seconds: it would have shown one state in each.
    ensure!(began.elapsed() < Duration::from_secs(30), "seen by asking, not told: {:?}", began.elapsed());
    let row_of = |screen: &str, label: &str| screen.lines().position(|line| line.contains(label));
    for label in labels {
        assert_eq!(row_of(&before, label), row_of(&after, label), "no row moves by itself\n{before}\n{after}");
    }
    terminal.press_until("r", "new-one").await?;
    Ok(())
}
