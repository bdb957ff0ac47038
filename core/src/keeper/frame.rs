//! How messages travel over the socket pair.
//!
//! ```text
//! 4  length of the rest, at most 64 KiB
//! 1  version (1)
//! 8  request id, chosen by the front
//! 2  length of the secret      the secret: never part of the encoded message
//! …  the message, postcard
//! ```
//!
//! A secret is written from the arena and read straight into it.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::secret::Plaintext;

/// No frame is longer.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

const VERSION: u8 = 1;
const AFTER_LENGTH: usize = 1 + 8 + 2;

/// A message as it arrived.
#[derive(Debug)]
pub struct Frame<M> {
    /// The request's id; a reply carries the id of its request.
    pub id: u64,
    /// The secret beside the message.
    pub secret: Option<Plaintext>,
    /// There was a secret, and the arena had no room for it: it was wiped as it came.
    pub no_room: bool,
    /// The message.
    pub message: M,
}

/// Writes one frame.
///
/// # Errors
/// `InvalidInput` when the message is too long (nothing was written then), else the writer's.
pub fn write<M: Serialize>(to: &mut impl Write, id: u64, message: &M, secret: Option<&Plaintext>) -> io::Result<()> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "the message is too long");
    let body = postcard::to_stdvec(message).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    let secret_len = secret.map_or(0, Plaintext::len);
    let rest = AFTER_LENGTH.saturating_add(secret_len).saturating_add(body.len());
    if rest > FRAME_BYTES_MAX {
        return Err(too_long());
    }
    let mut out = Vec::with_capacity(rest.saturating_add(4));
    out.extend_from_slice(&u32::try_from(rest).map_err(|_| too_long())?.to_be_bytes());
    out.push(VERSION);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&u16::try_from(secret_len).map_err(|_| too_long())?.to_be_bytes());
    if let Some(secret) = secret {
        to.write_all(&out)?;
        out.clear();
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: written from the arena to the keeper's socket")]
        secret.expose(|bytes| to.write_all(bytes))?;
    }
    out.extend_from_slice(&body);
    to.write_all(&out)
}

/// Reads one frame; `None` at the end of the stream.
///
/// # Errors
/// `InvalidData` for anything that is not a frame of this version, else the reader's.
pub fn read<M: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<Frame<M>>> {
    let bad = |text| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(e),
    }
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| bad("the frame is too long"))?;
    if !(AFTER_LENGTH..=FRAME_BYTES_MAX).contains(&length) {
        return Err(bad("the frame has an impossible length"));
    }
    let mut version = [0; 1];
    from.read_exact(&mut version)?;
    if version != [VERSION] {
        return Err(bad("the frame has a version that this build does not speak"));
    }
    let (mut id, mut secret_len) = ([0; 8], [0; 2]);
    from.read_exact(&mut id)?;
    from.read_exact(&mut secret_len)?;
    let secret_len = usize::from(u16::from_be_bytes(secret_len));
    let body_len = length
        .checked_sub(AFTER_LENGTH.saturating_add(secret_len))
        .ok_or_else(|| bad("the secret is longer than the frame"))?;
    let (secret, no_room) = secret(from, secret_len)?;
    let mut body = vec![0; body_len];
    from.read_exact(&mut body)?;
    let message = postcard::from_bytes(&body).map_err(|_| bad("the message does not decode"))?;
    Ok(Some(Frame { id: u64::from_be_bytes(id), secret, no_room, message }))
}

/// Reads a secret into the arena. Without room for it the stream must still be read on, or one crowd of enrollments
/// would end the connection for everybody.
fn secret(from: &mut impl Read, len: usize) -> io::Result<(Option<Plaintext>, bool)> {
    if len == 0 {
        return Ok((None, false));
    }
    if let Ok(mut secret) = Plaintext::zeroed(len) {
        secret.fill(|slot| from.read_exact(slot))?;
        Ok((Some(secret), false))
    } else {
        let mut passing = Zeroizing::new(vec![0; len]);
        from.read_exact(&mut passing)?;
        Ok((None, true))
    }
}
