//! Processes of this run, and the processor time that processes use.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::param::clock_ticks_per_second;

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it; what it says of itself goes to a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stderr(fs::File::create(log)?).spawn();
        Ok(Self(child.with_context(|| format!("cannot start {}", command.get_program().display()))?))
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// The first line that it prints: where it listens.
    pub(crate) fn first_line(&mut self) -> Result<String> {
        let output = self.0.stdout.take().context("its output goes elsewhere")?;
        let mut line = String::new();
        ensure!(BufReader::new(output).read_line(&mut line)? > 0, "it ended without a word");
        Ok(line.trim().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The processor time that processes have used so far, in user and in kernel mode, with all their threads.
pub(crate) fn processor_time(pids: &[u32]) -> Result<Duration> {
    let mut ticks: u64 = 0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        ticks = ticks.saturating_add(ticks_of(&stat).with_context(|| format!("not what proc(5) describes: {stat}"))?);
    }
    Ok(Duration::from_millis(ticks.saturating_mul(1_000).checked_div(clock_ticks_per_second()).unwrap_or_default()))
}

/// Fields 14 and 15; the second is the name in brackets, which may hold anything.
fn ticks_of(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(user.saturating_add(kernel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_fields_14_and_15_whatever_the_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 110 12 13 14 15 16 1 0";
        assert_eq!(ticks_of(stat), Some(122));
        assert_eq!(ticks_of("7 (a"), None);
    }
}
