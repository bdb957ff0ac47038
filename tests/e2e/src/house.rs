//! The usual set-up of a test, and how to vary it.

use std::ffi::OsString;

use anyhow::Result;

use crate::app::App;
use crate::home::{Home, OPERATOR, PASSWORD, SECOND};
use crate::key::Key;
use crate::operator::Operator;
use crate::scratch::{Scratch, log_file};
use crate::server::Server;
use crate::sim::Sim;

/// A server with its callers, a neighbour, and a venue. Dropped, everything in it ends and is removed.
#[derive(Debug)]
pub struct House {
    /// An app of the tenant `default` that may do everything.
    pub app: App,
    /// The id of the tenant `default`.
    pub tenant: String,
    /// Another tenant: what is its own must never show.
    pub neighbour: Tenancy,
    /// The operator, with the second one.
    pub operator: Operator,
    /// The server. It comes before what it uses, so that it ends first.
    pub server: Server,
    /// The venue.
    pub sim: Sim,
    /// The server's home.
    pub home: Home,
    /// The folder of it all.
    pub scratch: Scratch,
}

/// A tenant with an app and a credential.
#[derive(Debug)]
pub struct Tenancy {
    /// `ten_…`
    pub tenant: String,
    /// An app that may do everything with the tenant's credentials.
    pub app: App,
    /// The key that was enrolled.
    pub key: Key,
    /// `cred_…`
    pub credential: String,
    /// An execution with it.
    pub execution: String,
}

/// What is other than usual.
#[derive(Debug, Default)]
pub struct Setup {
    faulty: bool,
    on_disk: bool,
    venues: Vec<&'static str>,
    config: Vec<(String, toml::Value)>,
    env: Vec<(String, OsString)>,
}

impl House {
    /// The usual set-up.
    ///
    /// # Errors
    /// When any part of it fails.
    pub async fn open() -> Result<Self> {
        Setup::default().open().await
    }

    /// Logs the operator in for the command line, once.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn log_in(&self) -> Result<()> {
        if self.home.file("operator.login").exists() {
            return Ok(());
        }
        let password = self.home.beside("password");
        std::fs::write(&password, PASSWORD)?;
        let login = self.home.client(["login", "--operator", OPERATOR, "--password-file"])?;
        login.args([&password]).output().await?.ok()?;
        Ok(())
    }

    /// Stops the server and starts it again.
    ///
    /// # Errors
    /// When it does not end or not start.
    pub async fn restart(self) -> Result<Self> {
        self.server.stop().await?;
        Ok(Self { server: Server::start(&self.home).await?, ..self })
    }

    /// Kills the server, all of it, and starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn crash(self) -> Result<Self> {
        self.server.kill().await?;
        Ok(Self { server: Server::start(&self.home).await?, ..self })
    }
}

impl Setup {
    /// With the fault module in front of the token's own.
    #[must_use]
    pub fn faulty(mut self) -> Self {
        self.faulty = true;
        self
    }

    /// With its files on disk, where fsync means something.
    #[must_use]
    pub fn on_disk(mut self) -> Self {
        self.on_disk = true;
        self
    }

    /// With venues beside the usual ones.
    #[must_use]
    pub fn venues(mut self, venues: &[&'static str]) -> Self {
        self.venues.extend(venues);
        self
    }

    /// With a value in the configuration file, by its path.
    #[must_use]
    pub fn config(mut self, path: &str, value: impl Into<toml::Value>) -> Self {
        self.config.push((path.to_owned(), value.into()));
        self
    }

    /// With a variable in the environment of every command.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Makes a home and a venue, and starts no server.
    ///
    /// # Errors
    /// When one of the two fails.
    pub async fn init(self) -> Result<(Home, Sim, Scratch)> {
        let scratch = if self.on_disk { Scratch::on_disk() } else { Scratch::new() }?;
        let sim = Sim::start(scratch.path()).await?;
        let mut home = Home::at(&scratch.path().join("home"), scratch.path(), &log_file()?)?;
        for (name, value) in self.env {
            home.set_env(&name, value);
        }
        home.init(PASSWORD).await?;
        if self.faulty {
            home.use_fault_module()?;
        }
        home.use_sim(&sim)?;
        self.venues.iter().try_for_each(|venue| home.use_venue(&sim, venue))?;
        for (path, value) in self.config {
            home.configure(&path, value)?;
        }
        Ok((home, sim, scratch))
    }

    /// Makes all of it.
    ///
    /// # Errors
    /// When any part fails.
    pub async fn open(self) -> Result<House> {
        let (home, sim, scratch) = self.init().await?;
        let server = Server::start(&home).await?;
        Self::furnish(home, sim, scratch, server).await
    }

    /// Makes all of it around a server that was started already.
    ///
    /// # Errors
    /// When any part fails.
    pub async fn furnish(home: Home, sim: Sim, scratch: Scratch, server: Server) -> Result<House> {
        let ready_file = home.ready_file();
        let operator = Operator::log_in(&ready_file, OPERATOR, PASSWORD).await?;
        let operator = operator.with_second(Operator::log_in(&ready_file, SECOND, PASSWORD).await?);
        let neighbour = Tenancy::settle(&operator, &home, &sim).await?;
        let tenant = operator.tenant("default").await?;
        let app = operator.make_app(&ready_file, &tenant, "desk").await?;
        Ok(House { app, tenant, neighbour, operator, server, sim, home, scratch })
    }
}

impl Tenancy {
    /// Makes a tenant with an app, a credential and an execution.
    async fn settle(operator: &Operator, home: &Home, sim: &Sim) -> Result<Self> {
        let tenant = operator.make_tenant("neighbour").await?;
        let app = operator.make_app(&home.ready_file(), &tenant, "neighbour-desk").await?;
        let key = sim.knows(Key::binance().map(|key| key.owned_by("neighbour-1").labelled("not yours"))).await?;
        let credential = app.enrolled(&key).await?;
        let call = crate::Call::limit_order(&credential, key.venue);
        let execution = app.acked(&call).await?.text_at("/id")?;
        Ok(Self { tenant, app, key, credential, execution })
    }
}
