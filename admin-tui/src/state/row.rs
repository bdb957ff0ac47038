//! A credential as the console shows it.

use claviger_core::view::{CeilingView, CredentialView};
use serde::{Deserialize, Serialize};

use super::id::Id;
use crate::clean::{Clean, clean};

/// What may be done with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifecycle {
    /// Not proven yet.
    Pending,
    /// Everything within the ceiling.
    Active,
    /// Cancels, closing orders and reads.
    ReduceOnly,
    /// Nothing for now.
    Frozen,
    /// Nothing ever again.
    Revoked,
    /// A word that this console does not know: nothing good is assumed.
    Unknown,
}

impl Lifecycle {
    fn parse(word: &str) -> Self {
        match word {
            "pending" => Self::Pending,
            "active" => Self::Active,
            "reduce-only" => Self::ReduceOnly,
            "frozen" => Self::Frozen,
            "revoked" => Self::Revoked,
            _ => Self::Unknown,
        }
    }

    /// The word for it, the API's own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::ReduceOnly => "reduce-only",
            Self::Frozen => "frozen",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// What the venue last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    /// The key works.
    Ok,
    /// Refused, for a reason that may pass.
    Suspect,
    /// The venue does not know the key any more.
    Dead,
    /// The venue cannot be asked.
    Unproven,
    /// A word that this console does not know.
    Unknown,
}

impl Health {
    fn parse(word: &str) -> Self {
        match word {
            "ok" => Self::Ok,
            "suspect" => Self::Suspect,
            "dead" => Self::Dead,
            "unproven" => Self::Unproven,
            _ => Self::Unknown,
        }
    }

    /// The word for it, the API's own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Unproven => "unproven",
            Self::Unknown => "unknown",
        }
    }
}

/// A credential as the console shows it. All its texts were cleaned when they came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the API's view, which describes them")]
pub struct Row {
    pub id: Id,
    pub tenant: Clean,
    pub owner: Clean,
    pub label: Clean,
    pub venue: Clean,
    pub kind: Clean,
    /// `read`, or `trade spot,margin`.
    pub ceiling: Clean,
    pub class: Clean,
    pub hint: Clean,
    pub state: Lifecycle,
    pub health: Health,
    pub ip_restricted: bool,
    pub version: u32,
    pub created_at: Clean,
    pub changed_at: Clean,
    pub probed_at: Clean,
    /// The same as `created_at`, in milliseconds since the Unix epoch, if that could be read.
    pub created_ms: Option<u64>,
    /// Whether the server no longer lists it. The row stays where it is, so that nothing moves under a finger.
    pub gone: bool,
}

/// A credential as it was read, with the `ETag` that says whether it still is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What unfreezing it would do, if that was asked.
    pub planned: Option<Planned>,
    /// The credential.
    pub row: Row,
    /// Its `ETag`.
    pub etag: Option<String>,
}

/// What an act would do, as the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// A sentence each.
    pub lines: Vec<Clean>,
    /// Whether a second operator has to approve it.
    pub second: bool,
    /// Names the plan.
    pub digest: String,
}

impl Row {
    /// Takes in what the server says of a credential, if its id is one.
    pub fn from_view(view: &CredentialView) -> Option<Self> {
        let created: Option<jiff::Timestamp> = view.created_at.parse().ok();
        Some(Self {
            id: Id::parse(&view.id)?,
            tenant: clean(&view.tenant),
            owner: clean(&view.owner),
            label: clean(&view.label),
            venue: clean(&view.venue),
            kind: clean(&view.kind),
            ceiling: ceiling(&view.ceiling),
            class: clean(&view.ceiling.class),
            hint: clean(&view.hint),
            state: Lifecycle::parse(view.state.as_str()),
            health: Health::parse(view.health.as_str()),
            ip_restricted: view.ip_restricted,
            version: view.version,
            created_at: clean(&view.created_at),
            changed_at: clean(&view.changed_at),
            probed_at: clean(&view.probed_at),
            created_ms: created.and_then(|at| u64::try_from(at.as_millisecond()).ok()),
            gone: false,
        })
    }

    /// Whether each of `words`, in lower case, stands somewhere in the row.
    pub fn matches(&self, words: &[String]) -> bool {
        let texts = [&self.label, &self.owner, &self.venue, &self.ceiling].map(|text| text.as_str().to_lowercase());
        let fixed = [self.id.as_str(), self.state.word(), self.health.word()];
        let found = |word: &String| {
            texts.iter().any(|text| text.contains(word.as_str()))
                || fixed.iter().any(|text| text.contains(word.as_str()))
        };
        words.iter().all(found)
    }
}

/// A ceiling in one line.
fn ceiling(view: &CeilingView) -> Clean {
    clean(format!("{} {}", view.class, view.products.join(",")).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> CredentialView {
        serde_json::from_value(serde_json::json!({
            "id": "cred_01k6g0000000000000000000a1", "tenant": "ten_1", "owner": "eu_7f21", "label": "anna\u{1b}",
            "venue": "binance", "kind": "hmac", "ceiling": {"class": "trade", "products": ["spot", "margin"]},
            "hint": "vmPU…Eh8A", "state": "reduce-only", "health": "suspect", "ip_restricted": true, "version": 3,
            "created_at": "1970-01-02T00:00:00.000Z", "changed_at": "?", "probed_at": "?"
        }))
        .unwrap()
    }

    #[test]
    fn takes_in_a_view_and_cleans_it() {
        let row = Row::from_view(&view()).unwrap();
        assert_eq!(row.label.as_str(), "anna␛");
        assert_eq!((row.state, row.health), (Lifecycle::ReduceOnly, Health::Suspect));
        assert_eq!(row.ceiling.as_str(), "trade spot,margin");
        assert_eq!(row.created_ms, Some(86_400_000));
        assert_eq!(Row::from_view(&CredentialView { id: "../x".to_owned(), ..view() }), None);
    }

    #[test]
    fn matches_when_every_word_stands_somewhere() {
        let row = Row::from_view(&view()).unwrap();
        let matches = |words: &[&str]| row.matches(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(matches(&[]));
        assert!(matches(&["binan", "reduce"]));
        assert!(!matches(&["binan", "frozen"]));
    }
}
