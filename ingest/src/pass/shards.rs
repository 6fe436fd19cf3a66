//! Batches under construction, a few shards at a time, and their way into the outbox.
//!
//! Order of writing: chunks as they fill, the outbox entry last. A run that dies leaves chunks that no entry names; the
//! next batch of the same number overwrites them.

use super::{Basis, Unsealed};
use crate::{
    chain::ChainState,
    records::{HeadEntry, OutboxEntry, ShardIndex},
    shelf::Shelf,
    BlockNumber,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::ToString,
    vec::Vec,
};
use sealed_register::{
    batch::{BatchSummary, PushError},
    heads::ExtendError,
    shard_of, BatchBuilder, Channel, Hash, Head, Heads, MeterId, OrganisationId, SealedCell, Shard, ShardId,
};

/// Most parts of a shard's heads: 32,768 of 55 bytes in parts of 1 MiB are two.
const MAX_HEAD_PARTS: u32 = 8;

/// Bounds of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most shards that are worked on; each needs up to 4 MB.
    pub shards: usize,
    /// Most batches of one shard.
    pub of_shard: u32,
    /// Most batches in all.
    pub batches: u32,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { shards: 4, of_shard: 4, batches: 8 }
    }
}

/// A shard that is worked on.
struct Work {
    heads: Heads,
    builder: BatchBuilder,
    /// Number of the batch under construction.
    sequence: u32,
    /// Chunks of it that are written.
    chunks: u32,
    /// Batches begun in this pass.
    begun: u32,
    /// No further cell is taken.
    full: bool,
}

/// All batches of a pass.
pub struct Batching {
    genesis: Hash,
    utility: OrganisationId,
    bits: u8,
    as_of: BlockNumber,
    as_of_hash: Hash,
    limits: BatchLimits,
    works: BTreeMap<u16, Work>,
    /// Shards that take nothing in this pass.
    blocked: BTreeSet<u16>,
    /// Batches begun in all.
    begun: u32,
    cells: u32,
    outbox: Vec<OutboxEntry>,
}

impl Batching {
    /// Nothing is begun.
    pub fn new(basis: &Basis<'_>) -> Self {
        let Basis { genesis, utility, shard_bits: bits, as_of, as_of_hash, limits, .. } = *basis;
        let (works, blocked, outbox) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Self { genesis, utility, bits, as_of, as_of_hash, limits, works, blocked, begun: 0, cells: 0, outbox }
    }

    /// Cells taken so far.
    pub fn cells(&self) -> u32 {
        self.cells
    }

    /// Whether no shard can take another cell.
    pub fn is_full(&self) -> bool {
        let no_shard = self.works.len() >= self.limits.shards || self.begun >= self.limits.batches;
        no_shard && self.works.values().all(|work| work.full)
    }

    /// Where the next cell of a stream goes.
    ///
    /// # Errors
    /// [`Unsealed`] if its shard takes none in this pass.
    pub fn head(
        &mut self,
        shelf: &impl Shelf,
        chain: &impl ChainState,
        meter: &MeterId,
        channel: Channel,
    ) -> Result<Head, Unsealed> {
        let id = shard_of(meter, self.bits);
        if self.blocked.contains(&id.0) {
            return Err(Unsealed::Later);
        }
        if !self.works.contains_key(&id.0) {
            self.begin(shelf, chain, id)?;
        }
        match self.works.get(&id.0) {
            Some(work) if !work.full => Ok(work.heads.head(meter, channel)),
            _ => Err(Unsealed::Later),
        }
    }

    /// Begins to work on a shard, if its index is in step with the chain and proves itself by the chain's root.
    fn begin(&mut self, shelf: &impl Shelf, chain: &impl ChainState, id: ShardId) -> Result<(), Unsealed> {
        if self.works.len() >= self.limits.shards || self.begun >= self.limits.batches {
            return Err(Unsealed::Later);
        }
        let on_chain = chain.shard(id.0);
        let index = shelf.shard_index(id.0);
        if index.next_sequence != on_chain.next_sequence {
            self.blocked.insert(id.0);
            return Err(Unsealed::Later);
        }
        let shard = Shard { genesis: self.genesis, utility: self.utility, id, bits: self.bits };
        let heads = load_heads(shelf, shard, &index);
        let newest = index.next_sequence.checked_sub(1);
        let sound = |heads: &Heads| match newest {
            Some(newest) => heads.root(newest) == on_chain.root,
            None => heads.is_empty(),
        };
        let Some(heads) = heads.filter(sound) else {
            self.blocked.insert(id.0);
            return Err(Unsealed::Failed(format!(
                "the index of {shard} does not give the root on chain; it is rebuilt at the node's next start"
            )));
        };
        let sequence = on_chain.next_sequence;
        let builder = BatchBuilder::new(shard, sequence);
        self.works.insert(id.0, Work { heads, builder, sequence, chunks: 0, begun: 1, full: false });
        self.begun = self.begun.saturating_add(1);
        Ok(())
    }

