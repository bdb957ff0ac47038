//! The stored form of an envelope: a fixed binary layout, without serde, that opens for ever.
//!
//! ```text
//! 1  format (1)
//! 2  length of the AAD       AAD: the binding
//! 4  version of the tenant's KEK
//! 1  length of the wrapped DEK      the wrapped DEK
//! 12 nonce
//! …  ciphertext and tag, to the end
//! ```
//!
//! Between the keeper and the commit that stores it, an envelope may have a recovery wrap before it ([`with_wrap`]): no
//! format begins with that byte.

use super::binding::Binding;

pub(super) const FORMAT: u8 = 1;

/// How bytes begin that have a wrap before the envelope: then its length, two bytes, and the wrap.
const WRAPPED: u8 = 0xf0;

/// No envelope is longer.
pub const SEALED_BYTES_MAX: usize = 16 * 1024;

/// A sealed payload with everything needed to open it but the KEK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where it belongs.
    pub binding: Binding,
    /// The version of the tenant's KEK that wraps the DEK.
    pub kek_version: u32,
    /// The wrapped DEK, as the token made it.
    pub wrapped_dek: Vec<u8>,
    /// The nonce, random.
    pub nonce: [u8; 12],
    /// The ciphertext and its tag.
    pub ciphertext: Vec<u8>,
}

/// Stored bytes that are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Another format than this build knows.
    #[error("the envelope has a format that this version does not know")]
    Version,
    /// Cut short, too long, or with a field out of range.
    #[error("the bytes are not an envelope")]
    Malformed,
}

impl Envelope {
    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let aad = self.binding.to_aad();
        let mut out = Vec::with_capacity(aad.len().saturating_add(self.ciphertext.len()).saturating_add(96));
        out.push(FORMAT);
        out.extend_from_slice(&u16::try_from(aad.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&aad);
        out.extend_from_slice(&self.kek_version.to_be_bytes());
        out.push(u8::try_from(self.wrapped_dek.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&self.wrapped_dek);
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.ciphertext);
        out
    }

    /// Reads the stored form. That it reads says nothing about who wrote it; opening does.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let (_, bytes) = parted(bytes);
        if bytes.len() > SEALED_BYTES_MAX {
            return Err(FormatError::Malformed);
        }
        let mut from = Reader::new(bytes);
        if from.byte()? != FORMAT {
            return Err(FormatError::Version);
        }
        let aad_len = usize::from(u16::from_be_bytes(from.array()?));
        let binding = Binding::from_aad(from.take(aad_len)?)?;
        let kek_version = u32::from_be_bytes(from.array()?);
        let dek_len = usize::from(from.byte()?);
        let wrapped_dek = from.take(dek_len)?.to_vec();
        let nonce = from.array()?;
        Ok(Self { binding, kek_version, wrapped_dek, nonce, ciphertext: from.rest().to_vec() })
    }
}

/// Puts a recovery wrap before an envelope's stored form.
#[must_use]
pub fn with_wrap(sealed: &[u8], wrap: &[u8]) -> Vec<u8> {
    let length = u16::try_from(wrap.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[WRAPPED], length.as_slice(), wrap, sealed].concat()
}

/// The recovery wrap before an envelope's stored form, if there is one, and that form.
#[must_use]
pub fn parted(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let parts = || {
        let mut from = Reader::new(bytes.strip_prefix(&[WRAPPED])?);
        let length = usize::from(u16::from_be_bytes(from.array().ok()?));
        let wrap = from.take(length).ok()?;
        Some((Some(wrap), from.rest()))
    };
    parts().unwrap_or((None, bytes))
}

/// Reads a byte string from the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(FormatError::Malformed)?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.take(N)?.try_into().map_err(|_| FormatError::Malformed)
    }

    pub(super) fn byte(&mut self) -> Result<u8, FormatError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn end(self) -> Result<(), FormatError> {
        if self.0.is_empty() { Ok(()) } else { Err(FormatError::Malformed) }
    }
}
