//! `claviger init`: a home from nothing. Each secret is made, used and never printed; the first operator's password is
//! the one that its file holds, or one that is shown once.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use clap::Args;
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::execution::Origin;
use claviger_core::identity::role::ADMIN;
use claviger_core::identity::{Factors, PasswordHash};
use claviger_core::keeper::KeeperClient;
use claviger_core::keeper::checkpoints::plant;
use claviger_core::secret::Plaintext;
use claviger_core::service::{NewOperator, Service, Venues};
use claviger_core::store::redb::RedbStore;
use claviger_hsm::{Module, SlotSelector, provision};
use claviger_venues::VenueId;
use data_encoding::BASE64URL_NOPAD;

use super::Failure;
use crate::boot::{self, KeeperBoot};
use crate::config::{self, Config};
use crate::{auth, egress, keeper, sandbox, supervisor, telemetry, tls};

/// Where Debian and others put `SoftHSM`.
const MODULES: &[&str] = &[
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The PKCS#11 module; else `SoftHSM` where it is usually installed.
    #[arg(long, env = "CLAVIGER_SOFTHSM")]
    module: Option<PathBuf>,
    /// The first operator's name.
    #[arg(long, default_value = "admin")]
    operator: String,
    /// A file with the first operator's password, 12 characters or more; else one is made and shown once.
    #[arg(long)]
    operator_password_file: Option<PathBuf>,
    /// A name or address that the certificate is for, besides localhost.
    #[arg(long)]
    name: Vec<String>,
}

impl Init {
    pub(super) fn run(&self, home: &Path) -> Result<(), Failure> {
        sandbox::harden_common().map_err(|e| Failure::new(1, e.to_string()))?;
        let module = self.module()?;
        let password = self.password()?;
        if fs::read_dir(home).is_ok_and(|mut entries| entries.next().is_some()) {
            let text = format!("{} is not empty; nothing was changed. Name another home", home.display());
            return Err(Failure::new(5, text));
        }
        let made =
            make_home(home, &module, &self.name).map_err(|e| Failure::new(69, format!("{}: {e}", home.display())))?;
        let home = fs::canonicalize(home).map_err(|e| Failure::new(1, e.to_string()))?;
        let _lock = super::home::lock(&home)?;
        let config = Config::load(&home).map_err(|e| Failure::new(64, e.to_string()))?;
        let finished = provision_child(&home, &config, &made.pin, "provision")
            .and_then(|()| first_accounts(&home, &config, &made.pin, &self.operator, &password));
        if let Err(failure) = finished {
            // A home that is half made is no home: what was made here is taken away again.
            let _ = fs::remove_dir_all(&home);
            return Err(failure);
        }
        self.report(&home, &config, &password);
        Ok(())
    }

    fn module(&self) -> Result<PathBuf, Failure> {
        let found = match &self.module {
            Some(module) => Some(module.clone()).filter(|module| module.exists()),
            None => MODULES.iter().map(PathBuf::from).find(|module| module.exists()),
        };
        found.ok_or_else(|| {
            let looked = self.module.as_ref().map_or_else(|| MODULES.join(", "), |m| m.display().to_string());
            let text =
                format!("no PKCS#11 module (looked at {looked}): apt-get install softhsm2, or name one with --module");
            Failure::new(69, text)
        })
    }

    fn password(&self) -> Result<Password, Failure> {
        let Some(file) = &self.operator_password_file else { return Password::generate() };
        let read = fs::read(file).map_err(|e| Failure::new(64, format!("{}: {e}", file.display())))?;
        let text = read.trim_ascii();
        if text.len() < 12 {
            return Err(Failure::new(64, "the operator's password has 12 characters or more"));
        }
        let secret = Plaintext::copy_of(text).map_err(|e| Failure::new(64, e.to_string()))?;
        Ok(Password { secret, shown: None })
    }

