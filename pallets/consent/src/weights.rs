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
    /// `consent`.
    fn consent() -> Weight;
    /// `revoke`.
    fn revoke() -> Weight;
    /// `narrow`.
    fn narrow() -> Weight;
    /// `deliver`, b from 7000 to 65536.
    fn deliver(b: u32) -> Weight;
    /// `deliver_meter_key`.
    fn deliver_meter_key() -> Weight;
    /// `give_back`.
    fn give_back() -> Weight;
    /// `expire`.
    fn expire() -> Weight;
    /// `set_longest_term`.
    fn set_longest_term() -> Weight;
    /// `end_standing`, n from 0 to 32.
    fn end_standing(n: u32) -> Weight;
    /// `end_expired`, d from 1 to 8, n from 0 to 32.
    fn end_expired(d: u32, n: u32) -> Weight;
}

macro_rules! weights {
    ($db:expr) => {
        fn consent() -> Weight {
            Weight::from_parts(274_274_000, 0).saturating_add($db.reads(9)).saturating_add($db.writes(3))
        }
        fn revoke() -> Weight {
            Weight::from_parts(225_292_000, 0).saturating_add($db.reads(7)).saturating_add($db.writes(5))
        }
        fn narrow() -> Weight {
            Weight::from_parts(227_075_000, 0).saturating_add($db.reads(7)).saturating_add($db.writes(5))
        }
        fn deliver(b: u32) -> Weight {
            Weight::from_parts(147_225_713, 0)
                .saturating_add(Weight::from_parts(5_912, 0).saturating_mul(b.into()))
                .saturating_add($db.reads(5))
                .saturating_add($db.writes(1))
        }
        fn deliver_meter_key() -> Weight {
            Weight::from_parts(68_819_000, 0).saturating_add($db.reads(3)).saturating_add($db.writes(1))
        }
        fn give_back() -> Weight {
            Weight::from_parts(108_444_000, 0).saturating_add($db.reads(5)).saturating_add($db.writes(5))
        }
        fn expire() -> Weight {
            Weight::from_parts(115_987_000, 0).saturating_add($db.reads(7)).saturating_add($db.writes(5))
        }
        fn set_longest_term() -> Weight {
            Weight::from_parts(9_938_000, 0).saturating_add($db.writes(1))
        }
        fn end_standing(n: u32) -> Weight {
            Weight::from_parts(32_298_393, 0)
                .saturating_add(Weight::from_parts(25_531_902, 0).saturating_mul(n.into()))
                .saturating_add($db.reads(2))
                .saturating_add($db.reads(n.into()))
                .saturating_add($db.writes(3))
                .saturating_add($db.writes(2_u64.saturating_mul(n.into())))
        }
        fn end_expired(d: u32, n: u32) -> Weight {
            Weight::from_parts(57_647_000, 0)
                .saturating_add(Weight::from_parts(28_104_081, 0).saturating_mul(d.into()))
                .saturating_add(Weight::from_parts(59_192_079, 0).saturating_mul(n.into()))
                .saturating_add($db.reads(2))
                .saturating_add($db.reads(d.into()))
                .saturating_add($db.reads(4_u64.saturating_mul(n.into())))
                .saturating_add($db.writes(1))
                .saturating_add($db.writes(5_u64.saturating_mul(n.into())))
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
