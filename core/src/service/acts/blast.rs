//! What hangs on an act: bounded counts, for people.

use std::collections::BTreeMap;

use super::super::{Service, ServiceError};
use crate::credential::Credential;
use crate::id::TenantId;
use crate::store::{Range, Row, Scope, lies_in};

/// Nothing is counted further than this; a count of this many means at least so many.
pub(in super::super) const COUNTED_MAX: usize = 1_000;

/// Names and counts.
pub(super) type Blast = BTreeMap<String, u64>;

impl Service {
    /// What hangs on a credential: apps that may use it, virtual keys, requests on their way.
    pub(in super::super) async fn hangs_on(&self, row: &Credential) -> Result<Blast, ServiceError> {
        let mut apps = 0_u64;
        for found in self.store.scan(Range::Apps(row.tenant), None, COUNTED_MAX).await?.rows {
            let Row::App(app) = found.row else { continue };
            let Some(known) = self.directory.app(self.store(), app.id).await? else { continue };
            let may_use = known.grants.iter().any(|grant| grant.credentials.has(row.id));
            apps = apps.saturating_add(u64::from(may_use));
        }
        let keys = self.store.scan(Range::VirtualKeys(row.tenant), None, COUNTED_MAX).await?.rows;
        let keys = keys.iter().filter(|key| matches!(&key.row, Row::VirtualKey(key) if key.credential == row.id));
        let open = self.on_their_way(&Scope::Credential(row.id)).await?;
        Ok(blast([("apps", apps), ("virtual_keys", count(keys.count())), ("open_requests", open)]))
    }

    /// What hangs on a scope: credentials, apps, requests on their way.
    pub(in super::super) async fn hangs_on_scope(
        &self,
        tenant: Option<TenantId>,
        scope: &Scope,
    ) -> Result<Blast, ServiceError> {
        let open = self.on_their_way(scope).await?;
        let mut all = blast([("open_requests", open)]);
        let mut add = |name: &str, found: usize| all.insert(name.to_owned(), count(found));
        match (scope, tenant) {
            (Scope::Tenant(_) | Scope::Owner(..), Some(tenant)) => {
                let rows = self.store.scan(Range::Credentials(tenant), None, COUNTED_MAX).await?.rows;
                let those = rows.iter().filter(|row| match (&row.row, scope) {
                    (Row::Credential(row), Scope::Owner(_, owner)) => row.owner == *owner,
                    (Row::Credential(_), _) => true,
                    _ => false,
                });
                add("credentials", those.count());
                if let Scope::Tenant(_) = scope {
                    add("apps", self.store.scan(Range::Apps(tenant), None, COUNTED_MAX).await?.rows.len());
                }
            }
            (Scope::All | Scope::Venue(_), _) => {
                add("tenants", self.store.scan(Range::Tenants, None, COUNTED_MAX).await?.rows.len());
            }
            _ => {}
        }
        Ok(all)
    }

    async fn on_their_way(&self, scope: &Scope) -> Result<u64, ServiceError> {
        let open = self.store.resolve().await?;
        Ok(count(open.iter().filter(|open| lies_in(&open.scopes, scope)).count()))
    }
}

fn blast<const N: usize>(counts: [(&str, u64); N]) -> Blast {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
