//! The one place that waits.

use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow};

/// How long anything may take that a test waits for. Reaching it is a failure, never a measurement.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Between two looks. It costs a test at most this much, and nothing depends on its length.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until there is something to see, and returns it.
///
/// # Errors
/// After [`DEADLINE`], with `what` it waited for and the last reason why it was not there.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut last: Option<Error> = None;
    let looking = async {
        loop {
            match look().await {
                Ok(seen) => return seen,
                Err(not_yet) => last = Some(not_yet),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(seen) => Ok(seen),
        Err(_) => Err(last.unwrap_or_else(|| anyhow!("no look came to an end")))
            .with_context(|| format!("waited {} s for {what}", DEADLINE.as_secs())),
    }
}

/// Waits for the second after which nothing of a secret is left in memory: the promise is about time, so this is the one
/// wait that looks at nothing.
pub async fn the_promised_second() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}
