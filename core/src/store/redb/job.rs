//! What waits for the next commit.

use tokio::sync::oneshot;

use super::super::StoreError;
use super::apply::{Apply, Failed};

/// Something to be done in a commit, and whoever waits for its answer.
pub(super) trait Job: Send {
    /// Does it, and keeps the answer until the commit counts. Called again when the transaction came to nothing.
    ///
    /// A refusal is an answer; an error is [`Failed::Spoiled`] or [`Failed::Engine`].
    fn apply(&mut self, apply: &mut Apply<'_>) -> Result<(), Failed>;

    /// Answers, once it is known what became of the commit.
    fn settle(self: Box<Self>, commit: Result<(), StoreError>);
}

pub(super) struct Task<T, W> {
    work: W,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W: Fn(&mut Apply<'_>) -> Result<T, Failed>> Task<T, W> {
    pub(super) fn new(work: W, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { work, done: None, answer }
    }
}

impl<T: Send, W: Fn(&mut Apply<'_>) -> Result<T, Failed> + Send> Job for Task<T, W> {
    fn apply(&mut self, apply: &mut Apply<'_>) -> Result<(), Failed> {
        self.done = Some(match (self.work)(apply) {
            Ok(value) => Ok(value),
            Err(Failed::Refused(refusal)) => Err(refusal),
            Err(failed) => return Err(failed),
        });
        Ok(())
    }

    fn settle(self: Box<Self>, commit: Result<(), StoreError>) {
        let answer = match (self.done, commit) {
            (Some(done), Ok(())) => done,
            // A refusal may have rested on what others did in the same transaction, but it wrote nothing itself.
            (Some(Err(_)), Err(StoreError::Unknown(why))) => Err(StoreError::NotApplied(why)),
            (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(StoreError::Unknown("the job was not run".to_owned())),
        };
        // Whoever asked may have gone.
        let _ = self.answer.send(answer);
    }
}
