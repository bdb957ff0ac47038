//! The front's side: typed calls, answered by whichever keeper is there.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use arc_swap::ArcSwapOption;
use claviger_venues::VenueId;
use tokio::sync::{Notify, oneshot};

use super::frame;
use super::kek::KekRow;
use super::message::{Claims, Greeting, Head, Hello, Refused, Reply, Request, Seal, Sign, Signed, Verify};
use super::service::lock;
use crate::id::TenantId;
use crate::secret::Plaintext;
use crate::store::Scope;

/// Why the keeper did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeeperError {
    /// No keeper is there, or it went away before it answered. Nothing left it.
    #[error("the keeper is not there")]
    Gone,
    /// The token did not answer.
    #[error("the token does not answer: {0}")]
    Token(String),
    /// The keeper refuses.
    #[error(transparent)]
    Refused(Refused),
}

/// A handle to the keeper. Cheap to clone; keepers come and go behind it.
#[derive(Clone, Debug, Default)]
pub struct KeeperClient {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    link: ArcSwapOption<Link>,
    gone: Notify,
}

#[derive(Debug)]
struct Link {
    out: Mutex<UnixStream>,
    next: AtomicU64,
    /// `None` once the keeper is gone.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Reply>>>>,
    greeting: OnceLock<Greeting>,
    /// Whether it is used; before that it is only told what is barred.
    in_use: AtomicBool,
}

impl Inner {
    fn forget(&self, link: &Arc<Link>) {
        let current = self.link.load();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            self.link.store(None);
        }
        self.gone.notify_waiters();
    }
}