    fn report(&self, home: &Path, config: &Config, password: &Password) {
        let show = |path: &Path| home.join(path).display().to_string();
        println!("made {}", home.display());
        println!("  configuration  {}", show(Path::new(config::FILE)));
        println!("  certificate    {} (its CA: {})", show(&config.tls.certificate), show(&config.tls.ca));
        println!("  token          {} in {}", config.hsm.token_label, config.hsm.module.display());
        println!("  audit log      {}", config.audit.log);
        println!("  operator       {}", self.operator);
        if let Some(shown) = &password.shown {
            println!("  password       {shown}   (shown once)");
        }
        println!("next: enable a venue in {}, then `claviger serve`", config::FILE);
    }
}

/// The first operator's password.
struct Password {
    secret: Plaintext,
    shown: Option<String>,
}

impl Password {
    fn generate() -> Result<Self, Failure> {
        let mut random = [0; 15];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Failure::new(1, "no random numbers"))?;
        let text = BASE64URL_NOPAD.encode(&random);
        let secret = Plaintext::copy_of(text.as_bytes()).map_err(|e| Failure::new(1, e.to_string()))?;
        Ok(Self { secret, shown: Some(text) })
    }
}

struct Made {
    pin: Plaintext,
}

fn make_home(home: &Path, module: &Path, names: &[String]) -> io::Result<Made> {
    let directory = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    directory(home)?;
    let home = fs::canonicalize(home)?;
    for part in ["tls", "audit", "token/tokens"] {
        directory(&home.join(part))?;
    }
    let conf = format!(
        "# This token belongs to Claviger alone. The system's configuration and tokens are never used.\n\
         directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        home.join("token/tokens").display()
    );
    write(&home.join("token/softhsm2.conf"), conf.as_bytes())?;
    let mut random = [0; 18];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
    let pin = Plaintext::copy_of(BASE64URL_NOPAD.encode(&random).as_bytes()).map_err(io::Error::other)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "EXPOSE: a soft token's PIN goes to its file, readable by its owner"
    )]
    pin.expose(|pin| write(&home.join("token/pin"), pin))?;
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
    let log: String = data_encoding::HEXLOWER.encode(random.get(..8).unwrap_or_default());
    write(&home.join(config::FILE), configuration(module, &log).as_bytes())?;
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    all.extend(names.iter().cloned());
    tls::make_test_ca_and_certificate(&home.join("tls"), &all, SystemClock.unix_ms()).map_err(io::Error::other)?;
    Ok(Made { pin })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn configuration(module: &Path, log: &str) -> String {
    let disabled = |venue: &VenueId| format!("[venues.{venue}]\nenabled = false\n");
    let venues = VenueId::ALL.iter().map(disabled).collect::<Vec<_>>().join("\n");
    format!(
        r#"# Claviger's configuration. Every key is described in docs/configuration.md; secrets appear as file paths only.

[hsm]
module = "{}"
token_label = "claviger"
pin_file = "token/pin"
softhsm_conf = "token/softhsm2.conf"
token_dir = "token/tokens"
threads = 2

[listen]
api = "127.0.0.1:8443"
admin = "127.0.0.1:8444"
public = "127.0.0.1:8445"
metrics = "127.0.0.1:9464"

[audit]
# The log's name, for ever: the token has signed it.
log = "claviger/{log}"

# A venue is used only when it is enabled here.
{venues}"#,
        module.display()
    )
}

/// Makes token and keys in a process of its own, because a module's configuration is its environment.
pub(super) fn provision_child(home: &Path, config: &Config, pin: &Plaintext, role: &str) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::new(1, format!("the token could not be made: {e}"));
    let exe = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(exe);
    command.args(["child", role]).env_clear().stdin(Stdio::piped());
    if let Some(conf) = &config.hsm.softhsm_conf {
        command.env("SOFTHSM2_CONF", home.join(conf));
    }
    let mut child = command.spawn().map_err(failed)?;
    let boot = KeeperBoot { home: home.to_owned(), config: config.clone(), foreign_file: home.join("claviger.redb") };
    if let Some(mut pipe) = child.stdin.take() {
        boot::hand_over(&mut pipe, &boot, pin).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(Failure::new(69, "the token could not be made (see above)")) }
}

