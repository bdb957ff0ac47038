//! What a venue remembers between the calls of one key: tokens handed out for a login, the brokerage session, the
//! wrong tries.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_lc_rs::rand;
use data_encoding::BASE64URL_NOPAD;

use crate::book::Draft;
use crate::clock::Moment;

/// Wrong tries at which a venue stops listening to a login.
const TRIES_MAX: u32 = 3;

/// The sessions of one key.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// Oldest first.
    tokens: Vec<Token>,
    opened: u64,
    pub(crate) brokerage: Brokerage,
    pub(crate) penalty: Penalty,
    /// Nonces by the second that they were signed in.
    nonces: BTreeMap<u64, BTreeSet<String>>,
}

#[derive(Debug)]
struct Token {
    text: String,
    session: u64,
    expires: Moment,
}

impl Sessions {
    /// Opens a session with its first token; beyond `sessions_max` the oldest session ends.
    pub(crate) fn open(&mut self, text: String, expires: Moment, sessions_max: usize) {
        self.opened = self.opened.saturating_add(1);
        self.tokens.push(Token { text, session: self.opened, expires });
        let sessions: BTreeSet<u64> = self.tokens.iter().map(|token| token.session).collect();
        if let Some(oldest_kept) = sessions.iter().rev().nth(sessions_max.saturating_sub(1)).copied() {
            self.tokens.retain(|token| token.session >= oldest_kept);
        }
    }

    /// Adds a token to the session of another one, which stays valid until its own end.
    pub(crate) fn renew(&mut self, old: &str, text: String, expires: Moment) {
        if let Some(session) = self.tokens.iter().find(|token| token.text == old).map(|token| token.session) {
            self.tokens.push(Token { text, session, expires });
        }
    }

    /// Whether `text` is a token that lives.
    pub(crate) fn holds(&self, text: &str, at: Moment) -> bool {
        self.living(at).any(|token| token == text)
    }

    /// The tokens that live.
    pub(crate) fn living(&self, at: Moment) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter(move |token| at < token.expires).map(|token| token.text.as_str())
    }

    /// Takes a nonce once; those signed before `oldest_s` are forgotten, for their time is refused anyway.
    pub(crate) fn take_nonce(&mut self, nonce: &str, signed_s: u64, oldest_s: u64) -> bool {
        self.nonces = self.nonces.split_off(&oldest_s);
        self.nonces.entry(signed_s).or_default().insert(nonce.to_owned())
    }

    /// Ends every token, and the brokerage session with them.
    pub(crate) fn end(&mut self) {
        self.tokens.clear();
        self.brokerage = Brokerage::default();
    }
}

/// What stands between a live token and an order at Interactive Brokers.
#[derive(Debug, Default)]
pub(crate) struct Brokerage {
    /// Whether the session was initialised.
    pub(crate) open: bool,
    /// Whether the accounts were asked for in it.
    pub(crate) accounts_seen: bool,
    /// Orders that wait for an answer to a question.
    pub(crate) questions: HashMap<String, Vec<Draft>>,
}

/// How a venue slows down whoever guesses passwords.
#[derive(Debug, Default)]
pub(crate) struct Penalty {
    wrong: u32,
    ticket: Option<(String, Moment)>,
}

impl Penalty {
    /// Counts a wrong try; too many give a ticket that is good from `until` on.
    pub(crate) fn count(&mut self, until: Moment) {
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= TRIES_MAX {
            self.ticket = Some((random_text(12), until));
        }
    }

    /// The ticket in force and the whole seconds to wait, unless `shown` redeems it.
    pub(crate) fn owed(&self, shown: Option<&str>, at: Moment) -> Option<(&str, u64)> {
        let (ticket, until) = self.ticket.as_ref()?;
        let wait_ns = until.ns().saturating_sub(at.ns());
        let redeemed = shown == Some(ticket) && wait_ns == 0;
        (!redeemed).then(|| (ticket.as_str(), wait_ns.div_ceil(1_000_000_000)))
    }

    /// Forgets all wrong tries.
    pub(crate) fn forgive(&mut self) {
        *self = Self::default();
    }
}

/// A text of `bytes` random bytes that needs no encoding anywhere.
pub(crate) fn random_text(bytes: usize) -> String {
    BASE64URL_NOPAD.encode(&random_bytes(bytes))
}

/// Random bytes.
pub(crate) fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    // The system's source does not fail once it has been seeded; a guessable token harms no test.
    let _filled = rand::fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_token_leaves_the_old_one_and_a_third_session_ends_the_first() {
        let mut sessions = Sessions::default();
        let at = Moment::from_ms;
        sessions.open("a".into(), at(10), 2);
        sessions.renew("a", "a2".into(), at(20));
        sessions.open("b".into(), at(20), 2);
        assert_eq!(sessions.living(at(9)).collect::<Vec<_>>(), ["a", "a2", "b"]);
        assert_eq!(sessions.living(at(10)).collect::<Vec<_>>(), ["a2", "b"]);
        sessions.open("c".into(), at(20), 2);
        assert_eq!(sessions.living(at(9)).collect::<Vec<_>>(), ["b", "c"]);
        sessions.end();
        assert!(!sessions.holds("c", at(9)));
    }

    #[test]
    fn wrong_tries_cost_time_and_a_ticket() {
        let mut penalty = Penalty::default();
        let (now, until) = (Moment::from_ms(1_000), Moment::from_ms(16_000));
        for _ in 1..TRIES_MAX {
            penalty.count(until);
            assert_eq!(penalty.owed(None, now), None);
        }
        penalty.count(until);
        let ticket = penalty.owed(None, now).unwrap().0.to_owned();
        assert_eq!(penalty.owed(Some(&ticket), now), Some((ticket.as_str(), 15)));
        assert_eq!(penalty.owed(None, until), Some((ticket.as_str(), 0)));
        assert_eq!(penalty.owed(Some(&ticket), until), None);
    }

    #[test]
    fn a_nonce_is_taken_once() {
        let mut sessions = Sessions::default();
        assert!(sessions.take_nonce("n", 5, 0));
        assert!(!sessions.take_nonce("n", 5, 5));
        assert!(sessions.take_nonce("n", 6, 6), "an older second is forgotten");
    }
}
