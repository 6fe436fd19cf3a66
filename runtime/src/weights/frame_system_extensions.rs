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

impl<T: frame_system::Config> frame_system::ExtensionsWeightInfo for Weights<T> {
    fn check_genesis() -> Weight {
        Weight::from_parts(5_751_000, 0)
    }
    fn check_mortality_mortal_transaction() -> Weight {
        Weight::from_parts(9_709_000, 0)
    }
    fn check_mortality_immortal_transaction() -> Weight {
        Weight::from_parts(7_203_000, 0)
    }
    fn check_non_zero_sender() -> Weight {
        Weight::from_parts(2_034_000, 0)
    }
    fn check_nonce() -> Weight {
        Weight::from_parts(11_612_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn check_spec_version() -> Weight {
        Weight::from_parts(1_683_000, 0)
    }
    fn check_tx_version() -> Weight {
        Weight::from_parts(1_664_000, 0)
    }
    fn check_weight() -> Weight {
        Weight::from_parts(7_364_000, 0)
    }
    fn weight_reclaim() -> Weight {
        Weight::from_parts(4_628_000, 0)
    }
}
