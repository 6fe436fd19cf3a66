//! The Wattseal node: chain, worker, vault and JSON-RPC in one binary.
//!
//! [`service`] wires the SDK's full node (AURA, GRANDPA) with the vault, the native tasks that feed worker and vault
//! ([`tasks`]), the approval of runtimes ([`approval`]), the RPC module ([`rpc`]) and the
//! [`metrics`].

pub mod approval;
pub mod chain;
pub mod chain_spec;
pub mod cli;
pub mod command;
pub mod feed_client;
pub mod keys;
pub mod metrics;
pub mod offchain;
pub mod rpc;
pub mod service;
pub mod tasks;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod vectors;

/// The block type outside the runtime.
pub use wattseal_primitives::OpaqueBlock as Block;
