//! The keys that the simulated venues know, and what belongs to each.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::book::Book;
use crate::session::Sessions;
use crate::verifier::{KeyKind, Verifier};

/// Distance between the first order ids of two accounts, so that no order id exists twice.
const ORDER_IDS_PER_ACCOUNT: u64 = 1_000_000_000;

/// What a key may do, in words that every venue can translate into its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "venues show permissions as independent tick boxes, and so does this"
)]
pub(crate) struct Permissions {
    pub(crate) read: bool,
    pub(crate) trade_spot: bool,
    pub(crate) trade_margin: bool,
    pub(crate) trade_derivatives: bool,
    pub(crate) transfer: bool,
    pub(crate) withdraw: bool,
    pub(crate) key_management: bool,
    pub(crate) ip_restricted: bool,
    /// Names in the venue's own words, shown by its probe as granted.
    pub(crate) extra: Vec<String>,
}

/// The body of `POST /_sim/keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    pub(crate) venue: String,
    pub(crate) key_id: String,
    #[serde(default)]
    pub(crate) kind: KeyKind,
    pub(crate) secret: Option<String>,
    pub(crate) public_key: Option<String>,
    /// What else makes up the key, by the names that the venue's file gives.
    #[serde(default)]
    pub(crate) parts: BTreeMap<String, String>,
    /// How long a token lives that the venue hands out for this key.
    pub(crate) token_life_ms: Option<u64>,
    #[serde(default)]
    pub(crate) permissions: Permissions,
    pub(crate) raw_permissions: Option<Value>,
}

/// A key that the venue accepts.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) verifier: Verifier,
    pub(crate) parts: BTreeMap<String, String>,
    /// Without it, the venue's own figure holds.
    pub(crate) token_life: Option<Duration>,
    pub(crate) permissions: Permissions,
    /// Laid over the probe's answer, to show what the words of [`Permissions`] cannot say.
    pub(crate) raw_permissions: Option<Value>,
}

impl Key {
    /// A part of the key, or empty.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    /// Changes a probe's answer as the registration wants it; null takes a field away.
    pub(crate) fn lay_over(&self, shown: &mut Map<String, Value>) {
        let Some(Value::Object(overrides)) = &self.raw_permissions else {
            return;
        };
        for (field, value) in overrides {
            if value.is_null() {
                shown.remove(field);
            } else {
                shown.insert(field.clone(), value.clone());
            }
        }
    }
}

/// What belongs to one key id; it outlives the key, so that a dead key's orders can still be read.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) venue: &'static str,
    pub(crate) key_id: String,
    pub(crate) book: Mutex<Book>,
    key: RwLock<Option<Arc<Key>>>,
    last_nonce: Mutex<Option<u64>>,
    sessions: Mutex<Sessions>,
}

impl Account {
    /// The key, unless it is dead.
    pub(crate) fn key(&self) -> Option<Arc<Key>> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs `work` on the order book, alone.
    pub(crate) fn with_book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `work` on the sessions, alone.
    pub(crate) fn with_sessions<T>(&self, work: impl FnOnce(&mut Sessions) -> T) -> T {
        work(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Accepts `nonce` if it is greater than every one accepted before.
    pub(crate) fn advance_nonce(&self, nonce: u64) -> bool {
        let mut last = self.last_nonce.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| nonce <= last) {
            return false;
        }
        *last = Some(nonce);
        true
    }

    /// The greatest nonce accepted so far.
    pub(crate) fn last_nonce(&self) -> Option<u64> {
        *self.last_nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace_key(&self, key: Option<Key>) -> Option<Arc<Key>> {
        let mut place = self.key.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place, key.map(Arc::new))
    }
}

/// All accounts, in one map per venue.
#[derive(Debug)]
pub(crate) struct Accounts {
    venues: BTreeMap<&'static str, RwLock<HashMap<String, Arc<Account>>>>,
    created: AtomicU64,
}

impl Accounts {
    /// Makes an empty map for each venue.
    pub(crate) fn new(venues: impl Iterator<Item = &'static str>) -> Self {
        Self { venues: venues.map(|venue| (venue, RwLock::default())).collect(), created: AtomicU64::new(0) }
    }

    /// The account of a key id, dead or alive.
    pub(crate) fn get(&self, venue: &str, key_id: &str) -> Option<Arc<Account>> {
        let map = self.venues.get(venue)?;
        map.read().unwrap_or_else(PoisonError::into_inner).get(key_id).cloned()
    }

    /// The account and the key of a key id that the venue accepts.
    pub(crate) fn alive(&self, venue: &str, key_id: &str) -> Option<(Arc<Account>, Arc<Key>)> {
        let account = self.get(venue, key_id)?;
        let key = account.key()?;
        Some((account, key))
    }

    /// The first account of a venue that `wanted` chooses, and its key, unless it is dead.
    pub(crate) fn search(
        &self,
        venue: &str,
        wanted: impl Fn(&Account, &Key) -> bool,
    ) -> Option<(Arc<Account>, Arc<Key>)> {
        let map = self.venues.get(venue)?.read().unwrap_or_else(PoisonError::into_inner);
        map.values()
            .filter_map(|account| Some((account, account.key()?)))
            .find(|(account, key)| wanted(account, key))
            .map(|(account, key)| (Arc::clone(account), key))
    }

    /// Makes `key` the key of `key_id`; orders and nonce of an earlier one stay.
    pub(crate) fn register(&self, venue: &'static str, key_id: &str, key: Key) {
        let Some(map) = self.venues.get(venue) else {
            return;
        };
        let account = Arc::clone(
            map.write()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key_id.to_owned())
                .or_insert_with(|| Arc::new(self.open_account(venue, key_id))),
        );
        account.replace_key(Some(key));
    }

    /// Makes the key of `key_id` unknown to the venue; `false` if it was so already.
    pub(crate) fn kill(&self, venue: &str, key_id: &str) -> bool {
        self.get(venue, key_id).is_some_and(|account| account.replace_key(None).is_some())
    }

    /// All accounts of all venues.
    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        self.venues
            .values()
            .flat_map(|map| {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                map.values().cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    /// Forgets every account.
    pub(crate) fn clear(&self) {
        for map in self.venues.values() {
            map.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn open_account(&self, venue: &'static str, key_id: &str) -> Account {
        let number = self.created.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Account {
            venue,
            key_id: key_id.to_owned(),
            book: Mutex::new(Book::new(number.saturating_mul(ORDER_IDS_PER_ACCOUNT))),
            key: RwLock::new(None),
            last_nonce: Mutex::new(None),
            sessions: Mutex::default(),
        }
    }
}
