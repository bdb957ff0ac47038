//! The HTTPS client of the admin API.
//!
//! Requests are built ([`request`]) and answers read ([`answer`]) by pure functions; [`line`] carries them.

mod answer;
pub(crate) mod events;
mod line;
mod request;
mod tls;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::sync::watch;
use zeroize::Zeroizing;

use self::line::{Line, Reply, Trouble};
use self::request::Plan;
use crate::action::{Ask, Purpose};
use crate::clean::Clean;
use crate::error::ConsoleError;
use crate::event::{Answer, Failure};
use crate::kind::{Before, Item, Kind, Scope};
use crate::state::dialog::Reply as Typing;
use crate::state::{Cause, Confirmed, Id, Outcome, Planned};
use crate::{Keep, Options, strings};

/// What was typed into secret fields, for the one request that carries it.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) password: Zeroizing<String>,
    pub(crate) code: Zeroizing<String>,
    pub(crate) answer: Zeroizing<String>,
}

/// The admin API, as this operator sees it. It alone knows the bearer.
pub(crate) struct Client {
    line: Line,
    keep: Keep,
    /// The login; who follows what the service tells begins anew with a new one.
    login: watch::Sender<Option<Bearer>>,
    /// Counts what is asked for to log in: an answer to anything but the last is of no account.
    attempt: AtomicU64,
    /// What the server wants a fresh proof for, by the number of its dialog: it was not done.
    unproven: Mutex<BTreeMap<u64, Unproven>>,
    /// What an answer brought that is shown once, outside the state.
    once: Mutex<Zeroizing<String>>,
    /// By what the browser that a passkey is waited for is known.
    device: Mutex<Zeroizing<String>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("line", &self.line).finish_non_exhaustive()
    }
}

/// What the server wants a fresh proof for.
enum Unproven {
    /// An act.
    Act(Held),
    /// What an act would do.
    Plan(Cause, Vec<Typing>),
}

