//! What was fetched: a state for every day, rows for files, totals.

use super::{Answer, Cursor, Known, Reader, Wanted};
use sealed_register::{
    finalized::{FinalizedRoot, Provenance},
    open::{open_with, Opened},
    statement::Receipt,
    verified::{Currency, VerifiedDay},
    word::BoundaryTotal,
    Channel, DayRange, Hash, Intervals, Keyring, Level, MeterId, OpenError, OperatingDay, OrganisationId, Quality,
};
use smart_meter_texas::Calendar;
use std::fmt;

/// Everything that was fetched at once.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The consent by which it was read; none by the customer herself.
    pub consent: Option<Hash>,
    /// What was asked for.
    pub wanted: Wanted,
    /// One stream for each channel.
    pub streams: Vec<FetchedStream>,
    /// Length of all proofs, bytes.
    pub proof_bytes: u64,
    /// The vault's receipts.
    pub receipts: Vec<Receipt>,
    /// The calendar by which rows get their clock times.
    pub calendar: Calendar,
    /// Whether only days are here that are new or revised since a cursor; totals are theirs.
    pub incremental: bool,
    /// Where the next fetch under this consent can go on.
    pub cursor: Option<Cursor>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedStream {
    /// The channel.
    pub channel: Channel,
    /// Every day of the range, in order; of an incremental fetch those that are new or revised.
    pub days: Vec<FetchedDay>,
    /// The finalised roots that it was verified against, one for each request.
    pub roots: Vec<(FinalizedRoot, Currency)>,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedDay {
    /// The day.
    pub day: OperatingDay,
    /// What is known about it.
    pub state: DayState,
    /// Revision, from 0; none if nothing was published.
    pub revision: Option<u16>,
    /// How many revisions were published.
    pub revisions: u16,
    /// Key epoch under which the revision was sealed.
    pub epoch: Option<u32>,
}

/// What is known about a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayState {
    /// Its readings.
    Opened(Opened),
    /// The utility has published nothing about it: proved, not assumed.
    NotCommitted,
    /// The utility took its readings back.
    Withdrawn,
    /// It is published, but the keys held do not open it.
    Closed(OpenError),
    /// The keys are right and what was sealed makes no sense: evidence against the utility.
    Malformed(OpenError),
}

/// Sums over days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Days with readings.
    pub days: u32,
    /// Energy, Wh.
    pub wh: u64,
    /// Estimated intervals.
    pub estimated: u64,
    /// Missing intervals.
    pub missing: u64,
    /// Days about which nothing was published.
    pub not_committed: u32,
    /// Days that are published but not opened by the keys held.
    pub closed: u32,
    /// Days that were withdrawn.
    pub withdrawn: u32,
    /// Days that were sealed malformed.
    pub malformed: u32,
}

/// How a row's value came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowQuality {
    /// Read from the meter, all of it.
    Actual,
    /// At least one interval is estimated.
    Estimated,
    /// At least one interval is missing, and with it its energy.
    Missing,
    /// Nothing was published about this day.
    NotCommitted,
    /// The utility took the day's readings back.
    Withdrawn,
    /// The keys held do not open this day.
    Closed,
    /// What was sealed makes no sense.
    Malformed,
}

impl fmt::Display for RowQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Actual => "actual",
            Self::Estimated => "estimated",
            Self::Missing => "missing",
            Self::NotCommitted => "not committed",
            Self::Withdrawn => "withdrawn",
            Self::Closed => "not granted",
            Self::Malformed => "malformed",
        })
    }
}

/// One line of an export: an interval, an hour or a day; or a day without readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The channel.
    pub channel: Channel,
    /// The operating day.
    pub day: OperatingDay,
    /// Start by the local clock, minutes after midnight; none for a day without readings.
    pub start: Option<u16>,
    /// Offset of that clock from UTC, minutes.
    pub utc_offset: Option<i16>,
    /// Energy, Wh; none for a day without readings.
    pub wh: Option<u64>,
    /// How it came about.
    pub quality: RowQuality,
    /// Estimated intervals in it.
    pub estimated: u8,
    /// Missing intervals in it.
    pub missing: u8,
    /// Revision of the day, from 0.
    pub revision: Option<u16>,
}

