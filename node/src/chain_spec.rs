//! Chain specifications: two presets of the runtime, or a file.

use sc_service::{ChainType, GenericChainSpec, Properties};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use wattseal_runtime::WASM_BINARY;

/// A chain specification without extensions.
pub type ChainSpec = GenericChainSpec;

/// Prefix of account addresses: the generic one of Substrate.
pub const SS58_PREFIX: u16 = 42;

/// What wallets and explorers ask of every chain. This one has no token: amounts never occur.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "UNIT".into());
    properties.insert("tokenDecimals".into(), 0.into());
    properties.insert("ss58Format".into(), SS58_PREFIX.into());
    properties
}

fn preset(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let wasm =
        WASM_BINARY.ok_or("this node was built without the runtime's wasm (SKIP_WASM_BUILD); build it with it")?;
    Ok(ChainSpec::builder(wasm, None)
        .with_name(name)
        .with_id(id)
        .with_chain_type(chain_type)
        .with_protocol_id("wattseal")
        .with_properties(properties())
        .with_genesis_config_preset_name(preset)
        .build())
}

/// One validator, all participants' keys derived from their names (`//Utility`, ...).
///
/// # Errors
/// If the node was built without the runtime's wasm.
pub fn development() -> Result<ChainSpec, String> {
    preset("Wattseal Development", "wattseal_dev", ChainType::Development, DEV_RUNTIME_PRESET)
}

/// Four validators on one machine: `//GridOperator`, `//Utility`, `//Regulator`, `//ConsumerCounsel`.
///
/// # Errors
/// If the node was built without the runtime's wasm.
pub fn local_testnet() -> Result<ChainSpec, String> {
    preset("Wattseal Local Testnet", "wattseal_local", ChainType::Local, LOCAL_TESTNET_RUNTIME_PRESET)
}

/// The specification of a `--chain` value: `dev`, `local` or a file.
///
/// # Errors
/// If a file cannot be read or is no chain specification.
pub fn load(id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
    Ok(match id {
        "" | "dev" => Box::new(development()?),
        "local" => Box::new(local_testnet()?),
        path => Box::new(ChainSpec::from_json_file(path.into())?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sc_service::ChainSpec as _;

    #[test]
    fn both_presets_give_a_genesis() {
        for (spec, id) in [(development(), "wattseal_dev"), (local_testnet(), "wattseal_local")] {
            let spec = spec.unwrap();
            assert_eq!(spec.id(), id);
            let storage = spec.as_storage_builder().build_storage().unwrap();
            assert!(storage.top.contains_key(b":code".as_slice()));
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        assert!(load("/nowhere/chain.json").err().unwrap().contains("/nowhere/chain.json"));
    }
}
