//! Taking a batch: only what extends every stream and has the chain's root is kept (protocol section 5).

use crate::{
    error::VaultError,
    names::{day_key, shard_key, BatchName, CellKey, DAY_KEY},
    records::{self, encode_cell, BatchRecord, ChunkRecord, ShardRecord},
    staging, tables, Vault,
};
use codec::Encode;
use redb::{ReadableTable, WriteTransaction};
use sealed_register::{
    batch::{BatchSummary, CHUNK_HEADER_BYTES},
    BatchContext, BatchVerifier, Channel, Hash, Heads, Kind, MeterId, OperatingDay, OrganisationId, SealedCell, Shard,
};
use std::collections::BTreeMap;

/// What an import added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The batch.
    pub batch: BatchName,
    /// Number of new cells.
    pub cells: u32,
}

/// The meter's key epoch at the block that the batch names, `None` if it was not registered then; an error if the chain
/// could not be asked.
pub type EpochAt<'a> = dyn FnMut(&MeterId) -> Result<Option<u32>, String> + 'a;

/// Newest revisions of days.
pub(crate) type Revisions = BTreeMap<(MeterId, Channel, OperatingDay), u16>;

/// What the verifier asks: the chain's epochs (each once), and revisions.
pub(crate) struct Context<'a, T> {
    pub(crate) utility: OrganisationId,
    /// The store's.
    pub(crate) revisions: &'a T,
    /// Those of batches that come before this one and are not in the store yet.
    pub(crate) pending: &'a Revisions,
    pub(crate) epoch_at: &'a mut EpochAt<'a>,
    pub(crate) epochs: &'a mut BTreeMap<MeterId, Option<u32>>,
    pub(crate) failure: Option<VaultError>,
    pub(crate) batch: BatchName,
}

impl<T: ReadableTable<&'static [u8; DAY_KEY], u16>> BatchContext for Context<'_, T> {
    fn epoch(&mut self, meter: &MeterId) -> Option<u32> {
        if let Some(known) = self.epochs.get(meter) {
            return *known;
        }
        let epoch = match (self.epoch_at)(meter) {
            Ok(epoch) => epoch,
            Err(problem) => {
                self.failure.get_or_insert(VaultError::Chain { batch: self.batch, problem });
                None
            }
        };
        self.epochs.insert(*meter, epoch);
        epoch
    }

    fn newest_revision(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay) -> Option<u16> {
        if let Some(revision) = self.pending.get(&(*meter, channel, day)) {
            return Some(*revision);
        }
        match self.revisions.get(&day_key(&self.utility, meter, channel, day)) {
            Ok(value) => value.map(|value| value.value()),
            Err(error) => {
                self.failure.get_or_insert(error.into());
                None
            }
        }
    }
}

impl Vault {
    /// Takes the next batch of a shard from staging, if its body keeps all that the chain says about it.
    ///
    /// `bits` are the utility's shard bits and `announced` what stands on chain, both of a finalised block. `epoch_at`
    /// answers for the block that the batch names.
    ///
    /// # Errors
    /// [`VaultError::NotStaged`], [`VaultError::OutOfTurn`], [`VaultError::ShardBits`], [`VaultError::Refused`] (names
    /// the cell), [`VaultError::Chain`], [`VaultError::Storage`]. Nothing has changed then.
    pub fn import(
        &self,
        batch: &BatchName,
        bits: u8,
        announced: &BatchSummary,
        epoch_at: &mut EpochAt<'_>,
    ) -> Result<Imported, VaultError> {
        let staged = self.staged(&announced.body_hash)?.ok_or(VaultError::NotStaged(*batch))?;
        if staged.batch != *batch {
            // The body says itself to which batch it belongs, so it can be that of no other.
            return Err(VaultError::NotStaged(*batch));
        }
        self.write(|transaction| take(transaction, &self.genesis, batch, bits, announced, staged.chunks, epoch_at))?;
        log::info!(target: "wattseal::vault", "{batch}: {} cells imported", announced.cells);
        Ok(Imported { batch: *batch, cells: announced.cells })
    }
}

