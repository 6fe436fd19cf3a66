//! What must hold of the runtime as a whole.

use crate::{access::AllowList, configs::RuntimeBlockWeights, genesis, Runtime, RuntimeCall, RuntimeGenesisConfig};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::{BuildGenesisConfig, Get, GetCallName, IntegrityTest, PalletInfoAccess},
};
use pallet_participants::Classify;
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

#[test]
fn presets_build() {
    for (preset, validators) in [(DEV_RUNTIME_PRESET, 1), (LOCAL_TESTNET_RUNTIME_PRESET, 4)] {
        let patch = genesis::preset(&preset.into()).unwrap();
        let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
        let patch: serde_json::Value = serde_json::from_slice(&patch).unwrap();
        merge(&mut config, patch);
        let config: RuntimeGenesisConfig = serde_json::from_value(config).unwrap();
        sp_io::TestExternalities::new_empty().execute_with(|| {
            config.build();
            assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), validators);
            assert_eq!(crate::Grandpa::grandpa_authorities().len(), validators);
            assert_eq!(pallet_collective::Members::<Runtime, crate::configs::CouncilInstance>::get().len(), 4);
            assert_eq!(pallet_participants::Organisations::<Runtime>::iter().count(), 6);
            pallet_participants::Pallet::<Runtime>::do_try_state().unwrap();
            pallet_meters::Pallet::<Runtime>::do_try_state().unwrap();
            pallet_usage::Pallet::<Runtime>::do_try_state().unwrap();
            pallet_consent::Pallet::<Runtime>::do_try_state().unwrap();
        });
    }
    assert!(genesis::preset(&"other".into()).is_none());
}

fn merge(into: &mut serde_json::Value, patch: serde_json::Value) {
    match (into, patch) {
        (serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, patch) => *into = patch,
    }
}

#[test]
fn what_is_free_space_or_roots_alone_is_not_listed() {
    let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![0; 1_000] });
    let set_code = RuntimeCall::System(frame_system::Call::set_code { code: vec![] });
    let calendar =
        RuntimeCall::Usage(pallet_usage::Call::set_calendar { short: Default::default(), long: Default::default() });
    let enact = RuntimeCall::Participants(pallet_participants::Call::enact { call: Box::new(remark.clone()) });
    for call in [remark, set_code, calendar, enact] {
        assert_eq!(AllowList::classify(&call), None, "{call:?}");
    }
    let suspend = RuntimeCall::Participants(pallet_participants::Call::suspend {
        id: sealed_register::OrganisationId::new("vendor").unwrap(),
    });
    assert_eq!(AllowList::classify(&suspend), None);
}

/// Each pallet's own statements about its configuration.
#[test]
fn pallets_fit_together() {
    <crate::AllPalletsWithSystem as IntegrityTest>::integrity_test();
}

/// 0x3c is `<`: a text signed by a wallet inside `<Bytes>` can never be a call.
#[test]
fn no_pallet_has_index_60() {
    let indices = [
        crate::System::index(),
        crate::Timestamp::index(),
        crate::Aura::index(),
        crate::Grandpa::index(),
        crate::Council::index(),
        crate::CouncilMembership::index(),
        crate::Participants::index(),
        crate::Meters::index(),
        crate::Usage::index(),
        crate::Consents::index(),
    ];
    assert!(!indices.contains(&60));
    // And the other way round: a call cannot be read out of the text.
    assert!(<RuntimeCall as codec::Decode>::decode(&mut &b"<Bytes>wattseal/consent/1"[..]).is_err());
}

/// The relations between figures of several pallets.
#[test]
fn budgets_blocks_and_freshness_fit_together() {
    use pallet_consent::{WeightInfo as _, MAX_DELIVERY_BYTES};
    use pallet_meters::{TenancyEnded, WeightInfo as _, MAX_ENTRIES};
    use pallet_participants::{Allowances, WeightInfo as _};
    use pallet_usage::WeightInfo as _;
    let normal = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_extrinsic.unwrap().ref_time();
    let remembered = wattseal_primitives::BLOCK_HASH_COUNT;
    assert!(
        remembered > sealed_register::statement::ReadRequest::VALID_BLOCKS,
        "the block that a read request names is known"
    );
    assert!(remembered > wattseal_primitives::usage::MAX_AS_OF_AGE);

    type Consents = pallet_consent::SubstrateWeight<Runtime>;
    type Meters = pallet_meters::SubstrateWeight<Runtime>;
    type Usage = pallet_usage::weights::SubstrateWeight<Runtime>;
    type Participants = pallet_participants::weights::SubstrateWeight<Runtime>;
    let extensions = Participants::check_participation().saturating_add(Participants::nonce_window()).ref_time();
    let ends = pallet_consent::Pallet::<Runtime>::weight().ref_time();
    let longest = [
        Meters::sync(MAX_ENTRIES).ref_time(),
        Meters::claim().ref_time() + ends,
        Meters::close().ref_time() + ends,
        Consents::deliver(MAX_DELIVERY_BYTES).ref_time(),
        Consents::consent().ref_time(),
        Consents::narrow().ref_time(),
        Usage::commit_batch().ref_time(),
    ];
    let longest = longest.into_iter().max().unwrap() + extensions;
    // The first transactions of a participant's accounts may go before another's first: a utility has three accounts.
    assert!(3 * longest <= normal / 2, "{longest} ps of {normal}");

    let Allowances { member, vendor, duty, customer } = pallet_participants::StandardAllowances::get();
    let delivery = Consents::deliver(MAX_DELIVERY_BYTES).ref_time() + extensions;
    let claim = Meters::claim().ref_time() + ends + extensions;
    for allowance in [member, vendor, duty, customer] {
        assert!(allowance.bytes >= 16 * MAX_DELIVERY_BYTES && allowance.ref_time >= 4 * delivery.max(claim));
    }
    // A utility with as many shards as there may be can commit a batch of each within one period.
    let shards = 1_u32 << wattseal_primitives::usage::MAX_SHARD_BITS;
    let batch = Usage::commit_batch().ref_time() + extensions;
    assert!(duty.calls >= shards && duty.ref_time >= batch * u64::from(shards));
}

