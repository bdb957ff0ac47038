//! A front that says what it likes: a real keeper behind a socket, with nobody between the two.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::envelope::{Binding, Mode, Purpose};
use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::frame::{self, Frame};
use claviger_core::keeper::message::{Greeting, Hello, Refused, Reply, Request, Seal, Sign};
use claviger_core::secret::Plaintext;
use claviger_core::store::{IntentKind, Scopes};
use claviger_server::boot::{self, KeeperBoot};
use claviger_server::config::Config;
use claviger_venues::{Ceiling, CeilingClass, Product, Products, RequestParts, SecretKind, VenueId};

use crate::support::{PATIENCE, fresh_dir};

/// What hello names as the store's highest intent: only later ones are signed.
pub(crate) const HIGHEST: u64 = 100;

/// An HMAC secret, as Binance makes them.
pub(crate) const HMAC_SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

/// A home that `claviger init` made, with every venue enabled.
pub(crate) struct Home(PathBuf);

/// The front's end of a keeper. Dropped, the keeper is killed.
pub(crate) struct Front {
    pub(crate) config: Config,
    keeper: Child,
    link: UnixStream,
    log: PathBuf,
    asked: u64,
    intents: u64,
}

/// A credential as the store would hold it.
#[derive(Clone)]
pub(crate) struct Enrolled {
    pub(crate) scopes: Scopes,
    pub(crate) kek: KekRow,
    pub(crate) sealed: Vec<u8>,
}

