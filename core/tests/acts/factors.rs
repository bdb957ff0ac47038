//! What operators set up to prove who they are: how old it makes them, which logins it ends, and what a login has shown.

use std::net::IpAddr;

use claviger_core::act::Act;
use claviger_core::id::OperatorId;
use claviger_core::identity::role::{Permission, Role};
use claviger_core::identity::{LoginKind, Operator, OperatorPrincipal, Totp, hash_invitation, written_hash};
use claviger_core::service::{FromDevice, NewLogin, NewPasskey, Proven, ServiceError, ShownPasskey};
use claviger_core::store::{Change, Key, Row};

use super::world::{DAY_MS, World, code, joined};

const MINUTE_MS: u64 = 60 * 1_000;

#[tokio::test]
async fn a_proof_is_as_old_as_when_it_was_shown() {
    let world = World::new(0).await;
    add(&world, &world.bob).await.unwrap();
    let first = shown(&world, &world.bob).await;
    let at = world.clock_ms();
    world.clock.step(4 * MINUTE_MS);
    let login = log_in(&world, &world.bob, &first).await.unwrap();
    assert_eq!((login.login.proven_ms, login.login.created_ms), (at, world.clock_ms()));

    let bob = authenticated(&world, &login).await.unwrap();
    let second = shown(&world, &bob).await;
    world.clock.step(4 * MINUTE_MS);
    let renewed = world.service.renew_proof(&bob, &second, &world.origin(&bob)).await.unwrap();
    assert_eq!(renewed.proven_ms, at + 4 * MINUTE_MS);
    // An older one takes nothing back.
    let renewed = world.service.renew_proof(&bob, &first, &world.origin(&bob)).await.unwrap();
    assert_eq!(renewed.proven_ms, at + 4 * MINUTE_MS);
}

/// Founders are no exception, whichever of their factors is the first of its kind.
#[tokio::test]
async fn whoever_changes_their_factors_counts_as_new() {
    let world = World::new(0).await;
    let new = async |what: &str| {
        let asked = world.asked(world.unfreeze(), &world.fresh(&world.ann)).await;
        let approved = world.approve(asked.id, &world.fresh(&world.bob)).await;
        assert_eq!(code(approved), "second_operator_too_new", "{what}");
        let row = row(&world, world.bob.operator).await;
        assert_eq!(row.factors_ms, world.clock_ms(), "{what}");
        world.service.cancel(asked.id, "tried often enough", &world.fresh(&world.ann), &world.origin(&world.ann)).await
    };
    world.service.new_break_glass_codes(&world.bob, &world.origin(&world.bob)).await.unwrap();
    new("first break-glass codes").await.unwrap();
    world.clock.step(DAY_MS);
    add(&world, &world.bob).await.unwrap();
    new("a first passkey").await.unwrap();
    world.clock.step(DAY_MS);
    add(&world, &world.bob).await.unwrap();
    new("another passkey").await.unwrap();
    world.clock.step(DAY_MS);
    let one = row(&world, world.bob.operator).await.factors.passkeys[0].id;
    world.service.remove_passkey(&world.bob, one, &world.origin(&world.bob)).await.unwrap();
    new("a removed passkey").await.unwrap();
}

#[tokio::test]
async fn a_founder_counts_from_the_start_by_the_invitation_of_init_and_by_no_other() {
    let world = World::new(0).await;
    let invited = invited(&world, 0).await;
    accept(&world, &invited).await.unwrap();
    let founder = row(&world, invited.1).await;
    assert_eq!(founder.factors_ms, 0);

    let reset = Act::ResetFactors { tenant: None, operator: founder.id };
    let (asked, half) = world.invites(reset, &world.ann).await;
    let invitation = joined(&half, &world.approve(asked.id, &world.bob).await.unwrap().secret.unwrap());
    world.clock.step(MINUTE_MS);
    accept(&world, &(hash_invitation(&invitation), founder.id)).await.unwrap();
    assert_eq!(row(&world, founder.id).await.factors_ms, world.clock_ms());
}

