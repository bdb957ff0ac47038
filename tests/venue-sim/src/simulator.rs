//! The way of a request through the simulator: classify, authenticate, record, misbehave, answer.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use crate::account::Accounts;
use crate::catalogue::{CATALOGUE, Class};
use crate::fault::{Fault, FaultKind, Faults};
use crate::limits::Limits;
use crate::market::Prices;
use crate::params::Params;
use crate::recorder::{Login, Receipt, Received, Recorder, Tripped};
use crate::venue::binance::BinanceSpot;
use crate::venue::binance_usdm::BinanceUsdm;
use crate::venue::bitmex::Bitmex;
use crate::venue::bybit::Bybit;
use crate::venue::ibkr::Ibkr;
use crate::venue::kraken::Kraken;
use crate::venue::kraken_futures::KrakenFutures;
use crate::venue::mexc::Mexc;
use crate::venue::mexc_contract::MexcContract;
use crate::venue::oanda::Oanda;
use crate::venue::okx::Okx;
use crate::venue::topstepx::TopstepX;
use crate::venue::tradovate::Tradovate;
use crate::venue::{Answer, Call, Proof, Refusal, Venue};

/// All state of one simulator.
pub(crate) struct Simulator {
    venues: Vec<Box<dyn Venue>>,
    pub(crate) accounts: Accounts,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) prices: Prices,
    pub(crate) recorder: Recorder,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Late(Duration),
    CutBefore,
    CutMidAnswer,
    Never,
}

impl Simulator {
    /// Makes a simulator with no keys.
    pub(crate) fn new() -> Self {
        let venues: Vec<Box<dyn Venue>> = vec![
            Box::new(BinanceSpot::default()),
            Box::new(BinanceUsdm),
            Box::new(Kraken),
            Box::new(KrakenFutures),
            Box::new(Bitmex),
            Box::new(Oanda),
            Box::new(Bybit),
            Box::new(Mexc),
            Box::new(MexcContract),
            Box::new(Tradovate),
            Box::new(TopstepX),
            Box::new(Ibkr),
            Box::new(Okx),
        ];
        Self {
            accounts: Accounts::new(venues.iter().map(|venue| venue.id())),
            limits: Limits::new(venues.iter().map(AsRef::as_ref)),
            venues,
            faults: Faults::default(),
            prices: Prices::default(),
            recorder: Recorder::default(),
        }
    }

    /// The venue under a path prefix.
    pub(crate) fn venue(&self, id: &str) -> Option<&dyn Venue> {
        self.venues.iter().find(|venue| venue.id() == id).map(AsRef::as_ref)
    }

    /// Answers a request to a venue.
    pub(crate) fn respond(&self, received: &Arc<Received>) -> (Answer, Delivery) {
        self.recorder.keep_raw(received);
        let (id, path) = split_venue(received.uri.path());
        let Some(venue) = self.venue(id) else {
            return (self.nowhere(received, id, path), Delivery::Whole);
        };
        let call = Call {
            received,
            path,
            operation: CATALOGUE.classify(id, &received.method, path),
            params: venue.params(received),
            prices: &self.prices,
        };
        self.visit(venue, &call)
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        self.accounts.clear();
        self.faults.clear();
        self.limits.clear();
        self.prices.clear();
        self.recorder.clear();
    }

    fn visit(&self, venue: &dyn Venue, call: &Call<'_>) -> (Answer, Delivery) {
        let class = call.operation.class;
        let proof = class.is_signed().then(|| venue.authenticate(&self.accounts, call));
        // A token does not name its key, but the venue knows whom it gave it to.
        let caller =
            proof.as_ref().and_then(|proof| proof.caller.as_ref().ok()).map(|caller| Arc::clone(&caller.account));
        let key_id = caller.as_ref().map_or_else(|| venue.claimed_key(call.received), |account| &account.key_id);
        let signed_ok = proof.as_ref().map(|proof| proof.signature_ok);
        if class.trips() {
            self.trip(call, venue.id(), key_id, signed_ok.unwrap_or_default());
        }
        if class == Class::Login {
            self.recorder.keep_login(Login {
                seq: call.received.seq,
                received_ns: call.received.at.ns(),
                venue: venue.id(),
                method: call.received.method.to_string(),
                path: call.path.to_owned(),
                key_id: key_id.to_owned(),
                accepted: caller.is_some(),
            });
        }
        let fault = self.faults.take(venue.id(), key_id, call.path);
        let verdict = self.limits.charge(venue, call, signed_ok.unwrap_or_default().then_some(key_id));
        let (answer, delivery) = match (verdict.excess, &fault) {
            (Some(excess), _) => (venue.finish(venue.over_limit(excess, call), call, None), Delivery::Whole),
            (None, None) => (answer(venue, call, proof), Delivery::Whole),
            (None, Some(fault)) => misbehave(venue, call, proof, fault),
        };
        let answer = verdict.show_on(answer);
        self.recorder.keep_receipt(Receipt {
            seq: call.received.seq,
            received_ns: call.received.at.ns(),
            venue: venue.id(),
            method: call.received.method.to_string(),
            path: call.path.to_owned(),
            key_id: key_id.to_owned(),
            signed_ok,
            operation: call.operation.name,
            status: answer.status.as_u16(),
            fault: fault.map(|fault| fault.kind.word()),
        });
        (answer, delivery)
    }

