//! What lists run over.

use serde::Deserialize;

use super::{Store, StoreError, Versioned};
use crate::agenda::Errand;
use crate::id::{AppId, IncidentId, NoticeId, TenantId, WebhookId};
use crate::notice::Queue;

/// Which row of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The oldest.
    #[default]
    Oldest,
    /// The newest: pages go back in time, and what is written meanwhile moves none of them.
    Newest,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Vec<u8>>,
}

/// What a list runs over. Every range lies within one tenant where the rows do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// All tenants.
    Tenants,
    /// A tenant's KEKs.
    Keks(TenantId),
    /// A tenant's apps (as [`Key::TenantApp`](super::Key::TenantApp) marks).
    Apps(TenantId),
    /// An app's grants.
    Grants(AppId),
    /// A tenant's credentials.
    Credentials(TenantId),
    /// A tenant's virtual keys.
    VirtualKeys(TenantId),
    /// A tenant's keys that were made in the token.
    Born(TenantId),
    /// Callers' keys that are objects of the token.
    TokenObjects,
    /// All operators.
    Operators,
    /// All logins.
    Logins,
    /// Everything that is stopped.
    Stopped,
    /// Roles that are not built in.
    Roles,
    /// A tenant's policies.
    Policies(TenantId),
    /// All acts that were asked for, oldest first.
    Approvals,
    /// Used assertions.
    Jtis,
    /// Logins by break-glass code that wait for their review.
    Unreviewed,
    /// All tenants' rotations.
    Rotations,
    /// Backups, oldest first.
    Backups,
    /// Tombstones that are in no file outside of the store yet.
    Unengraved,
    /// All incidents, oldest first.
    Incidents,
    /// An incident's timeline.
    IncidentNotes(IncidentId),
    /// What everybody may know, newest first.
    PublicIncidents,
    /// The incidents that something is left to be done about.
    OpenIncidents,
    /// Those of them that are a tenant's, or no tenant's, oldest first.
    OpenIncidentsOf(Option<TenantId>),
    /// Open incidents that detectors opened.
    Sighted,
    /// Looks at credentials for one errand, the one that is due first before the others.
    Due(Errand),
    /// Venues that cannot be asked about keys.
    Gaps,
    /// The KEKs of all tenants after this one, or of all there are.
    KeksAfter(Option<TenantId>),
    /// Root keys that are to be destroyed.
    RetiredRoots,
    /// A tenant's decoys.
    Decoys(TenantId),
    /// All deletions of tenants.
    Deletions,
    /// The owners on a notice's list.
    Told(NoticeId),
    /// A queue of what is to be done for notices, what is due first before the rest.
    Deliveries(Queue),
    /// A tenant's webhooks.
    Webhooks(TenantId),
    /// The webhooks of all tenants after this one, or all there are.
    WebhooksAfter(Option<(TenantId, WebhookId)>),
    /// What webhooks are to be told, oldest first.
    Events,
    /// What a webhook was or is to be sent, newest first.
    WebhookDeliveries(TenantId, WebhookId),
    /// Those of them that were made before a time, milliseconds since the Unix epoch, newest first.
    WebhookDeliveriesBefore(TenantId, WebhookId, u64),
    /// What is to be sent to webhooks after this one, or to all: webhook by webhook, what is due first before the others.
    WebhooksDueAfter(Option<(TenantId, WebhookId)>),
    /// Tenants of which something was deleted in the epoch that goes on.
    Unerased,
    /// Tenants that took KEKs away and of which recovery wraps are left.
    WrapsLeft,
}

/// Rows that are read at once where all of a range are.
const PAGE: usize = 500;

impl dyn Store + '_ {
    /// What is picked of all rows of a range, in order: of one that has room in memory. Each page is a snapshot of its own.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub(crate) async fn all<T: Send>(
        &self,
        range: Range,
        pick: impl Fn(Versioned) -> Option<T> + Send + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.scan(range.clone(), after, PAGE).await?;
            all.extend(page.rows.into_iter().filter_map(&pick));
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}
