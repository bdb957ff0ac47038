//! `claviger init`: a home from nothing. Each secret is made, used and never printed, but for the first operators'
//! invitations, which are shown once.

mod token;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use claviger_core::audit::timestamp;
use claviger_core::clock::{Clock, SystemClock};
use claviger_core::execution::Origin;
use claviger_core::identity::role::ADMIN;
use claviger_core::identity::{CallerSecret, Factors};
use claviger_core::keeper::KeeperClient;
use claviger_core::secret::Plaintext;
use claviger_core::service::{Invited, NewOperator, NewPassword, Service, ServiceError, Venues};
use claviger_core::store::redb::RedbStore;
use claviger_venues::VenueId;
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::Failure;
use super::recovery::{self, Cut};
use crate::auth::password;
use crate::config::{self, Config};
use crate::{egress, sandbox, supervisor, tls};

pub(super) use token::{NO_TOKEN, Undone, add_keys, make_token, planted, provision, provision_child, provisioned};

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
    /// A first operator's name; may be given more than once. Each gets an invitation, shown once and good for two days.
    #[arg(long, default_value = "admin")]
    operator: Vec<String>,
    /// A file that the invitations are written to as well, for its owner only, JSON.
    #[arg(long, conflicts_with = "operator_password_file")]
    invitations: Option<PathBuf>,
    /// For scripts: a file with the password of all these operators. There are no invitations then, and a second factor
    /// is optional.
    #[arg(long)]
    operator_password_file: Option<PathBuf>,
    /// A name or address that the certificate is for, besides localhost.
    #[arg(long)]
    name: Vec<String>,
    /// Makes a recovery key, too: so many people get a share.
    #[arg(long, requires = "recovery_threshold")]
    recovery_shares: Option<u8>,
    /// So many of these shares are needed.
    #[arg(long, requires = "recovery_shares")]
    recovery_threshold: Option<u8>,
    /// For scripts: a folder, made for them, that the shares are written to.
    #[arg(long, requires = "recovery_shares")]
    recovery_out: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(&self, home: &Path) -> Result<(), Failure> {
        sandbox::harden_common().map_err(|e| Failure::new(1, e.to_string()))?;
        let module = self.module()?;
        let first = self.first()?;
        if let Some(file) = self.invitations.as_ref().filter(|file| file.exists()) {
            return Err(Failure::new(5, format!("{} exists; nothing was changed. Name another file", file.display())));
        }
        if fs::read_dir(home).is_ok_and(|mut entries| entries.next().is_some()) {
            let text = format!("{} is not empty; nothing was changed. Name another home", home.display());
            return Err(Failure::new(5, text));
        }
        let made = make_home(home, &module, &self.name, first.second_factor())
            .map_err(|e| Failure::new(69, format!("{}: {e}", home.display())))?;
        let home = fs::canonicalize(home).map_err(|e| Failure::new(1, e.to_string()))?;
        let _lock = super::home::lock(&home)?;
        let config = Config::load(&home).map_err(|e| Failure::new(64, e.to_string()))?;
        let finished = provision_child(&home, &config, &made.pin, "provision", NO_TOKEN)
            .and_then(|()| first_accounts(&home, &config, &made.pin, first))
            .and_then(|invitations| hand_out(self.invitations.as_deref(), &invitations).map(|()| invitations))
            // Last: nobody has noted a share of a home that is taken away again.
            .and_then(|invitations| self.cut_recovery_key(&home, &config).map(|()| invitations));
        let invitations = finished.inspect_err(|_| {
            // A home that is half made is no home: what was made here is taken away again.
            let _ = fs::remove_dir_all(&home);
        })?;
        self.report(&home, &config, &invitations);
        Ok(())
    }

    /// Without a key that was asked for there is nothing to be invited to.
    fn cut_recovery_key(&self, home: &Path, config: &Config) -> Result<(), Failure> {
        let (Some(shares), Some(threshold)) = (self.recovery_shares, self.recovery_threshold) else { return Ok(()) };
        let cut = Cut { shares, threshold, out: self.recovery_out.clone() };
        recovery::make(home, config, &cut).map(drop).inspect_err(|_| {
            if let Some(file) = &self.invitations {
                let _ = fs::remove_file(file);
            }
        })
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

    fn first(&self) -> Result<First, Failure> {
        let mut names = self.operator.clone();
        names.sort();
        names.dedup();
        let Some(file) = &self.operator_password_file else { return Ok(First { names, passwords: None }) };
        let read = fs::read(file).map(Zeroizing::new);
        let read = read.map_err(|e| Failure::new(64, format!("{}: {e}", file.display())))?;
        let secret = Plaintext::copy_of(read.trim_ascii()).map_err(|e| Failure::new(64, e.to_string()))?;
        let passwords = names.iter().map(|name| password::taken(&secret, name)).collect::<Result<_, _>>();
        let passwords = passwords.map_err(|e| Failure::new(64, format!("{}: {e}", file.display())))?;
        Ok(First { names, passwords: Some(passwords) })
    }

    fn report(&self, home: &Path, config: &Config, invitations: &[Shown]) {
        let show = |path: &Path| home.join(path).display().to_string();
        println!("made {}", home.display());
        println!("  configuration  {}", show(Path::new(config::FILE)));
        println!("  certificate    {} (its CA: {})", show(&config.tls.certificate), show(&config.tls.ca));
        println!("  token          {} in {}", config.hsm.token_label, config.hsm.module.display());
        println!("  audit log      {}", config.audit.log);
        if invitations.is_empty() {
            println!(
                "  operators      {}   (password of the file; a second factor is optional)",
                self.operator.join(", ")
            );
        }
        for Shown { name, invitation, .. } in invitations {
            println!("  invitation     {name}: {}   (shown once, good for two days)", invitation.reveal());
        }
        if self.recovery_shares.is_none() {
            println!("  recovery       none: a lost token is the loss of every credential (`claviger recovery setup`)");
        }
        println!("next: enable a venue in {}, then `claviger serve`", config::FILE);
        if !invitations.is_empty() {
            println!(
                "then: each operator sets a password, `claviger operator accept`, and a second factor, `claviger me totp`"
            );
        }
    }
}

