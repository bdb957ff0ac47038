//! Places in lists of lists, as cursors.

use super::ServiceError;

/// A place in lists that follow one another: behind which of what they are of, and where in the next one's.
#[derive(Default)]
pub(super) struct Place {
    /// The cursor of the outer list; empty for its beginning.
    pub(super) outer: Vec<u8>,
    /// The cursor of the inner list; empty for its beginning.
    pub(super) within: Vec<u8>,
}

impl Place {
    /// Reads a cursor; none is the beginning.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`]: it is none that [`Self::cursor`] made.
    pub(super) fn parse(cursor: Option<Vec<u8>>) -> Result<Self, ServiceError> {
        let Some(cursor) = cursor else { return Ok(Self::default()) };
        let read = cursor.split_first().and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)));
        let (outer, within) = read
            .ok_or_else(|| ServiceError::invalid("page_invalid", "`cursor` is the `next_cursor` of the page before"))?;
        Ok(Self { outer: outer.to_vec(), within: within.to_vec() })
    }

    /// As a cursor.
    pub(super) fn cursor(&self) -> Option<Vec<u8>> {
        let len = u8::try_from(self.outer.len()).ok()?;
        Some([&[len], self.outer.as_slice(), &self.within].concat())
    }
}

/// A part of a place as the store takes it.
pub(super) fn after(cursor: &[u8]) -> Option<Vec<u8>> {
    (!cursor.is_empty()).then(|| cursor.to_vec())
}
