//! One lane per credential of a nonce venue: requests wait in it before their intent is committed, cancels first, and
//! the next one starts only when the one before was answered or given up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::id::CredentialId;

/// All lanes.
#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Mutex<HashMap<CredentialId, Lane>>>);

/// A lane exists while someone holds or waits for its turn.
#[derive(Debug, Default)]
struct Lane {
    cancels: VecDeque<oneshot::Sender<Turn>>,
    others: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to use the lane, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    lanes: Lanes,
    credential: CredentialId,
}

impl Lanes {
    /// Waits for a turn; `None` when `waiting_max` others wait already.
    pub async fn turn(&self, credential: CredentialId, cancel: bool, waiting_max: usize) -> Option<Turn> {
        let wait = {
            let mut lanes = self.lock();
            let Some(lane) = lanes.get_mut(&credential) else {
                lanes.insert(credential, Lane::default());
                return Some(Turn { lanes: self.clone(), credential });
            };
            let queue = if cancel { &mut lane.cancels } else { &mut lane.others };
            if queue.len() >= waiting_max {
                return None;
            }
            let (turn, wait) = oneshot::channel();
            queue.push_back(turn);
            wait
        };
        wait.await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CredentialId, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, credential: CredentialId) -> Option<oneshot::Sender<Turn>> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(&credential)?;
        let next = lane.cancels.pop_front().or_else(|| lane.others.pop_front());
        if next.is_none() {
            lanes.remove(&credential);
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Whoever gave up waiting is passed over: its turn comes back from `send` and goes to the next.
        if let Some(waiting) = self.lanes.next(self.credential) {
            let turn = Self { lanes: self.lanes.clone(), credential: self.credential };
            drop(waiting.send(turn));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cancels_go_first_and_nobody_is_left_behind() {
        let lanes = Lanes::default();
        let id = CredentialId::MIN;
        let first = lanes.turn(id, false, 10).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for (name, cancel) in [("order", false), ("gave up", true), ("cancel", true)] {
            let (lanes, order) = (lanes.clone(), order.clone());
            let task = tokio::spawn(async move {
                let _turn = lanes.turn(id, cancel, 10).await.unwrap();
                order.lock().unwrap().push(name);
            });
            // Each is in the queue before the next one comes.
            tokio::task::yield_now().await;
            if name == "gave up" { task.abort() } else { waiting.push(task) }
        }
        tokio::task::yield_now().await;
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["cancel", "order"]);
        assert!(lanes.lock().is_empty(), "a lane that nobody uses is gone");
    }

    #[tokio::test]
    async fn a_full_lane_says_so() {
        let lanes = Lanes::default();
        let _first = lanes.turn(CredentialId::MIN, false, 0).await.unwrap();
        assert!(lanes.turn(CredentialId::MIN, false, 0).await.is_none());
        assert!(lanes.turn(CredentialId::MAX, false, 0).await.is_some());
    }
}
