//! The keeper's side of the socket: one reader, and a fixed set of threads each owning one token session.
//!
//! The reader never calls the token, so a bar takes effect however the token is. What a thread has signed leaves under
//! the same lock that bars are set under: after the answer to a bar, no signature for the barred intents gets out.

mod gate;
mod hosts;
mod token_call;

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::bars::Bars;
use super::checkpoints::Checkpoints;
use super::frame::{self, Frame};
use super::message::{Greeting, Hello, Refused, Reply, Request};
use super::worker::{Post, Worker};
use super::{code, contact, enroll, login, recovery, rewrap, root, sign, token_key, verify, webhook};
use crate::clock::Clock;
use crate::id::TenantId;
use crate::recovery::RecoveryKey;
use crate::token::{Forget, PublicKeys, Token, TokenError};
use gate::Gate;

pub use hosts::Hosts;
pub(super) use token_call::index;
pub use token_call::key_id;

/// No deadline may lie further ahead.
pub(super) const DEADLINE_MAX: Duration = Duration::from_millis(2_500);

/// Requests that wait at most.
const QUEUE: usize = 512;

/// Of these, at most so many that hold a secret: signing needs room in the arena, too.
const SECRETS: usize = 32;

/// The keeper's own configuration. Nothing of it comes from the front.
#[derive(Debug)]
pub struct KeeperConfig {
    /// Where each venue is.
    pub hosts: Hosts,
    /// The origin line of the audit log.
    pub origin: String,
    /// The longest life of an access token, seconds.
    pub token_seconds_max: u64,
    /// What this process could not shut, in words.
    pub missing: Vec<String>,
    /// How many callers' keys the token may hold as objects.
    pub objects_max: usize,
    /// Tenants that may bring their own KEKs: whoever brings one can read what moves under it.
    pub import_tenants: Vec<TenantId>,
    /// A root key is destroyed only when no KEK under it was used for so long, in the life of this process.
    pub root_unused: Duration,
    /// How much memory the token's library may lose before the process asks to be replaced, bytes.
    pub leak_bytes_max: u64,
}

/// Why [`run`] came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The front closed the socket.
    FrontGone,
    /// The front sent what is no message.
    Protocol(String),
    /// The token is lost; a new process with a new login is needed.
    TokenLost(String),
    /// The token refused the PIN.
    PinRefused(String),
}

/// Why a request was not served.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Refused),
    Token(TokenError),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

/// What all threads of the keeper share.
pub(super) struct Shared {
    pub(super) config: KeeperConfig,
    pub(super) clock: Box<dyn Clock>,
    pub(super) checkpoints: Mutex<Checkpoints>,
    keys: PublicKeys,
    start: String,
    floor: OnceLock<u64>,
    gate: Mutex<Gate>,
    pub(super) queue: Mutex<VecDeque<Frame<Request>>>,
    pub(super) more: Condvar,
    pub(super) closing: AtomicBool,
    fatal: OnceLock<Exit>,
    /// One for each thread.
    pub(super) posts: Vec<Post>,
    /// When a KEK under each root key was used last.
    pub(super) roots: Arc<root::Uses>,
    /// The recovery key, as the front named it.
    pub(super) recovery: Arc<OnceLock<Arc<RecoveryKey>>>,
    /// Whether the token's library has lost too much memory.
    pub(super) worn: AtomicBool,
    /// Whether another keeper has taken over.
    relieved: AtomicBool,
}

/// Serves the front until one of the two is gone.
///
/// `stuck` is called when a token call takes longer than 1.5 s: it must end the process, because nothing else
/// can end the call. `ended` says how it came to an end; the newest checkpoint is in the token by then, if it could be
/// put there.
pub fn run<T: Token + Send>(
    link: &UnixStream,
    mut tokens: Vec<T>,
    config: KeeperConfig,
    clock: Box<dyn Clock>,
    stuck: impl Fn() + Sync,
) -> Exit {
    let opened = prepare(link, &mut tokens, config, clock);
    let (shared, reader) = match opened {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let shared = &shared;
    let mut exit = Exit::FrontGone;
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for (token, post) in tokens.into_iter().zip(&shared.posts) {
            workers.push(scope.spawn(move || shared.work(token, post)));
        }
        scope.spawn(|| shared.watch(&stuck));
        exit = shared.read(reader);
        shared.closing.store(true, Ordering::SeqCst);
        shared.more.notify_all();
        for worker in workers {
            if let Ok(mut token) = worker.join()
                && !shared.relieved.load(Ordering::SeqCst)
            {
                lock(&shared.checkpoints).keep(&mut token);
            }
        }
    });
    shared.fatal.get().cloned().unwrap_or(exit)
}