impl Fetched {
    pub(super) fn new(reader: &Reader<'_>, wanted: &Wanted, calendar: Calendar) -> Self {
        Self {
            utility: reader.utility,
            meter: reader.meter,
            consent: reader.consent.map(|(consent, _)| consent),
            wanted: *wanted,
            streams: Vec::new(),
            proof_bytes: 0,
            receipts: Vec::new(),
            calendar,
            incremental: false,
            cursor: None,
        }
    }

    /// Adds those days of an answer that are `wanted`.
    pub(super) fn add(
        &mut self,
        channel: Channel,
        range: DayRange,
        answer: &Answer,
        keyring: &Keyring,
        wanted: impl Fn(OperatingDay) -> bool,
    ) {
        self.proof_bytes = self.proof_bytes.saturating_add(answer.proof_bytes as u64);
        self.receipts.push(answer.receipt);
        let mut days = open_days(&answer.known, range, keyring, &self.calendar);
        days.retain(|day| wanted(day.day));
        let root = (*answer.known.root(), answer.known.currency());
        match self.streams.iter_mut().find(|stream| stream.channel == channel) {
            Some(stream) => {
                stream.days.extend(days);
                stream.roots.push(root);
            }
            None => self.streams.push(FetchedStream { channel, days, roots: vec![root] }),
        }
    }

    /// Puts a channel's days in order, and says whether the keys held opened every one that was published.
    pub(super) fn settle(&mut self, channel: Channel) -> bool {
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.channel == channel) else { return true };
        stream.days.sort_by_key(|day| day.day);
        !stream.days.iter().any(|day| matches!(day.state, DayState::Closed(_)))
    }

    /// The stream of a channel.
    pub fn stream(&self, channel: Channel) -> Option<&FetchedStream> {
        self.streams.iter().find(|stream| stream.channel == channel)
    }

    /// Sums of a channel.
    pub fn totals(&self, channel: Channel) -> Totals {
        self.stream(channel).map(FetchedStream::totals).unwrap_or_default()
    }

    /// How the roots were learnt; none if nothing was fetched.
    pub fn provenance(&self) -> Option<Provenance> {
        self.streams.iter().flat_map(|stream| &stream.roots).map(|(root, _)| root.provenance()).next()
    }

    /// Whether every root was the newest of its shard.
    pub fn is_current(&self) -> bool {
        self.streams.iter().flat_map(|stream| &stream.roots).all(|(_, currency)| *currency == Currency::Current)
    }

    /// Every line, by channel and time. Days that are not known have one line each.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.streams.iter().flat_map(|stream| {
            stream.days.iter().flat_map(|day| rows_of(stream.channel, day, &self.calendar, self.wanted.level))
        })
    }

    /// The first day that was sealed malformed, with what is wrong.
    pub fn malformed(&self) -> Option<&OpenError> {
        self.streams.iter().flat_map(|stream| &stream.days).find_map(|day| match &day.state {
            DayState::Malformed(error) => Some(error),
            _ => None,
        })
    }
}

impl FetchedStream {
    /// Sums.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for day in &self.days {
            match &day.state {
                DayState::Opened(opened) => {
                    let BoundaryTotal { wh, estimated, missing } = opened.total();
                    totals.days += 1;
                    totals.wh = totals.wh.saturating_add(wh);
                    totals.estimated += u64::from(estimated);
                    totals.missing += u64::from(missing);
                }
                DayState::NotCommitted => totals.not_committed += 1,
                DayState::Withdrawn => totals.withdrawn += 1,
                DayState::Closed(_) => totals.closed += 1,
                DayState::Malformed(_) => totals.malformed += 1,
            }
        }
        totals
    }
}

