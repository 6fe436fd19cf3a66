//! Opening cells: the keys that a reader holds, and what comes out (protocol sections 3, 4, 6).

use crate::{
    cell::{section_hash, Header, Kind, SealedCell, Status},
    secrets::MeterKey,
    tree::{Cover, LeafKey, LeafWalker},
    types::{Channel, DayReadings, Hash, Intervals, Level, OperatingDay, Quality, Reading},
    verified::VerifiedCell,
    word::{boundaries, section_len, BoundaryTotal},
};
use alloc::{borrow::Cow, collections::BTreeMap, vec::Vec};

/// The keys of one MeterId that a reader holds: meter keys (open everything of their generation) and granted covers.
///
/// A keyring should hold keys of one origin: what a stranger delivers is tried on a keyring of its own first
/// ([`Keyring::matches`]), since of two covers for the same days the earlier added is used.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    meter_keys: BTreeMap<u16, MeterKey>,
    covers: BTreeMap<(Channel, Level, u32), Vec<Cover>>,
}

impl Keyring {
    /// A keyring without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keyring of a customer or utility: opens everything of the meter in the key's generation.
    pub fn from_meter_key(key: MeterKey) -> Self {
        let mut keyring = Self::new();
        keyring.add_meter_key(key);
        keyring
    }

    /// Adds the meter's key of a generation.
    pub fn add_meter_key(&mut self, key: MeterKey) {
        self.meter_keys.insert(key.generation(), key);
    }

    /// Adds the keys of a range of days at exactly one level of one epoch. A grant of a level has a cover for each
    /// level that it includes.
    pub fn add_cover(&mut self, channel: Channel, level: Level, epoch: u32, cover: Cover) {
        self.covers.entry((channel, level, epoch)).or_default().push(cover);
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.meter_keys.is_empty() && self.covers.is_empty()
    }

    /// The leaf key of a cell at one level, if held.
    pub fn leaf(&self, header: &Header, level: Level) -> Option<LeafKey> {
        if let Some(key) = self.meter_keys.get(&header.generation) {
            return key.epoch_key(header.epoch).tree_root(header.channel, level).leaf(header.day);
        }
        self.cover(header, level).and_then(|(_, cover)| cover.leaf(header.day))
    }

    /// The key commitment of a cell at one level, if the key is held. For many days in order use a [`Cursor`].
    pub fn kc(&self, header: &Header, level: Level) -> Option<Hash> {
        self.leaf(header, level).map(|leaf| leaf.commitment(header, level))
    }

    /// The finest level at which a cell can be opened, if any: the keys of all coarser levels are held too.
    pub fn level(&self, header: &Header) -> Option<Level> {
        if self.meter_keys.contains_key(&header.generation) {
            return Some(Level::Quarter);
        }
        Level::ALL.into_iter().take_while(|level| self.cover(header, *level).is_some()).last()
    }

    /// Whether the key for this cell at this level is held and is the one that the cell was sealed with.
    ///
    /// This is the test of a delivery (protocol section 8): one cell per segment and tree.
    pub fn matches(&self, cell: &SealedCell, level: Level) -> bool {
        let section = |kc| section_hash(&kc, cell.header.channel, level, cell.words(level));
        cell.header.has_words() && self.kc(&cell.header, level).map(section) == Some(*cell.section(level))
    }

    /// A cursor, which remembers tree paths: days in order then cost about one hash per level.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { keyring: self, walkers: BTreeMap::new() }
    }

    /// The cover that is used for a cell, with its place among those of its channel, level and epoch.
    fn cover(&self, header: &Header, level: Level) -> Option<(usize, &Cover)> {
        let covers = self.covers.get(&(header.channel, level, header.epoch))?;
        covers.iter().enumerate().find(|(_, cover)| cover.range().contains(header.day))
    }
}

/// Where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The meter key of a generation.
    MeterKey(u16),
    /// The granted cover at this place among those of its channel, level and epoch.
    Cover(usize),
}

/// Which keys of a channel and level: origin and epoch.
type TreeName = (Origin, u32);

/// Derives keys from a [`Keyring`] and remembers the tree paths of the last days.
pub struct Cursor<'a> {
    keyring: &'a Keyring,
    walkers: BTreeMap<(Channel, Level), (TreeName, LeafWalker)>,
}

