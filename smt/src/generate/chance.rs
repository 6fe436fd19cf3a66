//! Repeatable chance.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// What random numbers are for: every purpose has its own, so that one change never moves the others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Utility = 1,
    Equipment,
    Front,
    Sky,
    Load,
    Outage,
    Estimate,
    Guess,
    Blank,
    Published,
    Correction,
}

/// Random numbers of one home, day and purpose.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn new(seed: u64, home: u32, day: u16, purpose: Purpose) -> Self {
        let mut key = [0u8; 32];
        let parts = [seed, u64::from(home), u64::from(day), purpose as u64];
        for (place, part) in key.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        Chance(ChaCha8Rng::from_seed(key))
    }

    /// 0 to `bound - 1`, even enough for small bounds; 0 if the bound is 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// 0 to `bound - 1`.
    pub(super) fn number(&mut self, bound: u8) -> u8 {
        self.below(u32::from(bound)) as u8
    }

    /// True once in `times`.
    pub(super) fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// At least `from`, less than `to`.
    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (f64::from(self.0.next_u32()) / 4_294_967_296.0)
    }
}
