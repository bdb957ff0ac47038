//! A move to another token, cut off wherever it may be: the next run goes on, and the old token serves until the end.

use std::collections::BTreeMap;

use claviger_e2e::{Command, Namespace, Programs};

use super::*;

/// The token that is moved to, beside the other.
const OTHER: &str = "claviger-2";

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_another_token_is_gone_on_with_wherever_it_was_cut_off() -> Result<()> {
    // A tracer kills it where it is to die.
    if Namespace::to_read_memory()? != Namespace::Here {
        return Ok(());
    }
    let (house, shares) = Shares::of(House::open().await?).await?;
    let (first, keys) = objects(&house.home)?.pop_first().context("a token")?;
    let mut credentials = vec![house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?];
    credentials.push(house.app.enrolled(&house.sim.knows(Key::binance().map(Key::resident)).await?).await?);
    let born = born(&house.neighbour.app, &house.sim).await?;
    copied_off(&house).await?;
    let House { server, home, app, sim: _sim, neighbour, scratch, .. } = house;
    server.stop().await?;
    let (old_token, mut old_store) = (objects(&home)?, store(&home)?);
    home.configure("hsm.token_label", OTHER)?;
    let dry = shares.restore(&home, &[1, 2, 3], &["--dry-run"]).await?.ok()?;
    assert!(dry.stdout.contains("rows would come back; nothing was changed"), "{}", dry.stdout);
    let invitations = scratch.path().join("invitations");
    let file = invitations.to_string_lossy().into_owned();
    let flags = ["--invitations", &*file];

    // While the token is made, and before and after; while the store is copied, and taken over; before a row.
    let early = ["ftruncate:6", "ftruncate:150", "rename:1", "fsync:1", "fdatasync:2", "fsync:2"];
    for at in early {
        let said = shares.cut_off(&home, &flags, at).await?;
        assert!(!said.contains("going on") && store(&home)? == old_store, "{at}: {said}");
        let other = objects(&home)?.into_iter().find(|(token, _)| *token != first);
        assert!(other.is_none_or(|(_, found)| found == keys), "{at}: it is whole, or not there");
    }
    // Between two pages: one tenant's rows are done, and the other's first is known to be lost.
    shares.cut_off(&home, &flags, "fsync:5").await?;
    let told = home.claviger(["doctor"])?.output().await?.exits(1)?;
    assert!(told.stdout.contains("recovering is of a recovery") && !told.stdout.contains("remove"), "{}", told.stdout);
    let other = invitations.with_file_name("other").to_string_lossy().into_owned();
    fs::write(&other, "another backup")?;
    let refused = shares.restore(&home, &[1, 2, 3], &["--backup", &other, "--identity", &other]).await?.exits(5)?;
    assert!(refused.stderr.contains("Give --force"), "and drops nothing: {}", refused.stderr);
    let said = shares.cut_off(&home, &flags, "fsync:1").await?;
    assert!(said.contains("has 2 of 4 rows; going on"), "{said}");
    assert_eq!(store(&home)?, old_store);

    // Whoever does not go on has what there was.
    home.configure("hsm.token_label", "claviger")?;
    let server = Server::start(&home).await?;
    let again = App::log_in(&home.ready_file(), &app.id, &app.secret).await?;
    again.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    server.stop().await?;
    old_store = store(&home)?;
    home.configure("hsm.token_label", OTHER)?;
    let said = shares.cut_off(&home, &flags, "linkat:1").await?;
    assert!(said.contains("this one begins anew"), "what it served meanwhile is not left out: {said}");

    // Before it takes the store's place, and after.
    let said = shares.cut_off(&home, &flags, "rename:1").await?;
    assert!(said.contains("going on") && store(&home)? == old_store, "{said}");
    let void = fs::read(&invitations)?;
    let said = shares.cut_off(&home, &flags, "rename:2").await?;
    assert!(said.contains("going on") && store(&home)? != old_store, "{said}");
    let ended = shares.restore(&home, &[1, 2, 3], &flags).await?.ok()?;
    assert!(ended.stderr.contains("has taken the store's place"), "{}", ended.stderr);
    assert!(ended.stdout.contains(&born), "what an earlier run dropped is not forgotten: {}", ended.stdout);
    assert_ne!(fs::read(&invitations)?, void);
    for left in ["claviger.redb.recovering", "claviger.redb.recovering.notes", "tombstones/tombstones"] {
        assert!(!home.file(left).exists(), "{left}");
    }

    let server = Server::start(&home).await?;
    reinvited(&home, &invitations, OPERATOR).await?;
    let app = App::log_in(&home.ready_file(), &app.id, &app.secret).await?;
    for credential in &credentials {
        app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    let theirs = App::log_in(&home.ready_file(), &neighbour.app.id, &neighbour.app.secret).await?;
    theirs.acked(&Call::limit_order(&neighbour.credential, "binance")).await?;
    let listed = app.get("/api/v1/credentials").await?.ok()?.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(credentials.len()), "none twice: {listed}");
    server.stop().await?;
    let mut tokens = objects(&home)?;
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_eq!(tokens.remove(&first), old_token.get(&first).copied(), "the old token is as it was");
    assert_eq!(tokens.into_values().next(), Some(keys), "as many keys as a token begins with");
    Ok(())
}

impl Shares {
    /// Restores with three shares, and kills it when it enters a system call for the nth time; what it said.
    async fn cut_off(&self, home: &Home, flags: &[&str], at: &str) -> Result<String> {
        let (call, nth) = at.split_once(':').context("a call and which")?;
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let trace = Command::new(Path::new("strace")).env("CLAVIGER_HOME", home.path());
        let trace = trace.args(["-f", "-qqq", "-e", &format!("trace={call}"), "-e", "signal=none", "-o", "/dev/null"]);
        let mut trace = trace.args(["-e", &inject]).args([Programs::find()?.claviger()?]);
        trace = trace.args(["recovery", "restore"]).args(flags);
        for share in [1, 2, 3] {
            trace = trace.args(["--share"]).args([self.0.join(format!("share-{share}-of-5"))]);
        }
        let ended = trace.output().await?;
        ensure!(ended.code != Some(0), "it was not cut off at {at}: {}{}", ended.stdout, ended.stderr);
        Ok(ended.stderr)
    }
}

fn store(home: &Home) -> Result<Vec<u8>> {
    Ok(fs::read(home.file("claviger.redb"))?)
}

/// How many keys and halves of keys each token has.
fn objects(home: &Home) -> Result<BTreeMap<PathBuf, usize>> {
    let mut found = BTreeMap::new();
    for token in fs::read_dir(home.token_file("tokens"))?.flatten().filter(|entry| entry.path().is_dir()) {
        let objects = fs::read_dir(token.path())?.flatten().map(|entry| entry.path());
        let keys = objects.filter(|file| file.extension().is_some_and(|it| it == "object") && is_key(file));
        found.insert(token.path(), keys.count());
    }
    Ok(found)
}

/// An object begins with a count and its first attribute: name (its class), kind (a number), value.
fn is_key(file: &Path) -> bool {
    const PUBLIC_PRIVATE_SECRET: [u64; 3] = [2, 3, 4];
    let bytes = fs::read(file).unwrap_or_default();
    PUBLIC_PRIVATE_SECRET.iter().any(|class| bytes.get(24..32) == Some(class.to_be_bytes().as_slice()))
}
