//! A home of Claviger's own making, and its configuration.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::command::{Command, Output};
use crate::programs::Programs;
use crate::ready::Ready;
use crate::scratch::Scratch;
use crate::sim::{Sim, VENUES};

/// The operator that `init` makes.
pub const OPERATOR: &str = "operator";

/// Another, who approves what the first asks for.
pub const SECOND: &str = "second";

/// The operators' password, in homes that no one else ever sees.
pub const PASSWORD: &str = "five angry llamas weave at night";

/// What tests say where they are asked why.
pub const REASON: &str = "because the test says so";

/// The folder with everything that a server needs, and another for what only the harness needs: the ready file.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    beside: PathBuf,
    log_file: PathBuf,
    env: Vec<(String, OsString)>,
    programs: Programs,
}

impl Home {
    /// A home that is there, or that [`Home::init`] will make.
    ///
    /// # Errors
    /// When the programs are nowhere to be found.
    pub fn at(path: &Path, beside: &Path, log_file: &Path) -> Result<Self> {
        let (path, beside, log_file) = (path.to_owned(), beside.to_owned(), log_file.to_owned());
        Ok(Self { path, beside, log_file, env: Vec::new(), programs: Programs::find()? })
    }

    /// Has `claviger init` make it, with both operators.
    ///
    /// # Errors
    /// When `init` fails.
    pub async fn init(&self, password: &str) -> Result<Output> {
        let scratch = Scratch::new()?;
        let password_file = scratch.path().join("password");
        fs::write(&password_file, password)?;
        let init = self.claviger(["init", "--home"])?.args([&self.path]);
        let init = init.args(["--operator", OPERATOR, "--operator", SECOND, "--operator-password-file"]);
        let init = init.args([&password_file]);
        let made = init.output().await?.ok()?;
        // No test has a day.
        self.configure("approvals.delay_hours", 0)?;
        Ok(made)
    }

    /// Puts the fault module in front of the token's own. There are no faults until [`Home::fault`] asks for some.
    ///
    /// # Errors
    /// When there is no configuration, or a module is missing.
    pub fn use_fault_module(&self) -> Result<()> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let (softhsm, rules, log) =
            (self.programs.softhsm()?, self.token_file("fault.rules"), self.token_file("fault.log"));
        fs::write(&rules, "")?;
        fs::write(&log, "")?;
        self.configure("hsm.module", text(self.programs.fault_module()?))?;
        self.configure("hsm.reads", vec![text(softhsm.clone()), text(self.token_file(""))])?;
        self.configure("hsm.writes", vec![text(log.clone())])?;
        self.configure("hsm.environment.CLAVIGER_FAULT_TARGET", text(softhsm))?;
        self.configure("hsm.environment.CLAVIGER_FAULT_RULES", text(rules))?;
        self.configure("hsm.environment.CLAVIGER_FAULT_LOG", text(log))
    }

    /// Points the venues of [`VENUES`] to a simulator, and every listener to a free port.
    ///
    /// # Errors
    /// When there is no configuration.
    pub fn use_sim(&self, sim: &Sim) -> Result<()> {
        for listener in ["api", "admin", "public", "metrics"] {
            self.configure(&format!("listen.{listener}"), "127.0.0.1:0")?;
        }
        VENUES.iter().try_for_each(|venue| self.use_venue(sim, venue))
    }

    /// Points one venue to a simulator.
    ///
    /// # Errors
    /// When there is no configuration.
    pub fn use_venue(&self, sim: &Sim, venue: &str) -> Result<()> {
        self.configure(&format!("venues.{venue}.enabled"), true)?;
        self.configure(&format!("venues.{venue}.base_url"), format!("{}/{venue}", sim.url()))?;
        self.configure(&format!("venues.{venue}.ca_file"), sim.ca_file().to_string_lossy().into_owned())?;
        self.configure(&format!("venues.{venue}.local"), true)?;
        self.configure(&format!("venues.{venue}.accept_unproven"), true)?;
        // Scenarios of their own keep rates; the others are about something else, and in a hurry.
        self.configure(&format!("venues.{venue}.rate_limits"), false)
    }

    /// Sets one value of the configuration file, by its path, such as `audit.log`.
    ///
    /// # Errors
    /// When there is no configuration, or the path leads through a value.
    pub fn configure(&self, path: &str, value: impl Into<Value>) -> Result<()> {
        let file = self.file("claviger.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("no configuration {}", file.display()))?;
        let mut root: Table = text.parse()?;
        let mut table = &mut root;
        let (folders, name) = path.rsplit_once('.').unwrap_or(("", path));
        for folder in folders.split('.').filter(|folder| !folder.is_empty()) {
            let entry = table.entry(folder).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().with_context(|| format!("{path} leads through a value"))?;
        }
        table.insert(name.to_owned(), value.into());
        fs::write(&file, toml::to_string(&root)?)?;
        Ok(())
    }

    /// Sets a variable of the environment of everything that is started from now on, such as
    /// `CLAVIGER__LISTEN__API`.
    pub fn set_env(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.push((name.to_owned(), value.into()));
    }

    /// The program `claviger` with this home.
    ///
    /// # Errors
    /// When it was not built.
    pub fn claviger<const N: usize>(&self, args: [&str; N]) -> Result<Command> {
        let program = self.programs.claviger()?;
        Ok(Command::new(&program).env("CLAVIGER_HOME", &self.path).envs(&self.env).args(args))
    }

    /// The program `claviger` as a client of this home's server.
    ///
    /// # Errors
    /// When it was not built, or the server is not ready.
    pub fn client<const N: usize>(&self, args: [&str; N]) -> Result<Command> {
        let admin = Ready::read(&self.ready_file())?.admin;
        Ok(self.claviger(["--admin", &admin])?.args(args))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file in the folder that belongs to the token.
    pub fn token_file(&self, name: &str) -> PathBuf {
        self.path.join("token").join(name)
    }

    /// A file of the harness's own.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.beside.join(name)
    }

    /// The file that its server logs to.
    pub fn log_file(&self) -> &Path {
        &self.log_file
    }

    /// The ready file of its server.
    pub fn ready_file(&self) -> PathBuf {
        self.beside("ready.json")
    }

    /// Puts faults in force, as the fault module's documentation describes them; the empty text ends them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn fault(&self, rules: &str) -> Result<()> {
        let (file, draft) = (self.token_file("fault.rules"), self.token_file("fault.rules.new"));
        fs::write(&draft, rules)?;
        Ok(fs::rename(draft, file)?)
    }

    /// The calls that reached the fault module, one line each: `<pid> <function> <return value> …`.
    pub fn fault_log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.token_file("fault.log")).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }
}
