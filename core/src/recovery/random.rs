//! The random numbers of everything else here, as the two crates want them that wrap and share.

use std::convert::Infallible;

use hpke::rand_core::{CryptoRng, Error, RngCore};
use rand_core::{TryCryptoRng, TryRng};

/// aws-lc's generator.
pub(super) struct Random;

#[expect(clippy::expect_used, reason = "a wrap or a share without random numbers would be none; see INVARIANT")]
fn fill(out: &mut [u8]) {
    // INVARIANT: never an error. Where the system has no random numbers aws-lc ends the process itself (`RAND_bytes`).
    aws_lc_rs::rand::fill(out).expect("random numbers");
}

fn filled<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(filled())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(filled())
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        fill(out);
        Ok(())
    }
}

impl CryptoRng for Random {}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes(filled()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes(filled()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Random {}
