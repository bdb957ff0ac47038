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

/// Asks until there are enough: one that is wrong, or was given before, is asked for again, and costs nobody the others.
fn asked(key: &RecoveryKey) -> Result<Vec<Share>, Failure> {
    let mut shares: Vec<Share> = Vec::new();
    while shares.len() < usize::from(key.threshold) {
        let prompt = format!("a share, {} of the {} that are needed: ", shares.len().saturating_add(1), key.threshold);
        let typed = rpassword::prompt_password(prompt).map(Zeroizing::new);
        let typed = typed.map_err(|e| Failure::new(2, format!("no share was given: {e}; nothing was changed")))?;
        match taken(&typed, key, &shares) {
            Ok(share) => shares.push(share),
            Err(error) => eprintln!("claviger: {error}; ask the holder for it again"),
        }
    }
    Ok(shares)
}

fn taken(typed: &str, key: &RecoveryKey, before: &[Share]) -> Result<Share, ShareError> {
    let share = Share::read(&Plaintext::copy_of(typed.as_bytes())?)?;
    share.is_of(key)?;
    if before.iter().any(|other| other.number() == share.number()) {
        return Err(ShareError::Twice(share.number()));
    }
    Ok(share)
}

#[cfg(test)]
mod tests {
    use claviger_core::recovery::split;

    use super::*;

    #[test]
    fn a_share_that_is_wrong_is_refused_before_the_next_is_asked_for() {
        let private = PrivateKey::generate().unwrap();
        let (key, shares) = split(&private, (3, 2), 5).unwrap();
        let (_, others) = split(&private, (3, 2), 5).unwrap();
        let first = taken(&shares[0].text(), &key, &[]).unwrap();
        let before = [first];

        let twice = taken(&shares[0].text(), &key, &before).unwrap_err();
        let other = taken(&others[1].text(), &key, &before).unwrap_err();
        let next = taken(&shares[1].text(), &key, &before).unwrap();

        assert_eq!((twice, other, next.number()), (ShareError::Twice(1), ShareError::Other(2), 2));
    }
}
