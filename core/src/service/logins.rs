//! Operators' logins: how they are made, listed and ended.

use super::accounts::{no_random, picked};
use super::factors::Proven;
use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::{LoginId, OperatorId};
use crate::identity::{CallerSecret, Device, Login, LoginKind, LoginMark, Operator, OperatorPrincipal, hash_secret};
use crate::store::{Change, Expect, Key, Range, Row, StoreError, Versioned};

/// How long a login lasts, milliseconds.
const LOGIN_MS: u64 = 8 * 60 * 60 * 1_000;

/// The same for one made by break-glass code.
const BREAK_GLASS_MS: u64 = 60 * 60 * 1_000;

/// Logins that an operator has at most: the oldest one ends when another is made.
const LOGINS_MAX: usize = 32;

/// Devices that are remembered of an operator at most.
const DEVICES_MAX: usize = 16;

/// How often a login is tried again when another one was made at the same time.
const ROUNDS: usize = 100;

/// A new login, and what is shown of it once.
#[derive(Debug)]
pub struct NewLogin {
    /// The login.
    pub login: Login,
    /// Its bearer.
    pub bearer: CallerSecret,
    /// What the device is known by from now on, if it asked to be and is not known yet.
    pub device: Option<CallerSecret>,
}

/// What a device says of itself.
#[derive(Clone, Debug, Default)]
pub struct FromDevice {
    /// What it calls itself.
    pub label: String,
    /// The hash of the secret that it is known by.
    pub hash: Option<[u8; 32]>,
    /// Whether it wants to be known again.
    pub remember: bool,
}

/// What a login is made of: what was shown, and when, milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing {
    pub(super) kind: LoginKind,
    pub(super) at_ms: u64,
}

impl Showing {
    fn of(proven: &Proven) -> Self {
        Self { kind: proven.kind(), at_ms: proven.at_ms() }
    }
}

/// An operator's logins as they are stored.
#[derive(Debug)]
pub(super) struct Logins {
    operator: OperatorId,
    version: Option<u64>,
    marks: Vec<LoginMark>,
    changes: Vec<Change>,
}

impl Logins {
    /// Ends those that `which` picks.
    pub(super) fn end(&mut self, which: impl Fn(&LoginMark) -> bool) {
        let changes = &mut self.changes;
        self.marks.retain(|mark| {
            let ended = which(mark);
            if ended {
                changes.push(Change::remove(Key::Login(mark.hash)));
            }
            !ended
        });
    }

    /// Before an operator's first second factor is kept: ends all but the login that it is set up by, and whatever else
    /// the password alone could have made. Whoever knew no more is out.
    pub(super) fn before_second(&mut self, operator: &mut Operator, by: &OperatorPrincipal) {
        if !operator.factors.has_second() {
            self.end(|mark| mark.hash != by.guard.0);
            operator.factors.totp_pending = None;
            operator.factors.break_glass.clear();
        }
    }

    fn add(&mut self, login: &Login, hash: [u8; 32]) {
        self.end(|mark| mark.expires_ms <= login.created_ms);
        if let Some(oldest) = self.marks.len().checked_sub(LOGINS_MAX).and_then(|at| self.marks.get(at)) {
            let oldest = oldest.hash;
            self.end(|mark| mark.hash == oldest);
        }
        self.marks.push(LoginMark { id: login.id, hash, expires_ms: login.expires_ms });
        self.changes.push(Change::create(Key::Login(hash), Row::Login(login.clone())));
    }

    /// What is to be written; it is refused if another login was made or ended meanwhile.
    pub(super) fn into_changes(mut self) -> Vec<Change> {
        let row = if self.marks.is_empty() { None } else { Some(Row::LoginsOf(self.marks)) };
        let expect = self.version.map_or(Expect::Absent, Expect::Version);
        self.changes.push(Change { key: Key::LoginsOf(self.operator), expect, row });
        self.changes
    }
}

