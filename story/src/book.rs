//! What the feed itself says, read with `smart-meter-texas` alone: the story compares everything that anybody opens with
//! this.

use crate::error::{Result, StoryError};
use sealed_register::{
    amend::{decide, Decision, SealedVersion},
    Channel, DayRange, DayReadings, OperatingDay, Quality, Reading,
};
use smart_meter_texas::{csv, Calendar, EsiId, MeterDay};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Memory for the days of a file that are not complete yet: enough for 100 meters and three years in any order.
const OPEN_DAYS: usize = 512 << 20;

/// What is to be known about one meter before it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterFacts {
    /// First day with readings.
    pub first_day: smart_meter_texas::OperatingDay,
    /// Last day with readings.
    pub last_day: smart_meter_texas::OperatingDay,
    /// Whether there are rows of consumption.
    pub consumption: bool,
    /// Whether there are rows of surplus generation.
    pub generation: bool,
    /// Greatest energy of an interval, Wh.
    pub max_wh: u32,
}

/// A file as a whole.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The meter of the first row.
    pub first: EsiId,
    /// All meters.
    pub meters: BTreeMap<EsiId, MeterFacts>,
    /// First day of all.
    pub first_day: smart_meter_texas::OperatingDay,
    /// Last day of all.
    pub last_day: smart_meter_texas::OperatingDay,
    /// Rows with a reading, or that say that there is none.
    pub used_rows: u64,
    /// Rows that cannot be used.
    pub refused_rows: u64,
    /// The first of them: line, field, reason.
    pub first_refused: Option<String>,
}

impl Survey {
    /// Reads a file.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn of(path: &Path, calendar: &Calendar) -> Result<Self> {
        let first = Cell::new(None);
        let mut meters: BTreeMap<EsiId, MeterFacts> = BTreeMap::new();
        let report = read(
            path,
            calendar,
            |esi_id| {
                first.set(first.get().or(Some(*esi_id)));
                true
            },
            |day| {
                let greatest = day.intervals.iter().map(|interval| interval.wh).max().unwrap_or(0);
                let facts = meters.entry(day.esi_id).or_insert(MeterFacts {
                    first_day: day.day,
                    last_day: day.day,
                    consumption: false,
                    generation: false,
                    max_wh: 0,
                });
                facts.first_day = facts.first_day.min(day.day);
                facts.last_day = facts.last_day.max(day.day);
                facts.max_wh = facts.max_wh.max(greatest);
                match day.channel {
                    smart_meter_texas::Channel::Consumption => facts.consumption = true,
                    smart_meter_texas::Channel::Generation => facts.generation = true,
                }
            },
        )?;
        let first_refused = report.refused.first().map(ToString::to_string);
        let nothing = || {
            let why = first_refused.as_deref().unwrap_or("it has a header only");
            StoryError::file(path, format!("no row can be used: {why}"))
        };
        // The first row's meter may have no row that can be used.
        let known = first.get().filter(|first| meters.contains_key(first));
        let first = known.or_else(|| meters.keys().next().copied()).ok_or_else(nothing)?;
        let first_day = meters.values().map(|facts| facts.first_day).min().ok_or_else(nothing)?;
        let last_day = meters.values().map(|facts| facts.last_day).max().ok_or_else(nothing)?;
        Ok(Self {
            first,
            meters,
            first_day,
            last_day,
            used_rows: report.used_rows,
            refused_rows: report.refused_rows,
            first_refused,
        })
    }
}

/// The newest version of every day of one meter, over all files of the feed in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Book {
    days: BTreeMap<(Channel, OperatingDay), SealedVersion>,
}

/// Sums of one channel over days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Days with readings.
    pub days: u64,
    /// Intervals with a value.
    pub readings: u64,
    /// Those of them that are estimated.
    pub estimated: u64,
    /// Intervals without a value.
    pub missing: u64,
    /// Energy, Wh.
    pub wh: u64,
}

impl Sums {
    /// Adds a day.
    pub fn add(&mut self, intervals: &[Reading]) {
        self.days += 1;
        for Reading { wh, quality } in intervals {
            self.wh = self.wh.saturating_add(u64::from(*wh));
            match quality {
                Quality::Actual => self.readings += 1,
                Quality::Estimated => {
                    self.readings += 1;
                    self.estimated += 1;
                }
                Quality::Missing => self.missing += 1,
            }
        }
    }
}

