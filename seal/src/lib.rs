//! The sealed register: how readings are encrypted, committed, shared and verified (protocol version 1).
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod amend;
pub mod batch;
pub mod batch_check;
pub mod cell;
pub mod decode;
pub mod delivery;
pub mod evidence;
pub mod finalized;
pub mod grantee;
pub mod hash;
pub mod heads;
pub mod kem;
pub mod open;
pub mod plain_words;
pub mod proof;
pub mod seal;
pub mod secrets;
pub mod shard;
pub mod statement;
pub mod ticket;
pub mod tree;
pub mod types;
pub mod verified;
pub mod verify;
pub mod word;

pub use batch::{BatchBuilder, BatchSummary};
pub use batch_check::{BatchContext, BatchVerifier};
pub use cell::{Head, Header, Kind, SealedCell, Status};
pub use finalized::{FinalizedRoot, Provenance};
pub use heads::Heads;
pub use open::{open, reopen, Cursor, Keyring, OpenError, Opened};
pub use proof::{build_range, RangeProof, RangeRequest};
pub use seal::{SealError, StreamSealer};
pub use secrets::{MeterKey, Secret, SecretPurpose, UtilitySecrets};
pub use shard::{shard_of, Shard, ShardId};
pub use tree::{Cover, LeafKey, TreeNode};
pub use types::*;
pub use verified::{VerifiedCell, VerifiedRange};
pub use verify::verify_range;
