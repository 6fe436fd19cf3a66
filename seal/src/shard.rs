//! Shards and the trees of their stream heads (protocol section 5): one root on chain stands for every cell that a
//! utility has published about the meters of a shard, and for there being no newer one.
//!
//! The tree is that of RFC 6962 (the left part of a node is a full tree): leaves in ascending order of (MeterId,
//! channel), and a last node without a neighbour moves up unchanged. Genesis, utility, shard, batch sequence and leaf
//! count are hashed into the root, so a path proves one position in one tree of one batch.

use crate::{
    decode::{DecodeError, Reader},
    hash::{public_hash, Tag},
    types::{Channel, Channels, Hash, MeterId, OrganisationId},
};
use alloc::vec::Vec;
use core::fmt;

/// Most leading bits of a MeterId that may number a shard.
pub const MAX_SHARD_BITS: u8 = 16;

/// Most streams in a shard: two channels of 16,384 meters.
pub const MAX_STREAMS: u32 = 32_768;

/// Most siblings in a path: the depth of a tree of [`MAX_STREAMS`] leaves.
pub const MAX_PATH: usize = 15;

/// The number of a shard within its utility: the leading bits of its MeterIds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct ShardId(pub u16);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The shard of a meter where `bits` leading bits number the shards; bits above [`MAX_SHARD_BITS`] count as that.
pub fn shard_of(meter: &MeterId, bits: u8) -> ShardId {
    let [first, second, ..] = meter.0;
    let unused = MAX_SHARD_BITS.saturating_sub(bits);
    // With 0 bits all 16 are shifted out, which `checked_shr` calls an overflow: everything is shard 0.
    ShardId(u16::from_be_bytes([first, second]).checked_shr(unused.into()).unwrap_or(0))
}

/// One shard of one utility on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The utility that measures.
    pub utility: OrganisationId,
    /// Number of the shard.
    pub id: ShardId,
    /// How many leading bits of a MeterId number the utility's shards, 0 to 16.
    pub bits: u8,
}

impl Shard {
    /// The shard of a meter.
    pub fn of(genesis: Hash, utility: OrganisationId, meter: &MeterId, bits: u8) -> Self {
        Self { genesis, utility, id: shard_of(meter, bits), bits }
    }

    /// Whether the meter belongs to this shard.
    pub fn contains(&self, meter: &MeterId) -> bool {
        shard_of(meter, self.bits) == self.id
    }

    /// The root over a tree's topmost node (32 zero bytes when there is no leaf).
    fn root(&self, batch_sequence: u32, count: u32, top: &Hash) -> Hash {
        public_hash(
            Tag::HEADS_ROOT,
            &[
                &self.genesis,
                self.utility.padded(),
                &self.id.0.to_le_bytes(),
                &batch_sequence.to_le_bytes(),
                &count.to_le_bytes(),
                top,
            ],
        )
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.id, self.utility)
    }
}

/// The head of one stream, as it stands in its shard's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeadLeaf {
    /// The meter.
    pub meter: MeterId,
    /// The channel.
    pub channel: Channel,
    /// Number of the stream's newest cell, counted from 0.
    pub sequence: u32,
    /// Hash of that cell.
    pub hash: Hash,
}

impl HeadLeaf {
    const ENCODED: usize = 16 + 1 + 4 + 32;

    /// What leaves are sorted by.
    pub fn key(&self) -> (MeterId, Channel) {
        (self.meter, self.channel)
    }

