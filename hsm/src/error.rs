//! PKCS#11 return values, each sorted once by what the caller can do about it.

use claviger_core::token::TokenError;
use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

/// What can be done about a return value.
///
/// Source: PKCS #11 v3.1, section 5.1 "Function return values", and what modules really return: `SoftHSM` 2.6 says
/// `CKR_GENERAL_ERROR` and kryoptic `CKR_DEVICE_ERROR` where the specification has `CKR_ENCRYPTED_DATA_INVALID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The bytes given do not open.
    Tampered,
    /// Either the bytes do not open or the token is gone: a known answer decides.
    Ambiguous,
    /// A session or handle is out of date: once more, on a fresh session.
    Stale,
    /// The token or the library is gone.
    Gone,
    /// The PIN was refused.
    Pin,
    /// Too many sessions, or no memory.
    Capacity,
    /// A wrong device or a bug.
    Refused,
}

/// Why a step inside this crate failed: the raw return value, or a verdict already reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// A function of the module returned something other than `CKR_OK`.
    #[error("C_{function:?} returned {}", constant(*value))]
    Call { function: Function, value: RvError },
    /// The binding could not make the call, or could not read its answer.
    #[error("the PKCS#11 binding failed: {0}")]
    Binding(String),
    /// There is nothing left to sort.
    #[error(transparent)]
    Verdict(#[from] TokenError),
}

impl Fault {
    /// The class of this fault.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Call { function, value } => sort(*function, *value),
            Self::Binding(_) => Class::Refused,
            Self::Verdict(verdict) => match verdict {
                TokenError::Tampered => Class::Tampered,
                TokenError::PinRefused(_) => Class::Pin,
                TokenError::Refused(_) | TokenError::KeyMissing(_) => Class::Refused,
                TokenError::Capacity(_) => Class::Capacity,
                // `TokenError` may grow; what is not known here is not retried.
                TokenError::Lost(_) | _ => Class::Gone,
            },
        }
    }

    /// Whether the token does not want to.
    pub(crate) fn is_refused(&self) -> bool {
        self.class() == Class::Refused
    }

    /// Whether bytes from outside may be what caused this, so that a known answer has to decide.
    pub(crate) fn blames_bytes(&self) -> bool {
        matches!(self.class(), Class::Tampered | Class::Ambiguous)
    }

    /// The answer to the caller. A stale handle ends up here only after its retry, and then the token is gone.
    ///
    /// Logs the return value and the function: this is the one place where they leave the crate.
    pub(crate) fn into_token(self) -> TokenError {
        let class = self.class();
        let text = self.to_string();
        match self {
            Self::Verdict(verdict) => return verdict,
            Self::Call { function, value } => tracing::warn!(
                target: LOG,
                { pkcs11.function = ?function, pkcs11.value = %constant(value), class = ?class },
                "a call to the token failed"
            ),
            Self::Binding(_) => tracing::warn!(target: LOG, class = ?class, "{text}"),
        }
        match class {
            Class::Tampered => TokenError::Tampered,
            Class::Ambiguous | Class::Stale | Class::Gone => TokenError::Lost(text),
            Class::Pin => TokenError::PinRefused(text),
            Class::Capacity => TokenError::Capacity(text),
            Class::Refused => TokenError::Refused(text),
        }
    }

    /// The same fault, where the bytes cannot be to blame because this process just made them.
    pub(crate) fn not_the_bytes(self) -> Self {
        if self.blames_bytes() { Self::Verdict(lost(&self)) } else { self }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        if let Error::Pkcs11(value, function) = error {
            Self::Call { function, value }
        } else {
            Self::Binding(error.to_string())
        }
    }
}

/// [`TokenError::Lost`] with the fault's text.
pub(crate) fn lost(fault: &Fault) -> TokenError {
    tracing::warn!(target: LOG, "the token failed a known answer: {fault}");
    TokenError::Lost(fault.to_string())
}

