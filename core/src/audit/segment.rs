//! Segments: what leaves the store is kept in files, each of which can be verified by itself.
//!
//! ```json
//! {"format":"claviger-audit-segment/v1","origin":…,"verifier_key":…,"writer":…,"first":19,"last":27,"frontier":[…]}
//! {"checkpoint":"<signed note over the first 19 entries; not in the first segment>"}
//! {"seq":19,"leaf":"<the leaf, byte for byte>"}
//! {"checkpoint":"<signed note over the first 28 entries>"}
//! ```
//!
//! A segment lies between two signed checkpoints. The frontier is the roots of the perfect subtrees before its first
//! leaf, so that both roots can be recomputed from the file alone. [`Archive`](super::Archive) reads it; the lines below
//! the header are those of an [`export`](super::export).

use serde::{Deserialize, Serialize};

use super::note::VerifierKey;
use super::to_json;
use super::tree::{Frontier, Hash};

/// The format that this code writes and reads.
pub const SEGMENT_FORMAT: &str = "claviger-audit-segment/v1";

/// The first line of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentHeader {
    /// [`SEGMENT_FORMAT`].
    pub format: String,
    /// The origin of the checkpoints.
    pub origin: String,
    /// The key that signed them, for comparison with the one the reader already has.
    pub verifier_key: String,
    /// The writer of the log.
    pub writer: String,
    /// The number of the first leaf.
    pub first: u64,
    /// The number of the last leaf.
    pub last: u64,
    /// The tree before the first leaf: the roots of its perfect subtrees, the leftmost first.
    pub frontier: Vec<Hash>,
}

impl SegmentHeader {
    /// The header of the segment of the leaves behind `frontier`, up to `last`.
    pub fn new(key: &VerifierKey, frontier: &Frontier, last: u64) -> Self {
        let origin = key.name();
        Self {
            format: SEGMENT_FORMAT.to_owned(),
            origin: origin.to_owned(),
            verifier_key: key.to_string(),
            writer: origin.rsplit('/').next().unwrap_or(origin).to_owned(),
            first: frontier.size(),
            last,
            frontier: frontier.peaks().to_vec(),
        }
    }

    /// The header's line, with its newline.
    pub fn line(&self) -> String {
        format!("{}\n", to_json(self))
    }
}

/// Whether a file that begins like this claims to be a segment.
pub fn is_segment(beginning: &[u8]) -> bool {
    beginning.starts_with(format!(r#"{{"format":"{SEGMENT_FORMAT}""#).as_bytes())
}

/// The name of a segment's file. Such names sort in the order of the log.
pub fn file_name(first: u64, last: u64) -> String {
    format!("{first:012}-{last:012}.ndjson")
}

/// The first and the last leaf of the segment in a file of this name; `None` if it is no segment's.
pub fn of_file_name(name: &str) -> Option<(u64, u64)> {
    let (first, last) = name.strip_suffix(".ndjson")?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (file_name(first, last) == name).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_one_way() {
        assert_eq!(file_name(0, 99_999), "000000000000-000000099999.ndjson");
        assert_eq!(of_file_name("000000000000-000000099999.ndjson"), Some((0, 99_999)));
        assert_eq!(of_file_name(&file_name(7, u64::MAX)), Some((7, u64::MAX)));
        for other in ["0-9.ndjson", "segment.tmp", "000000000000-+00000000009.ndjson", "000000000000-000000000009"] {
            assert_eq!(of_file_name(other), None, "{other}");
        }
    }
}
