//! Making a token and its keys: first run only, never on a normal start.

use claviger_core::token::KeyKind;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};

use crate::error::{Fault, LOG};
use crate::hsm::Admin;
use crate::key::{KeyName, Keys, Purpose};
use crate::mechanism::Kwp;
use crate::module::{Module, OpenError};
use crate::pin::Pin;
use crate::raw::UnwrapTemplate;
use crate::slot::{self, Device, SlotSelector};
use crate::template::{self, Curve, caller};
use crate::{checkpoint, create};

/// The version of keys made here.
const FIRST: u32 = 1;

/// A token's label is padded to this length (PKCS #11 v3.1, `C_InitToken`).
const LABEL_BYTES_MAX: usize = 32;

/// Why a token or its keys were not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// A label is 1 to 32 printable ASCII characters.
    #[error("{0:?} is no label for a token: 1 to 32 printable ASCII characters")]
    Label(String),
    /// A token with this label exists.
    #[error("there is a token {0} already")]
    TokenExists(SlotSelector),
    /// Every slot holds an initialised token.
    #[error("no slot is free for a new token")]
    NoFreeSlot,
    /// The token holds keys already. Nothing was made.
    #[error("the token holds {0} already")]
    KeysExist(String),
    /// The module, the slot or the token failed.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<Fault> for ProvisionError {
    fn from(fault: Fault) -> Self {
        Self::Open(fault.into())
    }
}

/// Initialises a token in a free slot and sets the user's PIN (`C_InitToken`, `C_InitPIN`).
///
/// For modules that let anyone do so, `SoftHSM` above all; an HSM's token is made by its own ceremony.
///
/// # Errors
/// [`ProvisionError::TokenExists`], [`ProvisionError::NoFreeSlot`] or [`ProvisionError::Label`] before anything was
/// done; otherwise a token may be there that has no user PIN.
pub fn init_token(module: &Module, label: &str, so_pin: &Pin, user_pin: &Pin) -> Result<Device, ProvisionError> {
    let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if label.is_empty() || label.len() > LABEL_BYTES_MAX || !label.bytes().all(printable) || label != label.trim() {
        return Err(ProvisionError::Label(label.to_owned()));
    }
    let selector = SlotSelector::Label(label.to_owned());
    match slot::find(module.context(), &selector) {
        Err(OpenError::NoToken(_)) => {}
        Ok(_) | Err(OpenError::ManyTokens(_)) => return Err(ProvisionError::TokenExists(selector)),
        Err(error) => return Err(error.into()),
    }
    let context = module.context();
    let free = context
        .get_slots_with_token()
        .map_err(Fault::from)?
        .into_iter()
        .find(|slot| context.get_token_info(*slot).is_ok_and(|token| !token.token_initialized()))
        .ok_or(ProvisionError::NoFreeSlot)?;
    context.init_token(free, so_pin.secret(), label).map_err(Fault::from)?;

    let (slot, device) = slot::find(context, &selector)?;
    let session = context.open_rw_session(slot).map_err(Fault::from)?;
    session.login(UserType::So, Some(so_pin.secret())).map_err(Fault::from)?;
    session.init_pin(user_pin.secret()).map_err(Fault::from)?;
    // Only one kind of user is logged in at a time; the next login is the user's.
    session.logout().map_err(Fault::from)?;
    tracing::info!(target: LOG, { token.label = device.label, token.serial = device.serial }, "a token was made");
    Ok(device)
}

/// Makes the keys that a token lacks which was cut off while they were made. Says whether the token is new: one that holds
/// a checkpoint has been used, and is left as it is.
///
/// # Errors
/// [`ProvisionError::Open`]; what was made until then stays, and repeating it goes on.
pub fn finish_keys(module: &Module, selector: &SlotSelector, pin: &Pin) -> Result<bool, ProvisionError> {
    let (slot, _) = slot::find(module.context(), selector)?;
    let admin = Admin::log_in(module.context(), slot, pin)?;
    let session = &admin.work;
    if checkpoint::is_held(session)? {
        return Ok(false);
    }
    let kwp = Kwp::offered_by(module.context(), slot)?;
    for purpose in Purpose::at_first() {
        let name = KeyName { purpose, version: FIRST }.to_string();
        if !is_whole(session, &name)? {
            create(session, purpose, &name, kwp)?;
            tracing::info!(target: LOG, key = name, "a key was made");
        }
    }
    Ok(true)
}

/// Whether a key is there. A public half alone protects nothing, and is removed.
fn is_whole(session: &Session, name: &str) -> Result<bool, Fault> {
    let lone = [Attribute::Token(true), Attribute::Id(name.into()), Attribute::Class(ObjectClass::PUBLIC_KEY)];
    let (all, public) = (find(session, name)?, session.find_objects(&lone)?);
    if all.len() > public.len() {
        return Ok(true);
    }
    for half in public {
        session.destroy_object(half)?;
    }
    Ok(false)
}

/// Makes version 1 of every key.
///
/// # Errors
/// [`ProvisionError::KeysExist`] if the token holds any key of ours. After any other error, keys made so far have been
/// destroyed again, as far as the token let them be.
pub fn create_keys(module: &Module, selector: &SlotSelector, pin: &Pin) -> Result<(), ProvisionError> {
    let (slot, _) = slot::find(module.context(), selector)?;
    let admin = Admin::log_in(module.context(), slot, pin)?;
    let session = &admin.work;
    if let Some(name) = Keys::names(session)?.first() {
        return Err(ProvisionError::KeysExist(name.to_string()));
    }
    let kwp = Kwp::offered_by(module.context(), slot)?;
    Ok(create_all(session, kwp, &Purpose::at_first().collect::<Vec<_>>())?)
}

