//! Signed notes (C2SP signed-note): a text, an empty line, and signature lines under it.
//!
//! A signature line is `— <key name> <base64 of key id and signature>`. Lines of keys that the reader does not know are
//! passed over, which is how witnesses add theirs; a line of the key it does know must verify.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};

/// The longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// The most signature lines that are looked at.
pub const SIGNATURES_MAX: usize = 64;
/// How a signature line begins.
pub const SIGNATURE: &str = "\u{2014} ";

const PUBLIC_KEY_BYTES: usize = 32;
/// The signature type byte of Ed25519.
const ED25519_TYPE: u8 = 1;

/// A public key by name, as it is handed to whoever verifies the log.
///
/// Its text is the verifier key of C2SP signed-note: `<name>+<key id in hex>+<base64 of 0x01 and the key>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public_key: [u8; PUBLIC_KEY_BYTES],
}

/// Why a text is not a note signed by the expected key, or not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// More than [`NOTE_BYTES_MAX`] bytes or [`SIGNATURES_MAX`] signature lines.
    #[error("the note is too long")]
    TooLong,
    /// Not UTF-8, or with a control character other than newline. Carriage returns are among them.
    #[error("the note is not plain UTF-8 text with newlines")]
    Encoding,
    /// No text, no empty line, or something else than signature lines below it.
    #[error("the note is not a text with signature lines below it")]
    Shape,
    /// A key name is empty or has a space or a plus sign in it.
    #[error("the key name is not well-formed")]
    Name,
    /// Not an Ed25519 public key of 32 bytes, or a verifier key whose parts disagree.
    #[error("not a verifier key")]
    Key,
    /// No signature line is of the expected key.
    #[error("the note is not signed by the expected key")]
    Unsigned,
    /// A signature of the expected key does not verify.
    #[error("the signature does not verify")]
    Signature,
}

impl VerifierKey {
    /// Names an Ed25519 public key.
    ///
    /// # Errors
    /// [`NoteError::Name`] if the name cannot stand in a signature line, [`NoteError::Key`] unless the key has 32 bytes.
    pub fn new(name: &str, public_key: &[u8]) -> Result<Self, NoteError> {
        if name.is_empty() || name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control()) {
            return Err(NoteError::Name);
        }
        let public_key = public_key.try_into().map_err(|_| NoteError::Key)?;
        Ok(Self { name: name.to_owned(), public_key })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Ed25519 public key.
    pub fn public_key(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public_key
    }

    /// The key id: the first four bytes of `SHA-256(name || 0x0A || 0x01 || key)`.
    pub fn id(&self) -> [u8; 4] {
        let hash = digest(&SHA256, &[self.name.as_bytes(), b"\n", &self.typed_key()].concat());
        hash.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn typed_key(&self) -> Vec<u8> {
        [&[ED25519_TYPE], self.public_key.as_slice()].concat()
    }

    fn verify(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        let key = UnparsedPublicKey::new(&ED25519, self.public_key);
        key.verify(text.as_bytes(), signature).map_err(|_| NoteError::Signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&self.typed_key()))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rest) = text.split_once('+').ok_or(NoteError::Key)?;
        let (_, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Key)?;
        let parsed = Self::new(name, key.strip_prefix(&[ED25519_TYPE]).ok_or(NoteError::Key)?)?;
        // Writing it again also checks the key id.
        if parsed.to_string() == text { Ok(parsed) } else { Err(NoteError::Key) }
    }
}

/// Puts a text and its signature together.
///
/// # Errors
/// [`NoteError::Signature`] if the signature is not the key's over this text; otherwise what [`open`] refuses.
pub fn assemble(text: &str, key: &VerifierKey, signature: &[u8]) -> Result<String, NoteError> {
    let line = BASE64.encode(&[key.id().as_slice(), signature].concat());
    let note = format!("{text}\n{SIGNATURE}{} {line}\n", key.name);
    open(note.as_bytes(), key)?;
    Ok(note)
}