#[tokio::test]
async fn an_invitation_is_good_for_two_days() {
    let world = World::new(0).await;
    let act = Act::CreateOperator { name: "new".to_owned(), role: "viewer".to_owned(), tenant: None };
    let (asked, half) = world.invites(act, &world.ann).await;
    let invitation = joined(&half, &world.approve(asked.id, &world.bob).await.unwrap().secret.unwrap());
    let id = world.service.operator("new").await.unwrap().unwrap().id;
    world.clock.step(2 * DAY_MS - 1);
    assert_eq!(world.service.whom_invites(&invitation).await.unwrap().id, id);
    world.clock.step(1);
    let late = world.service.whom_invites(&invitation).await;
    assert!(matches!(late, Err(ServiceError::Unauthenticated(_))), "{late:?}");
    let late = accept(&world, &(hash_invitation(&invitation), id)).await;
    assert!(matches!(late, Err(ServiceError::Unauthenticated(_))), "{late:?}");
    assert!(row(&world, id).await.factors.passkeys.is_empty());
}

#[tokio::test]
async fn factors_that_are_reset_end_every_login() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    add(&world, &cy).await.unwrap();
    let mut logins = Vec::new();
    for _ in 0..2 {
        logins.push(log_in(&world, &cy, &shown(&world, &cy).await).await.unwrap());
    }
    let asked = world.asked(Act::ResetFactors { tenant: None, operator: cy.operator }, &world.ann).await;
    for login in &logins {
        authenticated(&world, login).await.unwrap();
    }
    world.approve(asked.id, &world.bob).await.unwrap();
    for login in &logins {
        assert_eq!(code(authenticated(&world, login).await), "unauthenticated");
    }
    assert!(world.service.own_logins(cy.operator).await.unwrap().is_empty());
}

/// Break-glass codes are at hand for whoever makes logins without a token.
#[tokio::test]
async fn the_first_second_factor_ends_all_other_logins_and_a_later_one_none() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    let (own, other) = (by_break_glass(&world, &cy, "1").await, by_break_glass(&world, &cy, "2").await);
    let principal = authenticated(&world, &own).await.unwrap();
    add(&world, &principal).await.unwrap();
    authenticated(&world, &own).await.unwrap();
    assert_eq!(code(authenticated(&world, &other).await), "unauthenticated");

    let later = by_break_glass(&world, &cy, "3").await;
    add(&world, &principal).await.unwrap();
    authenticated(&world, &later).await.unwrap();
}

/// Nor is anything left that whoever knew the password alone could have made meanwhile.
#[tokio::test]
async fn the_first_second_factor_ends_what_a_password_alone_could_have_made() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    let login = by_break_glass(&world, &cy, "1").await;
    let principal = authenticated(&world, &login).await.unwrap();
    let mut operator = row(&world, cy.operator).await;
    (operator.factors.totp_pending, operator.factors.break_glass) = (Some(vec![1]), vec![[2; 32]]);
    world.put(vec![Change::set(Key::Operator(cy.operator), Row::Operator(operator))]).await;

    add(&world, &principal).await.unwrap();
    let factors = row(&world, cy.operator).await.factors;
    assert_eq!((factors.totp_pending, factors.break_glass.len()), (None, 0));
}

/// What was set up since does not make more of a login.
#[tokio::test]
async fn a_login_is_what_was_shown_for_it() {
    let world = World::new(0).await;
    let cy = world.operator("cy", "viewer", None, 0).await;
    let login = by_break_glass(&world, &cy, "1").await;
    let mut stored = login.login.clone();
    stored.kind = LoginKind::Password;
    let mut operator = row(&world, cy.operator).await;
    operator.factors.totp = Some(Totp { sealed: vec![1], last_step: 0 });
    world
        .put(vec![
            Change::set(Key::Login(login.bearer.hash()), Row::Login(stored)),
            Change::set(Key::Operator(cy.operator), Row::Operator(operator)),
        ])
        .await;
    let principal = authenticated(&world, &login).await.unwrap();
    assert!(principal.has_second && !principal.kind.is_full(), "{:?}", principal.kind);
    // A proof by more than the password does.
    add(&world, &principal).await.unwrap();
    let proven = shown(&world, &principal).await;
    world.service.renew_proof(&principal, &proven, &world.origin(&principal)).await.unwrap();
    assert!(authenticated(&world, &login).await.unwrap().kind.is_full());
}

