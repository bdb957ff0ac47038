//! Passwords: how they are hashed.

use argon2::{Algorithm, Argon2, Params, Version};

/// argon2id of a password, 64 MiB and 3 passes; the keeper's pepper goes over it. Slow: never on a runtime thread.
#[must_use]
pub fn argon2id(password: &[u8], salt: &[u8; 16]) -> Option<[u8; 32]> {
    let params = Params::new(64 * 1024, 3, 1, Some(32)).ok()?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password, salt, &mut out).ok()?;
    Some(out)
}
