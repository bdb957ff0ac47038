//! Guesses: they are slowed down, they lock out nobody who is known, and their time tells nothing.

use std::fs;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Client, Door, Home, House, OPERATOR, PASSWORD, Reply, Scratch, Server, Sim};

use super::{Person, log_in, log_in_from};

const WRONG: &str = "no password of anybody here";

#[tokio::test(flavor = "multi_thread")]
async fn guesses_lock_out_nobody_who_is_known() -> Result<()> {
    let house = House::open().await?;
    let person = Person::of(&house).await?;
    let named = [("claviger-device", "laptop")];
    let known = log_in_from(&person.admin, PASSWORD, None, &named).await?.ok()?.text_at("/device_secret")?;
    let known = [("claviger-device", "laptop"), ("claviger-device-secret", known.as_str())];

    // The account is slowed down first, then the address is shut, whatever name is tried.
    let mut refused = None;
    for n in 0..40 {
        let name = if n < 5 { OPERATOR.to_owned() } else { format!("operator-{n}") };
        let reply = log_in(&person.admin, &name, WRONG, None).await?;
        if reply.status == 429 {
            let wait: u64 = reply.header("retry-after").parse()?;
            ensure!((1..=900).contains(&wait), "{wait} s");
            refused = Some((n, wait));
        } else {
            reply.problem(401, "unauthenticated")?;
        }
    }
    let (last, wait) = refused.context("nobody was slowed down")?;
    ensure!(last == 39 && wait > 600, "try {last} waits {wait} s");
    log_in(&person.admin, OPERATOR, PASSWORD, None).await?.problem(429, "login_throttled")?;

    let again = log_in_from(&person.admin, PASSWORD, None, &known).await?.ok()?;
    ensure!(again.json().get("device_secret").is_none(), "it is known already");
    for _ in 0..10 {
        log_in_from(&person.admin, WRONG, None, &known).await?.problem(401, "unauthenticated")?;
    }
    log_in_from(&person.admin, PASSWORD, None, &known).await?.problem(429, "login_throttled")?;
    Ok(())
}

/// Samples of each kind, taken in turn; three for each name and address, which is what is free of delays.
const SAMPLES: u8 = 48;

/// Welch's t of the two, above which they are called different: by chance that is once in 100,000 runs.
const BOUND: f64 = 4.5;

/// One hash takes tens of milliseconds, and is what a name that is not looked for would save.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() -> Result<()> {
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    let home = Home::at(&scratch.path().join("home"), scratch.path(), &scratch.path().join("log"))?;
    let password = scratch.path().join("password");
    fs::write(&password, PASSWORD)?;
    let known = (0..SAMPLES.div_ceil(3)).flat_map(|n| ["--operator".to_owned(), format!("known-{n:02}")]);
    home.claviger(["init", "--operator-password-file"])?.args([&password]).args(known).output().await?.ok()?;
    home.use_sim(&sim)?;
    let _server = Server::start(&home).await?;
    let admin = Client::of_server(&home.ready_file(), Door::Admin)?;
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    for n in 0..SAMPLES {
        let admin = admin.from_address([127, 1, 0, n / 3].into());
        let order = if n % 2 == 0 { [false, true] } else { [true, false] };
        for is_known in order {
            let name = format!("{}-{:02}", if is_known { "known" } else { "never" }, n / 3);
            let took = timed(log_in(&admin, &name, WRONG, None)).await?;
            if is_known { &mut wrong } else { &mut unknown }.push(took);
        }
    }

    let t = welch(&unknown, &wrong);

    println!("t = {t:.2}: unknown {:.4} s, wrong {:.4} s", mean(&unknown), mean(&wrong));
    ensure!(t.abs() < BOUND, "t = {t:.2}: unknown {:.4} s, wrong {:.4} s", mean(&unknown), mean(&wrong));
    Ok(())
}

/// How long a refusal takes, seconds.
#[expect(clippy::disallowed_methods, reason = "the time is what is tested")]
async fn timed(refused: impl Future<Output = Result<Reply>>) -> Result<f64> {
    let begun = Instant::now();
    let reply = refused.await?;
    let took = begun.elapsed().as_secs_f64();
    reply.problem(401, "unauthenticated")?;
    Ok(took)
}

fn welch(a: &[f64], b: &[f64]) -> f64 {
    let error = |all: &[f64]| {
        let mean = mean(all);
        all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count(all) - 1.0) / count(all)
    };
    (mean(a) - mean(b)) / (error(a) + error(b)).sqrt()
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / count(all)
}

fn count(all: &[f64]) -> f64 {
    u32::try_from(all.len()).map_or(f64::INFINITY, f64::from)
}
