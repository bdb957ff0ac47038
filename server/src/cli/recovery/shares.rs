//! Shares, as holders bring them.

use std::fs;
use std::path::PathBuf;

use claviger_core::recovery::{PrivateKey, RecoveryKey, Share, ShareError, join};
use claviger_core::secret::Plaintext;
use zeroize::Zeroizing;

use super::super::Failure;

/// Reads shares from files, or asks for them at the terminal, and puts them together.
pub(super) fn gathered(files: &[PathBuf], key: &RecoveryKey) -> Result<PrivateKey, Failure> {
    let refused =
        |e: ShareError| Failure::new(3, format!("{e}; nothing was changed. Ask the holders for what they were given"));
    let shares = if files.is_empty() { asked(key)? } else { read(files)? };
    join(&shares, key).map_err(refused)
}

fn read(files: &[PathBuf]) -> Result<Vec<Share>, Failure> {
    let share = |file: &PathBuf| {
        let named = |e: &dyn std::fmt::Display| Failure::new(2, format!("{}: {e}", file.display()));
        let text = fs::read(file).map(Zeroizing::new).map_err(|e| named(&e))?;
        let text = Plaintext::copy_of(&text).map_err(|e| named(&e))?;
        Share::read(&text).map_err(|e| named(&e))
    };
    files.iter().map(share).collect()
}

fn asked(key: &RecoveryKey) -> Result<Vec<Share>, Failure> {
    let mut shares = Vec::new();
    while shares.len() < usize::from(key.threshold) {
        let prompt = format!("a share, one of the {} that are needed: ", key.threshold);
        let typed = rpassword::prompt_password(prompt).map(Zeroizing::new);
        let typed = typed.map_err(|e| Failure::new(2, format!("no share was given: {e}; nothing was changed")))?;
        let read = Plaintext::copy_of(typed.as_bytes()).map_err(ShareError::from).and_then(|text| Share::read(&text));
        match read {
            Ok(share) => shares.push(share),
            Err(error) => eprintln!("claviger: {error}"),
        }
    }
    Ok(shares)
}
