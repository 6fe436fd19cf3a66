//! Range proofs (protocol section 6): the cells of one stream from the beginning of a range up to the stream's head, and
//! the path from there to the shard's root. They show that nothing was left out and that nothing newer exists.
//!
//! A cell of the range that the reader holds keys for comes with its sealed words up to the level asked for; of every
//! other cell the proof has header and body hash only. Words are bound by hashes over key commitments, which only
//! holders of the keys can compute, so [`crate::verify`] needs the keyring.

use crate::{
    cell::{Header, SealedCell},
    decode::{put_count, put_words, DecodeError, Reader},
    delivery::Segment,
    shard::{HeadPath, HeadTree},
    types::{DayRange, Hash, Level, StreamId},
    verified::place,
};
use alloc::vec::Vec;
use core::fmt;

/// Most cells in a proof, 90 years of days with a correction each.
pub const MAX_ELEMENTS: usize = 65_536;

/// Most bytes of an encoded proof.
pub const MAX_PROOF_BYTES: usize = 64 << 20;

/// How much a proof repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
#[repr(u8)]
pub enum Form {
    /// As small as can be: 113, 265 or 809 bytes for a day of 96 intervals at day, hour or quarter-hour level. If
    /// anything is altered, all that shows is that the whole does not fit.
    #[cfg_attr(feature = "scale", codec(index = 0))]
    Compact = 0,
    /// With the previous hash of every cell and all section hashes of every opened cell, so that the cell and the section
    /// that do not fit can be named. Asked for after a compact proof failed.
    #[cfg_attr(feature = "scale", codec(index = 1))]
    Explained = 1,
}

/// What a reader asks a vault for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeRequest {
    /// The stream.
    pub stream: StreamId,
    /// The days.
    pub range: DayRange,
    /// The finest level wanted.
    pub level: Level,
    /// Epochs and days that the reader holds keys for; cells of others come without words.
    pub segments: Vec<Segment>,
    /// How much the proof repeats.
    pub form: Form,
}

impl RangeRequest {
    /// Whether a cell comes with words: it lies in the range, has readings, and a segment has its epoch and day.
    pub fn opens(&self, header: &Header) -> bool {
        let held = |segment: &Segment| segment.epoch == header.epoch && segment.days.contains(header.day);
        header.has_words() && self.range.contains(header.day) && self.segments.iter().any(held)
    }
}

/// What a proof says about a cell beside its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The body hash.
    Hidden(Hash),
    /// Sealed words, and hashes of the sections whose words are not there.
    Opened {
        /// The finest level whose words are here.
        level: Level,
        /// Words of the day, hour and quarter sections; empty above `level`.
        words: [Vec<u64>; 3],
        /// Section hashes: of those above `level`, in the explained form of all.
        hashes: [Option<Hash>; 3],
    },
}

/// One cell in a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The header. In the compact form `previous` is known of the first element only, and zero in the others.
    pub header: Header,
    /// Body hash, or words.
    pub body: Body,
}

impl Element {
    /// A cell as the request and its form want it.
    fn new(cell: &SealedCell, request: &RangeRequest) -> Self {
        let header = cell.header;
        if !request.opens(&header) {
            return Self { header, body: Body::Hidden(cell.body()) };
        }
        let explained = request.form == Form::Explained;
        let words = Level::ALL.map(|level| match level <= request.level {
            true => cell.words(level).to_vec(),
            false => Vec::new(),
        });
        let hashes = Level::ALL.map(|level| (explained || level > request.level).then(|| *cell.section(level)));
        Self { header, body: Body::Opened { level: request.level, words, hashes } }
    }
}

/// Consecutive cells of a stream up to its head, and the head's path to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeProof {
    /// How much it repeats.
    pub form: Form,
    /// The head of the stream, and its path.
    pub path: HeadPath,
    /// The cells, oldest first; the last is the head.
    pub elements: Vec<Element>,
}

