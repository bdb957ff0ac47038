//! The keeper process: shut itself in, log in to the token, serve the front. No tokio, no network.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claviger_core::clock::SystemClock;
use claviger_core::keeper::service::{self, Exit, KeeperConfig};
use claviger_core::secret::{self, Plaintext};
use claviger_core::token::TokenError;
use claviger_hsm::{Hsm, Module, OpenError, Pin, SlotSelector};

use crate::boot::{self, KeeperBoot};
use crate::sandbox::{self, Network, Rules};
use crate::telemetry;

/// How a keeper ends, as its supervisor reads it.
pub mod exit {
    /// The front is gone.
    pub const FRONT_GONE: u8 = 0;
    /// The PIN was refused: no other attempt with the same one.
    pub const PIN_REFUSED: u8 = 10;
    /// The token, its module or a key is not there.
    pub const NO_TOKEN: u8 = 11;
    /// The token is one that must not be used.
    pub const TOKEN_REFUSED: u8 = 12;
    /// The process could not be shut in.
    pub const NOT_SHUT: u8 = 13;
    /// The token was lost; another login may bring it back.
    pub const TOKEN_LOST: u8 = 14;
}

/// How long a token may take to log in and to pass its tests.
const START_MAX: Duration = Duration::from_secs(20);

/// A root key that is to go is watched no longer than this: keepers are replaced now and then, and each watches anew.
const ROOT_UNUSED_MAX: Duration = Duration::from_hours(1);

/// Runs the keeper, from the descriptors that its supervisor gave it.
pub fn main() -> ExitCode {
    let ended = boot::stdin().map_err(|e| e.to_string()).and_then(|fd| {
        let mut pipe = std::fs::File::from(fd);
        let (boot, pin) = boot::take_over(&mut pipe).map_err(|e| e.to_string())?;
        Ok(run(pipe, &boot, pin))
    });
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            telemetry::init("info");
            tracing::error!(%error, "the keeper was not told what to do");
            ExitCode::from(exit::NOT_SHUT)
        }
    }
}

fn run(pipe: impl Read, boot: &KeeperBoot, pin: Plaintext) -> u8 {
    telemetry::init(&boot.config.log.level);
    let link = match boot::stdout_socket() {
        Ok(link) => link,
        Err(error) => {
            tracing::error!(%error, "the keeper has no way to the front");
            return exit::NOT_SHUT;
        }
    };
    drop(pipe);
    let mut missing = match shut_in(boot) {
        Ok(missing) => missing,
        Err(error) => {
            tracing::error!(%error, "the keeper could not be shut in, and does not start");
            return exit::NOT_SHUT;
        }
    };
    missing.extend(weak_memory());
    let opened = Arc::new(AtomicBool::new(false));
    watch_start(&opened);
    let hsm = match open(boot, pin) {
        Ok(hsm) => hsm,
        Err(error) => return refused(&error),
    };
    opened.store(true, Ordering::SeqCst);
    match serve(&link, &hsm, boot, missing) {
        Exit::FrontGone => exit::FRONT_GONE,
        Exit::Protocol(why) => {
            tracing::error!(%why, "the front sent what is no message");
            exit::FRONT_GONE
        }
        Exit::TokenLost(why) => {
            tracing::error!(%why, "the token is lost; the keeper ends, to log in anew");
            exit::TOKEN_LOST
        }
        Exit::PinRefused(why) => {
            tracing::error!(%why, "the token refuses the PIN");
            exit::PIN_REFUSED
        }
    }
}

/// Ends the process when the token does not open in time: nothing else ends a call that hangs in the module.
fn watch_start(opened: &Arc<AtomicBool>) {
    let opened = opened.clone();
    let watching = std::thread::Builder::new().name("watches-start".to_owned()).spawn(move || {
        std::thread::sleep(START_MAX);
        if !opened.load(Ordering::SeqCst) {
            stuck();
        }
    });
    if let Err(error) = watching {
        tracing::warn!(%error, "nobody watches over the opening of the token");
    }
}