/// An act as far as it is not done.
struct Held {
    /// The requests that are left, with the names of what they are about.
    left: VecDeque<(Clean, Plan)>,
    /// How many there were.
    several: bool,
    /// What was done.
    outcome: Outcome,
    /// Under which login it was asked for; it is done under no other.
    bearer: Option<Bearer>,
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
        Ok(Self::on(line, std::sync::Arc::clone(&options.keep), login))
    }

    fn on(line: Line, keep: Keep, login: Option<Bearer>) -> Self {
        Self {
            line,
            keep,
            login: watch::Sender::new(login),
            attempt: AtomicU64::new(0),
            unproven: Mutex::default(),
            once: Mutex::default(),
            device: Mutex::default(),
        }
    }

    /// Whether there is a login. Whether it is still worth anything, the server says.
    pub(crate) fn has_login(&self) -> bool {
        self.bearer().is_some()
    }

    /// Asks, and comes back with an answer; with none where nothing was asked of the server.
    pub(crate) async fn ask(&self, ask: Ask, typed: Typed) -> Option<Answer> {
        Some(match ask {
            Ask::Login { operator } => {
                let attempt = self.new_attempt();
                // A new login has nothing to do with the one before.
                let reply = self.exchange(Plan::login(&operator, &typed), None, ACTING).await;
                return self.log_in(attempt, reply).await;
            }
            Ask::Browser { purpose } => {
                let attempt = self.attempt.load(Ordering::Relaxed);
                let reply = self.send(Plan::browser(&purpose), READING).await;
                if self.attempt.load(Ordering::Relaxed) != attempt {
                    return None;
                }
                let begun = answer::browser(reply);
                Answer::Browser(begun.map(|(browser, device)| {
                    *lock(&self.device) = device;
                    browser
                }))
            }
            Ask::BrowserPoll { purpose } => return self.poll_browser(purpose).await,
            Ask::NoLogin => {
                self.new_attempt();
                return None;
            }
            Ask::Keep => Answer::Kept(self.keep_login()),
            Ask::Status => Answer::Status(answer::status(self.send(Plan::status(), STATUS).await)),
            Ask::Page { view, kind, scope, wanted } => {
                let plan = Plan::page(kind, &scope, wanted.cursor.as_deref(), &wanted.query);
                let result = answer::page(kind, self.send(plan, READING).await);
                Answer::Page { view, wanted, result }
            }
            Ask::One { view, kind, scope, id } => {
                let result = self.one(kind, &scope, &id).await.map(|(item, _)| Box::new(item));
                Answer::One { view, id, result }
            }
            Ask::Before { ticket, cause, replies } => self.look_before(ticket, cause, replies).await,
            Ask::Act { ticket, confirmed } => {
                let left = plans(&confirmed, &typed);
                let several = left.len() > 1;
                let held = Held { left, several, outcome: Outcome::default(), bearer: self.bearer() };
                let result = self.act(ticket, held).await;
                result.map_or(Answer::Proof { ticket, text: None }, |result| Answer::Act { ticket, result })
            }
            Ask::Prove { ticket } => self.prove(ticket, &typed).await,
            Ask::Forget { ticket } => {
                // One that is gone from there is under way: its own answer says what became of it.
                let Unproven::Act(_) = lock(&self.unproven).remove(&ticket)? else { return None };
                Answer::Act { ticket, result: Err(strings::proof_missing()) }
            }
        })
    }

    /// What the last act brought that is shown once; nothing is left of it here.
    pub(crate) fn take_once(&self) -> Option<Zeroizing<String>> {
        Some(std::mem::take(&mut *lock(&self.once))).filter(|once| !once.is_empty())
    }

    /// Ends the login, if this console made it.
    pub(crate) async fn log_out(&self) {
        if let Some(bearer) = self.bearer().filter(|bearer| bearer.own) {
            drop(self.exchange(Plan::log_out(), Some(bearer), LOG_OUT).await);
        }
    }

    async fn one(&self, kind: Kind, scope: &Scope, id: &Id) -> Result<(Item, Option<String>), Failure> {
        let plan = Plan::one(kind, scope, id.as_str());
        let plan =
            plan.ok_or_else(|| Failure::Unreadable("things of this kind are not asked for one by one".into()))?;
        answer::one(kind, id, self.send(plan, READING).await)
    }

    /// What the server says before an act, or that it wants a proof before it says anything.
    async fn look_before(&self, ticket: u64, cause: Cause, replies: Vec<Typing>) -> Answer {
        match self.before(&cause, &replies).await {
            Err(failure) if failure.wants_proof() => {
                lock(&self.unproven).insert(ticket, Unproven::Plan(cause, replies));
                Answer::Proof { ticket, text: None }
            }
            result => Answer::Before { ticket, result },
        }
    }

    /// What the server says before an act.
    async fn before(&self, cause: &Cause, replies: &[Typing]) -> Result<Planned, Failure> {
        let Some(act) = cause.act() else { return Ok(Planned::default()) };
        match (act.before, cause.first()) {
            (Before::Plan, _) => answer::planned(self.send(Plan::dry_run(act, cause, replies), READING).await),
            (Before::Thing, Some(item)) => {
                let (_, etag) = self.one(cause.kind, &cause.scope, &item.id).await?;
                Ok(Planned { etag, ..Planned::default() })
            }
            (Before::Thing, None) | (Before::Nothing, _) => Ok(Planned::default()),
        }
    }

    /// Does an act to one thing after the other; nothing comes back if the server wants a proof before it goes on.
    async fn act(&self, ticket: u64, mut held: Held) -> Option<Result<Outcome, Failure>> {
        while let Some((name, plan)) = held.left.pop_front() {
            let reply = self.exchange(plan.clone(), held.bearer.clone(), ACTING).await;
            let result = answer::act(reply).map(|(outcome, once)| {
                if let Some(once) = once {
                    *lock(&self.once) = once;
                }
                outcome
            });
            match result {
                Err(failure) if failure.wants_proof() => {
                    held.left.push_front((name, plan));
                    lock(&self.unproven).insert(ticket, Unproven::Act(held));
                    return None;
                }
                Err(failure) if !held.several => return Some(Err(failure)),
                // What ends the login or the line ends the rest as well, and what was done is told.
                Err(failure) if failure.is_logged_out() || !matches!(failure, Failure::Refused { .. }) => {
                    held.outcome.add(&name, Err(failure));
                    for (name, _) in held.left.drain(..) {
                        held.outcome.add(&name, Err(Failure::NotSent(strings::NOT_ASKED.into())));
                    }
                }
                result => held.outcome.add(&name, result),
            }
        }
        Some(Ok(held.outcome))
    }

    fn is_login(&self, bearer: Option<&Bearer>) -> bool {
        self.bearer().map(|own| own.header) == bearer.map(|bearer| bearer.header.clone())
    }

    async fn prove(&self, ticket: u64, typed: &Typed) -> Answer {
        match answer::proof(self.send(Plan::proof(typed), ACTING).await) {
            Ok(()) => self.go_on(ticket).await,
            Err(failure) => Answer::Proof { ticket, text: Some(strings::failure(&failure)) },
        }
    }

    /// Does what waited for a proof.
    async fn go_on(&self, ticket: u64) -> Answer {
        let wanted = lock(&self.unproven).remove(&ticket);
        let again = Answer::Proof { ticket, text: Some(strings::PROOF_TOO_OLD.into()) };
        match wanted {
            Some(Unproven::Act(held)) if !self.is_login(held.bearer.as_ref()) => {
                let why = Failure::NotSent(strings::LOGIN_CHANGED.into());
                Answer::Act { ticket, result: Err(why) }
            }
            Some(Unproven::Act(held)) => {
                self.act(ticket, held).await.map_or(again, |result| Answer::Act { ticket, result })
            }
            Some(Unproven::Plan(cause, replies)) => self.look_before(ticket, cause, replies).await,
            None => again,
        }
    }

    async fn poll_browser(&self, purpose: Purpose) -> Option<Answer> {
        let (attempt, device) = (self.attempt.load(Ordering::Relaxed), lock(&self.device).clone());
        let reply = self.exchange(Plan::browser_poll(&device), None, READING).await;
        Some(match (answer::still_waits(&reply), purpose) {
            (true, _) => Answer::BrowserWaits,
            (false, Purpose::Login { .. }) => return self.log_in(attempt, reply).await,
            (false, Purpose::Proof { ticket }) => match answer::proof(reply) {
                Ok(()) => self.go_on(ticket).await,
                Err(failure) => Answer::Proof { ticket, text: Some(strings::failure(&failure)) },
            },
        })
    }

    fn new_attempt(&self) -> u64 {
        self.attempt.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Takes over a login, unless nobody waits for it any more: then it ends here, and nobody hears of it.
    async fn log_in(&self, attempt: u64, reply: Result<Reply, Trouble>) -> Option<Answer> {
        let made = answer::login(reply).and_then(|(operator, bearer)| {
            let bearer = Bearer::new(&bearer, true);
            bearer.map(|bearer| (operator, bearer)).ok_or_else(|| Failure::Unreadable("it has no usable bearer".into()))
        });
        if self.attempt.load(Ordering::Relaxed) != attempt {
            if let Ok((_, bearer)) = made {
                drop(self.exchange(Plan::log_out(), Some(bearer), LOG_OUT).await);
            }
            return None;
        }
        Some(Answer::Login(made.map(|(operator, bearer)| {
            self.login.send_replace(Some(bearer));
            operator
        })))
    }

    /// Keeps the login for the next time; it does not end with this console then.
    fn keep_login(&self) -> Result<Clean, Clean> {
        let Some(bearer) = self.bearer() else { return Err(strings::LOGIN_ENDED.into()) };
        let text = Zeroizing::new(String::from_utf8_lossy(bearer.header.as_bytes()).into_owned());
        let kept = (self.keep)(text.trim_start_matches("Bearer "));
        // It is the same login as before to who follows it.
        self.login.send_if_modified(|login| {
            if let Some(login) = login {
                login.own &= kept.is_err();
            }
            false
        });
        kept.map(Clean::from).map_err(Clean::from)
    }

    async fn send(&self, plan: Plan, patience: Duration) -> Result<Reply, Trouble> {
        self.exchange(plan, self.bearer(), patience).await
    }

    async fn exchange(&self, plan: Plan, bearer: Option<Bearer>, patience: Duration) -> Result<Reply, Trouble> {
        let request = plan.into_request(&self.line.endpoint.authority, bearer.map(|bearer| bearer.header));
        let request = request.map_err(|error| Trouble::NotSent(error.to_string()))?;
        self.line.exchange(request, patience).await
    }

    fn bearer(&self) -> Option<Bearer> {
        self.login.borrow().clone()
    }
}

/// The requests of an act, with the names of what they are about.
fn plans(confirmed: &Confirmed, typed: &Typed) -> VecDeque<(Clean, Plan)> {
    let acts = confirmed.kind().shape().acts;
    let Some(act) = acts.iter().find(|act| act.deed == confirmed.deed()) else { return VecDeque::new() };
    if confirmed.targets().is_empty() {
        return VecDeque::from([(Clean::default(), Plan::act(act, confirmed, None, &typed.answer))]);
    }
    let plan = |item: &Item| (item.name.clone(), Plan::act(act, confirmed, Some(item), &typed.answer));
    confirmed.targets().iter().map(plan).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A status that takes longer is stale when it comes.
const STATUS: Duration = Duration::from_secs(3);

/// Reading is quick, or it is worth nothing.
const READING: Duration = Duration::from_secs(5);

/// A server may make wrong passwords slow; an act waits for what is being signed.
const ACTING: Duration = Duration::from_secs(15);

/// Leaving does not wait long for a server that is gone.
const LOG_OUT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