    /// Puts a cell into its shard's batch. A full batch is closed, and the next one begun.
    ///
    /// # Errors
    /// [`Unsealed`] if the cell was not taken; nothing of it is kept.
    pub fn push(&mut self, shelf: &mut impl Shelf, cell: &SealedCell) -> Result<(), Unsealed> {
        let id = shard_of(&cell.header.meter, self.bits).0;
        // In bulk, cells come that were sealed before the shard's last batch was full.
        let work = self.works.get_mut(&id).filter(|work| !work.full).ok_or(Unsealed::Later)?;
        let mut pushed = work.builder.push(&mut work.heads, cell);
        if matches!(pushed, Err(PushError::Full { .. })) {
            let may_begin = work.begun < self.limits.of_shard && self.begun < self.limits.batches;
            let shard = *work.heads.shard();
            let next = work.sequence.checked_add(1).filter(|_| may_begin);
            // The number of the builder that stays when nothing may begin is never used: it gets no cell.
            let fresh = BatchBuilder::new(shard, next.unwrap_or(work.sequence));
            let closed = core::mem::replace(&mut work.builder, fresh);
            let entry = close(shelf, work, closed, (self.as_of, self.as_of_hash));
            work.chunks = 0;
            match next {
                Some(next) => {
                    work.sequence = next;
                    work.begun = work.begun.saturating_add(1);
                    self.begun = self.begun.saturating_add(1);
                }
                None => work.full = true,
            }
            self.outbox.extend(entry);
            shelf.put_batches(&self.outbox);
            if next.is_none() {
                return Err(Unsealed::Later);
            }
            pushed = work.builder.push(&mut work.heads, cell);
        }
        match pushed {
            Ok(chunk) => {
                if let Some(chunk) = chunk {
                    work.write(shelf, &chunk);
                }
                self.cells = self.cells.saturating_add(1);
                Ok(())
            }
            Err(PushError::Extend(error @ ExtendError::ShardFull { .. })) => Err(Unsealed::Failed(error.to_string())),
            Err(error) => {
                // A cell that does not fit what this pass itself has built: stop before anything wrong is committed.
                work.full = true;
                Err(Unsealed::Failed(error.to_string()))
            }
        }
    }

    /// Closes what is open and puts it into the outbox.
    pub fn finish(&mut self, shelf: &mut impl Shelf) {
        let as_of = (self.as_of, self.as_of_hash);
        for mut work in core::mem::take(&mut self.works).into_values() {
            let fresh = BatchBuilder::new(*work.heads.shard(), work.sequence);
            let builder = core::mem::replace(&mut work.builder, fresh);
            if let Some(entry) = close(shelf, &mut work, builder, as_of) {
                self.outbox.push(entry);
            }
        }
        if !self.outbox.is_empty() {
            shelf.put_batches(&self.outbox);
        }
    }
}

impl Work {
    fn write(&mut self, shelf: &mut impl Shelf, chunk: &[u8]) {
        shelf.put_chunk(self.heads.shard().id.0, self.sequence, self.chunks, chunk);
        self.chunks = self.chunks.saturating_add(1);
    }
}

/// Ends a batch: writes its last chunk, and gives its outbox entry. Nothing if it has no cell.
fn close(
    shelf: &mut impl Shelf,
    work: &mut Work,
    builder: BatchBuilder,
    (as_of, as_of_hash): (BlockNumber, Hash),
) -> Option<OutboxEntry> {
    let (chunk, summary) = builder.finish(&work.heads)?;
    work.write(shelf, &chunk);
    let BatchSummary { root, body_hash, body_len, cells, days } = summary;
    Some(OutboxEntry {
        shard: work.heads.shard().id.0,
        sequence: work.sequence,
        root,
        body_hash,
        body_bytes: body_len,
        chunks: work.chunks,
        cells,
        first_day: days.first,
        last_day: days.last,
        as_of,
        as_of_hash,
        signed_at: 0,
    })
}

/// The heads of a shard from the node's index. Nothing if a part is missing or they are no heads of this shard.
fn load_heads(shelf: &impl Shelf, shard: Shard, index: &ShardIndex) -> Option<Heads> {
    if index.head_parts > MAX_HEAD_PARTS {
        return None;
    }
    // The one encoding that `Heads` reads; its decoder checks order, shard and number.
    let mut encoding: Vec<u8> = index.heads.to_le_bytes().to_vec();
    for part in 0..index.head_parts {
        for entry in shelf.heads(shard.id.0, part)? {
            let HeadEntry { meter, channel, sequence, hash, day_high } = entry;
            encoding.extend_from_slice(&meter.0);
            encoding.push(channel as u8);
            encoding.extend_from_slice(&sequence.to_le_bytes());
            encoding.extend_from_slice(&hash);
            encoding.extend_from_slice(&day_high.0.to_le_bytes());
        }
    }
    Heads::decode(shard, &encoding).ok()
}
