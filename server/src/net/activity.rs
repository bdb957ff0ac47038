//! What a connection is doing, and when that has lasted too long.
//!
//! hyper's own header timeout runs between requests too, and its HTTP/2 side has no idle limit and waits for ever for
//! a client that does not take its answers. So the stages are told apart here, for both protocols alike.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::{Instant, Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

use super::{
    Limits,
    plain::{LINGER, discard_ready},
};

/// Why a connection is ended from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// No request for too long.
    Idle,
    /// A request's header that does not end.
    Header,
    /// An answer that is not taken.
    Answer,
}

impl End {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Header => "header",
            Self::Answer => "answer",
        }
    }
}

#[derive(Debug)]
struct State {
    /// Requests whose answer is not complete.
    exchanges: usize,
    /// When the last exchange ended.
    idle_since: Instant,
    /// When the first byte came that belongs to no exchange.
    header_since: Option<Instant>,
    /// Until when each answer has to be taken, in the order in which they began.
    answers: BTreeMap<u64, Instant>,
    answers_begun: u64,
    /// Since when the connection is being closed.
    closing_since: Option<Instant>,
}

impl State {
    fn new(now: Instant) -> Self {
        Self {
            exchanges: 0,
            idle_since: now,
            header_since: None,
            answers: BTreeMap::new(),
            answers_begun: 0,
            closing_since: None,
        }
    }

    /// Notes that bytes came, and says whether they begin a header.
    fn received(&mut self, now: Instant) -> bool {
        let begins = self.exchanges == 0 && self.header_since.is_none();
        if begins {
            self.header_since = Some(now);
        }
        begins
    }

    fn begin_exchange(&mut self) {
        self.exchanges = self.exchanges.saturating_add(1);
        self.header_since = None;
    }

    fn begin_answer(&mut self, until: Instant) -> u64 {
        let number = self.answers_begun;
        self.answers_begun = number.saturating_add(1);
        self.answers.insert(number, until);
        number
    }

    fn end_exchange(&mut self, answer: Option<u64>, now: Instant) {
        if let Some(number) = answer {
            self.answers.remove(&number);
        }
        self.exchanges = self.exchanges.saturating_sub(1);
        if self.exchanges == 0 {
            self.idle_since = now;
        }
    }

    /// When to look again, or why the connection has to end by `now`.
    fn check(&self, now: Instant, limits: &Limits) -> Result<Instant, End> {
        let (deadline, end) = self.deadline(now, limits);
        if deadline <= now { Err(end) } else { Ok(deadline) }
    }

    fn deadline(&self, now: Instant, limits: &Limits) -> (Instant, End) {
        // Deadlines grow with their numbers, since all answers get the same time.
        if let Some((_, &until)) = self.answers.first_key_value() {
            return (until, End::Answer);
        }
        if self.exchanges > 0 {
            // Handler and body have deadlines of their own; an answer that begins is announced.
            return (after(now, limits.request), End::Answer);
        }
        match self.header_since {
            Some(since) => (after(since, limits.header), End::Header),
            None => match self.closing_since {
                Some(since) => (after(since.max(self.idle_since), LINGER), End::Idle),
                None => (after(self.idle_since, limits.idle), End::Idle),
            },
        }
    }
}

/// The state of one connection, shared by its transport, its exchanges and the task that watches over it.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    /// A deadline may have come nearer.
    changed: Notify,
    /// Whether a byte outside of an exchange can only be a request's: HTTP/2 also has pings, settings and windows.
    bytes_are_headers: bool,
}

impl Activity {
    pub(super) fn new(h2: bool) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::new(Instant::now())), changed: Notify::new(), bytes_are_headers: !h2 })
    }

    /// Begins an exchange, which lasts until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Exchange {
        self.lock().begin_exchange();
        Exchange { activity: Arc::clone(self), answer: None }
    }

    /// Asks for the end of the connection once its exchanges are over.
    pub(super) fn close(&self) {
        self.lock().closing_since.get_or_insert_with(Instant::now);
        self.changed.notify_one();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing_since.is_some()
    }

    /// Waits until a deadline may have come nearer, or the connection is to be closed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When to look again, or why the connection has to end.
    pub(super) fn check(&self, limits: &Limits) -> Result<Instant, End> {
        self.lock().check(Instant::now(), limits)
    }

    fn received(&self) {
        if self.bytes_are_headers && self.lock().received(Instant::now()) {
            self.changed.notify_one();
        }
    }

    /// Every method leaves the state whole, so a poisoned lock guards nothing broken.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `limit` after `start`; longer than a year is a year, so that no sum overflows.
