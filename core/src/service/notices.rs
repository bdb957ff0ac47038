//! Notices: written with what they are of, spread afterwards, and counted.

mod letters;
mod spread;
mod words;

use super::{Service, ServiceError};
use crate::id::{IncidentId, NoticeId};
use crate::identity::OperatorPrincipal;
use crate::incident::Incident;
use crate::notice::{About, Count, Delivery, Notice, Queue, Recipient, Stage, Told, Topic};
use crate::store::{Change, Key, Page, Range, Row, StoreError, Versioned};

pub use letters::{Fate, Letter};

impl Service {
    /// The rows of a notice, for the commit of what it is of. However many it reaches, these are two.
    pub(super) fn noticed(
        &self,
        topic: Topic,
        about: About,
        details: Vec<(&'static str, String)>,
    ) -> (NoticeId, Vec<Change>) {
        let (id, now) = (NoticeId::new(self.clock()), self.clock.unix_ms());
        let details = details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (stage, count) = (Stage::Spreading(None), Count::default());
        let notice = Notice { id, topic, about, at_ms: now, details, stage, count };
        let tend = Delivery::new(Queue::Tend, id, Recipient::NOBODY, now);
        let changes = vec![
            Change::create(Key::Notice(id), Row::Notice(Box::new(notice))),
            Change::create(tend.key(), Row::Delivery(tend)),
        ];
        (id, changes)
    }

    /// The notices of an incident, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn notices_of(&self, incident: &Incident) -> Result<Vec<Notice>, ServiceError> {
        let mut found = Vec::new();
        for id in &incident.notices {
            found.extend(self.notice(*id).await?.map(|(_, notice)| notice));
        }
        Ok(found)
    }

    /// A page of the credentials whose owners could not be told of an incident, with the notice and the reason. A page may
    /// be short, and still have a next.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when the incident is not one of the operator's tenant.
    pub async fn unreached(
        &self,
        id: IncidentId,
        principal: &OperatorPrincipal,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<(NoticeId, Topic, Told)>, ServiceError> {
        let (_, incident) = self.incident(id, principal).await?;
        // Which of its notices, and where in that one's list.
        let (at, within) = after.as_deref().and_then(|after| after.split_first()).unwrap_or((&0, &[]));
        let none = Page { rows: Vec::new(), next: None };
        let Some(found) = incident.notices.get(usize::from(*at)) else { return Ok(none) };
        let Some((_, notice)) = self.notice(*found).await? else { return Ok(none) };
        let within = (!within.is_empty()).then(|| within.to_vec());
        let page = self.store.scan(Range::Told(notice.id), within, limit).await?;
        let row = |found: Versioned| {
            let Row::Told(told) = found.row else { return None };
            told.failed.is_some().then_some((notice.id, notice.topic, told))
        };
        let next = match (page.next, at.checked_add(1)) {
            (Some(within), _) => Some([&[*at], within.as_slice()].concat()),
            (None, Some(following)) if incident.notices.len() > usize::from(following) => Some(vec![following]),
            (None, _) => None,
        };
        Ok(Page { rows: page.rows.into_iter().filter_map(row).collect(), next })
    }

    async fn notice(&self, id: NoticeId) -> Result<Option<(u64, Notice)>, StoreError> {
        Ok(match self.store.get(Key::Notice(id)).await? {
            Some(Versioned { version, row: Row::Notice(notice) }) => Some((version, *notice)),
            _ => None,
        })
    }
}
