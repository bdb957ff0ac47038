//! A store that is not the newest of its token is refused at start, and said to be.

use std::fs;

use anyhow::Result;
use claviger_e2e::{Call, House, Key, Server, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn an_older_store_is_refused_and_the_newest_serves_again() -> Result<()> {
    let House { server, home, app, sim, scratch: _scratch, .. } = House::open().await?;
    let key = sim.knows(Key::binance()).await?;
    let credential = app.enrolled(&key).await?;
    let store = home.file("claviger.redb");
    server.stop().await?;
    let older = fs::read(&store)?;
    let server = Server::start(&home).await?;
    app.acked(&Call::limit_order(&credential, "binance")).await?;
    server.stop().await?;
    let newest = fs::read(&store)?;

    fs::write(&store, &older)?;
    let refused = Server::refused(&home).await?.exits(1)?;
    let again = Server::refused(&home).await?.exits(1)?;
    fs::write(&store, &newest)?;
    let server = Server::start(&home).await?;

    for words in ["the store is older than the token's checkpoint", "Put the newest store back"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        assert!(again.stderr.contains(words), "a refused start changes nothing: {}", again.stderr);
    }
    app.acked(&Call::limit_order(&credential, "binance")).await?;
    assert_eq!(sim.orders(&key).await?.len(), 2);
    server.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_home_is_refused() -> Result<()> {
    let House { server, home, scratch: _scratch, .. } = House::open().await?;
    server.stop().await?;
    let (other, _venue, _beside) = Setup::default().init().await?;
    let own = fs::read(other.file("claviger.redb"))?;

    fs::copy(home.file("claviger.redb"), other.file("claviger.redb"))?;
    let refused = Server::refused(&other).await?.exits(1)?;
    fs::write(other.file("claviger.redb"), &own)?;
    let server = Server::start(&other).await?;

    assert!(refused.stderr.contains("it belongs to another token. Nothing is served"), "{}", refused.stderr);
    server.stop().await?;
    Ok(())
}
