//! What a checked proof yields: cells that stand under a finalised root (protocol section 6). Only
//! [`crate::verify::verify_range`] makes them, and only from them are readings opened.

use crate::{
    cell::{Header, Kind},
    finalized::{FinalizedRoot, Provenance},
    types::{DayRange, Hash, Level, OperatingDay, StreamId},
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

/// The sealed words of a cell as far as they were asked for, and its section hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sections {
    /// The finest level whose words are here.
    pub(crate) level: Level,
    /// Words of the day, hour and quarter sections; empty above `level`.
    pub(crate) words: [Vec<u64>; 3],
    /// Section hashes of day, hour, quarter.
    pub(crate) hashes: [Hash; 3],
}

/// A cell that was proved to stand under a finalised root.
///
/// Its header always is; its sealed words were checked, with the reader's own keys, up to [`VerifiedCell::level`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCell {
    pub(crate) header: Header,
    pub(crate) hash: Hash,
    pub(crate) sections: Option<Sections>,
}

impl VerifiedCell {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The cell hash.
    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The finest level whose sealed words are here; nothing if none of the reader's segments covers the cell, or it
    /// has no words.
    pub fn level(&self) -> Option<Level> {
        self.sections.as_ref().map(|sections| sections.level)
    }

    /// The sealed words of a level, if they are here.
    pub fn words(&self, level: Level) -> Option<&[u64]> {
        let sections = self.sections.as_ref().filter(|sections| level <= sections.level)?;
        sections.words.get(place(level)).map(Vec::as_slice)
    }

    /// The section hash of a level, if the sections are here; known at every level then.
    pub fn section_hash(&self, level: Level) -> Option<&Hash> {
        self.sections.as_ref()?.hashes.get(place(level))
    }
}

/// Where a cell stands in its stream, proved like everything else of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellPlace {
    /// Its sequence number.
    pub sequence: u32,
    /// Its operating day.
    pub day: OperatingDay,
    /// The greatest operating day of the stream up to it.
    pub high: OperatingDay,
    /// Its hash.
    pub hash: Hash,
}

/// Where a level's section stands in arrays of three.
pub(crate) fn place(level: Level) -> usize {
    match level {
        Level::Day => 0,
        Level::Hour => 1,
        Level::Quarter => 2,
    }
}

/// Whether the root that a range was checked against was the shard's newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Currency {
    /// It was: nothing newer about these days had been published by the block of the root.
    Current,
    /// Batches after it exist and may hold later revisions.
    Historic {
        /// Number of the shard's newest batch that the caller knew.
        newest_sequence: u32,
    },
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("current"),
            Self::Historic { newest_sequence } => {
                write!(f, "historic: batch {newest_sequence} exists and may hold later revisions")
            }
        }
    }
}

/// A range of one stream's days that was proved complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRange {
    pub(crate) stream: StreamId,
    pub(crate) range: DayRange,
    pub(crate) level: Level,
    pub(crate) root: FinalizedRoot,
    pub(crate) currency: Currency,
    /// Every cell of the range, in the order of the stream: revisions of a day ascend.
    pub(crate) days: BTreeMap<OperatingDay, Vec<VerifiedCell>>,
    /// Every cell of the proved part, whatever its day.
    pub(crate) places: Vec<CellPlace>,
    /// The cell that closed the stream, if one stands in the proved part.
    pub(crate) closed: Option<VerifiedCell>,
    pub(crate) head_sequence: u32,
    pub(crate) head_hash: Hash,
}

/// What is known about one day of a verified range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifiedDay<'a> {
    /// The utility has published this: the highest revision.
    Committed(&'a VerifiedCell),
    /// The utility has published nothing about this day up to this root; that is proved, not assumed.
    NotCommitted,
}

impl VerifiedRange {
    /// The stream.
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The days asked for.
    pub fn range(&self) -> DayRange {
        self.range
    }

    /// The level asked for.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The finalised root that everything was checked against.
    pub fn root(&self) -> &FinalizedRoot {
        &self.root
    }

    /// How that root was learnt; every export prints it.
    pub fn provenance(&self) -> Provenance {
        self.root.provenance()
    }

    /// Whether that root was the shard's newest.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Sequence number of the stream's newest cell under this root.
    pub fn head_sequence(&self) -> u32 {
        self.head_sequence
    }

    /// Hash of the stream's newest cell under this root.
    pub fn head_hash(&self) -> &Hash {
        &self.head_hash
    }

    /// Every cell that the proof shows, from the first that may be of the range to the stream's newest: also those of days
    /// outside the range.
    pub fn places(&self) -> &[CellPlace] {
        &self.places
    }

    /// The cell that closed the stream, if it was seen: the tenancy ended with the day in its header.
    pub fn closed(&self) -> Option<&VerifiedCell> {
        self.closed.as_ref()
    }

    /// What is known about one day; nothing if it lies outside the range.
    pub fn day(&self, day: OperatingDay) -> Option<VerifiedDay<'_>> {
        self.range.contains(day).then(|| match self.revisions(day).last() {
            Some(cell) => VerifiedDay::Committed(cell),
            None => VerifiedDay::NotCommitted,
        })
    }

    /// Every day of the range in order, none left out.
    pub fn days(&self) -> impl Iterator<Item = (OperatingDay, VerifiedDay<'_>)> {
        self.range.iter().filter_map(|day| self.day(day).map(|known| (day, known)))
    }

    /// All revisions of a day, 0 first; none if the utility has published nothing about it.
    pub fn revisions(&self, day: OperatingDay) -> &[VerifiedCell] {
        self.days.get(&day).map_or(&[], Vec::as_slice)
    }

    /// Adds a checked cell; says the revision that was due if the cell has another.
    pub(crate) fn add(&mut self, cell: VerifiedCell) -> Result<(), u16> {
        if cell.header.kind == Kind::Close {
            self.closed = Some(cell);
            return Ok(());
        }
        if !self.range.contains(cell.header.day) {
            return Ok(());
        }
        let revisions = self.days.entry(cell.header.day).or_default();
        let due = u16::try_from(revisions.len()).unwrap_or(u16::MAX);
        if cell.header.revision != due {
            return Err(due);
        }
        revisions.push(cell);
        Ok(())
    }
}
