//! The front's side: typed calls, answered by whichever keeper is there.

mod calls;
mod link;

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, oneshot};

use super::message::{Greeting, Hello, Refused, Reply, Request};
use crate::secret::Plaintext;
use crate::store::Scope;

use link::Link;

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

/// While one keeper relieves another, there are two or three; each of them is told what is barred.
///
/// They are written in the order `old`, `link`, `next`, and read in the other, so that a bar misses none.
#[derive(Debug, Default)]
struct Inner {
    /// Attached, and not used yet.
    next: ArcSwapOption<Link>,
    /// In use.
    link: ArcSwapOption<Link>,
    /// Asked nothing any more; it answers what it was asked before.
    old: ArcSwapOption<Link>,
    gone: Notify,
}

impl Inner {
    fn forget(&self, link: &Arc<Link>) {
        for slot in [&self.next, &self.link, &self.old] {
            slot.rcu(|held| held.clone().filter(|held| !Arc::ptr_eq(held, link)));
        }
        self.gone.notify_waiters();
    }
}

impl KeeperClient {
    /// Says hello over `stream`. The keeper that answers is told what is barred from now on, and is asked nothing else
    /// until [`Self::use_it`]; one that is in use stays so.
    ///
    /// # Errors
    /// [`KeeperError`]; a keeper that was there before stays.
    pub async fn attach(&self, stream: UnixStream, hello: Hello) -> Result<Greeting, KeeperError> {
        let gone = |_| KeeperError::Gone;
        let link = Arc::new(Link::new(stream.try_clone().map_err(gone)?));
        let (reader, inner) = (link.clone(), self.inner.clone());
        std::thread::Builder::new()
            .name("keeper-answers".to_owned())
            .spawn(move || reader.receive(stream, &inner))
            .map_err(gone)?;
        match link.send(&Request::Hello(hello), None)?.await {
            Ok(Reply::Hello(greeting)) => {
                let greeting = link.greeting.get_or_init(|| greeting).clone();
                self.inner.next.store(Some(link.clone()));
                // It may have gone before it was stored; then nobody else takes it away again.
                if link.is_gone() {
                    self.inner.forget(&link);
                    return Err(KeeperError::Gone);
                }
                Ok(greeting)
            }
            Ok(other) => Err(unexpected(other)),
            Err(_) => Err(KeeperError::Gone),
        }
    }

    /// Uses the keeper that is attached, if it is still there. One that was in use before is relieved.
    ///
    /// # Errors
    /// [`KeeperError::Gone`] if none is attached; nothing is changed then.
    pub fn use_it(&self) -> Result<Relief, KeeperError> {
        let next = self.inner.next.load_full().filter(|next| !next.is_gone()).ok_or(KeeperError::Gone)?;
        let before = self.inner.link.load_full();
        self.inner.old.store(before.clone());
        self.inner.link.store(Some(next.clone()));
        self.inner.next.store(None);
        // It may have gone before it was stored; then nobody else takes it away again.
        if next.is_gone() {
            self.inner.forget(&next);
        }
        Ok(Relief(before))
    }

    /// Whether a keeper is in use.
    pub fn is_in_use(&self) -> bool {
        self.inner.link.load().is_some()
    }

    /// Lets go of the keeper that is in use.
    pub fn detach(&self) {
        if let Some(link) = self.inner.link.swap(None) {
            link.cut();
        }
    }

    /// Lets go of the keeper that is attached and not in use yet.
    pub fn detach_next(&self) {
        if let Some(next) = self.inner.next.swap(None) {
            next.cut();
        }
    }

    /// What the keeper said when it started; `None` when there is none.
    pub fn greeting(&self) -> Option<Greeting> {
        self.link().ok().and_then(|link| link.greeting.get().cloned())
    }

    /// Returns when the keeper that is in use now is gone.
    pub async fn gone(&self) {
        loop {
            let notified = self.inner.gone.notified();
            if !self.is_in_use() {
                return;
            }
            notified.await;
        }
    }

