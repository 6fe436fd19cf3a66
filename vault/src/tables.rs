//! The tables of the file. Keys are fixed-width, numbers big-endian, so that ranges of keys are ranges of things.

use crate::{
    error::VaultError,
    names::{BATCH_KEY, CELL_KEY, DAY_KEY, SHARD_KEY},
};
use redb::{TableDefinition, WriteTransaction};

/// (utility, meter, channel, sequence) -> check value of 16 bytes and the encoded cell.
pub(crate) const CELLS: TableDefinition<&[u8; CELL_KEY], &[u8]> = TableDefinition::new("cells");
/// (utility, shard, sequence) -> [`crate::records::BatchRecord`].
pub(crate) const BATCHES: TableDefinition<&[u8; BATCH_KEY], &[u8]> = TableDefinition::new("batches");
/// (utility, shard) -> [`crate::records::ShardRecord`].
pub(crate) const SHARDS: TableDefinition<&[u8; SHARD_KEY], &[u8]> = TableDefinition::new("shards");
/// (utility, shard) -> all heads of the shard, as [`sealed_register::heads::Heads::encode`] writes them.
pub(crate) const HEADS: TableDefinition<&[u8; SHARD_KEY], &[u8]> = TableDefinition::new("heads");
/// (utility, meter, channel, day) -> newest revision.
pub(crate) const REVISIONS: TableDefinition<&[u8; DAY_KEY], u16> = TableDefinition::new("revisions");
/// Body hash -> [`crate::records::StagedRecord`].
pub(crate) const STAGED: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("staged");
/// (body hash, number of the chunk) -> chunk.
pub(crate) const CHUNKS: TableDefinition<(&[u8; 32], u32), &[u8]> = TableDefinition::new("staged-chunks");
/// Number -> [`crate::receipts::StoredReceipt`].
pub(crate) const RECEIPTS: TableDefinition<u64, &[u8]> = TableDefinition::new("receipts");
/// (utility and meter, number) -> nothing.
pub(crate) const RECEIPTS_OF: TableDefinition<(&[u8; 32], u64), ()> = TableDefinition::new("receipts-of-meter");
/// (block of the request, reader and nonce) -> nothing.
pub(crate) const NONCES: TableDefinition<(u32, &[u8; 48]), ()> = TableDefinition::new("nonces");
/// Name -> value.
pub(crate) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// In [`META`]: genesis hash of the chain.
pub(crate) const GENESIS: &str = "genesis";
/// In [`META`]: account that signs the receipts.
pub(crate) const ACCOUNT: &str = "account";

/// Creates all tables, so that reading never meets a missing one.
pub(crate) fn create(transaction: &WriteTransaction) -> Result<(), VaultError> {
    transaction.open_table(CELLS)?;
    transaction.open_table(BATCHES)?;
    transaction.open_table(SHARDS)?;
    transaction.open_table(HEADS)?;
    transaction.open_table(REVISIONS)?;
    transaction.open_table(STAGED)?;
    transaction.open_table(CHUNKS)?;
    transaction.open_table(RECEIPTS)?;
    transaction.open_table(RECEIPTS_OF)?;
    transaction.open_table(NONCES)?;
    transaction.open_table(META)?;
    Ok(())
}