impl Link {
    fn send(&self, request: &Request, secret: Option<&Plaintext>) -> Result<oneshot::Receiver<Reply>, KeeperError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).as_mut().ok_or(KeeperError::Gone)?.insert(id, answer);
        let written = frame::write(&mut *lock(&self.out), id, request, secret);
        match written {
            Ok(()) => Ok(answered),
            Err(e) => {
                if let Some(waiting) = lock(&self.waiting).as_mut() {
                    waiting.remove(&id);
                }
                if e.kind() == io::ErrorKind::InvalidInput {
                    return Err(KeeperError::Refused(Refused::Parameters("the request is too long".to_owned())));
                }
                // A frame that was cut short cannot be taken back: this keeper is no longer usable.
                let _ = lock(&self.out).shutdown(Shutdown::Both);
                Err(KeeperError::Gone)
            }
        }
    }

    /// Hands answers to those who wait, until the keeper is gone.
    fn receive(self: Arc<Self>, mut from: UnixStream, inner: &Inner) {
        while let Ok(Some(frame)) = frame::read::<Reply>(&mut from) {
            let waiting = lock(&self.waiting).as_mut().and_then(|waiting| waiting.remove(&frame.id));
            if let Some(waiting) = waiting {
                let _ = waiting.send(frame.message);
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        // Dropping the senders wakes everyone with `Gone`.
        drop(lock(&self.waiting).take());
        inner.forget(&self);
    }
}

impl KeeperClient {
    /// Says hello over `stream`. The keeper that answers is told what is barred from now on, and is asked nothing else
    /// until [`Self::use_it`].
    ///
    /// # Errors
    /// [`KeeperError`]; a keeper that was there before stays.
    pub async fn attach(&self, stream: UnixStream, hello: Hello) -> Result<Greeting, KeeperError> {
        let gone = |_| KeeperError::Gone;
        let link = Arc::new(Link {
            out: Mutex::new(stream.try_clone().map_err(gone)?),
            next: AtomicU64::new(1),
            waiting: Mutex::new(Some(HashMap::new())),
            greeting: OnceLock::new(),
            in_use: AtomicBool::new(false),
        });
        let (reader, inner) = (link.clone(), self.inner.clone());
        std::thread::Builder::new()
            .name("keeper-answers".to_owned())
            .spawn(move || reader.receive(stream, &inner))
            .map_err(gone)?;
        match link.send(&Request::Hello(hello), None)?.await {
            Ok(Reply::Hello(greeting)) => {
                let greeting = link.greeting.get_or_init(|| greeting).clone();
                self.inner.link.store(Some(link.clone()));
                // It may have gone before it was stored; then nobody else takes it away again.
                if lock(&link.waiting).is_none() {
                    self.inner.forget(&link);
                    return Err(KeeperError::Gone);
                }
                Ok(greeting)
            }
            Ok(other) => Err(unexpected(other)),
            Err(_) => Err(KeeperError::Gone),
        }
    }

    /// Uses the keeper that is attached.
    pub fn use_it(&self) {
        if let Some(link) = self.inner.link.load().as_ref() {
            link.in_use.store(true, Ordering::SeqCst);
        }
    }

    /// Lets go of the keeper that is there.
    pub fn detach(&self) {
        if let Some(link) = self.inner.link.swap(None) {
            let _ = lock(&link.out).shutdown(Shutdown::Both);
        }
    }

    /// What the keeper said when it started; `None` when there is none.
    pub fn greeting(&self) -> Option<Greeting> {
        self.link().ok().and_then(|link| link.greeting.get().cloned())
    }

    /// Returns when the keeper that is there now is gone.
    pub async fn gone(&self) {
        let notified = self.inner.gone.notified();
        if self.inner.link.load().is_some() {
            notified.await;
        }
    }

    /// Signs; called by [`crate::execution`] alone, which holds the proof that the intent is recorded.
    pub(crate) async fn sign(&self, sign: Sign) -> Result<Signed, KeeperError> {
        let reply = self.call(&Request::Sign(Box::new(sign)), None).await?;
        if let Reply::Signed(signed) = reply { Ok(signed) } else { Err(unexpected(reply)) }
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing is kept of the secret then.
    pub fn seal(
        &self,
        seal: Seal,
        secret: Plaintext,
    ) -> impl Future<Output = Result<Vec<u8>, KeeperError>> + Send + use<> {
        let request = Request::Seal(Box::new(seal));
        // Sent here and now, so that the secret is gone before anything is awaited.
        let sent = self.link().and_then(|link| link.send(&request, Some(&secret)));
        drop(secret);
        async move {
            let reply = sent?.await.map_err(|_| KeeperError::Gone)?;
            if let Reply::Sealed(bytes) = reply { Ok(bytes) } else { Err(unexpected(reply)) }
        }
    }

    /// Whether a client has the secret of its virtual key. `passphrase` is what it showed, where the venue has one.
    ///
    /// # Errors
    /// [`Refused::Signature`] if it has not; any other [`KeeperError`] says nothing about it.
    pub fn verify(
        &self,
        verify: Verify,
        passphrase: Option<Plaintext>,
    ) -> impl Future<Output = Result<(), KeeperError>> + Send + use<> {
        let request = Request::Verify(Box::new(verify));
        let sent = self.link().and_then(|link| link.send(&request, passphrase.as_ref()));
        drop(passphrase);
        async move {
            let reply = sent?.await.map_err(|_| KeeperError::Gone)?;
            if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
        }
    }

    /// Makes a KEK.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn new_kek(&self, tenant: TenantId, version: u32) -> Result<KekRow, KeeperError> {
        let reply = self.call(&Request::NewKek { tenant, version }, None).await?;
        if let Reply::Kek(row) = reply { Ok(row) } else { Err(unexpected(reply)) }
    }

    /// The blind index of a key id.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn index(&self, tenant: TenantId, venue: VenueId, key_id: &str) -> Result<[u8; 32], KeeperError> {
        let request = Request::Index { tenant, venue, key_id: key_id.to_owned() };
        self.mac(&request).await
    }

    /// The pepper over an argon2id output.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn pepper(&self, argon2: [u8; 32]) -> Result<[u8; 32], KeeperError> {
        self.mac(&Request::Pepper { argon2 }).await
    }

    async fn mac(&self, request: &Request) -> Result<[u8; 32], KeeperError> {
        let reply = self.call(request, None).await?;
        if let Reply::Mac(mac) = reply { Ok(mac) } else { Err(unexpected(reply)) }
    }

    /// An access token.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_jwt(&self, claims: Claims) -> Result<String, KeeperError> {
        let reply = self.call(&Request::SignJwt(claims), None).await?;
        if let Reply::Jwt(token) = reply { Ok(token) } else { Err(unexpected(reply)) }
    }

    /// A signed checkpoint over a head.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn sign_checkpoint(&self, head: Head) -> Result<String, KeeperError> {
        let reply = self.call(&Request::SignCheckpoint(Box::new(head)), None).await?;
        if let Reply::Checkpoint(note) = reply { Ok(note) } else { Err(unexpected(reply)) }
    }

    /// Bars a scope. When this returns `Ok`, or when the keeper is [`KeeperError::Gone`], no signature for the barred
    /// intents gets out any more: a keeper that starts later signs only intents recorded after its start.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn bar(&self, scope: Scope, up_to: u64) -> Result<(), KeeperError> {
        let link = self.attached()?;
        let reply = link.send(&Request::Bar { scope, up_to }, None)?.await.map_err(|_| KeeperError::Gone)?;
        if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
    }

    /// Whether the token does what it should.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn health(&self) -> Result<(), KeeperError> {
        let reply = self.call(&Request::Health, None).await?;
        if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
    }

    fn attached(&self) -> Result<Arc<Link>, KeeperError> {
        self.inner.link.load_full().ok_or(KeeperError::Gone)
    }

    /// The keeper, if it is used.
    fn link(&self) -> Result<Arc<Link>, KeeperError> {
        self.attached().ok().filter(|link| link.in_use.load(Ordering::SeqCst)).ok_or(KeeperError::Gone)
    }

    async fn call(&self, request: &Request, secret: Option<&Plaintext>) -> Result<Reply, KeeperError> {
        let answer = self.link()?.send(request, secret)?;
        answer.await.map_err(|_| KeeperError::Gone)
    }
}

fn unexpected(reply: Reply) -> KeeperError {
    match reply {
        Reply::Refused(refused) => KeeperError::Refused(refused),
        Reply::Unavailable(why) => KeeperError::Token(why),
        Reply::Hello(_)
        | Reply::Signed(_)
        | Reply::Sealed(_)
        | Reply::Kek(_)
        | Reply::Mac(_)
        | Reply::Jwt(_)
        | Reply::Checkpoint(_)
        | Reply::Done => KeeperError::Gone,
    }
}
