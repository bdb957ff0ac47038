//! MEXC's public futures data at prices that stand still.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Mistake, ok, unmodelled};
use crate::market::{Symbol, number, symbol};
use crate::venue::{Answer, Call};

/// What is traded.
pub(super) const CONTRACTS: &[Contract] = &[
    Contract {
        symbol: symbol("BTC_USDT", &[], "BTC", "USDT", 650_000, 1),
        size: Decimal::from_parts(1, 0, 0, false, 4),
    },
    Contract {
        symbol: symbol("ETH_USDT", &[], "ETH", "USDT", 320_000, 2),
        size: Decimal::from_parts(1, 0, 0, false, 2),
    },
    Contract {
        symbol: symbol("SOL_USDT", &[], "SOL", "USDT", 15_000, 2),
        size: Decimal::from_parts(1, 0, 0, false, 1),
    },
];

/// A symbol that is traded in whole contracts.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) symbol: Symbol,
    /// What one contract is worth, in the base asset.
    pub(super) size: Decimal,
}

/// Answers a public call.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Mistake> {
    let now_ms = call.received.at.ms();
    let path = call.path.strip_prefix("/api/v1/contract/").unwrap_or_default();
    let words: Vec<&str> = path.split('/').collect();
    match words.as_slice() {
        ["ping"] => Ok(ok(now_ms)),
        ["detail"] => one_or_all(call, detail),
        ["ticker"] => one_or_all(call, |contract| ticker(contract, now_ms)),
        ["depth", name] => {
            let price = number(call.shown(&find(name)?.symbol).price);
            Ok(ok(
                json!({ "asks": [[price, 10_000, 1]], "bids": [[price, 10_000, 1]], "version": 1, "timestamp": now_ms }),
            ))
        }
        ["index_price", name] => priced(call, name, "indexPrice"),
        ["fair_price", name] => priced(call, name, "fairPrice"),
        ["funding_rate", name] => Ok(ok(json!({
            "symbol": find(name)?.symbol.name, "fundingRate": 0.0001, "maxFundingRate": 0.0018,
            "minFundingRate": -0.0018, "collectCycle": 8,
            "nextSettleTime": now_ms.saturating_add(3_600_000), "timestamp": now_ms,
        }))),
        _ => Ok(unmodelled()),
    }
}

/// The contract that goes by `name`.
pub(super) fn find(name: &str) -> Result<&'static Contract, Mistake> {
    let found = CONTRACTS.iter().find(|contract| contract.symbol.name == name);
    found.ok_or_else(|| Mistake::new(1001, "Contract does not exist"))
}

fn one_or_all(call: &Call<'_>, show: impl Fn(&Contract) -> Value) -> Result<Answer, Mistake> {
    let shown = |contract: &Contract| show(&Contract { symbol: call.shown(&contract.symbol), ..*contract });
    Ok(match call.params.get("symbol") {
        Some(name) => ok(shown(find(name)?)),
        None => ok(CONTRACTS.iter().map(shown).collect::<Vec<_>>()),
    })
}

fn priced(call: &Call<'_>, name: &str, field: &str) -> Result<Answer, Mistake> {
    let symbol = call.shown(&find(name)?.symbol);
    Ok(ok(json!({ "symbol": symbol.name, field: number(symbol.price), "timestamp": call.received.at.ms() })))
}

fn detail(contract: &Contract) -> Value {
    let symbol = &contract.symbol;
    json!({
        "symbol": symbol.name, "displayName": symbol.name, "displayNameEn": format!("{} PERPETUAL", symbol.name),
        "positionOpenType": 3, "baseCoin": symbol.base, "quoteCoin": symbol.quote, "settleCoin": symbol.quote,
        "contractSize": number(contract.size), "minLeverage": 1, "maxLeverage": 200,
        "priceScale": symbol.price.scale(), "volScale": 0, "amountScale": 4,
        "priceUnit": 0.1, "volUnit": 1, "minVol": 1, "maxVol": 4_000_000,
        "bidLimitPriceRate": 0.1, "askLimitPriceRate": 0.1, "takerFeeRate": 0.0002, "makerFeeRate": 0,
        "maintenanceMarginRate": 0.004, "initialMarginRate": 0.005, "riskBaseVol": 10_000, "riskIncrVol": 200_000,
        "riskIncrMmr": 0.004, "riskIncrImr": 0.004, "riskLevelLimit": 5, "priceCoefficientVariation": 0.1,
        "indexOrigin": ["BYBIT", "BINANCE", "MEXC"], "state": 0, "isNew": false, "isHot": true, "isHidden": false,
        "apiAllowed": true,
    })
}

fn ticker(contract: &Contract, now_ms: u64) -> Value {
    let symbol = &contract.symbol;
    let price = number(symbol.price);
    json!({
        "contractId": 10, "symbol": symbol.name, "lastPrice": price, "bid1": price, "ask1": price,
        "volume24": 1_000_000, "amount24": number(symbol.price.saturating_mul(Decimal::ONE_THOUSAND)),
        "holdVol": 1_000_000, "lower24Price": price, "high24Price": price, "riseFallRate": 0, "riseFallValue": 0,
        "indexPrice": price, "fairPrice": price, "fundingRate": 0.0001, "maxBidPrice": price, "minAskPrice": price,
        "timestamp": now_ms,
    })
}
