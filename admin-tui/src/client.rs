//! The HTTPS client of the admin API.
//!
//! Requests are built ([`request`]) and answers read ([`answer`]) by pure functions; [`line`] carries them.

mod answer;
mod line;
mod request;
mod tls;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::header::HeaderValue;
use zeroize::Zeroizing;

use self::line::{Line, Reply, Trouble};
use self::request::Plan;
use crate::Options;
use crate::action::Ask;
use crate::clean::Clean;
use crate::error::ConsoleError;
use crate::event::{Answer, Failure};
use crate::state::{Id, Reading};

/// The admin API, as this operator sees it. It alone knows the bearer.
#[derive(Debug)]
pub(crate) struct Client {
    line: Line,
    tenant: String,
    login: Mutex<Option<Bearer>>,
}

/// What a login is proven with.
#[derive(Clone, Debug)]
struct Bearer {
    header: HeaderValue,
    /// Whether this console made the login, and so ends it.
    own: bool,
}

impl Bearer {
    fn new(bearer: &str, own: bool) -> Option<Self> {
        let text = Zeroizing::new(format!("Bearer {}", bearer.trim()));
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(Self { header, own })
    }
}

impl Client {
    /// Reads the address and the CA file; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConsoleError`].
    pub(crate) fn new(options: &Options) -> Result<Self, ConsoleError> {
        let endpoint = tls::Endpoint::parse(&options.admin)?;
        let line = Line::new(endpoint, tls::config(&options.ca_file)?);
        let login = options.bearer.as_ref().and_then(|bearer| Bearer::new(bearer, false));
        Ok(Self { line, tenant: options.tenant.clone(), login: Mutex::new(login) })
    }

    /// Whether there is a login. Whether it is still worth anything, the server says.
    pub(crate) fn has_login(&self) -> bool {
        self.bearer().is_some()
    }

    /// Asks, and always comes back with an answer. `password` is for a login.
    pub(crate) async fn ask(&self, ask: Ask, password: Zeroizing<String>) -> Answer {
        let plan = Plan::of(&ask, &self.tenant, &password);
        drop(password);
        // A new login has nothing to do with the one before.
        let bearer = if matches!(ask, Ask::Login { .. }) { None } else { self.bearer() };
        let reply = self.exchange(plan, bearer, patience(&ask)).await;
        match ask {
            Ask::Login { .. } => Answer::Login(self.log_in(reply)),
            Ask::Status => Answer::Status(answer::status(reply)),
            Ask::Page { load, cursor } => Answer::Page { load, cursor, result: answer::page(reply) },
            Ask::One { id } => Answer::One { result: answer::one(&id, reply), id },
            Ask::Plan { id } => Answer::One { result: self.plan(&id, answer::one(&id, reply)).await, id },
            Ask::Act { ticket, .. } => Answer::Act { ticket, result: answer::act(reply) },
        }
    }

    /// A credential that was read, with what unfreezing it would do.
    async fn plan(&self, id: &Id, read: Result<Box<Reading>, Failure>) -> Result<Box<Reading>, Failure> {
        let read = read?;
        let plan = self.exchange(Plan::dry_run(id, &self.tenant), self.bearer(), READING).await;
        Ok(Box::new(Reading { planned: Some(answer::planned(plan)?), ..*read }))
    }

    /// Ends the login, if this console made it.
    pub(crate) async fn log_out(&self) {
        if let Some(bearer) = self.bearer().filter(|bearer| bearer.own) {
            drop(self.exchange(Plan::log_out(), Some(bearer), LOG_OUT).await);
        }
    }

    fn log_in(&self, reply: Result<Reply, Trouble>) -> Result<Clean, Failure> {
        let (operator, bearer) = answer::login(reply)?;
        let bearer = Bearer::new(&bearer, true).ok_or_else(|| Failure::Unreadable("it has no usable bearer".into()))?;
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = Some(bearer);
        Ok(operator)
    }

    async fn exchange(&self, plan: Plan, bearer: Option<Bearer>, patience: Duration) -> Result<Reply, Trouble> {
        let request = plan.into_request(&self.line.endpoint.authority, bearer.map(|bearer| bearer.header));
        let request = request.map_err(|error| Trouble::NotSent(error.to_string()))?;
        self.line.exchange(request, patience).await
    }

    fn bearer(&self) -> Option<Bearer> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long an answer is worth waiting for.
fn patience(ask: &Ask) -> Duration {
    match ask {
        Ask::Status => Duration::from_secs(3),
        Ask::Page { .. } | Ask::One { .. } | Ask::Plan { .. } => READING,
        // A server may make wrong passwords slow; an act waits for what is being signed.
        Ask::Login { .. } | Ask::Act { .. } => Duration::from_secs(15),
    }
}

/// Reading is quick, or it is worth nothing.
const READING: Duration = Duration::from_secs(5);

/// Leaving does not wait long for a server that is gone.
const LOG_OUT: Duration = Duration::from_secs(1);
