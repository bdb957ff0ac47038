//! The one place that waits.

use std::time::Duration;

use anyhow::{Error, Result, anyhow};

use crate::http::Reply;

/// How long anything may take that a test waits for. Reaching it is a failure, never a measurement.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Between two looks. It costs a test at most this much, and nothing depends on its length.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until there is something to see, and returns it.
///
/// # Errors
/// After [`DEADLINE`], with `what` it waited for and the last reason why it was not there.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut last = None;
    let looking = async {
        loop {
            match look().await {
                Ok(seen) => return seen,
                Err(not_yet) => last = Some(not_yet),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let seen = tokio::time::timeout(DEADLINE, looking).await.ok();
    seen.map_or_else(|| Err(gave_up(what, last)), Ok)
}

/// [`until`] for a future that other threads may take up, which an async closure's is not known to be.
///
/// # Errors
/// As [`until`].
pub async fn until_in_task<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut last = None;
    let looking = async {
        loop {
            match look().await {
                Ok(seen) => return seen,
                Err(not_yet) => last = Some(not_yet),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let seen = tokio::time::timeout(DEADLINE, looking).await.ok();
    seen.map_or_else(|| Err(gave_up(what, last)), Ok)
}

/// Asks again as long as the answer is that nothing was done and that it may be tried again.
///
/// # Errors
/// After [`DEADLINE`], or when there is no answer.
pub(crate) async fn patiently<F>(what: &str, mut ask: impl FnMut() -> F) -> Result<Reply>
where
    F: Future<Output = Result<Reply>>,
{
    let mut last = None;
    let asking = async {
        loop {
            match ask().await?.not_to_be_repeated() {
                Ok(reply) => return Ok(reply),
                Err(not_yet) => last = Some(not_yet),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let answered = tokio::time::timeout(DEADLINE, asking).await.ok();
    answered.unwrap_or_else(|| Err(gave_up(what, last)))
}

fn gave_up(what: &str, last: Option<Error>) -> Error {
    let last = last.unwrap_or_else(|| anyhow!("no look came to an end"));
    last.context(format!("waited {} s for {what}", DEADLINE.as_secs()))
}

/// Waits for the second after which nothing of a secret is left in memory: the promise is about time, so this is the one
/// wait that looks at nothing.
pub async fn the_promised_second() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}
