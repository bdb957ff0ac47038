//! The domain of Claviger: what is kept, what may be done with it, and the proof that it was recorded first.
//!
//! An execution walks straight through, and each step is a value that only the step before can make:
//!
//! ```text
//! policy::check -> Checked -> execution::record -> Recorded -> sign -> SignedRequest -> send -> Answered -> settle
//! ```
//!
//! - [`policy`] makes a `Checked`, or names the rule that refuses;
//! - [`store`] makes a `Granted` once the intent is durable, and [`execution`] a `Recorded` of the two;
//! - [`keeper`] is the other process: it alone opens an [`envelope`], and it re-checks what the front cannot be trusted
//!   with;
//! - [`audit`] is the log that every step leaves its entry in;
//! - [`service`] is what the API and the command line can ask for.
//!
//! **Architecture invariant**: no signature without a durable intent. There is no way to a signed request but through a
//! recorded one, and none to that but through the store's commit:
//!
//! ```compile_fail,E0624
//! # use claviger_core::store::{Granted, Receipt};
//! fn forged(receipt: Receipt) -> Granted {
//!     Granted::new(1, 0, receipt)
//! }
//! ```
//!
//! ```compile_fail,E0451
//! # use claviger_core::execution::{Pending, SignedRequest};
//! fn forged(parts: claviger_venues::RequestParts, pending: Pending) -> SignedRequest {
//!     SignedRequest { parts, pending }
//! }
//! ```
//!
//! **Architecture invariant**: a secret is in the locked arena or nowhere. It cannot be copied, compared or serialised:
//!
//! ```compile_fail,E0599
//! fn copied(secret: &claviger_core::secret::Plaintext) -> claviger_core::secret::Plaintext {
//!     secret.clone()
//! }
//! ```
//!
//! ```compile_fail,E0277
//! fn shown(secret: &claviger_core::secret::Plaintext) -> String {
//!     serde_json::to_string(secret).unwrap()
//! }
//! ```
//!
//! **Architecture invariant**: nothing here names PKCS#11, a socket address or a route. The token is a trait
//! ([`token::Token`]), the way to a venue is a trait ([`execution::egress::Egress`]), time is a trait
//! ([`clock::Clock`]).
//!
//! An entry of the audit log, from draft to proof:
//!
//! ```
//! use claviger_core::audit::{Draft, EntryOutcome, Frontier, Stamp, UserKind, leaf_hash};
//!
//! let draft = Draft::new("credential.freeze", EntryOutcome::Allowed).by(UserKind::Operator, "admin");
//! let stamp = Stamp { writer: "example".into(), seq: 0, at_ms: 0, tenant_seq: 0, salt: [7; 16] };
//! let leaf = draft.into_entry(stamp, None).to_leaf();
//!
//! let mut tree = Frontier::new();
//! tree.push(leaf_hash(&leaf));
//! assert_eq!(tree.size(), 1);
//! ```

pub mod act;
pub mod agenda;
pub mod audit;
pub mod backup;
pub mod clock;
pub mod credential;
pub mod decoy;
pub mod deletion;
pub mod envelope;
pub mod epoch;
pub mod execution;
mod hash;
pub mod id;
pub mod identity;
pub mod incident;
pub mod keeper;
pub mod notice;
pub mod policy;
pub mod recovery;
pub mod rotation;
pub mod secret;
pub mod service;
pub mod store;
pub mod token;
pub mod view;
pub mod virtual_key;
pub mod webhook;