impl Service {
    /// Logs an operator in who has proven who they are. What the proof used up is used up in the same commit.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] if what was proven does not hold any more: a code that was used meanwhile, a
    /// password that was changed. Nothing was made then.
    pub async fn log_in(
        &self,
        proven: &Proven,
        device: &FromDevice,
        origin: &Origin,
    ) -> Result<NewLogin, ServiceError> {
        for _ in 0..ROUNDS {
            let Some((mut operator, version)) = self.operator_by_id(proven.operator()).await? else { break };
            if !proven.take_from(&mut operator) {
                return Err(self.refuse_proof(&operator.name, "login.used", origin).await?);
            }
            let mut logins = self.logins_of(operator.id).await?;
            let (new, mut entries) =
                self.another_login(&mut operator, &mut logins, Showing::of(proven), device, origin)?;
            let mut changes = logins.into_changes();
            if proven.kind() == LoginKind::BreakGlass {
                changes.push(Change::create(Key::Unreviewed(new.login.id), Row::Login(new.login.clone())));
                entries.push(
                    origin
                        .draft("alarm.break-glass", EntryOutcome::Allowed)
                        .on("login", new.login.id.to_string())
                        .detail("operator", &operator.name),
                );
            }
            let tenant = operator.tenant;
            changes.push(Change::replace(Key::Operator(operator.id), version, Row::Operator(operator)));
            match self.store.put_cas(changes, entries).await {
                Err(StoreError::Conflict(_)) => {}
                done => {
                    done?;
                    if proven.kind() == LoginKind::BreakGlass {
                        self.broke_glass(tenant, format!("{} was made by break-glass code", new.login.id)).await;
                    }
                    return Ok(new);
                }
            }
        }
        Err(ServiceError::unavailable(Part::Load, "too many logins at once: try again; nothing was made"))
    }

    /// A login that is made together with other changes.
    pub(super) fn another_login(
        &self,
        operator: &mut Operator,
        logins: &mut Logins,
        shown: Showing,
        device: &FromDevice,
        origin: &Origin,
    ) -> Result<(NewLogin, Vec<Draft>), ServiceError> {
        let bearer = CallerSecret::generate("login").map_err(no_random)?;
        let (now, Showing { kind, at_ms }) = (self.clock.unix_ms(), shown);
        let lasts = if kind == LoginKind::BreakGlass { BREAK_GLASS_MS } else { LOGIN_MS };
        let login = Login {
            id: LoginId::new(self.clock()),
            operator: operator.id,
            name: operator.name.clone(),
            kind,
            address: origin.address.clone(),
            device: device.label.clone(),
            proven_ms: at_ms,
            created_ms: now,
            expires_ms: now.saturating_add(lasts),
        };
        logins.add(&login, bearer.hash());
        let device = remembered(&mut operator.factors.devices, device, now)?;
        let entry = origin
            .draft("login.create", EntryOutcome::Allowed)
            .on("login", login.id.to_string())
            .detail("kind", kind.as_str())
            .detail("device", &login.device);
        Ok((NewLogin { login, bearer, device }, vec![entry]))
    }

    pub(super) async fn logins_of(&self, operator: OperatorId) -> Result<Logins, ServiceError> {
        let (version, marks) = match self.store.get(Key::LoginsOf(operator)).await? {
            Some(Versioned { version, row: Row::LoginsOf(marks) }) => (Some(version), marks),
            _ => (None, Vec::new()),
        };
        Ok(Logins { operator, version, marks, changes: Vec::new() })
    }

