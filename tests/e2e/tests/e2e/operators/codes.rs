//! One-time codes and backup codes. The codes are computed here from RFC 4226 and RFC 6238, not by the product's library.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::hmac;
use claviger_e2e::{House, OPERATOR, Operator, PASSWORD, now_ms};
use data_encoding::BASE32_NOPAD;
use serde_json::json;

use super::{Person, codes_of, log_in};

#[tokio::test(flavor = "multi_thread")]
async fn one_code_lets_one_in_however_many_show_it() -> Result<()> {
    let house = House::open().await?;
    let person = Arc::new(Person::of(&house).await?);
    let (seed, backup) = person.set_up_totp().await?;

    log_in(&person.admin, OPERATOR, PASSWORD, None).await?.problem(401, "code_missing")?;
    log_in(&person.admin, OPERATOR, "no password of anybody", None).await?.problem(401, "unauthenticated")?;
    // The code that confirmed the seed is used; the next one is not, and is good already.
    let used = log_in(&person.admin, OPERATOR, PASSWORD, Some(&code(&seed, -1))).await?;
    used.problem(401, "unauthenticated")?;
    // Each device has ten failures.
    let mut devices = Vec::new();
    for code in backup.iter().take(8) {
        devices.push(remembered(&person, code).await?);
    }
    let logins =
        async || Ok::<_, anyhow::Error>(person.call("GET", "/api/v1/me/logins", None).await?.ok()?.ids().len());
    let before = logins().await?;
    let next = code(&seed, 1);
    let mut tries = tokio::task::JoinSet::new();
    for device in devices.iter().cycle().take(64) {
        let (person, next, device) = (person.clone(), next.clone(), device.clone());
        tries.spawn(async move {
            let headers = [("claviger-device-secret", device.as_str())];
            super::log_in_from(&person.admin, PASSWORD, Some(&next), &headers).await
        });
    }
    let mut let_in = 0;
    while let Some(reply) = tries.join_next().await {
        let reply = reply??;
        // 503: sixty-four hashes at once are too much for a machine that does something else, too.
        ensure!([200, 401, 503].contains(&reply.status), "{} {}", reply.status, reply.text());
        let_in += u32::from(reply.status == 200);
    }
    ensure!(let_in <= 1, "{let_in} were let in by one code");
    ensure!(logins().await? == before + 1, "not one login was made by it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_codes_are_good_once_and_sensitive_acts_want_a_fresh_proof() -> Result<()> {
    let house = House::open().await?;
    let person = Person::of(&house).await?;
    let (_, codes) = person.set_up_totp().await?;
    let first = codes.first().context("no code")?;

    log_in(&person.admin, OPERATOR, PASSWORD, Some(&first.to_uppercase())).await?.ok()?;
    log_in(&person.admin, OPERATOR, PASSWORD, Some(first)).await?.problem(401, "unauthenticated")?;
    let prove = json!({ "password": PASSWORD });
    person.call("POST", "/api/v1/me/proof", Some(&prove)).await?.problem(401, "code_missing")?;
    let prove = json!({ "password": PASSWORD, "code": codes.get(1) });
    person.call("POST", "/api/v1/me/proof", Some(&prove)).await?.ok()?;
    let renewed = codes_of(&person.call("POST", "/api/v1/me/backup-codes", None).await?.ok()?);
    log_in(&person.admin, OPERATOR, PASSWORD, codes.get(2).map(String::as_str))
        .await?
        .problem(401, "unauthenticated")?;
    log_in(&person.admin, OPERATOR, PASSWORD, renewed.first().map(String::as_str)).await?.ok()?;
    person.call("DELETE", "/api/v1/me/totp", None).await?.ok()?;
    log_in(&person.admin, OPERATOR, PASSWORD, None).await?.ok()?;
    person.call("POST", "/api/v1/me/backup-codes", None).await?.problem(409, "totp_missing")?;
    Ok(())
}

/// Sets up one-time codes for an operator, and returns the seed.
pub(crate) async fn set_up(operator: &Operator) -> Result<Vec<u8>> {
    let url = operator.call("POST", "/api/v1/me/totp", None).await?.ok()?.text_at("/url")?;
    let seed = seed(&url)?;
    operator.post("/api/v1/me/totp/confirm", &json!({ "code": code(&seed, 0) })).await?.ok()?;
    Ok(seed)
}

/// Logs in and has the device remembered.
async fn remembered(person: &Person, code: &str) -> Result<String> {
    let named = [("claviger-device", "laptop")];
    super::log_in_from(&person.admin, PASSWORD, Some(code), &named).await?.ok()?.text_at("/device_secret")
}

/// The seed in an `otpauth` address.
pub(crate) fn seed(url: &str) -> Result<Vec<u8>> {
    let secret = url.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).context("no secret")?;
    Ok(BASE32_NOPAD.decode(secret.as_bytes())?)
}

/// The code of now, or of so many steps later.
pub(crate) fn code(seed: &[u8], later: i64) -> String {
    at(seed, step(now_ms()).saturating_add_signed(later))
}

/// A code of none of the steps around.
pub(super) fn wrong(seed: &[u8]) -> String {
    let around: Vec<String> = (-3..=3).map(|later| code(seed, later)).collect();
    (0..10).map(|n| format!("{n}{n}{n}000")).find(|code| !around.contains(code)).unwrap_or_default()
}

fn step(ms: u64) -> u64 {
    ms / 30_000
}

/// RFC 4226 section 5.3.
fn at(seed: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[19] & 0x0f);
    let word = u32::from_be_bytes([bytes[offset] & 0x7f, bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]]);
    format!("{:06}", word % 1_000_000)
}