pub(super) fn after(start: Instant, limit: Duration) -> Instant {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    start.checked_add(limit.min(YEAR)).unwrap_or(start)
}

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    activity: Arc<Activity>,
    answer: Option<u64>,
}

impl Exchange {
    /// The handler has answered; the client has to take it until `deadline`.
    pub(super) fn answer_until(&mut self, deadline: Instant) {
        self.answer = Some(self.activity.lock().begin_answer(deadline));
        self.activity.changed.notify_one();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.activity.lock().end_exchange(self.answer, Instant::now());
        self.activity.changed.notify_one();
    }
}

/// The transport of a connection: it notes what arrives, and takes leave properly.
#[derive(Debug)]
pub(super) struct Watched {
    tls: TlsStream<TcpStream>,
    activity: Arc<Activity>,
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(tls: TlsStream<TcpStream>, activity: Arc<Activity>) -> Self {
        Self { tls, activity, lingering: None }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.tls).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    /// Says goodbye, then takes what the client still sends for a moment, so that it gets to read the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.tls).poll_shutdown(cx))?;
        }
        let Self { tls, lingering, .. } = &mut *self;
        let lingering = lingering.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let (tcp, _) = tls.get_ref();
        loop {
            if lingering.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            ready!(tcp.poll_read_ready(cx))?;
            match discard_ready(tcp) {
                Ok(0) => return Poll::Ready(Ok(())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, seconds: u64) -> Instant {
        after(start, Duration::from_secs(seconds))
    }

    /// What the default limits (header 10 s, answer 30 s, idle 60 s) say `seconds` after `start`.
    fn check(state: &State, start: Instant, seconds: u64) -> Option<End> {
        state.check(at(start, seconds), &Limits::default()).err()
    }

    #[test]
    fn silence_ends_at_the_idle_limit() {
        let start = Instant::now();
        let state = State::new(start);

        assert_eq!(check(&state, start, 59), None);
        assert_eq!(check(&state, start, 60), Some(End::Idle));
    }

    #[test]
    fn a_header_ends_at_its_own_limit_however_many_bytes_come() {
        let start = Instant::now();
        let mut state = State::new(start);
        assert!(state.received(start));
        assert!(!state.received(at(start, 5)));

        assert_eq!(check(&state, start, 9), None);
        assert_eq!(check(&state, start, 10), Some(End::Header));
    }

    #[test]
    fn a_working_handler_is_no_idle_connection() {
        let start = Instant::now();
        let mut state = State::new(start);
        state.received(start);
        state.begin_exchange();
        assert_eq!(check(&state, start, 3600), None);

        state.end_exchange(None, at(start, 3600));
        assert_eq!(check(&state, start, 3659), None);
        assert_eq!(check(&state, start, 3660), Some(End::Idle));
    }

    #[test]
    fn an_answer_that_is_not_taken_ends_the_connection() {
        let start = Instant::now();
        let mut state = State::new(start);
        state.begin_exchange();
        state.begin_exchange();
        let taken = state.begin_answer(at(start, 20));
        state.begin_answer(at(start, 30));
        state.end_exchange(Some(taken), at(start, 5));

        assert_eq!(check(&state, start, 29), None);
        assert_eq!(check(&state, start, 30), Some(End::Answer));
    }

    #[test]
    fn a_closing_connection_lingers_only_for_a_moment() {
        let start = Instant::now();
        let mut state = State::new(start);
        state.closing_since = Some(at(start, 5));

        assert_eq!(check(&state, start, 5), None);
        assert_eq!(check(&state, start, 6), Some(End::Idle));
    }
}
