//! The front process: shut itself in, open the store, serve the listeners. No PIN, no token, no PKCS#11 library.

mod notes;

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use claviger_core::clock::{Clock, SystemClock};
use claviger_core::keeper::message::Greeting;
use claviger_core::service::{Graveyard, RELIEF_AFTER, Service, StartError, Venues};
use claviger_core::store::redb::{IN_USE, RedbStore};
use claviger_core::view::SettingView;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::backup::Backups;
use crate::boot::{self, Addresses, Channel, FromFront, FrontBoot, ToFront};
use crate::config::{SecondFactor, Venue};
use crate::net::{self, Limits, Proxies};
use crate::passkeys::Passkeys;
use crate::recovery::Place;
use crate::relay::Relay;
use crate::sandbox::{self, Breach, Missing, Network, Rules};
use crate::sinks::{self, Sink};
use crate::supervisor::SILENT_AFTER;
use crate::tls::{Clients, Files, Renewal};
use crate::{api, egress, jobs, telemetry, tls};

pub use notes::{Notes, Warning};

/// What handlers share.
#[derive(Clone, Debug)]
pub struct Front {
    /// The domain.
    pub service: Arc<Service>,
    /// How long an access token lasts, seconds.
    pub access_seconds: u64,
    /// The address of `POST /api/v1/token` as apps write it, which assertions may name as their audience.
    pub token_endpoint: Option<String>,
    /// What the processes could not shut, and why there is no keeper.
    pub notes: Arc<Notes>,
    /// Access tokens that were verified.
    pub bearers: Arc<crate::auth::Bearers>,
    /// Whether operators need a second factor.
    pub second_factor: SecondFactor,
    /// Failed proofs of who somebody is.
    pub throttle: Arc<crate::auth::Throttle>,
    /// Passkeys, and the terminals that wait for one.
    pub passkeys: Arc<Passkeys>,
    /// Where backups are made, if somebody could open them.
    pub backups: Option<Arc<Backups>>,
    /// The way to tenants' webhooks.
    pub(crate) webhooks: Arc<egress::Anywhere>,
    /// The configuration as operators are shown it.
    pub settings: Arc<[SettingView]>,
    /// The names of the audit log's sinks.
    pub sinks: Arc<[String]>,
    /// Who follows what changes.
    pub(crate) seats: Arc<api::Seats>,
    /// Renders the metrics.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
}

/// Runs the front, from the channel that its supervisor gave it.
pub fn main() -> ExitCode {
    let begun = boot::stdin().map(Channel::of).and_then(|channel| match channel.receive::<ToFront>()? {
        Some((ToFront::Boot(boot), _)) => Ok((channel, *boot)),
        _ => Err(std::io::Error::other("the first message is no boot message")),
    });
    let (channel, boot) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            telemetry::init("info");
            tracing::error!(%error, "the front was not told what to do");
            return ExitCode::FAILURE;
        }
    };
    telemetry::init(&boot.config.log.level);
    match run(&channel, boot) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!(%why, "the front does not start");
            let _ = channel.send(&FromFront::Refused(why), None);
            ExitCode::FAILURE
        }
    }
}

/// What is done before the sandbox is shut: everything that reads files outside of it, or could start threads later.
struct Prepared {
    listeners: [StdListener; 4],
    renewal: Renewal,
    routes: egress::EgressConfig,
    webhooks: egress::Anywhere,
    sinks: Vec<Sink>,
    relay: Option<Relay>,
    backups: Option<Arc<Backups>>,
    recovery: Place,
    graveyard: Graveyard,
    warnings: Vec<String>,
}

fn run(channel: &Channel, boot: FrontBoot) -> Result<(), String> {
    let prepared = prepare(&boot)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| format!("no runtime: {e}"))?;
    runtime.block_on(serve(channel, boot, prepared))
}

