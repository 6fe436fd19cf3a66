//! Batches of usage commitments.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sealed_register::{DayRange, Hash};

/// Largest body of a batch, bytes (protocol section 5).
pub const MAX_BODY_BYTES: u32 = 8 * 1024 * 1024;
/// Most cells of a batch (protocol section 5).
pub const MAX_BATCH_CELLS: u32 = 8_192;
/// Largest age of the block at which a batch's epochs were read, blocks (protocol section 5).
pub const MAX_AS_OF_AGE: u32 = 150;
/// Most leading bits of a MeterId that name a shard: 1,024 shards of at most 16,384 meters.
pub const MAX_SHARD_BITS: u8 = 10;

/// A committed batch as it stands on chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Batch<BlockNumber> {
    /// Merkle root over the heads of all streams of the shard after this batch.
    pub root: Hash,
    /// Hash over the hashes of the body's chunks.
    pub body_hash: Hash,
    /// Length of the body, bytes.
    pub body_bytes: u32,
    /// Number of new cells.
    pub cells: u32,
    /// Days that the new cells lie in.
    pub days: DayRange,
    /// Block in whose state the cells' epochs were read.
    pub as_of: BlockNumber,
    /// Block that carries this commitment.
    pub committed_at: BlockNumber,
}

/// A shard as it stands on chain.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ShardState {
    /// Number of batches so far; the next batch carries this number (the first is 0).
    pub next_sequence: u32,
    /// Root after the newest batch; zero before the first.
    pub root: Hash,
}
