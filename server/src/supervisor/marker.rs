//! The marker of a refused PIN: salted argon2id of it, so that no keeper tries the same one again.

use std::io;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use claviger_core::secret::Plaintext;
use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

const FILE: &str = "pin.refused";

fn file(home: &Path) -> PathBuf {
    home.join(FILE)
}

/// Whether this PIN was refused before.
#[must_use]
pub fn is_marked(home: &Path, pin: &Plaintext) -> bool {
    let Ok(text) = std::fs::read_to_string(file(home)) else { return false };
    let Some((salt, stored)) = text.trim().split_once(' ') else { return false };
    let (Ok(salt), Ok(stored)) = (HEXLOWER.decode(salt.as_bytes()), HEXLOWER.decode(stored.as_bytes())) else {
        return false;
    };
    hash(pin, &salt).is_some_and(|hash| hash.as_slice().ct_eq(&stored).into())
}

/// Marks a PIN as refused.
pub(super) fn write(home: &Path, pin: &Plaintext) -> io::Result<()> {
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| io::Error::other("no random numbers"))?;
    let hash = hash(pin, &salt).ok_or_else(|| io::Error::other("argon2 refuses its parameters"))?;
    std::fs::write(file(home), format!("{} {}\n", HEXLOWER.encode(&salt), HEXLOWER.encode(&hash)))
}

/// Allows the marked PIN to be tried again.
///
/// # Errors
/// When the marker is there and cannot be removed.
pub fn clear(home: &Path) -> io::Result<bool> {
    match std::fs::remove_file(file(home)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Slow on purpose: a PIN has few digits.
fn hash(pin: &Plaintext, salt: &[u8]) -> Option<[u8; 32]> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, Some(32)).ok()?);
    let mut out = [0; 32];
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the refused PIN is hashed, to be known again")]
    pin.expose(|pin| argon2.hash_password_into(pin.trim_ascii(), salt, &mut out)).ok()?;
    Some(out)
}
