//! Sealing (protocol sections 3 to 5): from the readings of a day to the next cell of a stream.

use crate::{
    cell::{section_hash, Head, Header, Kind, SealedCell, Status, SUITE},
    hash::{keyed_hash, Tag},
    secrets::{MeterKey, Secret},
    tree::{DayBeyondTree, LeafWalker, LAST_DAY},
    types::{Channel, DayReadings, Intervals, Level, OperatingDay, StreamId},
    word::{words_of, WordError, Words},
};

/// A day that was not sealed. The stream is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Readings that cannot be sealed.
    #[error("{day}: {problem}")]
    Readings {
        /// Day.
        day: OperatingDay,
        /// What is wrong.
        problem: WordError,
    },
    /// Readings of the other channel.
    #[error("{day}: readings of {found:?} were given to the stream of {expected:?}")]
    OtherChannel {
        /// Day.
        day: OperatingDay,
        /// Channel of the stream.
        expected: Channel,
        /// Channel of the readings.
        found: Channel,
    },
    /// No key for such a late day.
    #[error(transparent)]
    Beyond(#[from] DayBeyondTree),
    /// 2^32 cells.
    #[error("the stream has 2^32 cells and takes no more; give the meter a new tenancy number")]
    StreamFull,
}

/// Seals the days of one stream one after the other and remembers the tree paths: consecutive days need few hashes.
///
/// The result depends on keys, stream, epoch, head, readings and revision alone: the same give the same cell, byte for
/// byte, on every machine (protocol section 10, property 2).
pub struct StreamSealer<'a> {
    siv: &'a Secret,
    stream: StreamId,
    generation: u16,
    epoch: u32,
    head: Head,
    max_wh_per_interval: u32,
    walkers: [LeafWalker; 3],
}

impl<'a> StreamSealer<'a> {
    /// A sealer that continues a stream after `head` under the meter's present `epoch`.
    ///
    /// `siv` is the utility's secret for nonces; `max_wh_per_interval` bounds the energy of one interval (Wh, by meter
    /// class).
    pub fn new(
        key: &MeterKey,
        siv: &'a Secret,
        stream: StreamId,
        epoch: u32,
        head: Head,
        max_wh_per_interval: u32,
    ) -> Self {
        let walkers = walkers(key, epoch, stream.channel);
        Self { siv, stream, generation: key.generation(), epoch, head, max_wh_per_interval, walkers }
    }

    /// Goes on under another epoch or generation.
    pub fn set_epoch(&mut self, key: &MeterKey, epoch: u32) {
        self.walkers = walkers(key, epoch, self.stream.channel);
        self.generation = key.generation();
        self.epoch = epoch;
    }

    /// Where the next cell goes.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Seals a day as the given revision of it (0 the first time) and moves the head on.
    ///
    /// # Errors
    /// [`SealError`]; the head is as before.
    pub fn seal_day(&mut self, readings: &DayReadings, revision: u16) -> Result<SealedCell, SealError> {
        let day = readings.day;
        if readings.channel != self.stream.channel {
            let (expected, found) = (self.stream.channel, readings.channel);
            return Err(SealError::OtherChannel { day, expected, found });
        }
        let unreadable = |problem| SealError::Readings { day, problem };
        let Words { day: day_words, hour, quarter } =
            words_of(readings, self.max_wh_per_interval).map_err(unreadable)?;
        let found = readings.intervals.len();
        let n = u8::try_from(found).ok().and_then(Intervals::from_count);
        let n = n.ok_or(unreadable(WordError::IntervalCount { found }))?;
        let mut cell = SealedCell {
            day: day_words,
            hour,
            quarter,
            ..self.unsealed(Kind::Day, Status::Reading, day, n, revision)?
        };
        cell.header.nonce = nonce(self.siv, &cell);
        let SealedCell { header, sections, day, hour, quarter } = &mut cell;
        let words: [&mut [u64]; 3] = [day, hour, quarter];
        for (((level, walker), section), words) in
            Level::ALL.into_iter().zip(&mut self.walkers).zip(sections).zip(words)
        {
            let leaf = walker.leaf(header.day).ok_or(DayBeyondTree(header.day))?;
            let mut pads = [0; MOST_WORDS];
            let pads = &mut pads[..words.len().min(MOST_WORDS)];
            leaf.pads(&header.nonce, header.channel, level, pads);
            for (word, pad) in words.iter_mut().zip(pads) {
                *word = word.wrapping_add(*pad);
            }
            *section = section_hash(&leaf.commitment(header, level), header.channel, level, words);
        }
        self.head = Head::after(&cell);
        Ok(cell)
    }

