//! A token that must not be used, cannot be used, or does not take the PIN: what `serve` says, and that no PIN attempt
//! is burnt.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Home, House, Output, Role, Server, Setup, Signal, until};
use claviger_hsm::AdmissionError;

use super::{enrolled, logins, red, unavailable, until_so};

/// The exit code for a configuration or a PIN that is to be put right.
const MISCONFIGURED: i32 = 64;

/// The exit code for a token that is not there or must not be used.
const NO_TOKEN: i32 = 69;

#[tokio::test(flavor = "multi_thread")]
async fn each_attack_that_works_is_named_and_ends_the_start() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().faulty().init().await?;
    let attacks: Vec<&str> = AdmissionError::attacks().collect();
    assert!(attacks.len() >= 10, "{attacks:?}");
    for attack in attacks {
        home.fault(&format!("attack={attack}"))?;

        let refused = Server::refused(&home).await?.exits(NO_TOKEN).context(attack)?;

        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(attack), "{attack} is not named: {said}");
        assert!(!home.ready_file().exists(), "{attack}: it said that it was ready");
    }
    home.fault("")?;
    Server::start(&home).await.context("and without an attack it starts")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pin_is_tried_once() -> Result<()> {
    let (home, sim, scratch) = Setup::default().faulty().init().await?;
    let (pin_file, marker) = (home.token_file("pin"), home.file("pin.refused"));
    let right = fs::read(&pin_file)?;

    fs::write(&pin_file, "123456-wrong")?;
    let first = Server::refused(&home).await?.exits(MISCONFIGURED)?;
    assert!(first.stderr.contains("token/pin") && first.stderr.contains("PIN"), "{}", first.stderr);
    assert!(!first.stderr.contains("123456-wrong"), "{}", first.stderr);
    assert_eq!(logins(&home).len(), 1);
    assert!(!String::from_utf8_lossy(&fs::read(&marker)?).contains("123456-wrong"));

    let second = Server::refused(&home).await?.exits(MISCONFIGURED)?;
    assert!(second.stderr.contains("claviger doctor --retry-pin"), "{}", second.stderr);
    assert_eq!(logins(&home).len(), 1, "the same PIN is not tried again");

    home.claviger(["doctor", "--retry-pin"])?.output().await?.ok()?;
    assert!(!marker.exists());
    Server::refused(&home).await?.exits(MISCONFIGURED)?;
    assert_eq!(logins(&home).len(), 2, "it is tried once more when an operator says so");

    fs::write(&pin_file, &right)?;
    let server = Server::start(&home).await.context("another PIN needs no word of an operator's")?;
    let house = Setup::furnish(home, sim, scratch, server).await?;
    let (_, credential) = enrolled(&house).await?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    assert_eq!(logins(&house.home).len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pin_is_tried_once_by_commands_too() -> Result<()> {
    let (home, _sim, scratch) = Setup::default().faulty().init().await?;
    let (pin_file, shares) = (home.token_file("pin"), scratch.path().join("shares"));
    fs::write(&pin_file, "123456-wrong")?;
    let setup = || {
        anyhow::Ok(home.claviger(["recovery", "setup", "--shares", "3", "--threshold", "2", "--out"])?.args([&shares]))
    };
    let first = setup()?.output().await?.exits(NO_TOKEN)?;
    says(&first, &["the token does not work"])?;

    let second = setup()?.output().await?.exits(MISCONFIGURED)?;

    says(&second, &["the token refused the PIN", "--retry-pin"])?;
    assert_eq!(logins(&home).len(), 1, "the same PIN is not tried again");

    // A process that works with the token by itself, without a keeper.
    home.claviger(["doctor", "--retry-pin"])?.output().await?.ok()?;
    home.claviger(["doctor", "--add-keys"])?.output().await?.exits(NO_TOKEN)?;
    home.claviger(["doctor", "--add-keys"])?.output().await?.exits(MISCONFIGURED)?;
    assert_eq!(logins(&home).len(), 2, "the same PIN is not tried again");
    assert!(!shares.exists(), "nobody was given a share");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_is_refused_later_leaves_the_front_red_until_it_is_right_again() -> Result<()> {
    let house = Setup::default().faulty().open().await?;
    let (_, credential) = enrolled(&house).await?;
    let order = Call::limit_order(&credential, "binance");
    let (pin_file, marker) = (house.home.token_file("pin"), house.home.file("pin.refused"));
    let (right, front) = (fs::read(&pin_file)?, house.server.pid(Role::Front)?);
    let before = logins(&house.home).len();

    fs::write(&pin_file, "123456-wrong")?;
    house.server.signal(Role::Keeper, Signal::Kill)?;
    until_so("the PIN to be marked", || Ok(marker.exists())).await?;
    // The supervisor looks again each second; twice over, it must not have tried again.
    looked_again(&house, 2).await?;
    red(&house.server.readyz().await?)?;
    unavailable(&house.app.execute(&order).await?)?;
    assert_eq!(logins(&house.home).len(), before + 1);
    let status = house.operator.get("/api/v1/status").await?.ok()?.text();
    assert!(status.contains("doctor --retry-pin"), "{status}");

    fs::write(&pin_file, &right)?;
    until("an order", async || house.app.acked(&order).await).await?;
    assert_eq!(logins(&house.home).len(), before + 2);
    assert_eq!(house.server.pid(Role::Front)?, front, "the front was there all the time");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_token_is_not_knocked_at() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().faulty().init().await?;
    home.fault("C_Login return=0xA4")?;

    let refused = Server::refused(&home).await?.exits(MISCONFIGURED)?;
    says(&refused, &["CKR_PIN_LOCKED", "token/pin"])?;
    Server::refused(&home).await?.exits(MISCONFIGURED)?;

    assert_eq!(logins(&home).len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_with_what_to_do() -> Result<()> {
    let (home, _sim, _scratch) = Setup::default().faulty().init().await?;
    let refused = async |what: &str, code: i32, words: &[&str]| {
        let refused = Server::refused(&home).await?.exits(code).with_context(|| what.to_owned())?;
        says(&refused, words).with_context(|| what.to_owned())
    };

    aside(&home, "pin", async || refused("no PIN file", MISCONFIGURED, &["token/pin", "put it there"]).await).await?;
    aside(&home, "tokens", async || refused("no token", NO_TOKEN, &["claviger", "token"]).await).await?;
    assert_eq!(logins(&home), [""; 0], "without a token nobody needs its PIN");

    let module = home.file("nowhere/libsofthsm2.so");
    home.configure("hsm.module", module.to_string_lossy().into_owned())?;
    refused("no module", NO_TOKEN, &["nowhere/libsofthsm2.so", "apt-get install softhsm2", "hsm.module"]).await?;
    Ok(())
}

/// Does something while a file of the token's folder is elsewhere.
async fn aside(home: &Home, name: &str, then: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let (place, elsewhere) = (home.token_file(name), home.token_file(&format!("{name}.aside")));
    fs::rename(&place, &elsewhere)?;
    then().await?;
    Ok(fs::rename(elsewhere, place)?)
}

fn says(output: &Output, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(output.stderr.contains(word), "{word:?} is not said: {}", output.stderr);
    }
    Ok(())
}

/// Waits until the supervisor has found so many times more that there can be no keeper.
async fn looked_again(house: &House, times: usize) -> Result<()> {
    let looks = || anyhow::Ok(house.server.log()?.matches("there is no keeper").count());
    let enough = looks()?.saturating_add(times);
    until_so("the supervisor to look again", || Ok(looks()? >= enough)).await
}
