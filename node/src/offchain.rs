//! The node's off-chain database with types: how native tasks and RPC talk with the worker.

use codec::{Decode, Encode};
use pallet_usage::worker::store::Store;
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use std::sync::{Arc, Mutex, PoisonError};
use wattseal_primitives::offchain::{self as keys, QueueOutcome, QueuedRequest};

/// Largest number of requests that wait for the worker.
pub const MAX_QUEUE: usize = 256;

/// Most entries of the list of finished requests.
const MAX_DONE: usize = 256;

/// The feed's address as it was set last, kept over restarts; written by the native task and by `feed set-url`.
pub const FEED_URL: &[u8] = b"wattseal/feed-url";

/// Identifiers of requests that the chain shows done, newest last; written by the native task.
const DONE: &[u8] = b"wattseal/queue/done";

/// Off-chain storage as an object. [`OffchainStorage`] itself is `Clone` and takes `&mut self`.
trait Storage: Send {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    fn set(&mut self, key: &[u8], value: &[u8]);
    fn remove(&mut self, key: &[u8]);
    fn compare_and_set(&mut self, key: &[u8], old: Option<&[u8]>, new: &[u8]) -> bool;
}

impl<S: OffchainStorage> Storage for S {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        OffchainStorage::get(self, STORAGE_PREFIX, key)
    }
    fn set(&mut self, key: &[u8], value: &[u8]) {
        OffchainStorage::set(self, STORAGE_PREFIX, key, value);
    }
    fn remove(&mut self, key: &[u8]) {
        OffchainStorage::remove(self, STORAGE_PREFIX, key);
    }
    fn compare_and_set(&mut self, key: &[u8], old: Option<&[u8]>, new: &[u8]) -> bool {
        OffchainStorage::compare_and_set(self, STORAGE_PREFIX, key, old, new)
    }
}

/// The off-chain database, shared by native tasks and RPC.
#[derive(Clone)]
pub struct OffchainStore(Arc<Mutex<Box<dyn Storage>>>);

/// The queue of requests is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_QUEUE} requests wait already; try again in a minute")]
pub struct QueueFull;

impl OffchainStore {
    /// Wraps the node's storage.
    pub fn new(storage: impl OffchainStorage + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(storage))))
    }

    fn with<R>(&self, act: impl FnOnce(&mut dyn Storage) -> R) -> R {
        // A thread that panicked while holding the lock left the database itself whole.
        let mut storage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut **storage)
    }

    /// The bytes under a key.
    pub fn raw(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.with(|storage| storage.get(key))
    }

    /// The value under a key; what cannot be decoded is reported and counts as absent.
    pub fn get<T: Decode>(&self, key: &[u8]) -> Option<T> {
        let bytes = self.raw(key)?;
        T::decode(&mut &bytes[..])
            .inspect_err(|error| {
                log::error!(
                    target: "wattseal::worker",
                    "off-chain value {} cannot be read ({error}); it is taken for absent",
                    String::from_utf8_lossy(key),
                );
            })
            .ok()
    }

    /// Writes bytes.
    pub fn set_raw(&self, key: &[u8], value: &[u8]) {
        self.with(|storage| storage.set(key, value));
    }

    /// Writes a value.
    pub fn set(&self, key: &[u8], value: &impl Encode) {
        self.set_raw(key, &value.encode());
    }

    /// Deletes a value.
    pub fn remove(&self, key: &[u8]) {
        self.with(|storage| storage.remove(key));
    }

    /// Changes a value whatever another thread does meanwhile; a change that makes no difference writes nothing.
    fn update<T: Decode + Encode + Default>(&self, key: &[u8], mut change: impl FnMut(&mut T)) {
        loop {
            let before = self.raw(key);
            let mut value = self.get::<T>(key).unwrap_or_default();
            change(&mut value);
            let after = value.encode();
            if before.as_deref() == Some(&after[..])
                || self.with(|storage| storage.compare_and_set(key, before.as_deref(), &after))
            {
                return;
            }
        }
    }

    /// Requests that wait, oldest first.
    pub fn queue(&self) -> Vec<QueuedRequest> {
        self.get(keys::QUEUE).unwrap_or_default()
    }

    /// Puts a request into the queue. One that waits already is not put in twice; one that was finished earlier may
    /// come again (keys of a later epoch), and its old outcome is forgotten.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn enqueue(&self, request: &QueuedRequest) -> Result<[u8; 32], QueueFull> {
        let id = request_id(request);
        let mut result = Ok(id);
        let mut added = false;
        self.update::<Vec<QueuedRequest>>(keys::QUEUE, |queue| {
            (result, added) = (Ok(id), false);
            if queue.contains(request) {
                return;
            }
            if queue.len() >= MAX_QUEUE {
                result = Err(QueueFull);
                return;
            }
            queue.push(request.clone());
            added = true;
        });
        if added {
            self.update::<Vec<[u8; 32]>>(DONE, |done| done.retain(|finished| *finished != id));
            self.forget_outcome(&id);
        }
        result
    }

    /// Takes a request out of the queue; `done` says that the chain shows its effect.
    pub fn dequeue(&self, request: &QueuedRequest, done: bool) {
        self.update::<Vec<QueuedRequest>>(keys::QUEUE, |queue| queue.retain(|waiting| waiting != request));
        if done {
            let id = request_id(request);
            self.update::<Vec<[u8; 32]>>(DONE, |finished| {
                finished.retain(|known| *known != id);
                finished.push(id);
                let surplus = finished.len().saturating_sub(MAX_DONE);
                finished.drain(..surplus);
            });
        }
    }

    /// Forgets what the worker said about a request, so that it looks at it again.
    pub fn forget_outcome(&self, id: &[u8; 32]) {
        self.update::<Vec<QueueOutcome>>(keys::OUTCOMES, |outcomes| outcomes.retain(|known| known.request != *id));
    }

    /// What the worker said about a request last.
    pub fn outcome(&self, id: &[u8; 32]) -> Option<QueueOutcome> {
        let outcomes = self.get::<Vec<QueueOutcome>>(keys::OUTCOMES).unwrap_or_default();
        outcomes.into_iter().rev().find(|outcome| outcome.request == *id)
    }

    /// Whether the chain showed a request done.
    pub fn is_done(&self, id: &[u8; 32]) -> bool {
        self.get::<Vec<[u8; 32]>>(DONE).unwrap_or_default().contains(id)
    }
}

