//! The node's off-chain storage: how the worker (wasm) and the native task talk.
//!
//! Data flows one way: the native task writes the configuration, the finalised height, the delivery queue and the index
//! of what the vault holds; the worker writes the outbox and its reports; the native task copies the outbox into the vault.
//! Nothing here is a reading, an ESI ID, a credential or a secret (architecture.md, "The worker's rules").

use crate::BlockNumber;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use sealed_register::{Channel, Hash, MeterId, OperatingDay, OrganisationId};

/// Key of [`WorkerConfig`].
pub const CONFIG: &[u8] = b"wattseal/config";
/// Key of [`Finalised`].
pub const FINALISED: &[u8] = b"wattseal/finalised";
/// Key of the list of [`OutboxEntry`], oldest first. Written by the worker.
pub const OUTBOX: &[u8] = b"wattseal/outbox";
/// Key of the list of [`QueuedRequest`]: written by the native task only; a request leaves it when the chain shows it done.
pub const QUEUE: &[u8] = b"wattseal/queue";
/// Key of [`FeedReport`]. Written by the worker.
pub const REPORT: &[u8] = b"wattseal/report";
/// Key of the list of [`FileRecord`]. Written by the worker.
pub const FILES: &[u8] = b"wattseal/files";
/// Key of the list of [`QueueOutcome`], newest last, at most 256. Written by the worker.
pub const OUTCOMES: &[u8] = b"wattseal/outcomes";

/// What the native task tells the worker, written at start and on change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WorkerConfig {
    /// The utility whose feed this is.
    pub utility: OrganisationId,
    /// Folder of SMT files, with `/` at the end; empty: no feed.
    pub feed_url: String,
    /// Random, new at each start of the node, so that a killed run's lock blocks nobody.
    pub boot: [u8; 16],
    /// Public key of the sealing key in the keystore (never published).
    pub sealing_key: [u8; 32],
    /// Public key of the feed account.
    pub feed_key: [u8; 32],
    /// Public key of the delivery account.
    pub delivery_key: [u8; 32],
    /// Check value of the sealing secret, once known: the worker refuses to seal when it changes.
    pub check_value: Option<[u8; 8]>,
    /// Generation of the sealing secret.
    pub generation: u16,
}

/// The newest finalised block, written by the native task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Finalised {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: Hash,
}

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

/// Something to be delivered or relayed, handed in by RPC. The worker checks every signature itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum QueuedRequest {
    /// Keys of a consent for a vendor: the signed statement text, its signature, the vendor's account and secret.
    #[codec(index = 0)]
    Consent {
        /// Text of the consent statement, as signed inside `<Bytes>`.
        statement: String,
        /// The customer's sr25519 signature.
        signature: [u8; 64],
        /// The vendor's account.
        vendor: [u8; 32],
        /// The request's secret.
        secret: [u8; 32],
    },
    /// The meter's key for the customer who claimed it: the signed claim, the ticket's signature, the X-Wing key.
    #[codec(index = 1)]
    MeterKey {
        /// Text of the claim statement.
        statement: String,
        /// The ticket key's sr25519 signature.
        signature: [u8; 64],
        /// The customer's X-Wing public key, 1,216 bytes.
        kem_public: Vec<u8>,
    },
    /// A statement to be carried to the chain in this node's own extrinsic (claim, consent, revoke, narrow).
    #[codec(index = 2)]
    Relay {
        /// Text of the statement.
        statement: String,
        /// Its signature.
        signature: [u8; 64],
    },
}

/// What became of a queued request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct QueueOutcome {
    /// BLAKE2-256 of the encoded request.
    pub request: Hash,
    /// Block at which the worker looked.
    pub block: BlockNumber,
    /// What it did.
    pub outcome: Outcome,
}

/// See [`QueueOutcome`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Signed and handed to the pool; the chain shows the rest.
    #[codec(index = 0)]
    Sent,
    /// Refused for ever, with the reason for people.
    #[codec(index = 1)]
    Refused(String),
    /// Nothing to do: the chain has it already.
    #[codec(index = 2)]
    AlreadyThere,
}

/// A file of the feed. Known by name, size, time and content hash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FileRecord {
    /// Name in the listing.
    pub name: String,
    /// Size in the listing, bytes.
    pub size: u64,
    /// Time in the listing, as text.
    pub modified: String,
    /// BLAKE3 of the content, once read.
    pub content: Option<Hash>,
    /// What has become of it.
    pub state: FileState,
    /// Rows read.
    pub rows: u64,
    /// Cells sealed from it so far.
    pub cells: u32,
}

/// See [`FileRecord`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FileState {
    /// Seen in one listing; read once the next agrees.
    #[codec(index = 0)]
    Seen,
    /// Being sealed: a later pass finds what is left.
    #[codec(index = 1)]
    Sealing,
    /// Everything in it that can be sealed is on chain.
    #[codec(index = 2)]
    Done,
    /// Cannot be used at all, with the reason for people.
    #[codec(index = 3)]
    Refused(String),
    /// Sealed but for rows that wait for their meters' registration.
    #[codec(index = 4)]
    Waiting,
}

/// What the operator sees with `feed refused` and `feed waiting`; bounded lists, never a row's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct FeedReport {
    /// Refused rows, newest files last, at most 1,000.
    pub refused: Vec<RefusedRow>,
    /// Refused rows in all.
    pub refused_total: u64,
    /// Days that wait for a meter's registration: (MeterId of tenancy 0, day, file), at most 1,000.
    pub waiting: Vec<WaitingDay>,
    /// Waiting days in all.
    pub waiting_total: u64,
    /// Days held for the operator: equal or no REVISION_DATE and other values, at most 1,000.
    pub held: Vec<WaitingDay>,
    /// Amendments ignored since they are older than what is sealed.
    pub older: u64,
    /// Last error of listing or fetching, with the block at which it happened.
    pub last_error: Option<(BlockNumber, String)>,
    /// Block of the last successful listing.
    pub last_listing: BlockNumber,
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