    pub(crate) fn digest(&self) -> Hash {
        let Self { meter, channel, sequence, hash } = self;
        public_hash(Tag::HEAD_LEAF, &[&meter.0, &[*channel as u8], &sequence.to_le_bytes(), hash])
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    public_hash(Tag::HEAD_NODE, &[left, right])
}

/// The root of leaf digests in order, with 33 hashes of memory whatever their number (the worker has little).
pub(crate) fn streaming_root(shard: &Shard, batch_sequence: u32, digests: impl Iterator<Item = Hash>) -> Hash {
    // `full[h]` is the root of a full tree of 2^h leaves that waits for its right neighbour: a binary counter.
    let mut full: [Option<Hash>; 33] = [None; 33];
    let mut count = 0_u32;
    for digest in digests {
        let mut carried = digest;
        for slot in &mut full {
            match slot.take() {
                Some(left) => carried = node(&left, &carried),
                None => {
                    *slot = Some(carried);
                    break;
                }
            }
        }
        count = count.saturating_add(1);
    }
    let top = full.into_iter().flatten().reduce(|right, left| node(&left, &right)).unwrap_or_default();
    shard.root(batch_sequence, count, &top)
}

/// The tree of a shard's heads after one batch, kept whole so that many paths cost one computation (2 MB for a full shard).
#[derive(Clone, Debug)]
pub struct HeadTree {
    shard: Shard,
    batch_sequence: u32,
    leaves: Vec<HeadLeaf>,
    /// From the leaves' digests to the topmost node.
    levels: Vec<Vec<Hash>>,
    root: Hash,
}

impl HeadTree {
    /// The tree of leaves that ascend by key; [`crate::heads::Heads::tree`] makes them.
    pub(crate) fn new(shard: Shard, batch_sequence: u32, leaves: Vec<HeadLeaf>) -> Self {
        let mut level: Vec<Hash> = leaves.iter().map(HeadLeaf::digest).collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => node(left, right),
                    _ => pair.first().copied().unwrap_or_default(),
                })
                .collect();
            levels.push(core::mem::replace(&mut level, above));
        }
        let count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        let root = shard.root(batch_sequence, count, &level.first().copied().unwrap_or_default());
        Self { shard, batch_sequence, leaves, levels, root }
    }

    /// The shard.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The batch after which the heads stood like this.
    pub fn batch_sequence(&self) -> u32 {
        self.batch_sequence
    }

    /// The root, as it stands on chain.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The path from a stream's head to the root, or nothing if the stream has no cell.
    pub fn path(&self, meter: &MeterId, channel: Channel) -> Option<HeadPath> {
        let index = self.leaves.binary_search_by_key(&(*meter, channel), HeadLeaf::key).ok()?;
        self.path_at(index)
    }

    fn path_at(&self, index: usize) -> Option<HeadPath> {
        let leaf = *self.leaves.get(index)?;
        // The last node of an odd level has no sibling and moves up: nothing is recorded for it.
        let siblings = self
            .levels
            .iter()
            .enumerate()
            .filter_map(|(height, level)| level.get((index >> height) ^ 1).copied())
            .collect();
        let count = u32::try_from(self.leaves.len()).ok()?;
        Some(HeadPath { leaf, index: u32::try_from(index).ok()?, count, siblings })
    }

    /// The proof that the meter has no stream of these channels, or nothing if it has one.
    pub fn absence(&self, meter: &MeterId, channels: Channels) -> Option<AbsenceProof> {
        let (low, high) = absent_keys(meter, channels);
        let after = self.leaves.partition_point(|leaf| leaf.key() < low);
        if self.leaves.get(after).is_some_and(|leaf| leaf.key() <= high) {
            return None;
        }
        let before = after.checked_sub(1).and_then(|index| self.path_at(index));
        Some(AbsenceProof { before, after: self.path_at(after) })
    }
}

/// The first and the last key that must not occur.
fn absent_keys(meter: &MeterId, channels: Channels) -> ((MeterId, Channel), (MeterId, Channel)) {
    let low = if channels == Channels::Generation { Channel::Generation } else { Channel::Consumption };
    let high = if channels == Channels::Consumption { Channel::Consumption } else { Channel::Generation };
    ((*meter, low), (*meter, high))
}

