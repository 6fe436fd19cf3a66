//! Reading: proofs of ranges, the cells of a batch, the heads of a shard, bodies for other vaults.

use crate::{
    error::VaultError,
    names::{meters_of_shard, BatchName, CellKey, CELL_KEY},
    records::{self, cell_bytes, decode_cell, BatchRecord},
    tables, Vault, CACHED_SHARDS,
};
use redb::{ReadTransaction, ReadableTable};
use sealed_register::{
    batch::BatchSummary,
    proof::{build_range, BuildError, RangeRequest},
    shard::{AbsenceProof, HeadTree},
    Channels, Hash, Heads, MeterId, OrganisationId, RangeProof, SealedCell, Shard, ShardId,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Most bytes of an encoded proof that a vault hands out: what fits a JSON-RPC answer of 15 MB in hexadecimal.
pub const MAX_ANSWER_BYTES: usize = 6 << 20;

/// The heads of a shard and their tree.
#[derive(Debug)]
pub struct ShardHeads {
    /// The heads.
    pub heads: Heads,
    /// Their tree after the newest batch.
    pub tree: HeadTree,
}

/// What a vault knows about a stream and a range of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeAnswer {
    /// Cells and path.
    Cells(RangeProof),
    /// Nothing was published about the meter and channel, with the proof of that.
    Absent(AbsenceProof),
}

/// Head trees of the shards asked for last.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    shards: BTreeMap<(OrganisationId, ShardId), (u64, Arc<ShardHeads>)>,
    uses: u64,
}

impl Cache {
    fn get(&mut self, shard: (OrganisationId, ShardId), sequence: u32) -> Option<Arc<ShardHeads>> {
        self.uses += 1;
        let (used, heads) = self.shards.get_mut(&shard)?;
        *used = self.uses;
        (heads.tree.batch_sequence() == sequence).then(|| Arc::clone(heads))
    }

    fn put(&mut self, shard: (OrganisationId, ShardId), heads: &Arc<ShardHeads>) {
        self.shards.insert(shard, (self.uses, Arc::clone(heads)));
        if self.shards.len() > CACHED_SHARDS {
            let oldest = self.shards.iter().min_by_key(|(_, (used, _))| *used).map(|(shard, _)| *shard);
            oldest.map(|shard| self.shards.remove(&shard));
        }
    }
}

impl Vault {
    /// Answers a request with a proof to the root of the shard's newest batch here ([`ShardHeads::tree`] has its
    /// number).
    ///
    /// # Errors
    /// [`VaultError::EmptyShard`], [`VaultError::DamagedCell`], [`VaultError::Damaged`], [`VaultError::TooLarge`],
    /// [`VaultError::Storage`].
    pub fn range(&self, shard: ShardId, request: &RangeRequest) -> Result<(RangeAnswer, Arc<ShardHeads>), VaultError> {
        let stream = request.stream;
        let transaction = self.read()?;
        let known = self.heads_in(&transaction, &stream.utility, shard)?;
        let table = transaction.open_table(tables::CELLS)?;
        let key =
            |sequence| CellKey { utility: stream.utility, meter: stream.meter, channel: stream.channel, sequence };
        let newest_first = table.range::<&[u8; CELL_KEY]>(&key(0).bytes()..=&key(u32::MAX).bytes())?.rev();
        // What the proof takes up is counted while it is built, so that nobody makes the vault collect gigabytes.
        let mut bytes = 0_usize;
        let cells = newest_first.map(|entry| {
            let (key, stored) = entry?;
            let cell = decode_cell(&parse(key.value())?, stored.value())?;
            bytes += if request.opens(&cell.header) { cell.encoded_len() } else { 68 };
            if bytes > MAX_ANSWER_BYTES {
                return Err(VaultError::TooLarge { limit: MAX_ANSWER_BYTES });
            }
            Ok(cell)
        });
        let answer = match build_range(request, cells, &known.tree) {
            Ok(proof) => RangeAnswer::Cells(proof),
            Err(BuildError::Store(error)) => return Err(error),
            Err(BuildError::NoStream) => {
                let channels = match stream.channel {
                    sealed_register::Channel::Consumption => Channels::Consumption,
                    sealed_register::Channel::Generation => Channels::Generation,
                };
                let absence = known.tree.absence(&stream.meter, channels);
                RangeAnswer::Absent(
                    absence.ok_or_else(|| damaged_shard(known.tree.shard(), "a head without its leaf"))?,
                )
            }
            Err(BuildError::TooLong) => return Err(VaultError::TooLarge { limit: MAX_ANSWER_BYTES }),
            Err(error @ BuildError::Gap { expected, .. }) => {
                log::error!(target: "wattseal::vault", "{error}");
                return Err(VaultError::DamagedCell(key(expected)));
            }
            Err(error @ BuildError::WrongShard(_)) => {
                return Err(damaged_shard(known.tree.shard(), &error.to_string()));
            }
        };
        Ok((answer, known))
    }

    /// The heads of a shard after its newest batch here.
    ///
    /// # Errors
    /// [`VaultError::EmptyShard`], [`VaultError::Damaged`], [`VaultError::Storage`].
    pub fn heads(&self, utility: &OrganisationId, shard: ShardId) -> Result<Arc<ShardHeads>, VaultError> {
        self.heads_in(&self.read()?, utility, shard)
    }

