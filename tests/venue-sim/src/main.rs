//! `claviger-venue-sim`: serves the simulator until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use claviger_venue_sim::{Options, serve};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Stands in for the exchanges in tests.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Directory of the test authority, made if it is not there.
    #[arg(long)]
    tls_dir: PathBuf,
    /// JSON file with `url`, `ca_file` and `pid`, written once requests are answered.
    #[arg(long)]
    ready_file: Option<PathBuf>,
    /// Threads that answer requests.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[expect(clippy::print_stderr, reason = "the terminal is this tool's only place to say what is wrong")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = Builder::new_multi_thread()
        .worker_threads(cli.threads.max(1))
        .enable_all()
        .build()
        .map_err(Box::from)
        .and_then(|runtime| runtime.block_on(run(cli)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claviger-venue-sim: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "without a ready file, the terminal is where the port can be read")]
async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let running = serve(Options { listen: cli.listen, tls_dir: cli.tls_dir, ready_file: cli.ready_file }).await?;
    eprintln!("venue simulator on {}, authority in {}", running.url(), running.ca_file().display());
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    running.stop().await;
    Ok(())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
