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

impl<T: frame_system::Config> frame_system::WeightInfo for Weights<T> {
    fn remark(b: u32) -> Weight {
        Weight::from_parts(4_849_000, 0).saturating_add(Weight::from_parts(862, 0).saturating_mul(b.into()))
    }
    fn remark_with_event(b: u32) -> Weight {
        Weight::from_parts(16_692_000, 0).saturating_add(Weight::from_parts(1_936, 0).saturating_mul(b.into()))
    }
    fn set_heap_pages() -> Weight {
        Weight::from_parts(15_309_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_code() -> Weight {
        Weight::from_parts(166_804_670_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_storage(i: u32) -> Weight {
        Weight::from_parts(4_809_000, 0)
            .saturating_add(Weight::from_parts(1_658_171, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().writes(i.into()))
    }
    fn kill_storage(i: u32) -> Weight {
        Weight::from_parts(65_684_439, 0)
            .saturating_add(Weight::from_parts(948_847, 0).saturating_mul(i.into()))
            .saturating_add(T::DbWeight::get().writes(i.into()))
    }
    fn kill_prefix(p: u32) -> Weight {
        Weight::from_parts(7_654_000, 0)
            .saturating_add(Weight::from_parts(2_657_437, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(p.into()))
            .saturating_add(T::DbWeight::get().writes(p.into()))
    }
    fn authorize_upgrade() -> Weight {
        Weight::from_parts(36_127_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    fn apply_authorized_upgrade() -> Weight {
        Weight::from_parts(159_883_107_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}
