//! What a virtual key looks like: the venue's own form, so that clients take it, with a mark, so that scanners find it.

/// The form of a virtual key at one venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualForm {
    /// The key id.
    pub key_id: Shape,
    /// The secret.
    pub secret: VirtualSecret,
    /// Whether a passphrase comes with it.
    pub passphrase: bool,
}

/// What a virtual key's secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VirtualSecret {
    /// So many random letters and digits; the text is the HMAC key.
    Text(usize),
    /// So many random hexadecimal digits in upper case; the text is the HMAC key.
    Hex(usize),
    /// So many random bytes in base64; the bytes are the HMAC key.
    Base64(usize),
    /// A token that is shown as it is.
    Bearer,
}

/// A text of a fixed length that begins with a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The mark.
    pub prefix: &'static str,
    /// What follows.
    pub alphabet: Alphabet,
    /// The whole length in characters.
    pub chars: usize,
}

/// The characters that a key id is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// A-Z a-z 0-9.
    Alphanumeric,
    /// 0-9 a-f.
    Hex,
    /// A UUID of version 4; the mark and the length are not used.
    Uuid,
}

impl VirtualForm {
    /// A key id of letters and digits that begins with `clv`.
    pub(crate) const fn new(id_chars: usize, secret: VirtualSecret) -> Self {
        let key_id = Shape { prefix: "clv", alphabet: Alphabet::Alphanumeric, chars: id_chars };
        Self { key_id, secret, passphrase: false }
    }
}