fn take(
    transaction: &WriteTransaction,
    genesis: &Hash,
    batch: &BatchName,
    bits: u8,
    announced: &BatchSummary,
    chunks: u32,
    epoch_at: &mut EpochAt<'_>,
) -> Result<(), VaultError> {
    let shard = Shard { genesis: *genesis, utility: batch.utility, id: batch.shard, bits };
    check_turn(transaction, batch, bits)?;
    let before = records::heads(&transaction.open_table(tables::HEADS)?, shard)?;
    let mut verifier = BatchVerifier::new(*announced, batch.sequence, before);
    let mut record = BatchRecord { summary: *announced, chunks: Vec::new(), cells: Vec::new() };
    let (mut epochs, pending) = (BTreeMap::new(), Revisions::new());
    for number in 0..chunks {
        let (prefix, cells) = {
            let table = transaction.open_table(tables::CHUNKS)?;
            let chunk = table.get((&announced.body_hash, number))?.ok_or(VaultError::NotStaged(*batch))?;
            let revisions = transaction.open_table(tables::REVISIONS)?;
            let mut context = Context {
                utility: batch.utility,
                revisions: &revisions,
                pending: &pending,
                epoch_at: &mut *epoch_at,
                epochs: &mut epochs,
                failure: None,
                batch: *batch,
            };
            let cells = verifier.chunk(chunk.value(), &mut context);
            if let Some(failure) = context.failure {
                return Err(failure);
            }
            let cells = cells.map_err(|error| VaultError::Refused { batch: *batch, error })?;
            // The verifier has read the whole header, so it is there.
            let prefix = chunk.value().first_chunk::<CHUNK_HEADER_BYTES>().copied();
            (prefix.unwrap_or([0; CHUNK_HEADER_BYTES]), cells)
        };
        record.chunks.push(ChunkRecord { header: prefix, cells: u32::try_from(cells.len()).unwrap_or(u32::MAX) });
        store_cells(transaction, batch, cells, &mut record)?;
    }
    let heads = verifier.finish().map_err(|error| VaultError::Refused { batch: *batch, error })?;
    store_batch(transaction, batch, bits, &record, &heads)?;
    staging::clear(transaction, batch)
}

fn check_turn(transaction: &WriteTransaction, batch: &BatchName, bits: u8) -> Result<(), VaultError> {
    let known = records::shard(&transaction.open_table(tables::SHARDS)?, &batch.utility, batch.shard)?;
    let expected = known.map_or(0, |known| known.next_sequence);
    if batch.sequence != expected {
        return Err(VaultError::OutOfTurn { batch: *batch, expected });
    }
    match known {
        Some(ShardRecord { bits: expected, .. }) if expected != bits => {
            Err(VaultError::ShardBits { batch: *batch, expected, found: bits })
        }
        _ => Ok(()),
    }
}

fn store_cells(
    transaction: &WriteTransaction,
    batch: &BatchName,
    cells: Vec<(SealedCell, Hash)>,
    record: &mut BatchRecord,
) -> Result<(), VaultError> {
    let mut table = transaction.open_table(tables::CELLS)?;
    let mut revisions = transaction.open_table(tables::REVISIONS)?;
    for (cell, _) in cells {
        let header = cell.header;
        let (meter, channel, sequence) = (header.meter, header.channel, header.sequence);
        let key = CellKey { utility: batch.utility, meter, channel, sequence };
        table.insert(&key.bytes(), encode_cell(&key, &cell).as_slice())?;
        if header.kind == Kind::Day {
            revisions.insert(&day_key(&batch.utility, &meter, channel, header.day), header.revision)?;
        }
        record.cells.push((meter, channel, sequence));
    }
    Ok(())
}

fn store_batch(
    transaction: &WriteTransaction,
    batch: &BatchName,
    bits: u8,
    record: &BatchRecord,
    heads: &Heads,
) -> Result<(), VaultError> {
    let key = shard_key(&batch.utility, batch.shard);
    // The greatest number can be used, but nothing can follow it.
    let next_sequence = batch.sequence.saturating_add(1);
    let shard = ShardRecord { bits, next_sequence, root: record.summary.root };
    transaction.open_table(tables::HEADS)?.insert(&key, heads.encode().as_slice())?;
    transaction.open_table(tables::BATCHES)?.insert(&batch.bytes(), record.encode().as_slice())?;
    transaction.open_table(tables::SHARDS)?.insert(&key, shard.encode().as_slice())?;
    Ok(())
}
