//! What came in: receipts, raw requests, and the wire that must never be tripped.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Uri};
use serde::Serialize;

use crate::clock::Moment;

const RECEIPTS_MAX: usize = 20_000;
const RAW_MAX: usize = 256;
const TRIPPED_MAX: usize = 1_000;

/// A request with all its bytes.
#[derive(Debug)]
pub(crate) struct Received {
    /// Rises by one with every request, in the order of their headers.
    pub(crate) seq: u64,
    /// When the last header had been read.
    pub(crate) at: Moment,
    /// Where it came from.
    pub(crate) peer: IpAddr,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    /// A header's value, or empty.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The raw query string, or empty.
    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }
}

/// What is remembered of each request: no signature, no parameter.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Receipt {
    pub(crate) seq: u64,
    pub(crate) received_ns: u64,
    pub(crate) venue: &'static str,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) key_id: String,
    /// `None` where the venue asks for no signature.
    pub(crate) signed_ok: Option<bool>,
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    pub(crate) fault: Option<&'static str>,
}

/// A call that moves money or keys.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tripped {
    pub(crate) seq: u64,
    pub(crate) received_ns: u64,
    pub(crate) venue: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) key_id: String,
    pub(crate) correctly_signed: bool,
    pub(crate) rule: &'static str,
}

/// The answer of `GET /_sim/tripwire`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Tripwire {
    pub(crate) count: u64,
    pub(crate) correctly_signed: u64,
    pub(crate) calls: VecDeque<Tripped>,
}

/// A call that opens, renews or keeps up a session; what it proved itself with is not kept.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Login {
    pub(crate) seq: u64,
    pub(crate) received_ns: u64,
    pub(crate) venue: &'static str,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) key_id: String,
    /// Whether the venue knew the caller.
    pub(crate) accepted: bool,
}

/// All that is remembered.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    seq: AtomicU64,
    receipts: Mutex<VecDeque<Receipt>>,
    raw: Mutex<VecDeque<Arc<Received>>>,
    tripwire: Mutex<Tripwire>,
    logins: Mutex<VecDeque<Login>>,
}

impl Recorder {
    /// The number of the next request.
    pub(crate) fn next_seq(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Remembers a request's bytes.
    pub(crate) fn keep_raw(&self, received: &Arc<Received>) {
        push_bounded(&mut lock(&self.raw), RAW_MAX, Arc::clone(received));
    }

    /// Remembers that a request came.
    pub(crate) fn keep_receipt(&self, receipt: Receipt) {
        push_bounded(&mut lock(&self.receipts), RECEIPTS_MAX, receipt);
    }

    /// Sounds the alarm.
    #[expect(clippy::print_stderr, reason = "a tripped wire must be seen by whoever watches the terminal")]
    pub(crate) fn trip(&self, call: Tripped) {
        eprintln!(
            "TRIPWIRE venue={} {} {} key={} correctly_signed={} rule=\"{}\"",
            call.venue, call.method, call.path, call.key_id, call.correctly_signed, call.rule
        );
        let mut tripwire = lock(&self.tripwire);
        tripwire.count = tripwire.count.saturating_add(1);
        tripwire.correctly_signed = tripwire.correctly_signed.saturating_add(u64::from(call.correctly_signed));
        push_bounded(&mut tripwire.calls, TRIPPED_MAX, call);
    }

    /// Remembers a login.
    pub(crate) fn keep_login(&self, login: Login) {
        push_bounded(&mut lock(&self.logins), RECEIPTS_MAX, login);
    }

    /// The newest logins that `wanted` chooses, at most `limit`, oldest first.
    pub(crate) fn logins(&self, limit: usize, wanted: impl Fn(&Login) -> bool) -> Vec<Login> {
        newest(&lock(&self.logins), limit, wanted)
    }

    /// The newest receipts that `wanted` chooses, at most `limit`, oldest first.
    pub(crate) fn receipts(&self, limit: usize, wanted: impl Fn(&Receipt) -> bool) -> Vec<Receipt> {
        newest(&lock(&self.receipts), limit, wanted)
    }

    /// The newest raw requests, at most `limit`, oldest first.
    pub(crate) fn raw(&self, limit: usize) -> Vec<Arc<Received>> {
        newest(&lock(&self.raw), limit, |_| true)
    }

    /// What has tripped the wire so far.
    pub(crate) fn tripwire(&self) -> Tripwire {
        lock(&self.tripwire).clone()
    }

    /// Forgets everything but the sequence.
    pub(crate) fn clear(&self) {
        lock(&self.receipts).clear();
        lock(&self.raw).clear();
        lock(&self.logins).clear();
        *lock(&self.tripwire) = Tripwire::default();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn push_bounded<T>(ring: &mut VecDeque<T>, max: usize, item: T) {
    if ring.len() >= max {
        ring.pop_front();
    }
    ring.push_back(item);
}

fn newest<T: Clone>(ring: &VecDeque<T>, limit: usize, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let mut chosen: Vec<T> = ring.iter().rev().filter(|item| wanted(item)).take(limit).cloned().collect();
    chosen.reverse();
    chosen
}