/// The first operators.
struct First {
    names: Vec<String>,
    /// One for each, if they set none themselves.
    passwords: Option<Vec<NewPassword>>,
}

impl First {
    fn second_factor(&self) -> &'static str {
        if self.passwords.is_some() { "optional" } else { "required" }
    }
}

/// An invitation, to be shown once.
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) invitation: CallerSecret,
    pub(super) expires_ms: u64,
}

impl Shown {
    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "operator": self.name,
            "invitation": self.invitation.reveal(),
            "expires_at": timestamp(self.expires_ms),
        })
    }
}

/// Writes the invitations to the file that was named for them.
pub(super) fn hand_out(file: Option<&Path>, invitations: &[Shown]) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    let rows: Vec<_> = invitations.iter().map(Shown::to_json).collect();
    let text = Zeroizing::new(format!("{:#}\n", serde_json::Value::Array(rows)));
    write(file, text.as_bytes()).map_err(|e| Failure::new(1, format!("{}: {e}", file.display())))
}

struct Made {
    pin: Plaintext,
}

fn make_home(home: &Path, module: &Path, names: &[String], second_factor: &str) -> io::Result<Made> {
    private_directory(home)?;
    let home = fs::canonicalize(home)?;
    for part in ["tls", "audit", "audit/segments", "tombstones", "token/tokens"] {
        private_directory(&home.join(part))?;
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
    write(&home.join(config::FILE), configuration(module, &log, second_factor).as_bytes())?;
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    all.extend(names.iter().cloned());
    tls::make_test_ca_and_certificate(&home.join("tls"), &all, SystemClock.unix_ms()).map_err(io::Error::other)?;
    Ok(Made { pin })
}

/// Makes a directory for this user alone, if it is not there.
pub(super) fn private_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a new file for this user alone.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn configuration(module: &Path, log: &str, second_factor: &str) -> String {
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

[operators]
# Who has no second factor can set one up, and nothing else; "optional" lets them do everything.
second_factor = "{second_factor}"

# A venue is used only when it is enabled here.
{venues}"#,
        module.display()
    )
}

/// The tenant `default` and the first operators, made as the service makes them: with a keeper, audited.
fn first_accounts(home: &Path, config: &Config, pin: &Plaintext, first: First) -> Result<Vec<Shown>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(1, format!("no runtime: {e}")))?;
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
        service.own_kek(&by).await.map_err(|e| failed(&e))?;
        let shown = founders(&service, first, &by).await.map_err(|e| failed(&e))?;
        service.sign_head().await.map_err(|e| failed(&e))?;
        service.keeper().detach();
        keeper.ended.await.map_err(|_| Failure::new(1, "the keeper was lost"))?;
        Ok(shown)
    })
}

/// Makes the first operators, with the password that is given or with invitations.
async fn founders(service: &Service, first: First, by: &Origin) -> Result<Vec<Shown>, ServiceError> {
    let mut shown = Vec::new();
    match first.passwords {
        Some(passwords) => {
            for (name, password) in first.names.iter().zip(&passwords) {
                let password = Some(service.peppered(password).await?);
                service.make_operator(founder(name), Factors { password, ..Factors::default() }, by).await?;
            }
        }
        None => {
            for name in first.names {
                let Invited { prepared, invitation, expires_ms } =
                    service.prepare_create_operator(founder(&name), by)?;
                service.commit_operator(prepared).await?;
                shown.push(Shown { name, invitation, expires_ms });
            }
        }
    }
    Ok(shown)
}

fn founder(name: &str) -> NewOperator<'_> {
    NewOperator { name, role: ADMIN, tenant: None, founder: true }
}
