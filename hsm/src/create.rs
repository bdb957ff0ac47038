//! Making a token object exactly once, on modules that fail while making it.

use cryptoki::error::RvError;

use crate::error::{Fault, LOG};

/// How often a creation is tried.
const ATTEMPTS: u32 = 3;

/// Makes an object with `make`; after a fault of `SoftHSM` 2.6's creation race, first looks with `find` whether it is
/// there after all, then tries again.
///
/// The caller holds the admin lock; the race is with other processes.
pub(crate) fn once<T>(
    make: impl Fn() -> Result<T, Fault>,
    find: impl Fn() -> Result<Option<T>, Fault>,
) -> Result<T, Fault> {
    let mut outcome = make();
    for _ in 1..ATTEMPTS {
        match outcome {
            Err(fault) if is_race(&fault) => {
                tracing::warn!(target: LOG, "making an object once more after: {fault}");
                outcome = match find()? {
                    Some(object) => Ok(object),
                    None => make(),
                };
            }
            other => return other,
        }
    }
    outcome
}

/// What `C_GenerateKey` and `C_CreateObject` return when they lose the race.
fn is_race(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Call {
            value: RvError::GeneralError | RvError::FunctionFailed | RvError::TemplateInconsistent,
            function: _
        }
    )
}
