//! What the worker, the node's native tasks and bulk ingest hand each other, and its keys in the node's off-chain storage.
//!
//! Nothing here is a reading, an ESI ID, a credential or a secret.

use crate::BlockNumber;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use sealed_register::{Channel, Hash, MeterId, OperatingDay};

/// Key of the list of [`OutboxEntry`], oldest first. Written by the worker.
pub const OUTBOX: &[u8] = b"wattseal/outbox";

/// A sealed batch on its way to the vault and the chain. Written in the order manifest, body chunks, index entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OutboxEntry {
    /// Shard.
    pub shard: u16,
    /// Sequence number in the shard.
    pub sequence: u32,
    /// Root over all heads after this batch.
    pub root: Hash,
    /// Hash over the hashes of the chunks.
    pub body_hash: Hash,
    /// Length of the body, bytes.
    pub body_bytes: u32,
    /// Number of chunks.
    pub chunks: u32,
    /// Number of cells.
    pub cells: u32,
    /// First and last day of the cells.
    pub first_day: OperatingDay,
    /// Last day of the cells.
    pub last_day: OperatingDay,
    /// Block in whose state the epochs were read.
    pub as_of: BlockNumber,
    /// Its hash.
    pub as_of_hash: Hash,
    /// Block at which the commitment was last signed; 0 = not yet.
    pub signed_at: BlockNumber,
}

/// Key of one chunk of an outbox body.
pub fn chunk_key(shard: u16, sequence: u32, chunk: u32) -> Vec<u8> {
    (b"wattseal/outbox/chunk", shard, sequence, chunk).encode()
}

/// Key under which the native task writes the body hash once the body is in the vault's staging area, fsynced.
pub fn staged_key(shard: u16, sequence: u32) -> Vec<u8> {
    (b"wattseal/outbox/staged", shard, sequence).encode()
}

/// Key of [`ShardIndex`].
pub fn shard_index_key(shard: u16) -> Vec<u8> {
    (b"wattseal/index/shard", shard).encode()
}

/// Key of one part (at most 1 MiB, SCALE `Vec<HeadEntry>`) of a shard's heads.
pub fn heads_key(shard: u16, part: u32) -> Vec<u8> {
    (b"wattseal/index/heads", shard, part).encode()
}

/// Key of [`StreamIndex`].
pub fn stream_index_key(meter: &MeterId, channel: Channel) -> Vec<u8> {
    (b"wattseal/index/stream", meter, channel).encode()
}

/// Key of the sealed cell of a revision of a day with missing intervals, kept so that the rest of the day can complete it.
pub fn partial_key(meter: &MeterId, channel: Channel, day: OperatingDay, revision: u16) -> Vec<u8> {
    (b"wattseal/partial", meter, channel, day, revision).encode()
}

/// What the vault holds of a shard; written last, after streams and heads. The worker seals only when it equals the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ShardIndex {
    /// Number of batches that the vault has imported: the next batch's sequence.
    pub next_sequence: u32,
    /// Number of parts of the heads.
    pub head_parts: u32,
    /// Number of head entries.
    pub heads: u32,
}

/// Head of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HeadEntry {
    /// The meter.
    pub meter: MeterId,
    /// The channel.
    pub channel: Channel,
    /// Sequence number of the newest cell.
    pub sequence: u32,
    /// Hash of the newest cell.
    pub hash: Hash,
    /// Greatest operating day of all cells.
    pub day_high: OperatingDay,
}

/// What the worker must know of one stream to seal its next cell: a cache, rebuilt by the native task from vault and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct StreamIndex {
    /// Newest version of each sealed day, by day.
    pub days: Vec<DayVersion>,
    /// Days sealed under each epoch, by epoch.
    pub epochs: Vec<(u32, OperatingDay, OperatingDay)>,
}

/// Newest version of a sealed day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DayVersion {
    /// The day.
    pub day: OperatingDay,
    /// Revision, from 0.
    pub revision: u16,
    /// REVISION_DATE, minutes since 2000-01-01; 0 = none.
    pub revision_date: u32,
    /// Keyed digest (K_siv) of the clear words: equal digests, equal values.
    pub digest: [u8; 8],
}

/// One refused row.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RefusedRow {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Name of the field.
    pub field: String,
    /// Reason, without the row's content.
    pub reason: String,
}

/// One waiting or held day.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WaitingDay {
    /// File name.
    pub file: String,
    /// The meter (for waiting days: as of the first tenancy that is not registered).
    pub meter: MeterId,
    /// The day.
    pub day: OperatingDay,
    /// The channel.
    pub channel: Channel,
}
