//! Shares of a recovery key, as their holders keep them.
//!
//! The sharing is Shamir's over GF(256), byte by byte, by a crate that does nothing else. A share is written as letters
//! that nobody mistakes for digits, in groups of four, with a checksum: a slip of the pen is told from a wrong share.

use std::collections::BTreeMap;
use std::fmt;

use vsss_rs::Gf256;
use zeroize::Zeroizing;

use super::random::Random;
use super::{PrivateKey, RecoveryKey, SetId, WrapError, sha256};
use crate::audit::timestamp;
use crate::identity::{letters, read_letters};
use crate::secret::{Plaintext, SecretError, wipe_stack};

/// No key has more shares.
pub const SHARES_MAX: u8 = 32;

/// How the text of a share begins.
const PREFIX: &str = "clvshare1-";
const SECRET_BYTES: usize = 32;
/// Set, how many are needed, number, share.
const PLAIN_BYTES: usize = 8 + 1 + 1 + SECRET_BYTES;
const CRC_BYTES: usize = 4;

/// One share.
pub struct Share {
    set: SetId,
    threshold: u8,
    number: u8,
    value: Plaintext,
}

/// Why shares cannot be made, read or put together. None of them says anything about a share's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// So many shares of which so many are needed are not made.
    #[error("2 to {SHARES_MAX} shares, of which at least 2 and at most all are needed")]
    Numbers,
    /// The text is no share: a letter is missing, or one too many.
    #[error("it is no share: it begins with {PREFIX} and has 19 groups of letters and digits")]
    Form,
    /// The checksum does not fit.
    #[error("its checksum does not fit: compare it with what was written down")]
    Checksum,
    /// It is a share of another key.
    #[error("share {0} is of another recovery key")]
    Other(u8),
    /// It is not the share that was handed out under this number.
    #[error("share {0} is not the one that was handed out")]
    Corrupt(u8),
    /// The same share was given twice.
    #[error("share {0} was given twice")]
    Twice(u8),
    /// Too few shares.
    #[error("{given} of the {needed} shares that are needed were given; fewer open nothing, and tell nothing")]
    TooFew {
        /// How many were given.
        given: usize,
        /// How many are needed.
        needed: u8,
    },
    /// What they give is not the key.
    #[error("the shares do not give the recovery key")]
    NotTheKey,
    /// The shares could not be held.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The key is not usable.
    #[error(transparent)]
    Key(#[from] WrapError),
}

impl Share {
    /// Which of the shares it is, from 1.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// What its holder keeps: lines that say what it is, and the share itself.
    pub fn sheet(&self, log: &str, key: &RecoveryKey) -> Zeroizing<String> {
        let Self { number, threshold, .. } = self;
        let count = key.commitments.len();
        let set = data_encoding::HEXLOWER.encode(&self.set);
        let made = timestamp(key.made_ms);
        Zeroizing::new(format!(
            "# Share {number} of {count} of the recovery key {set} of {log}, made {made}.\n\
             # With any {threshold} shares and the recovery file all credentials come back on a new token.\n\
             # Keep it apart from the others and from this machine, and show it to nobody.\n{}\n",
            self.text().as_str()
        ))
    }