    /// An operator's own logins that have not expired.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_logins(&self, operator: OperatorId) -> Result<Vec<Login>, ServiceError> {
        let mut logins = Vec::new();
        for mark in self.logins_of(operator).await?.marks {
            if let Some(Versioned { row: Row::Login(login), .. }) = self.store.get(Key::Login(mark.hash)).await? {
                logins.push(login);
            }
        }
        let now = self.clock.unix_ms();
        logins.retain(|login| login.expires_ms > now);
        Ok(logins)
    }

    /// All logins that have not expired: at most so many for each operator.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn logins(&self) -> Result<Vec<Login>, ServiceError> {
        let now = self.clock.unix_ms();
        let live = |found: Versioned| {
            let Row::Login(login) = found.row else { return None };
            (login.expires_ms > now).then_some(login)
        };
        Ok(self.store.all(Range::Logins, live).await?)
    }

    /// Ends the login that a bearer belongs to.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn log_out(&self, bearer: &str, origin: &Origin) -> Result<(), ServiceError> {
        let (login, hash) = (self.login(bearer).await?, hash_secret(bearer));
        self.end(login.operator, login.id, |mark| mark.hash == hash, origin).await
    }

    /// Ends one of an operator's logins. When this answers, no act of it is stored any more.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if the operator has no such login.
    pub async fn end_login(&self, operator: OperatorId, id: LoginId, origin: &Origin) -> Result<(), ServiceError> {
        self.end(operator, id, |mark| mark.id == id, origin).await
    }

    /// Ends all logins of an operator.
    pub(super) async fn end_logins_of(&self, operator: OperatorId, origin: &Origin) -> Result<(), ServiceError> {
        self.end(operator, LoginId::MIN, |_| true, origin).await
    }

    async fn end(
        &self,
        operator: OperatorId,
        id: LoginId,
        which: impl Fn(&LoginMark) -> bool + Send + Sync,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        for _ in 0..ROUNDS {
            let mut logins = self.logins_of(operator).await?;
            if !logins.marks.iter().any(&which) {
                return Err(ServiceError::NotFound("login"));
            }
            logins.end(&which);
            let entry = origin.draft("login.end", EntryOutcome::Allowed).on("login", id.to_string());
            match self.store.put_cas(logins.into_changes(), vec![entry]).await {
                Err(StoreError::Conflict(_)) => {}
                done => return Ok(done.map(drop)?),
            }
        }
        Err(ServiceError::unavailable(Part::Load, "logins are made all the time: try again; it goes on"))
    }

    /// Forgets logins that have expired.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it is harmless.
    pub async fn expire_logins(&self) -> Result<(), ServiceError> {
        let now = self.clock.unix_ms();
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Operators, after, 200).await?;
            for row in page.rows {
                let Row::Operator(operator) = row.row else { continue };
                let mut logins = self.logins_of(operator.id).await?;
                logins.end(|mark| mark.expires_ms <= now);
                if !logins.changes.is_empty() {
                    match self.store.put_cas(logins.into_changes(), Vec::new()).await {
                        // One was made meanwhile: the next run sees to it.
                        Err(StoreError::Conflict(_)) => {}
                        done => done.map(drop)?,
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Logins by break-glass code that wait for another operator's review.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn unreviewed_logins(&self) -> Result<Vec<Login>, ServiceError> {
        let page = self.store.scan(Range::Unreviewed, None, 1_000).await?;
        Ok(picked(page, |row| if let Row::Login(login) = row { Some(login) } else { None }).rows)
    }

    /// Notes that another operator has looked at what was done with a break-glass code.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] for one's own.
    pub async fn review_login(
        &self,
        id: LoginId,
        by: &OperatorPrincipal,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        if by.kind == LoginKind::BreakGlass {
            let text = "a break-glass login reviews none: log in with your own factors; nothing was changed";
            return Err(ServiceError::forbidden("second_operator_required", text));
        }
        let key = Key::Unreviewed(id);
        let Some(Versioned { version, row: Row::Login(login) }) = self.store.get(key.clone()).await? else {
            return Err(ServiceError::NotFound("login that waits for a review"));
        };
        if login.operator == by.operator {
            return Err(ServiceError::conflict("own_login", "another operator reviews it; nothing was changed"));
        }
        let entry = origin
            .draft("login.review", EntryOutcome::Allowed)
            .on("login", id.to_string())
            .detail("operator", &login.name)
            .detail("reason", reason);
        let change = Change { key, expect: Expect::Version(version), row: None };
        self.store.put_cas(vec![change], vec![entry]).await?;
        Ok(())
    }
}

/// Notes where a login was made from. A device that wants to be known again gets a secret; of too many the one that was
/// seen longest ago is forgotten.
fn remembered(devices: &mut Vec<Device>, from: &FromDevice, now_ms: u64) -> Result<Option<CallerSecret>, ServiceError> {
    if let Some(known) = devices.iter_mut().find(|device| Some(device.hash) == from.hash) {
        known.seen_ms = now_ms;
        known.label.clone_from(&from.label);
        return Ok(None);
    }
    if !from.remember {
        return Ok(None);
    }
    let secret = CallerSecret::generate("device").map_err(no_random)?;
    devices.push(Device { hash: secret.hash(), label: from.label.clone(), seen_ms: now_ms });
    if devices.len() > DEVICES_MAX
        && let Some(oldest) = devices.iter().map(|device| device.seen_ms).min()
        && let Some(at) = devices.iter().position(|device| device.seen_ms == oldest)
    {
        devices.remove(at);
    }
    Ok(Some(secret))
}
