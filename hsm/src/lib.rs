//! The token: sessions, keys, mechanisms and PKCS#11 errors.
//!
//! This is the only crate that knows PKCS#11, and it knows nothing of credentials. It implements
//! [`claviger_core::token::Token`] over whatever module it is given; differences between modules end here.
//!
//! ```no_run
//! use claviger_core::token::Token as _;
//! use claviger_hsm::{Module, Pin, SlotSelector};
//!
//! # fn pin() -> Pin { Pin::from(String::new()) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let module = Module::load("/usr/lib/softhsm/libsofthsm2.so".as_ref())?; // once per process
//! let hsm = module.open(&SlotSelector::Label("claviger".into()), pin())?; // the one login; the token is put to the test
//! let mut session = hsm.session()?; // one per worker thread
//! let kek = session.generate_kek()?;
//! let wrapped = session.wrap_dek(&kek, &[7; 32], b"what the DEK belongs to")?;
//! assert_eq!(*session.unwrap_dek(&kek, &wrapped, b"what the DEK belongs to")?, [7; 32]);
//! # Ok(())
//! # }
//! ```
//!
//! A caller's key can also live in the token, brought in (`import_key`) or born there (`generate_pair`): it is stored
//! wrapped by `kek-res` or `kek-priv-<type>`, and signs as a session key that nothing else can be done with.
//!
//! **Architecture invariants.** No tokio, no thread, no clock: calls block, deadlines are the keeper's, and time is an
//! argument. A key is never made because one is missing; only [`provision`] makes the token's own. There is one
//! `C_Login` per process, and no second attempt with the same PIN. No text of this crate holds a PIN or a key. No
//! secret is an argument of a PKCS#11 call, except that a DEK is encrypted and decrypted. `unsafe` is in `raw.rs` alone.

mod admission;
mod aead;
mod cache;
mod caller;
mod canary;
mod checkpoint;
mod create;
mod error;
mod hsm;
mod kek;
mod key;
mod live;
mod mechanism;
mod module;
mod object;
mod pin;
pub mod provision;
mod public;
mod random;
mod raw;
mod root;
mod session;
mod slot;
mod template;
mod tenant;
mod token;

pub use admission::AdmissionError;
pub use hsm::Hsm;
pub use module::{Module, OpenError};
pub use pin::Pin;
pub use session::HsmSession;
pub use slot::{Device, SlotSelector};
