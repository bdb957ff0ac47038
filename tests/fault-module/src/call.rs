//! What happens around every call: its fault, and its line in the log.
#![expect(unsafe_code, reason = "spoils the caller's output buffer when told to")]

use cryptoki_sys::{CK_BYTE, CK_RV, CK_ULONG, CKR_OK};

use crate::log;
use crate::rules::{self, Action};

/// Where a call puts its answer.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// Null when the caller only asks for the length.
    pub(crate) bytes: *mut CK_BYTE,
    pub(crate) len: *const CK_ULONG,
}

impl Output {
    /// Of a call that has no output this module could spoil, but does its work whenever it is called.
    pub(crate) const NONE: Self = Self { bytes: std::ptr::dangling_mut(), len: std::ptr::null() };
}

/// Makes one call: `work` forwards it; `cancel` ends the operation it belongs to, when the call is not to be made.
pub(crate) fn call(
    function: &'static str,
    notes: &str,
    output: Output,
    cancel: impl FnOnce(),
    work: impl FnOnce() -> CK_RV,
) -> CK_RV {
    let fault = rules::strike(function, !output.bytes.is_null());
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
    if value == CKR_OK && !output.bytes.is_null() && !output.len.is_null() {
        // SAFETY: after CKR_OK `len` holds the number of bytes that the target wrote to the caller's buffer.
        let bytes = unsafe { std::slice::from_raw_parts_mut(output.bytes, usize::try_from(*output.len).unwrap_or(0)) };
        change(bytes);
    }
    value
}
