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

impl<T: frame_system::Config> pallet_membership::weights::WeightInfo for Weights<T> {
    fn add_member(m: u32) -> Weight {
        Weight::from_parts(28_276_065, 0)
            .saturating_add(Weight::from_parts(111_837, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn remove_member(m: u32) -> Weight {
        Weight::from_parts(17_404_890, 0)
            .saturating_add(Weight::from_parts(432_025, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn swap_member(m: u32) -> Weight {
        Weight::from_parts(23_840_324, 0)
            .saturating_add(Weight::from_parts(705_408, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn reset_members(_m: u32) -> Weight {
        Weight::from_parts(45_761_525, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    fn change_key(_m: u32) -> Weight {
        Weight::from_parts(27_950_940, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    fn set_prime(m: u32) -> Weight {
        Weight::from_parts(12_480_384, 0)
            .saturating_add(Weight::from_parts(211_852, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn clear_prime() -> Weight {
        Weight::from_parts(8_727_000, 0).saturating_add(T::DbWeight::get().writes(2))
    }
}