/// The process that [`provision_child`] starts.
pub(super) fn provision() -> ExitCode {
    provisioned(make_token)
}

/// The same, for the keys that a token of an earlier version lacks.
pub(super) fn add_keys() -> ExitCode {
    provisioned(|boot, pin| {
        let module = Module::load(&boot.config.hsm.module).map_err(|e| e.to_string())?;
        let selector = SlotSelector::Label(boot.config.hsm.token_label.clone());
        provision::add_caller_keys(&module, &selector, &keeper::pin_of(pin)).map_err(|e| e.to_string())
    })
}

fn provisioned(work: impl FnOnce(&KeeperBoot, &Plaintext) -> Result<(), String>) -> ExitCode {
    telemetry::init("warn");
    let done = boot::stdin().map_err(|e| e.to_string()).and_then(|fd| {
        let (boot, pin) = boot::take_over(&mut fs::File::from(fd)).map_err(|e| e.to_string())?;
        work(&boot, &pin)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claviger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make_token(boot: &KeeperBoot, pin: &Plaintext) -> Result<(), String> {
    let module = Module::load(&boot.config.hsm.module).map_err(|e| e.to_string())?;
    let mut random = [0; 18];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "no random numbers")?;
    // A soft token's security officer can do nothing that its files do not allow anyway: nobody keeps this PIN.
    let so_pin = claviger_hsm::Pin::from(BASE64URL_NOPAD.encode(&random));
    let label = &boot.config.hsm.token_label;
    let pin = keeper::pin_of(pin);
    provision::init_token(&module, label, &so_pin, &pin).map_err(|e| e.to_string())?;
    let selector = SlotSelector::Label(label.clone());
    provision::create_keys(&module, &selector, &pin).map_err(|e| e.to_string())?;
    let hsm = module.open(&selector, pin).map_err(|e| e.to_string())?;
    let mut session = hsm.session().map_err(|e| e.to_string())?;
    plant(&mut session, &boot.config.audit.log, SystemClock.unix_ms()).map(drop).map_err(|e| e.to_string())
}

/// The tenant `default` and the first operator, made as the service makes them: with a keeper, audited.
fn first_accounts(
    home: &Path,
    config: &Config,
    pin: &Plaintext,
    operator: &str,
    password: &Password,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(1, format!("no runtime: {e}")))?;
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| Failure::new(1, "no random numbers"))?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the first password is hashed")]
    let hashed = password.secret.expose(|password| auth::password::argon2id(password, &salt));
    let hashed = hashed.ok_or_else(|| Failure::new(1, "argon2 refuses its parameters"))?;
    runtime.block_on(async {
        let failed = |e: &dyn std::fmt::Display| Failure::new(1, e.to_string());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let origin = config.audit.log.clone();
        let store = RedbStore::open(&home.join("claviger.redb"), &origin, clock.clone()).map_err(|e| failed(&e))?;
        let egress = egress::HttpEgress::new(egress::EgressConfig::default()).map_err(|e| failed(&e))?;
        let venues = Venues::default();
        let service =
            Service::new(Arc::new(store), KeeperClient::default(), Arc::new(egress), clock.clone(), venues, origin);
        let keeper = supervisor::start_keeper_for(home, config, pin).map_err(|e| failed(&e))?;
        service.take_keeper(keeper.link).await.map_err(|e| failed(&e))?;
        let by = Origin::system(clock.as_ref());
        service.make_tenant("default", &by).await.map_err(|e| failed(&e))?;
        let peppered = service.keeper().pepper(hashed).await.map_err(|e| failed(&e))?;
        let password = Some(PasswordHash { salt, hash: peppered });
        let new = NewOperator { name: operator, role: ADMIN, tenant: None, founder: true };
        let factors = Factors { password, ..Factors::default() };
        service.make_operator(new, factors, &by).await.map_err(|e| failed(&e))?;
        service.sign_head().await.map_err(|e| failed(&e))?;
        service.keeper().detach();
        keeper.ended.await.map(drop).map_err(|_| Failure::new(1, "the keeper was lost"))
    })
}
