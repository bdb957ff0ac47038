//! The token is lost: shares and the recovery file bring everything back on a new one.

mod moved;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{
    App, Call, Home, House, Key, OPERATOR, Operator, Output, PASSWORD, REASON, SECOND, Server, Sim, VirtualKey, until,
};
use serde_json::{Value, json};

use crate::own_keks;

const SENTENCE: &str = "six calm otters knit at noon";

/// The folder with the shares of a home's recovery key: five, of which three are needed.
struct Shares(PathBuf);

impl Shares {
    /// Has a house cut a recovery key, and waits until everything in it is wrapped and copied off.
    async fn of(house: House) -> Result<(House, Self)> {
        house.server.stop().await?;
        let folder = house.scratch.path().join("shares");
        let setup = house.home.claviger(["recovery", "setup", "--shares", "5", "--threshold", "3", "--out"])?;
        setup.args([&folder]).output().await?.ok()?;
        let house = House { server: Server::start(&house.home).await?, ..house };
        copied_off(&house).await?;
        house.log_in().await?;
        Ok((house, Self(folder)))
    }

    async fn restore(&self, home: &Home, which: &[u8], flags: &[&str]) -> Result<Output> {
        let mut restore = home.claviger(["recovery", "restore"])?.args(flags);
        for share in which {
            restore = restore.args(["--share"]).args([self.0.join(format!("share-{share}-of-5"))]);
        }
        restore.output().await
    }

    /// What a drill with three shares finds in a file.
    async fn drill(&self, home: &Home, file: &Path) -> Result<Value> {
        let mut drill = home.client(["--json", "recovery", "drill", "--file"])?.args([file]);
        for share in [1, 4, 5] {
            drill = drill.args(["--share"]).args([self.0.join(format!("share-{share}-of-5"))]);
        }
        drill.output().await?.json()
    }
}

/// Waits until the recovery file holds what the store does, and says how many rows have no wrap.
async fn copied_off(house: &House) -> Result<u64> {
    until("the recovery file to be as new as the store", async || {
        let status = house.operator.get("/api/v1/recovery").await?.ok()?.json();
        ensure!(status["looked_at"].is_string() && status["file_generation"] == status["generation"], "{status}");
        status["lacking"].as_u64().context("a number")
    })
    .await
}

/// The token is gone, its configuration and PIN are there.
fn lose_token(home: &Home) -> Result<()> {
    Ok(fs::remove_dir_all(home.token_file("tokens"))?)
}

fn birth() -> Value {
    let ceiling = json!({ "class": "trade", "products": ["spot"] });
    let (mode, venue) = ("hsm_born", "binance");
    json!({ "mode": mode, "owner": "trader-1", "venue": venue, "key_type": "ed25519", "ceiling": ceiling })
}

/// A credential whose key the token made.
async fn born(app: &App, sim: &Sim) -> Result<String> {
    let made = app.call("POST", "/api/v1/credentials", Some(&birth())).await?;
    let (id, public_key) = (made.text_at("/id")?, made.text_at("/public_key")?);
    let key = sim.knows(Key::born("binance", "ed25519", &public_key)).await?;
    let body = json!({ "key_id": key.key_id });
    app.call("POST", &format!("/api/v1/credentials/{id}/activate"), Some(&body)).await?.ok()?;
    Ok(id)
}

