//! The end-to-end harness: the real binary `claviger`, a real token and the venue simulator, driven from outside.
//!
//! Nothing here knows how Claviger works inside: it starts the program, reads its ready file and speaks HTTPS to it.
//! A test opens a [`House`], which owns everything it started and takes it down again, whatever happens:
//!
//! ```no_run
//! use claviger_e2e::{Call, House, Key};
//!
//! # async fn test() -> anyhow::Result<()> {
//! let house = House::open().await?;
//! let key = house.sim.knows(Key::binance()).await?;
//! let credential = house.app.enrolled(&key).await?;
//!
//! let reply = house.app.execute(&Call::limit_order(&credential, "binance")).await?.ok()?;
//!
//! assert_eq!(reply.json()["state"], "acked");
//! # Ok(())
//! # }
//! ```
//!
//! - [`House`] is the usual set-up: a home, a server, an operator, the tenant `default` with an app, and a second
//!   tenant with an app and a credential of its own, because isolation only shows beside a neighbour.
//! - [`Setup`] varies it: other configuration, the fault module in place of the token's own.
//! - [`App`] and [`Operator`] are the two kinds of caller; [`Client`] is the way in for hostile ones.
//! - [`Jwt`] is what an app signs with a [`Signer`], [`Identity`] its client certificate.
//! - [`Sim`] is the venue, [`Key`] a key that it knows; [`Server`] and [`Command`] are the program itself.
//! - [`until`] is the only place that waits, with the one deadline; [`Random`] is the only chance, with its seed.
//! - [`Needle`] and [`Found`] are for the search of files and memory, [`Namespace`] for tests that mount.
//! - [`MailSink`] is a relay that letters are sent to.
//! - [`VirtualKey`] is a client of a venue's at the gateway, and [`Ask`] what it asks; a [`Message`] is what it sends.
//! - A [`Terminal`] is what the operator console runs in.
//! - [`Clients`] are the published client libraries of others, unmodified; a [`Page`] is what their users read.
//!
//! The binaries are found beside the running test, never built: `make test` and `make demo` build them first.
//! The log of each test's server stays in `target/tmp/e2e/`, one file per test.

mod app;
mod browser;
mod call;
mod clients;
mod clock;
mod command;
mod home;
mod house;
mod http;
mod identity;
mod jwt;
mod key;
mod mail;
mod message;
mod namespace;
mod operator;
mod page;
mod process;
mod programs;
mod protocol;
mod random;
mod ready;
mod scratch;
mod search;
mod server;
mod sim;
mod terminal;
mod virtual_key;
mod wait;

pub use app::{App, ask_for_token};
pub use browser::{Authenticator, Browser};
pub use call::Call;
pub use clients::{Clients, Report, Target};
pub use clock::now_ms;
pub use command::{Command, Output};
pub use home::{Home, OPERATOR, PASSWORD, REASON, SECOND};
pub use house::{House, Setup, Tenancy};
pub use http::{Client, Reply};
pub use identity::Identity;
pub use jwt::{Jwt, Signer};
pub use key::Key;
pub use mail::{Faults, Mail, MailSink};
pub use message::{Ask, Message};
pub use namespace::{Again, Namespace, again};
pub use operator::Operator;
pub use page::Page;
pub use process::{children, is_running, may_read_memory, terminate};
pub use programs::Programs;
pub use random::Random;
pub use ready::{Door, Ready};
pub use scratch::Scratch;
pub use search::{Found, Needle, Searched, search_files, search_memory};
pub use server::{Role, Server, Signal};
pub use sim::{Order, Receipt, Sim, VENUES};
pub use terminal::Terminal;
pub use virtual_key::{ClientPair, VirtualKey};
pub use wait::{DEADLINE, the_promised_second, until, until_in_task};