impl Home {
    pub(crate) fn new(name: &str) -> Self {
        let path = fresh_dir(name).join("home");
        let made = Command::new(env!("CARGO_BIN_EXE_claviger")).args(["init", "--home"]).arg(&path).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let file = path.join("claviger.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("enabled = false", "enabled = true")).unwrap();
        Self(path)
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn configure(&self, before: &str, after: &str) {
        let file = self.0.join("claviger.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(before), "{text}");
        fs::write(&file, text.replacen(before, after, 1)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Starts a keeper as the supervisor does: the configuration and the PIN over its standard input, the front's socket
    /// as its standard output.
    pub(crate) fn keeper(&self) -> Front {
        let config = Config::load(&self.0).unwrap();
        let log = self.0.join("keeper.log");
        let (link, keepers) = UnixStream::pair().unwrap();
        link.set_read_timeout(Some(PATIENCE)).unwrap();
        let (read, mut write) = io::pipe().unwrap();
        let keeper = Command::new(env!("CARGO_BIN_EXE_claviger"))
            .args(["child", "keeper"])
            .env_clear()
            .env("SOFTHSM2_CONF", self.0.join(config.hsm.softhsm_conf.as_ref().unwrap()))
            .stdin(OwnedFd::from(read))
            .stdout(OwnedFd::from(keepers))
            .stderr(Stdio::from(File::create(&log).unwrap()))
            .spawn()
            .unwrap();
        self.hand_over(&mut write, &config);
        Front { config, keeper, link, log, asked: 0, intents: HIGHEST }
    }

    /// Runs a process that has the PIN for one thing, and says how it ended and what it said.
    pub(crate) fn once(&self, role: &str) -> (ExitStatus, String) {
        let config = Config::load(&self.0).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_claviger"))
            .args(["child", role])
            .env_clear()
            .env("SOFTHSM2_CONF", self.0.join(config.hsm.softhsm_conf.as_ref().unwrap()))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.hand_over(&mut child.stdin.take().unwrap(), &config);
        let output = child.wait_with_output().unwrap();
        (output.status, String::from_utf8(output.stderr).unwrap())
    }

    fn hand_over(&self, to: &mut impl io::Write, config: &Config) {
        let foreign_file = self.0.join("claviger.redb");
        let boot = KeeperBoot { home: self.0.clone(), config: config.clone(), foreign_file };
        let pin = Plaintext::copy_of(&fs::read(self.0.join(&config.hsm.pin_file)).unwrap()).unwrap();
        boot::hand_over(to, &boot, &pin).unwrap();
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ended = self.keeper.kill();
        self.keeper.wait().unwrap();
    }
}

impl Front {
    pub(crate) fn hello(&mut self) -> Greeting {
        let hello = Hello { highest_intent: HIGHEST, checkpoint: None, recovery: None };
        let reply = self.ask(&Request::Hello(hello));
        let Reply::Hello(greeting) = reply else { panic!("{reply:?}") };
        greeting
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Reply {
        self.ask_with(request, None)
    }

    pub(crate) fn ask_with(&mut self, request: &Request, secret: Option<&Plaintext>) -> Reply {
        let id = self.tell(request, secret);
        let answer = self.hear();
        assert_eq!(answer.id, id, "{:?}", answer.message);
        answer.message
    }

    /// Sends a request and waits for nothing.
    pub(crate) fn tell(&mut self, request: &Request, secret: Option<&Plaintext>) -> u64 {
        self.asked += 1;
        frame::write(&mut self.link, self.asked, request, secret).unwrap();
        self.asked
    }

    pub(crate) fn hear(&mut self) -> Frame<Reply> {
        frame::read(&mut self.link).unwrap().expect("the keeper to answer")
    }

    /// The request that an honest front would make next.
    pub(crate) fn order(&mut self, credential: &Enrolled) -> Sign {
        self.sign(credential, "order.place", limit_order(credential.scopes.venue))
    }

    pub(crate) fn sign(&mut self, credential: &Enrolled, operation: &str, params: &[(&str, &str)]) -> Sign {
        self.intents += 1;
        Sign {
            intent: self.intents,
            kind: IntentKind::App,
            scopes: credential.scopes.clone(),
            deadline: SystemClock.boot().after(Duration::from_secs(2)),
            operation: operation.to_owned(),
            params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            nonce: self.intents,
            sealed: credential.sealed.clone(),
            kek: credential.kek.clone(),
        }
    }

    pub(crate) fn signed(&mut self, sign: Sign) -> RequestParts {
        let reply = self.ask(&Request::Sign(Box::new(sign)));
        let Reply::Signed(signed) = reply else { panic!("{reply:?}") };
        signed.parts
    }

    /// Asks for a signature that must not be given, and says why it was not.
    pub(crate) fn refused(&mut self, sign: Sign) -> Refused {
        refusal(self.ask(&Request::Sign(Box::new(sign))))
    }

    pub(crate) fn kek(&mut self, tenant: TenantId, version: u32) -> KekRow {
        let reply = self.ask(&Request::NewKek { tenant, version });
        let Reply::Kek(row) = reply else { panic!("{reply:?}") };
        row
    }

    /// A credential of Binance spot that may trade there.
    pub(crate) fn enrolled(&mut self) -> Enrolled {
        self.enrolled_at(VenueId::Binance, SecretKind::Hmac, trade(Product::Spot), HMAC_SECRET)
    }

    pub(crate) fn enrolled_at(&mut self, venue: VenueId, kind: SecretKind, ceiling: Ceiling, secret: &str) -> Enrolled {
        let seal = self.seal(venue, kind, ceiling);
        let (tenant, credential, kek) = (seal.binding.tenant, seal.binding.credential, seal.kek.clone());
        let secret = Plaintext::copy_of(secret.as_bytes()).unwrap();
        let reply = self.ask_with(&Request::Seal(Box::new(seal)), Some(&secret));
        let Reply::Sealed(sealed) = reply else { panic!("{reply:?}") };
        let scopes = Scopes {
            tenant,
            owner: Some("trader-1".to_owned()),
            venue,
            app: Some(AppId::new(&SystemClock)),
            grant: Some(GrantId::new(&SystemClock)),
            credential: Some(credential),
            virtual_key: None,
        };
        Enrolled { scopes, kek, sealed }
    }

    /// A new credential of a new tenant, to be sealed.
    pub(crate) fn seal(&mut self, venue: VenueId, kind: SecretKind, ceiling: Ceiling) -> Seal {
        let tenant = TenantId::new(&SystemClock);
        let kek = self.kek(tenant, 1);
        let credential = CredentialId::new(&SystemClock);
        let (purpose, mode) = (Purpose::VenueSecret, Mode::Sealed);
        let binding = Binding { tenant, credential, version: 1, purpose, venue, kind, mode, ceiling };
        Seal { binding, key_id: key_id(venue).to_owned(), kek }
    }

    /// Writes bytes that need not be a frame. A keeper that has had enough may be gone by now.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _gone = self.link.write_all(bytes);
    }

    /// Says no more, and returns all that the keeper still says, and how it ends.
    pub(crate) fn end(&mut self) -> (Vec<u8>, ExitStatus) {
        let _gone = self.link.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        // A socket that is closed with unread bytes in it is reset; what was said before has been read by then.
        if let Err(error) = self.link.read_to_end(&mut rest) {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "the keeper to end");
        }
        (rest, self.keeper.wait().unwrap())
    }

    /// What the keeper has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

pub(crate) fn refusal(reply: Reply) -> Refused {
    let Reply::Refused(refused) = reply else { panic!("no refusal: {reply:?}") };
    refused
}

pub(crate) fn trade(product: Product) -> Ceiling {
    Ceiling { class: CeilingClass::Trade, products: Products::NONE.with(product) }
}

pub(crate) const READ: Ceiling = Ceiling { class: CeilingClass::Read, products: Products::NONE };

pub(crate) fn limit_order(venue: VenueId) -> &'static [(&'static str, &'static str)] {
    match venue {
        VenueId::Binance | VenueId::BinanceUsdm => &[
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", "0.01"),
            ("price", "30000"),
        ],
        VenueId::Kraken => {
            &[("pair", "XBTUSD"), ("type", "buy"), ("ordertype", "limit"), ("volume", "0.01"), ("price", "30000")]
        }
        other => panic!("no order for {other}"),
    }
}

fn key_id(venue: VenueId) -> &'static str {
    match venue {
        VenueId::Binance | VenueId::BinanceUsdm => "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
        VenueId::Kraken | VenueId::KrakenFutures => "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aVRiHsgX",
        other => panic!("no key id of {other}"),
    }
}
