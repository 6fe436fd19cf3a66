//! What stands in the tables: encodings, and check values that name what was damaged.

use crate::{
    error::VaultError,
    names::{parse_shard_key, shard_key, BatchName, CellKey, SHARD_KEY},
    ShardSummary,
};
use codec::{Decode, Encode};
use redb::ReadableTable;
use sealed_register::{
    batch::BatchSummary,
    hash::{public_hash, Tag},
    heads::Heads,
    shard::{Shard, ShardId},
    Channel, Hash, MeterId, OrganisationId, SealedCell,
};

/// Purpose of a stored cell's check value. Words of a cell are bound to its hash by keys only, which a vault has not,
/// so it keeps a check value of its own; that nobody forged cell and check value together is shown by the batch's body
/// hash.
const STORED_CELL: Tag = Tag(b"vltcell.");

/// Length of a stored cell's check value, bytes.
const CHECK_BYTES: usize = 16;

/// A shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ShardRecord {
    pub(crate) bits: u8,
    pub(crate) next_sequence: u32,
    pub(crate) root: Hash,
}

/// A chunk of a batch's body: what stands before its cells, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ChunkRecord {
    pub(crate) header: [u8; sealed_register::batch::CHUNK_HEADER_BYTES],
    pub(crate) cells: u32,
}

/// A batch: what the chain says, and which cells in which order, so that the body can be put together again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BatchRecord {
    pub(crate) summary: BatchSummary,
    pub(crate) chunks: Vec<ChunkRecord>,
    pub(crate) cells: Vec<(MeterId, Channel, u32)>,
}

/// A staged body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StagedRecord {
    pub(crate) utility: OrganisationId,
    pub(crate) shard: u16,
    pub(crate) sequence: u32,
    pub(crate) chunks: u32,
}

pub(crate) fn decode<T: Decode>(what: impl Fn() -> String, bytes: &[u8]) -> Result<T, VaultError> {
    let mut rest = bytes;
    let damaged = |problem: String| VaultError::Damaged { what: what(), problem };
    let value = T::decode(&mut rest).map_err(|error| damaged(error.to_string()))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(damaged(format!("{} bytes too many", rest.len())))
    }
}

impl ShardRecord {
    pub(crate) fn decode(utility: &OrganisationId, shard: ShardId, bytes: &[u8]) -> Result<Self, VaultError> {
        decode(|| format!("the record of shard {shard} of {utility}"), bytes)
    }

    pub(crate) fn summary(key: &[u8; SHARD_KEY], bytes: &[u8]) -> Result<ShardSummary, VaultError> {
        let (utility, shard) = parse_shard_key(key).ok_or_else(|| bad_key("shards", key))?;
        let Self { bits, next_sequence, root } = Self::decode(&utility, shard, bytes)?;
        Ok(ShardSummary { utility, shard, bits, next_sequence, root })
    }
}

pub(crate) fn bad_key(table: &str, key: &[u8]) -> VaultError {
    VaultError::Damaged { what: format!("a key of table {table}"), problem: sealed_register::hex(key) }
}

/// The record of a shard, if it has a batch.
pub(crate) fn shard(
    table: &impl ReadableTable<&'static [u8; SHARD_KEY], &'static [u8]>,
    utility: &OrganisationId,
    shard: ShardId,
) -> Result<Option<ShardRecord>, VaultError> {
    let value = table.get(&shard_key(utility, shard))?;
    value.map(|value| ShardRecord::decode(utility, shard, value.value())).transpose()
}

/// The heads of a shard; none before its first batch.
pub(crate) fn heads(
    table: &impl ReadableTable<&'static [u8; SHARD_KEY], &'static [u8]>,
    shard: Shard,
) -> Result<Heads, VaultError> {
    let Some(value) = table.get(&shard_key(&shard.utility, shard.id))? else { return Ok(Heads::new(shard)) };
    Heads::decode(shard, value.value())
        .map_err(|error| VaultError::Damaged { what: format!("the index of {shard}"), problem: error.to_string() })
}

/// The record of a batch.
pub(crate) fn batch(name: &BatchName, bytes: &[u8]) -> Result<BatchRecord, VaultError> {
    decode(|| format!("the record of {name}"), bytes)
}

fn check_value(key: &CellKey, cell: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = public_hash(STORED_CELL, &[&key.bytes(), cell]);
    let mut value = [0; CHECK_BYTES];
    value.iter_mut().zip(hash).for_each(|(place, byte)| *place = byte);
    value
}

/// A cell as it is stored.
pub(crate) fn encode_cell(key: &CellKey, cell: &SealedCell) -> Vec<u8> {
    let mut stored = Vec::with_capacity(CHECK_BYTES + cell.encoded_len());
    stored.extend_from_slice(&[0; CHECK_BYTES]);
    cell.encode_to(&mut stored);
    if let Some((check, cell)) = stored.split_first_chunk_mut::<CHECK_BYTES>() {
        *check = check_value(key, cell);
    }
    stored
}

/// The bytes of a stored cell, if they are what was stored.
pub(crate) fn cell_bytes<'a>(key: &CellKey, stored: &'a [u8]) -> Result<&'a [u8], VaultError> {
    match stored.split_first_chunk::<CHECK_BYTES>() {
        Some((check, cell)) if *check == check_value(key, cell) => Ok(cell),
        _ => Err(VaultError::DamagedCell(*key)),
    }
}

/// A stored cell, if it is what was stored.
pub(crate) fn decode_cell(key: &CellKey, stored: &[u8]) -> Result<SealedCell, VaultError> {
    let cell = SealedCell::decode(cell_bytes(key, stored)?).map_err(|_| VaultError::DamagedCell(*key))?;
    let header = &cell.header;
    if (header.meter, header.channel, header.sequence) != (key.meter, key.channel, key.sequence) {
        return Err(VaultError::DamagedCell(*key));
    }
    Ok(cell)
}
