//! The native side: it stages the outbox, verifies what is committed as a vault does, and writes the worker's index.

use super::{secrets, utility, FakeChain, MemStore, GENESIS};
use crate::worker::{chain::Chain, store::Store};
use sealed_register::{
    batch::BatchSummary,
    batch_check::{BatchContext, BatchVerifier},
    reopen, shard_of, Channel, DayReadings, Hash, Heads, MeterId, OperatingDay, Quality, SealedCell, Shard, ShardId,
};
use std::collections::BTreeMap;
use wattseal_primitives::{
    bridge::clear_digest,
    offchain::{
        chunk_key, heads_key, partial_key, shard_index_key, staged_key, stream_index_key, DayVersion, HeadEntry,
        ShardIndex, StreamIndex,
    },
    usage::Batch,
    BlockNumber,
};

/// The native side: staging area, verified cells, and the index that it writes for the worker.
#[derive(Default, Clone)]
pub struct Vault {
    pub staged: BTreeMap<(u16, u32, Hash), Vec<Vec<u8>>>,
    pub heads: BTreeMap<u16, Heads>,
    /// Verified cells in order of their chains.
    pub cells: BTreeMap<(MeterId, Channel), Vec<SealedCell>>,
    pub next: BTreeMap<u16, u32>,
}

struct Context<'a> {
    chain: &'a FakeChain,
    cells: &'a BTreeMap<(MeterId, Channel), Vec<SealedCell>>,
    as_of: BlockNumber,
}

impl BatchContext for Context<'_> {
    fn epoch(&mut self, meter: &MeterId) -> Option<u32> {
        self.chain.epoch_at(meter, self.as_of)
    }
    fn newest_revision(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay) -> Option<u16> {
        let cells = self.cells.get(&(*meter, channel))?;
        cells.iter().filter(|cell| cell.header.day == day).map(|cell| cell.header.revision).max()
    }
}

impl Vault {
    /// Copies the outbox into the staging area.
    pub fn stage(&mut self, store: &mut MemStore) {
        for entry in store.outbox() {
            let chunk = |number| store.get(&chunk_key(entry.shard, entry.sequence, number)).unwrap();
            let chunks: Vec<Vec<u8>> = (0..entry.chunks).map(chunk).collect();
            let hash = sealed_register::batch::body_hash(chunks.iter().map(Vec::as_slice));
            assert_eq!(hash, entry.body_hash, "the outbox names a body that is not there");
            self.staged.insert((entry.shard, entry.sequence, hash), chunks);
            store.write(&staged_key(entry.shard, entry.sequence), &hash);
        }
    }

    /// Imports what is committed, verifying all of it, and updates the index.
    pub fn import(&mut self, store: &mut MemStore, chain: &FakeChain) {
        for (shard, state) in &chain.shards {
            let next = self.next.entry(*shard).or_default();
            let begun = *next;
            while *next < state.next_sequence {
                let batch = chain.batch(*shard, *next).unwrap();
                let chunks = self.staged.get(&(*shard, *next, batch.body_hash)).expect("a committed body is lost");
                let id = ShardId(*shard);
                let of_shard = Shard { genesis: GENESIS, utility: utility(), id, bits: chain.bits };
                let heads = self.heads.get(shard).cloned().unwrap_or_else(|| Heads::new(of_shard));
                let Batch { root, body_hash, body_bytes: body_len, cells, days, as_of, .. } = batch;
                let announced = BatchSummary { root, body_hash, body_len, cells, days };
                let mut verifier = BatchVerifier::new(announced, *next, heads);
                let mut new = Vec::new();
                let mut context = Context { chain, cells: &self.cells, as_of };
                for chunk in chunks {
                    let cells = verifier.chunk(chunk, &mut context).expect("the worker made a bad batch");
                    new.extend(cells.into_iter().map(|(cell, _)| cell));
                }
                self.heads.insert(*shard, verifier.finish().expect("the worker made a bad batch"));
                for cell in new {
                    self.cells.entry((cell.header.meter, cell.header.channel)).or_default().push(cell);
                }
                *next += 1;
            }
            if *next > begun {
                let next = *next;
                self.index(store, *shard, next, chain.bits);
            }
        }
    }

