//! One-time codes (RFC 6238): SHA-1, six digits, steps of 30 seconds, one step of difference either way.

use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::envelope::{Binding, Mode, Purpose};
use crate::id::{CredentialId, OperatorId, TenantId};

/// Length of a seed, bytes: that of the hash (RFC 4226 section 4, R6).
pub const SEED_BYTES: usize = 20;

/// Length of a step, seconds.
pub const STEP_SECONDS: u64 = 30;

/// Who a phone says the codes are for.
const ISSUER: &str = "Claviger";

/// What a sealed seed is bound to: Claviger's own tenant and the operator. There is no venue and nothing is ever signed
/// for one with it, so the rest of the binding is what no credential has.
pub(crate) fn binding(operator: OperatorId) -> Binding {
    use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
    Binding {
        tenant: TenantId::OWN,
        credential: CredentialId::from_bytes(*operator.as_bytes()),
        version: 1,
        purpose: Purpose::Totp,
        venue: VenueId::Binance,
        kind: SecretKind::Token,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}

/// The codes of a seed; `None` if it is not of [`SEED_BYTES`].
pub(crate) fn codes(seed: &[u8], account: &str) -> Option<Totp> {
    let seed: Box<[u8]> = (seed.len() == SEED_BYTES).then(|| seed.into())?;
    let codes = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1);
    let codes = codes.with_step_duration(STEP_SECONDS).with_secret(seed);
    codes.with_account_name(account).with_issuer(Some(ISSUER)).build().ok()
}

/// The address that a phone reads a seed from (`otpauth://totp/…`), to be shown once.
pub(crate) fn address(seed: &[u8], account: &str) -> Option<Zeroizing<String>> {
    codes(seed, account)?.to_url().ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, the last six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let codes = codes(b"12345678901234567890", "ada").unwrap();
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(codes.check(code, second), Some(second / STEP_SECONDS));
            assert_eq!(codes.check(code, second + STEP_SECONDS), Some(second / STEP_SECONDS));
            assert_eq!(codes.check(code, second + 2 * STEP_SECONDS), None);
        }
    }

    #[test]
    fn a_phone_reads_the_seed_from_its_address() {
        let address = address(b"12345678901234567890", "ada").unwrap();
        assert!(address.starts_with("otpauth://totp/Claviger:ada?"), "{}", *address);
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{}", *address);
        assert!(super::address(b"short", "ada").is_none());
    }
}
