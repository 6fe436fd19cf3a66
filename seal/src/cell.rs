//! Cells (protocol section 5): one stream's sealed readings of one operating day, one revision, chained to the cell before.

use crate::{
    decode::{put_words, DecodeError, Reader},
    hash::{public_hash, Tag},
    types::{Channel, Hash, Intervals, Level, MeterId, OperatingDay, StreamId},
    word::section_len,
};
use alloc::vec::Vec;

/// Suite of this version: BLAKE3 throughout, trees of depth 15.
pub const SUITE: u8 = 1;

/// What a cell is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An operating day.
    Day = 0,
    /// The end of the stream: the tenancy ended with `day`. Carries no words.
    Close = 1,
}

/// Whether a revision of a day has readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// It has.
    Reading = 0,
    /// The utility took the readings of this day back. Carries no words.
    Withdrawn = 1,
}

/// Everything about a cell that is not sealed. 85 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Suite, [`SUITE`].
    pub suite: u8,
    /// Kind.
    pub kind: Kind,
    /// Status; always `Reading` in a `Close` cell.
    pub status: Status,
    /// Channel of the stream.
    pub channel: Channel,
    /// Intervals of the day.
    pub intervals: Intervals,
    /// Operating day.
    pub day: OperatingDay,
    /// Greatest operating day of all earlier cells of the stream; 0 in the first cell.
    pub day_high: OperatingDay,
    /// Revision of the day, from 0.
    pub revision: u16,
    /// Generation of the utility's `seal` secret.
    pub generation: u16,
    /// Key epoch of the meter.
    pub epoch: u32,
    /// The meter.
    pub meter: MeterId,
    /// Nonce, made from the data (protocol section 4).
    pub nonce: [u8; 16],
    /// Place in the stream, from 0.
    pub sequence: u32,
    /// Hash of the previous cell; [`first_previous`] in the first cell.
    pub previous: Hash,
}

impl Header {
    /// Length of the encoding, bytes.
    pub const LEN: usize = 85;

    /// Whether the cell has words. Cells without words have three all-zero section hashes.
    pub fn has_words(&self) -> bool {
        self.kind == Kind::Day && self.status == Status::Reading
    }

    /// How many words the section of a level has in this cell.
    pub fn section_len(&self, level: Level) -> usize {
        if self.has_words() {
            section_len(self.intervals, level)
        } else {
            0
        }
    }

    /// The fields in order, little-endian, fixed width.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let fields: [&[u8]; 10] = [
            &[self.suite, self.kind as u8, self.status as u8, self.channel as u8, self.intervals as u8],
            &self.day.0.to_le_bytes(),
            &self.day_high.0.to_le_bytes(),
            &self.revision.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &self.epoch.to_le_bytes(),
            &self.meter.0,
            &self.nonce,
            &self.sequence.to_le_bytes(),
            &self.previous,
        ];
        let mut encoding = [0; Self::LEN];
        let mut rest = encoding.as_mut_slice();
        for field in fields {
            // The widths add up to LEN, so the split never falls short.
            let Some((place, after)) = rest.split_at_mut_checked(field.len()) else { break };
            place.copy_from_slice(field);
            rest = after;
        }
        encoding
    }

    /// Reads a header from the front of `input`.
    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let suite = input.u8()?;
        if suite != SUITE {
            return Err(input.error("a suite that this program does not know; update it"));
        }
        let kind = match input.u8()? {
            0 => Kind::Day,
            1 => Kind::Close,
            _ => return Err(input.error("a kind is 0 (day) or 1 (close)")),
        };
        let status = match (input.u8()?, kind) {
            (0, _) => Status::Reading,
            (1, Kind::Day) => Status::Withdrawn,
            (1, Kind::Close) => return Err(input.error("a closing cell cannot be withdrawn")),
            _ => return Err(input.error("a status is 0 (reading) or 1 (withdrawn)")),
        };
        let channel = input.channel()?;
        let intervals = Intervals::from_count(input.u8()?);
        Ok(Self {
            suite,
            kind,
            status,
            channel,
            intervals: intervals.ok_or_else(|| input.error("a day has 92, 96 or 100 intervals"))?,
            day: input.day()?,
            day_high: input.day()?,
            revision: input.u16()?,
            generation: input.u16()?,
            epoch: input.u32()?,
            meter: input.meter()?,
            nonce: input.array()?,
            sequence: input.u32()?,
            previous: input.hash()?,
        })
    }

    /// Reads exactly one header.
    ///
    /// # Errors
    /// [`DecodeError`] says where the bytes are no header of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new("cell header", bytes);
        let header = Self::read(&mut input)?;
        input.finish()?;
        Ok(header)
    }
}

/// A cell as it is stored and travels in batches: header, section hashes, sealed words.
///
/// The section hashes stand in it because only key holders can compute them (protocol section 4, key commitment).
/// Without words (`Close`, `Withdrawn`) all three are zero, `day` is zero and nothing of these is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCell {
    /// Header.
    pub header: Header,
    /// Section hashes: day, hour, quarter.
    pub sections: [Hash; 3],
    /// Sealed words of the day section.
    pub day: [u64; 2],
    /// Sealed words of the hour section.
    pub hour: Vec<u64>,
    /// Sealed words of the quarter section.
    pub quarter: Vec<u64>,
}

