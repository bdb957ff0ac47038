//! The module: a shared library, loaded and initialised once per process.

use std::path::Path;

use claviger_core::token::TokenError;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};

use crate::admission::AdmissionError;
use crate::error::Fault;
use crate::hsm::Hsm;
use crate::pin::Pin;
use crate::slot::{self, SlotSelector};

/// Why a module, a token or its keys could not be taken into use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The shared library cannot be loaded, or does not initialise.
    #[error("the PKCS#11 module {path} cannot be loaded: {reason}")]
    Load {
        /// The path as it was given.
        path: String,
        /// What the loader or the module said.
        reason: String,
    },
    /// No slot holds the token.
    #[error("no slot holds a token {0}")]
    NoToken(SlotSelector),
    /// Several slots hold such a token: name it by its serial number.
    #[error("more than one token {0}")]
    ManyTokens(SlotSelector),
    /// The token does not do what it must, or does what it must not.
    #[error("the token is refused: {0}")]
    Admission(#[from] AdmissionError),
    /// The token failed, refused the PIN, or lacks a key.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        Self::Token(fault.into_token())
    }
}

/// A loaded and initialised PKCS#11 module.
///
/// It is never finalised: `C_Finalize` while another thread is in a call crashes known modules, so the process exits
/// instead.
#[derive(Debug)]
pub struct Module {
    context: Pkcs11,
}

impl Module {
    /// Loads the library and initialises it with the operating system's locks (`C_Initialize`, `CKF_OS_LOCKING_OK`).
    ///
    /// # Errors
    /// [`OpenError::Load`], also when this process has initialised the same module before.
    pub fn load(path: &Path) -> Result<Self, OpenError> {
        let refuse = |fault: Fault| OpenError::Load { path: path.display().to_string(), reason: fault.to_string() };
        let context = Pkcs11::new(path).map_err(|error| refuse(error.into()))?;
        context
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .map_err(|error| refuse(error.into()))?;
        Ok(Self { context })
    }

    /// Logs in, finds the keys, and puts the token to the admission test. The PIN is wiped before this returns.
    ///
    /// # Errors
    /// [`OpenError::Token`] with [`TokenError::PinRefused`] after exactly one `C_Login`: do not try again with the
    /// same PIN. With [`TokenError::KeyMissing`] the token is not provisioned, or lost a key.
    /// [`OpenError::Admission`] names the attack that works on this token.
    pub fn open(&self, selector: &SlotSelector, pin: Pin) -> Result<Hsm, OpenError> {
        let (slot, device) = slot::find(&self.context, selector)?;
        Hsm::open(self.context.clone(), slot, device, pin)
    }

    pub(crate) fn context(&self) -> &Pkcs11 {
        &self.context
    }
}
