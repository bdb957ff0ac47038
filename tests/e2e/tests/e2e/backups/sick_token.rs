//! A token that fails while a backup is tried: that costs nobody a credential.

use std::fs;

use anyhow::{Result, ensure};
use claviger_e2e::{Call, Command, Home, House, Key, Server, Setup};

use super::{Keyholder, backed_up, resumed};

/// `CKR_DEVICE_MEMORY`, which leaves the keeper alive, and `CKR_DEVICE_ERROR`, which looks as if the bytes were changed.
const SICKNESSES: [&str; 2] = ["0x31", "0x30"];

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_fails_costs_no_credential() -> Result<()> {
    // Each session proves a KEK for itself: with one, each run has as many calls.
    let (house, holder) = Keyholder::of(Setup::default().faulty().config("hsm.threads", 1)).await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    let House { server, home, app, sim: _sim, scratch: _scratch, .. } = house;
    server.stop().await?;
    let verify = || anyhow::Ok(home.claviger(["backup", "verify", "--identity"])?.args([&holder.file, &file]));
    // Of a keeper that only starts, and of one that tries two KEKs.
    let started = decryptions(&home, home.claviger(["doctor"])?).await?;
    let tried = decryptions(&home, verify()?).await?;
    ensure!(tried > started, "no KEK was tried");
    let store = fs::read(home.file("claviger.redb"))?;

    // Each keeper fails at the first KEK that it tries.
    home.fault(&format!("C_Decrypt return={} after={started}", SICKNESSES[0]))?;
    let untried = verify()?.output().await?.exits(69)?;
    let refused = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.exits(69)?;
    for output in [untried, refused] {
        ensure!(output.stderr.contains("nothing was changed"), "{}", output.stderr);
    }
    ensure!(fs::read(home.file("claviger.redb"))? == store, "the store was changed");
    ensure!(!home.file("claviger.redb.restoring").exists(), "a draft is left");

    // The first keeper fails at the last KEK, and the next is well.
    for sickness in SICKNESSES {
        home.fault(&format!("C_Decrypt return={sickness} after={} count=1", tried - 1))?;
        let verified = verify()?.output().await?.ok()?;
        ensure!(verified.stdout.contains("each of 2 KEKs was opened"), "{sickness}: {}", verified.stdout);
        ensure!(home.fault_log().iter().any(|line| line.contains(&format!(" C_Decrypt 0x000000{}", &sickness[2..]))));
    }
    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;
    ensure!(!restored.stdout.contains("lost"), "{}", restored.stdout);
    home.fault("")?;
    let server = Server::start(&home).await?;
    resumed(&home, &app, &credential).await?;
    app.acked(&Call::limit_order(&credential, "binance")).await?;
    server.stop().await?;
    Ok(())
}

/// How often a command has the token decrypt.
async fn decryptions(home: &Home, command: Command) -> Result<usize> {
    let before = home.fault_log().len();
    command.output().await?.ok()?;
    Ok(home.fault_log().iter().skip(before).filter(|line| line.contains(" C_Decrypt ")).count())
}