/// Why a vault cannot build a proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError<E> {
    /// Reading the store failed.
    #[error("reading the stored cells failed: {0}")]
    Store(E),
    /// The stream has no cell; [`HeadTree::absence`] proves that.
    #[error("nothing has been published about this meter and channel")]
    NoStream,
    /// The stream is of another shard, utility or chain than the tree.
    #[error("the stream does not belong to {0}")]
    WrongShard(crate::shard::Shard),
    /// The store and the tree of heads disagree.
    #[error(
        "the stored cells are not those of batch {batch_sequence}'s heads: cell {expected} is missing or differs; the \
         store is damaged or behind"
    )]
    Gap {
        /// Batch of the tree.
        batch_sequence: u32,
        /// The sequence number that was due.
        expected: u32,
    },
    /// The range reaches so far back that a proof would be too large.
    #[error("the proof would have more than {MAX_ELEMENTS} cells; ask for a range that begins later")]
    TooLong,
}

/// Builds the proof for a request.
///
/// `newest_first` gives the cells of the stream in **descending** order of sequence number, from the head on. It is read
/// up to the cell that no earlier one of which lies in the range or after it, and no further: a store iterates backwards
/// and never touches older cells. `tree` is that of the newest batch whose cells the store holds.
///
/// # Errors
/// [`BuildError`]: the store failed, is behind the tree, or has no such stream.
pub fn build_range<E: fmt::Display>(
    request: &RangeRequest,
    newest_first: impl IntoIterator<Item = Result<SealedCell, E>>,
    tree: &HeadTree,
) -> Result<RangeProof, BuildError<E>> {
    let StreamId { genesis, utility, meter, channel } = &request.stream;
    let shard = tree.shard();
    if (&shard.genesis, &shard.utility) != (genesis, utility) || !shard.contains(meter) {
        return Err(BuildError::WrongShard(*shard));
    }
    let path = tree.path(meter, *channel).ok_or(BuildError::NoStream)?;
    let (mut expected, mut due) = (path.leaf.sequence, path.leaf.hash);
    let gap = |expected| BuildError::Gap { batch_sequence: tree.batch_sequence(), expected };
    let mut elements = Vec::new();
    let mut complete = false;
    for cell in newest_first {
        let cell = cell.map_err(BuildError::Store)?;
        // The vault checked this chain when it took the cells; a damaged store must not become a refused proof.
        if cell.header.sequence != expected || cell.hash() != due {
            return Err(gap(expected));
        }
        if elements.len() == MAX_ELEMENTS {
            return Err(BuildError::TooLong);
        }
        elements.push(Element::new(&cell, request));
        due = cell.header.previous;
        complete = begins(&cell.header, request.range);
        if complete {
            break;
        }
        expected = expected.saturating_sub(1);
    }
    if !complete {
        return Err(gap(expected));
    }
    elements.reverse();
    if request.form == Form::Compact {
        elements.iter_mut().skip(1).for_each(|element| element.header.previous = Hash::default());
    }
    Ok(RangeProof { form: request.form, path, elements })
}

/// Whether a proof of the range may begin with this cell: no earlier cell is of a day in the range or after it.
pub(crate) fn begins(header: &Header, range: DayRange) -> bool {
    header.sequence == 0 || header.day_high < range.first
}

/// Bytes of an element at least: header without the parts sent once, a byte, body hash.
const MIN_ELEMENT: usize = SHORT_HEADER + 1 + 32;

/// Bytes of a header without meter, channel, sequence number and previous hash.
const SHORT_HEADER: usize = Header::LEN - 16 - 1 - 4 - 32;

/// Where the parts of a header that are sent once stand in its encoding.
const CHANNEL: usize = 3;
const METER: usize = 17;
const SEQUENCE: usize = Header::LEN - 36;
const PREVIOUS: usize = Header::LEN - 32;