fn open_days(known: &Known, range: DayRange, keyring: &Keyring, calendar: &Calendar) -> Vec<FetchedDay> {
    let nothing = |day| FetchedDay { day, state: DayState::NotCommitted, revision: None, revisions: 0, epoch: None };
    let verified = match known {
        Known::Absent { .. } => return range.iter().map(nothing).collect(),
        Known::Cells(verified) => verified,
    };
    let mut cursor = keyring.cursor();
    let days = verified.days().map(|(day, known)| {
        let VerifiedDay::Committed(cell) = known else { return nothing(day) };
        let expected = intervals(calendar, day);
        let state = match open_with(cell, &mut cursor, expected) {
            Ok(opened) => DayState::Opened(opened),
            Err(OpenError::Withdrawn { .. } | OpenError::Closed { .. }) => DayState::Withdrawn,
            Err(error @ OpenError::MalformedReading { .. }) => DayState::Malformed(error),
            Err(error) => DayState::Closed(error),
        };
        let header = cell.header();
        let revisions = u16::try_from(verified.revisions(day).len()).unwrap_or(u16::MAX);
        FetchedDay { day, state, revision: Some(header.revision), revisions, epoch: Some(header.epoch) }
    });
    days.collect()
}

fn intervals(calendar: &Calendar, day: OperatingDay) -> Intervals {
    Intervals::from_count(calendar.intervals(smart_meter_texas::OperatingDay(day.0))).unwrap_or(Intervals::Normal)
}

fn quality(total: &BoundaryTotal) -> RowQuality {
    match (total.estimated, total.missing) {
        (0, 0) => RowQuality::Actual,
        (_, 0) => RowQuality::Estimated,
        _ => RowQuality::Missing,
    }
}