/// Gives up everything but the module, the token and the two descriptors.
fn shut_in(boot: &KeeperBoot) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let hsm = &boot.config.hsm;
    let at = |path: &Path| boot.home.join(path);
    let mut read = sandbox::module_paths(&hsm.module);
    read.extend(hsm.softhsm_conf.as_deref().map(at));
    read.extend(hsm.reads.iter().map(|path| at(path)).filter(|path| path.exists()));
    let rules = Rules {
        read,
        write: hsm.writes.iter().map(|path| at(path)).filter(|path| path.exists()).collect(),
        create: hsm.token_dir.as_deref().map(at).filter(|dir| dir.exists()).into_iter().collect(),
        network: if hsm.network.is_empty() { Network::Closed } else { Network::Connect(hsm.network.clone()) },
    };
    sandbox::harden_common()?;
    let missing = sandbox::lock_down(&rules)?;
    let landlocked = !missing.contains(&sandbox::Missing::Landlock);
    match sandbox::self_test_keeper(&rules, &boot.foreign_file) {
        Err(sandbox::Breach::File(_)) if !landlocked => {}
        other => other?,
    }
    Ok(missing.iter().map(ToString::to_string).collect())
}

fn weak_memory() -> Option<String> {
    match secret::backing() {
        Some(secret::Backing::Secret) => None,
        Some(secret::Backing::Locked) => {
            Some("secrets are in locked memory: this kernel has no memfd_secret".to_owned())
        }
        Some(secret::Backing::Unlocked) | None => {
            Some("secrets are in memory that may be swapped: raise RLIMIT_MEMLOCK".to_owned())
        }
    }
}

/// Loads the module and logs in, once.
fn open(boot: &KeeperBoot, pin: Plaintext) -> Result<Hsm, OpenError> {
    let module = Module::load(&boot.config.hsm.module)?;
    let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
    let pin_for_login = pin_of(&pin);
    drop(pin);
    module.open(&selector, pin_for_login)
}

/// The PIN as the binding wants it. It is wiped when the login is over.
pub(crate) fn pin_of(pin: &Plaintext) -> Pin {
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: C_Login takes it as a string of the binding's")]
    pin.expose(|bytes| Pin::from(String::from_utf8_lossy(bytes).trim().to_owned()))
}

fn refused(error: &OpenError) -> u8 {
    tracing::error!(%error, "the token cannot be used");
    if let OpenError::Token(TokenError::PinRefused(_)) = error {
        exit::PIN_REFUSED
    } else if let OpenError::Admission(_) = error {
        exit::TOKEN_REFUSED
    } else {
        exit::NO_TOKEN
    }
}

fn serve(link: &std::os::unix::net::UnixStream, hsm: &Hsm, boot: &KeeperBoot, missing: Vec<String>) -> Exit {
    let mut sessions = Vec::new();
    for _ in 0..boot.config.hsm.threads {
        match hsm.session() {
            Ok(session) => sessions.push(session),
            Err(TokenError::Capacity(why)) if !sessions.is_empty() => {
                tracing::warn!(%why, sessions = sessions.len(), "the token gives no more sessions");
                break;
            }
            Err(error) => return Exit::TokenLost(error.to_string()),
        }
    }
    let hosts = match boot.config.hosts() {
        Ok(hosts) => hosts,
        Err(error) => return Exit::Protocol(error.to_string()),
    };
    let mut missing = missing;
    if !hsm.lacking().is_empty() {
        let keys = hsm.lacking().join(", ");
        missing.push(format!(
            "keys cannot be resident in the token, or be born there and wrapped: it lacks {keys}; stop the service and \
             run `claviger doctor --add-keys`"
        ));
    }
    let config = KeeperConfig {
        hosts,
        origin: boot.config.audit.log.clone(),
        token_seconds_max: boot.config.tokens.access_seconds,
        missing,
        objects_max: boot.config.hsm.objects_max,
        import_tenants: boot.config.hsm.import_tenants.clone(),
        root_unused: boot.config.approvals.waits().delay.min(ROOT_UNUSED_MAX),
        leak_bytes_max: boot.config.hsm.leak_bytes_max,
    };
    tracing::info!(sessions = sessions.len(), token = hsm.device().label, "the keeper serves");
    service::run(link, sessions, config, Box::new(SystemClock), stuck)
}

/// A call into the module hangs, and nothing but the end of the process ends it.
fn stuck() {
    tracing::error!("a call into the PKCS#11 module hangs; the keeper ends");
    #[expect(clippy::exit, reason = "a hanging library call cannot be cancelled in any other way")]
    std::process::exit(i32::from(exit::TOKEN_LOST));
}

/// Where a soft token lies, or the module's own directory: what the front must not be able to open.
pub(crate) fn token_dir(home: &Path, config: &crate::config::Config) -> PathBuf {
    config.hsm.token_dir.as_ref().map_or_else(|| home.join("token"), |dir| home.join(dir))
}