/// The worker's view of it, for what native code does under the worker's lock.
impl Store for OffchainStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.raw(key)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.set_raw(key, value);
    }

    fn clear(&mut self, key: &[u8]) {
        self.remove(key);
    }

    fn compare_and_set(&mut self, key: &[u8], old: Option<Vec<u8>>, new: &[u8]) -> bool {
        self.with(|storage| storage.compare_and_set(key, old.as_deref(), new))
    }
}

/// Identifier of a request: BLAKE2-256 of its encoding.
pub fn request_id(request: &QueuedRequest) -> [u8; 32] {
    sp_io::hashing::blake2_256(&request.encode())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::testing::store;
    use wattseal_primitives::offchain::Outcome;

    fn request(number: u32) -> QueuedRequest {
        QueuedRequest::Relay { statement: number.to_string(), signature: [0; 64] }
    }

    #[test]
    fn requests_wait_once_in_order_and_leave() {
        let store = store();
        let first = store.enqueue(&request(1)).unwrap();
        store.enqueue(&request(2)).unwrap();
        assert_eq!(store.enqueue(&request(1)).unwrap(), first);
        assert_eq!(store.queue(), [request(1), request(2)]);
        store.dequeue(&request(1), true);
        assert_eq!(store.queue(), [request(2)]);
        assert!(store.is_done(&first));
        // Coming again, it is neither done nor has it an outcome.
        let outcome = QueueOutcome { request: first, block: 3, outcome: Outcome::Sent };
        store.set(keys::OUTCOMES, &vec![outcome.clone()]);
        assert_eq!(store.outcome(&first), Some(outcome));
        store.enqueue(&request(1)).unwrap();
        assert!(!store.is_done(&first));
        assert_eq!(store.outcome(&first), None);
    }

    #[test]
    fn the_queue_is_bounded() {
        let store = store();
        for number in 0..MAX_QUEUE as u32 {
            store.enqueue(&request(number)).unwrap();
        }
        assert_eq!(store.enqueue(&request(9_999)), Err(QueueFull));
        store.dequeue(&request(0), false);
        assert!(store.enqueue(&request(9_999)).is_ok());
    }

    #[test]
    fn undecodable_values_count_as_absent() {
        let store = store();
        store.set(keys::QUEUE, &0xffff_ffff_u32);
        assert_eq!(store.get::<Vec<QueuedRequest>>(keys::QUEUE), None);
        store.enqueue(&request(1)).unwrap();
        assert_eq!(store.queue(), [request(1)]);
    }
}