impl RangeProof {
    /// The encoding: form, path, number of the first element, previous hash of the first element, number of elements;
    /// of each element the header without what is known (meter, channel, sequence number; previous hash in the compact
    /// form), a byte (0 = body hash, 1 to 3 = level of the words), then the hashes and words that the form has.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.push(self.form as u8);
        self.path.encode_to(&mut out);
        let first = self.elements.first().map(|element| element.header);
        out.extend_from_slice(&first.map_or(0, |header| header.sequence).to_le_bytes());
        out.extend_from_slice(&first.map_or_else(Hash::default, |header| header.previous));
        put_count(&mut out, self.elements.len());
        for element in &self.elements {
            self.encode_element(element, &mut out);
        }
        out
    }

    fn encode_element(&self, Element { header, body }: &Element, out: &mut Vec<u8>) {
        let bytes = header.encode();
        let parts = [0..CHANNEL, CHANNEL + 1..METER, METER + 16..SEQUENCE];
        parts.into_iter().filter_map(|part| bytes.get(part)).for_each(|part| out.extend_from_slice(part));
        if self.form == Form::Explained {
            out.extend_from_slice(&header.previous);
        }
        match body {
            Body::Hidden(hash) => {
                out.push(0);
                out.extend_from_slice(hash);
            }
            Body::Opened { level, words, hashes } => {
                out.push(*level as u8);
                hashes.iter().flatten().for_each(|hash| out.extend_from_slice(hash));
                words.iter().for_each(|words| put_words(out, words));
            }
        }
    }

    /// Reads an encoding; any bytes give a proof or an error, with memory in proportion to their number.
    ///
    /// # Errors
    /// [`DecodeError`] says where the bytes stop being a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("range proof", bytes);
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(reader.error("a proof has at most 64 MiB"));
        }
        let form = match reader.u8()? {
            0 => Form::Compact,
            1 => Form::Explained,
            _ => return Err(reader.error("a form is 0 (compact) or 1 (explained)")),
        };
        let path = HeadPath::decode_from(&mut reader)?;
        let first = reader.u32()?;
        let mut previous = reader.hash()?;
        let count = reader.count(MIN_ELEMENT)?;
        if count > MAX_ELEMENTS {
            return Err(reader.error("a proof has at most 65,536 cells"));
        }
        let count = count as u32;
        if count > 0 && first.checked_add(count - 1).is_none() {
            return Err(reader.error("sequence numbers run over 2^32"));
        }
        let mut elements = Vec::with_capacity(count as usize);
        for position in 0..count {
            let sequence = first + position;
            let mut known = [0; Header::LEN];
            place_at(&mut known, CHANNEL, &[path.leaf.channel as u8]);
            place_at(&mut known, METER, &path.leaf.meter.0);
            place_at(&mut known, SEQUENCE, &sequence.to_le_bytes());
            place_at(&mut known, PREVIOUS, &previous);
            let element = decode_element(&mut reader, form, known)?;
            if form == Form::Explained && sequence == first && element.header.previous != previous {
                return Err(reader.error("the first cell's previous hash is given twice and differs"));
            }
            elements.push(element);
            previous = Hash::default();
        }
        reader.finish()?;
        Ok(Self { form, path, elements })
    }
}

fn place_at(bytes: &mut [u8; Header::LEN], at: usize, part: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}

fn decode_element(reader: &mut Reader<'_>, form: Form, mut known: [u8; Header::LEN]) -> Result<Element, DecodeError> {
    place_at(&mut known, 0, reader.slice(CHANNEL)?);
    place_at(&mut known, CHANNEL + 1, reader.slice(METER - CHANNEL - 1)?);
    place_at(&mut known, METER + 16, reader.slice(SEQUENCE - METER - 16)?);
    if form == Form::Explained {
        place_at(&mut known, PREVIOUS, reader.slice(32)?);
    }
    let header = Header::decode(&known).map_err(|error| reader.error(error.problem))?;
    let level = match reader.u8()? {
        0 => return Ok(Element { header, body: Body::Hidden(reader.hash()?) }),
        byte => Level::from_byte(byte).ok_or_else(|| reader.error("0 (body hash) or a level, 1 to 3, is due"))?,
    };
    if !header.has_words() {
        return Err(reader.error("a cell without readings comes with words"));
    }
    let mut hashes = [None; 3];
    let mut words = [Vec::new(), Vec::new(), Vec::new()];
    for (slot, here) in hashes.iter_mut().zip(Level::ALL) {
        if form == Form::Explained || here > level {
            *slot = Some(reader.hash()?);
        }
    }
    for here in level.included() {
        if let Some(slot) = words.get_mut(place(here)) {
            *slot = reader.words(header.section_len(here))?;
        }
    }
    Ok(Element { header, body: Body::Opened { level, words, hashes } })
}
