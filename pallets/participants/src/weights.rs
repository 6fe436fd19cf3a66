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
    /// `admit`.
    fn admit() -> Weight;
    /// `set_kem_key`.
    fn set_kem_key() -> Weight;
    /// `set_endpoint`.
    fn set_endpoint() -> Weight;
    /// `rotate_account`.
    fn rotate_account() -> Weight;
    /// `set_duty_account`.
    fn set_duty_account() -> Weight;
    /// `enact`.
    fn enact() -> Weight;
    /// `suspend`.
    fn suspend() -> Weight;
    /// `reinstate`.
    fn reinstate() -> Weight;
    /// `replace_account`.
    fn replace_account() -> Weight;
    /// `check_participation`.
    fn check_participation() -> Weight;
    /// `nonce_window`.
    fn nonce_window() -> Weight;
}

macro_rules! weights {
    ($db:expr) => {
        fn admit() -> Weight {
            Weight::from_parts(111_380_000, 0).saturating_add($db.reads(6)).saturating_add($db.writes(3))
        }
        fn set_kem_key() -> Weight {
            Weight::from_parts(53_520_000, 0).saturating_add($db.reads(3)).saturating_add($db.writes(1))
        }
        fn set_endpoint() -> Weight {
            Weight::from_parts(42_680_000, 0).saturating_add($db.reads(2)).saturating_add($db.writes(1))
        }
        fn rotate_account() -> Weight {
            Weight::from_parts(141_635_000, 0).saturating_add($db.reads(8)).saturating_add($db.writes(6))
        }
        fn set_duty_account() -> Weight {
            Weight::from_parts(122_008_000, 0).saturating_add($db.reads(8)).saturating_add($db.writes(6))
        }
        fn enact() -> Weight {
            Weight::from_parts(27_482_000, 0)
        }
        fn suspend() -> Weight {
            Weight::from_parts(33_803_000, 0).saturating_add($db.reads(1)).saturating_add($db.writes(1))
        }
        fn reinstate() -> Weight {
            Weight::from_parts(35_707_000, 0).saturating_add($db.reads(1)).saturating_add($db.writes(1))
        }
        fn replace_account() -> Weight {
            Weight::from_parts(112_661_000, 0).saturating_add($db.reads(7)).saturating_add($db.writes(6))
        }
        fn check_participation() -> Weight {
            Weight::from_parts(58_419_000, 0).saturating_add($db.reads(5)).saturating_add($db.writes(1))
        }
        fn nonce_window() -> Weight {
            Weight::from_parts(53_962_000, 0).saturating_add($db.reads(4)).saturating_add($db.writes(1))
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
