//! Genesis presets. Participants are named by what they are.

use crate::{AccountId, RuntimeGenesisConfig};
use alloc::{format, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use sealed_register::OrganisationId;
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{crypto::get_public_from_string_or_panic, sr25519};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use wattseal_primitives::organisations::{Duty, Role};

/// The organisations of the presets: short name, role, name for people, and the seed `//Seed` of the account.
const ORGANISATIONS: [(&str, Role, &str, &str); 6] = [
    ("grid-operator", Role::GridOperator, "Grid operator", "GridOperator"),
    ("utility", Role::Utility, "Utility (TDSP)", "Utility"),
    ("retailer", Role::Retailer, "Retailer (REP of record)", "Retailer"),
    ("vendor", Role::Vendor, "Vendor", "Vendor"),
    ("regulator", Role::Regulator, "Regulator", "Regulator"),
    ("counsel", Role::ConsumerCounsel, "Consumer counsel", "ConsumerCounsel"),
];

/// Members of the council, and the validators of the local network.
const COUNCIL: [&str; 4] = ["GridOperator", "Utility", "Regulator", "ConsumerCounsel"];

/// The account of a development seed.
fn account(seed: &str) -> AccountId {
    get_public_from_string_or_panic::<sr25519::Public>(seed).into()
}

fn genesis(validators: &[&str]) -> Value {
    let organisations: Vec<_> = ORGANISATIONS
        .iter()
        .filter_map(|(id, role, name, seed)| {
            Some((OrganisationId::new(id).ok()?.as_str().into(), *role, name.as_bytes().to_vec(), account(seed)))
        })
        .collect::<Vec<(alloc::string::String, Role, Vec<u8>, AccountId)>>();
    let duties = vec![
        ("utility".into(), Duty::Feed, account("Utility//feed")),
        ("utility".into(), Duty::Delivery, account("Utility//delivery")),
    ];
    build_struct_json_patch!(RuntimeGenesisConfig {
        aura: pallet_aura::GenesisConfig {
            authorities: validators.iter().map(|seed| get_public_from_string_or_panic::<AuraId>(seed)).collect(),
        },
        grandpa: pallet_grandpa::GenesisConfig {
            authorities: validators
                .iter()
                .map(|seed| (get_public_from_string_or_panic::<GrandpaId>(seed), 1))
                .collect(),
        },
        council_membership: pallet_membership::GenesisConfig {
            members: COUNCIL.iter().map(|seed| account(seed)).collect::<Vec<_>>().try_into().unwrap_or_default(),
        },
        participants: pallet_participants::GenesisConfig { organisations, duties },
        usage: pallet_usage::GenesisConfig { shard_bits: vec![("utility".into(), 0)] },
    })
}

/// The JSON of a preset.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => genesis(&["GridOperator"]),
        LOCAL_TESTNET_RUNTIME_PRESET => genesis(&COUNCIL),
        _ => return None,
    };
    Some(format!("{patch}").into_bytes())
}

/// The presets: `development` with one validator, `local_testnet` with four.
pub fn preset_names() -> Vec<PresetId> {
    vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
