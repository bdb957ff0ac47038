//! Passwords: which are good enough, and how they are hashed.
//!
//! A password is taken as the bytes that were sent, UTF-8; no form of Unicode is made of another. It is nowhere but in
//! the request and, while it is looked at, in the arena and on the estimator's heap, which is wiped when it is freed.

use std::collections::HashSet;
use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use claviger_core::secret::{Plaintext, wipe_stack};
use claviger_core::service::{NewPassword, Part, ServiceError};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};
use zeroize::Zeroizing;
use zxcvbn::Score;

/// The shortest and the longest password, characters.
const CHARS: std::ops::RangeInclusive<usize> = 12..=256;

/// Passwords that people often choose, in lower case and without the digits and signs at their ends. From the list that
/// Django ships (`django/contrib/auth/common-passwords.txt.gz`, 20,000 entries, made public by Royce Williams).
const LIST: &str = include_str!("../../data/common-passwords.txt");

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| LIST.lines().collect());

/// Passwords that are hashed at one time: each takes 64 MiB.
static HASHING: Semaphore = Semaphore::const_new(4);

/// Passwords that are hashed or wait for it, of strangers and of who is known: a device that an operator has logged in
/// from, an invited person, a login. Strangers leave the others their places.
static STRANGERS: Semaphore = Semaphore::const_new(PLACES);
static KNOWN: Semaphore = Semaphore::const_new(PLACES);
const PLACES: usize = 16;

/// Leave to hash one password.
#[derive(Debug)]
pub struct Turn {
    _place: SemaphorePermit<'static>,
    _hashing: SemaphorePermit<'static>,
}

/// Waits until a password may be hashed.
///
/// # Errors
/// [`ServiceError::Unavailable`] when too many wait already.
pub async fn turn(known: bool) -> Result<Turn, ServiceError> {
    let busy = |_| ServiceError::Unavailable {
        part: Part::Load,
        text: "too many log in at this moment: try again; nothing was done".to_owned(),
    };
    let place = if known { &KNOWN } else { &STRANGERS }.try_acquire().map_err(busy)?;
    // The semaphore is never closed.
    let hashing = HASHING.acquire().await.map_err(|_| busy(TryAcquireError::Closed))?;
    Ok(Turn { _place: place, _hashing: hashing })
}

/// Why a password is not taken. Nothing says what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// It is not text that a person can type.
    #[error("a password is text without control characters; nothing was changed")]
    Unreadable,
    /// It is too short or too long.
    #[error(
        "a password has 12 to 256 characters: four or five words that have nothing to do with each other are good; nothing was changed"
    )]
    Length,
    /// It is one that many people use.
    #[error(
        "this password is on a list of common ones, perhaps with digits at its end: choose another; nothing was changed"
    )]
    Common,
    /// It is guessed too soon.
    #[error(
        "this password is guessed too soon{0}; four or five words that have nothing to do with each other are good; nothing was changed"
    )]
    Guessable(String),
}

impl Weak {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable => "password_unreadable",
            Self::Length => "password_length",
            Self::Common => "password_common",
            Self::Guessable(_) => "password_guessable",
        }
    }
}

impl From<Weak> for ServiceError {
    fn from(weak: Weak) -> Self {
        Self::Invalid { code: weak.code(), text: weak.to_string() }
    }
}

/// Whether a password of this operator is good enough.
///
/// # Errors
/// [`Weak`].
pub fn good_enough(password: &[u8], operator: &str) -> Result<(), Weak> {
    let text = std::str::from_utf8(password).map_err(|_| Weak::Unreadable)?;
    if text.chars().any(char::is_control) {
        return Err(Weak::Unreadable);
    }
    if !CHARS.contains(&text.chars().count()) {
        return Err(Weak::Length);
    }
    let folded = Zeroizing::new(text.to_lowercase());
    let stem = folded.trim_end_matches(|c: char| !c.is_alphabetic());
    if COMMON.contains(folded.as_str()) || COMMON.contains(stem) {
        return Err(Weak::Common);
    }
    let estimate = zxcvbn::zxcvbn(text, &[operator, "claviger"]);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let warning = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    Err(Weak::Guessable(warning.map(|warning| format!(" ({warning})")).unwrap_or_default()))
}

/// argon2id of a password, 64 MiB and 3 passes; the keeper's pepper goes over it. Slow: never on a runtime thread.
#[must_use]
pub fn argon2id(password: &[u8], salt: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(64 * 1024, 3, 1, Some(32)).ok()?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password, salt, &mut *out).ok()?;
    Some(out)
}

