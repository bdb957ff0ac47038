//! What an act will do, said before it is done.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use super::Act;

/// How long a plan can be acted on at least, milliseconds.
pub const PLAN_MS: u64 = 10 * 60 * 1_000;

/// What an act will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The own name of what it is done to, which an irreversible act is confirmed with.
    pub name: String,
    /// What will happen, a sentence each.
    pub lines: Vec<String>,
    /// How much hangs on it: counts of apps, virtual keys, requests on their way.
    pub blast_radius: BTreeMap<String, u64>,
    /// Whether a second operator has to approve it.
    pub second: bool,
    /// The version of the row that it is done to.
    pub etag: Option<u64>,
    /// `sha256:` over the act and everything that the plan rests on.
    pub digest: String,
    /// Until when the digest is taken at least, milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// What a plan rests on: names and values, in order.
pub(crate) type Seen = Vec<(&'static str, String)>;

/// The span of time that a plan made at `now_ms` belongs to; it is good during this one and the next.
pub(crate) fn window(now_ms: u64) -> u64 {
    now_ms / PLAN_MS
}

/// `sha256:` and the digest over an act, what was seen, and the span of time, each with its length in front.
pub(crate) fn digest(act: &Act, seen: &Seen, window: u64) -> Result<String, serde_json::Error> {
    let mut context = Context::new(&SHA256);
    let mut add = |part: &[u8]| {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    };
    add(b"claviger plan v1");
    add(&window.to_be_bytes());
    add(&serde_json::to_vec(act)?);
    for (name, value) in seen {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    Ok(format!("sha256:{}", HEXLOWER.encode(context.finish().as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CredentialId, TenantId};
    use crate::store::Scope;

    #[test]
    fn a_digest_is_of_the_act_of_what_was_seen_and_of_its_time() {
        let unfreeze = Act::UnfreezeCredential { tenant: TenantId::MIN, credential: CredentialId::MIN };
        let delete = Act::DeleteCredential { tenant: TenantId::MIN, credential: CredentialId::MIN };
        let seen = |a: &str, b: &str| vec![("label", a.to_owned()), ("owner", b.to_owned())];
        let all = [
            digest(&unfreeze, &seen("a", "b"), 1),
            digest(&delete, &seen("a", "b"), 1),
            digest(&unfreeze, &seen("a", "c"), 1),
            digest(&unfreeze, &seen("ab", ""), 1),
            digest(&unfreeze, &seen("a", "b"), 2),
        ];
        let all: std::collections::HashSet<String> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|digest| digest.len() == 71 && digest.starts_with("sha256:")));
    }

    #[test]
    fn every_scope_has_a_digest() {
        for scope in [Scope::All, Scope::Owner(TenantId::MIN, "o".to_owned())] {
            digest(&Act::ResumeScope { tenant: None, scope }, &Vec::new(), 0).unwrap();
        }
    }
}
