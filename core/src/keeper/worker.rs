//! The threads: each owns one token session, takes work from the queue, and forgets callers' keys when told or idle.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::frame::Frame;
use super::kek::KekRow;
use super::message::{Refused, Request};
use super::root::Uses;
use super::service::{Failure, Shared, lock};
use super::token_key;
use crate::clock::BootTime;
use crate::recovery::RecoveryKey;
use crate::store::Scope;
use crate::token::{Forget, Token};

/// A token call that takes longer means that the library hangs; the process is replaced.
pub(super) const STUCK_AFTER: Duration = Duration::from_millis(1_500);

/// Making a pair may take so much longer: primes are a matter of luck, and of what else the machine does. A new root key
/// is put to the admission test.
const BIRTH: Duration = Duration::from_secs(5);

/// How often a thread looks for callers' keys that it has not used for long.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// One thread's session and what it has verified with it.
pub(super) struct Worker<T> {
    pub(super) token: T,
    believed: HashSet<KekRow>,
    /// When it began what it does.
    pub(super) now: BootTime,
    roots: Arc<Uses>,
    recovery: Arc<OnceLock<Arc<RecoveryKey>>>,
    /// Whether the token vouched for it.
    is_vouched: bool,
}

impl<T: Token> Worker<T> {
    /// Checks a KEK row's MAC, once per row and thread, and remembers that its root key was used.
    pub(super) fn believe(&mut self, row: &KekRow) -> Result<(), Failure> {
        if row.is_withdrawn() {
            return Err(Refused::Withdrawn.into());
        }
        if self.believed.contains(row) {
            self.roots.used(row.blob.root, self.now);
            return Ok(());
        }
        if !row.is_genuine(&mut self.token)? {
            return Err(Refused::Tampered.into());
        }
        if self.believed.len() >= 4_096 {
            self.believed.clear();
        }
        self.believed.insert(row.clone());
        self.roots.used(row.blob.root, self.now);
        Ok(())
    }
}

impl<T: Token> Worker<T> {
    /// The recovery key, if there is one: what the front named, once the token has vouched for it.
    pub(super) fn recovery_key(&mut self) -> Result<Option<Arc<RecoveryKey>>, Failure> {
        let Some(key) = self.recovery.get().cloned() else { return Ok(None) };
        if !self.is_vouched && !key.is_genuine(&mut self.token)? {
            return Err(Refused::Recovery.into());
        }
        self.is_vouched = true;
        Ok(Some(key))
    }
}

/// What a thread is told and says beside the queue.
#[derive(Default)]
pub(super) struct Post {
    /// Since when it is busy; zero when it is not. Later than now, if what it does may take longer than anything else.
    since: AtomicU64,
    /// What it is to forget.
    forget: Mutex<Vec<Forget>>,
}

/// What a thread does next.
enum Task {
    Serve(Box<Frame<Request>>),
    Tidy,
}

impl Task {
    fn makes_a_key(&self) -> bool {
        let Self::Serve(frame) = self else { return false };
        matches!(
            frame.message,
            Request::Birth(_) | Request::NewRoot { .. } | Request::KekDoor { .. } | Request::ImportKek(_)
        )
    }
}

impl Shared {
    pub(super) fn work<T: Token>(&self, token: T, post: &Post) -> T {
        let mut tidied = self.clock.boot();
        let (roots, recovery) = (self.roots.clone(), self.recovery.clone());
        let mut worker = Worker { token, believed: HashSet::new(), now: tidied, roots, recovery, is_vouched: false };
        while let Some(task) = self.next(post) {
            let now = self.clock.boot();
            worker.now = now;
            let patience = if task.makes_a_key() { BIRTH } else { Duration::ZERO };
            post.since.store(now.after(patience).0, Ordering::SeqCst);
            for what in std::mem::take(&mut *lock(&post.forget)) {
                worker.token.forget(what);
                if what == Forget::Keks {
                    worker.believed.clear();
                }
            }
            if tidied.until(now) >= TIDY_EVERY {
                worker.token.forget(Forget::Idle(now));
                tidied = now;
            }
            if let Task::Serve(frame) = task {
                self.serve(&mut worker, *frame);
            }
            if worker.token.leaked_bytes() >= self.config.leak_bytes_max {
                self.worn.store(true, Ordering::SeqCst);
            }
            post.since.store(0, Ordering::SeqCst);
        }
        worker.token
    }

    fn next(&self, post: &Post) -> Option<Task> {
        let mut queue = lock(&self.queue);
        loop {
            if self.closing.load(Ordering::SeqCst) {
                return None;
            }
            if let Some(frame) = queue.pop_front() {
                return Some(Task::Serve(Box::new(frame)));
            }
            if !lock(&post.forget).is_empty() {
                return Some(Task::Tidy);
            }
            let (woken, waited) = self.more.wait_timeout(queue, TIDY_EVERY).unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return Some(Task::Tidy);
            }
            queue = woken;
        }
    }

    /// Has every thread give up the keys that a stop reaches. What they have signed meanwhile, the bar holds back.
    pub(super) fn forget(&self, scope: &Scope) {
        let what = match scope {
            Scope::Credential(id) => Forget::Holder(token_key::holder_of(*id)),
            Scope::All | Scope::Tenant(_) | Scope::Owner(..) | Scope::Venue(_) => Forget::All,
            // These do not own keys.
            Scope::App(_) | Scope::Grant(_) | Scope::VirtualKey(_) => return,
        };
        self.give_up(what);
    }

    /// Has every thread give up what it has unwrapped.
    pub(super) fn give_up(&self, what: Forget) {
        // Under the queue's lock, or a thread that is about to wait would not see it.
        let queue = lock(&self.queue);
        for post in &self.posts {
            lock(&post.forget).push(what);
        }
        drop(queue);
        self.more.notify_all();
    }

    /// Ends the process when a token call hangs.
    pub(super) fn watch(&self, stuck: &impl Fn()) {
        while !self.closing.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(50));
            let now = self.clock.boot();
            let hangs = |since: u64| since != 0 && BootTime(since).until(now) > STUCK_AFTER;
            if self.posts.iter().any(|post| hangs(post.since.load(Ordering::SeqCst))) {
                stuck();
            }
        }
    }
}