/// The argon2id output of a password that was shown; of no password it is one that fits nothing.
///
/// # Errors
/// [`ServiceError::Unavailable`] when too many wait; nothing was hashed.
pub async fn hashed(
    read: impl FnOnce() -> Option<Plaintext> + Send + 'static,
    salt: [u8; 16],
    known: bool,
) -> Result<Zeroizing<[u8; 32]>, ServiceError> {
    let _turn = turn(known).await?;
    let hashed = tokio::task::spawn_blocking(move || {
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: a password is hashed")]
        read()?.expose(|password| argon2id(password, &salt))
    });
    Ok(hashed.await.ok().flatten().unwrap_or_default())
}

/// A new password, if it is good enough, of somebody who is known.
///
/// # Errors
/// [`ServiceError::Invalid`] says what to do; [`ServiceError::Unavailable`] when too many wait.
pub async fn chosen(
    read: impl FnOnce() -> Option<Plaintext> + Send + 'static,
    operator: String,
) -> Result<NewPassword, ServiceError> {
    let _turn = turn(true).await?;
    let chosen = tokio::task::spawn_blocking(move || {
        let password = read().ok_or(Weak::Unreadable)?;
        let chosen = taken(&password, &operator);
        wipe_stack();
        chosen
    });
    chosen.await.unwrap_or_else(|_| Err(ServiceError::from(Weak::Unreadable)))
}

/// A new password, if it is good enough. Slow: never on a runtime thread.
///
/// # Errors
/// [`ServiceError`].
pub fn taken(password: &Plaintext, operator: &str) -> Result<NewPassword, ServiceError> {
    let down =
        |text: &str| ServiceError::Unavailable { part: Part::Load, text: format!("{text}; nothing was changed") };
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| down("the operating system gives no random numbers"))?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: a new password is judged and hashed")]
    let argon2 = password.expose(|password| {
        good_enough(password, operator)?;
        Ok::<_, Weak>(argon2id(password, &salt))
    })?;
    let argon2 = argon2.ok_or_else(|| down("there is no memory for argon2"))?;
    Ok(NewPassword { salt, argon2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_and_told_why() {
        let check = |password: &str, code: &str| {
            let weak = good_enough(password.as_bytes(), "ada.lovelace").unwrap_err();
            assert_eq!(weak.code(), code, "{password}: {weak}");
            assert!(!weak.to_string().contains(password));
        };
        check("short", "password_length");
        check(&"a9!x".repeat(65), "password_length");
        check("tab\tin the middle of it", "password_unreadable");
        check("Password!!!!", "password_common");
        check("password123456789", "password_common");
        check("SUNSHINE-2026-11", "password_common");
        check("butterfly1234567!", "password_common");
        check("ada.lovelace1", "password_guessable");
        check("aaaaaaaaaaaaaaaa", "password_guessable");
        assert_eq!(good_enough(&[0xff; 16], "ada"), Err(Weak::Unreadable));
    }

    #[test]
    fn good_ones_are_taken_whatever_they_are_made_of() {
        for good in [
            "five angry llamas weave at night",
            "zw8Kq-v1Xo.pd",
            "Käsekuchen fährt Straßenbahn",
            "密码在雨中慢慢走回家去了吗",
        ] {
            assert_eq!(good_enough(good.as_bytes(), "ada"), Ok(()), "{good}");
        }
    }

    /// Alone in its process, as every test is, so that the places are its own.
    #[tokio::test]
    async fn so_many_wait_to_be_hashed_and_strangers_leave_others_their_places() {
        let mut turns = Vec::new();
        for _ in 0..HASHING.available_permits() {
            turns.push(turn(false).await.unwrap());
        }
        let mut waiting = tokio::task::JoinSet::new();
        for known in [false, true] {
            let free = if known { PLACES } else { PLACES - turns.len() };
            for _ in 0..free {
                waiting.spawn(turn(known));
            }
            tokio::task::yield_now().await;
            assert!(matches!(turn(known).await, Err(ServiceError::Unavailable { part: Part::Load, .. })), "{known}");
        }
        turns.clear();
        while let Some(turn) = waiting.join_next().await {
            turn.unwrap().unwrap();
        }
        turn(false).await.unwrap();
    }

    #[test]
    fn the_list_is_what_is_compared_with() {
        assert!(COMMON.len() > 10_000);
        assert!(LIST.lines().all(|line| line == line.to_lowercase() && line.len() >= 4));
    }
}