fn prepare<T: Token>(
    link: &UnixStream,
    tokens: &mut [T],
    config: KeeperConfig,
    clock: Box<dyn Clock>,
) -> Result<(Shared, UnixStream), Exit> {
    let lost = |e: TokenError| {
        let text = e.to_string();
        if let TokenError::PinRefused(why) = e { Exit::PinRefused(why) } else { Exit::TokenLost(text) }
    };
    let posts = tokens.iter().map(|_| Post::default()).collect();
    let token = tokens.first_mut().ok_or_else(|| Exit::TokenLost("no session".to_owned()))?;
    let keys = token.public_keys().map_err(lost)?;
    let kept = token.checkpoints().map_err(lost)?;
    let mut start = [0; 16];
    token.random(&mut start).map_err(lost)?;
    let checkpoints = Checkpoints::new(&config.origin, &keys.audit, &kept);
    let io = |e: std::io::Error| Exit::Protocol(e.to_string());
    let gate = Gate { link: link.try_clone().map_err(io)?, bars: Bars::default(), signed: 0, chain: [0; 32] };
    let roots = Arc::new(root::Uses::since(clock.boot()));
    let shared = Shared {
        config,
        clock,
        roots,
        checkpoints: Mutex::new(checkpoints),
        keys,
        start: HEXLOWER.encode(&start),
        floor: OnceLock::new(),
        gate: Mutex::new(gate),
        queue: Mutex::new(VecDeque::new()),
        more: Condvar::new(),
        closing: AtomicBool::new(false),
        fatal: OnceLock::new(),
        posts,
        recovery: Arc::default(),
        worn: AtomicBool::new(false),
        relieved: AtomicBool::new(false),
    };
    Ok((shared, link.try_clone().map_err(io)?))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn read(&self, mut link: UnixStream) -> Exit {
        loop {
            match frame::read::<Request>(&mut link) {
                Ok(Some(frame)) => self.take(frame),
                Ok(None) => return Exit::FrontGone,
                Err(e) if e.kind() == std::io::ErrorKind::OutOfMemory => return Exit::Protocol(e.to_string()),
                Err(e) => return Exit::Protocol(e.to_string()),
            }
        }
    }

    /// Serves at once what needs no token, and queues the rest.
    fn take(&self, frame: Frame<Request>) {
        let id = frame.id;
        match frame.message {
            Request::Hello(hello) => self.answer(id, &self.hello(&hello)),
            _unheard if self.floor.get().is_none() => self.answer(id, &Reply::Refused(Refused::Hello)),
            Request::Bar { scope, up_to } => {
                let now = self.clock.boot();
                self.forget(&scope);
                let mut gate = lock(&self.gate);
                gate.bars.bar(scope, up_to, now);
                gate.answer(id, &Reply::Done);
            }
            Request::ForgetKeks => {
                self.give_up(Forget::Keks);
                self.answer(id, &Reply::Done);
            }
            Request::Relieved => self.relieved.store(true, Ordering::SeqCst),
            Request::Sign(_)
            | Request::SignStream(_)
            | Request::Seal(_)
            | Request::TakeToken(_)
            | Request::Birth(_)
            | Request::Name(_)
            | Request::Rewrap(_)
            | Request::KeyObjects
            | Request::DestroyKey { .. }
            | Request::OpenContact(_)
            | Request::Verify(_)
            | Request::VerifyCode(_)
            | Request::NewKek { .. }
            | Request::KekDoor { .. }
            | Request::ImportKek(_)
            | Request::Roots
            | Request::NewRoot { .. }
            | Request::DestroyRoot { .. }
            | Request::Index { .. }
            | Request::Pepper { .. }
            | Request::SignJwt(_)
            | Request::SignCheckpoint(_)
            | Request::SignTombstone(_)
            | Request::SignWebhook(_)
            | Request::WrapDek(_)
            | Request::SignRecoveryFile(_)
            | Request::Recover(_)
            | Request::IndexSealed(_)
            | Request::Health => {
                let mut queue = lock(&self.queue);
                let secrets = || queue.iter().filter(|waiting| waiting.secret.is_some()).count();
                let crowded = frame.no_room || frame.secret.is_some() && secrets() >= SECRETS;
                if crowded || queue.len() >= QUEUE {
                    drop(queue);
                    self.answer(id, &Reply::Refused(Refused::Busy));
                } else {
                    queue.push_back(frame);
                    drop(queue);
                    self.more.notify_one();
                }
            }
        }
    }

    fn hello(&self, hello: &Hello) -> Reply {
        if self.floor.set(hello.highest_intent).is_err() {
            return Reply::Refused(Refused::Hello);
        }
        if let Some(recovery) = &hello.recovery {
            self.recovery.get_or_init(|| Arc::new(recovery.clone()));
        }
        let mut checkpoints = lock(&self.checkpoints);
        let kept = checkpoints.shown(hello.checkpoint.as_deref());
        Reply::Hello(Greeting {
            start: self.start.clone(),
            keys: self.keys.clone(),
            checkpoint: kept,
            missing: self.config.missing.clone(),
        })
    }

    pub(super) fn serve<T: Token>(&self, worker: &mut Worker<T>, frame: Frame<Request>) {
        let Frame { id, secret, message, no_room: _ } = frame;
        let reply = match message {
            Request::Sign(request) => {
                let signature = sign::sign(self, worker, &request);
                return self.signed(id, &request.scopes, request.intent, signature);
            }
            Request::SignStream(request) => {
                let signature = sign::sign_stream(self, worker, &request);
                return self.signed(id, &request.scopes, request.intent, signature);
            }
            Request::Seal(request) => match secret {
                Some(secret) => enroll::seal(self, worker, *request, &secret).map(Reply::Sealed),
                None => Err(Refused::Secret("there is none".to_owned()).into()),
            },
            Request::TakeToken(request) => match secret {
                Some(body) => login::take(self, worker, &request, &body).map(Reply::Token),
                None => Err(Refused::Token.into()),
            },
            Request::Birth(request) => token_key::birth(self, worker, *request).map(Reply::Born),
            Request::Name(request) => token_key::name(worker, &request).map(Reply::Sealed),
            Request::Rewrap(request) => rewrap::rewrap(worker, &request).map(Reply::Sealed),
            Request::Roots => root::list(worker).map(Reply::Roots),
            Request::NewRoot { number } => root::make(worker, number).map(|()| Reply::Done),
            Request::DestroyRoot { number } => root::destroy(self, worker, number).map(|()| Reply::Done),
            Request::OpenContact(request) => contact::opened(worker, &request).map(Reply::Contact),
            Request::Verify(request) => verify::verify(worker, &request, secret.as_ref()).map(|()| Reply::Done),
            Request::VerifyCode(request) => code::verify(self, worker, &request, secret.as_ref()).map(Reply::Step),
            Request::SignWebhook(request) => webhook::sign(self, worker, &request).map(Reply::Webhook),
            Request::WrapDek(request) => recovery::wrapped(worker, &request).map(Reply::Sealed),
            Request::IndexSealed(request) => recovery::index_sealed(worker, &request).map(Reply::Mac),
            Request::Recover(request) => match secret {
                Some(private) => recovery::recover(self, worker, &request, private).map(Reply::Recovered),
                None => Err(Refused::Recovery.into()),
            },
            Request::NewKek { .. }
            | Request::KekDoor { .. }
            | Request::ImportKek(_)
            | Request::Index { .. }
            | Request::Pepper { .. }
            | Request::SignJwt(_)
            | Request::SignCheckpoint(_)
            | Request::SignTombstone(_)
            | Request::SignRecoveryFile(_)
            | Request::Health
            | Request::KeyObjects
            | Request::DestroyKey { .. }
            | Request::Hello(_)
            | Request::Relieved
            | Request::ForgetKeks
            | Request::Bar { .. } => self.token_call(&mut worker.token, message),
        };
        self.answer_or_end(id, reply);
    }
}
