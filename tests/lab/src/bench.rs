//! `make bench`: what Claviger costs, beside what could be had without it, in one run on one machine.
//!
//! - [`calls`]: executions through Claviger beside a bare forwarder, at 1, 16, 64 and 256 callers
//! - [`disk`], [`store`]: what a durable write takes, and what the store makes of it
//! - [`decision`]: the signing firewall with many grants and rules
//! - [`keeper`], [`token`]: signatures beside the raw token
//! - [`many`]: what must not take longer because there are many credentials
//! - [`report`]: all of it in words and ratios

mod calls;
mod crowd;
mod decision;
mod disk;
mod forwarder;
mod http;
mod keeper;
pub(crate) mod machine;
mod many;
mod process;
mod report;
pub(crate) mod stats;
mod store;
pub(crate) mod token;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use claviger_e2e::{Home, PASSWORD, Scratch};
use tokio::runtime::Runtime;

use calls::{CALLERS, Stand};
use keeper::Keeper;
use report::{Engine, Report};
use store::Desk;

/// How the run is made.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Seconds for each figure; those of the callers are measured in three rounds that take turns with the forwarder's.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

/// See [`forwarder`].
#[derive(Debug, Args)]
pub(crate) struct Forwarder {
    /// The venue: `https://…`.
    base: String,
    /// The authority that vouches for it.
    ca_file: PathBuf,
    /// The key id that orders carry.
    key_id: String,
    /// Where to put the certificate.
    certificate: PathBuf,
}

/// See [`token`].
#[derive(Debug, Args)]
pub(crate) struct RawToken {
    home: PathBuf,
    seconds: u64,
}

impl Bench {
    /// Measures, and prints the table.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let scratch = Scratch::on_disk()?;
        let lasting = Duration::from_secs(self.seconds);
        let (machine, load) = (machine::words(scratch.path())?, machine::load());
        let decisions = decision::decisions(lasting)?;
        let engine = engine(scratch.path(), lasting).await?;
        let home = Home::at(&scratch.path().join("home"), scratch.path(), &scratch.path().join("server.log"))?;
        home.init(PASSWORD).await?;
        let path = home.path().to_owned();

        let stand = Stand::open(home, scratch).await?;
        let mut points = Vec::new();
        for callers in CALLERS {
            points.push(stand.measure(callers, lasting).await?);
        }
        // The folder goes with what is left of the stand.
        let (_scratch, many) = stand.close(lasting).await?;
        let (alone, crowded) = signatures(&path, lasting)?;
        let token = token::rates(&path, self.seconds)?;
        let load = (load, machine::load());
        Report { machine, load, decisions, engine, points, many, alone, crowded, token }.print();
        Ok(ExitCode::SUCCESS)
    }
}

impl Forwarder {
    /// Serves until it is killed.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let serving = forwarder::run(&self.base, &self.ca_file, &self.key_id, &self.certificate);
        Runtime::new()?.block_on(serving)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl RawToken {
    /// Prints the rates.
    pub(crate) fn run(self) -> Result<ExitCode> {
        token::run(&self.home, self.seconds)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The disk and the store, with nothing else running.
async fn engine(folder: &Path, lasting: Duration) -> Result<Engine> {
    let appends = disk::appends(folder, lasting)?;
    let desk = Desk::open(folder).await?;
    Ok(Engine {
        appends,
        pairs_alone: desk.pairs(1, lasting).await?,
        pairs_few: desk.pairs(16, lasting).await?,
        pairs_many: desk.pairs(256, lasting).await?,
        entry_alone: desk.entries(1, lasting).await?,
        entries: desk.entries(256, lasting).await?,
    })
}

/// Signatures one at a time, and as many as the keeper can make.
fn signatures(home: &Path, lasting: Duration) -> Result<(report::Signed, report::Signed)> {
    let mut keeper = Keeper::start(home)?;
    Ok((keeper.sign(1, lasting)?, keeper.sign(64, lasting)?))
}
