//! From the durable intent to the signed request.

use claviger_venues::{Call, Class, RequestParts};

use super::{Pending, Recorded};
use crate::keeper::message::{Sign, Signed};
use crate::keeper::service::Hosts;
use crate::keeper::{KeeperClient, KeeperError, KekRow};
use crate::policy::Resolved;

/// A request that may be sent once, before its intent's deadline.
#[derive(Debug)]
#[must_use]
pub struct SignedRequest {
    pub(super) parts: RequestParts,
    /// The real key id, where it must not come back; empty otherwise.
    pub(super) key_id: String,
    /// The end of the window that was asked of the venue.
    pub(super) valid_until_ms: u64,
    /// What the keeper wants back with the answer to a login.
    pub(super) exchange: Vec<u8>,
    /// Whether the answer holds a token, and is kept nowhere.
    pub(super) login: bool,
    pub(super) pending: Pending,
}

/// A request that came to nothing, with what is needed to say so.
#[derive(Debug)]
pub struct Unsigned {
    /// Why.
    pub error: SignError,
    /// What is needed to record it.
    pub pending: Pending,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The keeper.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The deadline passed before it was its turn.
    #[error("it took too long before it could be signed")]
    Late,
    /// The operation cannot be built; the catalogue and its caller disagree.
    #[error("the request cannot be built: {0}")]
    Unbuildable(String),
}

/// The sealed version and the KEK that opens it.
#[derive(Clone, Debug)]
pub struct Material {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// The tenant's KEK.
    pub kek: KekRow,
}

impl Material {
    /// The version of the KEK that it is sealed under; none where what is stored is not this credential's.
    pub fn kek_version(&self) -> Option<u32> {
        (!self.sealed.is_empty()).then_some(self.kek.version)
    }
}

impl Recorded {
    /// Whether the signed request goes to the app instead of the venue.
    pub fn release(&self) -> bool {
        self.checked.release()
    }

    /// The class of the operation.
    pub fn class(&self) -> Class {
        self.checked.resolved().operation().class
    }

    /// What is needed to record the outcome.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Has the keeper sign.
    ///
    /// # Errors
    /// [`Unsigned`]; nothing left the keeper then.
    pub async fn sign(self, keeper: &KeeperClient, material: &Material) -> Result<SignedRequest, Box<Unsigned>> {
        let Self { checked, granted, pending } = self;
        let resolved = checked.resolved();
        let sign = Sign {
            intent: granted.intent(),
            kind: checked.kind(),
            scopes: checked.scopes().clone(),
            deadline: pending.deadline,
            operation: resolved.operation().name.to_owned(),
            params: resolved.params().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            nonce: granted.nonce(),
            sealed: material.sealed.clone(),
            kek: material.kek.clone(),
        };
        match keeper.sign(sign).await {
            Ok(Signed { parts, key_id, valid_until_ms, exchange }) => {
                let login = resolved.operation().is_login();
                Ok(SignedRequest { parts, key_id, valid_until_ms, exchange, login, pending })
            }
            Err(error) => Err(Box::new(Unsigned { error: error.into(), pending })),
        }
    }

    /// Builds a request of class market, which carries no key.
    ///
    /// # Errors
    /// [`Unsigned`] for any other class.
    pub fn without_key(self, hosts: &Hosts) -> Result<SignedRequest, Box<Unsigned>> {
        match market(self.checked.resolved(), hosts) {
            Ok(parts) => {
                let (key_id, exchange) = (String::new(), Vec::new());
                Ok(SignedRequest { parts, key_id, valid_until_ms: 0, exchange, login: false, pending: self.pending })
            }
            Err(error) => Err(Box::new(Unsigned { error: SignError::Unbuildable(error), pending: self.pending })),
        }
    }
}

pub(crate) fn market(resolved: &Resolved, hosts: &Hosts) -> Result<RequestParts, String> {
    let operation = resolved.operation();
    if operation.class != Class::Market {
        return Err("only market data goes without a key".to_owned());
    }
    let host = hosts.host(operation.venue, operation.host).ok_or("the venue has no host")?;
    let call: Call<'_> = claviger_venues::check(operation, resolved.params()).map_err(|e| e.to_string())?;
    claviger_venues::unsigned(&call, host).map_err(|e| e.to_string())
}
