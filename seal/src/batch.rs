//! Batches (protocol section 5): the new cells of one shard, in chunks of whole cells, under one root.
//!
//! A body is a row of chunks of at most 1 MiB. Each begins with 32 bytes that say where it belongs: `wsb1`, utility
//! (16 bytes), shard (u16), batch sequence (u32), number of the chunk from 0 (u16), number of cells (u32). The cells
//! follow, one after the other. The body hash is over the chunks' hashes and their number, so a receiver checks chunk
//! after chunk and never holds more than one. That a chunk extends its streams does not make it authentic: it is only after
//! [`crate::batch_check::BatchVerifier::finish`] has compared body hash and root with the chain.

use crate::{
    cell::{Header, SealedCell},
    decode::{DecodeError, Reader},
    hash::{public, public_hash, Tag},
    heads::{CellName, ExtendError, Heads},
    shard::{Shard, ShardId},
    types::{DayRange, Hash, OperatingDay, OrganisationId},
};
use alloc::vec::Vec;

/// Most bytes of a chunk.
pub const MAX_CHUNK_BYTES: usize = 1 << 20;

/// Where the builder ends a chunk, bytes: with its allocator's header it then fits a block of 1 MiB in the worker's heap.
const FULL_CHUNK_BYTES: usize = MAX_CHUNK_BYTES - 64;

/// Most bytes of a body.
pub const MAX_BODY_BYTES: u32 = 8 << 20;

/// Most cells of a batch.
pub const MAX_BATCH_CELLS: u32 = 8192;

/// Length in bytes of a chunk's header.
pub const CHUNK_HEADER_BYTES: usize = 32;

const MAGIC: [u8; 4] = *b"wsb1";
const CELLS_AT: usize = CHUNK_HEADER_BYTES - 4;

/// What goes on chain about a batch, besides shard, sequence and `as_of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct BatchSummary {
    /// Root of the heads of all streams of the shard after the batch.
    pub root: Hash,
    /// Hash of the body ([`BodyHasher`]).
    pub body_hash: Hash,
    /// Length of the body, bytes, at most [`MAX_BODY_BYTES`].
    pub body_len: u32,
    /// Number of cells, 1 to [`MAX_BATCH_CELLS`].
    pub cells: u32,
    /// From the smallest to the greatest operating day of the cells.
    pub days: DayRange,
}

/// Where a chunk belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkHeader {
    /// The utility.
    pub utility: OrganisationId,
    /// Its shard.
    pub shard: ShardId,
    /// Number of the batch within the shard.
    pub sequence: u32,
    /// Number of the chunk within the body, from 0.
    pub index: u16,
    /// Number of cells in the chunk.
    pub cells: u32,
}

impl ChunkHeader {
    fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(self.utility.padded());
        out.extend_from_slice(&self.shard.0.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(&self.cells.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.array()? != MAGIC {
            return Err(reader.error("it does not begin with wsb1; it is of another version, or something else"));
        }
        let padded: [u8; OrganisationId::MAX_LEN] = reader.array()?;
        let length = padded.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let utility = padded.get(..length).and_then(|name| OrganisationId::from_bytes(name).ok());
        Ok(Self {
            utility: utility.ok_or_else(|| reader.error("not an organisation's short name"))?,
            shard: ShardId(reader.u16()?),
            sequence: reader.u32()?,
            index: reader.u16()?,
            cells: reader.u32()?,
        })
    }
}

/// Reads a chunk: its header, and its cells one by one. Any bytes give cells or an error.
///
/// # Errors
/// [`DecodeError`] if the bytes are no chunk; the iterator gives one, and ends, where they stop being cells.
pub fn decode_chunk(
    bytes: &[u8],
) -> Result<(ChunkHeader, impl Iterator<Item = Result<SealedCell, DecodeError>> + '_), DecodeError> {
    let mut reader = Reader::new("chunk of a batch", bytes);
    if bytes.len() > MAX_CHUNK_BYTES {
        return Err(reader.error("a chunk has at most 1 MiB"));
    }
    let header = ChunkHeader::read(&mut reader)?;
    if header.cells == 0 || header.cells as usize > reader.remaining() / Header::LEN {
        return Err(reader.error("the chunk has at least one cell, and no more than fit into it"));
    }
    Ok((header, ChunkCells { reader: Some(reader), left: header.cells }))
}

struct ChunkCells<'a> {
    /// Nothing after the end or an error.
    reader: Option<Reader<'a>>,
    left: u32,
}

impl Iterator for ChunkCells<'_> {
    type Item = Result<SealedCell, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        if self.left == 0 {
            return reader.finish().err().map(Err);
        }
        let cell = SealedCell::read(&mut reader);
        self.left -= 1;
        if cell.is_ok() {
            self.reader = Some(reader);
        }
        Some(cell)
    }
}

/// Hashes a body chunk by chunk.
#[derive(Clone, Debug)]
pub struct BodyHasher {
    hasher: blake3::Hasher,
    chunks: u32,
    bytes: u64,
}

impl Default for BodyHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl BodyHasher {
    /// Begins a body.
    pub fn new() -> Self {
        Self { hasher: public(Tag::BATCH_BODY), chunks: 0, bytes: 0 }
    }

