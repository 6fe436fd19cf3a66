//! What must hold of the runtime as a whole.

use crate::{access::AllowList, genesis, Runtime, RuntimeCall, RuntimeGenesisConfig};
use frame_support::{
    dispatch::GetDispatchInfo,
    traits::{BuildGenesisConfig, IntegrityTest, PalletInfoAccess},
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
