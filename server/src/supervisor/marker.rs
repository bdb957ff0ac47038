//! The marker of a refused PIN: salted argon2id of it, so that no keeper tries the same one again.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use aws_lc_rs::rand::SystemRandom;
use claviger_core::secret::Plaintext;
use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

const FILE: &str = "pin.refused";
const PARTIAL: &str = "pin.refused.partial";

/// Tells PINs apart while this process lives, under a key that nobody else has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PinDigest([u8; 32]);

impl PinDigest {
    pub(super) fn of(pin: &Plaintext) -> Self {
        static KEY: LazyLock<Option<Key>> = LazyLock::new(|| Key::generate(HMAC_SHA256, &SystemRandom::new()).ok());
        let mut digest = [0; 32];
        if let Some(key) = KEY.as_ref() {
            #[expect(clippy::disallowed_methods, reason = "EXPOSE: only a digest of it is kept")]
            pin.expose(|pin| digest.copy_from_slice(hmac::sign(key, pin.trim_ascii()).as_ref()));
        }
        Self(digest)
    }
}

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

/// Marks a PIN as refused, and says whether that worked.
pub fn mark(home: &Path, pin: &Plaintext) -> bool {
    let written = write(home, pin);
    if let Err(error) = &written {
        tracing::error!(%error, "the refused PIN could not be marked");
    }
    written.is_ok()
}

/// Whole or not at all, and for nobody else's eyes: a PIN has few digits to guess.
fn write(home: &Path, pin: &Plaintext) -> io::Result<()> {
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| io::Error::other("no random numbers"))?;
    let hash = hash(pin, &salt).ok_or_else(|| io::Error::other("argon2 refuses its parameters"))?;
    let partial = home.join(PARTIAL);
    let mut to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    to.write_all(format!("{} {}\n", HEXLOWER.encode(&salt), HEXLOWER.encode(&hash)).as_bytes())?;
    to.sync_all()?;
    std::fs::rename(partial, file(home))
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
