//! Scopes that were stopped: nothing is signed for them after the bar's answer, whatever is under way.

use std::collections::HashSet;

use claviger_core::clock::SystemClock;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::keeper::message::{Refused, Reply, Request};
use claviger_core::store::Scope;
use claviger_venues::VenueId;

use super::front::{Enrolled, Front, Home};

#[test]
fn every_kind_of_scope_can_be_barred() {
    let home = Home::new("bars");
    let mut front = home.keeper();
    front.hello();
    let other = front.enrolled();
    for kind in 0..7 {
        let credential = front.enrolled();
        let scopes = credential.scopes.clone();
        let scope = [
            Scope::Tenant(scopes.tenant),
            Scope::Owner(scopes.tenant, scopes.owner.clone().unwrap()),
            Scope::App(scopes.app.unwrap()),
            Scope::Grant(scopes.grant.unwrap()),
            Scope::Credential(scopes.credential.unwrap()),
            Scope::Venue(VenueId::Binance),
            Scope::All,
        ][kind]
            .clone();
        let before = front.order(&credential);
        bar(&mut front, &scope, before.intent);
        // A bar that reaches less far takes nothing back.
        bar(&mut front, &scope, 1);
        assert_eq!(front.refused(before), Refused::Barred, "{scope:?}");
        let after = front.order(&credential);
        front.signed(after);
    }
    // Strangers' bars are not ours.
    let sign = front.order(&other);
    let tenant = TenantId::new(&SystemClock);
    for scope in [
        Scope::Tenant(tenant),
        Scope::Owner(tenant, "trader-1".to_owned()),
        Scope::Credential(CredentialId::new(&SystemClock)),
        Scope::Venue(VenueId::Kraken),
    ] {
        bar(&mut front, &scope, u64::MAX);
    }
    front.signed(sign);
}

/// Each round bars a scope while signatures for it are waiting and being made. What comes after the bar's answer must
/// not be a signature, also if the work on it began before.
#[test]
fn no_signature_leaves_after_the_bars_answer() {
    const ROUNDS: usize = 60;
    let home = Home::new("bar-race");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    let (mut signed, mut stopped) = (0, 0);
    for _ in 0..ROUNDS {
        let round = round(&mut front, &credential);
        signed += round.signed_before;
        stopped += round.stopped_after;
    }
    // The race was one: some were signed before the answer and many were stopped by it.
    assert!(signed >= ROUNDS && stopped >= ROUNDS, "{signed} signed before, {stopped} stopped after");
}

#[derive(Default)]
struct Round {
    signed_before: usize,
    stopped_after: usize,
}

fn round(front: &mut Front, credential: &Enrolled) -> Round {
    const BEFORE: usize = 24;
    let mut round = Round::default();
    let mut waiting = HashSet::new();
    let mut up_to = 0;
    for _ in 0..BEFORE {
        let sign = front.order(credential);
        up_to = sign.intent;
        waiting.insert(front.tell(&Request::Sign(Box::new(sign)), None));
    }
    // The first answer says that the keeper is at work on the others.
    let first = front.hear();
    assert!(waiting.remove(&first.id) && matches!(first.message, Reply::Signed(_)), "{:?}", first.message);
    round.signed_before += 1;
    let scope = Scope::Credential(credential.scopes.credential.unwrap());
    let barring = front.tell(&Request::Bar { scope, up_to }, None);
    let mut barred = false;
    while !waiting.is_empty() || !barred {
        let answer = front.hear();
        match answer.message {
            Reply::Done => {
                assert_eq!(answer.id, barring);
                barred = true;
            }
            Reply::Signed(_) => {
                assert!(waiting.remove(&answer.id), "answered twice");
                assert!(!barred, "signed after the answer");
                round.signed_before += 1;
            }
            Reply::Refused(Refused::Barred) => {
                assert!(waiting.remove(&answer.id), "answered twice");
                round.stopped_after += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    round
}

fn bar(front: &mut Front, scope: &Scope, up_to: u64) {
    let reply = front.ask(&Request::Bar { scope: scope.clone(), up_to });
    assert!(matches!(reply, Reply::Done), "{reply:?}");
}
