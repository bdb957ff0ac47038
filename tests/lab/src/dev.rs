//! `make dev` and `make stop`: a server and a venue that stay, and the file that says where they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{
    App, Client, Door, Home, Key, OPERATOR, Operator, Programs, Ready, SECOND, Server, Sim, VirtualKey, is_running,
    terminate, until,
};
use claviger_venues::VenueId;
use serde_json::json;

use crate::story::say;

/// Everything that stays between two runs is in this folder, which git ignores.
const HOME: &str = "claviger-home";

/// Starts what is not running, and prints where everything is.
pub(crate) async fn start() -> Result<ExitCode> {
    let dev = Dev::new()?;
    let before = dev.env();
    if let Some(ready) = dev.running().await {
        // A process that was replaced meanwhile listens elsewhere.
        let env = after(before, &ready);
        dev.write_env(&env)?;
        print(&env);
        return Ok(ExitCode::SUCCESS);
    }
    let password = before.get("CLAVIGER_OPERATOR_PASSWORD").cloned().map_or_else(random_password, Ok)?;
    if !dev.home.file("claviger.toml").exists() {
        dev.home.init(&password).await?;
    }
    fs::create_dir_all(&dev.folder)?;
    let sim = dev.start_sim().await?;
    dev.home.use_sim(&sim)?;
    VenueId::ALL.iter().try_for_each(|venue| dev.home.use_venue(&sim, venue.as_str()))?;
    let server = Server::start(&dev.home).await?;
    let operator = Operator::log_in(&dev.home.ready_file(), OPERATOR, &password).await?;
    let app = dev.app(&before, &operator).await?;
    let key = sim.knows(Key::binance()).await?;
    let bot = match exchanged(&before, &operator, &key).await? {
        Some(bot) => bot,
        None => made(&app, &key).await?,
    };
    let env = [
        ("CLAVIGER_APP_ID", app.id),
        ("CLAVIGER_APP_SECRET", app.secret),
        ("CLAVIGER_OPERATOR", OPERATOR.to_owned()),
        ("CLAVIGER_OPERATOR_PASSWORD", password.clone()),
        ("CLAVIGER_OPERATOR_2", SECOND.to_owned()),
        ("CLAVIGER_OPERATOR_2_PASSWORD", password),
        ("CLAVIGER_VENUE_SIM", sim.url().to_owned()),
    ];
    let env = env.into_iter().chain(bot);
    let env = env.map(|(name, value)| (name.to_owned(), value)).collect();
    let env = after(env, &server.ready()?);
    dev.write_env(&env)?;
    server.stay();
    print(&env);
    Ok(ExitCode::SUCCESS)
}

/// The variables, with what a ready file says.
fn after(mut env: Env, ready: &Ready) -> Env {
    let address = |door: &str| format!("https://{door}");
    let now = [
        ("CLAVIGER_API", address(&ready.api)),
        ("CLAVIGER_GATEWAY", format!("{}/gateway", address(&ready.api))),
        ("CLAVIGER_ADMIN", address(&ready.admin)),
        ("CLAVIGER_PUBLIC", address(&ready.public)),
        ("CLAVIGER_CACERT", ready.ca_file.to_string_lossy().into_owned()),
        ("CLAVIGER_PID", ready.pid.to_string()),
        ("CLAVIGER_FRONT_PID", ready.front_pid.to_string()),
        ("CLAVIGER_KEEPER_PID", ready.keeper_pid.to_string()),
    ];
    env.extend(now.map(|(name, value)| (name.to_owned(), value)));
    env
}

