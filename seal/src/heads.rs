//! The heads of all streams of one shard: what the next cells must extend, and what a batch's root is made of
//! (protocol section 5). The utility's worker and every vault keep one per shard; both can be rebuilt from the cells.

use crate::{
    cell::{Head, Header, Kind, SealedCell},
    decode::{put_count, DecodeError, Reader},
    shard::{shard_of, streaming_root, HeadLeaf, HeadTree, Shard, ShardId, MAX_STREAMS},
    types::{Channel, Hash, MeterId, OperatingDay, StreamId},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

/// The end of a stream that has a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamHead {
    /// Number of the newest cell, from 0.
    pub sequence: u32,
    /// Hash of the newest cell.
    pub hash: Hash,
    /// Greatest operating day of all cells.
    pub day_high: OperatingDay,
}

/// A cell's place, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellName {
    /// The meter.
    pub meter: MeterId,
    /// The channel.
    pub channel: Channel,
    /// Number in the stream, from 0.
    pub sequence: u32,
    /// Operating day.
    pub day: OperatingDay,
    /// Revision of the day.
    pub revision: u16,
}

impl From<&Header> for CellName {
    fn from(header: &Header) -> Self {
        let Header { meter, channel, sequence, day, revision, .. } = *header;
        Self { meter, channel, sequence, day, revision }
    }
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { meter, channel, sequence, day, revision } = self;
        let channel = match channel {
            Channel::Consumption => "consumption",
            Channel::Generation => "generation",
        };
        write!(f, "cell {sequence} ({day}, revision {revision}) of meter {meter}, {channel}")
    }
}

/// Why a cell does not extend the head of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// The meter belongs to another shard.
    #[error("{cell} belongs to shard {belongs}, not to shard {found}")]
    WrongShard {
        /// The cell.
        cell: CellName,
        /// Shard of the meter.
        belongs: ShardId,
        /// Shard of these heads.
        found: ShardId,
    },
    /// A cell is missing before it, or it is there already.
    #[error("{cell} is not the next of its stream: number {expected} is")]
    Sequence {
        /// The cell.
        cell: CellName,
        /// The number that is due.
        expected: u32,
    },
    /// The stream has 2^32 cells.
    #[error("{cell} has no place: its stream is full")]
    StreamFull {
        /// The cell.
        cell: CellName,
    },
    /// It names another previous cell: a fork.
    #[error("{cell} does not continue the cell before it, whose hash is {}", crate::types::hex(expected))]
    Previous {
        /// The cell.
        cell: CellName,
        /// Hash of the head.
        expected: Hash,
    },
    /// Its statement about the earlier days is wrong.
    #[error("{cell} says that earlier cells reach up to {found}, but they reach up to {expected}")]
    DayHigh {
        /// The cell.
        cell: CellName,
        /// The greatest day of the earlier cells.
        expected: OperatingDay,
        /// The stated one.
        found: OperatingDay,
    },
    /// A later revision of a day that has no earlier one.
    #[error("{cell} is the first of its day, so its revision must be 0")]
    Revision {
        /// The cell.
        cell: CellName,
    },
    /// No room for another stream.
    #[error("{cell} begins a stream in a shard that has {MAX_STREAMS} already; the utility needs more shards")]
    ShardFull {
        /// The cell.
        cell: CellName,
    },
}

/// The heads of a shard's streams, sorted by (MeterId, channel).
///
/// Nodes of eleven streams and no allocation per stream: a full shard takes less than 6 MB even where allocations are
/// rounded up to powers of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    shard: Shard,
    streams: BTreeMap<(MeterId, Channel), StreamHead>,
}

impl Heads {
    const ENTRY: usize = 16 + 1 + 4 + 32 + 2;

    /// A shard about which nothing has been published.
    pub fn new(shard: Shard) -> Self {
        Self { shard, streams: BTreeMap::new() }
    }

    /// The shard.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Number of streams.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether nothing has been published.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// The head of a stream that has a cell.
    pub fn get(&self, meter: &MeterId, channel: Channel) -> Option<&StreamHead> {
        self.streams.get(&(*meter, channel))
    }

    /// Where the next cell of a stream goes, for sealing.
    pub fn head(&self, meter: &MeterId, channel: Channel) -> Head {
        match self.get(meter, channel) {
            Some(StreamHead { sequence, hash, day_high }) => {
                Head { next_sequence: sequence.checked_add(1), day_high: *day_high, hash: *hash }
            }
            None => Head::first(&self.stream(meter, channel)),
        }
    }

