//! The two ceremonies, as the `WebAuthn` library begins and verifies them. A user must be verified in both: a passkey
//! stands for two factors.

use claviger_core::id::{OperatorId, PasskeyId};
use claviger_core::identity::Operator;
use claviger_core::service::ShownPasskey;
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use webauthn_rs::fake::{FakePasskeyDistribution, WebauthnFakeCredentialGenerator};
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Uuid,
    WebauthnError,
};

use super::Passkeys;

/// What the next answer of the browser is verified against. It lives in memory alone.
#[derive(Debug)]
pub enum Ceremony {
    /// A passkey is registered, which is none of these.
    Registration(Box<PasskeyRegistration>, Vec<Passkey>),
    /// One of these is shown.
    Authentication(Box<PasskeyAuthentication>, OperatorId, Vec<Known>),
    /// Nobody can end this one: there is no operator of the name, or none with a passkey.
    Nobody,
}

/// A passkey of an operator's, and the text that it was read from.
#[derive(Clone, Debug)]
pub struct Known {
    id: PasskeyId,
    text: String,
    passkey: Passkey,
}

/// What a ceremony ended with.
#[derive(Debug)]
pub enum Finished {
    /// A passkey to be kept.
    Registered(String),
    /// A passkey that was shown.
    Shown(ShownPasskey),
}

/// Why a ceremony failed.
#[derive(Debug)]
pub enum NotShown {
    /// What the browser sent is not what it must be.
    Wrong(WebauthnError),
    /// The counter of this passkey went back: there is a copy of it.
    Cloned(PasskeyId),
    /// What the browser sent, or what is stored, cannot be read.
    Unreadable,
}

impl From<WebauthnError> for NotShown {
    fn from(error: WebauthnError) -> Self {
        Self::Wrong(error)
    }
}

impl Passkeys {
    /// Begins the registration of one more passkey. The options are for the browser.
    ///
    /// # Errors
    /// [`NotShown`] if what is stored cannot be read.
    pub fn begin_registration(&self, operator: &Operator) -> Result<(Value, Ceremony), NotShown> {
        let own: Vec<Passkey> = known(operator)?.into_iter().map(|known| known.passkey).collect();
        let user = Uuid::from_bytes(*operator.id.as_bytes());
        let theirs = own.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let (options, state) =
            self.webauthn.start_passkey_registration(user, &operator.name, &operator.name, Some(theirs))?;
        Ok((value(options)?, Ceremony::Registration(Box::new(state), own)))
    }

    /// Begins a proof. An operator without passkeys, and a name that nobody has, get ids that are invented: the same
    /// ones each time as long as this process runs.
    ///
    /// # Errors
    /// [`NotShown`] if what is stored cannot be read.
    pub fn begin_authentication(&self, name: &str, operator: Option<&Operator>) -> Result<(Value, Ceremony), NotShown> {
        let own = operator.map(known).transpose()?.unwrap_or_default();
        let passkeys: Vec<Passkey> = own.iter().map(|known| known.passkey.clone()).collect();
        let ids: Vec<Vec<u8>> = match passkeys.as_slice() {
            [] => self.invented(name)?,
            some => some.iter().map(|passkey| passkey.cred_id().as_slice().to_vec()).collect(),
        };
        let (mut options, ceremony) = match operator.filter(|_| !passkeys.is_empty()) {
            Some(operator) => {
                let (options, state) = self.webauthn.start_passkey_authentication(&passkeys)?;
                (value(options)?, Ceremony::Authentication(Box::new(state), operator.id, own))
            }
            None => (value(self.webauthn.start_discoverable_authentication()?.0)?, Ceremony::Nobody),
        };
        // Both look alike from outside: how a passkey is reached, and what else may be asked of it, is left away.
        let id = |id: &Vec<u8>| json!({ "type": "public-key", "id": BASE64URL_NOPAD.encode(id) });
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
            if let Some(key) = options.get_mut("publicKey").and_then(Value::as_object_mut) {
                key.remove("extensions");
                key.insert("allowCredentials".to_owned(), ids.iter().map(id).collect());
            }
        }
        Ok((options, ceremony))
    }

    fn invented(&self, name: &str) -> Result<Vec<Vec<u8>>, NotShown> {
        let inventor = WebauthnFakeCredentialGenerator::<FakePasskeyDistribution>::new(&self.inventing)?;
        // Now and then it invents that there are none, which nobody who has passkeys has.
        let ids = (0..8_u8).map(|round| inventor.generate(format!("{round}{name}").as_bytes()));
        let some = ids.filter_map(Result::ok).find(|ids| !ids.is_empty()).unwrap_or_default();
        Ok(some.into_iter().map(|id| id.as_slice().to_vec()).collect())
    }

    /// Verifies what the browser sent.
    ///
    /// # Errors
    /// [`NotShown`]; the ceremony cannot be finished again.
    pub fn finish(&self, ceremony: Ceremony, credential: Value) -> Result<Finished, NotShown> {
        match ceremony {
            Ceremony::Registration(state, own) => {
                let answer: RegisterPublicKeyCredential = read(credential)?;
                let passkey = self.webauthn.finish_passkey_registration(&answer, &state)?;
                // The browser was told not to, and is not believed.
                if own.contains(&passkey) {
                    return Err(WebauthnError::CredentialAlreadyExists.into());
                }
                Ok(Finished::Registered(text(&passkey)?))
            }
            Ceremony::Authentication(state, operator, own) => {
                let answer: PublicKeyCredential = read(credential)?;
                let result = match self.webauthn.finish_passkey_authentication(&answer, &state) {
                    Err(WebauthnError::CredentialPossibleCompromise) => {
                        let cloned = own.iter().find(|known| known.passkey.cred_id().as_slice() == answer.raw_id);
                        return Err(cloned.map_or(NotShown::Unreadable, |known| NotShown::Cloned(known.id)));
                    }
                    done => done?,
                };
                if !result.user_verified() {
                    return Err(WebauthnError::UserNotVerified.into());
                }
                let used = own.into_iter().find(|known| known.passkey.cred_id() == result.cred_id());
                let Known { id, text: was, mut passkey } = used.ok_or(NotShown::Unreadable)?;
                passkey.update_credential(&result);
                Ok(Finished::Shown(ShownPasskey { operator, id, was, becomes: text(&passkey)? }))
            }
            Ceremony::Nobody => Err(WebauthnError::CredentialNotFound.into()),
        }
    }
}

fn known(operator: &Operator) -> Result<Vec<Known>, NotShown> {
    let read = |own: &claviger_core::identity::Passkey| {
        let passkey = serde_json::from_str(&own.credential).map_err(|_| NotShown::Unreadable)?;
        Ok(Known { id: own.id, text: own.credential.clone(), passkey })
    };
    operator.factors.passkeys.iter().map(read).collect()
}

fn value(options: impl serde::Serialize) -> Result<Value, NotShown> {
    serde_json::to_value(options).map_err(|_| NotShown::Unreadable)
}

fn text(passkey: &Passkey) -> Result<String, NotShown> {
    serde_json::to_string(passkey).map_err(|_| NotShown::Unreadable)
}

fn read<T: DeserializeOwned>(credential: Value) -> Result<T, NotShown> {
    serde_json::from_value(credential).map_err(|_| NotShown::Unreadable)
}
