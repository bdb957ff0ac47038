//! The command line. All commands but `init`, `serve`, `doctor`, `audit verify`, `backup verify`, `backup restore`,
//! `recovery setup`, `recovery drill`, `recovery restore` and
//! the ones that print a file are clients of the `admin` listener, with the bearer in `<home>/operator.login`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

mod accounts;
mod acts;
mod approvals;
mod apps;
mod audit;
mod backup;
mod client;
mod console;
mod contact;
mod credentials;
mod decoy;
mod deletion;
mod doctor;
mod enroll;
pub mod home;
mod incidents;
mod init;
mod kek;
mod login;
mod me;
mod operator;
mod own_kek;
mod owner;
mod passkey;
mod policy;
mod recovery;
mod roles;
mod root;
mod rotation;
mod stops;
mod template;
mod venues;
mod virtual_keys;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{config, front, keeper, supervisor};

/// The key service that trading platforms trust with other people's exchange and broker keys.
#[derive(Debug, Parser)]
#[command(name = "claviger", version, propagate_version = true)]
struct Cli {
    /// The home: configuration, store, certificates, a soft token. Else `CLAVIGER_HOME`, else `./claviger-home`.
    #[arg(long, global = true)]
    home: Option<PathBuf>,
    /// The admin listener, host:port; else as configured.
    #[arg(long, global = true, env = "CLAVIGER_ADMIN")]
    admin: Option<String>,
    /// Machine-readable output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a home: configuration, certificate, token, keys, the tenant `default` and the first operators.
    Init(init::Init),
    /// Runs the service.
    Serve {
        /// Written when everything answers: addresses and process ids, JSON.
        #[arg(long)]
        ready_file: Option<PathBuf>,
    },
    /// Opens the operator console.
    Console(console::Console),
    /// Checks configuration, files, token and service, and says what to do.
    Doctor(doctor::Doctor),
    /// Logs an operator in; the bearer goes to `<home>/operator.login`.
    Login(login::LogIn),
    /// Your own password, codes and logins.
    #[command(subcommand)]
    Me(me::Me),
    /// Your passkeys.
    #[command(subcommand)]
    Passkey(passkey::Passkey),
    /// Operators.
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Tenants.
    #[command(subcommand)]
    Tenant(accounts::Tenant),
    /// Apps.
    #[command(subcommand)]
    App(apps::App),
    /// Grants.
    #[command(subcommand)]
    Grant(accounts::Grant),
    /// Roles: what operators may do.
    #[command(subcommand)]
    Role(roles::Role),
    /// Virtual keys, for unmodified clients at the gateway.
    #[command(subcommand)]
    VirtualKey(virtual_keys::VirtualKey),
    /// Decoys: keys that tell where they were taken from.
    #[command(subcommand)]
    Decoy(decoy::Decoy),
    /// Webhooks: where a tenant's events are sent.
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// What each venue asks of an owner.
    Venue(venues::Venue),
    /// Enrolls a credential.
    Enroll(enroll::Enroll),
    /// Credentials.
    #[command(subcommand)]
    Credential(credentials::Credential),
    /// Where owners of credentials are told what happens to them.
    #[command(subcommand)]
    Contact(contact::Contact),
    /// The words of notices to owners.
    #[command(subcommand)]
    Template(template::Template),
    /// Owners of credentials.
    #[command(subcommand)]
    Owner(owner::Owner),
    /// Stops everything, a tenant, an owner, a venue or an app.
    Stop(stops::Stop),
    /// Lets a stopped scope go on.
    Resume(stops::Resume),
    /// Policies of the signing firewall.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Tenants' KEKs: rotation with its progress, and their end.
    #[command(subcommand)]
    Kek(kek::Kek),
    /// What was deleted and opens from backups yet.
    #[command(subcommand)]
    Deletion(deletion::Deletion),
    /// Incidents: what they touch, what was done, and their clocks.
    #[command(subcommand)]
    Incident(incidents::Incident),
    /// The token's root keys: rotation with its progress, and their end.
    #[command(subcommand)]
    Root(root::Root),
    /// Acts that take a second operator.
    #[command(subcommand)]
    Approval(approvals::Approval),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Backups: made, listed, verified, restored.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Recovery without the token: shares, drill, restore.
    #[command(subcommand)]
    Recovery(recovery::Recovery),
    /// Prints the API as an `OpenAPI` document.
    Openapi,
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes manual pages.
    Man {
        /// Where to.
        directory: PathBuf,
    },
    /// A process of the service's own; started by the supervisor.
    #[command(hide = true)]
    Child {
        /// Which.
        role: Role,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Role {
    Front,
    Keeper,
    Provision,
    AddKeys,
    AcceptRestored,
    CertifyRecovery,
    NewToken,
    AdoptRecovered,
}

/// What a command ended with: an exit code of the documentation, and what to say.
#[derive(Debug)]
struct Failure {
    code: u8,
    text: String,
    /// The problem's own code, where the service refused.
    problem: String,
}

impl Failure {
    fn new(code: u8, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), problem: String::new() }
    }
}

