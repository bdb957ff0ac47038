//! Refusing a random number generator that is visibly broken.

use aws_lc_rs::digest;
use claviger_core::token::TokenError;

/// Never fewer bytes than this are drawn, so that the tests below have something to look at.
pub(crate) const DRAW_BYTES_MIN: usize = 32;

/// A pattern this long or shorter that fills the whole draw is not random.
const PERIOD_BYTES_MAX: usize = 16;

/// What the last draw began with, hashed: random bytes become keys and are not kept.
pub(crate) type Fingerprint = [u8; 32];

/// Looks at one draw of at least [`DRAW_BYTES_MIN`] bytes. A good generator fails this once in 2^128 draws.
///
/// # Errors
/// [`TokenError::Refused`] if the draw is one pattern repeated (all zero is one), or begins as the last one did.
pub(crate) fn check(draw: &[u8], last: Option<&Fingerprint>) -> Result<Fingerprint, TokenError> {
    let broken = |how| Err(TokenError::Refused(format!("its random numbers {how}")));
    if (1..=PERIOD_BYTES_MAX).any(|period| draw.iter().zip(draw.iter().skip(period)).all(|(one, next)| one == next)) {
        return broken("repeat a pattern");
    }
    let head = draw.get(..DRAW_BYTES_MIN).unwrap_or(draw);
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, head).as_ref());
    if last == Some(&fingerprint) {
        return broken("come back");
    }
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_repetitions_are_refused() {
        let counting: Vec<u8> = (0..32).collect();
        let first = check(&counting, None).expect("no pattern");

        assert!(check(&counting, Some(&first)).is_err(), "the same draw again");
        assert!(check(&[0; 32], None).is_err(), "zeros");
        assert!(check(&[0xA5; 64], None).is_err(), "one byte");
        assert!(check(&counting[..16].repeat(2), None).is_err(), "a block twice");
        assert!(check(&counting[..17].repeat(4), None).is_ok(), "longer patterns are not looked for");
    }
}
