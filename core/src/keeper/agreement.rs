//! Diffie-Hellman over a prime of the owner's with the generator 2, as OAuth 1.0a with a live session token has it.
//!
//! Exponents are raised in constant time; what is compared or written out is public.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::secret::{Plaintext, SecretError};

/// Venues ask for 2048 bits; a prime may begin with zero bits.
const PRIME_BITS_MIN: u32 = 2_040;
const PRIME_BITS_MAX: u32 = 2_048;

/// How long our exponent is, in bytes: twice the strength of the prime.
pub(super) const EXPONENT_BYTES: usize = 32;

/// The numbers below a prime.
pub(super) struct Group(BoxedMontyParams);

impl Group {
    /// The group of a prime in big-endian bytes; `None` if it is too short, too long or even.
    pub(super) fn of(prime: &[u8]) -> Option<Self> {
        let prime = number(prime)?;
        let fits = (PRIME_BITS_MIN..=PRIME_BITS_MAX).contains(&prime.bits_vartime());
        let prime = Odd::new(prime).into_option().filter(|_| fits)?;
        Some(Self(BoxedMontyParams::new(prime)))
    }

    /// Our half: hexadecimal without leading zeros.
    pub(super) fn challenge(&self, exponent: &[u8]) -> Option<String> {
        let half = self.power(number(&[2])?, exponent)?;
        Some(HEXLOWER.encode(&half).trim_start_matches('0').to_owned())
    }

    /// What both sides share: big-endian, with a zero byte before it where the first bit would be taken for a sign.
    /// `None` if the venue's half is no number of the group, or one that gives the secret away.
    pub(super) fn shared(&self, theirs: &str, exponent: &[u8]) -> Option<Result<Plaintext, SecretError>> {
        let even = if theirs.len().is_multiple_of(2) { theirs.to_owned() } else { format!("0{theirs}") };
        let theirs = number(&HEXLOWER_PERMISSIVE.decode(even.as_bytes()).ok()?)?;
        let one = number(&[1])?;
        let last = self.0.modulus().as_ref().wrapping_sub(&one);
        if theirs <= one || theirs >= last {
            return None;
        }
        let shared = Zeroizing::new(self.power(theirs, exponent)?);
        let first = shared.iter().position(|byte| *byte != 0)?;
        let number = shared.get(first..)?;
        let sign = usize::from(number.first().is_some_and(|byte| *byte >= 0x80));
        let bytes = shared.get(first.checked_sub(sign).unwrap_or(first)..)?;
        if sign > first {
            // The number is as long as the prime, and its first bit is set.
            let signed = Zeroizing::new([&[0], bytes].concat());
            return Some(Plaintext::copy_of(&signed));
        }
        Some(Plaintext::copy_of(bytes))
    }

    fn power(&self, base: BoxedUint, exponent: &[u8]) -> Option<Vec<u8>> {
        let raised = BoxedMontyForm::new(base, &self.0).pow(&number(exponent)?);
        Some(raised.retrieve().to_be_bytes().into_vec())
    }
}

fn number(bytes: &[u8]) -> Option<BoxedUint> {
    BoxedUint::from_be_slice(bytes, PRIME_BITS_MAX).ok()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "EXPOSE: a published example")]
mod tests {
    use super::*;
    use crate::keeper::vectors::vector;

    #[test]
    fn an_independent_client_comes_to_the_same() {
        let example = vector("ibkr-live-session-token");
        let text = |name: &str| HEXLOWER.decode(example[name].as_str().unwrap().as_bytes()).unwrap();
        let group = Group::of(&text("dh_prime")).unwrap();
        let exponent = text("dh_random");
        let challenge = vector("ibkr-dh-challenge");
        assert_eq!(group.challenge(&exponent).as_deref(), challenge["expected_signature"].as_str());
        let shared = group.shared(example["dh_response"].as_str().unwrap(), &exponent).unwrap().unwrap();
        let key = shared.expose(|key| super::super::login::hmac_sha1(key, &text("access_token_secret_decrypted_hex")));
        let wanted = example["expected_signature"].as_str().unwrap();
        assert_eq!(data_encoding::BASE64.encode(&key), wanted);
    }

    #[test]
    fn a_half_that_gives_the_secret_away_is_none() {
        let prime = vector("ibkr-dh-challenge")["dh_prime"].as_str().unwrap().to_owned();
        let group = Group::of(&HEXLOWER.decode(prime.as_bytes()).unwrap()).unwrap();
        let last = format!("{}e", &prime[..prime.len() - 1]);
        for theirs in ["", "0", "1", "no", &last, &prime, &format!("{prime}ff")] {
            assert!(group.shared(theirs, &[7; 32]).is_none(), "{theirs}");
        }
        // 2^1024 has its first bit where the sign would be, and its square is one byte longer than a half of the prime.
        let shared = group.shared("2", &[127]).unwrap().unwrap();
        assert_eq!(shared.expose(|bytes| (bytes.len(), bytes[0], bytes[1])), (17, 0, 0x80));
        assert!(Group::of(&[0xff; 128]).is_none() && Group::of(&[0xfe; 256]).is_none());
    }
}