/// The lines of one day at the level asked for, or at the coarser one that it was opened at.
fn rows_of(channel: Channel, day: &FetchedDay, calendar: &Calendar, level: Level) -> Vec<Row> {
    let opened = match &day.state {
        DayState::Opened(opened) => opened,
        other => {
            let quality = match other {
                DayState::Withdrawn => RowQuality::Withdrawn,
                DayState::Closed(_) => RowQuality::Closed,
                DayState::Malformed(_) => RowQuality::Malformed,
                DayState::NotCommitted | DayState::Opened(_) => RowQuality::NotCommitted,
            };
            return vec![Row {
                channel,
                day: day.day,
                start: None,
                utc_offset: None,
                wh: None,
                quality,
                estimated: 0,
                missing: 0,
                revision: day.revision,
            }];
        }
    };
    let (each, parts) = match opened {
        Opened::Quarters(readings) if level == Level::Quarter => {
            let part = |reading: &sealed_register::Reading| BoundaryTotal {
                wh: reading.wh.into(),
                estimated: u8::from(reading.quality == Quality::Estimated),
                missing: u8::from(reading.quality == Quality::Missing),
            };
            (1, readings.intervals.iter().map(part).collect())
        }
        opened => match opened.hours().filter(|_| level >= Level::Hour) {
            Some(hours) => (4, hours.into_owned()),
            None => (0, vec![opened.total()]),
        },
    };
    let that_day = smart_meter_texas::OperatingDay(day.day.0);
    let row = |(index, part): (u8, &BoundaryTotal)| Row {
        channel,
        day: day.day,
        start: calendar.clock(that_day, index.saturating_mul(each)).map(|clock| clock.start),
        utc_offset: calendar.utc_offset(that_day, index.saturating_mul(each)),
        wh: Some(part.wh),
        quality: quality(part),
        estimated: part.estimated,
        missing: part.missing,
        revision: day.revision,
    };
    (0..).zip(&parts).map(row).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::{Channels, DayReadings, Reading};

    fn day(text: &str) -> OperatingDay {
        text.parse().unwrap()
    }

    fn opened(text: &str, intervals: usize) -> FetchedDay {
        let readings = (0..intervals).map(|wh| {
            let quality = match wh {
                3 => Quality::Estimated,
                5 => Quality::Missing,
                _ => Quality::Actual,
            };
            Reading { wh: if wh == 5 { 0 } else { wh as u32 * 10 }, quality }
        });
        let readings = DayReadings {
            channel: Channel::Consumption,
            day: day(text),
            revision_date: 0,
            intervals: readings.collect(),
        };
        let state = DayState::Opened(Opened::Quarters(readings));
        FetchedDay { day: day(text), state, revision: Some(1), revisions: 2, epoch: Some(0) }
    }

    /// Four days: the spring day, the fall day, one that is not committed, one whose keys are not held.
    pub(crate) fn fetched(level: Level) -> Fetched {
        let nothing = |text, state| FetchedDay { day: day(text), state, revision: None, revisions: 0, epoch: None };
        let closed = DayState::Closed(OpenError::EpochNotGranted { day: day("2022-11-08"), epoch: 3 });
        let days = vec![
            opened("2022-03-13", 92),
            opened("2022-11-06", 100),
            nothing("2022-11-07", DayState::NotCommitted),
            nothing("2022-11-08", closed),
        ];
        let range = DayRange::new(day("2022-03-13"), day("2022-11-08")).unwrap();
        Fetched {
            utility: "oncor".parse().unwrap(),
            meter: MeterId([7; 16]),
            consent: Some([1; 32]),
            wanted: Wanted { channels: Channels::Consumption, range, level },
            streams: vec![FetchedStream { channel: Channel::Consumption, days, roots: Vec::new() }],
            proof_bytes: 1_234,
            receipts: Vec::new(),
            calendar: Calendar::us_rule(2021, 2023).unwrap(),
            incremental: false,
            cursor: None,
        }
    }

    #[test]
    fn rows_have_the_clock_of_days_on_which_it_changes() {
        let fetched = fetched(Level::Quarter);
        let rows: Vec<Row> = fetched.rows().collect();
        assert_eq!(rows.len(), 92 + 100 + 2);
        let clock = |row: &Row| (row.start.unwrap(), row.utc_offset.unwrap());
        assert_eq!(clock(&rows[7]), (105, -360));
        assert_eq!(clock(&rows[8]), (180, -300));
        let fall = &rows[92..192];
        assert_eq!(clock(&fall[4]), (60, -300));
        assert_eq!(clock(&fall[8]), (60, -360));
        assert_eq!(clock(&fall[99]), (1_425, -360));
        assert_eq!((rows[192].quality, rows[192].wh), (RowQuality::NotCommitted, None));
        assert_eq!(rows[193].quality, RowQuality::Closed);
        assert_eq!((rows[3].quality, rows[5].quality), (RowQuality::Estimated, RowQuality::Missing));
    }

    #[test]
    fn coarser_rows_sum_to_the_same_total() {
        let sum = |level| fetched(level).rows().filter_map(|row| row.wh).sum::<u64>();
        assert_eq!(sum(Level::Day), sum(Level::Quarter));
        assert_eq!(sum(Level::Hour), sum(Level::Quarter));
        assert_eq!(fetched(Level::Hour).rows().count(), 23 + 25 + 2);
        let hour = fetched(Level::Hour).rows().nth(2).unwrap();
        assert_eq!((hour.start, hour.utc_offset), (Some(180), Some(-300)));
        let totals = fetched(Level::Day).totals(Channel::Consumption);
        assert_eq!((totals.days, totals.wh), (2, sum(Level::Day)));
        assert_eq!((totals.estimated, totals.missing, totals.not_committed, totals.closed), (2, 2, 1, 1));
        assert_eq!(fetched(Level::Day).totals(Channel::Generation), Totals::default());
    }
}