/// The constant's name in the specification, from the binding's name for it.
pub(crate) fn constant(value: RvError) -> String {
    if let RvError::VendorDefined(code) | RvError::UnknownErrorCode(code) = value {
        return format!("{code:#010x}");
    }
    let mut name = String::from("CKR");
    for letter in format!("{value:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// The tracing target of everything that concerns the token.
pub(crate) const LOG: &str = "claviger::hsm";

/// The table: every return value of the specification stands in it exactly once.
#[expect(clippy::too_many_lines, reason = "a table")]
fn sort(function: Function, value: RvError) -> Class {
    let opens_bytes = matches!(function, Function::Decrypt | Function::UnwrapKey);
    match value {
        RvError::EncryptedDataInvalid
        | RvError::EncryptedDataLenRange
        | RvError::WrappedKeyInvalid
        | RvError::WrappedKeyLenRange
        | RvError::DataInvalid
        | RvError::DataLenRange
        | RvError::SignatureInvalid
        | RvError::SignatureLenRange => {
            if opens_bytes {
                Class::Tampered
            } else {
                Class::Refused
            }
        }

        RvError::GeneralError
        | RvError::DeviceError
        | RvError::FunctionFailed
        | RvError::VendorDefined(_)
        | RvError::UnknownErrorCode(_) => {
            if opens_bytes {
                Class::Ambiguous
            } else {
                Class::Gone
            }
        }

        RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::ObjectHandleInvalid
        | RvError::KeyHandleInvalid
        | RvError::WrappingKeyHandleInvalid
        | RvError::UnwrappingKeyHandleInvalid
        | RvError::UserNotLoggedIn
        | RvError::OperationActive
        | RvError::OperationNotInitialized => Class::Stale,

        RvError::DeviceRemoved
        | RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::SlotIdInvalid
        | RvError::CryptokiNotInitialized
        | RvError::LibraryLoadFailed
        | RvError::FipsSelfTestFailed
        | RvError::RandomNoRng
        | RvError::Cancel
        | RvError::FunctionCanceled
        | RvError::MutexBad
        | RvError::MutexNotLocked => Class::Gone,

        RvError::PinIncorrect
        | RvError::PinInvalid
        | RvError::PinLenRange
        | RvError::PinExpired
        | RvError::PinLocked
        | RvError::PinTooWeak
        | RvError::NewPinMode
        | RvError::NextOtp
        | RvError::ExceededMaxIterations
        | RvError::UserPinNotInitialized => Class::Pin,

        RvError::SessionCount | RvError::HostMemory | RvError::DeviceMemory => Class::Capacity,

        RvError::ArgumentsBad
        | RvError::NoEvent
        | RvError::NeedToCreateThreads
        | RvError::CantLock
        | RvError::AttributeReadOnly
        | RvError::AttributeSensitive
        | RvError::AttributeTypeInvalid
        | RvError::AttributeValueInvalid
        | RvError::ActionProhibited
        | RvError::FunctionNotParallel
        | RvError::FunctionNotSupported
        | RvError::CurveNotSupported
        | RvError::KeySizeRange
        | RvError::KeyTypeInconsistent
        | RvError::KeyNotNeeded
        | RvError::KeyChanged
        | RvError::KeyNeeded
        | RvError::KeyIndigestible
        | RvError::KeyFunctionNotPermitted
        | RvError::KeyNotWrappable
        | RvError::KeyUnextractable
        | RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::SessionParallelNotSupported
        | RvError::SessionReadOnly
        | RvError::SessionExists
        | RvError::SessionReadOnlyExists
        | RvError::SessionReadWriteSoExists
        | RvError::TemplateIncomplete
        | RvError::TemplateInconsistent
        | RvError::TokenWriteProtected
        | RvError::UnwrappingKeySizeRange
        | RvError::UnwrappingKeyTypeInconsistent
        | RvError::UserAlreadyLoggedIn
        | RvError::UserTypeInvalid
        | RvError::UserAnotherAlreadyLoggedIn
        | RvError::UserTooManyTypes
        | RvError::WrappingKeySizeRange
        | RvError::WrappingKeyTypeInconsistent
        | RvError::RandomSeedNotSupported
        | RvError::DomainParamsInvalid
        | RvError::BufferTooSmall
        | RvError::SavedStateInvalid
        | RvError::InformationSensitive
        | RvError::StateUnsaveable
        | RvError::CryptokiAlreadyInitialized
        | RvError::PublicKeyInvalid
        | RvError::FunctionRejected => Class::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_decides_where_a_value_says_too_little() {
        let class = |function, value| Fault::Call { function, value }.class();

        assert_eq!(class(Function::Decrypt, RvError::GeneralError), Class::Ambiguous);
        assert_eq!(class(Function::UnwrapKey, RvError::VendorDefined(0x8000_0001)), Class::Ambiguous);
        assert_eq!(class(Function::Sign, RvError::GeneralError), Class::Gone);
        assert_eq!(class(Function::UnwrapKey, RvError::DataLenRange), Class::Tampered);
        assert_eq!(class(Function::Sign, RvError::DataLenRange), Class::Refused);
    }

    #[test]
    fn the_text_names_function_and_constant() {
        let fault = Fault::Call { function: Function::UnwrapKey, value: RvError::WrappedKeyLenRange };
        assert_eq!(fault.to_string(), "C_UnwrapKey returned CKR_WRAPPED_KEY_LEN_RANGE");
        assert_eq!(constant(RvError::VendorDefined(0x8000_0102)), "0x80000102");
    }
}