impl Cursor<'_> {
    /// The keyring.
    pub fn keyring(&self) -> &Keyring {
        self.keyring
    }

    /// The leaf key of a cell at one level, if held.
    pub fn leaf(&mut self, header: &Header, level: Level) -> Option<LeafKey> {
        // The origin first: two covers may have the same day below them, and a remembered path proves nothing about which
        // of them is to be used.
        let meter_key = self.keyring.meter_keys.get(&header.generation);
        let cover = match meter_key {
            Some(_) => None,
            None => Some(self.keyring.cover(header, level)?),
        };
        let origin = cover.map_or(Origin::MeterKey(header.generation), |(at, _)| Origin::Cover(at));
        let (tree, place) = ((origin, header.epoch), (header.channel, level));
        if let Some((held, walker)) = self.walkers.get_mut(&place) {
            if *held == tree && walker.has(header.day) {
                return walker.leaf(header.day);
            }
        }
        let top = match (cover, meter_key) {
            (Some((_, cover)), _) => cover.node_above(header.day)?,
            (None, key) => key?.epoch_key(header.epoch).tree_root(header.channel, level),
        };
        let mut walker = LeafWalker::new(top);
        let leaf = walker.leaf(header.day);
        self.walkers.insert(place, (tree, walker));
        leaf
    }

    /// The key commitment of a cell at one level, if the key is held.
    pub fn kc(&mut self, header: &Header, level: Level) -> Option<Hash> {
        self.leaf(header, level).map(|leaf| leaf.commitment(header, level))
    }
}

/// Readings of a day at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The day's total.
    Day {
        /// Energy and counts of the whole day.
        total: BoundaryTotal,
        /// REVISION_DATE in minutes since 2000-01-01 00:00 local time; 0 = none.
        revision_date: u32,
    },
    /// Hourly totals.
    Hours {
        /// 23, 24 or 25 hours in order.
        hours: Vec<BoundaryTotal>,
        /// As above.
        revision_date: u32,
    },
    /// Every interval.
    Quarters(DayReadings),
}

impl Opened {
    /// The level at which the day was opened.
    pub fn level(&self) -> Level {
        match self {
            Self::Day { .. } => Level::Day,
            Self::Hours { .. } => Level::Hour,
            Self::Quarters(_) => Level::Quarter,
        }
    }

    /// REVISION_DATE in minutes since 2000-01-01 00:00 local time; 0 = none.
    pub fn revision_date(&self) -> u32 {
        match self {
            Self::Day { revision_date, .. } | Self::Hours { revision_date, .. } => *revision_date,
            Self::Quarters(readings) => readings.revision_date,
        }
    }

    /// The totals of the hours, where the level has them.
    pub fn hours(&self) -> Option<Cow<'_, [BoundaryTotal]>> {
        match self {
            Self::Day { .. } => None,
            Self::Hours { hours, .. } => Some(Cow::Borrowed(hours)),
            Self::Quarters(readings) => Some(readings.intervals.chunks(4).map(sum).collect()),
        }
    }

    /// The day's total.
    pub fn total(&self) -> BoundaryTotal {
        match self {
            Self::Day { total, .. } => *total,
            Self::Hours { hours, .. } => hours.iter().fold(BoundaryTotal::default(), |total, hour| BoundaryTotal {
                wh: total.wh.saturating_add(hour.wh),
                estimated: total.estimated.saturating_add(hour.estimated),
                missing: total.missing.saturating_add(hour.missing),
            }),
            Self::Quarters(readings) => sum(&readings.intervals),
        }
    }
}

fn sum(readings: &[Reading]) -> BoundaryTotal {
    readings.iter().fold(BoundaryTotal::default(), |total, reading| BoundaryTotal {
        wh: total.wh.saturating_add(reading.wh.into()),
        estimated: total.estimated.saturating_add(u8::from(reading.quality == Quality::Estimated)),
        missing: total.missing.saturating_add(u8::from(reading.quality == Quality::Missing)),
    })
}

/// What a utility sealed although it makes no sense. Under a right key this is evidence against the utility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The day's length is not the calendar's.
    #[error("it has {found} intervals where the calendar has {expected}")]
    Intervals {
        /// Intervals of the cell.
        found: u8,
        /// Intervals of that day.
        expected: u8,
    },
    /// A section has another number of words than the day's length demands.
    #[error("the section of level {level:?} has {found} words")]
    Section {
        /// Level.
        level: Level,
        /// Words found.
        found: usize,
    },
    /// A total that is smaller than an earlier one.
    #[error("a total before boundary {boundary} of the day is larger than the one there")]
    Decreasing {
        /// Boundary among those of the level, from 1.
        boundary: usize,
    },
    /// More estimated and missing intervals than there are.
    #[error("more intervals are estimated or missing before boundary {boundary} than there are")]
    Counts {
        /// Boundary among those of the level, from 1.
        boundary: usize,
    },
    /// Energy where everything is missing, or more than an interval can have (2^32 - 1 Wh).
    #[error("the energy before boundary {boundary} is impossible for the intervals that are not missing")]
    Energy {
        /// Boundary among those of the level, from 1.
        boundary: usize,
    },
    /// REVISION_DATE above 2^32 - 1 minutes.
    #[error("its REVISION_DATE is no number of minutes")]
    RevisionDate,
}

