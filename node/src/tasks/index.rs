//! Tells the worker what the vault holds of this utility: heads of each shard, versions of each day. It is a function
//! of vault and keys alone; here it is brought up to date, or made anew (protocol section 5: "a cache that can be
//! rebuilt").

use crate::{
    keys::{KeyError, SecretSource},
    offchain::OffchainStore,
};
use sealed_register::{
    reopen, Channel, Kind, MeterId, OpenError, Quality, SealedCell, Secret, ShardId, Status, UtilitySecrets,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use wattseal_primitives::{
    bridge::clear_digest,
    offchain::{
        heads_key, partial_key, shard_index_key, stream_index_key, DayVersion, HeadEntry, ShardIndex, StreamIndex,
    },
};
use wattseal_vault::{BatchName, ShardSummary, Vault, VaultError};

/// Heads in one part: 55 bytes each, below 1 MiB.
const PART_HEADS: usize = 16_384;

/// Streams that are held in memory while an index is made anew, before they are written.
const STREAMS_AT_ONCE: usize = 4_096;

/// The task.
pub struct Indexer {
    source: SecretSource,
    vault: Arc<Vault>,
    offchain: OffchainStore,
    secrets: BTreeMap<u16, UtilitySecrets>,
    /// Shards whose index was compared with the vault since the node's start.
    compared: BTreeSet<ShardId>,
    /// What went wrong, as the log said last.
    reported: Option<String>,
}

/// Why the index is behind.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A cell of this utility does not open with its keys.
    #[error(
        "cell {sequence} of meter {meter} does not open with this utility's keys ({error}); was the sealing key \
         changed?"
    )]
    Open {
        /// The meter.
        meter: MeterId,
        /// Number of the cell in its stream.
        sequence: u32,
        /// What opening said.
        error: OpenError,
    },
}

impl Indexer {
    /// A task.
    pub fn new(source: SecretSource, vault: Arc<Vault>, offchain: OffchainStore) -> Self {
        Self { source, vault, offchain, secrets: BTreeMap::new(), compared: BTreeSet::new(), reported: None }
    }

    /// Brings the index of every shard of the utility up to what the vault holds.
    pub fn step(&mut self) {
        match self.update() {
            Ok(()) => self.reported = None,
            Err(error) => {
                let error = error.to_string();
                if self.reported.as_ref() != Some(&error) {
                    log::warn!(target: "wattseal::feed", "the worker's index is behind, so nothing is sealed: {error}");
                    self.reported = Some(error);
                }
            }
        }
    }

    fn update(&mut self) -> Result<(), IndexError> {
        let utility = self.source.utility;
        for shard in self.vault.shards()?.into_iter().filter(|shard| shard.utility == utility) {
            let index = self.offchain.get::<ShardIndex>(&shard_index_key(shard.shard.0)).unwrap_or_default();
            let known = self.compared.contains(&shard.shard);
            if index.next_sequence == shard.next_sequence && (known || self.has_heads(&shard, &index)?) {
                self.compared.insert(shard.shard);
                continue;
            }
            if (1..shard.next_sequence).contains(&index.next_sequence) {
                for sequence in index.next_sequence..shard.next_sequence {
                    self.add_batch(BatchName { utility, shard: shard.shard, sequence })?;
                }
            } else {
                // None of it is there, or it is not of this vault: then nothing of it may stay.
                self.rebuild(&shard)?;
            }
            self.write_heads(&shard)?;
        }
        Ok(())
    }

    /// Whether the heads in the off-chain database are the vault's.
    fn has_heads(&self, shard: &ShardSummary, index: &ShardIndex) -> Result<bool, IndexError> {
        let (_, entries) = self.heads(shard)?;
        let mut parts = entries.chunks(PART_HEADS);
        let same =
            |part| self.offchain.get::<Vec<HeadEntry>>(&heads_key(shard.shard.0, part)).as_deref() == parts.next();
        Ok((0..index.head_parts).all(same) && parts.next().is_none())
    }

    /// Adds the cells of one batch to the streams that it touches. Doing it twice makes no difference.
    fn add_batch(&mut self, batch: BatchName) -> Result<(), IndexError> {
        let mut streams: BTreeMap<(MeterId, Channel), StreamIndex> = BTreeMap::new();
        for cell in self.vault.cells_of_batch(&batch)? {
            let Some(version) = self.version(&cell)? else { continue };
            let stream = (cell.header.meter, cell.header.channel);
            let offchain = &self.offchain;
            let index = streams
                .entry(stream)
                .or_insert_with(|| offchain.get(&stream_index_key(&stream.0, stream.1)).unwrap_or_default());
            add(index, &cell, version);
        }
        self.write_streams(&streams);
        Ok(())
    }

