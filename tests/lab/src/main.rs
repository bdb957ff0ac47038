//! `claviger-lab`: what `make demo`, `make dev`, `make stop`, `make bench`, `make bench-console`, `make drill` and
//! `make tour` run.

mod bench;
mod console;
mod demo;
mod dev;
mod drill;
mod link;
mod stock;
mod story;
mod tour;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use claviger_e2e::{Again, again, may_read_memory};
use tokio::runtime::Runtime;

/// Shows Claviger at work, on a token and a venue of its own.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tells the whole path in thirty lines, and fails with the first line that is not so.
    Demo {
        /// A fault of the venue, such as `dead_key` or `dead_key@/api/v3/order`, to see which line fails.
        #[arg(long, env = "CLAVIGER_DEMO_FAULT")]
        fault: Option<String>,
    },
    /// Starts a server and a venue, and leaves them running.
    Dev,
    /// Ends what `dev` left running, and waits for the end.
    Stop,
    /// Measures what Claviger costs on this machine.
    Bench(bench::Bench),
    /// Measures the operator console before very many credentials.
    BenchConsole(console::BenchConsole),
    /// Rotates the KEK of many credentials while orders go on, is killed twice, and counts what failed.
    Drill(drill::Drill),
    /// Tells the owners of many credentials of an incident, by a relay that fails now and then, is killed once, and counts
    /// who was told what.
    DrillNotices(drill::notices::DrillNotices),
    /// Plays a tour of the operator console, and writes it down.
    Tour(tour::Tour),
    /// What `bench` measures against, in a process of its own.
    #[command(hide = true)]
    Forwarder(bench::Forwarder),
    /// The raw token as `bench` measures it, in a process of its own.
    #[command(hide = true)]
    RawToken(bench::RawToken),
}

#[expect(clippy::print_stderr, reason = "the terminal is where whoever typed the command looks")]
fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo { fault } => demo(fault.as_deref()),
        Command::Dev => Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(dev::start())),
        Command::Stop => Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(dev::stop())),
        Command::Bench(bench) => Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(bench.run())),
        Command::BenchConsole(bench) => {
            Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(bench.run()))
        }
        Command::Drill(drill) => Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(drill.run())),
        Command::DrillNotices(drill) => {
            Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(drill.run()))
        }
        Command::Tour(tour) => Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(tour.run())),
        Command::Forwarder(forwarder) => forwarder.run(),
        Command::RawToken(token) => token.run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("claviger-lab: {error:#}");
        ExitCode::FAILURE
    })
}

/// Runs the demo where the memory of its own children can be read: as root, or in a user namespace of its own.
fn demo(fault: Option<&str>) -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match if may_read_memory() { Again::Here } else { again(&["--user", "--map-root-user"], &args)? } {
        Again::Elsewhere(status) => Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Again::Here | Again::Refused => Runtime::new()?.block_on(demo::run(fault)),
    }
}
