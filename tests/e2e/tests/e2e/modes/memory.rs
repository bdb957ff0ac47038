use anyhow::{Context as _, Result};
use claviger_e2e::{Call, Key, Namespace, Needle, Role, Setup, search_memory, the_promised_second};

use super::Born;

/// How often each key is used.
const USES: usize = 200;

const LABEL: &str = "a label that may be seen everywhere";

/// `SoftHSM` keeps an unwrapped key to itself, encrypted, and wipes what it decrypts for a signature. Of a born key there
/// is nothing that a test could look for: nobody has ever had it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_token_is_in_no_memory_after_its_use() -> Result<()> {
    if Namespace::to_read_memory()? != Namespace::Here {
        return Ok(());
    }
    let house = Setup::default().venues(&["bybit"]).open().await?;
    let kinds: [fn() -> Result<Key>; 3] = [Key::binance, Key::binance_rsa, Key::bybit_rsa];
    let mut keys = Vec::new();
    let mut credentials = Vec::new();
    for kind in kinds {
        let key = house.sim.knows(kind().map(|key| key.resident().labelled(LABEL))).await?;
        credentials.push(house.app.enrolled(&key).await?);
        keys.push(key);
    }
    for (venue, key_type) in [("binance", "ed25519"), ("binance", "rsa")] {
        let born = Born::at(&house, venue, key_type).await?;
        born.used(&house).await?;
        credentials.push(born.id);
    }

    for credential in &credentials {
        for _ in 0..USES {
            house.app.acked(&Call::with(credential, "key.permissions")).await?;
        }
    }
    for client in [house.app.client(), house.neighbour.app.client(), house.operator.client()] {
        client.hang_up();
    }
    the_promised_second().await;

    let secrets: Vec<Needle> = keys.iter().flat_map(private_parts).collect();
    let log_name = std::fs::read_to_string(house.home.file("claviger.toml"))?.parse::<toml::Table>()?;
    let log_name = log_name["audit"]["log"].as_str().context("the log's name")?.to_owned();
    let controls = [Needle::new("label", LABEL.as_bytes()), Needle::new("log name", log_name.as_bytes())];
    let mut left = Vec::new();
    for role in [Role::Supervisor, Role::Front, Role::Keeper] {
        let pid = house.server.pid(role)?;
        left.extend(search_memory(pid, &secrets)?.found.iter().map(|found| format!("{role:?}: {found}")));
        let control = search_memory(pid, &controls)?;
        assert!(control.has("log name"), "{role:?}: the search is blind");
        assert!(role != Role::Front || control.has("label"), "{role:?}: the search is blind");
    }
    assert_eq!(left, [""; 0], "in memory");
    Ok(())
}

/// What only the private half has, as bytes and as the text that the owner pasted.
fn private_parts(key: &Key) -> Vec<Needle> {
    let text: String = key.secret.lines().filter(|line| !line.starts_with("-----")).collect();
    // A quarter of the text is the public half.
    let text = if key.kind == "hmac" { text.as_str() } else { text.split_at(text.len() / 4 + 16).1 };
    let name = |what: &str| format!("{what} of a {} key of {}", key.kind, key.venue);
    [(name("bytes"), key.secret_bytes()), (name("text"), text.as_bytes())]
        .into_iter()
        .map(|(name, bytes)| Needle::new(&name, bytes).in_fragments(bytes))
        .collect()
}