impl From<(u8, String)> for Failure {
    fn from((code, text): (u8, String)) -> Self {
        Self::new(code, text)
    }
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("claviger: {}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let home = cli.home.unwrap_or_else(config::home);
    let here = client::Here { home: home.clone(), admin: cli.admin, json: cli.json };
    let done = match cli.command {
        Command::Child { role } => {
            // A child never outlives its supervisor, however that one ends.
            let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            return Ok(match role {
                Role::Front => front::main(),
                Role::Keeper => keeper::main(),
                Role::Provision => init::provision(),
                Role::AddKeys => init::add_keys(),
                Role::AcceptRestored => backup::accept_restored(),
                Role::CertifyRecovery => recovery::certify(),
                Role::NewToken => recovery::new_token(),
                Role::AdoptRecovered => recovery::adopt(),
            });
        }
        Command::Init(init) => init.run(&home),
        Command::Serve { ready_file } => return Ok(supervisor::run(&home, ready_file)?),
        Command::Console(console) => console.run(&here),
        Command::Doctor(doctor) => return doctor.run(&here),
        Command::Login(login) => login.run(&here),
        Command::Me(me) => me.run(&here),
        Command::Passkey(passkey) => passkey.run(&here),
        Command::Operator(operator) => operator.run(&here),
        Command::Tenant(tenant) => tenant.run(&here),
        Command::App(app) => app.run(&here),
        Command::Grant(grant) => grant.run(&here),
        Command::Role(role) => role.run(&here),
        Command::VirtualKey(key) => key.run(&here),
        Command::Decoy(decoy) => decoy.run(&here),
        Command::Webhook(webhook) => webhook.run(&here),
        Command::Venue(venue) => venue.run(&here),
        Command::Enroll(enroll) => enroll.run(&here),
        Command::Credential(credential) => credential.run(&here),
        Command::Contact(contact) => contact.run(&here),
        Command::Template(template) => template.run(&here),
        Command::Owner(owner) => owner.run(&here),
        Command::Stop(stop) => stop.run(&here),
        Command::Resume(resume) => resume.run(&here),
        Command::Policy(policy) => policy.run(&here),
        Command::Kek(kek) => kek.run(&here),
        Command::Deletion(deletion) => deletion.run(&here),
        Command::Incident(incident) => incident.run(&here),
        Command::Root(root) => root.run(&here),
        Command::Approval(approval) => approval.run(&here),
        Command::Audit(audit) => return audit.run(&here),
        Command::Backup(backup) => return backup.run(&here),
        Command::Recovery(recovery) => return recovery.run(&here),
        Command::Openapi => {
            println!("{}", crate::api::openapi::text());
            Ok(())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "claviger", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { directory } => clap_mangen::generate_to(Cli::command(), &directory)
            .map_err(|e| Failure::new(1, format!("{}: {e}", directory.display()))),
    };
    done.map(|()| ExitCode::SUCCESS)
}