fn prepare(boot: &FrontBoot) -> Result<Prepared, String> {
    let config = &boot.config;
    let at = |path: &PathBuf| boot.home.join(path);
    let listen = &config.listen;
    let bind = |(key, address)| {
        StdListener::bind(address).map_err(|e| {
            format!(
                "listen.{key}: {address}: {e}; free the port, or name another (CLAVIGER__LISTEN__{})",
                str::to_uppercase(key)
            )
        })
    };
    let listeners = [
        bind(("api", listen.api))?,
        bind(("admin", listen.admin))?,
        bind(("public", listen.public))?,
        bind(("metrics", listen.metrics))?,
    ];
    let files = Files { certificate: at(&config.tls.certificate), key: at(&config.tls.key) };
    let tls_folders = files.folders(&[&boot.token_dir, &boot.pin_file]).map_err(|e| e.to_string())?;
    let renewal = Renewal::begin(files).map_err(|e| e.to_string())?;
    let routes = config.routes(&boot.home).map_err(|e| e.to_string())?;
    let webhooks = config.webhooks.way(&boot.home).map_err(|e| e.to_string())?;
    let sinks = Sink::prepare_all(&config.audit, &boot.home)?;
    let relay = Relay::prepare(&config.notices, &boot.home)?;
    let store = boot.home.join("claviger.redb");
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&store)
        .map_err(|e| format!("{}: {e}; the service must be able to read and write it", store.display()))?;
    let ca_files = config.venues.values().filter_map(|venue| venue.ca_file.as_ref()).map(at);
    let mut read = sandbox::resolver_paths();
    read.extend(tls_folders);
    read.extend(ca_files.filter(|file| file.exists()));
    let write = sinks.iter().filter_map(Sink::file).map(Path::to_owned).chain([store]).collect();
    let backups = Backups::open(&boot.home, &config.backup)?.map(Arc::new);
    let recovery = Place::open(&boot.home, &config.recovery)?;
    let tombstones = boot.home.join("tombstones");
    let graveyard = Graveyard::open(&tombstones).map_err(|e| format!("{}: {e}", tombstones.display()))?;
    let mut create = vec![boot.home.join("audit"), tombstones, recovery.folder().to_owned()];
    create.extend(backups.iter().map(|backups| backups.folder().to_owned()));
    let rules = Rules { read, write, create, network: Network::Open };
    sandbox::harden_common().map_err(|e| e.to_string())?;
    let missing = sandbox::lock_down(&rules).map_err(|e| e.to_string())?;
    match sandbox::self_test_front(&boot.token_dir, &boot.pin_file) {
        Err(Breach::File(_)) if missing.contains(&Missing::Landlock) => {}
        other => other.map_err(|e| format!("the front is not shut in: {e}"))?,
    }
    let warnings = missing.iter().map(ToString::to_string).collect();
    Ok(Prepared { listeners, renewal, routes, webhooks, sinks, relay, backups, recovery, graveyard, warnings })
}