#[tokio::test]
async fn whose_role_is_widened_counts_as_new() {
    let world = World::new(0).await;
    let words = ["approval.approve", "credential.read", "credential.stop"];
    set_role(&world, &words[..2]).await;
    let desk = world.operator("dee", "viewer", None, 0).await;
    let give = Act::ChangeRole { tenant: None, operator: desk.operator, role: "desk".to_owned() };
    let asked = world.asked(give, &world.ann).await;
    world.approve(asked.id, &world.bob).await.unwrap();
    world.clock.step(2 * DAY_MS);
    let raised = row(&world, desk.operator).await.factors_ms;
    let new = async |is: bool| {
        let asked = world.asked(world.unfreeze(), &world.fresh(&world.ann)).await;
        let permissions = words[..2].iter().map(|word| word.parse::<Permission>().unwrap()).collect();
        let approved = world.approve(asked.id, &OperatorPrincipal { permissions, ..world.fresh(&desk) }).await;
        if is {
            assert_eq!(code(approved), "second_operator_too_new");
        } else {
            approved.unwrap();
            world.freeze_by_hand(claviger_core::credential::State::Frozen).await;
        }
    };
    new(false).await;
    set_role(&world, &words).await;
    assert_eq!(row(&world, desk.operator).await.factors_ms, world.clock_ms());
    new(true).await;
    world.clock.step(DAY_MS);
    // Narrowing makes nobody new.
    set_role(&world, &words[..2]).await;
    new(false).await;
    assert_eq!(row(&world, desk.operator).await.factors_ms, raised + 2 * DAY_MS);
}

async fn set_role(world: &World, words: &[&str]) {
    let permissions = words.iter().map(|word| word.parse::<Permission>().unwrap()).collect();
    let role = Role { name: "desk".to_owned(), permissions, flagged_only: false };
    let ann = world.fresh(&world.ann);
    if let claviger_core::service::Reply::Waiting(asked, _) = world.ask(Act::SetRole { role }, &ann).await.unwrap() {
        world.approve(asked.id, &world.fresh(&world.bob)).await.unwrap();
    }
}

async fn row(world: &World, id: OperatorId) -> Operator {
    world.service.operator_by_id(id).await.unwrap().unwrap().0
}

async fn add(world: &World, who: &OperatorPrincipal) -> Result<(), ServiceError> {
    let new = NewPasskey { label: "one".to_owned(), credential: "kept".to_owned(), address: String::new() };
    world.service.add_passkey(who, &new, &world.origin(who)).await
}

/// Proof by the first passkey of whom.
async fn shown(world: &World, who: &OperatorPrincipal) -> Proven {
    let own = row(world, who.operator).await.factors.passkeys.remove(0);
    let (was, becomes) = (own.credential.clone(), own.credential);
    let shown = ShownPasskey { operator: who.operator, id: own.id, was, becomes };
    world.service.prove_by_passkey(&shown, &world.origin(who)).await.unwrap()
}

async fn by_break_glass(world: &World, who: &OperatorPrincipal, words: &str) -> NewLogin {
    let mut operator = row(world, who.operator).await;
    operator.factors.break_glass.push(written_hash(words));
    world.put(vec![Change::set(Key::Operator(operator.id), Row::Operator(operator.clone()))]).await;
    let origin = world.origin(who);
    let proven = world.service.prove_by_break_glass(Some(&operator), "cy", words, &origin).await.unwrap();
    log_in(world, who, &proven).await.unwrap()
}

async fn log_in(world: &World, who: &OperatorPrincipal, proven: &Proven) -> Result<NewLogin, ServiceError> {
    world.service.log_in(proven, &FromDevice::default(), &world.origin(who)).await
}

async fn authenticated(world: &World, login: &NewLogin) -> Result<OperatorPrincipal, ServiceError> {
    world.service.authenticated(login.bearer.reveal(), IpAddr::from([192, 0, 2, 1])).await
}

/// An operator made at a time, with an invitation by its hash.
async fn invited(world: &World, made_ms: u64) -> ([u8; 32], OperatorId) {
    let made = world.operator("invited", "viewer", None, made_ms).await;
    let (hash, mut operator) = ([9; 32], row(world, made.operator).await);
    operator.factors.invitation =
        Some(claviger_core::identity::Invitation { hash, expires_ms: world.clock_ms() + DAY_MS });
    world
        .put(vec![
            Change::set(Key::Invitation(hash), Row::OperatorRef(operator.id)),
            Change::set(Key::Operator(operator.id), Row::Operator(operator)),
        ])
        .await;
    (hash, made.operator)
}

async fn accept(world: &World, (hash, _): &([u8; 32], OperatorId)) -> Result<(), ServiceError> {
    let new = NewPasskey { label: "first".to_owned(), credential: "kept".to_owned(), address: String::new() };
    world.service.accept_by_passkey(hash, &new, &world.origin(&world.ann)).await
}
