//! Client libraries as their authors publish them, each run in a program of its own.
//!
//! `clients/` holds the scripts, the pinned versions, and `venues.json`: what each venue's scenario trades. The
//! libraries are installed once per target folder, from `PyPI` and npm, by whichever test comes first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Command, House, Key, Programs, Scratch, Sim};

/// Authorities that the environment may name instead of the one that the script is told of.
const AUTHORITIES: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];

/// What installs and runs the libraries, and the page's program that needs none.
const NEEDED: [&str; 5] = ["python3", "node", "npm", "curl", "openssl"];

/// The installed libraries.
#[derive(Clone, Debug)]
pub struct Clients {
    python: PathBuf,
    node: PathBuf,
}

/// Where a scenario goes, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// What stands before a slash and the venue: the gateway's or the simulator's address.
    pub base: String,
    /// The authority that vouches for it.
    pub ca_file: PathBuf,
    /// The venue.
    pub venue: &'static str,
    /// The key that the library signs with: `key`, `secret`, and `passphrase` where the venue has one.
    pub key: Map<String, Value>,
}

/// What came of a scenario.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// Name and version.
    pub library: String,
    /// By name: `markets`, `balance`, `positions`, `place`, `listed`, `cancel`, `left`, `withdraw`, `transfer`.
    pub steps: Map<String, Value>,
}

impl Clients {
    /// Installs the libraries, unless another test has.
    ///
    /// # Errors
    /// When Python or Node.js is missing, or a registry cannot be reached.
    pub async fn ready() -> Result<Self> {
        tokio::task::spawn_blocking(Self::install).await?
    }

    /// Runs `script` from `clients/` against a venue; `changes` are laid over the venue's entry in `venues.json`.
    ///
    /// # Errors
    /// When it does not end well; what a library raises is no error but part of the report.
    pub async fn run(&self, script: &str, target: &Target, changes: Value) -> Result<Report> {
        let scratch = Scratch::new()?;
        let about = scratch.path().join("about.json");
        fs::write(&about, description(target, changes)?.to_string())?;
        let command = self.interpreter(script, target)?.current_dir(&self.node);
        let output = command.args([&folder().join(script), &about]).output().await?.ok()?;
        Ok(serde_json::from_value(output.json()?)?)
    }

    /// Runs the program of a page as its reader would, and returns what it printed.
    ///
    /// # Errors
    /// When it does not end well.
    pub async fn example(&self, program: &str, language: &str, target: &Target) -> Result<String> {
        let scratch = Scratch::new()?;
        let ending = match language {
            "javascript" => "mjs",
            "python" => "py",
            other => other,
        };
        let file = scratch.path().join("example").with_extension(ending);
        fs::write(&file, program)?;
        // Node.js looks for libraries beside the program.
        std::os::unix::fs::symlink(self.node.join("node_modules"), scratch.path().join("node_modules"))?;
        let mut command = self.interpreter(&file.to_string_lossy(), target)?;
        for (name, value) in [("KEY_ID", "key"), ("SECRET", "secret"), ("PASSPHRASE", "passphrase")] {
            let value = target.key.get(value).and_then(Value::as_str).unwrap_or_default();
            command = command.env(name, value);
        }
        let server = target.base.trim_end_matches("/gateway");
        let command = command.env("CLAVIGER", server).env("CLAVIGER_CA", &target.ca_file).args([&file]);
        Ok(command.output().await?.ok()?.stdout)
    }

    /// What runs a program of that name, with an environment that trusts nobody else.
    fn interpreter(&self, program: &str, target: &Target) -> Result<Command> {
        let command = match Path::new(program).extension().and_then(|ending| ending.to_str()) {
            Some("mjs") => Command::new(Path::new("node")).env("NODE_EXTRA_CA_CERTS", &target.ca_file),
            // Nothing is written beside the scripts.
            Some("py") => Command::new(&self.python).args(["-B"]),
            Some("sh") => Command::new(Path::new("bash")).args(["-eu"]),
            _ => bail!("nobody here runs {program}"),
        };
        Ok(AUTHORITIES.into_iter().fold(command, Command::without_env).env("NO_PROXY", "127.0.0.1"))
    }