/// Makes version 1 of the keys that callers' keys need, in a token that was made before there were such keys.
///
/// No other key is ever made in a token that is in use: one that is missing there is lost, with what it protects.
///
/// # Errors
/// [`ProvisionError::KeysExist`] if the token holds one of them, [`ProvisionError::Open`] if it lacks any other. After
/// any other error, keys made so far have been destroyed again, as far as the token let them be.
pub fn add_caller_keys(module: &Module, selector: &SlotSelector, pin: &Pin) -> Result<(), ProvisionError> {
    let (slot, _) = slot::find(module.context(), selector)?;
    let admin = Admin::log_in(module.context(), slot, pin)?;
    let session = &admin.work;
    Keys::find(session)?;
    if let Some(name) = Keys::names(session)?.iter().find(|name| Purpose::OF_CALLERS.contains(&name.purpose)) {
        return Err(ProvisionError::KeysExist(name.to_string()));
    }
    let kwp = Kwp::offered_by(module.context(), slot)?;
    Ok(create_all(session, kwp, &Purpose::OF_CALLERS)?)
}

fn create_all(session: &Session, kwp: Kwp, purposes: &[Purpose]) -> Result<(), Fault> {
    for purpose in purposes {
        let name = KeyName { purpose: *purpose, version: FIRST }.to_string();
        if let Err(fault) = create(session, *purpose, &name, kwp) {
            undo(session, purposes);
            return Err(fault);
        }
        tracing::info!(target: LOG, key = name, "a key was made");
    }
    Ok(())
}

fn create(session: &Session, purpose: Purpose, name: &str, kwp: Kwp) -> Result<(), Fault> {
    match purpose {
        Purpose::Root => root(session, name, kwp),
        // Both kinds of HMAC key demand the same.
        Purpose::KekRes => wrapping(session, name, kwp, &caller::signer_demands(KeyKind::HmacSha256)),
        Purpose::KekPrivRsa => wrapping(session, name, kwp, &caller::signer_demands(KeyKind::RsaSha256)),
        Purpose::KekPrivEd25519 => wrapping(session, name, kwp, &caller::signer_demands(KeyKind::Ed25519)),
        Purpose::ImportSecret => import(session, name, &caller::carrier_demands()),
        Purpose::ImportKek => kek_door(session, name),
        Purpose::ApiSigning => signing_pair(session, name, &Mechanism::EccKeyPairGen, Curve::P256),
        Purpose::AuditSigning => signing_pair(session, name, &Mechanism::EccEdwardsKeyPairGen, Curve::Ed25519),
        Purpose::IndexMac | Purpose::Pepper | Purpose::RowMac => {
            secret(session, name, &Mechanism::GenericSecretKeyGen, &template::mac(name))
        }
    }
}

/// Makes a root key.
pub(crate) fn root(session: &Session, name: &str, kwp: Kwp) -> Result<(), Fault> {
    wrapping(session, name, kwp, &template::kek_demands())
}

/// Makes the key that tenants wrap their own KEKs to.
pub(crate) fn kek_door(session: &Session, name: &str) -> Result<(), Fault> {
    import(session, name, &template::incoming_kek_demands())
}

fn import(session: &Session, name: &str, demands: &[Attribute]) -> Result<(), Fault> {
    let unwraps = UnwrapTemplate::new(demands);
    let private = caller::import_private(name, unwraps.attribute());
    pair(session, name, &Mechanism::RsaPkcsKeyPairGen, &caller::import_public(name), &private)
}

fn wrapping(session: &Session, name: &str, kwp: Kwp, demands: &[Attribute]) -> Result<(), Fault> {
    let unwraps = UnwrapTemplate::new(demands);
    secret(session, name, &Mechanism::AesKeyGen, &template::wrapping(name, kwp.id(), unwraps.attribute()))
}

fn signing_pair(session: &Session, name: &str, generate: &Mechanism<'_>, curve: Curve) -> Result<(), Fault> {
    let (public, private) = (template::signing_public(name, curve), template::signing_private(name, curve));
    pair(session, name, generate, &public, &private)
}

fn secret(session: &Session, name: &str, generate: &Mechanism<'_>, template: &[Attribute]) -> Result<(), Fault> {
    create::once(
        || Ok(session.generate_key(generate, template).map(drop)?),
        || Ok(find(session, name)?.first().map(|_| ())),
    )
}

fn pair(
    session: &Session,
    name: &str,
    generate: &Mechanism<'_>,
    public: &[Attribute],
    private: &[Attribute],
) -> Result<(), Fault> {
    create::once(
        || Ok(session.generate_key_pair(generate, public, private).map(drop)?),
        || {
            let halves = find(session, name)?;
            if halves.len() == 2 {
                return Ok(Some(()));
            }
            for half in halves {
                session.destroy_object(half)?;
            }
            Ok(None)
        },
    )
}

fn find(session: &Session, name: &str) -> Result<Vec<ObjectHandle>, Fault> {
    Ok(session.find_objects(&[Attribute::Token(true), Attribute::Id(name.into())])?)
}

/// Destroys what [`create_all`] has made: it began on a token without keys for these purposes, so all of them are its own.
fn undo(session: &Session, purposes: &[Purpose]) {
    for purpose in purposes {
        remove(session, KeyName { purpose: *purpose, version: FIRST });
    }
}

/// Destroys a key that was made a moment ago and is not used yet, as far as the token lets it be.
pub(crate) fn remove(session: &Session, name: KeyName) {
    for object in find(session, &name.to_string()).unwrap_or_default() {
        if let Err(error) = session.destroy_object(object) {
            tracing::error!(target: LOG, key = %name, "a key that cannot be used stays in the token: {error}");
        }
    }
}