    fn heads_in(
        &self,
        transaction: &ReadTransaction,
        utility: &OrganisationId,
        shard: ShardId,
    ) -> Result<Arc<ShardHeads>, VaultError> {
        let empty = VaultError::EmptyShard { utility: *utility, shard };
        let record = records::shard(&transaction.open_table(tables::SHARDS)?, utility, shard)?.ok_or(empty)?;
        let sequence = record.next_sequence.saturating_sub(1);
        let lock = |cache: &'_ Mutex<Cache>| {
            cache.lock().unwrap_or_else(PoisonError::into_inner).get((*utility, shard), sequence)
        };
        if let Some(known) = lock(&self.cache) {
            return Ok(known);
        }
        let name = Shard { genesis: self.genesis, utility: *utility, id: shard, bits: record.bits };
        let heads = records::heads(&transaction.open_table(tables::HEADS)?, name)?;
        let tree = heads.tree(sequence);
        if tree.root() != record.root {
            return Err(damaged_shard(&name, "its heads do not give the root of its newest batch"));
        }
        let known = Arc::new(ShardHeads { heads, tree });
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).put((*utility, shard), &known);
        Ok(known)
    }

    /// What the chain said about a batch that is here.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Storage`].
    pub fn batch(&self, name: &BatchName) -> Result<Option<BatchSummary>, VaultError> {
        let transaction = self.read()?;
        Ok(batch_record(&transaction, name)?.map(|record| record.summary))
    }

    /// The cells of a batch in the order of its body; at most 8 MiB.
    ///
    /// # Errors
    /// [`VaultError::NotStaged`] if the batch is not here, [`VaultError::DamagedCell`], [`VaultError::Damaged`],
    /// [`VaultError::Storage`].
    pub fn cells_of_batch(&self, name: &BatchName) -> Result<Vec<SealedCell>, VaultError> {
        let transaction = self.read()?;
        let record = batch_record(&transaction, name)?.ok_or(VaultError::NotStaged(*name))?;
        let table = transaction.open_table(tables::CELLS)?;
        let cells = record.cells.iter().map(|(meter, channel, sequence)| {
            let key = CellKey { utility: name.utility, meter: *meter, channel: *channel, sequence: *sequence };
            let stored = table.get(&key.bytes())?.ok_or(VaultError::DamagedCell(key))?;
            decode_cell(&key, stored.value())
        });
        cells.collect()
    }

    /// The body of a batch as the utility made it, chunk by chunk, for another vault.
    ///
    /// # Errors
    /// As [`Vault::cells_of_batch`].
    pub fn body(&self, name: &BatchName) -> Result<Vec<Vec<u8>>, VaultError> {
        let transaction = self.read()?;
        let record = batch_record(&transaction, name)?.ok_or(VaultError::NotStaged(*name))?;
        body(&transaction.open_table(tables::CELLS)?, name, &record)
    }

    /// Calls `each` with every cell of a shard, stream by stream, each in order of its sequence numbers.
    ///
    /// # Errors
    /// [`VaultError::DamagedCell`], [`VaultError::Storage`], and what `each` gives.
    pub fn for_each_cell<E: From<VaultError>>(
        &self,
        utility: &OrganisationId,
        shard: ShardId,
        bits: u8,
        mut each: impl FnMut(SealedCell) -> Result<(), E>,
    ) -> Result<(), E> {
        let transaction = self.read()?;
        let cells = || -> Result<_, VaultError> {
            let table = transaction.open_table(tables::CELLS)?;
            let (first, last) = shard_bounds(utility, shard, bits);
            Ok(table.range::<&[u8; CELL_KEY]>(&first..=&last)?)
        };
        for entry in cells()? {
            let (key, stored) = entry.map_err(VaultError::from)?;
            each(decode_cell(&parse(key.value())?, stored.value())?)?;
        }
        Ok(())
    }
}

/// The least and the greatest key of a shard's cells.
pub(crate) fn shard_bounds(utility: &OrganisationId, shard: ShardId, bits: u8) -> ([u8; CELL_KEY], [u8; CELL_KEY]) {
    let (low, high) = meters_of_shard(shard, bits);
    let key = |meter: MeterId, channel, sequence| CellKey { utility: *utility, meter, channel, sequence }.bytes();
    let (first, last) = (sealed_register::Channel::Consumption, sealed_register::Channel::Generation);
    (key(low, first, 0), key(high, last, u32::MAX))
}

pub(crate) fn parse(key: &[u8; CELL_KEY]) -> Result<CellKey, VaultError> {
    CellKey::parse(key).ok_or_else(|| records::bad_key("cells", key))
}

fn batch_record(transaction: &ReadTransaction, name: &BatchName) -> Result<Option<BatchRecord>, VaultError> {
    let table = transaction.open_table(tables::BATCHES)?;
    let value = table.get(&name.bytes())?;
    value.map(|value| records::batch(name, value.value())).transpose()
}

/// Puts a body together from its cells.
pub(crate) fn body(
    cells: &impl ReadableTable<&'static [u8; CELL_KEY], &'static [u8]>,
    name: &BatchName,
    record: &BatchRecord,
) -> Result<Vec<Vec<u8>>, VaultError> {
    let mut rest = record.cells.iter();
    let mut chunks = Vec::with_capacity(record.chunks.len());
    for chunk in &record.chunks {
        let mut bytes = chunk.header.to_vec();
        for (meter, channel, sequence) in rest.by_ref().take(chunk.cells as usize) {
            let key = CellKey { utility: name.utility, meter: *meter, channel: *channel, sequence: *sequence };
            let stored = cells.get(&key.bytes())?.ok_or(VaultError::DamagedCell(key))?;
            bytes.extend_from_slice(cell_bytes(&key, stored.value())?);
        }
        chunks.push(bytes);
    }
    Ok(chunks)
}

pub(crate) fn damaged_shard(shard: &Shard, problem: &str) -> VaultError {
    VaultError::Damaged { what: shard.to_string(), problem: problem.into() }
}

/// Hash of a body given as chunks.
pub(crate) fn body_hash(chunks: &[Vec<u8>]) -> Hash {
    sealed_register::batch::body_hash(chunks.iter().map(Vec::as_slice))
}
