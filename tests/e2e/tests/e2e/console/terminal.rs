//! The terminal: its size, its clipboard, what is pasted into it, and that it is given back as it was.

use anyhow::{Result, ensure};
use claviger_e2e::{House, Key, OPERATOR, PASSWORD, Terminal, until};
use rustix::process::Signal;

use super::{log_in, logged_in, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_outlives_every_size_and_takes_no_key_that_nobody_can_read() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let terminal = logged_in(&house).await?;
    terminal.press("C-x").await?;
    terminal.fill("the owner left us", "the owner left us").await?;
    for (columns, rows) in [(160, 50), (60, 20), (100, 24), (80, 24)] {
        terminal.resize(columns, rows).await?;
        let screen = terminal.shows("[enter] next").await?;
        ensure!(screen.contains("the owner left us") && screen.contains(&credential), "{columns}x{rows}:\n{screen}");
    }
    terminal.press("Enter").await?;
    terminal.shows("[y] revoke").await?;
    for (columns, rows) in [(59, 24), (80, 19), (10, 3), (1, 1)] {
        terminal.resize(columns, rows).await?;
        terminal.shows_no("revoke").await?;
        terminal.press("y").await?;
    }
    terminal.resize(80, 24).await?;
    terminal.shows("[y] revoke").await?;
    assert_eq!(state(&house, &credential).await?, "active");
    terminal.press_until("y", "revoked credential").await?;
    assert_eq!(state(&house, &credential).await?, "revoked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_told_to_end_leaves_the_terminal_as_it_was() -> Result<()> {
    let house = House::open().await?;
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let terminal = Terminal::open(80, 24).await?;
    let before = modes(&terminal, "before").await?;
    for way in ["SIGTERM", "SIGHUP", "key", "twice ^c"] {
        start(&house, &terminal, ["--operator", OPERATOR]).await?;
        log_in(&terminal, PASSWORD, None).await?;
        assert_eq!(terminal.knows("alternate_on").await?, "1");
        match way {
            "SIGTERM" => terminal.signal(Signal::TERM).await?,
            "SIGHUP" => terminal.signal(Signal::HUP).await?,
            "key" => terminal.press("q").await?,
            _ => {
                terminal.press("C-c").await?;
                terminal.shows("press ^c once more").await?;
                terminal.press("C-c").await?;
            }
        }
        terminal.ended().await?;
        let screen = terminal.screen().await?;
        ensure!(screen.contains("sh console") && !screen.contains("LIVE"), "{way}: {screen}");
        let after = modes(&terminal, "after").await?;
        assert_eq!(before, after, "{way}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_stopped_gives_the_terminal_back_and_goes_on_where_it_was() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let terminal = Terminal::open(80, 24).await?;
    let before = modes(&terminal, "before").await?;
    start(&house, &terminal, ["--operator", OPERATOR]).await?;
    log_in(&terminal, PASSWORD, None).await?;
    terminal.press_until("Enter", &credential).await?;

    terminal.press("C-z").await?;
    let shell = terminal.shows("Stopped").await?;
    ensure!(shell.contains("sh console") && !shell.contains(&credential), "{shell}");
    assert_eq!(before, modes(&terminal, "while stopped").await?);
    terminal.resize(100, 30).await?;

    terminal.types("fg").await?;
    terminal.press("Enter").await?;
    terminal.shows(&credential).await?;
    let screen = terminal.shows("LIVE").await?;
    let drawn = screen.lines().filter(|line| !line.trim().is_empty()).map(|line| line.chars().count());
    ensure!(
        screen.lines().count() == 30 && drawn.max().is_some_and(|width| width > 80),
        "all of it is drawn:\n{screen}"
    );
    ensure!(!screen.contains("Stopped") && terminal.knows("alternate_on").await? == "1", "{screen}");
    terminal.press("F").await?;
    terminal.shows("[y] freeze").await?;
    terminal.press_until("y", "frozen credential").await?;
    assert_eq!(state(&house, &credential).await?, "frozen");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_copied_by_way_of_the_terminal() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let terminal = logged_in(&house).await?;
    terminal.shows("1 of 1").await?;
    terminal.press("c").await?;
    terminal.shows("copied").await?;
    assert_eq!(until("the clipboard", async || terminal.clipboard().await).await?, credential);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pasted_is_never_keys() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let terminal = logged_in(&house).await?;
    let list = terminal.shows("1 of 1").await?;
    for pasted in ["F", "Fy", "D\r", ":logins\r", "q", "y\u{3}\u{3}"] {
        terminal.paste(pasted).await?;
    }
    // A key comes after what was pasted before it.
    terminal.press("F").await?;
    let screen = terminal.shows("[y] freeze").await?;
    ensure!(screen.contains("FREEZE credential") && list.contains("credentials"), "{screen}");
    for pasted in ["y", "y\r", "\u{1b}", "yyyy"] {
        terminal.paste(pasted).await?;
    }
    terminal.escape().await?;
    assert_eq!(state(&house, &credential).await?, "active");

    terminal.press("/").await?;
    terminal.paste("no\tsuch\r\nlabel").await?;
    terminal.shows("/no such  label").await?;
    terminal.shows("0 of").await?;
    Ok(())
}

async fn state(house: &House, credential: &str) -> Result<String> {
    house.operator.credential(&house.tenant, credential).await?.ok()?.text_at("/state")
}

/// The modes of the terminal, as its driver and as the terminal itself know them.
async fn modes(terminal: &Terminal, when: &str) -> Result<String> {
    terminal.types(&format!("stty -a; echo {when}")).await?;
    terminal.press("Enter").await?;
    let shown = terminal.shows(&format!("\n{when}")).await?;
    let start = shown.rfind("speed").unwrap_or_default();
    let driver = shown.get(start..).unwrap_or_default().replace(when, "");
    let mut own = Vec::new();
    for flag in FLAGS {
        own.push(format!("{flag} {}", terminal.knows(flag).await?));
    }
    terminal.types("clear").await?;
    terminal.press("Enter").await?;
    terminal.shows_no(when).await?;
    Ok(driver.trim_end_matches(['$', '#', ' ', '\n']).to_owned() + &own.join("\n"))
}

const FLAGS: &[&str] = &[
    "alternate_on",
    "cursor_flag",
    "insert_flag",
    "keypad_cursor_flag",
    "keypad_flag",
    "mouse_any_flag",
    "origin_flag",
    "pane_title",
    "scroll_region_lower",
    "scroll_region_upper",
    "wrap_flag",
];