    /// Bars a scope. When this returns `Ok`, or when the keeper is [`KeeperError::Gone`], no signature for the barred
    /// intents gets out any more: a keeper that starts later signs only intents recorded after its start.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn bar(&self, scope: Scope, up_to: u64) -> Result<(), KeeperError> {
        self.tell_all(&bar_of(&scope, up_to)).await
    }

    /// Has every keeper give up what it unwrapped of KEKs. One that is [`KeeperError::Gone`] has.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn forget_keks(&self) -> Result<(), KeeperError> {
        self.tell_all(&Request::ForgetKeks).await
    }

    async fn tell_all(&self, request: &Request) -> Result<(), KeeperError> {
        let slots = [&self.inner.next, &self.inner.link, &self.inner.old];
        // All are told before the first answer is waited for.
        let told = slots.map(|slot| slot.load_full().map(|link| link.send(request, None)));
        let mut done = Err(KeeperError::Gone);
        for told in told.into_iter().flatten() {
            match heard(told).await {
                Ok(()) => done = Ok(()),
                // What is gone signs nothing.
                Err(KeeperError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        done
    }

    /// Bars a scope at the keeper that is attached and not in use yet; the others go on.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub(crate) async fn bar_next(&self, scope: Scope, up_to: u64) -> Result<(), KeeperError> {
        let next = self.inner.next.load_full().ok_or(KeeperError::Gone)?;
        heard(next.send(&bar_of(&scope, up_to), None)).await
    }

    /// The keeper that is in use.
    fn link(&self) -> Result<Arc<Link>, KeeperError> {
        self.inner.link.load_full().ok_or(KeeperError::Gone)
    }

    /// Sends to the keeper that is in use. One that was relieved between the two took nothing: then it is the next's.
    fn send(&self, request: &Request, secret: Option<&Plaintext>) -> Result<oneshot::Receiver<Reply>, KeeperError> {
        let link = self.link()?;
        match link.send(request, secret) {
            Err(KeeperError::Gone) if link.is_gone() => {
                let next = self.link()?;
                if Arc::ptr_eq(&link, &next) { Err(KeeperError::Gone) } else { next.send(request, secret) }
            }
            sent => sent,
        }
    }
}

/// A keeper that was in use until a moment ago.
#[derive(Debug)]
#[must_use]
pub struct Relief(Option<Arc<Link>>);

impl Relief {
    /// Waits until it has answered what it was asked, and lets it go. Who does not wait for that cuts it off: a stop must
    /// not wait for a keeper that answers nobody.
    pub async fn done(self) {
        if let Some(old) = &self.0 {
            old.relieve().await;
        }
    }
}

impl Drop for Relief {
    fn drop(&mut self) {
        if let Some(old) = &self.0 {
            old.cut();
        }
    }
}

fn bar_of(scope: &Scope, up_to: u64) -> Request {
    Request::Bar { scope: scope.clone(), up_to }
}

async fn heard(told: Result<oneshot::Receiver<Reply>, KeeperError>) -> Result<(), KeeperError> {
    let reply = told?.await.map_err(|_| KeeperError::Gone)?;
    if let Reply::Done = reply { Ok(()) } else { Err(unexpected(reply)) }
}

fn unexpected(reply: Reply) -> KeeperError {
    match reply {
        Reply::Refused(refused) => KeeperError::Refused(refused),
        Reply::Unavailable(why) => KeeperError::Token(why),
        Reply::Hello(_)
        | Reply::Signed(_)
        | Reply::Login(_)
        | Reply::Sealed(_)
        | Reply::Token(_)
        | Reply::Born(_)
        | Reply::KeyObjects(_)
        | Reply::Alive { .. }
        | Reply::Kek(_)
        | Reply::KekDoor(_)
        | Reply::Roots(_)
        | Reply::Step(_)
        | Reply::Mac(_)
        | Reply::Jwt(_)
        | Reply::Checkpoint(_)
        | Reply::Tombstone(_)
        | Reply::Contact(_)
        | Reply::Webhook(_)
        | Reply::Recovered(_)
        | Reply::Done => KeeperError::Gone,
    }
}
