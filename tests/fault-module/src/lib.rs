//! A PKCS#11 module that forwards to another one, and is sick in the way it is told.
//!
//! | environment | |
//! |---|---|
//! | `CLAVIGER_FAULT_TARGET` | path of the module that does the work |
//! | `CLAVIGER_FAULT_RULES` | file with the rules; read again when it changes; no file, no faults |
//! | `CLAVIGER_FAULT_LOG` | file to which one line per call is appended; optional |
//!
//! # Rules
//!
//! One rule a line; empty lines and lines that start with `#` do not count. A word that is not understood ends the
//! process with a message: a test with a misspelt rule must not pass.
//!
//! ```text
//! <function> [<fault>] [delay_ms=<n>] [after=<n>] [count=<n>]
//! attack=<name>
//! ```
//!
//! | fault | what happens |
//! |---|---|
//! | `return=<code>` | returns the code (decimal or `0x...`) and does nothing. Where the standard says that an error ends the active operation, it is ended |
//! | `lose-answer return=<code>` | does the work, then returns the code |
//! | `flip-bit` | flips one bit of the output of `C_Encrypt`, `C_Decrypt`, `C_Sign` |
//! | `zero` | overwrites the output of `C_Encrypt`, `C_Decrypt`, `C_Sign`, `C_GenerateRandom` with zeros |
//! | `hang` | never returns |
//! | `die` | aborts the process |
//! | (none) | only the delay |
//!
//! `after=3` spares the first three calls, `count=2` strikes two calls and then no more; both count from when the file
//! was last read. `lose-answer`, `flip-bit` and `zero` count only calls that produce output, not questions for its length.
//! The first rule for a function that strikes is the one that holds.
//!
//! `attack=<name>` lets an attack of the admission test look successful; the names are in [`ATTACKS`]. The objects it
//! gives are harmless ones, so that a caller who destroys them can be seen to do so.
//!
//! # Log
//!
//! `<pid> <function> <return value> [<name>=<0|1> ...]`: of a function that makes a key, what its template says of
//! `token`, `sensitive`, `extractable`; of `C_GetAttributeValue`, `value=1` if the secret of a key was asked for.
//! A call that never returns is logged as `hang` or `die`. PINs, data and key bytes are never written.
#![expect(unsafe_code, reason = "the C interface that is this crate's purpose")]

mod attack;
mod call;
mod forward;
mod log;
mod rules;
mod target;

pub use rules::ATTACKS;

use cryptoki_sys::{CK_FUNCTION_LIST_PTR_PTR, CK_RV, CKR_ARGUMENTS_BAD, CKR_GENERAL_ERROR, CKR_OK};

/// The one symbol a caller needs (PKCS #11 v3.1, `C_GetFunctionList`); the binding takes everything else from the list.
///
/// # Safety
/// `list` is null or points to a pointer, as the standard demands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    let Some(ours) = forward::list() else {
        return CKR_GENERAL_ERROR;
    };
    // SAFETY: not null, and the caller's to write to. The list is static; the standard forbids writing through it.
    unsafe { *list = std::ptr::from_ref(ours).cast_mut() };
    CKR_OK
}