async fn serve(channel: &Channel, boot: FrontBoot, prepared: Prepared) -> Result<(), String> {
    let Prepared { listeners, renewal, routes, webhooks, sinks, relay, backups, recovery, graveyard, warnings } =
        prepared;
    let [_, _, public, _] = &listeners;
    let public = public.local_addr().map_err(|e| e.to_string())?;
    let front = assemble(&boot, (routes, webhooks), warnings, public, (backups, graveyard))?;
    let count = front.service.settle_left_open().await.map_err(|e| e.to_string())?;
    if count > 0 {
        tracing::warn!(count, "intents of an earlier run had no outcome; they are unknown now");
    }
    let (stop, stopped) = watch::channel(false);
    let [api, admin, public, metrics] = listeners;
    let tls = |clients| {
        let tls = tls::server_config(renewal.served().clone(), boot.config.tls.allow_tls12, clients);
        tls.map_err(|e| e.to_string())
    };
    // Apps may show certificates; whoever uses the other listeners is not asked for one.
    let (tls_of_api, tls) = (tls(Clients::MayShowCertificates)?, tls(Clients::Anonymous)?);
    let proxies: Proxies = boot.config.listen.trusted_proxies().map_err(|e| e.to_string())?.into_iter().collect();
    let mut serving = tokio::task::JoinSet::new();
    let mut addresses = Vec::new();
    // Operators send policies.
    let roomy = Limits { body_bytes_max: 512 * 1024, ..Limits::default() };
    for (listener, router, tls, limits) in [
        (api, api::app_routes(&front), &tls_of_api, Limits::default()),
        (admin, api::admin_routes(&front), &tls, roomy),
        (public, api::public_routes(&front), &tls, Limits::default()),
    ] {
        let listener = listening(listener)?;
        addresses.push(listener.local_addr().map_err(|e| e.to_string())?);
        serving.spawn(net::serve(listener, Arc::clone(tls), router, limits, proxies.clone(), stopped.clone()));
    }
    let metrics = listening(metrics)?;
    addresses.push(metrics.local_addr().map_err(|e| e.to_string())?);
    serving.spawn(api::metrics::serve(metrics, front.clone(), stopped.clone()));
    let [api, admin, public, metrics] = addresses.as_slice() else { return Err("no listeners".to_owned()) };
    let addresses = Addresses { api: *api, admin: *admin, public: *public, metrics: *metrics };
    channel.send(&FromFront::Serving(addresses), None).map_err(|e| format!("the supervisor is gone: {e}"))?;
    let supervisor = Arc::new(channel.another().map_err(|e| e.to_string())?);
    jobs::start(&front, &boot.home, &stopped, move |said| {
        let _ = supervisor.send(&said, None);
    });
    sinks::start(&front, sinks, &stopped);
    let look = Arc::new(Notify::new());
    tokio::spawn(jobs::renew(renewal, front.clone(), look.clone(), stopped.clone()));
    let store = boot.home.join("claviger.redb");
    let segments = boot.home.join("audit").join("segments");
    tokio::spawn(jobs::retain(segments, boot.config.audit.keep(), front.service.clone(), stopped.clone()));
    tokio::spawn(jobs::rotate(front.service.clone(), stopped.clone()));
    tokio::spawn(jobs::keep_recoverable(recovery, front.service.clone(), stopped.clone()));
    tokio::spawn(jobs::monitor(front.service.clone(), stopped.clone()));
    tokio::spawn(jobs::deliver(front.service.clone(), front.webhooks.clone(), stopped.clone()));
    tokio::spawn(jobs::forget_deliveries(front.service.clone(), stopped.clone()));
    let telling = tokio::spawn(jobs::tell(front.clone(), relay, stopped.clone()));
    tokio::spawn(jobs::watch(store, boot.config.store.clone(), front.clone(), stopped.clone()));
    if let Some(backups) = front.backups.clone() {
        let config = boot.config.backup.clone();
        tokio::spawn(jobs::back_up(backups, config, front.service.clone(), stopped.clone()));
    }
    let ended = hear(channel, &front, &look).await;
    let _ = stop.send(true);
    front.seats.close();
    while serving.join_next().await.is_some() {}
    // What the relay has taken is written down, or it gets it again.
    let _ = timeout(SILENT_AFTER, telling).await;
    if let Err(error) = front.service.settle_again().await {
        tracing::warn!(%error, "outcomes are not recorded; the next start calls them unknown");
    }
    if let Err(error) = front.service.store_uses().await {
        tracing::warn!(%error, "when apps were last used is not stored for the last minute");
    }
    front.service.tell_decoys(u64::MAX).await;
    // The last entries are signed before the keeper is let go; it puts this checkpoint into the token.
    if let Err(error) = front.service.sign_head().await {
        tracing::warn!(%error, "the last entries of the audit log are not signed yet");
    }
    ended
}

fn assemble(
    boot: &FrontBoot,
    (routes, webhooks): (egress::EgressConfig, egress::Anywhere),
    warnings: Vec<String>,
    public: SocketAddr,
    (backups, graveyard): (Option<Arc<Backups>>, Graveyard),
) -> Result<Front, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let config = &boot.config;
    let origin = &config.audit.log;
    let store = open_store(&boot.home.join("claviger.redb"), origin, &clock)?;
    let configured = config.venues().map_err(|e| e.to_string())?;
    let those = |wanted: fn(&Venue) -> bool| {
        configured.iter().filter(move |(_, (venue, _))| wanted(venue)).map(|(id, _)| *id).collect()
    };
    let venues = Venues {
        enabled: those(|venue| venue.enabled),
        unlimited: those(|venue| !venue.rate_limits),
        accept_unproven: those(|venue| venue.accept_unproven),
        addresses: config.egress.addresses.clone(),
        hosts: config.hosts().map_err(|e| e.to_string())?,
    };
    let egress = egress::HttpEgress::new(routes).map_err(|e| e.to_string())?;
    let keeper = claviger_core::keeper::KeeperClient::default();
    let service = Service::new(Arc::new(store), keeper, Arc::new(egress), clock, venues, origin.clone());
    let service = service
        .with_epochs(config.deletion.times(&config.backup))
        .with_waits(config.approvals.waits())
        .with_dora(config.incidents.dora_tenants.clone());
    Ok(Front {
        service: Arc::new(
            service
                .with_graveyard(graveyard)
                .with_cycle(config.health.cycle())
                .with_mails(config.notices.smtp.is_some()),
        ),
        access_seconds: config.tokens.access_seconds,
        token_endpoint: config.tokens.endpoint.clone(),
        notes: Arc::new(Notes::new(warnings)),
        bearers: Arc::default(),
        second_factor: config.operators.second_factor,
        throttle: Arc::default(),
        passkeys: Arc::new(Passkeys::new(&config.operators, public)?),
        backups,
        webhooks: Arc::new(webhooks),
        settings: boot.settings.as_slice().into(),
        sinks: config.audit.sinks.iter().map(|sink| sink.name.clone()).collect(),
        seats: Arc::default(),
        metrics: api::metrics::install()?,
    })
}

