//! A home of Claviger's own making, and its configuration.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::command::Command;
use crate::programs::Programs;
use crate::sim::{Sim, VENUES};

/// The operator that `init` makes.
pub const OPERATOR: &str = "operator";

/// The operator's password, in homes that no one else ever sees.
pub const PASSWORD: &str = "five angry llamas weave at night";

/// The folder with everything that a server needs.
///
/// What only the test needs (ready file, password file) lies beside it, in the same parent folder.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    env: Vec<(String, OsString)>,
    programs: Programs,
}

impl Home {
    /// A home that is there, or that [`Home::init`] will make.
    ///
    /// # Errors
    /// When the programs are nowhere to be found.
    pub fn at(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), env: Vec::new(), programs: Programs::find()? })
    }

    /// Has `claviger init` make it.
    ///
    /// # Errors
    /// When `init` fails.
    pub async fn init(&self) -> Result<()> {
        self.init_with(None).await
    }

    /// Has `claviger init` make it with the fault module in front of the token's own. The keeper is told so in the
    /// configuration; there are no faults until [`Home::fault`] asks for some.
    ///
    /// # Errors
    /// When `init` fails.
    pub async fn init_faulty(&self) -> Result<()> {
        self.init_with(Some(&self.programs.fault_module()?)).await?;
        let environment = self.fault_environment()?;
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        self.configure("hsm.environment", environment.collect::<Table>())
    }

    async fn init_with(&self, module: Option<&Path>) -> Result<()> {
        let password_file = self.beside("password");
        fs::write(&password_file, PASSWORD)?;
        let mut init = self.claviger(["init"])?.args(["--operator", OPERATOR, "--operator-password-file"]);
        init = init.args([&password_file]);
        let softhsm = std::env::var_os("CLAVIGER_SOFTHSM").map(PathBuf::from);
        if let Some(module) = module.or(softhsm.as_deref()) {
            init = init.args(["--module".as_ref(), module.as_os_str()]);
        }
        if module.is_some() {
            for (name, value) in self.fault_environment()? {
                init = init.env(name, value);
            }
        }
        init.output().await?.ok()?;
        Ok(())
    }

    fn fault_environment(&self) -> Result<[(&'static str, String); 3]> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        Ok([
            ("CLAVIGER_FAULT_TARGET", text(self.programs.softhsm()?)),
            ("CLAVIGER_FAULT_RULES", text(self.token_file("fault.rules"))),
            ("CLAVIGER_FAULT_LOG", text(self.token_file("fault.log"))),
        ])
    }

    /// Points every venue of the configuration to a simulator, and every listener to a free port.
    ///
    /// # Errors
    /// When there is no configuration.
    pub fn use_sim(&self, sim: &Sim) -> Result<()> {
        for listener in ["api", "admin", "public", "metrics"] {
            self.configure(&format!("listen.{listener}"), "127.0.0.1:0")?;
        }
        for venue in VENUES {
            self.configure(&format!("venues.{venue}.enabled"), true)?;
            self.configure(&format!("venues.{venue}.base_url"), format!("{}/{venue}", sim.url()))?;
            self.configure(&format!("venues.{venue}.ca_file"), sim.ca_file().to_string_lossy().into_owned())?;
            self.configure(&format!("venues.{venue}.local"), true)?;
        }
        Ok(())
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

    /// A file of the test's own, outside the home.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
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
