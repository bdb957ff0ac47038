//! What the figures were measured on.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// Filesystems that forget: a durable write costs nothing there, and figures would be about nothing.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// Processors, kernel, and the filesystem of a folder, in words.
pub(crate) fn words(folder: &Path) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let filesystem = filesystem(&mounts, &fs::canonicalize(folder)?).context("the folder is on no filesystem")?;
    ensure!(!IN_MEMORY.contains(&filesystem.as_str()), "{} is in memory: nothing is durable there", folder.display());
    Ok(format!("{cores} cores, {}; Linux {}; home on {filesystem}", model(), kernel.trim()))
}

/// How many were running or waiting to run, in the last minute.
pub(crate) fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(": "))
        .map_or_else(|| "of unknown model".to_owned(), |(_, name)| name.to_owned())
}

/// The type of the filesystem that is mounted deepest above a folder (proc(5), `mountinfo`).
fn filesystem(mounts: &str, folder: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (place, source) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?.to_owned();
        folder.starts_with(&point).then(|| Some((point, source.split(' ').next()?.to_owned())))?
    };
    let above = mounts.lines().filter_map(mount);
    // Of two at the same place the later one covers the earlier one.
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filesystem_is_the_one_mounted_deepest() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/a rw\n23 22 0:2 / /tmp rw shared:1 - tmpfs none rw\n\
                      24 22 0:3 / /tmp/disk rw - xfs /dev/b rw\n";
        let at = |folder: &str| filesystem(mounts, Path::new(folder)).unwrap();
        assert_eq!(at("/home/x"), "ext4");
        assert_eq!(at("/tmp/x"), "tmpfs");
        assert_eq!(at("/tmpx"), "ext4");
        assert_eq!(at("/tmp/disk/x"), "xfs");
    }
}
