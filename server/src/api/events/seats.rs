//! How many may listen at one time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claviger_core::id::OperatorId;

/// Streams of one operator at most.
const EACH: usize = 4;

/// Streams at most.
const ALL: usize = 64;

/// Who listens.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    taken: Mutex<HashMap<OperatorId, usize>>,
    closed: AtomicBool,
}

/// A place of somebody who listens, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    operator: OperatorId,
}

impl Seats {
    /// A place for one more, if there is room.
    pub(super) fn take(self: &Arc<Self>, operator: OperatorId) -> Option<Seat> {
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let own = taken.entry(operator).or_default();
        if *own >= EACH || all >= ALL {
            return None;
        }
        *own = own.saturating_add(1);
        Some(Seat { seats: self.clone(), operator })
    }

    /// Sends everybody home, for the service stops.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn are_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OperatorId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(own) = taken.get_mut(&self.operator) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.operator);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(n: u8) -> OperatorId {
        OperatorId::from_bytes([n; 16])
    }

    #[test]
    fn each_has_so_many_places_and_all_have_so_many() {
        let seats = Arc::new(Seats::default());
        let mut held: Vec<Seat> = (0..EACH).filter_map(|_| seats.take(operator(0))).collect();
        assert!(seats.take(operator(0)).is_none());
        assert_eq!(held.len(), EACH);
        held.pop();
        held.extend(seats.take(operator(0)));
        assert_eq!(held.len(), EACH, "a place that was left is free");
        for n in 1..=u8::MAX {
            held.extend((0..EACH).filter_map(|_| seats.take(operator(n))));
        }
        assert_eq!(held.len(), ALL);
        drop(held);
        assert!(seats.take(operator(9)).is_some());
    }
}
