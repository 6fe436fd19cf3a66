//! Bodies that are made or fetched, and wait for the chain to name them.

use crate::{
    error::VaultError,
    names::BatchName,
    records::{self, StagedRecord},
    tables, Vault,
};
use codec::Encode;
use redb::{ReadableTable, WriteTransaction};
use sealed_register::{
    batch::{BodyHasher, MAX_BODY_BYTES, MAX_CHUNK_BYTES},
    Hash,
};

/// A staged body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The batch.
    pub batch: BatchName,
    /// Hash of the body.
    pub body_hash: Hash,
    /// Number of chunks.
    pub chunks: u32,
}

impl Vault {
    /// Takes a body, chunk by chunk, and has it on disk when this returns. Staging the same body again does nothing.
    ///
    /// # Errors
    /// [`VaultError::WrongBody`] if the chunks are too large or have another hash, [`VaultError::Storage`].
    pub fn stage<C: AsRef<[u8]>>(
        &self,
        batch: &BatchName,
        body_hash: &Hash,
        chunks: impl IntoIterator<Item = C>,
    ) -> Result<(), VaultError> {
        if self.staged(body_hash)?.is_some() {
            return Ok(());
        }
        let wrong = || VaultError::WrongBody { batch: *batch };
        self.write(|transaction| {
            let mut table = transaction.open_table(tables::CHUNKS)?;
            let mut hasher = BodyHasher::new();
            let mut count = 0_u32;
            for chunk in chunks {
                let chunk = chunk.as_ref();
                hasher.chunk(chunk);
                if chunk.len() > MAX_CHUNK_BYTES || hasher.bytes() > MAX_BODY_BYTES.into() {
                    return Err(wrong());
                }
                table.insert((body_hash, count), chunk)?;
                count = count.checked_add(1).ok_or_else(wrong)?;
            }
            if hasher.finish() != *body_hash {
                return Err(wrong());
            }
            let BatchName { utility, shard, sequence } = *batch;
            let record = StagedRecord { utility, shard: shard.0, sequence, chunks: count };
            transaction.open_table(tables::STAGED)?.insert(body_hash, record.encode().as_slice())?;
            Ok(())
        })
    }

    /// The staged body of this hash.
    ///
    /// # Errors
    /// [`VaultError::Storage`], [`VaultError::Damaged`].
    pub fn staged(&self, body_hash: &Hash) -> Result<Option<Staged>, VaultError> {
        let transaction = self.read()?;
        let table = transaction.open_table(tables::STAGED)?;
        let value = table.get(body_hash)?;
        value.map(|value| staged(body_hash, value.value())).transpose()
    }

    /// Drops a staged body that will never be committed. One that is not there is no error.
    ///
    /// # Errors
    /// [`VaultError::Storage`], [`VaultError::Damaged`].
    pub fn unstage(&self, body_hash: &Hash) -> Result<(), VaultError> {
        self.write(|transaction| remove(transaction, body_hash))
    }
}

fn staged(body_hash: &Hash, bytes: &[u8]) -> Result<Staged, VaultError> {
    let record: StagedRecord =
        records::decode(|| format!("the record of staged body {}", sealed_register::hex(body_hash)), bytes)?;
    let StagedRecord { utility, shard, sequence, chunks } = record;
    let batch = BatchName { utility, shard: sealed_register::shard::ShardId(shard), sequence };
    Ok(Staged { batch, body_hash: *body_hash, chunks })
}

fn remove(transaction: &WriteTransaction, body_hash: &Hash) -> Result<(), VaultError> {
    let mut table = transaction.open_table(tables::STAGED)?;
    let removed = table.remove(body_hash)?.map(|value| staged(body_hash, value.value())).transpose()?;
    if let Some(Staged { chunks, .. }) = removed {
        let mut table = transaction.open_table(tables::CHUNKS)?;
        for chunk in 0..chunks {
            table.remove((body_hash, chunk))?;
        }
    }
    Ok(())
}

/// Drops everything staged for a shard up to this batch: it is imported, or another body took its place.
pub(crate) fn clear(transaction: &WriteTransaction, imported: &BatchName) -> Result<(), VaultError> {
    let mut obsolete = Vec::new();
    {
        let table = transaction.open_table(tables::STAGED)?;
        for entry in table.iter()? {
            let (key, value) = entry?;
            let Staged { batch, body_hash, .. } = staged(key.value(), value.value())?;
            let same_shard = (batch.utility, batch.shard) == (imported.utility, imported.shard);
            if same_shard && batch.sequence <= imported.sequence {
                obsolete.push(body_hash);
            }
        }
    }
    obsolete.iter().try_for_each(|body_hash| remove(transaction, body_hash))
}
