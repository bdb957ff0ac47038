//! What happens around every call: its fault, and its line in the log.
#![expect(unsafe_code, reason = "spoils the caller's output buffer when told to")]

use cryptoki_sys::{CK_BYTE, CK_RV, CK_ULONG, CKR_OK};

use crate::log;
use crate::rules::{self, Action};

/// Where a call puts its answer.
#[derive(Clone, Copy)]
pub(crate) enum Output {
    /// Nowhere that this module could spoil.
    Elsewhere,
    /// In a buffer; `bytes` is null when the caller only asks for the length.
    Buffer { bytes: *mut CK_BYTE, len: *const CK_ULONG },
}

impl Output {
    /// Whether the call does its work, rather than say how much room that takes.
    fn is_produced(self) -> bool {
        match self {
            Self::Elsewhere => true,
            Self::Buffer { bytes, .. } => !bytes.is_null(),
        }
    }
}

/// Makes one call: `work` forwards it; `cancel` ends the operation it belongs to, when the call is not to be made.
pub(crate) fn call(
    function: &'static str,
    notes: &str,
    output: Output,
    cancel: impl FnOnce(),
    work: impl FnOnce() -> CK_RV,
) -> CK_RV {
    let fault = rules::strike(function, output.is_produced());
    let action = fault.map_or(Action::Nothing, |fault| {
        std::thread::sleep(fault.delay);
        fault.action
    });
    let value = match action {
        Action::Nothing => work(),
        Action::Return(code) => {
            cancel();
            code
        }
        Action::LoseAnswer(code) => {
            work();
            code
        }
        Action::FlipBit => spoil(work(), output, |bytes| bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1)),
        Action::Zero => spoil(work(), output, |bytes| bytes.fill(0)),
        Action::Hang => {
            log::line(&format!("{function} hang"));
            loop {
                std::thread::park();
            }
        }
        Action::Die => {
            log::line(&format!("{function} die"));
            std::process::abort()
        }
    };
    log::line(&format!("{function} {value:#010x}{notes}"));
    value
}

/// Changes the output of a call that succeeded.
fn spoil(value: CK_RV, output: Output, change: impl FnOnce(&mut [u8])) -> CK_RV {
    if let Output::Buffer { bytes, len } = output
        && value == CKR_OK
        && !bytes.is_null()
        && !len.is_null()
    {
        // SAFETY: after CKR_OK `len` holds the number of bytes that the target wrote to the caller's buffer.
        change(unsafe { std::slice::from_raw_parts_mut(bytes, usize::try_from(*len).unwrap_or(0)) });
    }
    value
}
