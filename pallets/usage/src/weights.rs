//! Weights of this pallet's calls, and of what else it does.
//!
//! Written by `scripts/weights`; edits are lost at its next run.
//!
//! Measured on 2026-11-25 on a machine with AMD EPYC, 2 cores: not the reference hardware of Substrate. Each component at
//! 20 values, 20 runs each, in WebAssembly. Times are processor time without the database, whose accesses are
//! counted and priced by the runtime's `DbWeight`. Proof sizes are zero: this chain proves nothing to another.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

/// Weights by benchmark (`benchmarking.rs`).
pub trait WeightInfo {
    /// `commit_batch`.
    fn commit_batch() -> Weight;
    /// `set_shard_bits`.
    fn set_shard_bits() -> Weight;
    /// `set_calendar`.
    fn set_calendar() -> Weight;
}

macro_rules! weights {
    ($db:expr) => {
        fn commit_batch() -> Weight {
            Weight::from_parts(98_754_000, 0).saturating_add($db.reads(5)).saturating_add($db.writes(3))
        }
        fn set_shard_bits() -> Weight {
            Weight::from_parts(62_387_000, 0).saturating_add($db.reads(3)).saturating_add($db.writes(1))
        }
        fn set_calendar() -> Weight {
            Weight::from_parts(19_396_000, 0).saturating_add($db.writes(1))
        }
    };
}

/// With the runtime's prices of database accesses.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    weights!(T::DbWeight::get());
}

/// With ParityDB's prices, for tests.
impl WeightInfo for () {
    weights!(ParityDbWeight::get());
}