/// The way from one stream's head to the root of its shard's tree. At most 545 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadPath {
    /// The head.
    pub leaf: HeadLeaf,
    /// Its position among the leaves, from 0.
    pub index: u32,
    /// How many leaves the tree has, 1 to [`MAX_STREAMS`].
    pub count: u32,
    /// The siblings from the leaf up; a node without one contributes nothing.
    pub siblings: Vec<Hash>,
}

/// A path that fits no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The tree would be larger than any shard.
    #[error("a path claims a tree of {count} streams, but a shard has 1 to {MAX_STREAMS}")]
    Count {
        /// The claimed number of leaves.
        count: u32,
    },
    /// The position does not exist.
    #[error("a path claims position {index} in a tree of {count} streams")]
    Index {
        /// The claimed position.
        index: u32,
        /// The claimed number of leaves.
        count: u32,
    },
    /// Too few or too many siblings for the position and the count.
    #[error("a path to position {index} of {count} needs {expected} siblings, not {found}")]
    Length {
        /// The claimed position.
        index: u32,
        /// The claimed number of leaves.
        count: u32,
        /// Siblings that such a path has.
        expected: usize,
        /// Siblings present.
        found: usize,
    },
}

impl HeadPath {
    /// The root that this path leads to, if it is the root of this shard after this batch.
    ///
    /// # Errors
    /// [`PathError`] if position, count and number of siblings do not fit together. Whether the root is the right one is
    /// for the caller to compare.
    pub fn root(&self, shard: &Shard, batch_sequence: u32) -> Result<Hash, PathError> {
        let Self { leaf, index, count, siblings } = self;
        let (index, count) = (*index, *count);
        if count == 0 || count > MAX_STREAMS {
            return Err(PathError::Count { count });
        }
        if index >= count {
            return Err(PathError::Index { index, count });
        }
        let expected = path_length(index, count);
        if siblings.len() != expected {
            return Err(PathError::Length { index, count, expected, found: siblings.len() });
        }
        let mut position = index;
        let mut last = count - 1;
        let mut top = leaf.digest();
        let mut remaining = siblings.iter();
        while last > 0 {
            if position % 2 == 1 {
                top = remaining.next().map_or(top, |left| node(left, &top));
            } else if position < last {
                top = remaining.next().map_or(top, |right| node(&top, right));
            }
            position /= 2;
            last /= 2;
        }
        Ok(shard.root(batch_sequence, count, &top))
    }

    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        let Self { leaf, index, count, siblings } = self;
        out.extend_from_slice(&leaf.meter.0);
        out.push(leaf.channel as u8);
        out.extend_from_slice(&leaf.sequence.to_le_bytes());
        out.extend_from_slice(&leaf.hash);
        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        // More than 255 siblings fit no tree; such a path must not decode to a shorter one.
        out.push(u8::try_from(siblings.len()).unwrap_or(u8::MAX));
        siblings.iter().for_each(|sibling| out.extend_from_slice(sibling));
    }

    pub(crate) fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let leaf = HeadLeaf {
            meter: reader.meter()?,
            channel: reader.channel()?,
            sequence: reader.u32()?,
            hash: reader.hash()?,
        };
        let (index, count) = (reader.u32()?, reader.u32()?);
        let length = usize::from(reader.u8()?);
        if length > MAX_PATH {
            return Err(reader.error("a path has at most 15 siblings"));
        }
        let siblings = (0..length).map(|_| reader.hash()).collect::<Result<_, _>>()?;
        Ok(Self { leaf, index, count, siblings })
    }

    /// Size of the encoding, bytes.
    pub fn encoded_len(&self) -> usize {
        HeadLeaf::ENCODED + 4 + 4 + 1 + 32 * self.siblings.len()
    }
}

/// How many siblings the path to a position has.
fn path_length(index: u32, count: u32) -> usize {
    let (mut position, mut last, mut length) = (index, count.saturating_sub(1), 0);
    while last > 0 {
        if position % 2 == 1 || position < last {
            length += 1;
        }
        position /= 2;
        last /= 2;
    }
    length
}

