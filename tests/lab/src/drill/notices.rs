//! `claviger-lab drill-notices`: all owners of a tenant are stopped in one act and told, by a relay that fails now and then;
//! the service is killed in the middle. Nobody may be missing, and a second copy may come only where the acknowledgement of
//! the first one was lost.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use claviger_e2e::{Faults, House, MailSink, Server, Setup};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::number;
use crate::bench::machine;
use crate::stock::{crowd, store_of};
use crate::story::say;

/// Between two looks at the incident.
const PAUSE: Duration = Duration::from_millis(500);

/// Connections to the relay.
const CONNECTIONS: i64 = 32;

/// How often the relay fails, in letters: primes, so that the kinds do not coincide.
const FAULTS: Faults = Faults { not_now: 97, cut_before: 211, cut_after: 307 };

/// How the drill is made.
#[derive(Debug, Args)]
pub(crate) struct DrillNotices {
    /// Owners, each with a credential.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    owners: u32,
}

impl DrillNotices {
    /// Does it, and prints what came of it.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let sink = MailSink::start(FAULTS).await?;
        let setup = Setup::default().on_disk().config("notices.smtp", sink.config());
        let setup = setup.config("notices.from", "keys@mail.example.org").config("notices.connections", CONNECTIONS);
        let house = setup.open().await?;
        say(&format!("machine   {}; load {}", machine::words(house.home.path())?, machine::load()));
        let house = self.stocked(house).await?;
        let scope = json!({ "kind": "tenant", "tenant": "default" });
        let body = json!({ "severity": "critical", "title": "Keys leaked", "scope": scope });
        let id = house.operator.post("/api/v1/incidents", &body).await?.ok()?.text_at("/id")?;
        let at = format!("/api/v1/incidents/{id}");
        let (frozen, began) = (json!({ "state": "frozen", "reason": "they leaked" }), Instant::now());
        house.operator.post(&format!("{at}/contain"), &frozen).await?.ok()?;
        say(&format!("contain   {} credentials frozen in {:.1} ms", self.owners, millis(began)));
        let (house, told) = self.told(house, &sink, &at, began).await?;
        let notice = first_notice(&told)?;
        let left = ["waiting", "failed", "unreached"].map(|name| number(notice, name));
        ensure!(number(notice, "sent") == u64::from(self.owners) && left == [0; 3], "{told}");
        self.counted(&sink)?;
        house.server.stop().await?;
        say("DRILL PASSED");
        Ok(ExitCode::SUCCESS)
    }

    /// Waits until everybody was told, and kills everything after a third.
    async fn told(&self, mut house: House, sink: &MailSink, at: &str, began: Instant) -> Result<(House, Value)> {
        let mut killed = false;
        loop {
            sleep(PAUSE).await;
            let now = house.operator.get(at).await?.ok()?.json();
            if first_notice(&now)?.get("state").is_some_and(|state| state == "ended") {
                let took = began.elapsed().as_secs_f64();
                let rate = f64::from(self.owners) / took;
                say(&format!("letters   to {} owners in {took:.0} s with 1 kill, {rate:.0}/s", self.owners));
                return Ok((house, now));
            }
            if !killed && sink.count().saturating_mul(3) >= usize::try_from(self.owners)? {
                killed = true;
                say(&format!("kill -9   after {} letters", sink.count()));
                house = house.crash().await?;
            }
        }
    }

    /// Counts what the relay has taken.
    fn counted(&self, sink: &MailSink) -> Result<()> {
        let letters = sink.by_id();
        ensure!(letters.len() == usize::try_from(self.owners)?, "{} owners were told", letters.len());
        let (mut copies, mut lost) = (0_usize, 0_usize);
        for (id, mails) in &letters {
            let first = mails.first().context("no letter")?;
            ensure!(mails.iter().all(|mail| mail.to == first.to), "{id} went to several");
            let unacknowledged = mails.iter().filter(|mail| mail.is_lost).count();
            ensure!(mails.len().saturating_sub(unacknowledged) <= 1, "a copy of {id} although it was acknowledged");
            copies = copies.saturating_add(mails.len().saturating_sub(1));
            lost = lost.saturating_add(unacknowledged);
        }
        say(&format!("sink      nobody is missing; {lost} acknowledgements were lost, {copies} letters came twice"));
        ensure!(copies <= lost, "{copies} copies");
        Ok(())
    }

    /// Stops the service, puts the owners into its store, and starts it again.
    async fn stocked(&self, house: House) -> Result<House> {
        house.server.stop().await?;
        let (began, home) = (Instant::now(), house.home.path());
        let store = store_of(home)?;
        crowd(home, &store, house.tenant.parse()?, self.owners, |n| format!("owner-{n}@mail.example.org")).await?;
        store.close();
        say(&format!("store     {} owners with addresses in {:.1} s", self.owners, began.elapsed().as_secs_f64()));
        Ok(House { server: Server::start(&house.home).await?, ..house })
    }
}

/// What owners were told first of an incident.
fn first_notice(incident: &Value) -> Result<&Value> {
    incident.pointer("/notices/0").context("nobody is told")
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