/// Gives back the text of a note that `key` has signed.
///
/// # Errors
/// Any [`NoteError`] but [`NoteError::Name`] and [`NoteError::Key`].
pub fn open<'note>(note: &'note [u8], key: &VerifierKey) -> Result<&'note str, NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    let note = str::from_utf8(note).map_err(|_| NoteError::Encoding)?;
    if note.contains(|c: char| c < ' ' && c != '\n') {
        return Err(NoteError::Encoding);
    }
    // The last empty line ends the text, which keeps its own final newline.
    let end = note.rfind("\n\n").and_then(|newline| newline.checked_add(1)).ok_or(NoteError::Shape)?;
    let (text, below) = note.split_at_checked(end).ok_or(NoteError::Shape)?;
    let lines = below.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Shape)?;

    let mut signed = false;
    for (count, line) in lines.split('\n').enumerate() {
        if count >= SIGNATURES_MAX {
            return Err(NoteError::TooLong);
        }
        let (name, id, signature) = signature_line(line).ok_or(NoteError::Shape)?;
        if name == key.name && id == key.id() {
            key.verify(text, &signature)?;
            signed = true;
        }
    }
    if signed { Ok(text) } else { Err(NoteError::Unsigned) }
}

/// Takes a signature line apart into key name, key id and signature.
fn signature_line(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
    let (id, signature) = bytes.split_first_chunk()?;
    (!name.is_empty() && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the documentation of Go's `golang.org/x/mod/sumdb/note`.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const LINE: &str =
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn check(note: &str) -> Result<&str, NoteError> {
        open(note.as_bytes(), &KEY.parse().unwrap())
    }

    #[test]
    fn a_note_of_another_implementation_opens() {
        assert_eq!(KEY.parse::<VerifierKey>().unwrap().to_string(), KEY);
        assert_eq!(check(&format!("{TEXT}\n{LINE}")), Ok(TEXT));
    }

    #[test]
    fn lines_of_other_keys_are_passed_over() {
        let witness = "— witness.example/w1 AAAAAAAB\n";
        let same_name = "— PeterNeumann AAAAAAAB\n";
        assert_eq!(check(&format!("{TEXT}\n{witness}{LINE}{same_name}")), Ok(TEXT));
        assert_eq!(check(&format!("{TEXT}\n{witness}{same_name}")), Err(NoteError::Unsigned));
        assert_eq!(check(&format!("{TEXT}\n{}{LINE}", witness.repeat(SIGNATURES_MAX))), Err(NoteError::TooLong));
    }

    #[test]
    fn everything_else_is_refused() {
        let note = format!("{TEXT}\n{LINE}");
        assert_eq!(check(&note.replace("answer", "Answer")), Err(NoteError::Signature));
        assert_eq!(check(&note.replace("x08go/Z", "x08go/Y")), Err(NoteError::Signature));
        assert_eq!(check(&note.replace('\n', "\r\n")), Err(NoteError::Encoding));
        assert_eq!(check(note.trim_end()), Err(NoteError::Shape));
        assert_eq!(check(&note.replace("— ", "- ")), Err(NoteError::Shape));
        assert_eq!(check(&format!("{note}trailing\n")), Err(NoteError::Shape));
        assert_eq!(check(&format!("{note}\n")), Err(NoteError::Shape));
        assert_eq!(check(""), Err(NoteError::Shape));
        assert_eq!(check(&"x".repeat(NOTE_BYTES_MAX + 1)), Err(NoteError::TooLong));
        assert_eq!(open(b"\xff\n\n\n", &KEY.parse().unwrap()), Err(NoteError::Encoding));
    }

    #[test]
    fn a_key_text_must_agree_with_itself() {
        for bad in [
            KEY.replace("c74f", "c74e"),
            KEY.replace("PeterNeumann", "Peter Neumann"),
            KEY.replace("PeterNeumann", ""),
            KEY.replace("+ARpc", "+AhpC"),
            KEY.replace("10TW", ""),
            KEY.replace('+', "-"),
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_signature_is_not_assembled() {
        let key = KEY.parse().unwrap();
        assert_eq!(assemble(TEXT, &key, &[0; 64]), Err(NoteError::Signature));
        assert_eq!(assemble(TEXT, &key, &[]), Err(NoteError::Shape));
        assert_eq!(assemble("no newline at the end", &key, &[0; 64]), Err(NoteError::Shape));
    }
}
