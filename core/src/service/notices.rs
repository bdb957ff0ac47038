//! Notices: written with what they are of, spread afterwards, and counted.

mod letters;
mod spread;
mod words;

use super::{Service, ServiceError};
use crate::id::NoticeId;
use crate::incident::Incident;
use crate::notice::{About, Count, Delivery, Notice, Queue, Recipient, Stage, Topic};
use crate::store::{Change, Key, Row, StoreError, Versioned};

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

    async fn notice(&self, id: NoticeId) -> Result<Option<(u64, Notice)>, StoreError> {
        Ok(match self.store.get(Key::Notice(id)).await? {
            Some(Versioned { version, row: Row::Notice(notice) }) => Some((version, *notice)),
            _ => None,
        })
    }
}
