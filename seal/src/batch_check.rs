//! What a vault checks before it takes a batch's body (protocol section 5): every new cell extends its stream, under the
//! epoch of the named block, and the whole is what the chain says.

use crate::{
    batch::{decode_chunk, widened, BatchSummary, BodyHasher, ChunkHeader},
    cell::{Kind, SealedCell},
    decode::DecodeError,
    heads::{CellName, ExtendError, Heads},
    shard::Shard,
    tree::LAST_DAY,
    types::{Channel, DayRange, Hash, MeterId, OperatingDay},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// What a vault knows beside the heads, as of the block that the batch names in `as_of` and of its own store.
pub trait BatchContext {
    /// The meter's key epoch in the state at `as_of`, or nothing if it was not registered then.
    fn epoch(&mut self, meter: &MeterId) -> Option<u32>;

    /// The highest revision of an operating day that the store holds from *earlier* batches. Asked only about days that
    /// are not new to the stream.
    fn newest_revision(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay) -> Option<u16>;
}

/// Why a vault refuses a batch's body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Bytes that are no chunk.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A chunk of something else, or out of turn.
    #[error(
        "this is chunk {} of batch {} of shard {} of {}, but chunk {index} of batch {sequence} of {shard} is due",
        found.index, found.sequence, found.shard, found.utility
    )]
    WrongChunk {
        /// What the chunk says.
        found: ChunkHeader,
        /// Shard of the batch.
        shard: Shard,
        /// Number of the batch.
        sequence: u32,
        /// Number of the chunk that is due.
        index: u16,
    },
    /// A cell does not extend its stream.
    #[error(transparent)]
    Extend(#[from] ExtendError),
    /// The meter was not registered.
    #[error("{cell}: the meter was not registered at the block that the batch names")]
    UnknownMeter {
        /// The cell.
        cell: CellName,
    },
    /// Sealed under an epoch that was not the meter's.
    #[error("{cell} is sealed under epoch {found}, but at the block that the batch names the meter's was {expected}")]
    WrongEpoch {
        /// The cell.
        cell: CellName,
        /// The meter's epoch.
        expected: u32,
        /// The cell's.
        found: u32,
    },
    /// A day that no key exists for.
    #[error("{cell} is of a day beyond the key trees, which end on {LAST_DAY}")]
    DayBeyondTree {
        /// The cell.
        cell: CellName,
    },
    /// The end of a stream is no revision of anything.
    #[error("{cell} closes its stream, so its revision must be 0")]
    CloseRevision {
        /// The cell.
        cell: CellName,
    },
    /// Not the next revision of its day.
    #[error("{cell} is not the next revision of its day: revision {expected} is")]
    WrongRevision {
        /// The cell.
        cell: CellName,
        /// The revision that is due.
        expected: u16,
    },
    /// More or fewer cells than announced.
    #[error("the batch was announced with {announced} cells and has {found}")]
    CellCount {
        /// On chain.
        announced: u32,
        /// In the body.
        found: u32,
    },
    /// Longer or shorter than announced.
    #[error("the body was announced with {announced} bytes and has {found}")]
    BodyLength {
        /// On chain.
        announced: u32,
        /// In the body.
        found: u64,
    },
    /// Other bytes than announced.
    #[error("the body's hash is not the one on chain: bytes were altered; take the body from another node")]
    BodyHash,
    /// Other days than announced.
    #[error("the batch was announced for {announced}, but its cells reach from {found}")]
    Days {
        /// On chain.
        announced: DayRange,
        /// In the body.
        found: DayRange,
    },
    /// The heads after the batch have another root.
    #[error("the root on chain is not that of the heads after this batch: the utility committed to something else")]
    Root,
}

/// Checks a body against the chain, chunk by chunk, before anything of it is kept for good.
///
/// It owns a copy of the shard's heads; on any error the copy is dropped with it and the vault's own stay as they were.
#[derive(Debug)]
pub struct BatchVerifier {
    announced: BatchSummary,
    sequence: u32,
    heads: Heads,
    chunks: u16,
    body: BodyHasher,
    cells: u32,
    days: Option<DayRange>,
    /// Highest revisions seen in this batch, which the store cannot know yet.
    revisions: BTreeMap<(MeterId, Channel, OperatingDay), u16>,
}

impl BatchVerifier {
    /// Begins with the heads before the batch and what the chain says about it.
    pub fn new(announced: BatchSummary, sequence: u32, heads: Heads) -> Self {
        let (body, revisions) = (BodyHasher::new(), BTreeMap::new());
        Self { announced, sequence, heads, chunks: 0, body, cells: 0, days: None, revisions }
    }

