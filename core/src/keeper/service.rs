//! The keeper's side of the socket: one reader, and a fixed set of threads each owning one token session.
//!
//! The reader never calls the token, so a bar takes effect however the token is. What a thread has signed leaves under
//! the same lock that bars are set under: after the answer to a bar, no signature for the barred intents gets out.

use std::collections::{HashMap, VecDeque};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use claviger_venues::{Host, HostRole, VenueId};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use super::bars::Bars;
use super::checkpoints::Checkpoints;
use super::frame::{self, Frame};
use super::kek::KekRow;
use super::message::{Claims, Greeting, Hello, Refused, Reply, Request};
use super::worker::{Post, Worker};
use super::{enroll, login, sign, token_key, verify};
use crate::audit::{Hash, KeeperCount};
use crate::clock::Clock;
use crate::secret::Plaintext;
use crate::store::Scopes;
use crate::token::{MacKey, PublicKeys, SigningKey, Token, TokenError};

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
    /// How much memory the token's library may lose before the process asks to be replaced, bytes.
    pub leak_bytes_max: u64,
}

/// Where each venue is.
#[derive(Debug, Default)]
pub struct Hosts(HashMap<VenueId, VenueHosts>);

#[derive(Debug)]
struct VenueHosts {
    all: Option<Host>,
    defaults: Vec<(HostRole, Host)>,
}

impl Hosts {
    /// Adds a venue; `base` replaces all of its hosts.
    pub fn add(&mut self, venue: VenueId, base: Option<Host>) {
        let defaults = [HostRole::Main, HostRole::Probe]
            .into_iter()
            .filter_map(|role| Some((role, Host::parse(claviger_venues::default_host(venue, role)).ok()?)))
            .collect();
        self.0.insert(venue, VenueHosts { all: base, defaults });
    }

    /// The host for a role, if the venue is configured.
    pub fn host(&self, venue: VenueId, role: HostRole) -> Option<&Host> {
        let hosts = self.0.get(&venue)?;
        hosts.all.as_ref().or_else(|| hosts.defaults.iter().find(|(r, _)| *r == role).map(|(_, host)| host))
    }
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
    /// Whether the token's library has lost too much memory.
    pub(super) worn: AtomicBool,
    /// Whether another keeper has taken over.
    relieved: AtomicBool,
}

