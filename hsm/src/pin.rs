//! The PIN, from the caller's hand to `C_Login`.

use std::fmt;

use secrecy::SecretString;
use zeroize::Zeroize as _;

/// A PIN. It is wiped when dropped, cannot be copied, and prints as a fixed word.
///
/// ```compile_fail,E0599
/// let pin = claviger_hsm::Pin::from(String::from("1234"));
/// let copy = pin.clone();
/// ```
pub struct Pin(SecretString);

impl Pin {
    /// What the binding takes; for `C_Login`, `C_InitToken` and `C_InitPIN` only.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// Copies the string into a buffer of its exact size and wipes the old one: shrinking it would leave a copy behind.
impl From<String> for Pin {
    fn from(mut pin: String) -> Self {
        let exact = SecretString::from(pin.as_str());
        pin.zeroize();
        Self(exact)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_a_fixed_word() {
        assert_eq!(format!("{:?}", Pin::from(String::from("987654"))), "Pin(hidden)");
    }
}
