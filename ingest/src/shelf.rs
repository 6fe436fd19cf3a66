//! Where a pass finds what is sealed already, and where it puts what it seals.

use crate::records::{
    chunk_key, heads_key, partial_key, shard_index_key, stream_index_key, HeadEntry, OutboxEntry, ShardIndex,
    StreamIndex, OUTBOX,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use sealed_register::{Channel, MeterId, OperatingDay};

/// What a pass reads and writes. Nothing of it is a reading in clear.
pub trait Shelf {
    /// What the vault holds of a shard.
    fn shard_index(&self, shard: u16) -> ShardIndex;

    /// One part of a shard's heads.
    fn heads(&self, shard: u16, part: u32) -> Option<Vec<HeadEntry>>;

    /// The sealed days of a stream; none if nothing was sealed.
    fn stream(&self, meter: &MeterId, channel: Channel) -> StreamIndex;

    /// The sealed cell of a revision with missing intervals, if it was kept.
    fn short_day(&self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16) -> Option<Vec<u8>>;

    /// Keeps the sealed cell of a revision with missing intervals, so that the rest of the day can complete it.
    fn keep_short_day(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16, cell: &[u8]);

    /// Such a cell is of no more use: the chain has a later revision.
    fn forget_short_day(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16);

    /// Takes the next chunk of a batch's body, at most 1 MiB. Chunks come in order, and those of different shards may
    /// come in turns.
    fn put_chunk(&mut self, shard: u16, sequence: u32, chunk: u32, bytes: &[u8]);

    /// Takes the list of all batches that the pass has closed so far, oldest first; their chunks are written.
    fn put_batches(&mut self, batches: &[OutboxEntry]);
}

/// Key-value storage that survives runs. No iteration, no transactions: what is written last counts.
pub trait Store {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Sets a value.
    fn set(&mut self, key: &[u8], value: &[u8]);

    /// Removes a key.
    fn clear(&mut self, key: &[u8]);

    /// Sets a value if the present one is `old`; whether it was.
    fn compare_and_set(&mut self, key: &[u8], old: Option<Vec<u8>>, new: &[u8]) -> bool;

    /// The decoded value; nothing if there is none, or none of this type (written by another version).
    fn read<V: Decode>(&self, key: &[u8]) -> Option<V> {
        V::decode_all(&mut self.get(key)?.as_slice()).ok()
    }

    /// Sets an encoded value.
    fn write<V: Encode>(&mut self, key: &[u8], value: &V) {
        value.using_encoded(|bytes| self.set(key, bytes));
    }
}

/// The worker's shelf is the node's off-chain storage, under the keys of [`crate::records`].
impl<S: Store> Shelf for S {
    fn shard_index(&self, shard: u16) -> ShardIndex {
        self.read(&shard_index_key(shard)).unwrap_or_default()
    }

    fn heads(&self, shard: u16, part: u32) -> Option<Vec<HeadEntry>> {
        self.read(&heads_key(shard, part))
    }

    fn stream(&self, meter: &MeterId, channel: Channel) -> StreamIndex {
        self.read(&stream_index_key(meter, channel)).unwrap_or_default()
    }

    fn short_day(&self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16) -> Option<Vec<u8>> {
        self.get(&partial_key(meter, channel, day, revision))
    }

    fn keep_short_day(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16, cell: &[u8]) {
        self.set(&partial_key(meter, channel, day, revision), cell);
    }

    fn forget_short_day(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16) {
        self.clear(&partial_key(meter, channel, day, revision));
    }

    fn put_chunk(&mut self, shard: u16, sequence: u32, chunk: u32, bytes: &[u8]) {
        self.set(&chunk_key(shard, sequence, chunk), bytes);
    }

    fn put_batches(&mut self, batches: &[OutboxEntry]) {
        batches.using_encoded(|bytes| self.set(OUTBOX, bytes));
    }
}
