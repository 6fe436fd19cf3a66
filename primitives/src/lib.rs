//! Types and runtime APIs that Wattseal's pallets, node and clients share.
//!
//! What stands on chain is written to be read by people in any Substrate client: enums and text instead of bare
//! numbers, a doc comment on every field.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod apis;
pub mod consent;
pub mod keys;
pub mod meters;
pub mod offchain;
pub mod organisations;
pub mod usage;

use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiSignature,
};

/// Number of a block. Blocks come every two seconds.
pub type BlockNumber = u32;
/// Signature of an extrinsic.
pub type Signature = MultiSignature;
/// Public key of an account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Number of extrinsics that an account has sent.
pub type Nonce = u32;
/// Hash of a block or an extrinsic.
pub type Hash = sp_core::H256;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block whose extrinsics are bytes: enough for everything outside the runtime.
pub type OpaqueBlock = generic::Block<Header, sp_runtime::OpaqueExtrinsic>;
/// Milliseconds since 1970-01-01 00:00 UTC.
pub type Moment = u64;

pub use wattseal_ingest::bridge;

pub use sealed_register::{Channel, Channels, DayRange, Level, MeterId, OperatingDay, OrganisationId};

/// Milliseconds between two blocks.
pub const SLOT_MILLISECONDS: u64 = 2_000;
/// Blocks whose hashes the chain remembers (2.3 hours); no extrinsic lives longer.
pub const BLOCK_HASH_COUNT: BlockNumber = 4_096;

/// The local day of a moment by Central Standard Time (UTC-6 the whole year): access windows of consents are counted so,
/// since the chain knows no daylight-saving time; between 05:00 and 06:00 UTC in summer it is a day late.
pub fn central_day(moment: Moment) -> OperatingDay {
    const DAY: u64 = 86_400_000;
    const CENTRAL: u64 = 6 * 3_600_000;
    let unix_days = moment.saturating_sub(CENTRAL) / DAY;
    let days = unix_days.saturating_sub(OperatingDay::UNIX_DAYS_AT_ZERO as u64);
    OperatingDay(u16::try_from(days).unwrap_or(u16::MAX))
}
