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
    /// `sync`, n from 1 to 256.
    fn sync(n: u32) -> Weight;
    /// `claim`.
    fn claim() -> Weight;
    /// `close`.
    fn close() -> Weight;
    /// `refused`.
    fn refused() -> Weight;
    /// `claim_refused`.
    fn claim_refused() -> Weight;
}

macro_rules! weights {
    ($db:expr) => {
        fn sync(n: u32) -> Weight {
            Weight::from_parts(10_546_025, 0)
                .saturating_add(Weight::from_parts(26_338_249, 0).saturating_mul(n.into()))
                .saturating_add($db.reads(3))
                .saturating_add($db.reads(n.into()))
                .saturating_add($db.writes(2_u64.saturating_mul(n.into())))
        }
        fn claim() -> Weight {
            Weight::from_parts(348_974_000, 0).saturating_add($db.reads(9)).saturating_add($db.writes(8))
        }
        fn close() -> Weight {
            Weight::from_parts(140_314_000, 0).saturating_add($db.reads(6)).saturating_add($db.writes(2))
        }
        fn refused() -> Weight {
            Weight::from_parts(80_140_000, 0).saturating_add($db.reads(5))
        }
        fn claim_refused() -> Weight {
            Weight::from_parts(219_230_000, 0).saturating_add($db.reads(6))
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
