//! The raw token: DEKs unwrapped by `C_Decrypt` and nothing around it.
//!
//! In a process of its own, because `SoftHSM` finds its configuration in the environment.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_core::token::{KEY_BYTES, KekBlob, Token as _, WrappedDek};
use claviger_hsm::{Hsm, Module, Pin, SlotSelector};
use claviger_server::config::Config;
use tokio::time::Instant;

use super::stats::ratio;
use crate::story::say;

/// How many threads are tried.
pub(crate) const THREADS: [usize; 2] = [1, 2];

const AAD: &[u8] = b"what the DEK belongs to: 32 bytes";
const UNWRAPS_MAX: u32 = 500_000;

/// Measures in a process of its own: unwraps per second, for each of [`THREADS`].
pub(crate) fn rates(home: &Path, seconds: u64) -> Result<Vec<f64>> {
    let soft = Config::load(home)?.hsm.softhsm_conf.context("the home's token is no soft one")?;
    let mut measure = Command::new(std::env::current_exe()?);
    measure.arg("raw-token").arg(home).arg(seconds.to_string()).env("SOFTHSM2_CONF", home.join(soft));
    let output = measure.output()?;
    ensure!(output.status.success(), "the raw token: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)?.lines().map(|line| line.parse().context("a rate")).collect()
}

/// What that process does: prints one rate a line.
pub(crate) fn run(home: &Path, seconds: u64) -> Result<()> {
    let config = Config::load(home)?.hsm;
    let pin = std::fs::read_to_string(home.join(&config.pin_file))?;
    let module = Module::load(&config.module)?;
    let hsm = module.open(&SlotSelector::Label(config.token_label), Pin::from(pin.trim().to_owned()))?;
    let mut session = hsm.session()?;
    let kek = session.generate_kek()?;
    let dek = session.wrap_dek(&kek, &[7; KEY_BYTES], AAD)?;
    for threads in THREADS {
        say(&rate(&hsm, (&kek, &dek), threads, Duration::from_secs(seconds))?.to_string());
    }
    Ok(())
}

/// Unwraps per second, by so many threads with a session each.
fn rate(hsm: &Hsm, dek: (&KekBlob, &WrappedDek), threads: usize, lasting: Duration) -> Result<f64> {
    let began = Instant::now();
    let count = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(|| unwraps(hsm, dek, began, lasting))).collect();
        started.into_iter().try_fold(0_u32, |sum, thread| {
            let count = thread.join().ok().context("a thread ended")??;
            anyhow::Ok(sum.saturating_add(count))
        })
    })?;
    Ok(ratio(f64::from(count), began.elapsed().as_secs_f64()))
}

fn unwraps(hsm: &Hsm, (kek, dek): (&KekBlob, &WrappedDek), began: Instant, lasting: Duration) -> Result<u32> {
    let mut session = hsm.session()?;
    let mut count: u32 = 0;
    while began.elapsed() < lasting && count < UNWRAPS_MAX {
        session.unwrap_dek(kek, dek, AAD)?;
        count = count.saturating_add(1);
    }
    Ok(count)
}
