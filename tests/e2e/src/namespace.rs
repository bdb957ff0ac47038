//! Rights that a test does not have: it starts itself again where it has them.

use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, ensure};

use crate::process::{may_mount, may_read_memory};
use crate::scratch::test_name;

/// Tells the copy that it is one.
const MARK: &str = "CLAVIGER_E2E_NAMESPACE";

/// Where the test's body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Here: the rights are there.
    Here,
    /// It ran in a copy of this process, and passed.
    Elsewhere,
    /// Nowhere: the system refuses such namespaces. The test says that it was not tried.
    Refused,
}

impl Namespace {
    /// With the right to read the memory of one's own children: root has it, anybody else in a user namespace.
    ///
    /// # Errors
    /// When the test fails there.
    pub fn to_read_memory() -> Result<Self> {
        if may_read_memory() { Ok(Self::Here) } else { Self::enter(&["--user", "--map-root-user"]) }
    }

    /// With mounts of its own.
    ///
    /// # Errors
    /// When the test fails there.
    pub fn to_mount() -> Result<Self> {
        if may_mount() { Self::enter(&["--mount"]) } else { Self::enter(&["--user", "--map-root-user", "--mount"]) }
    }

    /// Runs a program such as `mount`.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(program: &str, args: &[&str]) -> Result<()> {
        let output = Command::new(program).args(args).output().with_context(|| format!("cannot run {program}"))?;
        ensure!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    #[expect(clippy::print_stderr, reason = "whoever reads the test's result must see that it was not tried")]
    fn enter(flags: &[&str]) -> Result<Self> {
        let this_test = [&test_name(), "--exact", "--nocapture", "--include-ignored"];
        match again(flags, &this_test)? {
            Again::Here => Ok(Self::Here),
            Again::Refused => {
                eprintln!("NOT TRIED: this system refuses `unshare {}`", flags.join(" "));
                Ok(Self::Refused)
            }
            Again::Elsewhere(status) => {
                ensure!(status.success(), "it failed in a namespace of its own, as the lines above say");
                Ok(Self::Elsewhere)
            }
        }
    }
}

/// What came of starting this program again.
#[derive(Clone, Copy, Debug)]
pub enum Again {
    /// This is the copy.
    Here,
    /// The copy has ended.
    Elsewhere(ExitStatus),
    /// The system refuses such namespaces.
    Refused,
}

/// Starts this program again, under `unshare` with these flags, unless this is the copy already.
///
/// # Errors
/// When the copy does not start.
pub fn again(flags: &[&str], args: &[&str]) -> Result<Again> {
    if std::env::var_os(MARK).is_some() {
        return Ok(Again::Here);
    }
    if !Command::new("unshare").args(flags).arg("true").output().is_ok_and(|output| output.status.success()) {
        return Ok(Again::Refused);
    }
    let mut unshare = Command::new("unshare");
    unshare.args(flags).arg(std::env::current_exe()?).args(args).env(MARK, "1");
    Ok(Again::Elsewhere(unshare.status().context("unshare does not start")?))
}
