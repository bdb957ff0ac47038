//! A keeper by itself: signatures asked for over its socket, as the front asks.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use claviger_core::clock::{Clock as _, SystemClock};
use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::keeper::KekRow;
use claviger_core::keeper::message::{Reply, Request, Sign};
use claviger_core::store::{IntentKind, Scopes};
use claviger_venues::VenueId;
use tokio::time::Instant;

use super::process::processor_time;
use super::stats::Round;
use crate::link::Link;
use crate::stock::credential_row;

const ORDER: [(&str, &str); 6] = [
    ("symbol", "BTCUSDT"),
    ("side", "BUY"),
    ("type", "LIMIT"),
    ("timeInForce", "GTC"),
    ("quantity", "0.01"),
    ("price", "30000"),
];

/// Signatures in one round at most.
const SIGNATURES_MAX: u32 = 200_000;

/// A keeper with a credential.
#[derive(Debug)]
pub(crate) struct Keeper {
    link: Link,
    scopes: Scopes,
    kek: KekRow,
    sealed: Vec<u8>,
}

impl Keeper {
    /// Starts a keeper of a home, and has it seal a secret.
    pub(crate) fn start(home: &Path) -> Result<Self> {
        let mut link = Link::start(home)?;
        let (tenant, credential) = (TenantId::new(&SystemClock), CredentialId::new(&SystemClock));
        let scopes = Scopes {
            tenant,
            owner: Some("trader-1".to_owned()),
            venue: VenueId::Binance,
            app: Some(AppId::new(&SystemClock)),
            grant: Some(GrantId::new(&SystemClock)),
            credential: Some(credential),
            virtual_key: None,
        };
        link.send(&Request::NewKek { tenant, version: 1 }, None)?;
        let Reply::Kek(kek) = link.answer()? else { bail!("the keeper makes no KEK") };
        link.seal(&credential_row(tenant, credential), &kek)?;
        let sealed = link.sealed()?;
        Ok(Self { link, scopes, kek, sealed })
    }

    /// Has so many signatures under way for so long. Returns what came of it and the processor time of the keeper.
    pub(crate) fn sign(&mut self, under_way: usize, lasting: Duration) -> Result<(Round, Duration)> {
        let (mut round, mut asked_at) = (Round::default(), std::collections::VecDeque::new());
        let before = processor_time(&[self.link.pid()])?;
        let began = Instant::now();
        for _ in 0..under_way {
            asked_at.push_back(self.ask()?);
        }
        // The keeper's threads may overtake each other; over many the times are right all the same.
        while let Some(asked) = asked_at.pop_front() {
            let reply = self.link.answer()?;
            let Reply::Signed(_) = reply else { bail!("the keeper does not sign: {reply:?}") };
            round.took(asked.elapsed());
            if began.elapsed() < lasting && round.count() < SIGNATURES_MAX {
                asked_at.push_back(self.ask()?);
            }
        }
        round.elapsed = began.elapsed();
        Ok((round, processor_time(&[self.link.pid()])?.saturating_sub(before)))
    }

    fn ask(&mut self) -> Result<Instant> {
        let sign = Sign {
            intent: self.link.next(),
            kind: IntentKind::App,
            scopes: self.scopes.clone(),
            deadline: SystemClock.boot().after(Duration::from_secs(2)),
            operation: "order.place".to_owned(),
            params: ORDER.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            nonce: 0,
            sealed: self.sealed.clone(),
            kek: self.kek.clone(),
        };
        let asked = Instant::now();
        self.link.send(&Request::Sign(Box::new(sign)), None)?;
        Ok(asked)
    }
}
