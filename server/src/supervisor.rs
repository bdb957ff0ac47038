//! The supervisor: opens no listener, reads the PIN, starts and restarts the two children, writes the ready file.

mod children;
mod keepers;
mod lone;
mod marker;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use claviger_core::view::SettingView;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::boot::{Addresses, FromFront, FrontBoot, ToFront};
use crate::config::Config;
use crate::{keeper, sandbox, telemetry};
use children::{Child, Event, FrontChild};
use marker::PinDigest;

pub use lone::{LoneKeeper, start_keeper_for};
pub use marker::{clear as clear_marker, is_marked, mark};

/// Restarts back off to this at most.
const BACKOFF_MAX: Duration = Duration::from_secs(1);
const BACKOFF_MIN: Duration = Duration::from_millis(20);

/// A child that lived this long starts with a small back-off again.
const HEALTHY_AFTER: Duration = Duration::from_secs(5);

/// The front waits this long for a sign of life of the keeper; its watchdog ends a hanging call long before.
pub(crate) const SILENT_AFTER: Duration = Duration::from_millis(2_500);

/// How long the children get to end by themselves.
const GRACE: Duration = Duration::from_secs(15);

/// What ends the service for good.
enum End {
    /// A signal.
    Asked,
    /// Something that another start would not mend.
    Refused { code: u8, why: String },
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// A text for the operator, with the exit code to end with.
pub fn run(home: &Path, ready_file: Option<PathBuf>) -> Result<ExitCode, (u8, String)> {
    let (config, settings) = Config::load_shown(home).map_err(|e| (64, e.to_string()))?;
    telemetry::init(&config.log.level);
    sandbox::harden_common().map_err(|e| (1, e.to_string()))?;
    let home = std::fs::canonicalize(home).map_err(|e| (64, format!("{}: {e}", home.display())))?;
    let _lock = crate::cli::home::lock(&home)?;
    if !config.hsm.module.exists() {
        let module = config.hsm.module.display();
        return Err((
            69,
            format!(
                "the PKCS#11 module {module} is not there: install it (SoftHSM: apt-get install softhsm2) or set hsm.module"
            ),
        ));
    }
    // One that was cut off there has nothing left to ask for.
    crate::recovery::notes::finish(&home).map_err(|e| (1, format!("a restore cannot be finished: {e}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| (1, format!("no runtime: {e}")))?;
    let mut supervisor = Supervisor::new(home, (config, settings), ready_file);
    let end = runtime.block_on(supervisor.run());
    match end {
        End::Asked => Ok(ExitCode::SUCCESS),
        End::Refused { code, why } => Err((code, why)),
    }
}

struct Supervisor {
    home: PathBuf,
    config: Config,
    settings: Vec<SettingView>,
    ready_file: Option<PathBuf>,
    events: mpsc::UnboundedReceiver<Event>,
    sender: mpsc::UnboundedSender<Event>,
    front: Option<FrontChild>,
    keeper: Option<Child>,
    /// What is to relieve it.
    next: Option<Child>,
    /// What it relieved, until that has ended.
    old: Option<Child>,
    /// What the keeper that was started last was given, by its digest.
    tried: Option<PinDigest>,
    /// What the token refused and no marker says, by its digest.
    refused: Option<PinDigest>,
    addresses: Option<Addresses>,
    /// Whether a keeper was ever taken into use: before that, a token that cannot be used ends the service.
    was_ready: bool,
    keeper_backoff: Duration,
    front_backoff: Duration,
    /// When the next keeper is to be started.
    keeper_due: Option<Instant>,
    front_due: Option<Instant>,
    generation: u64,
}

impl Supervisor {
    fn new(home: PathBuf, (config, settings): (Config, Vec<SettingView>), ready_file: Option<PathBuf>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self {
            home,
            config,
            settings,
            ready_file,
            events,
            sender,
            front: None,
            keeper: None,
            next: None,
            old: None,
            tried: None,
            refused: None,
            addresses: None,
            was_ready: false,
            keeper_backoff: BACKOFF_MIN,
            front_backoff: BACKOFF_MIN,
            keeper_due: None,
            front_due: Some(Instant::now()),
            generation: 0,
        }
    }

    async fn run(&mut self) -> End {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
        let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else {
            return End::Refused { code: 1, why: "no signal handlers".to_owned() };
        };
        loop {
            if let Err(end) = self.start_what_is_due() {
                self.stop().await;
                return end;
            }
            let next = [self.front_due, self.keeper_due].into_iter().flatten().min();
            let timer = tokio::time::sleep_until(next.unwrap_or_else(|| after(Duration::from_hours(1))));
            tokio::select! {
                () = timer => {}
                _ = terminate.recv() => { self.stop().await; return End::Asked; }
                _ = interrupt.recv() => { self.stop().await; return End::Asked; }
                _ = hangup.recv() => self.look(),
                Some(event) = self.events.recv() => {
                    if let Some(end) = self.handle(event) {
                        self.stop().await;
                        return end;
                    }
                }
            }
        }
    }

    fn start_what_is_due(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.front_due.is_some_and(|due| due <= now) {
            self.front_due = None;
            self.start_front()?;
            // A keeper serves one front: with a new front comes a new keeper.
            self.keeper_due = Some(now);
        }
        if self.keeper_due.is_some_and(|due| due <= now) && self.front.is_some() {
            self.keeper_due = None;
            self.start_keeper()?;
        }
        Ok(())
    }

    fn start_front(&mut self) -> Result<(), End> {
        let boot = FrontBoot {
            home: self.home.clone(),
            config: self.config.clone(),
            settings: self.settings.clone(),
            token_dir: keeper::token_dir(&self.home, &self.config),
            pin_file: self.pin_file(),
        };
        self.generation = self.generation.wrapping_add(1);
        let started = FrontChild::start(self.generation, boot, &self.sender);
        self.front = Some(started.map_err(|e| refused(1, format!("the front cannot be started: {e}")))?);
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Option<End> {
        match event {
            Event::FrontSays(generation, said) => {
                let current = self.front.as_ref().is_some_and(|front| front.child.generation == generation);
                if current { self.front_says(said) } else { None }
            }
            Event::Ended(generation, code) => {
                let is = |child: &Option<Child>| child.as_ref().is_some_and(|child| child.generation == generation);
                if is(&self.keeper) {
                    self.keeper_ended(code)
                } else if is(&self.next) {
                    self.relief_ended(code);
                    None
                } else if is(&self.old) {
                    self.old = None;
                    None
                } else if self.front.as_ref().is_some_and(|front| front.child.generation == generation) {
                    self.front_ended(code);
                    None
                } else {
                    None
                }
            }
        }
    }

    fn front_says(&mut self, said: FromFront) -> Option<End> {
        match said {
            FromFront::Serving(addresses) => self.addresses = Some(addresses),
            FromFront::KeeperTaken => {
                self.was_ready = true;
                if let Some(next) = self.next.take() {
                    tracing::info!(pid = next.pid, "a keeper relieved the one before");
                    self.old = self.keeper.replace(next);
                }
                if let Err(error) = self.write_ready_file() {
                    return Some(refused(1, format!("the ready file cannot be written: {error}")));
                }
            }
            FromFront::KeeperWorn => self.start_relief(),
            FromFront::KeeperSilent => {
                // One that was started a moment ago is not the one that was silent.
                if let Some(keeper) = self.keeper.as_mut().filter(|keeper| keeper.started.elapsed() > SILENT_AFTER) {
                    tracing::error!(pid = keeper.pid, "the keeper does not answer, and is killed");
                    keeper.kill();
                }
            }
            FromFront::Refused(why) => return Some(refused(1, why)),
        }
        None
    }

    fn front_ended(&mut self, code: Option<i32>) {
        let lived = self.front.take().map(|front| front.child.started.elapsed()).unwrap_or_default();
        tracing::error!(?code, "the front ended and is started again");
        // Its keepers end by themselves when the socket closes; they must be gone before the next one logs in.
        for mut keeper in [self.keeper.take(), self.next.take(), self.old.take()].into_iter().flatten() {
            keeper.kill();
        }
        self.addresses = None;
        self.keeper_due = None;
        self.front_backoff = next_backoff(self.front_backoff, lived);
        self.front_due = Some(after(self.front_backoff));
    }

    /// Has the front look for a new certificate. One that starts reads it anyway.
    fn look(&self) {
        if let Some(front) = &self.front
            && let Err(error) = front.tell(&ToFront::Look, None)
        {
            tracing::warn!(%error, "the front was not told to look for a new certificate");
        }
    }

    fn write_ready_file(&self) -> std::io::Result<()> {
        let (Some(file), Some(addresses)) = (&self.ready_file, &self.addresses) else { return Ok(()) };
        let ready = serde_json::json!({
            "api": addresses.api, "admin": addresses.admin, "public": addresses.public, "metrics": addresses.metrics,
            "ca_file": self.home.join(&self.config.tls.ca),
            "pid": std::process::id(),
            "front_pid": self.front.as_ref().map(|front| front.child.pid),
            "keeper_pid": self.keeper.as_ref().map(|keeper| keeper.pid),
        });
        let partial = file.with_extension("partial");
        std::fs::write(&partial, format!("{ready:#}\n"))?;
        std::fs::rename(partial, file)
    }

    /// Has the front finish, then the keeper, which stores its last checkpoint when the front is gone.
    async fn stop(&mut self) {
        let mut children: Vec<Child> =
            [self.old.take(), self.next.take(), self.keeper.take()].into_iter().flatten().collect();
        if let Some(front) = self.front.take() {
            front.close();
            children.push(front.child);
        }
        self.wait_for(children).await;
        if let Some(file) = &self.ready_file {
            let _ = std::fs::remove_file(file);
        }
    }

    async fn wait_for(&mut self, mut children: Vec<Child>) {
        let ended = async {
            while !children.is_empty()
                && let Some(event) = self.events.recv().await
            {
                if let Event::Ended(generation, _) = event {
                    children.retain(|child| child.generation != generation);
                }
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            for child in &mut children {
                tracing::error!(pid = child.pid, "a process does not end, and is killed");
                child.kill();
            }
        }
    }
}

fn refused(code: u8, why: String) -> End {
    End::Refused { code, why }
}

fn after(delay: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(delay).unwrap_or(now)
}

fn next_backoff(last: Duration, lived: Duration) -> Duration {
    if lived >= HEALTHY_AFTER { BACKOFF_MIN } else { last.saturating_mul(2).min(BACKOFF_MAX) }
}
