//! The files under `testdata/`, read and expanded.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use claviger_venues::Scheme;
use serde::Deserialize;

/// One signature made by documentation or by a client that others wrote.
#[derive(Debug, Deserialize)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) venue: String,
    pub(crate) algorithm: String,
    #[serde(default)]
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) passphrase: String,
    #[serde(default)]
    pub(crate) nonce: Option<String>,
    /// Milliseconds since the Unix epoch.
    #[serde(default)]
    pub(crate) timestamp: Option<u64>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) string_to_sign: String,
    pub(crate) expected_signature: String,
    pub(crate) expected_headers: BTreeMap<String, String>,
    pub(crate) expected_url: String,
}

impl Vector {
    /// The path as the request line has it, which for some venues is more than what the vector names.
    pub(crate) fn path(&self) -> &str {
        let url = self.expected_url.split_once('?').map_or(self.expected_url.as_str(), |(url, _)| url);
        match url.strip_prefix("https://").and_then(|rest| rest.find('/').map(|at| &rest[at..])) {
            Some(path) => path,
            None => &self.path,
        }
    }

    /// The headers with their names in lower case, as a server has them.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        self.expected_headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
    }

    /// How it is signed; `None` where nothing is.
    pub(crate) fn scheme(&self) -> Option<Scheme> {
        let algorithm = self.algorithm.as_str();
        [
            ("HMAC-SHA512", Scheme::HmacSha512),
            ("HMAC-SHA256", Scheme::HmacSha256),
            ("OAuth1 HMAC-SHA256", Scheme::HmacSha256),
            ("Ed25519", Scheme::Ed25519),
            ("RSASSA-PKCS1-v1_5-SHA256", Scheme::RsaSha256),
        ]
        .into_iter()
        .find_map(|(prefix, scheme)| algorithm.starts_with(prefix).then_some(scheme))
    }

    /// Whether its secret is base64 of the key.
    pub(crate) fn decodes_secret(&self) -> bool {
        self.algorithm.contains("base64-decoded")
    }
}

pub(crate) fn vectors() -> Vec<Vector> {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    let file: File = serde_json::from_str(include_str!("../../testdata/vectors.json")).unwrap();
    file.vectors
}

/// What may and what must not exist at a venue, by class, as `METHOD path`.
#[derive(Debug, Deserialize)]
pub(crate) struct Lists {
    pub(crate) allow: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) deny: BTreeMap<String, Vec<String>>,
}

pub(crate) fn lists() -> BTreeMap<String, Lists> {
    #[derive(Deserialize)]
    struct File {
        venues: BTreeMap<String, Lists>,
    }
    let file: File = serde_json::from_str(include_str!("../../testdata/catalogue.json")).unwrap();
    file.venues
}

/// Every denied path of every venue; wildcards are filled with a made-up segment.
pub(crate) static DENIED_PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lists = lists();
    let entries = lists.values().flat_map(|lists| lists.deny.values().flatten());
    let words = entries.flat_map(|entry| entry.split_whitespace());
    let paths = words.filter(|word| word.starts_with('/'));
    let denied: BTreeSet<String> = paths.flat_map(|path| expand(path.trim_end_matches(','))).collect();
    denied.into_iter().collect()
});

/// Expands as [`choices`] does, and `*` and `**` into something that fits them.
pub(crate) fn expand(pattern: &str) -> Vec<String> {
    choices(pattern).iter().map(|path| path.replace("**", "any/thing").replace('*', "any")).collect()
}

/// Expands `{a,b}` into its alternatives and `[x]` into with and without; a brace without a comma is a parameter.
pub(crate) fn choices(pattern: &str) -> Vec<String> {
    let next = pattern.char_indices().find_map(|(at, open)| {
        let (before, rest) = pattern.split_at(at);
        let close = if open == '{' { '}' } else { ']' };
        let (inner, after) = rest.get(1..)?.split_once(close)?;
        match open {
            '{' if inner.contains(',') => Some((before, inner.split(',').map(str::trim).collect::<Vec<_>>(), after)),
            '[' => Some((before, vec![inner, ""], after)),
            _ => None,
        }
    });
    let Some((before, inner, after)) = next else { return vec![pattern.to_owned()] };
    inner.iter().flat_map(|choice| choices(&format!("{before}{choice}{after}"))).collect()
}

#[test]
fn patterns_expand() {
    assert_eq!(expand("/a/{b, c}/d*"), ["/a/b/dany", "/a/c/dany"]);
    assert_eq!(expand("/a/**"), ["/a/any/thing"]);
    assert_eq!(choices("/a[/{id}]/{b,c}"), ["/a/{id}/b", "/a/{id}/c", "/a/b", "/a/c"]);
    let denied = &*DENIED_PATHS;
    assert!(denied.len() > 100, "only {} denied paths", denied.len());
    for path in ["/sapi/v1/capital/withdraw/apply", "/0/private/Withdraw", "/sapi/v1/sub-account/futures/enable"] {
        assert!(denied.iter().any(|denied| denied == path), "{path}");
    }
}
