//! One run at a time. The node starts a worker at every new best block, whether or not the last one has ended.
//!
//! The lock lasts ten seconds and is extended after every piece of work. It names the node's start (boot id): the lock of
//! a run that was killed with its node is void at once.

use super::store::{Store, LOCK};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};

/// How long a lock lasts without being extended, milliseconds. No single wait of the worker is longer.
pub const LOCK_MILLISECONDS: u64 = 10_000;

#[derive(Encode, Decode)]
struct Held {
    boot: [u8; 16],
    /// Milliseconds since 1970.
    deadline: u64,
}

/// A lock that this run holds.
#[derive(Debug)]
pub struct Lock {
    boot: [u8; 16],
    /// Exactly what stands in the store, so that a run that lost its lock cannot extend it.
    value: Vec<u8>,
}

impl Lock {
    /// Takes the lock, if no living run holds it. `now` in milliseconds since 1970.
    pub fn acquire(store: &mut impl Store, boot: [u8; 16], now: u64) -> Option<Self> {
        let old = store.get(LOCK);
        let held = old.as_ref().and_then(|value| Held::decode_all(&mut value.as_slice()).ok());
        if held.is_some_and(|held| held.boot == boot && held.deadline > now) {
            return None;
        }
        let value = Held { boot, deadline: now.saturating_add(LOCK_MILLISECONDS) }.encode();
        store.compare_and_set(LOCK, old, &value).then_some(Self { boot, value })
    }

    /// Extends the lock to ten seconds from `now`. False if the run has lost it and must stop without a further write.
    pub fn extend(&mut self, store: &mut impl Store, now: u64) -> bool {
        let value = Held { boot: self.boot, deadline: now.saturating_add(LOCK_MILLISECONDS) }.encode();
        if !store.compare_and_set(LOCK, Some(self.value.clone()), &value) {
            return false;
        }
        self.value = value;
        true
    }

    /// Gives the lock back, if this run still holds it.
    pub fn release(self, store: &mut impl Store) {
        // A deadline in the past is no lock; a removal could not be compared with what this run wrote.
        let void = Held { boot: self.boot, deadline: 0 }.encode();
        store.compare_and_set(LOCK, Some(self.value), &void);
    }
}
