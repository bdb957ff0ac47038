//! The front's end of a keeper, with nobody else on it.

use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use claviger_core::credential::Credential;
use claviger_core::envelope::{Binding, Mode, Purpose};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::frame;
use claviger_core::keeper::message::{Hello, Reply, Request, Seal};
use claviger_core::secret::Plaintext;
use claviger_e2e::Programs;
use claviger_server::boot::{self, KeeperBoot};
use claviger_server::config::Config;
use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind};

/// The key of Binance's own examples: the venue's documentation shows both halves.
const SECRET: &[u8] = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const KEY_ID: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";

/// A socket to a keeper. Dropped, the keeper is killed.
#[derive(Debug)]
pub(crate) struct Link {
    child: Child,
    out: UnixStream,
    from: BufReader<UnixStream>,
    asked: u64,
}

impl Link {
    /// Starts a keeper of a home, as the supervisor does, and greets it.
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
        let from = BufReader::new(out.try_clone()?);
        let mut link = Self { child, out, from, asked: 0 };
        let pin = Plaintext::copy_of(&std::fs::read(home.join(&config.hsm.pin_file))?)?;
        let foreign_file = home.join("claviger.redb");
        boot::hand_over(&mut write, &KeeperBoot { home: home.to_owned(), config, foreign_file }, &pin)?;
        link.send(&Request::Hello(Hello { highest_intent: 0, checkpoint: None, recovery: None }), None)?;
        let Reply::Hello(_) = link.answer()? else { bail!("the keeper does not greet") };
        Ok(link)
    }

    /// The keeper's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The number of the next question.
    pub(crate) fn next(&self) -> u64 {
        self.asked.saturating_add(1)
    }

    /// Asks; the answer comes when it comes.
    pub(crate) fn send(&mut self, request: &Request, secret: Option<&Plaintext>) -> Result<()> {
        self.asked = self.next();
        Ok(frame::write(&mut self.out, self.asked, request, secret)?)
    }

    /// Asks for a secret to be sealed, the same one for every credential.
    pub(crate) fn seal(&mut self, row: &Credential, kek: &KekRow) -> Result<()> {
        let binding = Binding {
            tenant: row.tenant,
            credential: row.id,
            version: row.version,
            purpose: Purpose::VenueSecret,
            venue: row.venue,
            kind: row.kind,
            mode: row.mode,
            ceiling: row.ceiling,
        };
        let seal = Seal { binding, key_id: KEY_ID.to_owned(), kek: kek.clone() };
        self.send(&Request::Seal(Box::new(seal)), Some(&Plaintext::copy_of(SECRET)?))
    }

    /// Asks for the address of a credential's owner to be sealed.
    pub(crate) fn seal_contact(&mut self, row: &Credential, kek: &KekRow, address: &str) -> Result<()> {
        let binding = Binding {
            tenant: row.tenant,
            credential: row.id,
            version: 1,
            purpose: Purpose::Contact,
            venue: row.venue,
            kind: SecretKind::Token,
            mode: Mode::Sealed,
            ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
        };
        let seal = Seal { binding, key_id: String::new(), kek: kek.clone() };
        self.send(&Request::Seal(Box::new(seal)), Some(&Plaintext::copy_of(address.as_bytes())?))
    }

    /// The next answer. Those to questions that were asked together may overtake each other.
    pub(crate) fn answer(&mut self) -> Result<Reply> {
        Ok(frame::read::<Reply>(&mut self.from)?.context("the keeper ended")?.message)
    }

    /// The next answer, which is sealed bytes.
    pub(crate) fn sealed(&mut self) -> Result<Vec<u8>> {
        let answer = self.answer()?;
        let Reply::Sealed(sealed) = answer else { bail!("the keeper seals nothing: {answer:?}") };
        Ok(sealed)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
