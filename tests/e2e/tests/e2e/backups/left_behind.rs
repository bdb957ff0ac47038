//! What nothing knows of any more: files of backups, and stores that a command was making when it was ended.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Child;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{House, Key, Setup, until};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{Keyholder, backed_up};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_the_store_does_not_know_goes_when_its_time_is_over() -> Result<()> {
    let (house, _) = Keyholder::of_a_house().await?;
    let known = backed_up(&house.operator, &house.home).await?;
    let named = |name: &str| known.with_file_name(name);
    let over = named("claviger-2020-01-01T000000.000Z.age");
    let stay = ["claviger-2099-01-01T000000.000Z.age", "claviger-2020-01-01.age", "notes"].map(named);
    for file in stay.iter().chain([&over]) {
        fs::copy(&known, file)?;
    }

    let house = house.restart().await?;

    until("the old one to be gone", async || {
        ensure!(!over.exists(), "it is there");
        Ok(())
    })
    .await?;
    ensure!(stay.iter().chain([&known]).all(|file| file.exists()), "another went with it");
    until("the log to say so", async || {
        let (export, _) = house.operator.export().await?;
        ensure!(export.contains("backup.remove") && export.contains("claviger-2020-01-01T000000.000Z.age"), "{export}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_told_to_end_leaves_no_store_behind() -> Result<()> {
    let (house, holder) = Keyholder::of(Setup::default().faulty()).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    let House { server, home, sim: _sim, scratch: _scratch, .. } = house;
    server.stop().await?;
    let before = fs::read(home.file("claviger.redb"))?;
    // Long enough to be told something meanwhile.
    home.fault("C_Login delay_ms=3000")?;
    let verify = || home.claviger(["backup", "verify", "--identity"])?.args([&holder.file, &file]).start();
    let restore = || {
        let restore = home.claviger(["backup", "restore", "--force", "--accept-rollback", "--identity"])?;
        restore.args([&holder.file, &file]).start()
    };
    let folder =
        |child: &Child| file.with_file_name(format!(".{}.{}", file.file_name().unwrap().display(), child.id()));
    let draft = home.file("claviger.redb.restoring");

    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let child = verify()?;
        let scratch = folder(&child);
        ended(child, scratch.join("store.redb"), signal).await?;
        ensure!(!scratch.exists(), "{signal:?} leaves the scratch folder of verify");
        ended(restore()?, draft.clone(), signal).await?;
        ensure!(!draft.exists(), "{signal:?} leaves the draft of restore");
        ensure!(fs::read(home.file("claviger.redb"))? == before, "{signal:?} changes the store");
    }

    // Nobody cleans up after a kill; it is named, and the same command removes it.
    let child = verify()?;
    let scratch = folder(&child);
    ended(child, scratch.join("store.redb"), Signal::KILL).await?;
    ended(restore()?, draft.clone(), Signal::KILL).await?;
    home.fault("")?;
    let mode = fs::metadata(&scratch)?.permissions().mode();
    ensure!(mode.trailing_zeros() >= 6, "others may look into the scratch folder: {mode:o}");
    let told = home.claviger(["doctor"])?.output().await?.exits(1)?;
    for left in [&scratch, &draft] {
        ensure!(left.exists() && told.stdout.contains(&left.display().to_string()), "{}", told.stdout);
    }
    holder.verify(&home, &file).await?.ok()?;
    holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;
    ensure!(!scratch.exists() && !draft.exists(), "the same command leaves it there");
    home.claviger(["doctor"])?.output().await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_the_token_is_about_to_accept_goes_through() -> Result<()> {
    let (house, holder) = Keyholder::of(Setup::default().faulty()).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let House { server, home, sim: _sim, scratch: _scratch, .. } = house;
    server.stop().await?;
    // Long enough to be told something meanwhile.
    home.fault("C_Login delay_ms=3000")?;
    let restore = home.claviger(["backup", "restore", "--force", "--accept-rollback", "--identity"])?;
    let mut child = restore.args([&holder.file, &file]).start_alone()?;
    let pid = Pid::from_child(&child);

    until("the token to be asked", async || {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let is_asked = |child: &str| {
            let words = fs::read_to_string(format!("/proc/{child}/cmdline"));
            words.is_ok_and(|words| words.contains("accept-restored"))
        };
        ensure!(children.split_whitespace().any(is_asked), "nobody asks");
        Ok(())
    })
    .await?;
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        kill_process_group(pid, signal)?;
    }

    let status = tokio::task::spawn_blocking(move || child.wait()).await??;
    ensure!(status.success(), "{status}");
    ensure!(home.file("claviger.redb.replaced").exists(), "the store is not in place");
    Ok(())
}

/// Sends a signal when a file is there, and waits until the command has ended.
async fn ended(mut child: Child, file: PathBuf, signal: Signal) -> Result<()> {
    until("the store that is being made", async || {
        ensure!(file.exists(), "{} is not there", file.display());
        Ok(())
    })
    .await?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a pid")?;
    kill_process(pid, signal)?;
    let status = tokio::task::spawn_blocking(move || child.wait()).await??;
    let expected = (signal != Signal::KILL).then_some(130);
    ensure!(status.code() == expected, "{signal:?}: {status}");
    Ok(())
}