/// Why a cell does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No key for this day under this epoch.
    #[error(
        "{day} was sealed under key epoch {epoch}, for which no key covers that day; ask for a delivery of that epoch"
    )]
    EpochNotGranted {
        /// Day.
        day: OperatingDay,
        /// Epoch.
        epoch: u32,
    },
    /// Only keys of a coarser level.
    #[error("{day}: the keys open level {granted:?}, not {asked:?}; ask for readings of the level that was granted")]
    LevelNotGranted {
        /// Day.
        day: OperatingDay,
        /// Finest level that the keys open.
        granted: Level,
        /// Level asked for.
        asked: Level,
    },
    /// The keys are there, but the proof brought no words for this cell.
    #[error(
        "{day}, epoch {epoch}: its words were not asked for; ask again with this epoch and day among the segments"
    )]
    NotAskedFor {
        /// Day.
        day: OperatingDay,
        /// Epoch.
        epoch: u32,
    },
    /// The key is not the one that the cell was sealed with.
    #[error("{day}, epoch {epoch}: the key of level {level:?} is not the one that sealed it; ask for a new delivery")]
    WrongKey {
        /// Day.
        day: OperatingDay,
        /// Epoch.
        epoch: u32,
        /// Level whose section does not fit.
        level: Level,
    },
    /// The right key, and no sense.
    #[error("{day}, revision {revision}: the utility sealed a malformed reading: {what}; keep the cell and its proof as evidence")]
    MalformedReading {
        /// Day.
        day: OperatingDay,
        /// Revision.
        revision: u16,
        /// What is wrong.
        what: Malformed,
    },
    /// The utility withdrew the readings of this day.
    #[error("the utility withdrew the readings of {day} with revision {revision}")]
    Withdrawn {
        /// Day.
        day: OperatingDay,
        /// Revision that withdrew them.
        revision: u16,
    },
    /// Not a day: the end of a stream.
    #[error("this cell closes the stream on {day} and has no readings")]
    Closed {
        /// Last day of the tenancy.
        day: OperatingDay,
    },
}

/// Opens a verified cell at the level at which it was verified. `expected` is the calendar's length of that day.
///
/// # Errors
/// [`OpenError`], each cause its own.
pub fn open(cell: &VerifiedCell, keyring: &Keyring, expected: Intervals) -> Result<Opened, OpenError> {
    open_with(cell, &mut keyring.cursor(), expected)
}

/// As [`open`], for many days in order with one [`Cursor`].
///
/// # Errors
/// [`OpenError`], each cause its own.
pub fn open_with(cell: &VerifiedCell, keys: &mut Cursor<'_>, expected: Intervals) -> Result<Opened, OpenError> {
    let header = cell.header();
    readable(header)?;
    // A cell without sections lies in none of the segments that were asked for.
    let level = cell.level().ok_or_else(|| match keys.keyring().level(header) {
        Some(_) => OpenError::NotAskedFor { day: header.day, epoch: header.epoch },
        None => missing_key(keys.keyring(), header, Level::Day),
    })?;
    let sections = |level| Some((cell.words(level)?, cell.section_hash(level)?));
    open_sections(header, sections, level, keys, expected)
}

/// Reopens a cell with the meter's key, all of it: what the utility's worker does with its own cells to decide about
/// amendments. No proof is asked for; the section hashes are compared with the keys.
///
/// # Errors
/// [`OpenError`] as for any reader; the length of the day is the cell's own.
pub fn reopen(key: &MeterKey, cell: &SealedCell) -> Result<DayReadings, OpenError> {
    let keyring = Keyring::from_meter_key(key.clone());
    let sections = |level| Some((cell.words(level), cell.section(level)));
    match open_sections(&cell.header, sections, Level::Quarter, &mut keyring.cursor(), cell.header.intervals)? {
        Opened::Quarters(readings) => Ok(readings),
        // `open_sections` returns the level that it is asked for.
        Opened::Day { .. } | Opened::Hours { .. } => Err(missing_key(&keyring, &cell.header, Level::Quarter)),
    }
}

