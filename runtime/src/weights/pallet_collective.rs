//! Weights of this pallet of the SDK in this runtime.
//!
//! Written by `scripts/weights`; edits are lost at its next run.
//!
//! Measured on 2026-11-25 on a machine with AMD EPYC, 2 cores: not the reference hardware of Substrate. Each component at
//! 20 values, 20 runs each, in WebAssembly. Times are processor time without the database, whose accesses are
//! counted and priced by the runtime's `DbWeight`. Proof sizes are zero: this chain proves nothing to another.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// With the runtime's prices of database accesses.
pub struct Weights<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_collective::WeightInfo for Weights<T> {
    fn set_members(m: u32, _n: u32, p: u32) -> Weight {
        Weight::from_parts(13_725_000, 0)
            .saturating_add(Weight::from_parts(1_669_124, 0).saturating_mul(m.into()))
            .saturating_add(Weight::from_parts(6_108_129, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(p.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(p.into()))
    }
    fn execute(_b: u32, m: u32) -> Weight {
        Weight::from_parts(38_002_538, 0)
            .saturating_add(Weight::from_parts(21_643, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(1))
    }
    fn propose_execute(b: u32, m: u32) -> Weight {
        Weight::from_parts(23_119_424, 0)
            .saturating_add(Weight::from_parts(2_576, 0).saturating_mul(b.into()))
            .saturating_add(Weight::from_parts(106_263, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(2))
    }
    fn propose_proposed(b: u32, m: u32, p: u32) -> Weight {
        Weight::from_parts(30_627_000, 0)
            .saturating_add(Weight::from_parts(18_007, 0).saturating_mul(b.into()))
            .saturating_add(Weight::from_parts(122_655, 0).saturating_mul(m.into()))
            .saturating_add(Weight::from_parts(390_354, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn vote(_m: u32) -> Weight {
        Weight::from_parts(72_216_391, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn close_early_disapproved(m: u32, p: u32) -> Weight {
        Weight::from_parts(62_401_692, 0)
            .saturating_add(Weight::from_parts(429_926, 0).saturating_mul(m.into()))
            .saturating_add(Weight::from_parts(578_695, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn close_early_approved(_b: u32, _m: u32, p: u32) -> Weight {
        Weight::from_parts(139_085_782, 0)
            .saturating_add(Weight::from_parts(843_656, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn close_disapproved(m: u32, p: u32) -> Weight {
        Weight::from_parts(822_588, 0)
            .saturating_add(Weight::from_parts(1_958_888, 0).saturating_mul(m.into()))
            .saturating_add(Weight::from_parts(1_282_288, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // The SDK's own: its benchmark does not run in this runtime.
    fn close_approved(b: u32, m: u32, p: u32) -> Weight {
        <pallet_collective::weights::SubstrateWeight<T> as pallet_collective::WeightInfo>::close_approved(b, m, p)
    }
    fn disapprove_proposal(p: u32) -> Weight {
        Weight::from_parts(43_937_266, 0)
            .saturating_add(Weight::from_parts(102_078, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn kill(d: u32, p: u32) -> Weight {
        Weight::from_parts(25_683_590, 0)
            .saturating_add(Weight::from_parts(5_462_198, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(610_322, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn release_proposal_cost() -> Weight {
        Weight::from_parts(18_666_000, 0).saturating_add(T::DbWeight::get().reads(2))
    }
}
