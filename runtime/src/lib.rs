//! The Wattseal runtime: AURA and GRANDPA, two-second slots, no token, no fees, no sudo.
//!
//! It composes the rooms of the house: who is who ([`pallet_participants`]), meters ([`pallet_meters`]), the committed
//! usage ([`pallet_usage`]) and consents ([`pallet_consent`]). Two thirds of the council act as Root through
//! `participants.enact`. Pallet index 60 stays unused: 0x3c is `<`, so no signed text can ever be a call.
#![cfg_attr(not(feature = "std"), no_std)]
#![allow(missing_docs, reason = "FRAME's macros generate most public items of a runtime, without documentation")]
// Metadata and dispatch of a whole runtime nest deeper than the default allows.
#![recursion_limit = "512"]

extern crate alloc;

// The wasm binary and its uncompressed form, made by build.rs.
#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

mod access;
mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
mod configs;
pub mod genesis;
mod submit;
mod weights;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use sp_runtime::{generic, impl_opaque_keys, traits::BlakeTwo256, MultiAddress};
use sp_version::RuntimeVersion;
pub use wattseal_primitives::{AccountId, BlockNumber, Hash, Nonce, Signature};

#[cfg(feature = "std")]
pub use apis::RuntimeApi;

/// How accounts are addressed in extrinsics.
pub type Address = MultiAddress<AccountId, ()>;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// What each extrinsic must pass. The two wrapped ones keep the names and encodings of the SDK's, so that every client
/// knows them; `CheckParticipation` carries no data.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    pallet_participants::MortalOnly<Runtime>,
    pallet_participants::NonceWindow<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_participants::CheckParticipation<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);
/// An extrinsic as it comes in.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What is signed.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Runs blocks.
pub type Executive =
    frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

impl_opaque_keys! {
    /// Keys with which a validator authors and finalises.
    pub struct SessionKeys {
        /// Authors blocks.
        pub aura: Aura,
        /// Votes for finality.
        pub grandpa: Grandpa,
    }
}

/// Version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("wattseal"),
    impl_name: alloc::borrow::Cow::Borrowed("wattseal"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    /// The runtime.
    pub struct Runtime;

    /// Blocks, accounts, events.
    #[runtime::pallet_index(0)]
    pub type System = frame_system;

    /// The time of blocks.
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;

    /// Who authors.
    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura;

    /// Who finalises.
    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa;

    /// Motions and votes of the council.
    #[runtime::pallet_index(4)]
    pub type Council = pallet_collective<Instance1>;

    /// Who sits on the council.
    #[runtime::pallet_index(5)]
    pub type CouncilMembership = pallet_membership<Instance1>;

    /// Who is who, and the admission gate of extrinsics.
    #[runtime::pallet_index(10)]
    pub type Participants = pallet_participants;

    /// Meters as held by one customer.
    #[runtime::pallet_index(11)]
    pub type Meters = pallet_meters;

    /// Batches of usage commitments.
    #[runtime::pallet_index(12)]
    pub type Usage = pallet_usage;

    /// Signed consents and deliveries of keys.
    #[runtime::pallet_index(13)]
    pub type Consents = pallet_consent;
}

/// Nothing has to be migrated yet.
pub type SingleBlockMigrations = ();
