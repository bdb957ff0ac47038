//! Processes, by their id and never by their name.

use std::fs;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use rustix::thread::{CapabilitySet, capabilities};

/// The children of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let parent = |child: &u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        // The second field is the name in brackets, which may hold anything; the state and the parent follow it.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|child| parent(child) == Some(pid)).collect()
}

/// Whether the memory of one's own children can be read here: they have made themselves unreadable to their own user.
pub fn may_read_memory() -> bool {
    may(CapabilitySet::SYS_PTRACE)
}

/// Whether this process may mount, given a mount namespace of its own.
pub(crate) fn may_mount() -> bool {
    may(CapabilitySet::SYS_ADMIN)
}

fn may(capability: CapabilitySet) -> bool {
    capabilities(None).is_ok_and(|sets| sets.effective.contains(capability))
}

/// Whether a process is there and is no zombie.
pub fn is_running(pid: u32) -> bool {
    let there = id(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    there && !fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

/// Asks a process to end, if it is still there and is that program: a process id that has come round again is somebody
/// else's.
pub fn terminate(pid: u32, program: &str) {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    // The kernel keeps the first 15 characters.
    if !name.trim_end().is_empty() && program.starts_with(name.trim_end()) {
        signal(pid, Signal::TERM);
    }
}

/// Kills a process, if it is still there.
pub(crate) fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Sends a signal to a process, if it is still there.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = id(pid) {
        // It may have ended by itself.
        let _gone = kill_process(pid, signal);
    }
}

fn id(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}
