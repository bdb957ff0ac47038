//! What executions look up, kept in memory: apps with their grants, credentials with their sealed bytes. Never a secret,
//! never a DEK.
//!
//! Nothing rests on it being fresh: the deciding commit compares the epoch and asks what is stopped. It is emptied of a
//! thing when that thing changes, so that a revoked app is refused at the edge at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use crate::credential::Credential;
use crate::envelope::Envelope;
use crate::execution::Material;
use crate::id::{AppId, CredentialId, TenantId};
use crate::identity::App;
use crate::keeper::KekRow;
use crate::policy::{Document, Grants, Policy};
use crate::store::{Key, Range, Row, Scope, Stop, Store, StoreError, Versioned};
use crate::virtual_key::{Proof, VirtualKey};

/// Entries of one kind at most. When there are more, all are looked up anew.
const HELD: usize = 50_000;

/// An app and what it may do.
#[derive(Debug)]
pub struct KnownApp {
    /// The app.
    pub app: App,
    /// Its grants.
    pub grants: Grants,
    /// Whether the app itself is stopped.
    pub stopped: Option<Stop>,
}

/// A credential and what the keeper needs to sign with it.
#[derive(Debug)]
pub struct KnownCredential {
    /// The credential.
    pub row: Credential,
    /// The row's version.
    pub version: u64,
    /// Its sealed bytes and KEK.
    pub material: Material,
}

/// A virtual key and what the keeper needs to verify with it.
#[derive(Debug)]
pub struct KnownVirtual {
    /// The virtual key.
    pub row: VirtualKey,
    /// The KEK that its secret is sealed under; none where it has no sealed secret.
    pub kek: Option<KekRow>,
}

/// The caches.
#[derive(Debug, Default)]
pub struct Directory {
    apps: Cache<AppId, KnownApp>,
    credentials: Cache<(TenantId, CredentialId), KnownCredential>,
    keks: Cache<(TenantId, u32), KekRow>,
    virtual_keys: Cache<[u8; 32], KnownVirtual>,
    policies: Cache<TenantId, Policy>,
}

#[derive(Debug)]
struct Cache<K, V>(RwLock<Held<K, V>>);

#[derive(Debug)]
struct Held<K, V> {
    rows: HashMap<K, Arc<V>>,
    /// Grows whenever something is forgotten.
    forgotten: u64,
}

/// A lookup that found nothing held. What was read meanwhile is held only if nothing was forgotten meanwhile.
struct Missed(u64);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(RwLock::new(Held { rows: HashMap::new(), forgotten: 0 }))
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    fn get(&self, key: &K) -> Result<Arc<V>, Missed> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.rows.get(key).cloned().ok_or(Missed(held.forgotten))
    }

    fn put(&self, missed: &Missed, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.forgotten == missed.0 {
            if held.rows.len() >= HELD {
                held.rows.clear();
            }
            held.rows.insert(key, value.clone());
        }
        value
    }

    fn forget(&self, key: &K) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.forgotten = held.forgotten.wrapping_add(1);
        held.rows.remove(key);
    }

    fn forget_all(&self) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.forgotten = held.forgotten.wrapping_add(1);
        held.rows.clear();
    }

    fn forget_where(&self, which: impl Fn(&K, &V) -> bool) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.forgotten = held.forgotten.wrapping_add(1);
        held.rows.retain(|key, row| !which(key, row));
    }
}

