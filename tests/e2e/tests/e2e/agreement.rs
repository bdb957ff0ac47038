//! What `claviger-venues` signs, the simulator's own verifier accepts; with one byte changed it refuses.
//!
//! The two share no code. Every operation of every catalogue is signed with keys of the test's own, of every type that
//! the venue knows, and sent over HTTPS; the simulator's receipts say what it thought of the signature. Then one byte is
//! changed: of the method, the path, the query, the body, each header. Where a venue's proof does not cover a part, the
//! receipts must say that, too, so that [`covers`] is what the venues do and not what one would wish for.

mod bend;
mod fit;
mod prices;
mod signer;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Message, Random, Receipt, Scratch, Sim};
use claviger_venues::{Class, Meaning, Method, Operation, VenueId, catalogue, meaning, tokens};
use tokio::task::JoinSet;

use self::bend::{Part, bend};
use self::signer::Signer;

/// How often each operation is called with each key.
const ROUNDS: usize = 3;

/// What a venue's proof covers beside the headers that carry it.
///
/// Whoever gets hold of a signed request can make another call of it by changing what is not covered, for as long as its
/// time or nonce is good. So the gateway answers for a request but once, none is logged, and windows are short.
fn covers(operation: &Operation, part: Part, message: &Message) -> bool {
    let covered: &[Part] = match operation.venue {
        VenueId::Binance | VenueId::BinanceUsdm | VenueId::Mexc => &[Part::Query, Part::Body],
        // The permission probe is the spot API's.
        VenueId::MexcContract if operation.is_probe() => &[Part::Query, Part::Body],
        VenueId::MexcContract if operation.method == Method::Post => &[Part::Body],
        VenueId::MexcContract => &[Part::Query],
        VenueId::Bybit if operation.method == Method::Get => &[Part::Query],
        VenueId::Bybit => &[Part::Body],
        VenueId::Bitmex | VenueId::Okx => &[Part::Method, Part::Path, Part::Query, Part::Body],
        VenueId::Kraken => &[Part::Path, Part::Body],
        VenueId::KrakenFutures => &[Part::Path, Part::Query, Part::Body],
        VenueId::Ibkr => &[Part::Method, Part::Path],
        // A login shows its secrets in the body, everything else a token in a header.
        VenueId::Tradovate | VenueId::Topstepx if logs_in(operation) => &[Part::Body],
        VenueId::Oanda | VenueId::Tradovate | VenueId::Topstepx => &[],
    };
    match part {
        Part::Header(at) => match message.headers[at].0.as_str() {
            // Kraken finds the nonce, which it hashes, by it.
            "Content-Type" => operation.venue == VenueId::Kraken && message.body.starts_with('{'),
            name => name != "X-BAPI-SIGN-TYPE",
        },
        Part::Method | Part::Path | Part::Query | Part::Body => covered.contains(&part),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_agree_on_every_signature_and_on_every_byte() -> Result<()> {
    let mut random = Random::seeded()?;
    let mut venues = JoinSet::new();
    for venue in VenueId::ALL.iter().copied() {
        let random = random.fork();
        venues.spawn(async move { both_agree(venue, random).await.with_context(|| venue.to_string()) });
    }
    let outcomes = venues.join_all().await;
    let failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

async fn both_agree(venue: VenueId, mut random: Random) -> Result<()> {
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    let login = catalogue(venue).iter().find(|operation| logs_in(operation));
    let mut wire = Wire { sim, told: Vec::new() };
    for mut signer in Signer::of(venue, &wire.sim, &mut random).await? {
        for operation in login.into_iter().chain(catalogue(venue)) {
            for _ in 0..ROUNDS {
                call(operation, &mut signer, &mut wire, &mut random).await?;
            }
        }
    }
    wire.agrees().await
}

/// Calls the operation: as it is, with one byte of each part changed, as another operation.
async fn call(operation: &'static Operation, signer: &mut Signer, wire: &mut Wire, random: &mut Random) -> Result<()> {
    let params = match signer.login(operation) {
        Some(params) => params,
        None => fit::params(operation, &signer.key_id, random)?,
    };
    let whole = signer.request(&wire.sim, operation, &params)?;
    if !is_asked(operation) {
        return wire.send(&whole, operation, signer, Wanted::Unasked).await;
    }
    wire.send(&whole, operation, signer, Wanted::Whole).await?;
    for part in Part::all(&whole) {
        let is_covered = covers(operation, part, &whole);
        // One byte further there is no call; what becomes of another one is asked below.
        if !is_covered && matches!(part, Part::Method | Part::Path) {
            continue;
        }
        let mut bent = signer.request(&wire.sim, operation, &params)?;
        bend(&mut bent, part, random);
        wire.send(&bent, operation, signer, Wanted::of(is_covered)).await?;
    }
    for (part, other) in others(operation, random) {
        let mut bent = signer.request(&wire.sim, operation, &params)?;
        if part == Part::Method {
            bent.method = other.method.to_string();
        } else {
            bent.path = other.path.to_owned();
        }
        wire.send(&bent, operation, signer, Wanted::of(covers(operation, part, &whole))).await?;
    }
    Ok(())
}

/// Operations that differ from this one by the path or by the method alone, as far as the venue's proof goes.
fn others(operation: &Operation, random: &mut Random) -> Vec<(Part, &'static Operation)> {
    let is_call = |other: &&Operation| is_asked(other) && !other.is_login() && !other.is_probe();
    if !is_call(&operation) {
        return Vec::new();
    }
    let is_called = |other: &&'static Operation| is_call(other) && other.in_path().next().is_none();
    let calls = || catalogue(operation.venue).iter().filter(is_called);
    let elsewhere: Vec<_> =
        calls().filter(|other| other.method == operation.method && other.path != operation.path).collect();
    let here: Vec<_> =
        calls().filter(|other| other.path == operation.path && other.method != operation.method).collect();
    let path = random.pick(&elsewhere).map(|other| (Part::Path, *other));
    let method = random.pick(&here).map(|other| (Part::Method, *other));
    path.into_iter().chain(method).collect()
}

/// Whether the venue asks for a signature. Binance gives the lists of margin pairs to whoever shows a key.
fn is_asked(operation: &Operation) -> bool {
    operation.class != Class::Market && !["margin.pairs", "margin.pairs_isolated"].contains(&operation.name)
}

fn logs_in(operation: &Operation) -> bool {
    tokens(operation.venue).is_some_and(|rule| rule.login == operation.name)
}

/// What the venue must think of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// It knows the call and asks for no signature.
    Unasked,
    /// It knows who signed, and finds time and nonce in order.
    Whole,
    /// It knows who signed.
    Accepted,
    /// It refuses the signature, or knows no such call.
    Refused,
}

/// What has been sent to a simulator, one request after the other, and what must come of each.
struct Wire {
    sim: Sim,
    told: Vec<(Wanted, String)>,
}

impl Wire {
    async fn send(
        &mut self,
        message: &Message,
        operation: &Operation,
        signer: &mut Signer,
        wanted: Wanted,
    ) -> Result<()> {
        let told = format!("{} as {wanted:?}: {message:?}", operation.name);
        let reply = message.send(self.sim.client()).await.with_context(|| told.clone())?;
        if logs_in(operation) {
            signer.take(&reply)?;
        }
        if wanted == Wanted::Whole {
            let meaning = meaning(operation.venue, reply.status, &reply.body);
            // Permissions are asked last, and accounts in a path may be others'; what is not modelled says nothing.
            let is_known = matches!(
                meaning,
                Meaning::Accepted | Meaning::Rejected { .. } | Meaning::MissingPermission | Meaning::Unknown
            );
            ensure!(is_known, "{meaning:?}: {} {} to {told}", reply.status, reply.text());
        }
        self.told.push((wanted, told));
        Ok(())
    }

    async fn agrees(self) -> Result<()> {
        let receipts = self.sim.all_requests().await?;
        ensure!(receipts.len() == self.told.len(), "{} receipts for {} requests", receipts.len(), self.told.len());
        let surprising = receipts.iter().zip(&self.told).filter(|(receipt, (wanted, _))| !wanted.is_met(receipt));
        let surprising: Vec<_> = surprising.map(|(receipt, (_, told))| format!("{told}\n{receipt:?}")).collect();
        ensure!(
            surprising.is_empty(),
            "{} surprises:\n{}",
            surprising.len(),
            surprising[..surprising.len().min(9)].join("\n")
        );
        Ok(())
    }
}

impl Wanted {
    fn of(is_covered: bool) -> Self {
        if is_covered { Self::Refused } else { Self::Accepted }
    }

    fn is_met(self, receipt: &Receipt) -> bool {
        match self {
            Self::Unasked => receipt.signed_ok.is_none() && !receipt.operation.is_empty(),
            Self::Whole | Self::Accepted => receipt.signed_ok == Some(true),
            // OKX compares the passphrase once it has found the signature good.
            Self::Refused => receipt.signed_ok != Some(true) || receipt.status == 401,
        }
    }
}