    /// Makes the streams of a shard anew from all its cells.
    fn rebuild(&mut self, shard: &ShardSummary) -> Result<(), IndexError> {
        log::info!(target: "wattseal::feed", "making the worker's index of shard {} from the vault", shard.shard);
        let vault = self.vault.clone();
        let mut streams: BTreeMap<(MeterId, Channel), StreamIndex> = BTreeMap::new();
        vault.for_each_cell(&shard.utility, shard.shard, shard.bits, |cell| -> Result<(), IndexError> {
            let Some(version) = self.version(&cell)? else { return Ok(()) };
            let stream = (cell.header.meter, cell.header.channel);
            // Cells come stream by stream, so all but the present stream are whole.
            if streams.len() >= STREAMS_AT_ONCE && !streams.contains_key(&stream) {
                self.write_streams(&streams);
                streams.clear();
            }
            add(streams.entry(stream).or_default(), &cell, version);
            Ok(())
        })?;
        self.write_streams(&streams);
        Ok(())
    }

    fn write_streams(&self, streams: &BTreeMap<(MeterId, Channel), StreamIndex>) {
        for ((meter, channel), index) in streams {
            self.offchain.set(&stream_index_key(meter, *channel), index);
        }
    }

    /// The number of the vault's next batch of a shard, and the heads before it.
    fn heads(&self, shard: &ShardSummary) -> Result<(u32, Vec<HeadEntry>), IndexError> {
        let known = self.vault.heads(&shard.utility, shard.shard)?;
        let entry = |leaf: sealed_register::shard::HeadLeaf| {
            let day_high = known.heads.get(&leaf.meter, leaf.channel)?.day_high;
            let sealed_register::shard::HeadLeaf { meter, channel, sequence, hash } = leaf;
            Some(HeadEntry { meter, channel, sequence, hash, day_high })
        };
        Ok((known.tree.batch_sequence().saturating_add(1), known.heads.leaves().filter_map(entry).collect()))
    }

    /// Writes the heads and, last, what makes all of it valid.
    fn write_heads(&self, shard: &ShardSummary) -> Result<(), IndexError> {
        let ShardId(number) = shard.shard;
        let (next_sequence, entries) = self.heads(shard)?;
        let mut head_parts = 0;
        for (part, entries) in (0_u32..).zip(entries.chunks(PART_HEADS)) {
            self.offchain.set(&heads_key(number, part), &entries.to_vec());
            head_parts = part.saturating_add(1);
        }
        // The vault may have gone on since the streams were written.
        if next_sequence == shard.next_sequence {
            let heads = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            self.offchain.set(&shard_index_key(number), &ShardIndex { next_sequence, head_parts, heads });
        }
        Ok(())
    }

    /// What a cell says of its day. A short day's cell is kept for the worker, so that the rest of the day can complete it,
    /// until a later revision comes.
    fn version(&mut self, cell: &SealedCell) -> Result<Option<DayVersion>, IndexError> {
        let header = &cell.header;
        if header.kind != Kind::Day {
            return Ok(None);
        }
        let (day, revision) = (header.day, header.revision);
        let key = |revision| partial_key(&header.meter, header.channel, day, revision);
        if let Some(before) = revision.checked_sub(1) {
            self.offchain.remove(&key(before));
        }
        if header.status == Status::Withdrawn {
            return Ok(Some(DayVersion { day, revision, revision_date: 0, digest: [0; 8] }));
        }
        let secrets = self.secrets(header.generation)?;
        let meter_key = secrets.0.meter_key(&secrets.2, &header.meter);
        let readings = reopen(&meter_key, cell).map_err(|error| IndexError::Open {
            meter: header.meter,
            sequence: header.sequence,
            error,
        })?;
        let digest = clear_digest(secrets.1, &readings);
        if readings.intervals.iter().any(|reading| reading.quality == Quality::Missing) {
            self.offchain.set_raw(&key(revision), &cell.encode());
        }
        Ok(Some(DayVersion { day, revision, revision_date: readings.revision_date, digest }))
    }

    /// The secrets of a generation, the secret of digests, and whose they are.
    fn secrets(
        &mut self,
        generation: u16,
    ) -> Result<(&UtilitySecrets, &Secret, sealed_register::OrganisationId), IndexError> {
        let utility = self.source.utility;
        let secrets = match self.secrets.entry(generation) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(SecretSource { generation, ..self.source.clone() }.secrets()?)
            }
        };
        Ok((secrets, &secrets.siv, utility))
    }
}

/// Adds a cell to its stream's index; days and epochs ascend.
fn add(index: &mut StreamIndex, cell: &SealedCell, version: DayVersion) {
    match index.days.binary_search_by_key(&version.day, |known| known.day) {
        Ok(at) => {
            if let Some(known) = index.days.get_mut(at).filter(|known| known.revision <= version.revision) {
                *known = version;
            }
        }
        Err(at) => index.days.insert(at, version),
    }
    let (epoch, day) = (cell.header.epoch, version.day);
    match index.epochs.binary_search_by_key(&epoch, |(known, _, _)| *known) {
        Ok(at) => {
            if let Some((_, first, last)) = index.epochs.get_mut(at) {
                (*first, *last) = ((*first).min(day), (*last).max(day));
            }
        }
        Err(at) => index.epochs.insert(at, (epoch, day, day)),
    }
}