/// Ends what is running, and waits for the end.
pub(crate) async fn stop() -> Result<ExitCode> {
    let dev = Dev::new()?;
    let server = dev.env().get("CLAVIGER_PID").and_then(|pid| pid.parse().ok());
    for (pid, program) in [(server, "claviger"), (dev.sim_pid(), "claviger-venue-sim")] {
        let Some(pid) = pid.filter(|pid| is_running(*pid)) else { continue };
        terminate(pid, program);
        until(&format!("{program} to end"), async || {
            ensure!(!is_running(pid), "process {pid} is still there");
            Ok(())
        })
        .await?;
        say(&format!("{program} has ended"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The variables, by name.
type Env = BTreeMap<String, String>;

struct Dev {
    home: Home,
    /// The harness's own files, inside the home.
    folder: PathBuf,
    env_file: PathBuf,
}

impl Dev {
    fn new() -> Result<Self> {
        let home = std::env::current_dir()?.join(HOME);
        let folder = home.join("dev");
        let env_file = home.join("dev.env");
        Ok(Self { home: Home::at(&home, &folder, &folder.join("server.log"))?, folder, env_file })
    }

    /// The ready file, if the server that the variables name answers.
    async fn running(&self) -> Option<Ready> {
        let ready = Ready::read(&self.home.ready_file()).ok()?;
        let same = self.env().get("CLAVIGER_PID") == Some(&ready.pid.to_string()) && is_running(ready.pid);
        let venue = self.sim_pid().is_some_and(is_running);
        let client = Client::of_server(&self.home.ready_file(), Door::Public).ok()?;
        let answers = client.get("/readyz").await.is_ok_and(|reply| reply.status == 200);
        (same && venue && answers).then_some(ready)
    }

    fn env(&self) -> Env {
        let text = fs::read_to_string(&self.env_file).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
    }

    fn write_env(&self, env: &Env) -> Result<()> {
        let mut text = String::new();
        for (name, value) in env {
            writeln!(text, "{name}='{value}'")?;
        }
        let draft = self.env_file.with_extension("new");
        let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        Ok(fs::rename(draft, &self.env_file)?)
    }

    /// A venue of another process, in a group of its own so that it outlives this one.
    async fn start_sim(&self) -> Result<Sim> {
        let ready_file = self.sim_ready_file();
        if self.sim_pid().is_some_and(is_running) {
            return Sim::of_ready_file(&ready_file);
        }
        let _none = fs::remove_file(&ready_file);
        let log = fs::File::options().append(true).create(true).open(self.folder.join("venue-sim.log"))?;
        Command::new(Programs::find()?.venue_sim()?)
            .arg("--tls-dir")
            .arg(self.folder.join("venue-tls"))
            .arg("--ready-file")
            .arg(&ready_file)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start the venue simulator")?;
        until("the venue simulator to be ready", async || Sim::of_ready_file(&ready_file)).await
    }

    fn sim_ready_file(&self) -> PathBuf {
        self.folder.join("venue-sim.json")
    }

    fn sim_pid(&self) -> Option<u32> {
        let ready: serde_json::Value = serde_json::from_str(&fs::read_to_string(self.sim_ready_file()).ok()?).ok()?;
        u32::try_from(ready.get("pid")?.as_u64()?).ok()
    }

    /// The app of the last time, or a new one.
    async fn app(&self, before: &Env, operator: &Operator) -> Result<App> {
        let ready_file = self.home.ready_file();
        if let (Some(id), Some(secret)) = (before.get("CLAVIGER_APP_ID"), before.get("CLAVIGER_APP_SECRET"))
            && let Ok(app) = App::log_in(&ready_file, id, secret).await
        {
            return Ok(app);
        }
        operator.make_app(&ready_file, "default", "dev").await
    }
}

/// What a bot needs, by its names here.
type Bot = Vec<(&'static str, String)>;

/// A credential, and a virtual key for it.
const BOT: [&str; 3] = ["CLAVIGER_CREDENTIAL", "CLAVIGER_VIRTUAL_KEY", "CLAVIGER_VIRTUAL_SECRET"];

/// The bot of the last time. Its credential gets a new key, because a venue that was started anew knows none; the bot
/// does not notice. Nothing if the credential or the virtual key is not there any more.
async fn exchanged(before: &Env, operator: &Operator, key: &Key) -> Result<Option<Bot>> {
    let [Some(credential), Some(key_id), Some(secret)] = BOT.map(|name| before.get(name).cloned()) else {
        return Ok(None);
    };
    let virtual_keys = operator.get("/api/v1/tenants/default/virtual-keys?limit=200").await?.ok()?.text();
    if !virtual_keys.contains(&key_id) || operator.credential("default", &credential).await?.status != 200 {
        return Ok(None);
    }
    let body = json!({ "key_id": key.key_id, "secret": key.secret });
    let rotated = operator.act_if_unchanged("default", &credential, "rotate", &body).await?;
    Ok((rotated.status == 200).then(|| BOT.into_iter().zip([credential, key_id, secret]).collect()))
}

/// A new one.
async fn made(app: &App, key: &Key) -> Result<Bot> {
    let credential = app.enrolled(key).await?;
    let virtual_key = VirtualKey::made(app, &credential, None).await?;
    Ok(BOT.into_iter().zip([credential, virtual_key.key_id, virtual_key.secret]).collect())
}

/// 32 hexadecimal digits from the system.
fn random_password() -> Result<String> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut fs::File::open(Path::new("/dev/urandom"))?, &mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

fn print(env: &Env) {
    for (name, value) in env {
        say(&format!("{name}={value}"));
    }
    say(&format!("# set -a; . {HOME}/dev.env; set +a; make stop ends it"));
}
