//! The raw token: DEKs unwrapped by `C_Decrypt`, or wrapped anew, and nothing around it.
//!
//! In a process of its own, because `SoftHSM` finds its configuration in the environment.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_core::token::{KEY_BYTES, KekBlob, Token as _, WrappedDek};
use claviger_hsm::{Hsm, HsmSession, Module, Pin, SlotSelector};
use claviger_server::config::Config;
use tokio::time::Instant;

use super::stats::ratio;
use crate::story::say;

/// How many threads are tried.
pub(crate) const THREADS: [usize; 2] = [1, 2];

const AAD: &[u8] = b"what the DEK belongs to: 32 bytes";
const UNWRAPS_MAX: u32 = 500_000;

/// What the token does in a second.
#[derive(Debug)]
pub(crate) struct Rates {
    /// DEKs that are unwrapped, for each of [`THREADS`].
    pub(crate) unwraps: Vec<f64>,
    /// DEKs that one thread moves under another KEK.
    pub(crate) rewraps: f64,
}

/// Measures in a process of its own.
pub(crate) fn rates(home: &Path, seconds: u64) -> Result<Rates> {
    let soft = Config::load(home)?.hsm.softhsm_conf.context("the home's token is no soft one")?;
    let mut measure = Command::new(std::env::current_exe()?);
    measure.arg("raw-token").arg(home).arg(seconds.to_string()).env("SOFTHSM2_CONF", home.join(soft));
    let output = measure.output()?;
    ensure!(output.status.success(), "the raw token: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    let mut unwraps = lines.lines().map(|line| line.parse().context("a rate")).collect::<Result<Vec<f64>>>()?;
    let rewraps = unwraps.pop().context("no rate")?;
    Ok(Rates { unwraps, rewraps })
}

/// What that process does: prints one rate a line, the rewraps last.
pub(crate) fn run(home: &Path, seconds: u64) -> Result<()> {
    let config = Config::load(home)?.hsm;
    let pin = std::fs::read_to_string(home.join(&config.pin_file))?;
    let module = Module::load(&config.module)?;
    let hsm = module.open(&SlotSelector::Label(config.token_label), Pin::from(pin.trim().to_owned()))?;
    let mut session = hsm.session()?;
    let kek = session.generate_kek()?;
    let dek = session.wrap_dek(&kek, &[7; KEY_BYTES], AAD)?;
    let lasting = Duration::from_secs(seconds);
    for threads in THREADS {
        say(&rate(&hsm, (&kek, &dek), threads, lasting)?.to_string());
    }
    say(&rewraps(&mut session, (&kek, &dek), lasting)?.to_string());
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

/// Moves of a DEK from one KEK to another in a second, as a rotation makes them: it is unwrapped, wrapped, and tried.
fn rewraps(session: &mut HsmSession, (from, dek): (&KekBlob, &WrappedDek), lasting: Duration) -> Result<f64> {
    let to = session.generate_kek()?;
    let began = Instant::now();
    let mut count: u32 = 0;
    while began.elapsed() < lasting && count < UNWRAPS_MAX {
        let opened = session.unwrap_dek(from, dek, AAD)?;
        let moved = session.wrap_dek(&to, &opened, AAD)?;
        session.unwrap_dek(&to, &moved, AAD)?;
        count = count.saturating_add(1);
    }
    Ok(ratio(f64::from(count), began.elapsed().as_secs_f64()))
}
