//! What terminals wait for: bounded, forgotten after five minutes, answered once.

use claviger_core::identity::{OperatorPrincipal, hash_secret, same_hash};
use claviger_core::service::{FromDevice, Proven};

use super::{Ceremony, UserCode, WAIT_MS};
use crate::auth::Try;

/// Terminals that wait at one time.
const REQUESTS_MAX: usize = 256;

/// How many of them may be strangers': who say a name, and come from a device that nobody has logged in from.
const STRANGERS_MAX: usize = REQUESTS_MAX / 2;

/// Ceremonies that may be begun with one code.
const BEGINS_MAX: u8 = 5;

/// What a terminal wants of the browser.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// A login of whoever is named.
    LogIn,
    /// A fresh proof for this login.
    Prove(Box<OperatorPrincipal>),
    /// One more passkey, of this name.
    Add(Box<OperatorPrincipal>, String),
    /// The first passkey, of this name, by the invitation with this hash.
    Accept([u8; 32], String),
}

/// Who asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What for.
    pub purpose: Purpose,
    /// The operator's name, as it was given.
    pub name: String,
    /// Where the terminal is.
    pub address: String,
    /// What the terminal says of itself.
    pub device: FromDevice,
}

/// How it ended.
#[derive(Debug)]
pub enum Done {
    /// The operator proved who they are.
    Proven(Proven),
    /// A passkey was made. It is kept once the terminal says that it is the operator's.
    Made(Made),
    /// No passkey was shown as it must be.
    Refused,
}

/// A passkey that was made, and is not kept yet.
#[derive(Clone, Debug)]
pub struct Made {
    /// What is to be kept of it.
    pub credential: String,
    /// What the page that made it shows, for the person to compare.
    pub check: UserCode,
    /// Where that page is.
    pub address: String,
}

/// Why nothing is to be done with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFree {
    /// No terminal waits with it.
    Unknown,
    /// Another page has it.
    Taken,
}

/// One terminal that waits.
#[derive(Debug)]
pub struct Request {
    asked: Asked,
    code: UserCode,
    device_code: [u8; 32],
    /// The hash of the secret of the one page that goes on with it.
    page: Option<[u8; 32]>,
    expires_ms: u64,
    begins: u8,
    ceremony: Option<Ceremony>,
    done: Option<Done>,
    tried: Try,
}

impl Request {
    /// One that waits from this moment on. `tried` counts as a failure until the passkey is shown.
    pub fn new(asked: Asked, code: UserCode, device_code: &str, tried: Try, now_ms: u64) -> Self {
        let expires_ms = now_ms.saturating_add(WAIT_MS);
        let device_code = hash_secret(device_code);
        Self { asked, code, device_code, page: None, expires_ms, begins: BEGINS_MAX, ceremony: None, done: None, tried }
    }

    fn is_strangers(&self) -> bool {
        matches!(self.asked.purpose, Purpose::LogIn) && !self.tried.is_known()
    }
}

/// What a terminal that asks again is told.
#[derive(Debug)]
pub enum Polled {
    /// Nobody has shown a passkey yet.
    Waiting,
    /// A passkey was made: the terminal says whether it is the operator's.
    Made(Made),
    /// This is how it ended; it is told once.
    Done(Box<Asked>, Done),
    /// No such request waits: it was answered, or is too old.
    Gone,
}

/// All that wait.
#[derive(Debug, Default)]
pub struct Pending(Vec<Request>);

impl Pending {
    /// Waits for one more.
    ///
    /// # Errors
    /// When too many wait, with the try, which was no failure.
    pub fn open(&mut self, request: Request, now_ms: u64) -> Result<(), TooMany> {
        self.forget(now_ms);
        let strangers = || self.0.iter().filter(|other| other.is_strangers()).count();
        if self.0.len() >= REQUESTS_MAX || (request.is_strangers() && strangers() >= STRANGERS_MAX) {
            return Err(TooMany(request.tried));
        }
        self.0.push(request);
        Ok(())
    }