impl Book {
    /// Reads one meter's days out of files.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn of(files: &[PathBuf], esi_id: &EsiId, calendar: &Calendar) -> Result<Self> {
        let mut book = Self::default();
        for path in files {
            read(path, calendar, |found| found == esi_id, |day| book.enter(&readings_of(&day)))?;
        }
        Ok(book)
    }

    /// Enters a version of a day by the rule by which the utility seals.
    fn enter(&mut self, new: &DayReadings) {
        let place = (new.channel, new.day);
        let previous = self.days.get(&place);
        let version = match decide(previous, new) {
            Decision::First => SealedVersion { revision: 0, readings: Some(new.clone()) },
            Decision::Amend { revision, readings } => SealedVersion { revision, readings: Some(readings) },
            Decision::Same | Decision::Older | Decision::Held(_) => return,
        };
        self.days.insert(place, version);
    }

    /// The newest readings of a day.
    pub fn day(&self, channel: Channel, day: OperatingDay) -> Option<&DayReadings> {
        self.days.get(&(channel, day)).and_then(|version| version.readings.as_ref())
    }

    /// The number of the newest revision of a day, from 0.
    pub fn revision(&self, channel: Channel, day: OperatingDay) -> Option<u16> {
        self.days.get(&(channel, day)).map(|version| version.revision)
    }

    /// All days of a channel with readings, ascending.
    pub fn days(&self, channel: Channel) -> impl DoubleEndedIterator<Item = &DayReadings> {
        let of = (channel, OperatingDay(0))..=(channel, OperatingDay(u16::MAX));
        self.days.range(of).filter_map(|(_, version)| version.readings.as_ref())
    }

    /// Sums of a channel over a range.
    pub fn sums(&self, channel: Channel, range: DayRange) -> Sums {
        let mut sums = Sums::default();
        self.days(channel).filter(|day| range.contains(day.day)).for_each(|day| sums.add(&day.intervals));
        sums
    }
}

/// A day of a file as the register has it.
pub fn readings_of(day: &MeterDay) -> DayReadings {
    let reading = |interval: &smart_meter_texas::Interval| Reading {
        wh: interval.wh,
        quality: match interval.quality {
            smart_meter_texas::Quality::Actual => Quality::Actual,
            smart_meter_texas::Quality::Estimated => Quality::Estimated,
            smart_meter_texas::Quality::Missing => Quality::Missing,
        },
    };
    DayReadings {
        channel: match day.channel {
            smart_meter_texas::Channel::Consumption => Channel::Consumption,
            smart_meter_texas::Channel::Generation => Channel::Generation,
        },
        day: OperatingDay(day.day.0),
        revision_date: day.revision_date.0,
        intervals: day.intervals.iter().map(reading).collect(),
    }
}

fn read(
    path: &Path,
    calendar: &Calendar,
    wanted: impl FnMut(&EsiId) -> bool,
    mut each: impl FnMut(MeterDay),
) -> Result<csv::Report> {
    let limits = csv::Limits { max_open_bytes: OPEN_DAYS, ..csv::Limits::default() };
    let mut reader = csv::Reader::with_filter(calendar.clone(), limits, wanted);
    let mut file = File::open(path).map_err(|error| StoryError::file(path, error))?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut chunk).map_err(|error| StoryError::file(path, error))?;
        if read == 0 {
            break;
        }
        let bytes = chunk.get(..read).unwrap_or_default();
        reader.push(bytes, &mut each).map_err(|error| StoryError::file(path, error))?;
    }
    reader.finish(&mut each).map_err(|error| StoryError::file(path, error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    const HEADER: &str = "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,\
                          CONSUMPTION_SURPLUSGENERATION\n";

    fn file(folder: &Path, name: &str, rows: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, format!("{HEADER}{rows}")).unwrap();
        path
    }

    #[test]
    fn the_newest_version_counts_whatever_the_order() {
        let folder = tempfile::tempdir().unwrap();
        let row = |revised: &str, kwh: &str| {
            format!("'10443729900000001,03/01/2022,{revised} 06:00:00,00:00,00:15,{kwh},A,Consumption\n")
        };
        let calendar = crate::source::calendar().unwrap();
        let first = file(folder.path(), "a.csv", &(row("03/05/2022", ".2") + &row("03/02/2022", ".1")));
        let survey = Survey::of(&first, &calendar).unwrap();
        assert_eq!((survey.meters.len(), survey.used_rows, survey.first_day), (1, 2, survey.last_day));
        let (channel, day) = (Channel::Consumption, OperatingDay(survey.first_day.0));
        let book = Book::of(std::slice::from_ref(&first), &survey.first, &calendar).unwrap();
        assert_eq!(book.day(channel, day).unwrap().intervals[0].wh, 200);
        assert_eq!(book.revision(channel, day), Some(1));
        let second = file(folder.path(), "b.csv", &row("03/06/2022", ".3"));
        let book = Book::of(&[first, second], &survey.first, &calendar).unwrap();
        let range = DayRange::new(day, day).unwrap();
        let sums = book.sums(channel, range);
        assert_eq!((sums.days, sums.readings, sums.missing, sums.wh), (1, 1, 95, 300));
        assert_eq!(book.sums(Channel::Generation, range), Sums::default());
    }
}