    /// Takes the readings of a day back: a cell without words as the given revision. Moves the head on.
    ///
    /// # Errors
    /// [`SealError::StreamFull`], [`SealError::Beyond`]; the head is as before.
    pub fn withdraw(&mut self, day: OperatingDay, n: Intervals, revision: u16) -> Result<SealedCell, SealError> {
        self.without_words(Kind::Day, Status::Withdrawn, day, n, revision)
    }

    /// Closes the stream: the tenancy ended with `last_day`. Moves the head on.
    ///
    /// # Errors
    /// [`SealError::StreamFull`], [`SealError::Beyond`]; the head is as before.
    pub fn close(&mut self, last_day: OperatingDay, n: Intervals) -> Result<SealedCell, SealError> {
        self.without_words(Kind::Close, Status::Reading, last_day, n, 0)
    }

    fn without_words(
        &mut self,
        kind: Kind,
        status: Status,
        day: OperatingDay,
        n: Intervals,
        revision: u16,
    ) -> Result<SealedCell, SealError> {
        // Where no day can be sealed, none can be taken back and no stream can end.
        if day > LAST_DAY {
            return Err(DayBeyondTree(day).into());
        }
        let mut cell = self.unsealed(kind, status, day, n, revision)?;
        cell.header.nonce = nonce(self.siv, &cell);
        self.head = Head::after(&cell);
        Ok(cell)
    }

    /// The next cell without nonce and words.
    fn unsealed(
        &self,
        kind: Kind,
        status: Status,
        day: OperatingDay,
        intervals: Intervals,
        revision: u16,
    ) -> Result<SealedCell, SealError> {
        Ok(SealedCell::without_words(Header {
            suite: SUITE,
            kind,
            status,
            channel: self.stream.channel,
            intervals,
            day,
            day_high: self.head.day_high,
            revision,
            generation: self.generation,
            epoch: self.epoch,
            meter: self.stream.meter,
            nonce: [0; 16],
            sequence: self.head.next_sequence.ok_or(SealError::StreamFull)?,
            previous: self.head.hash,
        }))
    }
}

fn walkers(key: &MeterKey, epoch: u32, channel: Channel) -> [LeafWalker; 3] {
    let key = key.epoch_key(epoch);
    Level::ALL.map(|level| LeafWalker::new(key.tree_root(channel, level)))
}

/// Seals one day. For several days of a stream a [`StreamSealer`] is faster.
///
/// # Errors
/// [`SealError`].
#[allow(clippy::too_many_arguments)] // the inputs that determine a cell, each of them once
pub fn seal_day(
    key: &MeterKey,
    siv: &Secret,
    stream: &StreamId,
    epoch: u32,
    head: &Head,
    readings: &DayReadings,
    revision: u16,
    max_wh_per_interval: u32,
) -> Result<SealedCell, SealError> {
    StreamSealer::new(key, siv, *stream, epoch, *head, max_wh_per_interval).seal_day(readings, revision)
}

/// The nonce: keyed(K_siv, kind, channel, n, MeterId, generation, epoch, day, revision, all words in clear), 16 bytes.
///
/// The same data gives the same cell; different data never shares a pad, without any state.
fn nonce(siv: &Secret, clear: &SealedCell) -> [u8; 16] {
    let header = &clear.header;
    let mut bytes = [0; 8 * MOST_WORDS];
    let mut length = 0;
    for level in Level::ALL {
        let words = clear.words(level);
        for (word, place) in words.iter().zip(bytes[length..].chunks_exact_mut(8)) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        length += 8 * words.len();
    }
    let fields: [&[u8]; 7] = [
        &[header.kind as u8, header.channel as u8, header.intervals as u8],
        &header.meter.0,
        &header.generation.to_le_bytes(),
        &header.epoch.to_le_bytes(),
        &header.day.0.to_le_bytes(),
        &header.revision.to_le_bytes(),
        &bytes[..length],
    ];
    let [nonce @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = keyed_hash(siv.expose(), Tag::NONCE, &fields);
    nonce
}

/// Words of the longest day: 100 boundaries and REVISION_DATE.
const MOST_WORDS: usize = 101;
