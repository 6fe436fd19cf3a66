//! The sealed register: how readings are encrypted, committed, shared and verified (protocol version 1).
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod batch;
pub mod cell;
pub mod decode;
pub mod evidence;
pub mod finalized;
pub mod hash;
pub mod heads;
pub mod open;
pub mod proof;
pub mod secrets;
pub mod shard;
pub mod tree;
pub mod types;
pub mod verified;
pub mod verify;
pub mod word;

pub use cell::{Head, Header, Kind, SealedCell, Status};
pub use open::{Cursor, Keyring};
pub use secrets::{MeterKey, Secret, SecretPurpose, UtilitySecrets};
pub use tree::{Cover, LeafKey, TreeNode};
pub use types::*;
