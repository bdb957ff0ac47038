//! Callers that all ask as fast as they are answered, for a while.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::stats::Round;

/// Attempts of one caller in one round at most, whatever the time.
const ATTEMPTS_MAX: u32 = 100_000;

/// One of a crowd.
pub(crate) trait Caller: Send + 'static {
    /// One attempt. An error is counted, and the next attempt follows.
    fn call(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Lets all of them call at the same time for so long, and gives them back.
///
/// The round lasts from the first attempt to the last answer.
pub(crate) async fn crowd<C: Caller>(callers: Vec<C>, lasting: Duration) -> Result<(Vec<C>, Round)> {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for caller in callers {
        tasks.spawn(calls(caller, began, lasting));
    }
    let mut round = Round::default();
    let mut back = Vec::with_capacity(tasks.len());
    while let Some(ended) = tasks.join_next().await {
        let (caller, own) = ended?;
        back.push(caller);
        round.absorb(own);
    }
    round.elapsed = began.elapsed();
    Ok((back, round))
}

async fn calls<C: Caller>(mut caller: C, began: Instant, lasting: Duration) -> (C, Round) {
    let mut round = Round::default();
    for _ in 0..ATTEMPTS_MAX {
        let asked = Instant::now();
        if asked.duration_since(began) >= lasting {
            break;
        }
        match caller.call().await {
            Ok(()) => round.took(asked.elapsed()),
            Err(error) => round.failed(&error),
        }
    }
    (caller, round)
}