    /// Who asked under this code, if a ceremony may be begun with it; and how many seconds are left. It counts as begun.
    /// The first page to begin has the code from then on.
    ///
    /// # Errors
    /// [`NotFree`].
    pub fn begin(&mut self, code: &UserCode, page: &str, now_ms: u64) -> Result<(Asked, u64), NotFree> {
        let request = self.of_page(code, page, now_ms)?;
        request.begins = request.begins.checked_sub(1).ok_or(NotFree::Unknown)?;
        request.page = Some(hash_secret(page));
        Ok((request.asked.clone(), request.expires_ms.saturating_sub(now_ms) / 1_000))
    }

    /// Puts a ceremony in the place of the one begun before.
    pub fn begun(&mut self, code: &UserCode, ceremony: Ceremony, now_ms: u64) {
        if let Some(request) = self.open_one(code, now_ms) {
            request.ceremony = Some(ceremony);
        }
    }

    /// The ceremony that was begun with this code: each can be finished once.
    ///
    /// # Errors
    /// [`NotFree`].
    pub fn finish(&mut self, code: &UserCode, page: &str, now_ms: u64) -> Result<(Asked, Ceremony), NotFree> {
        let request = self.of_page(code, page, now_ms)?;
        Ok((request.asked.clone(), request.ceremony.take().ok_or(NotFree::Unknown)?))
    }

    /// Keeps how it ended, for the terminal; what counted as a failure is the answer if it was none.
    pub fn done(&mut self, code: &UserCode, done: Done, now_ms: u64) -> Option<&Try> {
        let request = self.open_one(code, now_ms)?;
        let refused = matches!(done, Done::Refused);
        request.done = Some(done);
        (!refused).then_some(&request.tried)
    }

    /// Keeps that a ceremony failed, if no other may be begun.
    pub fn failed(&mut self, code: &UserCode, now_ms: u64) {
        if let Some(request) = self.open_one(code, now_ms)
            && request.begins == 0
        {
            request.done = Some(Done::Refused);
        }
    }

    /// What became of the request with this device code. A passkey that was made is `confirmed` before it is handed out.
    pub fn poll(&mut self, device_code: &str, confirmed: bool, now_ms: u64) -> Polled {
        self.forget(now_ms);
        let hash = hash_secret(device_code);
        let Some(at) = self.0.iter().position(|request| same_hash(&request.device_code, &hash)) else {
            return Polled::Gone;
        };
        match self.0.get(at).and_then(|request| request.done.as_ref()) {
            None => return Polled::Waiting,
            Some(Done::Made(made)) if !confirmed => return Polled::Made(made.clone()),
            Some(_) => {}
        }
        let Request { asked, done, .. } = self.0.swap_remove(at);
        done.map_or(Polled::Gone, |done| Polled::Done(Box::new(asked), done))
    }

    /// The request with this code, if no other page has it.
    fn of_page(&mut self, code: &UserCode, page: &str, now_ms: u64) -> Result<&mut Request, NotFree> {
        let request = self.open_one(code, now_ms).ok_or(NotFree::Unknown)?;
        let free = request.page.is_none_or(|own| same_hash(&own, &hash_secret(page)));
        if free { Ok(request) } else { Err(NotFree::Taken) }
    }

    fn open_one(&mut self, code: &UserCode, now_ms: u64) -> Option<&mut Request> {
        self.forget(now_ms);
        self.0.iter_mut().find(|request| request.code == *code && request.done.is_none())
    }

    fn forget(&mut self, now_ms: u64) {
        self.0.retain(|request| request.expires_ms > now_ms);
    }
}

