//! The benchmarks that `scripts/weights` runs: our pallets', and those of the SDK's that need no currency.

use crate::*;
use alloc::string::String;
use frame_benchmarking::{define_benchmarks, BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};
use frame_system_benchmarking::{extensions::Pallet as Extensions, Pallet as SystemBench};

impl frame_system_benchmarking::Config for Runtime {}

define_benchmarks!(
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, Extensions::<Runtime>]
    [pallet_timestamp, Timestamp]
    [pallet_collective, Council]
    [pallet_membership, CouncilMembership]
    [pallet_participants, Participants]
    [pallet_meters, Meters]
    [pallet_usage, Usage]
    [pallet_consent, Consents]
);

/// What there is to measure, and how storage is laid out.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::<BenchmarkList>::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs one benchmark.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::<BenchmarkBatch>::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}
