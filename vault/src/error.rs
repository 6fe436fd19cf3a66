//! What can go wrong, named so that an operator knows where and what to do.

use crate::names::{BatchName, CellKey};
use sealed_register::{batch_check::BatchError, Hash};
use std::path::PathBuf;

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store failed.
    #[error("the vault's file failed: {0}; check disk space and permissions, then restart")]
    Storage(#[from] redb::Error),
    /// Another process has the file open.
    #[error("another process uses this vault; stop the node first")]
    InUse,
    /// There is no vault.
    #[error("there is no vault at {}", .0.display())]
    NoVault(PathBuf),
    /// The file belongs to another chain.
    #[error(
        "this vault belongs to the chain with genesis {}, this node to {}; give the node another base path or move \
         the vault away",
        sealed_register::hex(found),
        sealed_register::hex(expected)
    )]
    OtherChain {
        /// Genesis of the node's chain.
        expected: Hash,
        /// Genesis that the vault was made for.
        found: Hash,
    },
    /// The receipts of this vault were signed by another key.
    #[error(
        "the receipts of this vault are signed by {}, whose key is not in the keystore (it has {}); restore the key, \
         or move the vault away and begin a new one",
        sealed_register::hex(found),
        sealed_register::hex(expected)
    )]
    OtherAccount {
        /// Key in the keystore.
        expected: [u8; 32],
        /// Key that signed the receipts.
        found: [u8; 32],
    },
    /// The sealing key is not the one of earlier readings.
    #[error(
        "the sealing key in the keystore is not the one that {utility}'s readings were sealed with; put the former key \
         back, or what was sealed before could never be opened or amended again"
    )]
    OtherSealingKey {
        /// The utility.
        utility: sealed_register::OrganisationId,
    },
    /// The body is not here.
    #[error("{0} is on chain and its body is not here; it is fetched when a node has it")]
    NotStaged(BatchName),
    /// Bytes that are no body of that hash.
    #[error("a body was handed in for {batch} whose hash or size is not the announced one; it was dropped")]
    WrongBody {
        /// The batch.
        batch: BatchName,
    },
    /// A batch out of turn.
    #[error("{batch} is not the next of its shard: number {expected} is")]
    OutOfTurn {
        /// The batch.
        batch: BatchName,
        /// The number that is due.
        expected: u32,
    },
    /// The shards of a utility never change once it has published.
    #[error(
        "{batch} comes with {found} shard bits, but the shard was begun with {expected}; this node's chain is wrong"
    )]
    ShardBits {
        /// The batch.
        batch: BatchName,
        /// Bits with which the shard began.
        expected: u8,
        /// Bits given.
        found: u8,
    },
    /// The body does not keep what the chain says.
    #[error("{batch} was refused: {error}")]
    Refused {
        /// The batch.
        batch: BatchName,
        /// What does not fit.
        error: BatchError,
    },
    /// The chain could not be asked.
    #[error("the chain could not be asked about {batch}: {problem}; it is tried again")]
    Chain {
        /// The batch.
        batch: BatchName,
        /// The chain's answer.
        problem: String,
    },
    /// A stored cell is not what was stored.
    #[error("{0} is damaged; restore the vault from a copy, or delete it and let it fetch everything again")]
    DamagedCell(CellKey),
    /// Something else that was stored is not what was stored.
    #[error(
        "{what} is damaged: {problem}; restore the vault from a copy, or delete it and let it fetch everything again"
    )]
    Damaged {
        /// Which entry.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// The shard has no batch here.
    #[error("shard {shard} of {utility} has no batch here")]
    EmptyShard {
        /// The utility.
        utility: sealed_register::OrganisationId,
        /// The shard.
        shard: sealed_register::shard::ShardId,
    },
    /// The answer would be larger than any.
    #[error("the proof for this range is larger than {limit} bytes; ask for fewer days or a coarser level")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
    /// This reader's nonce was answered already.
    #[error("this request was answered already; sign a new one with another nonce")]
    NonceUsed,
    /// A receipt could not be signed; nothing is served without one.
    #[error("the receipt could not be signed: {0}")]
    Unsigned(String),
}

/// Every error of the store becomes the one of [`VaultError::Storage`].
macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for VaultError {
            fn from(error: redb::$error) -> Self {
                Self::Storage(error.into())
            }
        })*
    };
}

from_redb!(TransactionError, TableError, StorageError, CommitError, SetDurabilityError);

impl From<redb::DatabaseError> for VaultError {
    fn from(error: redb::DatabaseError) -> Self {
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            other => Self::Storage(other.into()),
        }
    }
}
