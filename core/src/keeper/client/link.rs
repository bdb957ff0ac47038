//! One keeper's socket, and who waits for its answers.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{Notify, oneshot};

use super::{Inner, KeeperError};
use crate::keeper::frame;
use crate::keeper::message::{Greeting, Refused, Reply, Request};
use crate::keeper::service::lock;
use crate::secret::Plaintext;

#[derive(Debug)]
pub(super) struct Link {
    out: Mutex<UnixStream>,
    next: AtomicU64,
    /// `None` once the keeper is gone.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Reply>>>>,
    pub(super) greeting: OnceLock<Greeting>,
    answered: Notify,
}

impl Link {
    pub(super) fn new(out: UnixStream) -> Self {
        Self {
            out: Mutex::new(out),
            next: AtomicU64::new(1),
            waiting: Mutex::new(Some(HashMap::new())),
            greeting: OnceLock::new(),
            answered: Notify::new(),
        }
    }

    /// Lets it go at once.
    pub(super) fn cut(&self) {
        let _ = lock(&self.out).shutdown(Shutdown::Both);
    }

    pub(super) fn send(
        &self,
        request: &Request,
        secret: Option<&Plaintext>,
    ) -> Result<oneshot::Receiver<Reply>, KeeperError> {
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
                self.cut();
                Err(KeeperError::Gone)
            }
        }
    }

    /// Hands answers to those who wait, until the keeper is gone.
    pub(super) fn receive(self: Arc<Self>, mut from: UnixStream, inner: &Inner) {
        while let Ok(Some(frame)) = frame::read::<Reply>(&mut from) {
            let waiting = lock(&self.waiting).as_mut().and_then(|waiting| waiting.remove(&frame.id));
            if let Some(waiting) = waiting {
                let _ = waiting.send(frame.message);
            }
            self.answered.notify_waiters();
        }
        let _ = from.shutdown(Shutdown::Both);
        // Dropping the senders wakes everyone with `Gone`.
        drop(lock(&self.waiting).take());
        self.answered.notify_waiters();
        inner.forget(&self);
    }

    /// Lets it go when it has answered everything. What is asked of it after that is certain not to have left.
    pub(super) async fn relieve(&self) {
        loop {
            let answered = self.answered.notified();
            if lock(&self.waiting).take_if(|waiting| waiting.is_empty()).is_some() {
                break;
            }
            if self.is_gone() {
                return;
            }
            answered.await;
        }
        let mut out = lock(&self.out);
        let _ = frame::write(&mut *out, 0, &Request::Relieved, None::<&Plaintext>);
        let _ = out.shutdown(Shutdown::Write);
    }

    pub(super) fn is_gone(&self) -> bool {
        lock(&self.waiting).is_none()
    }
}
