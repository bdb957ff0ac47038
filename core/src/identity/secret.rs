//! Callers' own secrets: made here, shown once, stored as hashes.

use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A caller's secret: `clv_<kind>_<43 base62 characters><6 of CRC-32>`. The prefix and the checksum let secret scanners
/// recognise a leaked one.
pub struct CallerSecret(Zeroizing<String>);

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl CallerSecret {
    /// A new one of `kind` (`app`, `login`), with 256 random bits.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn generate(kind: &str) -> Result<Self, NoRandom> {
        // 43 characters of 62 are 256 bits.
        let body = random_text(43)?;
        Ok(Self(Zeroizing::new(format!("clv_{kind}_{}{}", *body, checksum(kind, &body)))))
    }

    /// The text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        hash_secret(&self.0)
    }
}

impl std::fmt::Debug for CallerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallerSecret(…)")
    }
}

/// The operating system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoRandom;

/// SHA-256 of a caller's secret.
#[must_use]
pub fn hash_secret(text: &str) -> [u8; 32] {
    let digest = digest(&SHA256, text.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// What an invitation is found by: one that `init` made, or two halves that are joined by a dot, in either order.
#[must_use]
pub fn hash_invitation(text: &str) -> [u8; 32] {
    match text.trim().split_once('.') {
        Some((one, other)) => hash_halves(&hash_secret(one), &hash_secret(other)),
        None => hash_secret(text.trim()),
    }
}

/// The same, of the hashes of two halves. Who knows one half knows nothing of it.
#[must_use]
pub fn hash_halves(one: &[u8; 32], other: &[u8; 32]) -> [u8; 32] {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &[b"claviger invitation v1".as_slice(), first, second].concat()).as_ref());
    hash
}

/// Whether two hashes are equal, in constant time.
#[must_use]
pub fn same_hash(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// So many random letters and digits.
pub(crate) fn random_text(chars: usize) -> Result<Zeroizing<String>, NoRandom> {
    let mut random = Zeroizing::new([0_u8; 64]);
    let mut text = Zeroizing::new(String::with_capacity(chars));
    while text.len() < chars {
        aws_lc_rs::rand::fill(random.as_mut()).map_err(|_| NoRandom)?;
        // Bytes from 248 on are skipped, so that every character is equally likely.
        for byte in random.iter().filter(|b| **b < 248) {
            if text.len() < chars {
                text.push(base62(u32::from(*byte)));
            }
        }
    }
    Ok(text)
}

fn checksum(kind: &str, body: &str) -> String {
    let mut crc = crc32fast::hash(format!("{kind}_{body}").as_bytes());
    let mut text = String::with_capacity(6);
    for _ in 0..6 {
        text.push(base62(crc));
        crc /= 62;
    }
    text
}

fn base62(value: u32) -> char {
    usize::try_from(value % 62).ok().and_then(|i| BASE62.get(i)).map_or('0', |b| char::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_secrets_have_form_and_checksum() {
        let secret = CallerSecret::generate("app").unwrap();
        let body = secret.reveal().strip_prefix("clv_app_").unwrap();
        assert_eq!(body.len(), 49);
        let (body, sum) = body.split_at(43);
        assert_eq!(checksum("app", body), sum);
        assert!(!format!("{secret:?}").contains(body));
        assert_ne!(secret.hash(), CallerSecret::generate("app").unwrap().hash());
    }
}
