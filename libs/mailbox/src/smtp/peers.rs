//! How many connections there are, and of whom.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many bits of an address of IPv6 are its holder's network, within which they choose
/// addresses freely.
const NETWORK_BITS: u32 = 64;

/// Counts connections.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    most: usize,
    most_per_peer: usize,
    /// Only those that have a connection, hence no more than `most`.
    by_peer: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection that counts until this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    peers: Peers,
    peer: IpAddr,
}

impl Peers {
    pub(super) fn new(most: usize, most_per_peer: usize) -> Self {
        Self { most, most_per_peer, by_peer: Arc::default() }
    }

    /// Room for one more of this peer; None if there is none.
    pub(super) fn seat(&self, peer: IpAddr) -> Option<Seat> {
        let peer = network(peer);
        let mut by_peer = self.lock();
        if by_peer.values().sum::<usize>() >= self.most {
            return None;
        }
        let held = by_peer.get(&peer).copied().unwrap_or(0);
        if held >= self.most_per_peer {
            return None;
        }
        by_peer.insert(peer, held + 1);
        Some(Seat { peers: self.clone(), peer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_peer = self.peers.lock();
        let held = by_peer.get(&self.peer).copied().unwrap_or(0);
        if held > 1 {
            by_peer.insert(self.peer, held - 1);
        } else {
            by_peer.remove(&self.peer);
        }
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (u128::BITS - NETWORK_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_peer_and_in_all() {
        let peers = Peers::new(3, 2);
        let seat = |peer: &str| peers.seat(peer.parse().unwrap());
        let first = seat("2001:db8::1").unwrap();
        let _second = seat("2001:db8::2:1").unwrap();
        assert!(seat("2001:db8::3").is_none(), "the same network");
        let _third = seat("192.0.2.1").unwrap();
        assert!(seat("192.0.2.2").is_none(), "no room at all");
        drop(first);
        drop(seat("::ffff:192.0.2.1").unwrap());
        let _fifth = seat("2001:db8::3").unwrap();
        assert_eq!(peers.lock().len(), 2);
    }
}