    /// The share as text.
    pub fn text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES.saturating_add(CRC_BYTES)));
        bytes.extend_from_slice(&self.set);
        bytes.extend_from_slice(&[self.threshold, self.number]);
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: written out for its holder, once")]
        self.value.expose(|value| bytes.extend_from_slice(value));
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        let letters = letters(&bytes);
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len().saturating_add(letters.len())));
        text.push_str(PREFIX);
        text.push_str(&letters);
        text
    }

    /// Reads a sheet or the share alone. Case, spaces, dashes and lines that begin with `#` do not count.
    ///
    /// # Errors
    /// [`ShareError`].
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: decoded from one arena slot into another")]
    pub fn read(sheet: &Plaintext) -> Result<Self, ShareError> {
        sheet.expose(|sheet| {
            let text = std::str::from_utf8(sheet).map_err(|_| ShareError::Form)?;
            let mut body = Zeroizing::new(String::with_capacity(text.len()));
            for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
                body.push_str(line);
            }
            let begin = body.get(..PREFIX.len()).filter(|begin| begin.eq_ignore_ascii_case(PREFIX));
            begin.ok_or(ShareError::Form)?;
            let bytes = read_letters(body.get(PREFIX.len()..).unwrap_or_default()).ok_or(ShareError::Form)?;
            let (plain, crc) = bytes.split_at_checked(PLAIN_BYTES).ok_or(ShareError::Form)?;
            let crc: [u8; CRC_BYTES] = crc.try_into().map_err(|_| ShareError::Form)?;
            if crc32fast::hash(plain).to_be_bytes() != crc {
                return Err(ShareError::Checksum);
            }
            let (set, rest) = plain.split_first_chunk::<8>().ok_or(ShareError::Form)?;
            let ([threshold, number], value) = rest.split_first_chunk::<2>().ok_or(ShareError::Form)?;
            Ok(Self { set: *set, threshold: *threshold, number: *number, value: Plaintext::copy_of(value)? })
        })
    }

    /// Whether it was handed out for this key.
    ///
    /// # Errors
    /// [`ShareError::Other`] and [`ShareError::Corrupt`].
    pub fn is_of(&self, key: &RecoveryKey) -> Result<(), ShareError> {
        if self.set != key.set {
            return Err(ShareError::Other(self.number));
        }
        let commitment = usize::from(self.number).checked_sub(1).and_then(|at| key.commitments.get(at));
        if commitment == Some(&self.commitment()) { Ok(()) } else { Err(ShareError::Corrupt(self.number)) }
    }

    #[expect(clippy::disallowed_methods, reason = "EXPOSE: hashed, to be told from other shares")]
    fn commitment(&self) -> [u8; 32] {
        self.value.expose(|value| {
            let bytes = Zeroizing::new([self.set.as_slice(), &[self.number], value].concat());
            sha256(&bytes)
        })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} …)", self.number)
    }
}

/// Cuts a private key into shares, and says what is known of it; the MAC is the token's to make.
///
/// # Errors
/// [`ShareError`].
pub fn split(
    private: &PrivateKey,
    (shares, threshold): (u8, u8),
    made_ms: u64,
) -> Result<(RecoveryKey, Vec<Share>), ShareError> {
    if !(2..=SHARES_MAX).contains(&shares) || !(2..=shares).contains(&threshold) {
        return Err(ShareError::Numbers);
    }
    let mut set = SetId::default();
    aws_lc_rs::rand::fill(&mut set).map_err(|_| WrapError::Key)?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: cut into shares, which go into slots of their own")]
    let cut = private
        .bytes()
        .expose(|secret| Gf256::split_array(usize::from(threshold), usize::from(shares), secret, Random));
    let cut = Zeroizing::new(cut.map_err(|_| ShareError::Numbers)?);
    let made = cut.iter().map(|share| {
        let (number, value) = share.split_first().ok_or(ShareError::Form)?;
        Ok(Share { set, threshold, number: *number, value: Plaintext::copy_of(value)? })
    });
    let made = made.collect::<Result<Vec<_>, ShareError>>()?;
    wipe_stack();
    let commitments = made.iter().map(Share::commitment).collect();
    let key = RecoveryKey { set, public: private.public()?, threshold, commitments, made_ms, mac: [0; 32] };
    Ok((key, made))
}

