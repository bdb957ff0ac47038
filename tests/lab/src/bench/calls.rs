//! Executions through Claviger beside the same orders through a bare forwarder, to the same simulator.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Client, Door, Home, House, Key, Programs, Scratch, Server, Setup, Sim, until};

use super::crowd::crowd;
use super::http::{Customer, Order};
use super::many::{Many, many};
use super::process::{Process, processor_time};
use super::stats::Round;

/// How many call at the same time.
pub(crate) const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// Rounds of each, which take turns: whatever else the machine does then disturbs both.
const ROUNDS: u32 = 3;

/// The order, as Binance reads it.
const ORDER: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=30000&recvWindow=50000";

/// Everything that runs meanwhile: the server with its usual company, the venue and the forwarder.
#[derive(Debug)]
pub(crate) struct Stand {
    forwarder: Process,
    forwarder_client: Client,
    house: House,
    client: Client,
    venue: Process,
    key: Key,
    body: String,
}

/// Both at one number of callers.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) callers: usize,
    pub(crate) forwarder: Measured,
    pub(crate) claviger: Measured,
}

/// One of the two: what was answered, and what processor time it took.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) round: Round,
    /// The service's own processes, in order.
    pub(crate) service: Vec<Duration>,
    pub(crate) venue: Duration,
    pub(crate) client: Duration,
}

impl Stand {
    /// Starts it all.
    pub(crate) async fn open(home: Home, scratch: Scratch) -> Result<Self> {
        let (venue, sim) = start_venue(scratch.path()).await?;
        home.use_sim(&sim)?;
        let server = Server::start(&home).await?;
        let house = Setup::furnish(home, sim, scratch, server).await?;
        let direct = house.sim.knows(Key::binance()).await?;
        let enrolled = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&enrolled).await?;
        let client = Client::of_server(&house.home.ready_file(), Door::Api)?;
        let (forwarder, forwarder_client) = start_forwarder(&house, &direct)?;
        let body = Call::limit_order(&credential, "binance").body().to_string();
        Ok(Self { forwarder, forwarder_client, house, client, venue, key: direct, body })
    }

    /// Measures both at so many callers.
    pub(crate) async fn measure(&self, callers: usize, lasting: Duration) -> Result<Point> {
        let mut past = Customer::connect(&self.forwarder_client, &self.forwarded()?, callers).await?;
        let mut through = Customer::connect(&self.client, &self.executed()?, callers).await?;
        let (forwarder, claviger) = (vec![self.forwarder.id()], self.house.server.ready()?.processes().to_vec());
        let mut point = Point { callers, forwarder: Measured::default(), claviger: Measured::default() };
        // A round that does not count: connections, caches and the venue's own books are new.
        let lasting = lasting.checked_div(ROUNDS).unwrap_or(lasting);
        (past, _) = crowd(past, lasting).await?;
        (through, _) = crowd(through, lasting).await?;
        for _ in 0..ROUNDS {
            let order = self.forwarded()?;
            for customer in &mut past {
                customer.sends(&order);
            }
            past = self.round(past, lasting, &forwarder, &mut point.forwarder).await?;
            through = self.round(through, lasting, &claviger, &mut point.claviger).await?;
        }
        Ok(point)
    }

    async fn round(
        &self,
        customers: Vec<Customer>,
        lasting: Duration,
        service: &[u32],
        into: &mut Measured,
    ) -> Result<Vec<Customer>> {
        let others = [self.venue.id(), std::process::id()];
        let watched: Vec<u32> = service.iter().copied().chain(others).collect();
        let used = || watched.iter().map(|pid| processor_time(&[*pid])).collect::<Result<Vec<_>>>();
        let before = used()?;
        let (customers, round) = crowd(customers, lasting).await?;
        let mut used = used()?.into_iter().zip(before).map(|(after, before)| after.saturating_sub(before));
        into.service.resize(service.len(), Duration::ZERO);
        into.service.iter_mut().zip(&mut used).for_each(|(sum, one)| *sum = sum.saturating_add(one));
        into.venue = into.venue.saturating_add(used.next().unwrap_or_default());
        into.client = into.client.saturating_add(used.next().unwrap_or_default());
        into.round.elapsed = into.round.elapsed.saturating_add(round.elapsed);
        into.round.absorb(round);
        Ok(customers)
    }

    /// An order for the forwarder: signed now, and as long as what Claviger is sent.
    fn forwarded(&self) -> Result<Arc<Order>> {
        let query = self.key.signed_query(ORDER);
        ensure!(query.len() <= self.body.len(), "the signed order is longer than an execution's body");
        let padded = format!("{query:width$}", width = self.body.len());
        Order::new(&self.forwarder_client.address()?, "/", &self.house.app.token, padded, "\"orderId\"")
    }

    fn executed(&self) -> Result<Arc<Order>> {
        let (address, token) = (self.client.address()?, &self.house.app.token);
        Order::new(&address, "/api/v1/executions", token, self.body.clone(), "\"acked\"")
    }

    /// Measures what is to be measured last, with very many credentials, and ends it all but the folder.
    pub(crate) async fn close(self, lasting: Duration) -> Result<(Scratch, Many)> {
        let (house, many) = many(self.house, lasting).await?;
        house.server.stop().await?;
        Ok((house.scratch, many))
    }
}

/// The venue in a process of its own, so that its processor time is nobody else's.
async fn start_venue(folder: &Path) -> Result<(Process, Sim)> {
    let ready_file = folder.join("venue.json");
    let mut command = Command::new(Programs::find()?.venue_sim()?);
    command.arg("--tls-dir").arg(folder.join("venue-tls")).arg("--ready-file").arg(&ready_file).stdout(Stdio::null());
    let process = Process::start(&mut command, &folder.join("venue.log"))?;
    let sim = until("the venue simulator to be ready", async || Sim::of_ready_file(&ready_file)).await?;
    Ok((process, sim))
}

fn start_forwarder(house: &House, key: &Key) -> Result<(Process, Client)> {
    let certificate = house.scratch.path().join("forwarder.pem");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["forwarder", &format!("{}/binance", house.sim.url())]);
    command.arg(house.sim.ca_file()).arg(&key.key_id).arg(&certificate).stdout(Stdio::piped());
    let mut process = Process::start(&mut command, &house.scratch.path().join("forwarder.log"))?;
    let address = process.first_line().context("the forwarder")?;
    let client = Client::of_address(&address, &certificate)?;
    Ok((process, client))
}
