//! Typed changes of rows.

use super::{Key, Receipt, Row};

/// A row and its version, which the API shows as `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// Grows with every write of the row, and is never given again: not to a row that was removed and made anew either.
    pub version: u64,
    /// The row.
    pub row: Row,
}

/// What must hold for a change to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such row.
    Absent,
    /// The row has this version.
    Version(u64),
    /// Nothing: the newest write wins.
    Any,
    /// The row has this version, or for 0 is not there, and is left as it is: what else the commit does rests on it.
    Still(u64),
    /// The row has this version, and is removed without a tombstone: backups that hold it are to open until their time
    /// is over.
    Lapsed(u64),
}

/// One change of a [`super::Store::put_cas`]: all are made, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The row.
    pub key: Key,
    /// What must hold.
    pub expect: Expect,
    /// The new row, or `None` to remove it; none for one that is left as it is.
    pub row: Option<Row>,
}

impl Change {
    /// A row that must not be there yet.
    pub fn create(key: Key, row: Row) -> Self {
        Self { key, expect: Expect::Absent, row: Some(row) }
    }

    /// A row that replaces one of a known version.
    pub fn replace(key: Key, version: u64, row: Row) -> Self {
        Self { key, expect: Expect::Version(version), row: Some(row) }
    }

    /// A row that is written whatever was there.
    pub fn set(key: Key, row: Row) -> Self {
        Self { key, expect: Expect::Any, row: Some(row) }
    }

    /// A row that everything else in the commit rests on: of this version, or 0 for none.
    pub fn still(key: Key, version: u64) -> Self {
        Self { key, expect: Expect::Still(version), row: None }
    }

    /// A row of a known version that is removed, and that a restored backup may bring back.
    pub fn lapse(key: Key, version: u64) -> Self {
        Self { key, expect: Expect::Lapsed(version), row: None }
    }

    /// A row that is removed, if it is there.
    pub fn remove(key: Key) -> Self {
        Self { key, expect: Expect::Any, row: None }
    }
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The highest intent number allotted before the change: everything later saw it.
    pub up_to: u64,
    /// The audit entries, in the order given.
    pub receipts: Vec<Receipt>,
}

/// What the erasure of an owner did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Whether the owner was not erased before.
    pub is_new: bool,
    /// The audit entry.
    pub receipt: Receipt,
}
