//! The node's off-chain storage: how the worker (wasm) and the native task talk.
//!
//! Data flows one way: the native task writes the configuration, the finalised height, the delivery queue and the index
//! of what the vault holds; the worker writes the outbox and its reports; the native task copies the outbox into the vault.
//! What sealing itself reads and writes there is [`wattseal_ingest::records`], under the same names here.
//! Nothing here is a reading, an ESI ID, a credential or a secret (architecture.md, "The worker's rules").

use crate::BlockNumber;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use sealed_register::{Hash, OrganisationId};

pub use wattseal_ingest::records::{
    chunk_key, heads_key, partial_key, shard_index_key, staged_key, stream_index_key, DayVersion, HeadEntry,
    OutboxEntry, RefusedRow, ShardIndex, StreamIndex, WaitingDay, OUTBOX,
};

/// Key of [`WorkerConfig`].
pub const CONFIG: &[u8] = b"wattseal/config";
/// Key of [`Finalised`].
pub const FINALISED: &[u8] = b"wattseal/finalised";
/// Key of the list of [`QueuedRequest`]: written by the native task only; a request leaves it when the chain shows it done.
pub const QUEUE: &[u8] = b"wattseal/queue";
/// Key of [`FeedReport`]. Written by the worker.
pub const REPORT: &[u8] = b"wattseal/report";
/// Key of the list of [`FileRecord`]. Written by the worker.
pub const FILES: &[u8] = b"wattseal/files";
/// Key of [`WorkerRuns`]. Written by the worker.
pub const RUNS: &[u8] = b"wattseal/runs";
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

/// Something to be delivered or relayed, handed in by RPC. The worker checks every signature itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum QueuedRequest {
    /// Keys of a consent for a vendor: the signed statement text, its signature, the vendor's name and secret.
    #[codec(index = 0)]
    Consent {
        /// Text of the consent statement, as signed inside `<Bytes>`.
        statement: String,
        /// The customer's sr25519 signature.
        signature: [u8; 64],
        /// The vendor.
        vendor: OrganisationId,
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

/// A file of the feed. Known by name, size and time; what its days are worth is decided by the days alone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FileRecord {
    /// Name in the listing.
    pub name: String,
    /// Size in the listing, bytes.
    pub size: u64,
    /// Time in the listing, as text.
    pub modified: String,
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
    /// What is wrong at present, with the block at which it was first seen: the keys, the address, the listing, or a
    /// file, whose name then stands before it. Gone with the next good listing; a file's, once that file is done.
    pub last_error: Option<(BlockNumber, String)>,
    /// Block of the last successful listing.
    pub last_listing: BlockNumber,
}

/// The worker's runs since the off-chain database began, for the node's metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct WorkerRuns {
    /// Runs that came to their end.
    pub ended: u64,
    /// Times that something failed: the keys, the address, the listing, a file.
    pub failures: u64,
    /// When the last run ended, milliseconds since 1970.
    pub ended_at: u64,
    /// When the feed was last listed without an error, milliseconds since 1970.
    pub listed_at: u64,
}