    /// The stream of a meter of this shard.
    pub fn stream(&self, meter: &MeterId, channel: Channel) -> StreamId {
        StreamId { genesis: self.shard.genesis, utility: self.shard.utility, meter: *meter, channel }
    }

    /// Checks that a cell extends the head of its stream and makes it the head. Returns its hash; an error changes
    /// nothing.
    ///
    /// # Errors
    /// [`ExtendError`] names the cell and what does not fit.
    pub fn apply(&mut self, cell: &SealedCell) -> Result<Hash, ExtendError> {
        self.check(&cell.header)?;
        let Header { meter, channel, sequence, .. } = cell.header;
        let after = Head::after(cell);
        self.streams.insert((meter, channel), StreamHead { sequence, hash: after.hash, day_high: after.day_high });
        Ok(after.hash)
    }

    /// Checks that a cell with this header would extend the head of its stream.
    ///
    /// # Errors
    /// As [`Heads::apply`].
    pub fn check(&self, header: &Header) -> Result<(), ExtendError> {
        let cell = CellName::from(header);
        if !self.shard.contains(&header.meter) {
            let belongs = shard_of(&header.meter, self.shard.bits);
            return Err(ExtendError::WrongShard { cell, belongs, found: self.shard.id });
        }
        let known = self.get(&header.meter, header.channel);
        if known.is_none() && self.streams.len() >= MAX_STREAMS as usize {
            return Err(ExtendError::ShardFull { cell });
        }
        let head = self.head(&header.meter, header.channel);
        let expected = head.next_sequence.ok_or(ExtendError::StreamFull { cell })?;
        if header.sequence != expected {
            return Err(ExtendError::Sequence { cell, expected });
        }
        if header.previous != head.hash {
            return Err(ExtendError::Previous { cell, expected: head.hash });
        }
        if header.day_high != head.day_high {
            return Err(ExtendError::DayHigh { cell, expected: head.day_high, found: header.day_high });
        }
        let first_of_day = known.is_none() || header.day > head.day_high;
        if header.kind == Kind::Day && first_of_day && header.revision != 0 {
            return Err(ExtendError::Revision { cell });
        }
        Ok(())
    }

    /// All heads, in the order of the tree.
    pub fn leaves(&self) -> impl Iterator<Item = HeadLeaf> + '_ {
        self.streams.iter().map(|(&(meter, channel), head)| HeadLeaf {
            meter,
            channel,
            sequence: head.sequence,
            hash: head.hash,
        })
    }

    /// The root after the batch of this number, with constant memory.
    pub fn root(&self, batch_sequence: u32) -> Hash {
        streaming_root(&self.shard, batch_sequence, self.leaves().map(|leaf| leaf.digest()))
    }

    /// The whole tree after the batch of this number; a vault keeps it and takes all paths from it.
    pub fn tree(&self, batch_sequence: u32) -> HeadTree {
        HeadTree::new(self.shard, batch_sequence, self.leaves().collect())
    }

    /// The encoding for an index that is kept between runs: 4 bytes and 55 per stream, at most 1.8 MB.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.streams.len() * Self::ENTRY);
        put_count(&mut out, self.streams.len());
        for ((meter, channel), head) in &self.streams {
            out.extend_from_slice(&meter.0);
            out.push(*channel as u8);
            out.extend_from_slice(&head.sequence.to_le_bytes());
            out.extend_from_slice(&head.hash);
            out.extend_from_slice(&head.day_high.0.to_le_bytes());
        }
        out
    }

    /// Reads an encoding; any bytes give heads or an error.
    ///
    /// Streams must ascend, belong to the shard and fit into it. Whether the heads are right only the root can tell.
    ///
    /// # Errors
    /// [`DecodeError`] says where the bytes are no heads of this shard.
    pub fn decode(shard: Shard, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("index of a shard's heads", bytes);
        let count = reader.count(Self::ENTRY)?;
        if count > MAX_STREAMS as usize {
            return Err(reader.error("a shard has at most 32,768 streams"));
        }
        let mut streams = BTreeMap::new();
        let mut before = None;
        for _ in 0..count {
            let key = (reader.meter()?, reader.channel()?);
            if !shard.contains(&key.0) {
                return Err(reader.error("a meter of another shard"));
            }
            if before >= Some(key) {
                return Err(reader.error("streams do not ascend"));
            }
            before = Some(key);
            let head = StreamHead { sequence: reader.u32()?, hash: reader.hash()?, day_high: reader.day()? };
            streams.insert(key, head);
        }
        reader.finish()?;
        Ok(Self { shard, streams })
    }
}