/// A new runtime comes as one bare extrinsic.
#[test]
fn an_upgrade_fits_into_a_block() {
    let call = frame_system::Call::<Runtime>::apply_authorized_upgrade { code: vec![] };
    let info = RuntimeCall::from(call).get_dispatch_info();
    let limits = RuntimeBlockWeights::get();
    let limit = limits.get(info.class).max_extrinsic.unwrap_or(limits.max_block).ref_time();
    assert!(info.call_weight.ref_time() <= limit, "{} ps of {limit}", info.call_weight.ref_time());
}

/// What a pallet does without being called goes before every extrinsic.
#[test]
fn hooks_leave_the_block_to_extrinsics() {
    use pallet_consent::{WeightInfo, DAYS_PER_BLOCK, EXPIRATIONS_PER_BLOCK};
    let hook = pallet_consent::SubstrateWeight::<Runtime>::end_expired(DAYS_PER_BLOCK, EXPIRATIONS_PER_BLOCK);
    assert!(hook.ref_time() <= RuntimeBlockWeights::get().max_block.ref_time() / 10, "{hook}");
}

/// Each call of each of our pallets has a measured weight of its own.
#[test]
fn every_call_has_a_measured_weight() {
    fn check<Call: GetCallName>(file: &str, besides: &[&str]) {
        assert!(file.contains("Written by `scripts/weights`"), "the weights were edited by hand");
        for name in Call::get_call_names().iter().chain(besides) {
            let (declared, given) = (format!("    fn {name}("), format!("        fn {name}("));
            assert!(file.contains(&declared) && file.contains(&given), "{name} has no weight: write a benchmark");
        }
    }
    check::<pallet_participants::Call<Runtime>>(
        include_str!("../../pallets/participants/src/weights.rs"),
        &["check_participation", "nonce_window"],
    );
    check::<pallet_meters::Call<Runtime>>(
        include_str!("../../pallets/meters/src/weights.rs"),
        &["refused", "claim_refused"],
    );
    check::<pallet_usage::Call<Runtime>>(include_str!("../../pallets/usage/src/weights.rs"), &[]);
    check::<pallet_consent::Call<Runtime>>(
        include_str!("../../pallets/consent/src/weights.rs"),
        &["end_standing", "end_expired"],
    );
}

#[test]
fn the_worker_signs_calls_that_fit() {
    let limit = crate::configs::RuntimeBlockWeights::get()
        .get(frame_support::dispatch::DispatchClass::Normal)
        .max_extrinsic
        .unwrap();
    let commit = RuntimeCall::Usage(pallet_usage::Call::commit_batch {
        shard: 0,
        sequence: 0,
        root: [0; 32],
        body_hash: [0; 32],
        body_bytes: 1,
        cells: 1,
        days: sealed_register::DayRange {
            first: sealed_register::OperatingDay(1),
            last: sealed_register::OperatingDay(1),
        },
        as_of: 1,
        as_of_hash: Default::default(),
    });
    assert!(commit.get_dispatch_info().call_weight.all_lte(limit));
}

/// Clients are generated from this file (`client/README.md`, "Versions"). `WATTSEAL_WRITE_METADATA=1` writes it anew.
#[test]
fn the_clients_metadata_is_this_runtimes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../client/metadata.scale");
    let metadata = crate::Runtime::metadata_at_version(15).unwrap();
    if std::env::var_os("WATTSEAL_WRITE_METADATA").is_some() {
        std::fs::write(path, &*metadata).unwrap();
    }
    let same = std::fs::read(path).unwrap() == *metadata;
    assert!(same, "client/metadata.scale describes another runtime: run this test with WATTSEAL_WRITE_METADATA=1");
}
