//! Backups: made while it serves, opened elsewhere, and put back, with what was deleted since left out.

mod left_behind;
mod sick_token;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use anyhow::{Context as _, Result, ensure};
use claviger_core::store::{Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{
    App, Call, Home, House, Key, Needle, OPERATOR, Operator, Output, PASSWORD, REASON, SECOND, Server, Setup,
    VirtualKey, until,
};
use serde_json::json;

use crate::tamper::{behind_its_back, write};

const OWNER: &str = "hildegard-of-bingen";

/// Executions beside the backups, in each of four lanes.
const LANE: usize = 60;

/// Who can open a house's backups.
pub(crate) struct Keyholder {
    identity: age::x25519::Identity,
    file: PathBuf,
}

impl Keyholder {
    /// A house with backups, and who can open them.
    pub(crate) async fn of_a_house() -> Result<(House, Self)> {
        Self::of(Setup::default()).await
    }

    /// The same of one that is set up otherwise.
    pub(crate) async fn of(setup: Setup) -> Result<(House, Self)> {
        let identity = age::x25519::Identity::generate();
        let recipients = vec![identity.to_public().to_string()];
        let setup = setup.config("backup.recipients", recipients).config("backup.every_hours", 0);
        let house = setup.open().await?;
        let file = house.scratch.path().join("identity");
        fs::write(&file, format!("# of a test\n{}\n", identity.to_string().expose_secret()))?;
        Ok((house, Self { identity, file }))
    }

    pub(crate) async fn verify(&self, home: &Home, file: &Path) -> Result<Output> {
        home.claviger(["backup", "verify", "--identity"])?.args([&self.file, file]).output().await
    }

    pub(crate) async fn restore(&self, home: &Home, file: &Path, flags: &[&str]) -> Result<Output> {
        let restore = home.claviger(["backup", "restore", "--identity"])?.args([&self.file, file]);
        restore.args(flags).output().await
    }

    pub(crate) fn decrypt(&self, file: &Path) -> Result<Vec<u8>> {
        let encrypted = fs::read(file)?;
        let identity: &dyn age::Identity = &self.identity;
        let mut plain = Vec::new();
        age::Decryptor::new(encrypted.as_slice())?.decrypt(std::iter::once(identity))?.read_to_end(&mut plain)?;
        Ok(plain)
    }
}

/// Has a backup made, and gives back its file.
pub(crate) async fn backed_up(operator: &Operator, home: &Home) -> Result<PathBuf> {
    let made = operator.post("/api/v1/backups", &json!({})).await?;
    ensure!(made.status == 201, "{}", made.text());
    Ok(home.file("backups").join(made.text_at("/name")?))
}

/// Lets a store sign that was restored from before what the token had seen: until then it signs nothing.
pub(crate) async fn resumed(home: &Home, app: &App, credential: &str) -> Result<Operator> {
    let order = Call::limit_order(credential, "binance");
    let refused = app.execute(&order).await?.problem(403, "policy_denied")?.json();
    ensure!(refused["rule"] == "state.all-stopped", "{refused}");
    unstopped(home).await
}

async fn unstopped(home: &Home) -> Result<Operator> {
    let second = Operator::log_in(&home.ready_file(), SECOND, PASSWORD).await?;
    let operator = Operator::log_in(&home.ready_file(), OPERATOR, PASSWORD).await?.with_second(second);
    operator.resume(&json!({ "kind": "all" })).await?.ok()?;
    Ok(operator)
}

pub(crate) async fn deleted(house: &House, credential: &str) -> Result<()> {
    let reason = json!({ "reason": "the owner asked for it" });
    house.app.call("DELETE", &format!("/api/v1/credentials/{credential}"), Some(&reason)).await?.ok()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_time_ahead_is_an_alarm_and_puts_off_no_other() -> Result<()> {
    const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1_000;
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let setup = Setup::default().config("backup.recipients", vec![recipient]).config("backup.every_hours", 24);
    let house = setup.open().await?;
    let listed = async |house: &House, count: usize| {
        until("the backups", async || {
            let listed = house.operator.get("/api/v1/backups").await?.ok()?.json();
            ensure!(listed["data"].as_array().map(Vec::len) == Some(count), "{listed}");
            Ok(listed)
        })
        .await
    };
    let first = listed(&house, 1).await?["data"][0]["name"].as_str().context("no name")?.to_owned();
    let house = behind_its_back(house, async |store| {
        let key = RowKey::Backup(first);
        let Some(Versioned { row: Row::Backup(mut backup), .. }) = store.get(key.clone()).await? else {
            anyhow::bail!("it is not there")
        };
        backup.at_ms += YEAR_MS;
        write(store, key, Row::Backup(backup)).await
    })
    .await?;
    listed(&house, 2).await?;
    until("the alarm", async || {
        let log = house.operator.get("/api/v1/audit?limit=10000").await?.ok()?.json();
        let alarm = |entry: &serde_json::Value| {
            entry["action"] == "alarm.backup" && entry["detail"]["fault"].to_string().contains("lies ahead")
        };
        ensure!(log["data"].as_array().is_some_and(|all| all.iter().any(alarm)), "no alarm");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_executions_run_and_shows_nothing() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let key = house.sim.knows(Key::binance().map(|key| key.owned_by(OWNER))).await?;
    let credential = house.app.enrolled(&key).await?;

    let lane = async || {
        for _ in 0..LANE {
            house.app.acked(&Call::limit_order(&credential, "binance")).await?;
        }
        anyhow::Ok(())
    };
    let backups = async {
        let mut files = Vec::new();
        for _ in 0..3 {
            files.push(backed_up(&house.operator, &house.home).await?);
        }
        Ok(files)
    };
    let ((), (), (), (), files) = tokio::try_join!(lane(), lane(), lane(), lane(), backups)?;

    let owner = Needle::new("owner", OWNER.as_bytes());
    let secret = Needle::of_secret(&key);
    for file in &files {
        let (encrypted, plain) = (fs::read(file)?, holder.decrypt(file)?);
        for needle in secret.iter().chain([&owner]) {
            assert!(needle.found_in(&encrypted, "the backup").is_empty());
        }
        assert!(!owner.found_in(&plain, "inside").is_empty(), "it holds what the store holds");
        assert!(secret.iter().all(|needle| needle.found_in(&plain, "inside").is_empty()), "which is sealed");
    }
    let listed = house.operator.get("/api/v1/backups").await?.ok()?.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(3), "{listed}");
    let folder = fs::read_dir(house.home.file("backups"))?.count();
    assert_eq!(folder, 3, "no draft is left");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_verified_and_a_flipped_bit_is_found() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let House { home, operator, scratch, .. } = &house;
    let file = backed_up(operator, home).await?;
    let serving = holder.verify(home, &file).await?.ok()?;
    assert!(serving.stdout.contains("in use by a service"), "{}", serving.stdout);
    let other = scratch.path().join("other");
    fs::write(&other, age::x25519::Identity::generate().to_string().expose_secret())?;
    let stranger = Keyholder { identity: age::x25519::Identity::generate(), file: other };
    stranger.verify(home, &file).await?.exits(1)?;

    let good = fs::read(&file)?;
    for place in [good.len() / 2, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[place] ^= 1;
        fs::write(&file, &flipped)?;
        holder.verify(home, &file).await?.exits(1)?;
        holder.restore(home, &file, &["--force"]).await?.exits(69)?;
    }
    // The service sees it too, at its next look: bytes that are not those it wrote.
    let house = house.restart().await?;
    until("the drill to fail", async || {
        let listed = house.operator.get("/api/v1/backups").await?.ok()?.json();
        ensure!(listed["data"][0]["verdict"] == "its bytes are not those that were written", "{listed}");
        Ok(())
    })
    .await?;
    let (export, _) = house.operator.export().await?;
    assert!(export.contains("alarm.backup"));
    assert!(house.server.metrics().await?.contains("claviger_alarms_total{kind=\"backup\"} 1"));

    fs::write(&file, &good)?;
    let House { server, home, .. } = house;
    server.stop().await?;
    let tried = holder.verify(&home, &file).await?.ok()?;
    assert!(tried.stdout.contains("was opened in the token"), "{}", tried.stdout);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_since_stays_deleted_after_a_restore() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let stays = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let goes = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let theirs = house.app.enrolled(&house.sim.knows(Key::binance().map(|key| key.owned_by(OWNER))).await?).await?;
    let wider = json!({ "permissions": ["credential.read"], "reason": "the test says so" });
    let asked = house.operator.ask_for("PUT", "/api/v1/roles/desk", &wider, &[]).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    deleted(&house, &goes).await?;
    let erase = json!({ "reason": "the owner asked for it" });
    house.app.call("DELETE", &format!("/api/v1/owners/{OWNER}"), Some(&erase)).await?.ok()?;
    house.app.acked(&Call::limit_order(&stays, "binance")).await?;
    let tombstones = fs::read_to_string(house.home.file("tombstones/tombstones"))?;
    assert!(tombstones.contains(&goes) && tombstones.contains(&theirs), "{tombstones}");
    assert!(tombstones.contains("owner ten_") && !tombstones.contains(OWNER), "{tombstones}");
    let House { server, home, app, sim, scratch, operator: logged_in, .. } = house;
    server.stop().await?;
    let newer = fs::read(home.file("claviger.redb"))?;

    holder.restore(&home, &file, &[]).await?.exits(5)?;
    let refused = holder.restore(&home, &file, &["--force"]).await?.exits(3)?;
    assert!(refused.stderr.contains("--accept-rollback"), "{}", refused.stderr);
    let forged = scratch.path().join("forged");
    fs::write(&forged, tombstones.replacen(&goes, &stays, 1))?;
    let forged = forged.to_string_lossy().into_owned();
    let flags = ["--force", "--accept-rollback", "--tombstones", &forged];
    holder.restore(&home, &file, &flags).await?.exits(1)?;
    assert_eq!(fs::read(home.file("claviger.redb"))?, newer, "what is refused changes nothing");
    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;

    assert!(restored.stdout.contains(&goes), "{}", restored.stdout);
    let server = Server::start(&home).await?;
    let operator = resumed(&home, &app, &stays).await?;
    app.acked(&Call::limit_order(&stays, "binance")).await?;
    let waited = operator.get(&format!("/api/v1/approvals/{}", asked.text_at("/id")?)).await?.ok()?.json();
    assert_eq!(waited["state"], "cancelled", "nobody knows what became of it since: {waited}");
    for credential in [&goes, &theirs] {
        app.execute(&Call::limit_order(credential, "binance")).await?.problem(404, "not_found")?;
    }
    let returned = sim.knows(Key::binance().map(|key| key.owned_by(OWNER))).await?;
    app.enroll(&returned).await?.problem(409, "owner_revoked")?;
    logged_in.get("/api/v1/status").await?.problem(401, "unauthenticated")?;
    let (export, key) = operator.export().await?;
    let exported = scratch.path().join("export");
    fs::write(&exported, &export)?;
    let verified = home.claviger(["audit", "verify", "--key", key.trim()])?.args([&exported]).output().await?.ok()?;
    assert!(verified.stdout.contains("was restored where the token had seen"), "{}", verified.stdout);
    server.stop().await?;

    // What was there is not overwritten by another restore, and the way back to it is shut.
    let again = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.exits(5)?;
    assert!(again.stderr.contains("claviger.redb.replaced"), "{}", again.stderr);
    assert_eq!(fs::read(home.file("claviger.redb.replaced"))?, newer);
    fs::write(home.file("claviger.redb"), &newer)?;
    Server::refused(&home).await?.exits(1)?;
    Ok(())
}

/// Whoever knows for whom backups are encrypted can write one: not one whose log the token has signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_somebody_else_wrote_is_refused() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let file = backed_up(&house.operator, &house.home).await?;
    let mut plain = holder.decrypt(&file)?;
    let said = b"tenant.create";
    let at = plain.windows(said.len()).position(|bytes| bytes == said).context("no entry says so")?;
    plain[at] = b'T';
    let recipient = holder.identity.to_public();
    let recipient: &dyn age::Recipient = &recipient;
    let mut out = age::Encryptor::with_recipients(std::iter::once(recipient))?.wrap_output(fs::File::create(&file)?)?;
    out.write_all(&plain)?;
    out.finish()?;
    let House { server, home, .. } = house;
    server.stop().await?;
    let before = fs::read(home.file("claviger.redb"))?;

    let verified = holder.verify(&home, &file).await?.exits(1)?;
    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.exits(1)?;

    ensure!(verified.stderr.contains("is not the one that was hashed"), "{}", verified.stderr);
    ensure!(restored.stderr.contains("nothing was changed"), "{}", restored.stderr);
    assert_eq!(fs::read(home.file("claviger.redb"))?, before);
    Ok(())
}

/// What tombstones are and what they are not: the token opens a young backup for whoever has both.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_tombstone_what_was_deleted_comes_back_from_a_young_backup() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    deleted(&house, &credential).await?;
    let House { server, home, app, sim: _sim, scratch: _scratch, .. } = house;
    server.stop().await?;
    fs::remove_file(home.file("tombstones/tombstones"))?;

    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;

    assert!(restored.stderr.contains("there are no tombstones"), "{}", restored.stderr);
    let server = Server::start(&home).await?;
    resumed(&home, &app, &credential).await?;
    app.acked(&Call::limit_order(&credential, "binance")).await?;
    server.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_older_than_a_destroyed_kek_says_so_and_restores_the_rest() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    VirtualKey::made(&house.app, &credential, None).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    let keks = format!("/api/v1/tenants/{}/keks", house.tenant);
    house.operator.post(&format!("{keks}/rotate"), &json!({ "reason": REASON })).await?.ok()?;
    until("the rotation to end", async || {
        let rotation = house.operator.get(&format!("{keks}/rotation")).await?.ok()?.json();
        ensure!(rotation["state"] == "done", "{rotation}");
        Ok(())
    })
    .await?;
    let reason = json!({ "reason": "the test says so" });
    house.operator.two_do("DELETE", &format!("{keks}/1"), &reason, &[]).await?.ok()?;
    let House { server, home, app, sim, neighbour, .. } = house;
    server.stop().await?;

    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;

    assert!(restored.stdout.contains(&format!("credential {credential}")), "{}", restored.stdout);
    let server = Server::start(&home).await?;
    resumed(&home, &neighbour.app, &neighbour.credential).await?;
    app.execute(&Call::limit_order(&credential, "binance")).await?.problem(404, "not_found")?;
    neighbour.app.acked(&Call::limit_order(&neighbour.credential, "binance")).await?;
    let again = app.enrolled(&sim.knows(Key::binance()).await?).await?;
    app.acked(&Call::limit_order(&again, "binance")).await?;
    server.stop().await?;
    Ok(())
}

/// No tombstone says what the token cannot open any more: it is tried.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_older_than_a_destroyed_root_key_is_restored_without_what_it_wrapped() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let file = backed_up(&house.operator, &house.home).await?;
    house.operator.post("/api/v1/roots/rotate", &json!({ "reason": REASON })).await?.ok()?;
    until("the rotation to end", async || {
        let rotation = house.operator.get("/api/v1/roots/rotation").await?.ok()?.json();
        ensure!(rotation["state"] == "done", "{rotation}");
        Ok(())
    })
    .await?;
    let reason = json!({ "reason": "the test says so" });
    house.operator.two_do("DELETE", "/api/v1/roots/1", &reason, &[]).await?.ok()?;
    until("the root key to be gone", async || {
        let roots = house.operator.get("/api/v1/roots").await?.ok()?.json();
        ensure!(roots[0]["number"] == 2, "{roots}");
        Ok(())
    })
    .await?;
    let House { server, home, app, sim, neighbour, .. } = house;
    server.stop().await?;
    fs::remove_file(home.file("tombstones/tombstones"))?;

    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;

    for lost in [&credential, &neighbour.credential] {
        let line = format!("lost, because its key opens no more: credential {lost}");
        ensure!(restored.stdout.contains(&line), "{}", restored.stdout);
    }
    let server = Server::start(&home).await?;
    unstopped(&home).await?;
    app.execute(&Call::limit_order(&credential, "binance")).await?.problem(404, "not_found")?;
    let again = app.enrolled(&sim.knows(Key::binance()).await?).await?;
    app.acked(&Call::limit_order(&again, "binance")).await?;
    server.stop().await?;
    Ok(())
}
