//! What the service tells by itself: a connection of its own, for as long as somebody is logged in.
//!
//! However much is told, the console hears of it a few times a second: names are gathered, and what an event says beside
//! its name is not read, since the lists are asked for again anyway.

mod parser;

use std::collections::BTreeSet;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes};
use tokio::time::{sleep, timeout};

use self::parser::{Event, Parser, TooLong};
use super::line::{Trouble, chain};
use super::request::Plan;
use super::{Bearer, Client};
use crate::event::Push;
use crate::kind::KINDS;
use crate::strings as s;

/// Why a stream ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It broke off, or is not to be had at the moment.
    Broken(String),
    /// The service does not tell this login anything, and will not.
    Refused(String),
}

/// What was told and is not passed on yet.
#[derive(Debug, Default)]
struct Gathered {
    names: BTreeSet<&'static str>,
    /// The id of the last event that had one.
    last_id: Option<String>,
}

impl Client {
    /// Listens while somebody is logged in, and passes on what it hears, until `tell` says that nobody is there any more.
    pub(crate) async fn follow<F: Future<Output = bool> + Send>(&self, tell: impl Fn(Push) -> F + Send + Sync) {
        let mut logins = self.login.subscribe();
        loop {
            let Some(bearer) = logins.borrow_and_update().clone() else {
                if logins.changed().await.is_err() {
                    return;
                }
                continue;
            };
            tokio::select! {
                ended = self.follow_one(&bearer, &tell, &sleep) => match ended {
                    // The login ended: the next one is followed.
                    Some(()) => drop(logins.changed().await),
                    None => return,
                },
                changed = logins.changed() => drop(changed),
            }
        }
    }

    /// Follows one login, again and again and with a `wait` between, until it is refused; `None` if nobody listens here any
    /// more.
    async fn follow_one<F, W>(
        &self,
        bearer: &Bearer,
        tell: &impl Fn(Push) -> F,
        wait: &impl Fn(Duration) -> W,
    ) -> Option<()>
    where
        F: Future<Output = bool>,
        W: Future<Output = ()>,
    {
        let (mut gathered, mut pause) = (Gathered::default(), PAUSE_MIN);
        loop {
            let end = match self.open(bearer, gathered.last_id.as_deref()).await {
                Ok(body) => {
                    pause = PAUSE_MIN;
                    told(tell(Push::Open).await)?;
                    if gathered.last_id.is_none() {
                        // What changed before is not told.
                        told(tell(Push::Changed(ALL.into())).await)?;
                    }
                    listen(body, &mut gathered, tell).await?
                }
                Err(end) => end,
            };
            let (End::Broken(why) | End::Refused(why)) = &end;
            told(tell(Push::Closed(why.as_str().into())).await)?;
            if let End::Refused(_) = end {
                return Some(());
            }
            wait(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    async fn open(&self, bearer: &Bearer, last_id: Option<&str>) -> Result<hyper::body::Incoming, End> {
        let request = Plan::events(last_id).into_request(&self.line.endpoint.authority, Some(bearer.header.clone()));
        let request = request.map_err(|error| End::Refused(error.to_string()))?;
        let response = self.line.open(request, SILENCE).await.map_err(|trouble| {
            let (Trouble::NotSent(why) | Trouble::NoAnswer(why)) = trouble;
            End::Broken(why)
        })?;
        let status = response.status().as_u16();
        match status {
            200 => Ok(response.into_body()),
            429 | 500.. => Err(End::Broken(s::events_refused(status))),
            _ => Err(End::Refused(s::events_refused(status))),
        }
    }
}

/// Listens to a stream to its end; `None` if nobody listens here any more.
async fn listen<B, F>(mut body: B, gathered: &mut Gathered, tell: &impl Fn(Push) -> F) -> Option<End>
where
    B: Body<Data = Bytes, Error: std::error::Error> + Unpin,
    F: Future<Output = bool>,
{
    let mut parser = Parser::default();
    loop {
        let end = match timeout(SILENCE, hear(&mut body, &mut parser, gathered)).await {
            Err(_) => Some(End::Broken(s::events_silent(SILENCE.as_secs()))),
            Ok(Err(end)) => Some(end),
            // What comes right behind is passed on with it.
            Ok(Ok(())) => timeout(GATHER, hear_all(&mut body, &mut parser, gathered)).await.ok(),
        };
        gathered.pass_on(tell).await?;
        if end.is_some() {
            return end;
        }
    }
}

async fn hear_all<B>(body: &mut B, parser: &mut Parser, gathered: &mut Gathered) -> End
where
    B: Body<Data = Bytes, Error: std::error::Error> + Unpin,
{
    loop {
        if let Err(end) = hear(body, parser, gathered).await {
            return end;
        }
    }
}

async fn hear<B>(body: &mut B, parser: &mut Parser, gathered: &mut Gathered) -> Result<(), End>
where
    B: Body<Data = Bytes, Error: std::error::Error> + Unpin,
{
    let frame = body.frame().await.ok_or_else(|| End::Broken(s::EVENTS_ENDED.to_owned()))?;
    let frame = frame.map_err(|error| End::Broken(chain(&error)))?;
    let piece = frame.into_data().unwrap_or_default();
    parser.feed(&piece, |event| gathered.add(event)).map_err(|TooLong| End::Broken(s::EVENTS_TOO_LONG.to_owned()))
}

impl Gathered {
    fn add(&mut self, event: Event) {
        if event.id.is_some() {
            self.last_id = event.id;
        }
        if event.data.is_some() {
            self.names.extend(names(&event.name));
        }
    }

    /// Passes on what was told, everything under one name if it is everything; `None` if nobody listens any more.
    async fn pass_on<F: Future<Output = bool>>(&mut self, tell: &impl Fn(Push) -> F) -> Option<()> {
        let names = std::mem::take(&mut self.names);
        if names.is_empty() {
            return told(tell(Push::Beat).await);
        }
        for name in names.iter().filter(|name| **name == ALL || !names.contains(ALL)) {
            told(tell(Push::Changed((*name).into())).await)?;
        }
        Some(())
    }
}

/// What the console calls things of which an event was told. A name that no screen waits for is none, so that those that
/// are gathered are few, whatever a server sends.
fn names(event: &str) -> impl Iterator<Item = &'static str> {
    let told: &[&str] = match event {
        "reset" => &[ALL],
        STATUS => &[STATUS],
        _ => &[],
    };
    let known = KINDS.iter().flat_map(|kind| kind.shape().events).copied().filter(move |name| *name == event);
    told.iter().copied().chain(known)
}

fn told(listened: bool) -> Option<()> {
    listened.then_some(())
}

/// The name of everything.
const ALL: &str = "";
/// The name of how the service is.
pub(crate) const STATUS: &str = "status";
/// The service says every five seconds that it is there; who is not heard for so long is not.
const SILENCE: Duration = Duration::from_secs(15);
/// What is told within so long is passed on together.
const GATHER: Duration = Duration::from_millis(100);
/// So long after a stream broke off the first time it is tried again.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// And so long at most.
const PAUSE_MAX: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests;