    fn install() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        for program in NEEDED {
            let there = std::env::split_paths(&path).any(|folder| folder.join(program).exists());
            ensure!(there, "{program} is missing, which runs client libraries: make tools-clients");
        }
        let place = Programs::find()?.target().join("clients");
        fs::create_dir_all(&place)?;
        let lock = File::create(place.join("lock"))?;
        lock.lock().context("cannot lock the folder of the client libraries")?;
        let (python, node) = (place.join("python"), place.join("node"));
        made_of(&folder().join("requirements.txt"), &python, |requirements| {
            run(process::Command::new("python3").args(["-m", "venv"]).arg(&python))?;
            let mut pip = process::Command::new(python.join("bin/pip"));
            run(pip.args(["install", "--quiet", "--require-hashes", "--requirement"]).arg(requirements))
        })?;
        made_of(&folder().join("package-lock.json"), &node, |lock_file| {
            fs::create_dir_all(&node)?;
            fs::copy(lock_file, node.join("package-lock.json"))?;
            fs::copy(folder().join("package.json"), node.join("package.json"))?;
            let quietly = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
            run(process::Command::new("npm").args(quietly).current_dir(&node))
        })?;
        Ok(Self { python: python.join("bin/python"), node })
    }
}

impl Target {
    /// The simulator itself, with a key that it knows.
    pub fn straight(sim: &Sim, key: &Key) -> Self {
        let mut shown = key.parts.clone();
        shown.insert("key".to_owned(), key.key_id.clone().into());
        shown.insert("secret".to_owned(), key.secret.clone().into());
        Self { base: sim.url().to_owned(), ca_file: sim.ca_file().to_owned(), venue: key.venue, key: shown }
    }

    /// The gateway, with a new virtual key of the house's app for a credential.
    ///
    /// # Errors
    /// When the key is refused.
    pub async fn gateway(house: &House, venue: &'static str, credential: &str) -> Result<Self> {
        let body = json!({ "credential": credential, "label": "bot" });
        let made = house.app.call("POST", "/api/v1/virtual-keys", Some(&body)).await?.ok().context("virtual key")?;
        let made = made.json();
        let names = [("key_id", "key"), ("secret", "secret"), ("passphrase", "passphrase")];
        let key = names.into_iter().filter_map(|(name, to)| Some((to.to_owned(), made.get(name)?.clone()))).collect();
        let ready = house.server.ready()?;
        Ok(Self { base: format!("https://{}/gateway", ready.api), ca_file: ready.ca_file, venue, key })
    }
}

impl Report {
    /// What a step returned.
    ///
    /// # Errors
    /// When the library raised something, or there is no such step.
    pub fn ok(&self, step: &str) -> Result<&Value> {
        let said = self.steps.get(step).with_context(|| format!("{}: no step {step}", self.library))?;
        said.get("ok").with_context(|| format!("{}: {step}: {said}", self.library))
    }

    /// The class that the library raised, and its message.
    ///
    /// # Errors
    /// When it raised nothing, or there is no such step.
    pub fn raised(&self, step: &str) -> Result<(&str, &str)> {
        let said = self.steps.get(step).with_context(|| format!("{}: no step {step}", self.library))?;
        let text = |field: &str| said.get(field).and_then(Value::as_str);
        text("raised").zip(text("message")).with_context(|| format!("{}: {step}: {said}", self.library))
    }
}

/// What the script is told.
fn description(target: &Target, changes: Value) -> Result<Value> {
    let venues: Value = serde_json::from_str(&fs::read_to_string(folder().join("venues.json"))?)?;
    let mut about = venues.get(target.venue).with_context(|| format!("venues.json: no {}", target.venue))?.clone();
    if let Value::Object(about) = &mut about {
        about.extend(target.key.clone());
        let place = json!({ "base": target.base, "ca_file": target.ca_file, "venue": target.venue });
        for more in [place, changes] {
            about.extend(more.as_object().cloned().unwrap_or_default());
        }
    }
    Ok(about)
}

/// Makes `folder` anew unless it was made of the same `source`.
fn made_of(source: &Path, folder: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mark = folder.join("made-of");
    let source_text = fs::read_to_string(source)?;
    if fs::read_to_string(&mark).is_ok_and(|made_of| made_of == source_text) {
        return Ok(());
    }
    // What an interrupted run left is of no use.
    let _none = fs::remove_dir_all(folder);
    make(source).with_context(|| format!("cannot install what {} lists", source.display()))?;
    Ok(fs::write(mark, source_text)?)
}

fn run(command: &mut process::Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
    ensure!(output.status.success(), "{command:?}, which make tools-clients prepares:\n{stdout}{stderr}");
    Ok(())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}
