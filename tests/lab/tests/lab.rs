//! What `make demo`, `make dev` and `make stop` promise.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use claviger_e2e::{Ask, Client, Command, Output, Scratch, VirtualKey, is_running};
use serde_json::json;

#[tokio::test]
async fn the_demo_tells_its_story_in_thirty_lines() -> Result<()> {
    let scratch = Scratch::new()?;

    let told = lab("demo", scratch.path()).output().await?.ok()?;

    let lines: Vec<&str> = told.stdout.lines().collect();
    assert!(lines.len() <= 30, "{} lines", lines.len());
    assert_eq!(lines.last(), Some(&"DEMO PASSED"));
    assert!(lines.iter().any(|line| line.contains("Enable Withdrawals")), "the refusal says what to do");
    Ok(())
}

#[tokio::test]
async fn a_fault_of_the_venue_fails_the_line_that_it_concerns() -> Result<()> {
    let scratch = Scratch::new()?;
    for (fault, title) in [
        ("dead_key", "enroll"),
        ("dead_key@/api/v3/order", "order"),
        ("hang@/api/v3/order", "order"),
        ("dead_key@/api/v3/openOrders", "gateway"),
        ("dead_key@/fapi/v1/order", "its order"),
    ] {
        let demo = lab("demo", scratch.path()).env("CLAVIGER_DEMO_FAULT", fault);

        let told = demo.output().await?.exits(1)?;

        let failed: Vec<&str> = told.stdout.lines().filter(|line| line.starts_with("  NO")).collect();
        assert_eq!(failed.len(), 1, "{fault}: {}", told.stdout);
        assert!(failed[0].contains(title), "{fault}: {}", failed[0]);
        assert_eq!(told.stdout.lines().last(), Some(format!("DEMO FAILED: {title}").as_str()), "{fault}");
    }
    Ok(())
}

#[tokio::test]
async fn what_dev_starts_stays_until_stop_ends_it() -> Result<()> {
    let scratch = Scratch::new()?;
    let folder = scratch.path();
    let _end = Stopped(folder);

    let first = lab("dev", folder).output().await?.ok()?;
    let env_file = folder.join("claviger-home/dev.env");
    let env = variables(&std::fs::read_to_string(&env_file)?);
    let second = lab("dev", folder).output().await?.ok()?;
    let running: Vec<bool> = pids(&env)?.into_iter().map(is_running).collect();
    let traded = trade(&env).await?;
    let stopped = lab("stop", folder).output().await?.ok()?;

    let names: Vec<&str> = env.keys().map(String::as_str).collect();
    let promised = [
        "CLAVIGER_ADMIN",
        "CLAVIGER_API",
        "CLAVIGER_APP_ID",
        "CLAVIGER_APP_SECRET",
        "CLAVIGER_CACERT",
        "CLAVIGER_CREDENTIAL",
        "CLAVIGER_FRONT_PID",
        "CLAVIGER_GATEWAY",
        "CLAVIGER_KEEPER_PID",
        "CLAVIGER_OPERATOR",
        "CLAVIGER_OPERATOR_2",
        "CLAVIGER_OPERATOR_2_PASSWORD",
        "CLAVIGER_OPERATOR_PASSWORD",
        "CLAVIGER_PID",
        "CLAVIGER_PUBLIC",
        "CLAVIGER_VENUE_SIM",
        "CLAVIGER_VIRTUAL_KEY",
        "CLAVIGER_VIRTUAL_SECRET",
    ];
    assert_eq!(names, promised);
    assert_eq!(std::fs::metadata(&env_file)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(running, [true; 3]);
    assert_eq!(traded, 200);
    assert!(pids(&env)?.into_iter().all(|pid| !is_running(pid)), "{}", stopped.stdout);
    // What was made before is there again, with the same app and the same password.
    let again = lab("dev", folder).output().await?.ok()?;
    let after = variables(&again.stdout);
    for name in ["APP_ID", "APP_SECRET", "OPERATOR_PASSWORD", "CREDENTIAL", "VIRTUAL_KEY", "VIRTUAL_SECRET"] {
        let name = format!("CLAVIGER_{name}");
        assert_eq!(after[&name], env[&name]);
    }
    assert_eq!(trade(&after).await?, 200);
    lab("stop", folder).output().await?.ok()?;
    let nothing: Output = lab("stop", folder).output().await?.ok()?;
    assert_eq!(nothing.stdout, "");
    Ok(())
}

/// What the gateway answers to a bot that has nothing but the variables.
async fn trade(env: &BTreeMap<String, String>) -> Result<u16> {
    let key = json!({
        "venue": "binance", "key_id": env["CLAVIGER_VIRTUAL_KEY"], "secret": env["CLAVIGER_VIRTUAL_SECRET"],
        "base_path": "/gateway/binance",
    });
    let address = env["CLAVIGER_GATEWAY"].trim_start_matches("https://").trim_end_matches("/gateway");
    let gateway = Client::of_address(address, Path::new(&env["CLAVIGER_CACERT"]))?;
    let order = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01")];
    Ok(VirtualKey::shown(&key, None)?.send(&gateway, &Ask::new("POST", "/api/v3/order", &order)).await?.status)
}

/// Ends what `dev` started, also when the test fails.
struct Stopped<'a>(&'a Path);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let stop =
            std::process::Command::new(env!("CARGO_BIN_EXE_claviger-lab")).arg("stop").current_dir(self.0).output();
        assert!(std::thread::panicking() || stop.is_ok_and(|output| output.status.success()), "make stop fails");
    }
}

fn lab(command: &str, folder: &Path) -> Command {
    Command::new(Path::new(env!("CARGO_BIN_EXE_claviger-lab"))).args([command]).current_dir(folder)
}

fn variables(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}

fn pids(env: &BTreeMap<String, String>) -> Result<Vec<u32>> {
    let names = ["CLAVIGER_PID", "CLAVIGER_FRONT_PID", "CLAVIGER_KEEPER_PID"];
    names.iter().map(|name| env.get(*name).and_then(|pid| pid.parse().ok()).context("a process id")).collect()
}
