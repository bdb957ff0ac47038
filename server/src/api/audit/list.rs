//! Entries in order or from the newest back, as JSON or as CSV: those of a tenant, a user, a time, an action.

use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use claviger_core::audit::{Entry, timestamp};
use claviger_core::id::TenantId;
use claviger_core::service::ServiceError;
use claviger_core::store::{AuditRange, Leaf, Order, Store, StoreError};
use claviger_core::view::PageView;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::problem::Problem;
use super::{Asked, csv, read, tenant_of};
use crate::auth::CallingOperator;
use crate::front::Front;

/// Entries in an answer unless the caller says.
const LIMIT: usize = 200;
const LIMIT_MAX: usize = 10_000;

/// Entries that one request looks at, at most: what matches rarely takes more requests, not longer ones.
const LOOKED_AT_MAX: usize = 20_000;

/// Entries per read of the store.
const CHUNK: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AuditQuery {
    #[serde(default)]
    order: Order,
    tenant: Option<String>,
    from: Option<u64>,
    to: Option<u64>,
    cursor: Option<u64>,
    limit: Option<usize>,
    user: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    reads: Option<bool>,
    since: Option<String>,
    until: Option<String>,
}

/// A page of the log.
#[derive(Serialize)]
struct LogPage {
    #[serde(flatten)]
    page: PageView<Entry>,
    /// The first entry that the store still has, by its number in the whole log; segments have those before it.
    oldest: u64,
}

/// Entries in order, or from the newest back; JSON, or CSV with `Accept: text/csv`. Further ones are at the `Link` of relation `next`.
#[utoipa::path(get, path = "/api/v1/audit", tag = "admin",
    params(("tenant" = Option<String>, Query, description = "A tenant's id or name; entries count from 1 then."),
        ("order" = Option<String>, Query, description = "`oldest`, the default, or `newest`: which entry comes first."),
        ("from" = Option<u64>, Query, description = "The first entry, by its number."),
        ("to" = Option<u64>, Query, description = "The first entry that is not wanted any more."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<usize>, Query, description = "1 to 10000."),
        ("user" = Option<String>, Query, description = "Only what this `user_id` did."),
        ("action" = Option<String>, Query, description = "Only this action; `execution.*` for all of a kind."),
        ("resource" = Option<String>, Query, description = "Only what was done to what has this `resource_id`."),
        ("reads" = Option<bool>, Query, description = "`false` leaves out that something was read."),
        ("since" = Option<String>, Query, description = "Only entries written then or later, RFC 3339."),
        ("until" = Option<String>, Query, description = "Only entries written before, RFC 3339.")),
    responses((status = 200, description = "entries as objects, or CSV")))]