/// Whether the cell can have readings at all.
fn readable(header: &Header) -> Result<(), OpenError> {
    match (header.kind, header.status) {
        (Kind::Close, _) => Err(OpenError::Closed { day: header.day }),
        (_, Status::Withdrawn) => Err(OpenError::Withdrawn { day: header.day, revision: header.revision }),
        (Kind::Day, Status::Reading) => Ok(()),
    }
}

fn missing_key(keyring: &Keyring, header: &Header, asked: Level) -> OpenError {
    match keyring.level(header) {
        Some(granted) => OpenError::LevelNotGranted { day: header.day, granted, asked },
        None => OpenError::EpochNotGranted { day: header.day, epoch: header.epoch },
    }
}

/// `sections`: sealed words and section hash of a level.
fn open_sections<'c>(
    header: &Header,
    sections: impl Fn(Level) -> Option<(&'c [u64], &'c Hash)>,
    level: Level,
    keys: &mut Cursor<'_>,
    expected: Intervals,
) -> Result<Opened, OpenError> {
    readable(header)?;
    let (day, revision) = (header.day, header.revision);
    let malformed = |what| OpenError::MalformedReading { day, revision, what };
    // Keys first: without them nobody may call a cell malformed.
    let mut clear: [Vec<u64>; 3] = Default::default();
    for (level, clear) in level.included().zip(&mut clear) {
        let leaf = keys.leaf(header, level).ok_or_else(|| missing_key(keys.keyring(), header, level))?;
        let not_asked = OpenError::NotAskedFor { day, epoch: header.epoch };
        let (sealed, hash) = sections(level).ok_or(not_asked)?;
        if section_hash(&leaf.commitment(header, level), header.channel, level, sealed) != *hash {
            return Err(OpenError::WrongKey { day, epoch: header.epoch, level });
        }
        if sealed.len() != section_len(header.intervals, level) {
            return Err(malformed(Malformed::Section { level, found: sealed.len() }));
        }
        clear.resize(sealed.len(), 0);
        leaf.pads(&header.nonce, header.channel, level, clear);
        for (word, sealed) in clear.iter_mut().zip(sealed) {
            *word = sealed.wrapping_sub(*word);
        }
    }
    if header.intervals != expected {
        return Err(malformed(Malformed::Intervals { found: header.intervals as u8, expected: expected as u8 }));
    }
    let [day_words, hour, quarter] = &clear;
    let [total, revision_date] = day_words[..] else {
        return Err(malformed(Malformed::Section { level: Level::Day, found: day_words.len() }));
    };
    let revision_date = u32::try_from(revision_date).map_err(|_| malformed(Malformed::RevisionDate))?;
    let each = match level {
        Level::Day => header.intervals as u8,
        Level::Hour => 4,
        Level::Quarter => 1,
    };
    let ends = boundaries(header.intervals, level, total, hour, quarter);
    let parts = differences(ends, each).map_err(malformed)?;
    Ok(match level {
        Level::Day => Opened::Day { total: BoundaryTotal::unpack(total), revision_date },
        Level::Hour => Opened::Hours { hours: parts, revision_date },
        Level::Quarter => {
            let mut intervals = Vec::with_capacity(parts.len());
            for (part, boundary) in parts.iter().zip(1..) {
                let wh = u32::try_from(part.wh).map_err(|_| malformed(Malformed::Energy { boundary }))?;
                let quality = match (part.estimated, part.missing) {
                    (0, 0) => Quality::Actual,
                    (_, 0) => Quality::Estimated,
                    _ => Quality::Missing,
                };
                intervals.push(Reading { wh, quality });
            }
            Opened::Quarters(DayReadings { channel: header.channel, day, revision_date, intervals })
        }
    })
}

/// What each boundary adds to the one before, `each` intervals apart. Every field is unpacked first, then subtracted.
fn differences(ends: impl Iterator<Item = u64>, each: u8) -> Result<Vec<BoundaryTotal>, Malformed> {
    let mut before = BoundaryTotal::default();
    let mut parts = Vec::with_capacity(100 / usize::from(each.max(1)));
    for (end, boundary) in ends.zip(1..) {
        let end = BoundaryTotal::unpack(end);
        let part = end.since(&before).ok_or(Malformed::Decreasing { boundary })?;
        before = end;
        let unread = u16::from(part.estimated) + u16::from(part.missing);
        if unread > each.into() {
            return Err(Malformed::Counts { boundary });
        }
        let read = u64::from(each - part.missing);
        if part.wh > read * u64::from(u32::MAX) {
            return Err(Malformed::Energy { boundary });
        }
        parts.push(part);
    }
    Ok(parts)
}
