//! Secrets in memory.
//!
//! A [`Plaintext`] lives in one locked arena (`memfd_secret` where the kernel has it), is wiped when dropped, and can be
//! neither copied, compared, printed nor serialised. It is read through [`Plaintext::expose`] alone, which clippy
//! forbids unless the place says why (`EXPOSE:`), and it cannot live across an `.await`.

mod arena;

use std::fmt;
use std::io::{self, Read};

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

pub use arena::{Backing, SLOT_BYTES, backing};

/// A secret of at most [`SLOT_BYTES`] bytes in the locked arena.
pub struct Plaintext(arena::Slot);

/// Why a secret could not be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Longer than a slot.
    #[error("the secret is longer than {SLOT_BYTES} bytes")]
    TooLong,
    /// Every slot is in use.
    #[error("too many secrets are being handled at once")]
    NoRoom,
}

impl Plaintext {
    /// Takes a copy of `bytes`. The caller wipes its own.
    ///
    /// # Errors
    /// [`SecretError`]; nothing was copied then.
    pub fn copy_of(bytes: &[u8]) -> Result<Self, SecretError> {
        let mut secret = Self::zeroed(bytes.len())?;
        secret.fill(|slot| slot.copy_from_slice(bytes));
        Ok(secret)
    }

    /// A secret of `len` zero bytes, to be written by [`Self::fill`].
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn zeroed(len: usize) -> Result<Self, SecretError> {
        arena::Slot::take(len).map(Self)
    }

    /// Reads exactly `len` bytes from `from`, straight into the arena.
    ///
    /// # Errors
    /// The reader's, or `OutOfMemory` when the arena is full.
    pub fn read_from(from: &mut impl Read, len: usize) -> io::Result<Self> {
        let mut secret = Self::zeroed(len).map_err(|e| io::Error::new(io::ErrorKind::OutOfMemory, e))?;
        secret.fill(|slot| from.read_exact(slot))?;
        Ok(secret)
    }

    /// Lets `read` see the bytes.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        read(self.0.bytes())
    }

    /// Lets `write` write the bytes.
    pub fn fill<R>(&mut self, write: impl FnOnce(&mut [u8]) -> R) -> R {
        write(self.0.bytes_mut())
    }

    /// Shortens the secret; what is cut off is wiped.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// How long the secret is, in bytes.
    pub fn len(&self) -> usize {
        self.0.bytes().len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext(…)")
    }
}

impl<'de> Deserialize<'de> for Plaintext {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Secret;
        impl Visitor<'_> for Secret {
            type Value = Plaintext;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret as a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Plaintext, E> {
                Plaintext::copy_of(text.as_bytes()).map_err(E::custom)
            }
        }
        // An error of the deserializer may quote what it saw, so it is replaced.
        from.deserialize_str(Secret).map_err(|_| D::Error::custom("not a secret, or one that is too long"))
    }
}

/// Overwrites the part of this thread's stack that earlier calls used, up to 64 KiB below the caller.
///
/// Called after a secret was used, because compilers spill bytes that no destructor knows of.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what is to be wiped")]
pub fn wipe_stack() {
    let mut below = [0_u8; 64 * 1024];
    zeroize::Zeroize::zeroize(&mut below);
    std::hint::black_box(&below);
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "EXPOSE: tests look at what they put in")]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in_and_forgets_it() {
        let secret = Plaintext::copy_of(b"hello").unwrap();
        let at = secret.expose(|bytes| bytes.as_ptr().addr());
        assert_eq!(secret.expose(<[u8]>::to_vec), b"hello");
        drop(secret);
        let mut other = Vec::new();
        // The slot comes back zeroed, whoever gets it next.
        for _ in 0..300 {
            match Plaintext::zeroed(5) {
                Ok(secret) => other.push(secret),
                Err(e) => {
                    assert_eq!(e, SecretError::NoRoom);
                    break;
                }
            }
        }
        assert!(other.iter().any(|s| s.expose(|bytes| bytes.as_ptr().addr()) == at));
        assert!(other.iter().all(|s| s.expose(|b| b.iter().all(|x| *x == 0))));
    }

    #[test]
    fn refuses_what_is_too_long() {
        assert_eq!(Plaintext::zeroed(SLOT_BYTES + 1).unwrap_err(), SecretError::TooLong);
    }

    #[test]
    fn is_never_quoted() {
        let secret = Plaintext::copy_of(b"hello").unwrap();
        assert!(!format!("{secret:?}").contains("hello"));
        let error = serde_json::from_str::<Plaintext>("12345").unwrap_err().to_string();
        assert!(!error.contains("12345"), "{error}");
    }
}
