//! A keeper by itself: signatures asked for over its socket, as the front asks.

use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::envelope::{Binding, Mode, Purpose};
use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::frame;
use claviger_core::keeper::message::{Hello, Reply, Request, Seal, Sign};
use claviger_core::secret::Plaintext;
use claviger_core::store::{IntentKind, Scopes};
use claviger_e2e::Programs;
use claviger_server::boot::{self, KeeperBoot};
use claviger_server::config::Config;
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
use tokio::time::Instant;

use super::process::processor_time;
use super::stats::Round;

const SECRET: &[u8] = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const KEY_ID: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const ORDER: [(&str, &str); 6] = [
    ("symbol", "BTCUSDT"),
    ("side", "BUY"),
    ("type", "LIMIT"),
    ("timeInForce", "GTC"),
    ("quantity", "0.01"),
    ("price", "30000"),
];

/// Signatures in one round at most.
const SIGNATURES_MAX: u32 = 200_000;

/// The front's end of a keeper, with a credential. Dropped, the keeper is killed.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child,
    out: UnixStream,
    from: BufReader<UnixStream>,
    asked: u64,
    scopes: Scopes,
    kek: KekRow,
    sealed: Vec<u8>,
}

impl Keeper {
    /// Starts a keeper of a home, as the supervisor does, and has it seal a secret.
    pub(crate) fn start(home: &Path) -> Result<Self> {
        let config = Config::load(home)?;
        let (out, keepers) = UnixStream::pair()?;
        let (read, mut write) = io::pipe()?;
        let soft = config.hsm.softhsm_conf.as_ref().context("the home's token is no soft one")?;
        let child = Command::new(Programs::find()?.claviger()?)
            .args(["child", "keeper"])
            .env_clear()
            .env("SOFTHSM2_CONF", home.join(soft))
            .stdin(OwnedFd::from(read))
            .stdout(OwnedFd::from(keepers))
            .stderr(Stdio::null())
            .spawn()?;
        let pin = Plaintext::copy_of(&std::fs::read(home.join(&config.hsm.pin_file))?)?;
        let foreign_file = home.join("claviger.redb");
        boot::hand_over(&mut write, &KeeperBoot { home: home.to_owned(), config, foreign_file }, &pin)?;
        let (tenant, credential) = (TenantId::new(&SystemClock), CredentialId::new(&SystemClock));
        let scopes = Scopes {
            tenant,
            owner: Some("trader-1".to_owned()),
            venue: VenueId::Binance,
            app: Some(AppId::new(&SystemClock)),
            grant: Some(GrantId::new(&SystemClock)),
            credential: Some(credential),
            virtual_key: None,
        };
        let from = BufReader::new(out.try_clone()?);
        let mut conversation = Conversation { out: &out, from, asked: 0 };
        let hello = Request::Hello(Hello { highest_intent: 0, checkpoint: None });
        let Reply::Hello(_) = conversation.ask(&hello, None)? else { bail!("the keeper does not greet") };
        let Reply::Kek(kek) = conversation.ask(&Request::NewKek { tenant, version: 1 }, None)? else {
            bail!("the keeper makes no KEK")
        };
        let binding = Binding {
            tenant,
            credential,
            version: 1,
            purpose: Purpose::VenueSecret,
            venue: VenueId::Binance,
            kind: SecretKind::Hmac,
            mode: Mode::Sealed,
            ceiling: Ceiling { class: CeilingClass::Trade, products: Products::SPOT },
        };
        let seal = Seal { binding, key_id: KEY_ID.to_owned(), kek: kek.clone() };
        let secret = Plaintext::copy_of(SECRET)?;
        let Reply::Sealed(sealed) = conversation.ask(&Request::Seal(Box::new(seal)), Some(&secret))? else {
            bail!("the keeper seals nothing")
        };
        let Conversation { from, asked, .. } = conversation;
        Ok(Self { child, out, from, asked, scopes, kek, sealed })
    }

    /// Has so many signatures under way for so long. Returns what came of it and the processor time of the keeper.
    pub(crate) fn sign(&mut self, under_way: usize, lasting: Duration) -> Result<(Round, Duration)> {
        let (mut round, mut asked_at) = (Round::default(), std::collections::VecDeque::new());
        let before = processor_time(&[self.child.id()])?;
        let began = Instant::now();
        for _ in 0..under_way {
            asked_at.push_back(self.ask()?);
        }
        // The keeper's threads may overtake each other; over many the times are right all the same.
        while let Some(asked) = asked_at.pop_front() {
            let reply = frame::read::<Reply>(&mut self.from)?.context("the keeper ended")?.message;
            let Reply::Signed(_) = reply else { bail!("the keeper does not sign: {reply:?}") };
            round.took(asked.elapsed());
            if began.elapsed() < lasting && round.count() < SIGNATURES_MAX {
                asked_at.push_back(self.ask()?);
            }
        }
        round.elapsed = began.elapsed();
        Ok((round, processor_time(&[self.child.id()])?.saturating_sub(before)))
    }

    fn ask(&mut self) -> Result<Instant> {
        self.asked = self.asked.saturating_add(1);
        let sign = Sign {
            intent: self.asked,
            kind: IntentKind::App,
            scopes: self.scopes.clone(),
            deadline: SystemClock.boot().after(Duration::from_secs(2)),
            operation: "order.place".to_owned(),
            params: ORDER.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            nonce: 0,
            sealed: self.sealed.clone(),
            kek: self.kek.clone(),
        };
        let asked = Instant::now();
        frame::write(&mut self.out, self.asked, &Request::Sign(Box::new(sign)), None)?;
        Ok(asked)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// One question at a time.
struct Conversation<'a> {
    out: &'a UnixStream,
    from: BufReader<UnixStream>,
    asked: u64,
}

impl Conversation<'_> {
    fn ask(&mut self, request: &Request, secret: Option<&Plaintext>) -> Result<Reply> {
        self.asked = self.asked.saturating_add(1);
        frame::write(&mut self.out, self.asked, request, secret)?;
        Ok(frame::read::<Reply>(&mut self.from)?.context("the keeper ended")?.message)
    }
}