/// Opens the store. The front of a service that was killed a moment ago may still be dying and hold the file.
fn open_store(file: &Path, origin: &str, clock: &Arc<dyn Clock>) -> Result<RedbStore, String> {
    let mut tries = 0..100;
    loop {
        match RedbStore::open(file, origin, clock.clone()) {
            Err(error) if error.to_string().ends_with(IN_USE) && tries.next().is_some() => {
                std::thread::sleep(Duration::from_millis(50));
            }
            opened => return opened.map_err(|error| error.to_string()),
        }
    }
}

fn listening(listener: StdListener) -> Result<TcpListener, String> {
    listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)).map_err(|e| e.to_string())
}

/// Takes keepers into use as the supervisor sends them, until it closes the channel.
async fn hear(channel: &Channel, front: &Front, look: &Notify) -> Result<(), String> {
    let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
    let reader = channel.another().map_err(|e| e.to_string())?;
    std::thread::Builder::new()
        .name("hears-supervisor".to_owned())
        .spawn(move || {
            while let Ok(Some(message)) = reader.receive::<ToFront>() {
                if heard.send(message).is_err() {
                    return;
                }
            }
        })
        .map_err(|e| e.to_string())?;
    while let Some((message, fd)) = hearing.recv().await {
        match (message, fd) {
            (ToFront::Keeper, Some(fd)) => take(channel, front, fd.into()).await?,
            (ToFront::NoKeeper(why), _) => front.notes.set_no_keeper(Some(why)),
            (ToFront::Look, _) => look.notify_one(),
            _ => tracing::warn!("the supervisor said something out of place"),
        }
    }
    Ok(())
}

async fn take(channel: &Channel, front: &Front, link: std::os::unix::net::UnixStream) -> Result<(), String> {
    match relieve(front, link).await {
        Ok(greeting) => {
            front.notes.set_no_keeper(None);
            front.notes.weakened(&greeting.missing);
            channel.send(&FromFront::KeeperTaken, None).map_err(|e| e.to_string())
        }
        Err(error @ (StartError::RolledBack { .. } | StartError::Forked | StartError::ForeignToken)) => {
            Err(error.to_string())
        }
        Err(error) => {
            tracing::warn!(%error, "the keeper was not taken into use");
            Ok(())
        }
    }
}

/// Meets the keeper, and takes it into use: at once if there is no other, else when nothing is left for the other to
/// sign that this one must not.
async fn relieve(front: &Front, link: std::os::unix::net::UnixStream) -> Result<Greeting, StartError> {
    let met = front.service.meet_keeper(link).await?;
    let greeting = met.greeting.clone();
    // One that ends by itself need not be waited for.
    let _ = timeout(RELIEF_AFTER, front.service.keeper().gone()).await;
    let relief = front.service.use_keeper(met).await?;
    if timeout(SILENT_AFTER, relief.done()).await.is_err() {
        tracing::warn!("the keeper before does not end what it was asked");
    }
    let service = front.service.clone();
    tokio::spawn(async move {
        match service.stray_keys().await {
            Ok(strays) if strays.is_empty() => {}
            Ok(strays) => tracing::warn!(?strays, "the token holds keys that no credential names"),
            Err(error) => tracing::debug!(%error, "the keys in the token were not counted"),
        }
    });
    Ok(greeting)
}
