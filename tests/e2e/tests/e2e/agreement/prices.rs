//! What `claviger-venues` asks for a price, the simulator tells; what it tells, `claviger-venues` reads.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Scratch, Sim};
use claviger_venues::{Host, Product, VenueId, check, read_ticker, ticker, unsigned};

use super::signer::message;

/// Symbols as orders spell them, aliases among them.
const SYMBOLS: &[(VenueId, &str, Product)] = &[
    (VenueId::Binance, "BTCUSDT", Product::Spot),
    (VenueId::BinanceUsdm, "BTCUSDT", Product::Derivatives),
    (VenueId::Bitmex, "XBTUSD", Product::Derivatives),
    (VenueId::Kraken, "XBTUSD", Product::Spot),
    (VenueId::Kraken, "XBT/USD", Product::Margin),
    (VenueId::Kraken, "XXBTZUSD", Product::Spot),
    (VenueId::KrakenFutures, "PF_XBTUSD", Product::Derivatives),
    (VenueId::KrakenFutures, "PI_XBTUSD", Product::Derivatives),
    (VenueId::Bybit, "BTCUSDT", Product::Spot),
    (VenueId::Bybit, "BTCUSDT", Product::Derivatives),
    (VenueId::Mexc, "BTCUSDT", Product::Spot),
    (VenueId::MexcContract, "BTC_USDT", Product::Derivatives),
    (VenueId::Okx, "BTC-USDT", Product::Margin),
    (VenueId::Okx, "BTC-USDT-SWAP", Product::Derivatives),
];

#[tokio::test]
async fn the_price_that_is_set_at_a_venue_is_the_one_that_is_read() -> Result<()> {
    let scratch = Scratch::new()?;
    let sim = Sim::start(scratch.path()).await?;
    for (venue, symbol, product) in SYMBOLS.iter().copied() {
        let told = || format!("{venue} {symbol} {product}");
        ensure!(price(&sim, venue, symbol, product).await.with_context(told)? == "65000", told());
    }
    for (venue, symbol, product) in SYMBOLS.iter().copied() {
        let told = || format!("{venue} {symbol} {product}");
        sim.price(venue.as_str(), symbol, "40000.5").await.with_context(told)?;
        ensure!(price(&sim, venue, symbol, product).await.with_context(told)? == "40000.5", told());
    }
    Ok(())
}

async fn price(sim: &Sim, venue: VenueId, symbol: &str, product: Product) -> Result<String> {
    let (operation, params) = ticker(venue, symbol, product).context("no ticker")?;
    let host = Host::parse(&format!("{}/{venue}", sim.url()))?;
    let request = message(unsigned(&check(operation, &params)?, &host)?, sim, venue)?;
    let reply = request.send(sim.client()).await?;
    let price = read_ticker(venue, symbol, reply.status, &reply.body);
    Ok(price.with_context(|| reply.text())?.to_string())
}
