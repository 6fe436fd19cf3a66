//! The node's off-chain storage, and the worker's own keys in it besides those of `wattseal_primitives::offchain`.
//!
//! Nothing kept here is a reading in clear, an ESI ID, a credential or a secret.

use alloc::vec::Vec;
use codec::Encode;
use sealed_register::MeterId;
use sp_core::offchain::StorageKind;

pub use wattseal_ingest::shelf::Store;

/// Key of the lock: see [`super::lock`].
pub const LOCK: &[u8] = b"wattseal/lock";
/// Key of the check value (`[u8; 8]`) of the sealing key, for the native task to keep: see [`super::keys`].
pub const CHECK_VALUE: &[u8] = b"wattseal/check-value";
/// Key of [`super::commit::SentUpTo`] of the feed account.
pub const SENT_FEED: &[u8] = b"wattseal/sent/feed";
/// Key of [`super::commit::SentUpTo`] of the delivery account.
pub const SENT_DELIVERY: &[u8] = b"wattseal/sent/delivery";
/// Key of [`super::ingest::Progress`].
pub const PROGRESS: &[u8] = b"wattseal/progress";
/// Key of the list of [`super::report::FileCounts`].
pub const COUNTS: &[u8] = b"wattseal/counts";

/// Key of [`super::queue::Evidence`]: the newest claim of a meter whose ticket signature this node has checked itself.
pub fn evidence_key(meter: &MeterId) -> Vec<u8> {
    (b"wattseal/claim", meter).encode()
}

/// The node's off-chain database. Only usable in a worker.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeStore;

impl Store for NodeStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, key)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        sp_io::offchain::local_storage_set(StorageKind::PERSISTENT, key, value);
    }

    fn clear(&mut self, key: &[u8]) {
        sp_io::offchain::local_storage_clear(StorageKind::PERSISTENT, key);
    }

    fn compare_and_set(&mut self, key: &[u8], old: Option<Vec<u8>>, new: &[u8]) -> bool {
        sp_io::offchain::local_storage_compare_and_set(StorageKind::PERSISTENT, key, old, new)
    }
}