/// Too many terminals wait.
#[derive(Debug)]
pub struct TooMany(pub Try);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Throttle, Who};

    fn request(number: usize, now_ms: u64) -> (Request, UserCode) {
        by(Who::Known([7; 32]), number, now_ms)
    }

    fn by(who: Who<'_>, number: usize, now_ms: u64) -> (Request, UserCode) {
        let asked = Asked {
            purpose: Purpose::LogIn,
            name: "ada".to_owned(),
            address: "192.0.2.1".to_owned(),
            device: FromDevice::default(),
        };
        let code = UserCode::generate().unwrap();
        let tried = Throttle::default().take(who, now_ms).unwrap();
        (Request::new(asked, code.clone(), &format!("device {number}"), tried, now_ms), code)
    }

    fn one() -> (Pending, UserCode) {
        let (request, code) = request(0, 0);
        let mut pending = Pending::default();
        pending.open(request, 0).unwrap();
        (pending, code)
    }

    #[test]
    fn a_code_is_good_for_five_minutes() {
        let (mut pending, code) = one();
        assert_eq!(pending.begin(&code, "page", WAIT_MS - 1).unwrap().1, 0);
        pending.begun(&code, Ceremony::Nobody, WAIT_MS - 1);
        assert_eq!(pending.begin(&code, "page", WAIT_MS).unwrap_err(), NotFree::Unknown);
        assert_eq!(pending.finish(&code, "page", WAIT_MS).unwrap_err(), NotFree::Unknown);
        assert!(matches!(pending.poll("device 0", false, WAIT_MS), Polled::Gone));
    }

    #[test]
    fn a_ceremony_is_finished_once_and_an_answer_told_once() {
        let (mut pending, code) = one();
        assert_eq!(pending.finish(&code, "page", 0).unwrap_err(), NotFree::Unknown);
        pending.begin(&code, "page", 0).unwrap();
        pending.begun(&code, Ceremony::Nobody, 0);
        pending.finish(&code, "page", 0).unwrap();
        assert_eq!(pending.finish(&code, "page", 0).unwrap_err(), NotFree::Unknown);
        assert!(matches!(pending.poll("device 0", false, 0), Polled::Waiting));
        let made = Made { credential: String::new(), check: code.clone(), address: String::new() };
        assert!(pending.done(&code, Done::Made(made), 0).is_some());
        assert_eq!(pending.begin(&code, "page", 0).unwrap_err(), NotFree::Unknown);
        assert!(matches!(pending.poll("device 1", false, 0), Polled::Gone));
        // It is handed out when the terminal says yes, and not before.
        for _ in 0..2 {
            assert!(matches!(pending.poll("device 0", false, 0), Polled::Made(_)));
        }
        assert!(matches!(pending.poll("device 0", true, 0), Polled::Done(_, Done::Made(_))));
        assert!(matches!(pending.poll("device 0", false, 0), Polled::Gone));
    }

    #[test]
    fn a_code_is_for_the_first_page_that_uses_it() {
        let (mut pending, code) = one();
        assert_eq!(pending.finish(&code, "other", 0).unwrap_err(), NotFree::Unknown);
        pending.begin(&code, "page", 0).unwrap();
        pending.begun(&code, Ceremony::Nobody, 0);
        assert_eq!(pending.begin(&code, "other", 0).unwrap_err(), NotFree::Taken);
        assert_eq!(pending.finish(&code, "other", 0).unwrap_err(), NotFree::Taken);
        pending.finish(&code, "page", 0).unwrap();
        pending.begin(&code, "page", 0).unwrap();
    }

    #[test]
    fn a_code_is_good_for_five_tries() {
        let (mut pending, code) = one();
        for _ in 0..BEGINS_MAX {
            assert!(matches!(pending.poll("device 0", false, 0), Polled::Waiting));
            pending.begin(&code, "page", 0).unwrap();
            pending.failed(&code, 0);
        }
        assert_eq!(pending.begin(&code, "page", 0).unwrap_err(), NotFree::Unknown);
        assert!(matches!(pending.poll("device 0", false, 0), Polled::Done(_, Done::Refused)));
    }

    #[test]
    fn strangers_leave_room_for_who_is_known() {
        let mut pending = Pending::default();
        let stranger = || by(Who::Stranger([192, 0, 2, 1].into(), "ada"), 0, 0).0;
        for _ in 0..STRANGERS_MAX {
            pending.open(stranger(), 0).unwrap();
        }
        let TooMany(tried) = pending.open(stranger(), 0).unwrap_err();
        assert!(!tried.is_known());
        for number in 0..REQUESTS_MAX - STRANGERS_MAX {
            pending.open(request(number, 0).0, 0).unwrap();
        }
        pending.open(request(0, 0).0, 0).unwrap_err();
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let mut pending = Pending::default();
        for number in 0..REQUESTS_MAX {
            pending.open(request(number, 0).0, 0).unwrap();
        }
        pending.open(request(REQUESTS_MAX, 1).0, 1).unwrap_err();
        pending.open(request(REQUESTS_MAX, WAIT_MS).0, WAIT_MS).unwrap();
    }
}
