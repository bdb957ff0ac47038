//! What is barred: no signature for intents of a stopped scope, also for those that were granted before the stop.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::BootTime;
use crate::store::{Scope, Scopes};

/// A bar may be forgotten when every intent that it covers is past its deadline (2 s).
const KEPT: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct Bars(HashMap<Scope, Bar>);

#[derive(Debug)]
struct Bar {
    up_to: u64,
    until: BootTime,
}

impl Bars {
    pub(super) fn bar(&mut self, scope: Scope, up_to: u64, now: BootTime) {
        self.0.retain(|_, bar| bar.until > now);
        let until = now.after(KEPT);
        let bar = self.0.entry(scope).or_insert(Bar { up_to, until });
        bar.up_to = bar.up_to.max(up_to);
        bar.until = until;
    }

    pub(super) fn covers(&self, scopes: &Scopes, intent: u64) -> bool {
        !self.0.is_empty() && scopes.each().any(|scope| self.0.get(&scope).is_some_and(|bar| intent <= bar.up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CredentialId, TenantId};

    #[test]
    fn a_bar_covers_older_intents_of_its_scope_only() {
        let tenant = TenantId::from_bytes([1; 16]);
        let credential = CredentialId::from_bytes([2; 16]);
        let scopes = Scopes {
            tenant,
            owner: Some("owner".into()),
            venue: claviger_venues::VenueId::Binance,
            app: None,
            grant: None,
            credential: Some(credential),
            virtual_key: None,
        };
        for scope in [
            Scope::All,
            Scope::Tenant(tenant),
            Scope::Owner(tenant, "owner".into()),
            Scope::Venue(claviger_venues::VenueId::Binance),
            Scope::Credential(credential),
        ] {
            let mut bars = Bars::default();
            bars.bar(scope.clone(), 10, BootTime(0));
            bars.bar(scope.clone(), 7, BootTime(0));
            assert!(bars.covers(&scopes, 10), "{scope:?}");
            assert!(!bars.covers(&scopes, 11), "{scope:?}");
        }
        let mut bars = Bars::default();
        bars.bar(Scope::Credential(CredentialId::from_bytes([3; 16])), 10, BootTime(0));
        bars.bar(Scope::Owner(tenant, "someone else".into()), 10, BootTime(0));
        assert!(!bars.covers(&scopes, 1));
        bars.bar(Scope::All, 1, BootTime(0).after(KEPT));
        assert_eq!(bars.0.len(), 1, "old bars are forgotten");
    }
}
