//! Passkeys (`WebAuthn` Level 3): a terminal asks, a browser shows the passkey, the terminal gets the answer.
//!
//! What passes between the two is a code that a person carries (RFC 8628 in spirit). The browser never holds a login, and
//! the terminal no passkey. All of it is in this process's memory alone, for five minutes at most.

mod ceremony;
mod code;
mod pending;

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

use crate::config::Operators;
use pending::Pending;

pub use ceremony::{Ceremony, Finished, NotShown};
pub use code::UserCode;
pub use pending::{Asked, Done, Made, NotFree, Polled, Purpose, Request, TooMany};

/// How long a terminal waits for the browser, milliseconds.
pub const WAIT_MS: u64 = 5 * 60 * 1_000;

/// Where browsers find this service if nothing else is configured: any port of this name.
const HERE: &str = "https://localhost";

/// What the front needs for passkeys.
pub struct Passkeys {
    webauthn: Webauthn,
    /// What invented ids are derived from; see [`Passkeys::begin`].
    inventing: [u8; 32],
    page: String,
    pending: Mutex<Pending>,
}

impl std::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkeys").field("page", &self.page).finish_non_exhaustive()
    }
}

impl Passkeys {
    /// As configured, with the page on the listener `public`.
    ///
    /// # Errors
    /// Which key of the configuration is wrong, and what to do.
    pub fn new(config: &Operators, public: SocketAddr) -> Result<Self, String> {
        let origin = config.origin.as_deref().unwrap_or(HERE);
        let url = Url::parse(origin).map_err(|e| format!("operators.origin: {e}"))?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let host = url.domain().filter(|_| url.scheme() == "https" && bare);
        let host = host.ok_or("operators.origin is https://, a host name (no address), and a port if it is not 443")?;
        let rp_id = config.rp_id.as_deref().unwrap_or(host);
        let of_host = |_| format!("operators.rp_id: {host} does not lie in {rp_id}");
        let builder = WebauthnBuilder::new(rp_id, &url).map_err(of_host)?;
        let builder = builder.rp_name("Claviger").allow_any_port(config.origin.is_none());
        let webauthn = builder.build().map_err(of_host)?;
        let mut inventing = [0; 32];
        aws_lc_rs::rand::fill(&mut inventing).map_err(|_| "the operating system gives no random numbers")?;
        let origin = url.origin().ascii_serialization();
        let port = if config.origin.is_none() { format!(":{}", public.port()) } else { String::new() };
        let page = format!("{origin}{port}/login");
        Ok(Self { webauthn, inventing, page, pending: Mutex::default() })
    }

    /// Where a browser goes on with a code; the code stays in the browser, behind the `#`.
    pub fn url(&self, code: &UserCode) -> String {
        format!("{}#{code}", self.page)
    }

    /// What terminals wait for.
    pub fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(origin: Option<&str>, rp_id: Option<&str>) -> Result<String, String> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let config = Operators { origin: own(origin), rp_id: own(rp_id), ..Operators::default() };
        Passkeys::new(&config, SocketAddr::from(([127, 0, 0, 1], 8445))).map(|passkeys| passkeys.page)
    }

    #[test]
    fn an_origin_is_a_host_name_over_https() {
        assert_eq!(page(None, None).unwrap(), "https://localhost:8445/login");
        assert_eq!(page(Some("https://keys.example:444"), None).unwrap(), "https://keys.example:444/login");
        assert_eq!(page(Some("https://keys.example"), Some("example")).unwrap(), "https://keys.example/login");
        for wrong in ["http://keys.example", "https://192.0.2.1", "https://keys.example/x", "keys.example", ""] {
            assert!(page(Some(wrong), None).unwrap_err().contains("operators.origin"), "{wrong}");
        }
        assert!(page(Some("https://keys.example"), Some("other.example")).unwrap_err().contains("operators.rp_id"));
    }
}
