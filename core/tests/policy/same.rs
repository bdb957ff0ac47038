//! A million decisions, made by the firewall and by the model.

use std::collections::{BTreeMap, HashMap};
use std::thread;

use claviger_core::policy::{Caller, Checked, Denied, Frame, Grants, Policy, check, check_early};
use claviger_core::store::{Recent, Refusal, Spender, Spent};
use claviger_venues::VenueId;

use super::dice::Dice;
use super::model::{Case, Model};
use super::world::{World, call, principal};

const WORLDS: u64 = 1_000;
const DECISIONS: u64 = 1_000;

/// What a store keeps of what was spent, without a disk.
#[derive(Default)]
struct Kept {
    spent: HashMap<Spender, Spent>,
    recent: HashMap<String, Recent>,
}

impl Kept {
    /// As the commit of an intent does: all of it, or nothing.
    fn take(&mut self, checked: &Checked, venue: VenueId, now_ms: u64) -> Result<(), &'static str> {
        let rule = |refusal: &Refusal| Denied::of_refusal(refusal).unwrap().rule;
        let (mut spent, mut recent) = (self.spent.clone(), self.recent.clone());
        for charge in checked.charges() {
            if !spent.entry(charge.spender).or_default().take(charge, now_ms) {
                return Err(rule(&Refusal::Spent(Box::new(charge.clone()))));
            }
        }
        for order in checked.resting() {
            let credential = checked.scopes().credential.unwrap();
            if !recent.entry(format!("{venue} {}", order.market)).or_default().take(credential, order, now_ms) {
                return Err(rule(&Refusal::SelfTrade));
            }
        }
        (self.spent, self.recent) = (spent, recent);
        Ok(())
    }
}

fn live(seed: u64) -> BTreeMap<&'static str, u64> {
    let mut dice = Dice(seed);
    let mut world = World::new(&mut dice);
    let grants = Grants::new(world.grants.iter().map(|grant| (1, grant.clone())));
    let policy = Policy::of(1, 1, world.policy.clone());
    let (mut model, mut kept, mut tally) = (Model::default(), Kept::default(), BTreeMap::new());
    for number in 0..DECISIONS {
        world.turn(&mut dice);
        let credential = dice.pick(&world.credentials).clone();
        let (principal, resolved) = (principal(&mut dice), call(credential.venue, &mut dice));
        let frame =
            Frame { venue_enabled: true, policy: &policy, prices: &world.prices, now_ms: world.now_ms, approved: None };
        let caller = Caller { principal: &principal, grants: &grants, release: false };
        let early = check_early(caller, &frame, Some(&credential), &resolved);
        let ours = check(caller, &frame, Some(&credential), resolved.clone()).map_err(|denied| denied.rule);
        assert!(early.is_ok() || ours.is_err(), "seed {seed}, decision {number}: refused early, {early:?}");
        let ours = ours.and_then(|checked| kept.take(&checked, credential.venue, world.now_ms));
        let theirs = model.decide(&Case {
            principal: &principal,
            grants: &world.grants,
            policy: &world.policy,
            credential: &credential,
            resolved: &resolved,
            prices: &world.prices,
            now_ms: world.now_ms,
        });
        assert_eq!(ours, theirs, "seed {seed}, decision {number}: {:?} in {:#?}", resolved.reading(), world.policy);
        *tally.entry(ours.err().unwrap_or("allowed")).or_insert(0) += 1;
    }
    tally
}

#[test]
fn a_million_random_orders_are_decided_as_the_model_decides_them() {
    #[expect(clippy::disallowed_methods, reason = "a run is replayed by hand")]
    let replay = std::env::var("CLAVIGER_SEED");
    let first: u64 = replay.map_or(20_261_122, |seed| seed.parse().unwrap());
    eprintln!("seed {first} (CLAVIGER_SEED)");
    let halves = [0, 1].map(|half| {
        thread::spawn(move || {
            let worlds = (0..WORLDS / 2).map(|n| live(first + 2 * n + half));
            worlds.reduce(|mut all, one| {
                for (rule, count) in one {
                    *all.entry(rule).or_insert(0) += count;
                }
                all
            })
        })
    });
    let mut tally = BTreeMap::new();
    for half in halves {
        for (rule, count) in half.join().unwrap().unwrap() {
            *tally.entry(rule).or_insert(0) += count;
        }
    }
    eprintln!("{tally:#?}");
    assert_eq!(tally.values().sum::<u64>(), WORLDS * DECISIONS);
    // Chance met every rule that can be met here, so that agreement says something about each.
    for rule in [
        "allowed",
        "approval.needed",
        "budget.notional",
        "budget.orders",
        "budget.requests",
        "ceiling.class",
        "ceiling.product",
        "collar.market",
        "collar.no-price",
        "collar.price",
        "collar.trigger",
        "grant.hours",
        "grant.network",
        "grant.none",
        "grant.operation",
        "grant.symbol",
        "order.leverage",
        "order.notional",
        "order.notional-unknown",
        "order.quantity",
        "order.quantity-unknown",
        "order.quote",
        "order.reduce-only",
        "order.side",
        "order.symbol",
        "order.thin",
        "order.type",
        "policy.hours",
        "policy.network",
        "self-trade",
    ] {
        assert!(tally.get(rule).is_some_and(|count| *count >= 100), "{rule} was met too rarely: {tally:?}");
    }
}