/// An operator sets a new password, with the invitation that the recovery wrote.
async fn reinvited(home: &Home, file: &Path, name: &str) -> Result<Operator> {
    for old in [PASSWORD, SENTENCE] {
        let login = Operator::log_in(&home.ready_file(), name, old).await;
        ensure!(login.is_err(), "no password is good any more");
    }
    let password = home.beside("new-password");
    fs::write(&password, SENTENCE)?;
    let accept = home.client(["operator", "accept", "--operator", name, "--invitation-file"])?;
    accept.args([file]).args(["--password-file"]).args([&password]).output().await?.ok()?;
    Operator::log_in(&home.ready_file(), name, SENTENCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_three_of_five_shares_bring_everything_back_on_a_new_token() -> Result<()> {
    let house = House::open().await?;
    let before = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let (house, shares) = Shares::of(house).await?;
    let sealed_key = house.sim.knows(Key::binance_ed25519()).await?;
    let sealed = house.app.enrolled(&sealed_key).await?;
    let resident = house.app.enrolled(&house.sim.knows(Key::binance().map(Key::resident)).await?).await?;
    let born = born(&house.app, &house.sim).await?;
    let client = VirtualKey::made(&house.app, &before, None).await?;
    // One that goes with its credential.
    VirtualKey::made(&house.app, &born, None).await?;
    house.app.acked(&Call::limit_order(&born, "binance")).await?;
    assert_eq!(copied_off(&house).await?, 0, "what was made in the token is not counted: nothing could wrap it");
    let House { server, home, app, sim, neighbour, scratch, .. } = house;
    server.stop().await?;
    let store = fs::read(home.file("claviger.redb"))?;
    lose_token(&home)?;

    // Two shares are as good as none, and say so.
    let few = shares.restore(&home, &[2, 5], &[]).await?.exits(3)?;
    assert!(few.stderr.contains("2 of the 3 shares that are needed"), "{}", few.stderr);
    shares.restore(&home, &[2, 5, 5], &[]).await?.exits(3)?;
    let dry = shares.restore(&home, &[1, 2, 3], &["--dry-run"]).await?.ok()?;
    assert!(dry.stdout.contains(&born) && dry.stdout.contains("nothing was changed"), "{}", dry.stdout);
    assert!(!dry.stdout.contains(&resident) && !dry.stdout.contains("lost:"), "{}", dry.stdout);
    assert_eq!(fs::read(home.file("claviger.redb"))?, store);
    assert!(!home.token_file("tokens").exists() && !home.file("claviger.redb.recovering").exists());

    let invitations = scratch.path().join("invitations");
    let file = invitations.to_string_lossy().into_owned();
    let restored = shares.restore(&home, &[1, 2, 3], &["--invitations", &file]).await?.ok()?;
    assert!(restored.stdout.contains(&born) && !restored.stdout.contains("lost:"), "{}", restored.stdout);

    home.configure("hsm.import_tenants", vec![neighbour.tenant.clone()])?;
    let server = Server::start(&home).await?;
    let operator = reinvited(&home, &invitations, OPERATOR).await?;
    let app = App::log_in(&home.ready_file(), &app.id, &app.secret).await?;
    for credential in [&before, &sealed, &resident] {
        app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    app.execute(&Call::limit_order(&born, "binance")).await?.problem(404, "not_found")?;
    let theirs = App::log_in(&home.ready_file(), &neighbour.app.id, &neighbour.app.secret).await?;
    theirs.acked(&Call::limit_order(&neighbour.credential, "binance")).await?;
    // The blind indexes are those of the new token.
    app.enroll(&sealed_key).await?.problem(409, "already_enrolled")?;
    let virtual_keys = app.get("/api/v1/virtual-keys").await?.ok()?.text();
    assert!(virtual_keys.contains(&client.id), "{virtual_keys}");
    let (export, key) = operator.export().await?;
    assert!(export.contains("store.recovered") && export.contains("recovery.setup"));
    let exported = scratch.path().join("export");
    fs::write(&exported, &export)?;
    home.claviger(["audit", "verify", "--key", key.trim()])?.args([&exported]).output().await?.ok()?;
    let tenant = neighbour.tenant.clone();
    let house = House { app, operator, server, home, sim, neighbour, scratch, tenant };
    assert_eq!(copied_off(&house).await?, 0);

    // The shares are good for the next time, too; others of them, and what was enrolled a minute before.
    let late = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    // The neighbour takes its KEK away: what is sealed under that waits for it, what was in the token is gone.
    let gone = theirs.enrolled(&house.sim.knows(Key::binance().map(Key::resident)).await?).await?;
    own_keks::brought(&house, own_keks::OWN).await?;
    own_keks::withdraw(&house).await?.ok()?;
    copied_off(&house).await?;
    let House { server, home, app, sim, neighbour, scratch, tenant, .. } = house;
    server.stop().await?;
    lose_token(&home)?;
    fs::remove_file(&invitations)?;
    let again = shares.restore(&home, &[5, 4, 2], &[]).await?.exits(5)?;
    assert!(again.stderr.contains("claviger.redb.replaced"), "{}", again.stderr);
    fs::remove_file(home.file("claviger.redb.replaced"))?;
    let restored = shares.restore(&home, &[5, 4, 2], &["--invitations", &file]).await?.ok()?.stdout;
    let lost: Vec<&str> = restored.lines().filter(|line| line.contains("lost:")).collect();
    assert!(lost.len() == 1 && lost[0].contains(&gone), "{restored}");
    assert!(restored.contains(&format!("{tenant} took its KEK away")), "{restored}");
    let server = Server::start(&home).await?;
    let operator = reinvited(&home, &invitations, OPERATOR).await?;
    let app = App::log_in(&home.ready_file(), &app.id, &app.secret).await?;
    let house = House { app, operator, server, home, sim, neighbour, scratch, tenant };
    for credential in [&before, &resident, &late] {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    let theirs = App::log_in(&house.home.ready_file(), &theirs.id, &theirs.secret).await?;
    own_keks::import(&house, own_keks::OWN).await?.ok()?;
    theirs.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
    theirs.enroll(&house.neighbour.key).await?.problem(409, "already_enrolled")?;
    house.server.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_before_its_key_was_replaced_brings_nothing_back() -> Result<()> {
    let (house, shares) = Shares::of(House::open().await?).await?;
    let House { server, home, scratch, .. } = house;
    server.stop().await?;
    let (old, folder) = (scratch.path().join("old"), scratch.path().join("new"));
    fs::copy(home.file("recovery/wraps"), &old)?;
    let setup = home.claviger(["recovery", "setup", "--replace", "--shares", "5", "--threshold", "3", "--out"])?;
    setup.args([&folder]).output().await?.ok()?;
    lose_token(&home)?;

    let refused = shares.restore(&home, &[1, 2, 3], &["--file", &old.to_string_lossy()]).await?.exits(3)?;

    assert!(refused.stderr.contains("before the recovery key was replaced"), "{}", refused.stderr);
    Ok(())
}

/// No backup holds wraps, and nobody can make another of what is in the token alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_takes_its_wraps_from_the_recovery_file() -> Result<()> {
    let identity = age::x25519::Identity::generate();
    let recipients = vec![identity.to_public().to_string()];
    let setup = claviger_e2e::Setup::default().config("backup.recipients", recipients).config("backup.every_hours", 0);
    let (house, _shares) = Shares::of(setup.open().await?).await?;
    house.app.enrolled(&house.sim.knows(Key::binance().map(Key::resident)).await?).await?;
    assert_eq!(copied_off(&house).await?, 0);
    let made = house.operator.post("/api/v1/backups", &json!({})).await?.text_at("/name")?;
    let House { server, home, app, sim, neighbour, scratch, tenant, .. } = house;
    server.stop().await?;
    let holder = scratch.path().join("identity");
    fs::write(&holder, age::secrecy::ExposeSecret::expose_secret(&identity.to_string()))?;

    let restore = home.claviger(["backup", "restore", "--force", "--accept-rollback", "--identity"])?;
    restore.args([&holder, &home.file("backups").join(made)]).output().await?.ok()?;

    let server = Server::start(&home).await?;
    let operator = Operator::log_in(&home.ready_file(), OPERATOR, PASSWORD).await?;
    let house = House { app, operator, server, home, sim, neighbour, scratch, tenant };
    assert_eq!(copied_off(&house).await?, 0, "what has no wrap is lost with the token");
    house.server.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_and_the_file_bring_back_what_was_deleted_neither_before_nor_since() -> Result<()> {
    let identity = age::x25519::Identity::generate();
    let recipients = vec![identity.to_public().to_string()];
    let setup = claviger_e2e::Setup::default().config("backup.recipients", recipients).config("backup.every_hours", 0);
    let (house, shares) = Shares::of(setup.open().await?).await?;
    let stays = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let goes = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    copied_off(&house).await?;
    let wraps = shares.drill(&house.home, &house.home.file("recovery/wraps")).await?;
    assert_eq!((&wraps["verdict"], &wraps["opened"]), (&json!("good"), &wraps["wraps"]), "{wraps}");
    let made = house.operator.post("/api/v1/backups", &json!({})).await?.text_at("/name")?;
    let reason = json!({ "reason": REASON });
    house.app.call("DELETE", &format!("/api/v1/credentials/{goes}"), Some(&reason)).await?.ok()?;

    // Gone from both generations of the file, not only from the newest.
    until("the wrap to be in neither file", async || {
        for file in ["recovery/wraps", "recovery/wraps.previous"] {
            let found = shares.drill(&house.home, &house.home.file(file)).await?;
            ensure!(found["wraps"].as_u64() == wraps["wraps"].as_u64().map(|all| all - 1), "{file}: {found}");
        }
        Ok(())
    })
    .await?;
    let House { server, home, app, sim: _sim, scratch, .. } = house;
    server.stop().await?;
    lose_token(&home)?;
    fs::remove_file(home.file("claviger.redb"))?;
    let secret = {
        use age::secrecy::ExposeSecret as _;
        identity.to_string().expose_secret().to_owned()
    };
    let holder = scratch.path().join("identity");
    fs::write(&holder, secret)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let backup = text(&home.file("backups").join(made));
    let wraps_of_then = scratch.path().join("wraps");
    fs::copy(home.file("recovery/wraps"), &wraps_of_then)?;

    let lost = shares.restore(&home, &[1, 2, 3], &[]).await?.exits(4)?;
    assert!(lost.stderr.contains("--backup"), "{}", lost.stderr);
    let invitations = scratch.path().join("invitations");
    let flags = ["--backup", &backup, "--identity", &text(&holder), "--invitations", &text(&invitations)];
    let restored = shares.restore(&home, &[3, 2, 1], &flags).await?.ok()?;

    assert!(!restored.stdout.contains("lost:"), "what was deleted is not said to be lost: {}", restored.stdout);
    let server = Server::start(&home).await?;
    let app = App::log_in(&home.ready_file(), &app.id, &app.secret).await?;
    let order = Call::limit_order(&stays, "binance");
    let refused = app.execute(&order).await?.problem(403, "policy_denied")?.json();
    assert_eq!(refused["rule"], "state.all-stopped", "{refused}");
    let second = reinvited(&home, &invitations, SECOND).await?;
    let operator = reinvited(&home, &invitations, OPERATOR).await?.with_second(second);
    operator.resume(&json!({ "kind": "all" })).await?.problem(403, "second_operator_too_new")?;
    server.stop().await?;

    // Again, on the token that is there by now: the holders do not want to wait.
    fs::rename(&wraps_of_then, home.file("recovery/wraps"))?;
    let before = text(&home.file("tombstones/tombstones.before-recovery"));
    let more = ["--force", "--sign-at-once", "--tombstones", &before];
    shares.restore(&home, &[3, 2, 1], &[&flags[..4], &more].concat()).await?.ok()?;
    let server = Server::start(&home).await?;
    let app = App::log_in(&home.ready_file(), &app.id, &app.secret).await?;
    app.acked(&order).await?;
    app.execute(&Call::limit_order(&goes, "binance")).await?.problem(404, "not_found")?;
    until("the tombstones to be the new token's", async || {
        let tombstones = fs::read_to_string(home.file("tombstones/tombstones"))?;
        ensure!(tombstones.contains(&goes), "{tombstones}");
        Ok(())
    })
    .await?;
    server.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_file_that_is_taken_away_or_changed_is_noticed() -> Result<()> {
    let (house, shares) = Shares::of(House::open().await?).await?;
    let file = house.home.file("recovery/wraps");
    fs::remove_file(&file)?;
    until("the file to be written again", async || {
        ensure!(file.exists());
        Ok(())
    })
    .await?;
    until("the incident", async || {
        let incidents = house.operator.get("/api/v1/incidents").await?.ok()?.text();
        ensure!(incidents.contains("Backups are not to be relied on"), "{incidents}");
        Ok(())
    })
    .await?;
    copied_off(&house).await?;
    let House { server, home, operator, scratch, .. } = house;
    let (_, key) = operator.export().await?;
    let good = fs::read(&file)?;
    let changed = scratch.path().join("changed");
    for place in [30, good.len() / 2, good.len() - 60] {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        fs::write(&changed, &bytes)?;
        let drill = home.claviger(["recovery", "drill", "--key", key.trim(), "--file"])?;
        drill.args([&changed]).output().await?.exits(1)?;
    }
    server.stop().await?;
    // Nor does a restore take one, whatever shares come with it.
    lose_token(&home)?;
    let flags = ["--file", &changed.to_string_lossy()];
    let refused = shares.restore(&home, &[1, 2, 3], &flags).await?.exits(1)?;
    assert!(refused.stderr.contains("nothing was changed"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_beside_a_token_that_is_there_is_refused() -> Result<()> {
    let (house, shares) = Shares::of(House::open().await?).await?;
    let House { server, home, app, neighbour, sim: _sim, scratch: _scratch, .. } = house;
    drop((app, neighbour));
    server.stop().await?;
    let again = home.claviger(["recovery", "setup", "--shares", "3", "--threshold", "2", "--out"])?;
    again.args([home.beside("others")]).output().await?.exits(5)?;
    let store = fs::read(home.file("claviger.redb"))?;

    let refused = shares.restore(&home, &[1, 2, 3], &[]).await?.exits(69)?;

    assert!(refused.stderr.contains("nothing is lost"), "{}", refused.stderr);
    assert_eq!(fs::read(home.file("claviger.redb"))?, store);
    Server::start(&home).await?.stop().await?;
    Ok(())
}

/// Nobody has noted a share for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn no_share_is_handed_out_before_the_token_was_tried() -> Result<()> {
    let House { server, home, scratch, sim: _sim, .. } = House::open().await?;
    server.stop().await?;
    let folder = scratch.path().join("shares");
    let setup = async || {
        let setup = home.claviger(["recovery", "setup", "--shares", "3", "--threshold", "2", "--out"])?;
        setup.args([&folder]).output().await
    };
    let (pin, away) = (home.token_file("pin"), home.token_file("pin.away"));
    fs::rename(&pin, &away)?;
    setup().await?.exits(64)?;
    ensure!(!folder.exists(), "shares are out, and there is no PIN");
    fs::rename(&away, &pin)?;
    lose_token(&home)?;

    setup().await?.exits(69)?;

    ensure!(!folder.exists(), "shares are out, and there is no token");
    Ok(())
}