    /// A path that belongs to no venue here; it still must not speak of money.
    fn nowhere(&self, received: &Received, id: &str, path: &str) -> Answer {
        let call = Call {
            received,
            path,
            operation: CATALOGUE.classify(id, &received.method, path),
            params: Params::default(),
            prices: &self.prices,
        };
        if call.operation.class.trips() {
            self.trip(&call, id, "", false);
        }
        Answer::json(StatusCode::NOT_FOUND, &json!({ "error": "no such venue", "venue": id }))
    }

    fn trip(&self, call: &Call<'_>, venue: &str, key_id: &str, correctly_signed: bool) {
        self.recorder.trip(Tripped {
            seq: call.received.seq,
            received_ns: call.received.at.ns(),
            venue: venue.to_owned(),
            method: call.received.method.to_string(),
            path: call.path.to_owned(),
            key_id: key_id.to_owned(),
            correctly_signed,
            rule: match call.operation.name {
                "" => "the path speaks of money or keys",
                entry => entry,
            },
        });
    }
}

/// `/binance/api/v3/time` is `/api/v3/time` at `binance`.
pub(crate) fn split_venue(path: &str) -> (&str, &str) {
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    let end = trimmed.find('/').unwrap_or(trimmed.len());
    trimmed.split_at(end)
}

fn answer(venue: &dyn Venue, call: &Call<'_>, proof: Option<Proof>) -> Answer {
    let Some(proof) = proof else {
        let answer = if call.operation.class == Class::Market {
            venue.market(call)
        } else {
            venue.refuse(Refusal::NoSuchOperation, call)
        };
        return venue.finish(answer, call, None);
    };
    match proof.caller {
        Err(refused) => venue.finish(refused, call, None),
        Ok(caller) => {
            let answer = if call.operation.class == Class::Alarming {
                venue.refuse(Refusal::NoSuchOperation, call)
            } else if venue.permits(&caller.key, call) {
                venue.act(call, &caller)
            } else {
                venue.refuse(Refusal::Forbidden, call)
            };
            venue.finish(answer, call, Some(&caller))
        }
    }
}

/// What a fault makes of the answer, and of its way back.
fn misbehave(venue: &dyn Venue, call: &Call<'_>, proof: Option<Proof>, fault: &Fault) -> (Answer, Delivery) {
    let executed = fault.executes().then(|| answer(venue, call, proof));
    let refused = |refusal| venue.finish(venue.refuse(refusal, call), call, None);
    let spoilt = || executed.unwrap_or_else(|| refused(Refusal::Unavailable));
    match fault.kind {
        FaultKind::Slow => (spoilt(), Delivery::Late(fault.delay())),
        FaultKind::Status429 => (refused(Refusal::RateLimited), Delivery::Whole),
        FaultKind::Status418 => (refused(Refusal::Banned), Delivery::Whole),
        FaultKind::Status5xx => (refused(Refusal::Unavailable), Delivery::Whole),
        FaultKind::DeadKey => (refused(Refusal::DeadKey), Delivery::Whole),
        FaultKind::CutBefore => (spoilt(), Delivery::CutBefore),
        FaultKind::CutMidAnswer => (spoilt(), Delivery::CutMidAnswer),
        FaultKind::Hang => (spoilt(), Delivery::Never),
        FaultKind::BadJson => {
            let mut answer = spoilt();
            answer.status = StatusCode::OK;
            answer.body.truncate(answer.body.len() / 2);
            (answer, Delivery::Whole)
        }
    }
}
