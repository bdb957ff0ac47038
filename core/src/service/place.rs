//! Lists that follow one another, read as one, and places in them as cursors.

use super::{Service, ServiceError};
use crate::id::TenantId;
use crate::store::{Page, Range, Versioned};

/// Lists that follow one another.
pub(super) enum Lists {
    /// One alone.
    One(Range),
    /// One of each tenant.
    OfTenants(fn(TenantId) -> Range),
    /// The grants of each of a tenant's apps.
    GrantsOf(TenantId),
}

impl Service {
    /// A page of what is picked from lists. After so many reads of a list it may be short, or empty, and have a next one.
    pub(super) async fn walk<T>(
        &self,
        lists: &Lists,
        cursor: Option<Vec<u8>>,
        limit: usize,
        reads: usize,
        pick: impl Fn(Versioned) -> Option<T>,
    ) -> Result<Page<T>, ServiceError> {
        let mut place = Place::parse(cursor)?;
        let mut rows = Vec::new();
        for _ in 0..reads {
            let Some((list, following)) = self.list_after(lists, &place.outer).await? else {
                return Ok(Page { rows, next: None });
            };
            let room = limit.saturating_sub(rows.len());
            let page = self.store.scan(list, after(&place.within), room).await?;
            rows.extend(page.rows.into_iter().filter_map(&pick));
            match (page.next, following) {
                (Some(next), _) => place.within = next,
                (None, Some(following)) => place = Place { outer: following, within: Vec::new() },
                (None, None) => return Ok(Page { rows, next: None }),
            }
            if rows.len() >= limit {
                break;
            }
        }
        Ok(Page { rows, next: place.cursor() })
    }

    /// The list behind a place, if there is one, and the place behind it, if there are more.
    async fn list_after(&self, lists: &Lists, outer: &[u8]) -> Result<Option<(Range, Option<Vec<u8>>)>, ServiceError> {
        Ok(match lists {
            Lists::One(range) => Some((range.clone(), None)),
            Lists::OfTenants(range) => {
                let page = self.tenants(after(outer), 1).await?;
                page.rows.first().map(|tenant| (range(tenant.id), page.next))
            }
            Lists::GrantsOf(tenant) => {
                let page = self.apps(*tenant, after(outer), 1).await?;
                page.rows.first().map(|app| (Range::Grants(app.id), page.next))
            }
        })
    }
}

/// A place in lists: behind which of what they are of, and where in the next one's.
#[derive(Default)]
struct Place {
    /// The cursor of the outer list; empty for its beginning.
    outer: Vec<u8>,
    /// The cursor of the inner list; empty for its beginning.
    within: Vec<u8>,
}

impl Place {
    /// Reads a cursor; none is the beginning.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`]: it is none that [`Self::cursor`] made.
    fn parse(cursor: Option<Vec<u8>>) -> Result<Self, ServiceError> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        let read = cursor.split_first().and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)));
        let (outer, within) = read
            .ok_or_else(|| ServiceError::invalid("page_invalid", "`cursor` is the `next_cursor` of the page before"))?;
        Ok(Self { outer: outer.to_vec(), within: within.to_vec() })
    }

    /// As a cursor.
    fn cursor(&self) -> Option<Vec<u8>> {
        let len = u8::try_from(self.outer.len()).ok()?;
        Some([&[len], self.outer.as_slice(), &self.within].concat())
    }
}

/// A part of a place as the store takes it.
fn after(cursor: &[u8]) -> Option<Vec<u8>> {
    (!cursor.is_empty()).then(|| cursor.to_vec())
}