impl SealedCell {
    /// Longest encoding, bytes: a day of 100 intervals.
    pub const MAX_LEN: usize = Header::LEN + 3 * 32 + 8 * (2 + 24 + 75);

    /// A cell without words.
    pub fn without_words(header: Header) -> Self {
        Self { header, sections: [[0; 32]; 3], day: [0; 2], hour: Vec::new(), quarter: Vec::new() }
    }

    /// The sealed words of a level; none in a cell without words.
    pub fn words(&self, level: Level) -> &[u64] {
        match level {
            Level::Day if !self.header.has_words() => &[],
            Level::Day => &self.day,
            Level::Hour => &self.hour,
            Level::Quarter => &self.quarter,
        }
    }

    /// The section hash of a level.
    pub fn section(&self, level: Level) -> &Hash {
        let [day, hour, quarter] = &self.sections;
        match level {
            Level::Day => day,
            Level::Hour => hour,
            Level::Quarter => quarter,
        }
    }

    /// The body hash.
    pub fn body(&self) -> Hash {
        body_hash(&self.sections)
    }

    /// The cell hash.
    pub fn hash(&self) -> Hash {
        cell_hash(&self.header, &self.body())
    }

    /// Length of the encoding, bytes.
    pub fn encoded_len(&self) -> usize {
        encoded_len(&self.header)
    }

    /// Appends the encoding: header, then (with words) three section hashes and the words of day, hour, quarter.
    pub fn encode_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header.encode());
        if self.header.has_words() {
            out.extend(self.sections.iter().flatten());
            Level::ALL.into_iter().for_each(|level| put_words(out, self.words(level)));
        }
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode_to(&mut out);
        out
    }

    /// Reads a cell from the front of `input`; a batch body is such cells one after the other.
    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let header = Header::read(input)?;
        let mut cell = Self::without_words(header);
        if header.has_words() {
            for section in &mut cell.sections {
                *section = input.hash()?;
            }
            for word in &mut cell.day {
                *word = u64::from_le_bytes(input.array()?);
            }
            cell.hour = input.words(header.section_len(Level::Hour))?;
            cell.quarter = input.words(header.section_len(Level::Quarter))?;
        }
        Ok(cell)
    }

    /// Reads exactly one cell.
    ///
    /// # Errors
    /// [`DecodeError`] says where the bytes are no cell of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new("cell", bytes);
        let cell = Self::read(&mut input)?;
        input.finish()?;
        Ok(cell)
    }
}

/// Length in bytes of the encoded cell with this header.
pub fn encoded_len(header: &Header) -> usize {
    match header.has_words() {
        true => Header::LEN + 3 * 32 + 8 * (1 + header.intervals.count()),
        false => Header::LEN,
    }
}

/// Section hash: kc, channel, level, number of words (u8), words.
pub fn section_hash(kc: &Hash, channel: Channel, level: Level, words: &[u64]) -> Hash {
    let count = u8::try_from(words.len()).unwrap_or(u8::MAX);
    let mut bytes = [0; 8 * MOST_WORDS];
    let length = 8 * words.len().min(MOST_WORDS);
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    public_hash(Tag::SECTION, &[kc, &[channel as u8, level as u8, count], &bytes[..length]])
}

/// Words of the largest section: the quarter hours of a day of 100 intervals. Longer sections exist nowhere; of one that
/// somebody made up, only this many words would enter.
const MOST_WORDS: usize = 75;

/// Body hash: the section hashes of day, hour and quarter.
pub fn body_hash(sections: &[Hash; 3]) -> Hash {
    let [day, hour, quarter] = sections;
    public_hash(Tag::BODY, &[day, hour, quarter])
}

/// Cell hash: header and body.
pub fn cell_hash(header: &Header, body: &Hash) -> Hash {
    public_hash(Tag::CELL, &[&header.encode(), body])
}

/// What the first cell of a stream names as the previous one: hash of genesis, utility, MeterId, channel.
pub fn first_previous(stream: &StreamId) -> Hash {
    let channel = [stream.channel as u8];
    public_hash(Tag::FIRST_PREVIOUS, &[&stream.genesis, stream.utility.padded(), &stream.meter.0, &channel])
}

/// The end of a stream, and so where its next cell goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// Number of cells so far, which is the sequence number of the next; `None` when the stream is full (2^32 cells).
    pub next_sequence: Option<u32>,
    /// Greatest operating day so far; 0 if there is no cell.
    pub day_high: OperatingDay,
    /// Hash of the last cell, or [`first_previous`].
    pub hash: Hash,
}

impl Head {
    /// The head of a stream without cells.
    pub fn first(stream: &StreamId) -> Self {
        Self { next_sequence: Some(0), day_high: OperatingDay(0), hash: first_previous(stream) }
    }

    /// The head after a cell.
    pub fn after(cell: &SealedCell) -> Self {
        Self::after_header(&cell.header, cell.hash())
    }

    /// The head after a cell of which header and hash are known.
    pub fn after_header(header: &Header, hash: Hash) -> Self {
        Self { next_sequence: header.sequence.checked_add(1), day_high: header.day_high.max(header.day), hash }
    }
}