/// What is decided together with the answer's leaving.
struct Gate {
    link: UnixStream,
    bars: Bars,
    signed: u64,
    /// SHA-256 over the previous value, the intent and the digest of what was signed.
    chain: [u8; 32],
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
    let shared = Shared {
        config,
        clock,
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
            Request::Relieved => self.relieved.store(true, Ordering::SeqCst),
            Request::Sign(_)
            | Request::SignStream(_)
            | Request::Seal(_)
            | Request::TakeToken(_)
            | Request::Birth(_)
            | Request::Name(_)
            | Request::KeyObjects
            | Request::DestroyKey { .. }
            | Request::Verify(_)
            | Request::NewKek { .. }
            | Request::Index { .. }
            | Request::Pepper { .. }
            | Request::SignJwt(_)
            | Request::SignCheckpoint(_)
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
            Request::Verify(request) => verify::verify(worker, &request, secret.as_ref()).map(|()| Reply::Done),
            Request::NewKek { .. }
            | Request::Index { .. }
            | Request::Pepper { .. }
            | Request::SignJwt(_)
            | Request::SignCheckpoint(_)
            | Request::Health
            | Request::KeyObjects
            | Request::DestroyKey { .. }
            | Request::Hello(_)
            | Request::Relieved
            | Request::Bar { .. } => self.token_call(&mut worker.token, message),
        };
        self.answer_or_end(id, reply);
    }

    fn token_call<T: Token>(&self, token: &mut T, request: Request) -> Result<Reply, Failure> {
        Ok(match request {
            Request::NewKek { tenant, version } => Reply::Kek(KekRow::generate(token, tenant, version)?),
            Request::Index { tenant, venue, key_id } => {
                let mut data = b"claviger-index/v1\n".to_vec();
                data.extend_from_slice(tenant.as_bytes());
                data.extend_from_slice(venue.as_str().as_bytes());
                data.push(0);
                data.extend_from_slice(key_id.as_bytes());
                Reply::Mac(token.mac(MacKey::Index, &data)?)
            }
            Request::Pepper { argon2 } => Reply::Mac(token.mac(MacKey::Pepper, &argon2)?),
            Request::SignJwt(claims) => Reply::Jwt(self.jwt(token, &claims)?),
            Request::SignCheckpoint(head) => {
                let keeper = {
                    let gate = lock(&self.gate);
                    KeeperCount { start: self.start.clone(), count: gate.signed, running: Hash::from_bytes(gate.chain) }
                };
                let now = (self.clock.unix_ms(), self.clock.boot());
                Reply::Checkpoint(lock(&self.checkpoints).sign(token, &head, &keeper, now)?)
            }
            Request::Health => {
                token.probe()?;
                Reply::Alive { worn: self.worn.load(Ordering::SeqCst) }
            }
            Request::KeyObjects => Reply::KeyObjects(token.key_objects()?),
            Request::DestroyKey { label } => {
                token.destroy_key(&label)?;
                Reply::Done
            }
            Request::Hello(_)
            | Request::Bar { .. }
            | Request::Relieved
            | Request::Sign(_)
            | Request::SignStream(_)
            | Request::Seal(_)
            | Request::TakeToken(_)
            | Request::Birth(_)
            | Request::Name(_)
            | Request::Verify(_) => Reply::Refused(Refused::Hello),
        })
    }

    /// An access token: ES256 over typed claims (RFC 7515, RFC 9068).
    fn jwt(&self, token: &mut impl Token, claims: &Claims) -> Result<String, Failure> {
        let life = claims.expires.checked_sub(claims.issued).ok_or(Refused::Claims)?;
        let now = self.clock.unix_ms() / 1_000;
        if life > self.config.token_seconds_max || claims.issued > now.saturating_add(60) {
            return Err(Refused::Claims.into());
        }
        let header = serde_json::json!({ "alg": "ES256", "typ": "at+jwt", "kid": key_id(&self.keys.api) });
        let body = serde_json::json!({
            "iss": claims.issuer, "aud": claims.issuer, "sub": claims.app, "tenant": claims.tenant,
            "iat": claims.issued, "nbf": claims.issued, "exp": claims.expires,
        });
        let encode = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(body));
        let signature = token.sign(SigningKey::Api, input.as_bytes())?;
        Ok(format!("{input}.{}", BASE64URL_NOPAD.encode(&signature)))
    }

    /// Lets a signature out, unless its scope was barred while it was made.
    fn signed(&self, id: u64, scopes: &Scopes, intent: u64, signature: Result<sign::Signature, Failure>) {
        match signature {
            Ok(signature) => {
                let mut gate = lock(&self.gate);
                if gate.bars.covers(scopes, intent) {
                    gate.answer(id, &Reply::Refused(Refused::Barred));
                    return;
                }
                gate.count(intent, &signature.digest);
                gate.answer(id, &signature.reply);
            }
            Err(failure) => self.answer_or_end(id, Err(failure)),
        }
    }

    pub(super) fn may_sign(&self, scopes: &Scopes, intent: u64) -> Result<(), Refused> {
        if self.floor.get().is_none_or(|floor| intent <= *floor) {
            return Err(Refused::Older);
        }
        if lock(&self.gate).bars.covers(scopes, intent) { Err(Refused::Barred) } else { Ok(()) }
    }

    fn answer_or_end(&self, id: u64, reply: Result<Reply, Failure>) {
        match reply {
            Ok(reply) => self.answer(id, &reply),
            Err(Failure::Refused(refused)) => self.answer(id, &Reply::Refused(refused)),
            Err(Failure::Token(error)) => {
                self.answer(id, &Reply::Unavailable(error.to_string()));
                let exit = match error {
                    TokenError::Lost(why) => Exit::TokenLost(why),
                    TokenError::KeyMissing(key) => Exit::TokenLost(format!("the token has no key {key}")),
                    TokenError::PinRefused(why) => Exit::PinRefused(why),
                    TokenError::Tampered | TokenError::Refused(_) | TokenError::Capacity(_) => return,
                };
                let _ = self.fatal.set(exit);
                let _ = lock(&self.gate).link.shutdown(std::net::Shutdown::Both);
            }
        }
    }

    fn answer(&self, id: u64, reply: &Reply) {
        lock(&self.gate).answer(id, reply);
    }
}

impl Gate {
    /// A front that does not read its answers is gone; the reader notices.
    fn answer(&mut self, id: u64, reply: &Reply) {
        if frame::write(&mut self.link, id, reply, None::<&Plaintext>).is_err() {
            let _ = self.link.shutdown(std::net::Shutdown::Both);
        }
    }

    fn count(&mut self, intent: u64, digest: &[u8; 32]) {
        let mut chain = Context::new(&SHA256);
        chain.update(&self.chain);
        chain.update(&intent.to_be_bytes());
        chain.update(digest);
        self.chain.copy_from_slice(chain.finish().as_ref());
        self.signed = self.signed.saturating_add(1);
    }
}

/// The `kid` of an access token: the first 16 hexadecimal digits of SHA-256 over the public key.
#[must_use]
pub fn key_id(public_key: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&SHA256, public_key);
    HEXLOWER.encode(digest.as_ref().get(..8).unwrap_or_default())
}
