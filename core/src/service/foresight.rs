//! What a revocation will do, said before it is done. It takes nobody else, and no digest: revoking more than was foreseen
//! is on the safe side.

use std::collections::BTreeMap;

use super::acts::COUNTED_MAX;
use super::stops::own_name;
use super::{Service, ServiceError};
use crate::id::TenantId;
use crate::store::{Range, Scope};
use crate::view::at_venue;

/// What a revocation will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foresight {
    /// The own name of what is revoked.
    pub name: String,
    /// What will happen, a sentence each.
    pub lines: Vec<String>,
    /// How much hangs on it.
    pub blast_radius: BTreeMap<String, u64>,
}

impl Service {
    /// What revoking something of a tenant's will do: a credential, an app, a grant that was found to be the tenant's, or
    /// a virtual key. Nothing is changed.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn foresee_revoke(&self, tenant: TenantId, scope: &Scope) -> Result<Foresight, ServiceError> {
        let mut blast_radius = self.hangs_on_scope(Some(tenant), scope).await?;
        let (name, lines) = match scope {
            Scope::Credential(id) => {
                let row = &self.fresh_credential(tenant, *id).await?.row;
                blast_radius = self.hangs_on(row).await?;
                let name = own_name(row);
                let ends = format!("credential {name} at {} is revoked for good: nothing is signed with it", row.venue);
                (name, vec![ends, at_venue(row.venue)])
            }
            Scope::App(id) => {
                let known = self.app(*id).await?;
                if known.app.tenant != tenant {
                    return Err(ServiceError::NotFound("app"));
                }
                let grants = self.store.scan(Range::Grants(*id), None, COUNTED_MAX).await?.rows.len();
                blast_radius.insert("grants".to_owned(), u64::try_from(grants).unwrap_or(u64::MAX));
                let name = known.app.name.clone();
                let ends =
                    format!("app {name} is revoked for good: its access tokens end, and nothing is signed for it");
                (name, vec![ends])
            }
            Scope::VirtualKey(id) => {
                let row = self.virtual_key(tenant, *id).await?;
                let what =
                    format!("virtual key {} of {} is revoked for good: what is signed with it is refused", id, row.app);
                (id.to_string(), vec![what])
            }
            Scope::Grant(id) => {
                let what = format!("grant {id} is taken away: nothing is signed under it");
                (id.to_string(), vec![what])
            }
            Scope::All | Scope::Tenant(_) | Scope::Owner(..) | Scope::Venue(_) => {
                return Err(ServiceError::NotFound("scope"));
            }
        };
        Ok(Foresight { name, lines, blast_radius })
    }
}