    /// Takes the next chunk.
    pub fn chunk(&mut self, bytes: &[u8]) {
        self.hasher.update(&public_hash(Tag::BODY_CHUNK, &[bytes]));
        self.chunks = self.chunks.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The body hash.
    pub fn finish(mut self) -> Hash {
        self.hasher.update(&self.chunks.to_le_bytes());
        *self.hasher.finalize().as_bytes()
    }
}

/// The hash of a body given as its chunks in order.
pub fn body_hash<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    let mut hasher = BodyHasher::new();
    chunks.into_iter().for_each(|chunk| hasher.chunk(chunk));
    hasher.finish()
}

/// Why a cell was not put into a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// No more room: finish this batch, and put the cell into the next.
    #[error("the batch is full with {cells} cells and {bytes} bytes; finish it and put {cell} into the next")]
    Full {
        /// The cell.
        cell: CellName,
        /// Cells in the batch.
        cells: u32,
        /// Bytes in the batch.
        bytes: u32,
    },
    /// The heads are those of another shard.
    #[error("the batch is of {batch} and the heads are of {heads}")]
    OtherShard {
        /// Shard of the batch.
        batch: ShardId,
        /// Shard of the heads.
        heads: ShardId,
    },
    /// The cell does not extend its stream.
    #[error(transparent)]
    Extend(#[from] ExtendError),
}

/// Builds a batch cell by cell; memory holds one chunk at a time.
#[derive(Debug)]
pub struct BatchBuilder {
    shard: Shard,
    sequence: u32,
    chunk: Vec<u8>,
    chunk_cells: u32,
    chunks: u16,
    body: BodyHasher,
    cells: u32,
    days: Option<DayRange>,
}

impl BatchBuilder {
    /// Begins the batch of this number in its shard.
    pub fn new(shard: Shard, sequence: u32) -> Self {
        let (chunk, body) = (Vec::new(), BodyHasher::new());
        Self { shard, sequence, chunk, chunk_cells: 0, chunks: 0, body, cells: 0, days: None }
    }

    /// Number of cells so far.
    pub fn cells(&self) -> u32 {
        self.cells
    }

    /// Bytes of the body so far.
    pub fn bytes(&self) -> u32 {
        let bytes = self.body.bytes().saturating_add(self.chunk.len() as u64);
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// Puts a cell in and makes it the head of its stream. Hands out a chunk when one is complete; the caller stores
    /// chunks in the order in which they come. An error changes nothing.
    ///
    /// # Errors
    /// [`PushError::Full`] when this batch must be finished first; otherwise the cell does not fit its stream.
    pub fn push(&mut self, heads: &mut Heads, cell: &SealedCell) -> Result<Option<Vec<u8>>, PushError> {
        if *heads.shard() != self.shard {
            return Err(PushError::OtherShard { batch: self.shard.id, heads: heads.shard().id });
        }
        let length = cell.encoded_len();
        let turns = !self.chunk.is_empty() && self.chunk.len() + length > FULL_CHUNK_BYTES;
        let opening = if turns || self.chunk.is_empty() { CHUNK_HEADER_BYTES } else { 0 };
        let bytes_after = self.bytes() as usize + opening + length;
        if self.cells >= MAX_BATCH_CELLS || bytes_after > MAX_BODY_BYTES as usize {
            let name = CellName::from(&cell.header);
            return Err(PushError::Full { cell: name, cells: self.cells, bytes: self.bytes() });
        }
        heads.apply(cell)?;
        let finished = if turns { self.close_chunk() } else { None };
        if self.chunk.is_empty() {
            self.open_chunk();
        }
        cell.encode_to(&mut self.chunk);
        self.chunk_cells += 1;
        self.cells += 1;
        self.days = Some(widened(self.days, cell.header.day));
        Ok(finished)
    }

    /// Ends the batch: the last chunk, and what goes on chain. Nothing if no cell was put in. `heads` must be the ones
    /// that all cells went through.
    pub fn finish(mut self, heads: &Heads) -> Option<(Vec<u8>, BatchSummary)> {
        let days = self.days?;
        let last = self.close_chunk()?;
        let body_len = self.bytes();
        let root = heads.root(self.sequence);
        Some((last, BatchSummary { root, body_hash: self.body.finish(), body_len, cells: self.cells, days }))
    }

    fn open_chunk(&mut self) {
        // Exactly one block of the worker's heap, whose allocator rounds up to powers of two.
        self.chunk = Vec::with_capacity(FULL_CHUNK_BYTES);
        let Self { shard: Shard { utility, id, .. }, sequence, chunks, .. } = *self;
        let header = ChunkHeader { utility, shard: id, sequence, index: chunks, cells: 0 };
        header.encode_to(&mut self.chunk);
    }

    fn close_chunk(&mut self) -> Option<Vec<u8>> {
        if self.chunk.is_empty() {
            return None;
        }
        let mut chunk = core::mem::take(&mut self.chunk);
        if let Some(place) = chunk.get_mut(CELLS_AT..CHUNK_HEADER_BYTES) {
            place.copy_from_slice(&self.chunk_cells.to_le_bytes());
        }
        self.chunk_cells = 0;
        self.chunks = self.chunks.saturating_add(1);
        self.body.chunk(&chunk);
        Some(chunk)
    }
}

pub(crate) fn widened(days: Option<DayRange>, day: OperatingDay) -> DayRange {
    let days = days.unwrap_or(DayRange { first: day, last: day });
    DayRange { first: days.first.min(day), last: days.last.max(day) }
}