/// That a meter has no stream in a shard: the two neighbouring leaves, one at an edge, or none in an empty tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsenceProof {
    /// The last leaf before the place where the stream would stand.
    pub before: Option<HeadPath>,
    /// The first leaf after it.
    pub after: Option<HeadPath>,
}

/// Why a proof of absence was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbsenceError {
    /// The meter belongs elsewhere, so its absence here says nothing.
    #[error("meter {meter} belongs to shard {belongs}, so its absence from shard {found} proves nothing")]
    WrongShard {
        /// The meter.
        meter: MeterId,
        /// Its shard.
        belongs: ShardId,
        /// The shard of the root.
        found: ShardId,
    },
    /// A neighbour's path fits no tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A neighbour does not stand under the root.
    #[error("a neighbouring leaf does not lead to the root of batch {batch_sequence}; ask for a proof to that batch")]
    Root {
        /// Batch of the root.
        batch_sequence: u32,
    },
    /// The neighbours do not enclose the stream.
    #[error("the leaves shown do not lie on both sides of meter {meter}")]
    NotBetween {
        /// The meter.
        meter: MeterId,
    },
    /// There may be leaves between the neighbours.
    #[error("the leaves shown are not next to each other, or not at the edge of the tree: something may lie between")]
    NotAdjacent,
}

impl AbsenceProof {
    /// Checks that the meter had no stream of these channels in the shard after the batch with this root.
    ///
    /// # Errors
    /// [`AbsenceError`], which says what does not hold.
    pub fn verify(
        &self,
        meter: &MeterId,
        channels: Channels,
        shard: &Shard,
        batch_sequence: u32,
        root: &Hash,
    ) -> Result<(), AbsenceError> {
        if !shard.contains(meter) {
            let belongs = shard_of(meter, shard.bits);
            return Err(AbsenceError::WrongShard { meter: *meter, belongs, found: shard.id });
        }
        for path in self.before.iter().chain(&self.after) {
            if path.root(shard, batch_sequence)? != *root {
                return Err(AbsenceError::Root { batch_sequence });
            }
        }
        let (low, high) = absent_keys(meter, channels);
        let outside = self.before.as_ref().is_none_or(|path| path.leaf.key() < low)
            && self.after.as_ref().is_none_or(|path| path.leaf.key() > high);
        if !outside {
            return Err(AbsenceError::NotBetween { meter: *meter });
        }
        // The count is hashed into the root, so both paths have the same one.
        let adjacent = match (&self.before, &self.after) {
            (Some(before), Some(after)) => before.index.checked_add(1) == Some(after.index),
            (Some(before), None) => before.index.checked_add(1) == Some(before.count),
            (None, Some(after)) => after.index == 0,
            (None, None) => {
                if shard.root(batch_sequence, 0, &Hash::default()) != *root {
                    return Err(AbsenceError::Root { batch_sequence });
                }
                true
            }
        };
        if adjacent {
            Ok(())
        } else {
            Err(AbsenceError::NotAdjacent)
        }
    }

    /// The encoding: a byte that says which neighbours follow, and their paths.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_to(&mut out);
        out
    }

    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.before.is_some()) | u8::from(self.after.is_some()) << 1);
        self.before.iter().chain(&self.after).for_each(|path| path.encode_to(out));
    }

    /// Reads an encoding; any bytes give a proof or an error.
    ///
    /// # Errors
    /// [`DecodeError`] says where the bytes stop being a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("proof of absence", bytes);
        let proof = Self::decode_from(&mut reader)?;
        reader.finish()?;
        Ok(proof)
    }

    pub(crate) fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let present = reader.u8()?;
        if present > 3 {
            return Err(reader.error("the first byte says which of two neighbours follow: 0 to 3"));
        }
        let mut neighbour = |bit: u8| (present & bit != 0).then(|| HeadPath::decode_from(reader)).transpose();
        Ok(Self { before: neighbour(1)?, after: neighbour(2)? })
    }
}