    /// Checks the next chunk and returns its cells with their hashes, at most 1 MiB of them. They are authentic only when
    /// [`BatchVerifier::finish`] has returned heads: until then nothing but the utility's word stands for their words.
    ///
    /// # Errors
    /// [`BatchError`] names the cell or the figure that does not fit; the whole batch is to be refused then.
    pub fn chunk(
        &mut self,
        bytes: &[u8],
        context: &mut impl BatchContext,
    ) -> Result<Vec<(SealedCell, Hash)>, BatchError> {
        let (found, cells) = decode_chunk(bytes)?;
        let (shard, sequence, index) = (*self.heads.shard(), self.sequence, self.chunks);
        if (found.utility, found.shard, found.sequence, found.index) != (shard.utility, shard.id, sequence, index) {
            return Err(BatchError::WrongChunk { found, shard, sequence, index });
        }
        self.body.chunk(bytes);
        self.check_size(self.cells.saturating_add(found.cells))?;
        let mut checked = Vec::with_capacity(found.cells as usize);
        for cell in cells {
            let cell = cell?;
            let hash = self.cell(&cell, context)?;
            checked.push((cell, hash));
        }
        self.cells = self.cells.saturating_add(found.cells);
        self.chunks = self.chunks.saturating_add(1);
        Ok(checked)
    }

    /// Refuses a body as soon as it is larger than announced.
    fn check_size(&self, cells: u32) -> Result<(), BatchError> {
        let BatchSummary { cells: announced, body_len, .. } = self.announced;
        if cells > announced {
            return Err(BatchError::CellCount { announced, found: cells });
        }
        if self.body.bytes() > body_len.into() {
            return Err(BatchError::BodyLength { announced: body_len, found: self.body.bytes() });
        }
        Ok(())
    }

    fn cell(&mut self, cell: &SealedCell, context: &mut impl BatchContext) -> Result<Hash, BatchError> {
        let header = &cell.header;
        let name = CellName::from(header);
        let expected = context.epoch(&header.meter).ok_or(BatchError::UnknownMeter { cell: name })?;
        if header.epoch != expected {
            return Err(BatchError::WrongEpoch { cell: name, expected, found: header.epoch });
        }
        if header.day > LAST_DAY {
            return Err(BatchError::DayBeyondTree { cell: name });
        }
        if header.kind == Kind::Close && header.revision != 0 {
            return Err(BatchError::CloseRevision { cell: name });
        }
        self.heads.check(header)?;
        if header.kind == Kind::Day {
            let place = (header.meter, header.channel, header.day);
            // The heads' check has settled that a day beyond all earlier ones has revision 0.
            let known = header.sequence > 0 && header.day <= header.day_high;
            let newest = self.revisions.get(&place).copied();
            let newest =
                newest.or_else(|| known.then(|| context.newest_revision(&place.0, place.1, place.2)).flatten());
            // After revision 65,535 none is due: the day takes no more.
            let due = newest.map_or(Some(0), |revision| revision.checked_add(1));
            if due != Some(header.revision) {
                return Err(BatchError::WrongRevision { cell: name, expected: due.unwrap_or(u16::MAX) });
            }
            self.revisions.insert(place, header.revision);
        }
        self.days = Some(widened(self.days, header.day));
        Ok(self.heads.apply(cell)?)
    }

    /// Compares the whole with what the chain says; returns the heads after the batch.
    ///
    /// # Errors
    /// [`BatchError`] says which figure differs.
    pub fn finish(self) -> Result<Heads, BatchError> {
        let BatchSummary { root, body_hash, body_len, cells, days } = self.announced;
        if self.cells != cells {
            return Err(BatchError::CellCount { announced: cells, found: self.cells });
        }
        if self.body.bytes() != u64::from(body_len) {
            return Err(BatchError::BodyLength { announced: body_len, found: self.body.bytes() });
        }
        if self.body.finish() != body_hash {
            return Err(BatchError::BodyHash);
        }
        match self.days {
            Some(found) if found != days => return Err(BatchError::Days { announced: days, found }),
            None => return Err(BatchError::CellCount { announced: cells, found: 0 }),
            Some(_) => {}
        }
        if self.heads.root(self.sequence) != root {
            return Err(BatchError::Root);
        }
        Ok(self.heads)
    }
}
