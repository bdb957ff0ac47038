//! How many connections each peer holds.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use claviger_core::identity::network_of;

/// Counts connections per peer and refuses those over the cap.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
    each: usize,
}

/// One connection's place among its peer's; given back on drop.
#[derive(Debug)]
pub(super) struct Place {
    peers: Peers,
    peer: IpAddr,
}

impl Peers {
    pub(super) fn new(each: usize) -> Self {
        Self { held: Arc::default(), each }
    }

    /// Takes a place for `address`, or `None` if its peer holds as many as it may.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Place> {
        let peer = network_of(address);
        let mut held = self.lock();
        let count = held.entry(peer).or_insert(0);
        if *count >= self.each {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { peers: self.clone(), peer })
    }

    /// A count is right after every step, so a poisoned lock guards nothing broken.
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.peers.lock();
        if let Some(count) = held.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_peer_gets_its_places_and_gives_them_back() {
        let peers = Peers::new(2);
        let first = peers.admit(ip("192.0.2.1"));
        let second = peers.admit(ip("::ffff:192.0.2.1"));

        assert!(first.is_some() && second.is_some());
        assert!(peers.admit(ip("192.0.2.1")).is_none());
        assert!(peers.admit(ip("192.0.2.2")).is_some());

        drop(first);
        assert!(peers.admit(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_peer() {
        let peers = Peers::new(1);
        let held = peers.admit(ip("2001:db8::1"));

        assert!(held.is_some());
        assert!(peers.admit(ip("2001:db8::ffff:2")).is_none());
        assert!(peers.admit(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn nothing_is_kept_about_peers_that_left() {
        let peers = Peers::new(1);
        drop(peers.admit(ip("192.0.2.1")));

        assert!(peers.lock().is_empty());
    }
}
