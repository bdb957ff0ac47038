//! A collector that takes lines as the body of an HTTPS POST, and says with a status of 200 to 299 that it has them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use claviger_core::secret::Plaintext;
use claviger_venues::{Host, Method, RequestParts};

use crate::egress::{Reach, Route, Way};

/// A batch leaves within this time, or not this time.
const DEPARTURE: Duration = Duration::from_secs(10);

/// An answer comes within this time, or the batch is sent again.
const DEADLINE: Duration = Duration::from_secs(30);

/// The longest answer; only its status is of interest.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The longest bearer token.
const TOKEN_BYTES_MAX: usize = 4096;

/// An HTTPS collector. Redirects are not followed.
#[derive(Debug)]
pub(super) struct Collector {
    url: String,
    way: Way,
    token: Option<Plaintext>,
}

impl Collector {
    pub(super) fn prepare(name: &str, url: Host, ca: Option<&Path>, token: Option<&Path>) -> Result<Self, String> {
        let ca_pem = ca.map(|file| fs::read(file).map_err(|e| format!("ca_file: {}: {e}", file.display())));
        let text = url.as_str().to_owned();
        let route = Route {
            ca_pem: ca_pem.transpose()?,
            reach: Reach::Anywhere,
            body_bytes_max: ANSWER_BYTES_MAX,
            ..Route::new(vec![url])
        };
        let way = Way::new(&format!("audit sink {name}"), &route).map_err(|e| e.to_string())?;
        Ok(Self { url: text, way, token: token.map(|file| read_token("token_file", file)).transpose()? })
    }

    /// Posts lines.
    pub(super) async fn take(&self, lines: Vec<u8>) -> Result<(), String> {
        let mut headers = vec![("content-type".to_owned(), "application/x-ndjson".to_owned())];
        headers.extend(self.bearer().map(|bearer| ("authorization".to_owned(), bearer)));
        let request = RequestParts { method: Method::Post, url: self.url.clone(), headers, body: lines };
        let answer = self.way.send(request, DEPARTURE, DEADLINE).await.map_err(|e| e.to_string())?;
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(format!("it answers with status {}", answer.status))
        }
    }

    fn bearer(&self) -> Option<String> {
        let token = self.token.as_ref()?;
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: the collector's bearer token goes into a header")]
        token.expose(|bytes| str::from_utf8(bytes).ok().map(|token| format!("Bearer {token}")))
    }
}

/// Reads a token, which is one line of visible ASCII, from the file that a key of the configuration names.
///
/// # Errors
/// The key and what to do.
pub(crate) fn read_token(key: &str, file: &Path) -> Result<Plaintext, String> {
    let told = |error: &dyn std::fmt::Display| format!("{key}: {}: {error}", file.display());
    let mode = fs::metadata(file).map_err(|e| told(&e))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(told(&"others can read it: run `chmod 600` on it"));
    }
    let bytes = zeroize::Zeroizing::new(fs::read(file).map_err(|e| told(&e))?);
    let token = bytes.trim_ascii();
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX || !token.iter().all(u8::is_ascii_graphic) {
        return Err(told(&"it must hold one line with the token"));
    }
    Plaintext::copy_of(token).map_err(|e| told(&e))
}