/// Puts shares together, if they are enough and each is one that was handed out for this key.
///
/// # Errors
/// [`ShareError`] names the share that is wrong.
pub fn join(shares: &[Share], key: &RecoveryKey) -> Result<PrivateKey, ShareError> {
    let mut given = BTreeMap::new();
    for share in shares {
        share.is_of(key)?;
        if given.insert(share.number, share).is_some() {
            return Err(ShareError::Twice(share.number));
        }
    }
    if given.len() < usize::from(key.threshold) {
        return Err(ShareError::TooFew { given: given.len(), needed: key.threshold });
    }
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: put together, and back into the arena")]
    let parts = given.values().map(|share| share.value.expose(|value| [&[share.number], value].concat()));
    let parts: Zeroizing<Vec<Vec<u8>>> = Zeroizing::new(parts.collect());
    let joined = Zeroizing::new(Gf256::combine_array(parts.as_slice()).map_err(|_| ShareError::NotTheKey)?);
    let private = PrivateKey::of(Plaintext::copy_of(&joined)?)?;
    wipe_stack();
    if private.public()? == key.public { Ok(private) } else { Err(ShareError::NotTheKey) }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "EXPOSE: tests look at what they put in")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Share, ShareError> {
        Share::read(&Plaintext::copy_of(text.as_bytes()).unwrap())
    }

    fn copies(shares: &[Share], which: &[usize]) -> Vec<Share> {
        which.iter().map(|at| read(&shares[*at].text()).unwrap()).collect()
    }

    #[test]
    fn any_two_of_three_give_the_key_and_one_does_not() {
        let private = PrivateKey::generate().unwrap();
        let (key, shares) = split(&private, (3, 2), 5).unwrap();
        for which in [[0, 1], [0, 2], [1, 2], [2, 0]] {
            let joined = join(&copies(&shares, &which), &key).unwrap();
            assert!(joined.bytes().expose(|a| private.bytes().expose(|b| a == b)));
        }
        join(&copies(&shares, &[0, 1, 2]), &key).unwrap();
        for which in 0..3 {
            let few = join(&copies(&shares, &[which]), &key).unwrap_err();
            assert_eq!(few, ShareError::TooFew { given: 1, needed: 2 });
        }
        assert_eq!(join(&copies(&shares, &[1, 1]), &key).unwrap_err(), ShareError::Twice(2));
    }

    #[test]
    fn a_wrong_share_is_named() {
        let private = PrivateKey::generate().unwrap();
        let (key, shares) = split(&private, (3, 2), 5).unwrap();
        let (_, others) = split(&private, (3, 2), 5).unwrap();
        assert_eq!(join(&copies(&others, &[0, 1]), &key).unwrap_err(), ShareError::Other(1));
        let mut wrong = copies(&shares, &[0, 2]);
        wrong[1].value.fill(|bytes| bytes[7] ^= 1);
        assert_eq!(join(&wrong, &key).unwrap_err(), ShareError::Corrupt(3));
        let relabelled = RecoveryKey { public: [9; 32], ..key };
        assert_eq!(join(&copies(&shares, &[0, 1]), &relabelled).unwrap_err(), ShareError::NotTheKey);
    }

    #[test]
    fn a_sheet_is_read_as_people_type_it() {
        let private = PrivateKey::generate().unwrap();
        let (key, shares) = split(&private, (2, 2), 5).unwrap();
        let sheet = shares[1].sheet("claviger/x", &key);
        assert!(sheet.starts_with("# Share 2 of 2 of the recovery key "), "{}", sheet.as_str());
        assert_eq!(read(&sheet).unwrap().number(), 2);
        let text = shares[0].text();
        assert_eq!(text.matches('-').count(), 19);
        let typed = text.to_uppercase().replacen('-', " - ", 3).replace(" - ", "-");
        assert_eq!(read(&typed).unwrap().number(), 1);
        let wrong: String = {
            let mut letters: Vec<char> = text.chars().collect();
            letters[20] = if letters[20] == 'a' { 'b' } else { 'a' };
            letters.into_iter().collect()
        };
        assert_eq!(read(&wrong).unwrap_err(), ShareError::Checksum);
        assert_eq!(read(&text[..text.len() - 5]).unwrap_err(), ShareError::Form);
        assert!(!format!("{:?}", shares[0]).contains(&text[20..24]));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let private = PrivateKey::generate().unwrap();
        for numbers in [(1, 1), (3, 1), (3, 4), (SHARES_MAX + 1, 2)] {
            assert_eq!(split(&private, numbers, 0).unwrap_err(), ShareError::Numbers);
        }
    }
}