impl Directory {
    /// An app, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app(&self, store: &dyn Store, id: AppId) -> Result<Option<Arc<KnownApp>>, StoreError> {
        let missed = match self.apps.get(&id) {
            Ok(known) => return Ok(Some(known)),
            Err(missed) => missed,
        };
        let Some(Versioned { row: Row::App(app), .. }) = store.get(Key::App(id)).await? else { return Ok(None) };
        let grants = Self::grants(store, id).await?;
        let stopped = match store.get(Key::Stopped(Scope::App(id))).await? {
            Some(Versioned { row: Row::Stopped(stop), .. }) => Some(stop),
            _ => None,
        };
        Ok(Some(self.apps.put(&missed, id, KnownApp { app, grants, stopped })))
    }

    async fn grants(store: &dyn Store, app: AppId) -> Result<Grants, StoreError> {
        let grant =
            |found: Versioned| if let Row::Grant(grant) = found.row { Some((found.version, grant)) } else { None };
        Ok(Grants::new(store.all(Range::Grants(app), grant).await?))
    }

    /// A tenant's policy; one that refuses nothing where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy(&self, store: &dyn Store, tenant: TenantId) -> Result<Arc<Policy>, StoreError> {
        let missed = match self.policies.get(&tenant) {
            Ok(known) => return Ok(known),
            Err(missed) => missed,
        };
        let policy = match store.get(Key::PolicyInForce(tenant)).await? {
            Some(Versioned { version: row_version, row: Row::PolicyRef(version) }) => {
                let corrupt = |why: &str| StoreError::Corrupt(format!("policy {version} of {tenant}: {why}"));
                let Some(Versioned { row: Row::Policy(stored), .. }) = store.get(Key::Policy(tenant, version)).await?
                else {
                    return Err(corrupt("it is in force, and not there"));
                };
                let document = Document::parse(&stored.text).map_err(|error| corrupt(&error.0))?;
                Policy::of(version, row_version, document)
            }
            _ => Policy::default(),
        };
        Ok(self.policies.put(&missed, tenant, policy))
    }

    /// Looks the tenant's policy up anew from now on.
    pub fn forget_policy(&self, tenant: TenantId) {
        self.policies.forget(&tenant);
    }

    /// A tenant's credential, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn credential(
        &self,
        store: &dyn Store,
        tenant: TenantId,
        id: CredentialId,
    ) -> Result<Option<Arc<KnownCredential>>, StoreError> {
        let missed = match self.credentials.get(&(tenant, id)) {
            Ok(known) => return Ok(Some(known)),
            Err(missed) => missed,
        };
        let read = self.credential_unheld(store, tenant, id).await?;
        Ok(read.map(|known| self.credentials.put(&missed, (tenant, id), known)))
    }

    /// A tenant's credential as it is stored. It is not held: whoever looks at all of them one by one leaves what
    /// executions need where it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn credential_unheld(
        &self,
        store: &dyn Store,
        tenant: TenantId,
        id: CredentialId,
    ) -> Result<Option<KnownCredential>, StoreError> {
        let Some(Versioned { version, row: Row::Credential(row) }) = store.get(Key::Credential(tenant, id)).await?
        else {
            return Ok(None);
        };
        let Some(Versioned { row: Row::Sealed(sealed), .. }) = store.get(Key::Sealed(id)).await? else {
            return Ok(None);
        };
        let material = self.material(store, &row, sealed).await?;
        Ok(Some(KnownCredential { row, version, material }))
    }

    /// What the keeper gets for a row: its own sealed bytes and the KEK that they name.
    ///
    /// Bytes that are another row's, another version's or nobody's are not handed on: the keeper refuses an envelope of
    /// no bytes as tampered with, as it would refuse the bytes themselves, and the alarm follows from that.
    async fn material(&self, store: &dyn Store, row: &Credential, sealed: Vec<u8>) -> Result<Material, StoreError> {
        let envelope = Envelope::from_bytes(&sealed).ok().filter(|envelope| envelope.binding == row.binding());
        let kek = match envelope {
            Some(envelope) => self.kek(store, row.tenant, envelope.kek_version).await?,
            None => None,
        };
        if let Some(kek) = kek {
            return Ok(Material { sealed, kek: kek.as_ref().clone() });
        }
        let keks = store.scan(Range::Keks(row.tenant), None, 1).await?;
        match keks.rows.into_iter().next() {
            Some(Versioned { row: Row::Kek(kek), .. }) => Ok(Material { sealed: Vec::new(), kek }),
            _ => Err(StoreError::Corrupt(format!("{} has no KEK", row.tenant))),
        }
    }

    /// A tenant's KEK.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kek(
        &self,
        store: &dyn Store,
        tenant: TenantId,
        version: u32,
    ) -> Result<Option<Arc<KekRow>>, StoreError> {
        let missed = match self.keks.get(&(tenant, version)) {
            Ok(known) => return Ok(Some(known)),
            Err(missed) => missed,
        };
        Ok(match store.get(Key::Kek(tenant, version)).await? {
            Some(Versioned { row: Row::Kek(row), .. }) => Some(self.keks.put(&missed, (tenant, version), row)),
            _ => None,
        })
    }

    /// Has a tenant's KEK be looked up anew, which may be gone.
    pub fn forget_kek(&self, tenant: TenantId, version: u32) {
        self.keks.forget(&(tenant, version));
    }

    /// Has all KEKs be looked up anew.
    pub fn forget_keks(&self) {
        self.keks.forget_all();
    }

    /// The virtual key of this name, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn virtual_key(
        &self,
        store: &dyn Store,
        name: [u8; 32],
    ) -> Result<Option<Arc<KnownVirtual>>, StoreError> {
        let missed = match self.virtual_keys.get(&name) {
            Ok(known) => return Ok(Some(known)),
            Err(missed) => missed,
        };
        let Some(Versioned { row: Row::VirtualRef(tenant, id), .. }) = store.get(Key::VirtualName(name)).await? else {
            return Ok(None);
        };
        let Some(Versioned { row: Row::VirtualKey(row), .. }) = store.get(Key::VirtualKey(tenant, id)).await? else {
            return Ok(None);
        };
        let kek = match &row.proof {
            Proof::Hmac(sealed) => match Envelope::from_bytes(sealed) {
                Ok(envelope) if envelope.binding == row.binding() => {
                    let kek = self.kek(store, tenant, envelope.kek_version).await?;
                    kek.map(|kek| kek.as_ref().clone())
                }
                _ => return Err(StoreError::Corrupt(format!("{id} does not hold its own secret"))),
            },
            Proof::PublicKey { .. } | Proof::Bearer => None,
        };
        Ok(Some(self.virtual_keys.put(&missed, name, KnownVirtual { row, kek })))
    }

    /// Looks the virtual key up anew from now on.
    pub fn forget_virtual_key(&self, name: [u8; 32]) {
        self.virtual_keys.forget(&name);
    }

    /// Looks everything of a tenant's up anew from now on.
    pub fn forget_tenant(&self, tenant: TenantId) {
        self.apps.forget_where(|_, known| known.app.tenant == tenant);
        self.credentials.forget_where(|(whose, _), _| *whose == tenant);
        self.keks.forget_where(|(whose, _), _| *whose == tenant);
        self.virtual_keys.forget_where(|_, known| known.row.tenant == tenant);
        self.policies.forget(&tenant);
    }

    /// Looks the app up anew from now on.
    pub fn forget_app(&self, id: AppId) {
        self.apps.forget(&id);
    }

    /// Looks the credential up anew from now on.
    pub fn forget_credential(&self, tenant: TenantId, id: CredentialId) {
        self.credentials.forget(&(tenant, id));
    }
}
