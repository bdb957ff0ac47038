//! `make drill`: a tenant's KEK is rotated under many credentials while orders go on, with kills in between; what failed is
//! counted, and nothing is left under the old KEK.

mod load;
pub(crate) mod notices;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use claviger_e2e::{Call, House, Key, OPERATOR, Operator, PASSWORD, SECOND, Server, Setup};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::bench::stats::{milliseconds, ratio};
use crate::bench::{machine, token};
use crate::stock::{stock, store_of};
use crate::story::say;
use load::{Asked, Load};

/// Credentials that are used meanwhile, each by a caller of its own.
const CALLERS: u32 = 64;

/// How often all of it is killed.
const KILLS: u64 = 2;

/// How long orders are placed before the rotation begins, for comparison.
const ALONE: Duration = Duration::from_secs(10);

/// Between two looks at the rotation.
const PAUSE: Duration = Duration::from_millis(250);

/// How long the raw token is measured.
const TOKEN_SECONDS: u64 = 3;

/// How the drill is made.
#[derive(Debug, Args)]
pub(crate) struct Drill {
    /// Credentials whose DEKs are wrapped anew.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    credentials: u32,
    /// Executions a second.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(20..=5_000))]
    executions: u32,
}

/// What the rotation came to.
struct Rotated {
    house: House,
    ended: Value,
    kills: u64,
    took: Duration,
}

impl Drill {
    /// Does it, and prints what came of it.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let house = Setup::default().on_disk().open().await?;
        say(&format!("machine   {}; load {}", machine::words(house.home.path())?, machine::load()));
        let mut orders = Vec::new();
        for _ in 0..CALLERS {
            let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
            orders.push(Call::limit_order(&credential, "binance"));
        }
        let house = self.stocked(house).await?;
        let app = Arc::new(house.operator.make_app(&house.home.ready_file(), &house.tenant, "drill").await?);

        let load = Load::start(&app, &orders, self.executions);
        sleep(ALONE).await;
        let alone = load.stop().await?;
        self.told("alone", &alone);
        let load = Load::start(&app, &orders, self.executions);
        let rotated = self.rotated(house, &load).await?;
        let meanwhile = load.stop().await?;
        self.told("meanwhile", &meanwhile);
        self.proven(rotated).await?;
        for asked in [alone, meanwhile] {
            if let Some(error) = asked.round.first_error {
                bail!("{} executions failed, the first: {error}", asked.round.errors);
            }
        }
        say("DRILL PASSED");
        Ok(ExitCode::SUCCESS)
    }

    /// Rotates the KEK, and kills everything after a third and after two thirds of the rows.
    async fn rotated(&self, mut house: House, load: &Load) -> Result<Rotated> {
        let keks = keks(&house);
        house.operator.post(&format!("{keks}/rotate"), &json!({ "reason": "the drill of the year" })).await?.ok()?;
        let (began, mut kills) = (Instant::now(), 0_u64);
        loop {
            sleep(PAUSE).await;
            let now = house.operator.get(&format!("{keks}/rotation")).await?.ok()?.json();
            if state(&now) != "running" {
                return Ok(Rotated { house, ended: now, kills, took: began.elapsed() });
            }
            let (done, parts) = (number(&now, "done"), KILLS.saturating_add(1));
            let next = kills.saturating_add(1);
            if kills < KILLS && done.saturating_mul(parts) >= next.saturating_mul(self.credentials.into()) {
                kills = next;
                say(&format!("kill -9   after {done} rows"));
                load.is_cut(true);
                house = house.crash().await?;
                load.is_cut(false);
            }
        }
    }

    /// Says how fast it was beside the token, and that nothing is left: then the old KEK can be destroyed.
    async fn proven(&self, Rotated { house, ended, kills, took }: Rotated) -> Result<()> {
        let all = u64::from(self.credentials).saturating_add(u64::from(CALLERS));
        let (done, rate) = (number(&ended, "done"), number(&ended, "rows_per_second"));
        say(&format!(
            "rotation  {}: {done} rows moved in {:.1} s with {kills} kills, {rate} rows/s while they moved",
            state(&ended),
            took.as_secs_f64(),
        ));
        ensure!(state(&ended) == "done" && kills == KILLS, "{kills} kills: {ended}");
        ensure!(done == all && number(&ended, "left") == 0, "{all} rows were to move: {ended}");
        let listed = house.operator.get(&keks(&house)).await?.ok()?.json();
        let old = listed.as_array().and_then(|keks| keks.first()).context("no KEK")?;
        ensure!(number(old, "version") == 1 && number(old, "rows") == 0, "{listed}");
        let reason = json!({ "reason": "nothing is under it" });
        // Who destroys a key shows that it is still the same person.
        let ready_file = house.home.ready_file();
        let second = Operator::log_in(&ready_file, SECOND, PASSWORD).await?;
        let operator = Operator::log_in(&ready_file, OPERATOR, PASSWORD).await?.with_second(second);
        operator.two_do("DELETE", &format!("{}/1", keks(&house)), &reason, &[]).await?.ok()?;
        say(&format!("proof     {} rows under version 1, counted one by one; it is destroyed", number(old, "rows")));
        house.server.stop().await?;
        let raw = token::rates(house.home.path(), TOKEN_SECONDS)?.rewraps;
        let share = ratio(f64::from(u32::try_from(rate)?), raw);
        say(&format!(
            "token     alone it rewraps {raw:.0} DEKs a second on one thread; the rotation made {share:.2} of that"
        ));
        Ok(())
    }

    fn told(&self, when: &str, Asked { round, cut }: &Asked) {
        let (p50, p99) = (milliseconds(round.percentile(50)), milliseconds(round.percentile(99)));
        let (count, failed) = (round.count(), round.errors);
        say(&format!(
            "orders    {when}: {}/s asked for, {:.0}/s acknowledged, {count} in all; {failed} failed, {cut} were cut by a kill \
             and repeated; p50 {p50:.2} ms, p99 {p99:.2} ms",
            self.executions,
            round.rate(),
        ));
    }

    /// Stops the service, puts the credentials into its store, and starts it again.
    async fn stocked(&self, house: House) -> Result<House> {
        house.server.stop().await?;
        let (began, home) = (Instant::now(), house.home.path());
        let store = store_of(home)?;
        stock(home, &store, house.tenant.parse()?, self.credentials).await?;
        store.close();
        say(&format!("store     {} credentials sealed in {:.1} s", self.credentials, began.elapsed().as_secs_f64()));
        Ok(House { server: Server::start(&house.home).await?, ..house })
    }
}

fn keks(house: &House) -> String {
    format!("/api/v1/tenants/{}/keks", house.tenant)
}

fn state(rotation: &Value) -> &str {
    rotation.get("state").and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}