pub(in super::super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    headers: HeaderMap,
    uri: Uri,
    Asked(query): Asked<AuditQuery>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant = tenant_of(&front, &caller, query.tenant.as_deref()).await?;
    let sought = Sought::of(query, tenant).map_err(told)?;
    read(&front, &caller.origin, tenant, "audit").await?;
    let oldest = front.service.store().tree_head().await.map_err(|e| told(e.into()))?.oldest;
    let (entries, next) = sought.page(front.service.store()).await.map_err(|e| told(e.into()))?;
    let wants_csv = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/csv"));
    let mut response = if wants_csv {
        csv_answer(csv::table(&entries))
    } else {
        let page = PageView { data: entries, next_cursor: next.map(|next| next.to_string()) };
        Json(LogPage { page, oldest }).into_response()
    };
    if let Some(link) = next.and_then(|next| next_page(&uri, next)) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// Which entries are wanted.
struct Sought {
    tenant: Option<TenantId>,
    order: Order,
    /// Where to begin: with this number, or with the one before it if the newest comes first.
    start: u64,
    from: u64,
    to: u64,
    limit: usize,
    user: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    /// Whether reads are wanted too.
    reads: bool,
    /// As entries write their times, which compare as texts.
    since: Option<String>,
    until: Option<String>,
}

impl Sought {
    fn of(query: AuditQuery, tenant: Option<TenantId>) -> Result<Self, ServiceError> {
        let invalid = |text: &str| ServiceError::Invalid { code: "page_invalid", text: text.to_owned() };
        let limit = query.limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(invalid("`limit` is 1 to 10000"));
        }
        let time = |text: Option<String>| match text {
            Some(text) => moment(&text)
                .map(Some)
                .ok_or_else(|| invalid("`since` and `until` are times as of RFC 3339, such as 2026-11-22T08:00:00Z")),
            None => Ok(None),
        };
        let (from, to) = (query.from.unwrap_or(0), query.to.unwrap_or(u64::MAX));
        let start = match query.order {
            Order::Oldest => query.cursor.unwrap_or(from),
            Order::Newest => query.cursor.unwrap_or(to),
        };
        Ok(Self {
            tenant,
            order: query.order,
            start,
            from,
            to,
            limit,
            user: query.user,
            action: query.action,
            resource: query.resource,
            reads: query.reads.unwrap_or(true),
            since: time(query.since)?,
            until: time(query.until)?,
        })
    }

    /// The entries of one answer, and where the next one begins. Looks at a bounded number of entries, so that a page
    /// may be short, or empty, and yet have a next one.
    async fn page(&self, store: &dyn Store) -> Result<(Vec<Entry>, Option<u64>), StoreError> {
        let named = [&self.user, &self.action, &self.resource, &self.since, &self.until];
        let chosen = !self.reads || named.iter().any(|wanted| wanted.is_some());
        let chunk = if chosen { CHUNK } else { self.limit.min(CHUNK) };
        let (mut found, mut next, mut looked_at) = (Vec::new(), self.start, 0_usize);
        while looked_at < LOOKED_AT_MAX {
            let leaves = self.leaves(store, next, chunk).await?;
            for leaf in &leaves {
                let entry = entry_of(leaf)?;
                // A tenant's entries have a count of their own.
                let number = if self.tenant.is_some() { entry.tenant_seq } else { entry.seq };
                if !self.reaches(number) {
                    return Ok((found, None));
                }
                next = match self.order {
                    Order::Oldest => number.saturating_add(1),
                    Order::Newest => number,
                };
                if self.wants(&entry) {
                    found.push(entry);
                    if found.len() == self.limit {
                        return Ok((found, Some(next)));
                    }
                }
            }
            if leaves.len() < chunk {
                return Ok((found, None));
            }
            looked_at = looked_at.saturating_add(leaves.len());
        }
        Ok((found, Some(next)))
    }

    async fn leaves(&self, store: &dyn Store, next: u64, limit: usize) -> Result<Vec<Leaf>, StoreError> {
        match self.order {
            Order::Oldest => store.audit_scan(AuditRange { tenant: self.tenant, from: next, limit }).await,
            Order::Newest => store.audit_scan_back(self.tenant, next, limit).await,
        }
    }

    /// Whether a number is wanted, or one that comes after it may be.
    fn reaches(&self, number: u64) -> bool {
        match self.order {
            Order::Oldest => number < self.to,
            Order::Newest => number >= self.from,
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        let action = |wanted: &str| match wanted.strip_suffix('*') {
            Some(kind) => entry.action.starts_with(kind),
            None => entry.action == wanted,
        };
        self.user.as_ref().is_none_or(|user| *user == entry.user_id)
            && self.action.as_deref().is_none_or(action)
            && self.resource.as_ref().is_none_or(|resource| *resource == entry.resource_id)
            && (self.reads || entry.action.rsplit('.').next() != Some("read"))
            && self.since.as_ref().is_none_or(|since| entry.at >= *since)
            && self.until.as_ref().is_none_or(|until| entry.at < *until)
    }
}

/// A time as entries write it; a fraction of a millisecond is cut off.
fn moment(text: &str) -> Option<String> {
    moment_ms(text).map(timestamp)
}

/// A time of RFC 3339 in milliseconds since the Unix epoch; a fraction of a millisecond is cut off.
pub(in super::super) fn moment_ms(text: &str) -> Option<u64> {
    u64::try_from(text.parse::<Timestamp>().ok()?.as_millisecond()).ok()
}

fn entry_of(leaf: &Leaf) -> Result<Entry, StoreError> {
    Entry::from_leaf(&leaf.bytes).map_err(|e| StoreError::Corrupt(format!("audit entry {}: {e}", leaf.seq)))
}

fn csv_answer(body: Vec<u8>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit.csv\""));
    response
}

/// The same request for the next page (RFC 8288).
fn next_page(uri: &Uri, next: u64) -> Option<HeaderValue> {
    let kept =
        uri.query().unwrap_or_default().split('&').filter(|part| !part.is_empty() && !part.starts_with("cursor="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={next}")]).collect();
    HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_as_this_one_was() {
        let link = |uri: &str| next_page(&uri.parse().unwrap(), 7).unwrap();
        assert_eq!(link("/api/v1/audit"), "</api/v1/audit?cursor=7>; rel=\"next\"");
        assert_eq!(
            link("/api/v1/audit?user=a%20b&cursor=3&limit=2"),
            "</api/v1/audit?user=a%20b&limit=2&cursor=7>; rel=\"next\""
        );
    }

    #[test]
    fn times_are_written_as_entries_write_them() {
        assert_eq!(moment("2026-11-22T08:00:00Z").unwrap(), "2026-11-22T08:00:00.000Z");
        assert_eq!(moment("2026-11-22T09:00:00.1234+01:00").unwrap(), "2026-11-22T08:00:00.123Z");
        assert_eq!(moment("yesterday"), None);
        assert_eq!(moment("1900-01-01T00:00:00Z"), None);
    }
}
