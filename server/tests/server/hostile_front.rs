//! The keeper as a hostile front sees it: whoever owns the front speaks to it over the socket, and gets no signature for
//! anything that is not catalogued, beyond the ceiling, relabelled, changed, late, or stopped.
//!
//! - [`honest`]: the control; what is asked for properly is signed, and the signature is the secret's
//! - [`asked`]: operations, parameters, ceilings, deadlines, intents
//! - [`forged`]: sealed bytes and KEK rows that are not what the keeper gave out
//! - [`barred`]: scopes that were stopped, also while a signature is being made
//! - [`codes`]: operators' one-time codes
//! - [`contacts`]: owners' addresses
//! - [`modes`]: keys that sign inside the token
//! - [`other`]: `seal`, `sign_jwt`, `sign_checkpoint`
//! - [`recovery`]: the recovery key, and what it opens
//! - [`restored`]: a store in the place of a newer one
//! - [`roots`]: root keys of the token
//! - [`streams`]: logins to streams
//! - [`webhooks`]: the secrets of tenants' webhooks
//! - [`wire`]: bytes that are no messages

#[path = "hostile_front/asked.rs"]
mod asked;
#[path = "hostile_front/barred.rs"]
mod barred;
#[path = "hostile_front/codes.rs"]
mod codes;
#[path = "hostile_front/contacts.rs"]
mod contacts;
#[path = "hostile_front/denied.rs"]
mod denied;
#[path = "hostile_front/forged.rs"]
mod forged;
#[path = "hostile_front/front.rs"]
mod front;
#[path = "hostile_front/honest.rs"]
mod honest;
#[path = "hostile_front/modes.rs"]
mod modes;
#[path = "hostile_front/other.rs"]
mod other;
#[path = "hostile_front/recovery.rs"]
mod recovery;
#[path = "hostile_front/restored.rs"]
mod restored;
#[path = "hostile_front/roots.rs"]
mod roots;
#[path = "hostile_front/streams.rs"]
mod streams;
#[path = "hostile_front/webhooks.rs"]
mod webhooks;
#[path = "hostile_front/wire.rs"]
mod wire;
