//! Genesis presets. Participants are named by what they are.

use crate::{AccountId, RuntimeGenesisConfig};
use alloc::{format, string::String, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use pallet_participants::GenesisOrganisation;
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{crypto::get_public_from_string_or_panic, sr25519};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use wattseal_primitives::organisations::Role;

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
    let organisations = ORGANISATIONS
        .iter()
        .map(|(id, role, name, seed)| {
            let duty = |of: &str| (*role == Role::Utility).then(|| account(&format!("{seed}//{of}")));
            GenesisOrganisation {
                id: (*id).into(),
                role: *role,
                name: (*name).into(),
                account: account(seed),
                endpoint: String::new(),
                feed: duty("feed"),
                delivery: duty("delivery"),
            }
        })
        .collect::<Vec<_>>();
    build_struct_json_patch!(RuntimeGenesisConfig {
        aura: pallet_aura::GenesisConfig {
            authorities: validators.iter().map(|seed| get_public_from_string_or_panic::<AuraId>(seed)).collect(),
        },
        grandpa: pallet_grandpa::GenesisConfig {
            authorities: validators
                .iter()
                .map(|seed| (get_public_from_string_or_panic::<GrandpaId>(seed), 1u64))
                .collect(),
        },
        council_membership: pallet_membership::GenesisConfig {
            members: COUNCIL.iter().map(|seed| account(seed)).collect::<Vec<_>>().try_into().unwrap_or_default(),
        },
        participants: pallet_participants::GenesisConfig { organisations },
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