    /// Writes the index of a shard anew.
    pub fn index(&self, store: &mut MemStore, shard: u16, next_sequence: u32, bits: u8) {
        for ((meter, channel), cells) in &self.cells {
            if shard_of(meter, bits).0 == shard {
                store.write(&stream_index_key(meter, *channel), &stream_index(cells));
                keep_short_days(store, cells);
            }
        }
        let heads = &self.heads[&shard];
        let entries: Vec<HeadEntry> = heads
            .leaves()
            .map(|leaf| HeadEntry {
                meter: leaf.meter,
                channel: leaf.channel,
                sequence: leaf.sequence,
                hash: leaf.hash,
                day_high: heads.get(&leaf.meter, leaf.channel).unwrap().day_high,
            })
            .collect();
        // Two parts, so that parts are really put together.
        let (first, second) = entries.split_at(entries.len() / 2);
        store.write(&heads_key(shard, 0), &first.to_vec());
        store.write(&heads_key(shard, 1), &second.to_vec());
        let heads = u32::try_from(entries.len()).unwrap();
        store.write(&shard_index_key(shard), &ShardIndex { next_sequence, head_parts: 2, heads });
    }

    /// All versions of each day of a stream, oldest first.
    pub fn versions(&self, meter: &MeterId, channel: Channel) -> BTreeMap<OperatingDay, Vec<DayReadings>> {
        let key = secrets().meter_key(&utility(), meter);
        let mut days: BTreeMap<OperatingDay, Vec<DayReadings>> = BTreeMap::new();
        for cell in self.cells.get(&(*meter, channel)).into_iter().flatten() {
            let versions = days.entry(cell.header.day).or_default();
            assert_eq!(usize::from(cell.header.revision), versions.len(), "a revision is missing or doubled");
            versions.push(reopen(&key, cell).unwrap());
        }
        days
    }
}

/// Keeps the cells of short days, each until a later revision comes.
fn keep_short_days(store: &mut MemStore, cells: &[SealedCell]) {
    for cell in cells {
        let sealed_register::Header { meter, channel, day, revision, .. } = cell.header;
        if let Some(before) = revision.checked_sub(1) {
            store.clear(&partial_key(&meter, channel, day, before));
        }
        let readings = reopen(&secrets().meter_key(&utility(), &meter), cell).unwrap();
        if readings.intervals.iter().any(|reading| reading.quality == Quality::Missing) {
            store.set(&partial_key(&meter, channel, day, revision), &cell.encode());
        }
    }
}

/// The index of a stream as a pure function of its cells and the utility's keys.
pub fn stream_index(cells: &[SealedCell]) -> StreamIndex {
    let secrets = secrets();
    let mut days: BTreeMap<OperatingDay, DayVersion> = BTreeMap::new();
    let mut epochs: BTreeMap<u32, (OperatingDay, OperatingDay)> = BTreeMap::new();
    for cell in cells {
        let readings = reopen(&secrets.meter_key(&utility(), &cell.header.meter), cell).unwrap();
        let (day, revision) = (cell.header.day, cell.header.revision);
        let digest = clear_digest(&secrets.siv, &readings);
        days.insert(day, DayVersion { day, revision, revision_date: readings.revision_date, digest });
        let span = epochs.entry(cell.header.epoch).or_insert((day, day));
        *span = (span.0.min(day), span.1.max(day));
    }
    StreamIndex {
        days: days.into_values().collect(),
        epochs: epochs.into_iter().map(|(epoch, (first, last))| (epoch, first, last)).collect(),
    }
}
