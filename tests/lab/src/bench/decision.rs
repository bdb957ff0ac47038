//! What one decision of the signing firewall takes, with many grants and many rules.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::identity::{AppPrincipal, Credentials, Grant};
use claviger_core::policy::{Budget, Caller, Document, Frame, Grants, Limits, Policy, Prices, Resolved, Rule, check};
use claviger_venues::{Params, VenueId};
use tokio::time::Instant;

use super::stats::Round;
use crate::stock::credential_row;

/// Grants of the one app that asks, each for a credential of its own.
pub(crate) const GRANTS: u32 = 10_000;

/// Rules of the policy, all of which are for every request.
pub(crate) const RULES: usize = 1_000;

/// Orders that were decided, and the time that each took.
pub(crate) fn decisions(lasting: Duration) -> Result<Round> {
    let app = AppId::from_bytes([1; 16]);
    let principal =
        AppPrincipal { app, tenant: TenantId::MIN, address: IpAddr::V4(Ipv4Addr::LOCALHOST), virtual_key: None };
    let grants = Grants::new((0..GRANTS).map(|n| (1, grant(app, n))));
    let rules = (0..RULES).map(rule).collect();
    let policy = Policy::of(1, 1, Document { rules, ..Document::default() });
    let prices = Prices::from([("BTCUSDT".to_owned(), 65_000.into())]);
    let frame =
        Frame { venue_enabled: true, policy: &policy, prices: &prices, now_ms: 1_785_312_000_000, approved: None };
    let caller = Caller { principal: &principal, grants: &grants, release: false };
    let order = order()?;
    let (mut round, begun) = (Round::default(), Instant::now());
    let mut number: u32 = 0;
    while begun.elapsed() < lasting {
        number = number.wrapping_add(7_919) % GRANTS;
        let credential = credential_row(TenantId::MIN, CredentialId::from_bytes(id(number)));
        let order = order.clone();
        let asked = Instant::now();
        let decided = black_box(check(caller, &frame, Some(&credential), order));
        round.took(asked.elapsed());
        drop(decided.context("an order was refused")?);
    }
    round.elapsed = begun.elapsed();
    Ok(round)
}

fn id(n: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id.iter_mut().zip(n.to_be_bytes()).for_each(|(to, from)| *to = from);
    id
}

fn grant(app: AppId, n: u32) -> Grant {
    Grant {
        id: GrantId::from_bytes(id(n)),
        tenant: TenantId::MIN,
        app,
        credentials: Credentials::These(vec![CredentialId::from_bytes(id(n))]),
        operations: vec!["trade".to_owned()],
        networks: Vec::new(),
        hours: Vec::new(),
        orders: Limits::default(),
        budget: Budget::default(),
        enroll: false,
        created_ms: 0,
    }
}

fn rule(n: usize) -> Rule {
    let orders = Limits {
        symbols: ["BTCUSDT", "ETHUSDT"].map(str::to_owned).into(),
        notional_max: Some(1_000_000.into()),
        quote: Some("USDT".to_owned()),
        ..Limits::default()
    };
    Rule { name: format!("rule-{n}"), orders, ..Rule::default() }
}

fn order() -> Result<Resolved> {
    let params = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("quantity", "1")];
    let params: Params = params.into_iter().chain([("price", "65000")]).collect();
    Resolved::new(VenueId::Binance, "order.place", params).context("an order that does not read")
}
