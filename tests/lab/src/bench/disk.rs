//! What the disk itself takes to make something durable.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::stats::Round;

const BLOCK: [u8; 4096] = [0x5a; 4096];
const APPENDS_MAX: u32 = 2_000;

/// Appends a block and has it written (`fdatasync`), again and again.
pub(crate) fn appends(folder: &Path, lasting: Duration) -> Result<Round> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    let mut round = Round::default();
    let began = Instant::now();
    while began.elapsed() < lasting && round.count() < APPENDS_MAX {
        let asked = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        round.took(asked.elapsed());
    }
    round.elapsed = began.elapsed();
    std::fs::remove_file(path)?;
    Ok(round)
}
