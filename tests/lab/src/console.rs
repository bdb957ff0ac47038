//! `make bench-console`: the operator console before very many credentials, in a real terminal.

mod frames;

use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use claviger_e2e::{House, Server, Setup, Terminal};
use tokio::time::Instant;

use crate::bench::machine;
use crate::bench::stats::{Round, milliseconds};
use crate::stock::{stock, store_of};
use crate::story::say;

/// How often the console is opened.
const OPENED: u32 = 20;

/// How far it is scrolled.
const SCROLLED: u32 = 10_000;

/// How often one of all credentials is looked for.
const SOUGHT: u32 = 5;

/// How the run is made.
#[derive(Debug, Args)]
pub(crate) struct BenchConsole {
    /// Credentials in the tenant that is looked at.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(20_000..=1_000_000))]
    credentials: u32,
}

impl BenchConsole {
    /// Measures, and prints the figures.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let house = Setup::default().on_disk().open().await?;
        say(&format!("machine   {}; load {}", machine::words(house.home.path())?, machine::load()));
        let house = self.stocked(house).await?;
        house.log_in().await?;
        opening(&house).await?;
        let terminal = Terminal::open(160, 50).await?;
        open(&house, &terminal).await?;
        scrolling(&house, &terminal).await?;
        self.seeking(&house, &terminal).await?;
        say(&format!("memory    {} KiB at most in the console (VmHWM)", peak(terminal.pid().await?)?));
        frames::measured(&house).await?;
        say(&format!("load      {} in the end", machine::load()));
        Ok(ExitCode::SUCCESS)
    }

    /// Stops the service, puts the credentials into its store, and starts it again.
    async fn stocked(&self, house: House) -> Result<House> {
        house.server.stop().await?;
        let (began, home) = (Instant::now(), house.home.path());
        let store = store_of(home)?;
        stock(home, &store, house.tenant.parse()?, self.credentials).await?;
        store.close();
        say(&format!("store     {} credentials sealed in {:.0} s", self.credentials, began.elapsed().as_secs_f64()));
        Ok(House { server: Server::start(&house.home).await?, ..house })
    }

    /// Types the label of one credential into the filter, and waits until it stands under the cursor.
    async fn seeking(&self, house: &House, terminal: &Terminal) -> Result<()> {
        let mut round = Round::default();
        let before = asked(house).await?;
        for n in 0..SOUGHT {
            let number = self.credentials.saturating_sub(1).saturating_sub(n);
            terminal.press("/").await?;
            let began = Instant::now();
            terminal.types(&format!("desk-{number:07}")).await?;
            terminal.shows("1 of 1\n").await?;
            round.took(began.elapsed());
            terminal.press("Escape").await?;
            terminal.shows_no("1 of 1\n").await?;
        }
        let requests = asked(house).await?.saturating_sub(before);
        say(&format!(
            "filter    one of {} found {} after the last key; {requests} requests for {SOUGHT}",
            self.credentials,
            words(&round)
        ));
        Ok(())
    }
}

/// From the Enter key behind the command to the first rows, with a login that was kept.
async fn opening(house: &House) -> Result<()> {
    let mut round = Round::default();
    for _ in 0..OPENED {
        let terminal = Terminal::open(80, 24).await?;
        round.took(open(house, &terminal).await?);
    }
    say(&format!(
        "start     to the first rows {}, the shell's own share and a look every 10 ms included",
        words(&round)
    ));
    Ok(())
}

async fn open(house: &House, terminal: &Terminal) -> Result<Duration> {
    let began = Instant::now();
    terminal.run("console", house.home.client(["console", "--screen", "credentials"])?).await?;
    terminal.shows("desk-").await?;
    Ok(began.elapsed())
}

/// Goes down page by page, as fast as the screen follows.
async fn scrolling(house: &House, terminal: &Terminal) -> Result<()> {
    let (before, began) = (asked(house).await?, Instant::now());
    let mut pages = 0_u32;
    loop {
        let screen = terminal.screen().await?;
        if number(&screen).is_some_and(|number| number >= SCROLLED) {
            break;
        }
        terminal.press("PageDown").await?;
        pages = pages.saturating_add(1);
    }
    let requests = asked(house).await?.saturating_sub(before);
    let took = began.elapsed().as_secs_f64();
    say(&format!("scroll    {SCROLLED} rows in {pages} pages and {took:.1} s: {requests} requests for lists"));
    Ok(())
}

/// The number of the row under the cursor, as the screen says it.
fn number(screen: &str) -> Option<u32> {
    let words: Vec<&str> = screen.lines().nth(1)?.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "of")?.checked_sub(1)?;
    words.get(at)?.parse().ok()
}

/// How often operators asked for credentials.
async fn asked(house: &House) -> Result<u64> {
    let metrics = house.server.metrics().await?;
    let of_lists = metrics.lines().filter(|line| {
        line.starts_with("claviger_requests_total{") && line.contains("admin") && line.contains("credentials\"")
    });
    Ok(of_lists.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum())
}

/// The most memory that a process ever had, KiB.
fn peak(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.split_whitespace().next()).context("no figure")?;
    Ok(figure.parse()?)
}

fn words(round: &Round) -> String {
    let [p50, worst] = [50, 100].map(|percent| milliseconds(round.percentile(percent)));
    format!("p50 {p50:.0} ms, worst of {} {worst:.0} ms", round.count())
}
