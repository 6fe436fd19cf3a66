//! Weights of the pallet's calls.
//!
//! Estimated by hand, not benchmarked: reads and writes are counted from the code and priced by the runtime's `DbWeight`;
//! computation is taken as 20 microseconds (a decoded extrinsic of some 250 bytes, comparisons, one event). Proof sizes are
//! zero, since this chain has no relay chain that would need them.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

/// Picoseconds of computation of any call here.
const COMPUTATION: u64 = 20_000_000;

/// Weights of the calls.
pub trait WeightInfo {
    /// [`crate::Pallet::commit_batch`].
    fn commit_batch() -> Weight;
    /// [`crate::Pallet::set_shard_bits`].
    fn set_shard_bits() -> Weight;
    /// [`crate::Pallet::set_calendar`].
    fn set_calendar() -> Weight;
}

/// Weights for a runtime, with its own prices of database reads and writes.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    /// Reads: duty account, organisation, shard bits, shard, two block hashes. Writes: batch, shard, once the shard bits.
    fn commit_batch() -> Weight {
        Weight::from_parts(COMPUTATION, 0).saturating_add(T::DbWeight::get().reads_writes(6, 3))
    }
    /// Reads: account's organisation, organisation, first shard. Writes: shard bits.
    fn set_shard_bits() -> Weight {
        Weight::from_parts(COMPUTATION, 0).saturating_add(T::DbWeight::get().reads_writes(3, 1))
    }
    /// Writes: the table of at most 1 kB.
    fn set_calendar() -> Weight {
        Weight::from_parts(COMPUTATION, 0).saturating_add(T::DbWeight::get().reads_writes(0, 1))
    }
}

/// Weights for tests, at ParityDB's prices.
impl WeightInfo for () {
    fn commit_batch() -> Weight {
        Weight::from_parts(COMPUTATION, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 3))
    }
    fn set_shard_bits() -> Weight {
        Weight::from_parts(COMPUTATION, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 1))
    }
    fn set_calendar() -> Weight {
        Weight::from_parts(COMPUTATION, 0).saturating_add(ParityDbWeight::get().reads_writes(0, 1))
    }
}
