//! Deterministic homes (feature `generate`): the same seed gives the same readings on every platform, because all
//! randomness is ChaCha8 and all arithmetic is exactly specified (no functions of the platform's mathematics library).
//!
//! The homes are invented, but look like Texas: air conditioning by temperature, electric heating, evening peaks,
//! weekends, cars charged at night, pool pumps, solar roofs with a generation channel, estimated runs of 16 quarter
//! hours that are corrected days later, blank values, outages of true zeros, and days of 92 and 100 quarter hours.
//! The premise digits of their ESI IDs begin with 99.
//!
//! ```
//! use smart_meter_texas::{generate, Calendar, OperatingDay};
//!
//! let calendar = Calendar::us_rule(2010, 2040)?;
//! let week = OperatingDay(9_200)..=OperatingDay(9_206);
//! let mut file = Vec::new();
//! generate::write_csv(generate::homes(1, 3), &calendar, week, &mut file)?;
//! assert!(file.starts_with(b"ESIID,USAGE_DATE"));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod chance;
mod load;

use crate::csv::Writer;
use crate::{Calendar, Channel, EsiId, Interval, MeterDay, OperatingDay, Quality, RevisionDate, Tdsp, MAX_INTERVALS};
use chance::{Chance, Purpose};
use core::ops::RangeInclusive;
use load::Equipment;
use std::io;

/// Days after which no further version of a day comes.
const LAST_REVISION_AFTER: i32 = 12;
/// Estimated runs have 16 quarter hours and begin a quarter past the hour, as in real files.
const RUN: u8 = 16;

/// One invented home.
#[derive(Clone, Debug)]
pub struct Home {
    seed: u64,
    index: u32,
    esi_id: EsiId,
    equipment: Equipment,
}

/// The homes 0 to `count - 1` of a seed.
pub fn homes(seed: u64, count: u32) -> impl Iterator<Item = Home> {
    (0..count).map(move |index| Home::new(seed, index))
}

/// Writes one file of all homes in the portal's form: a header, then home by home and day by day every version of
/// every day, both channels.
///
/// # Errors
/// Those of `out`.
pub fn write_csv(
    homes: impl IntoIterator<Item = Home>,
    calendar: &Calendar,
    days: RangeInclusive<OperatingDay>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let writer = Writer::new(calendar);
    let mut buffer = Vec::with_capacity(1 << 16);
    writer.header(&mut buffer);
    for home in homes {
        for day in home.days(calendar, days.clone()) {
            writer.day(&day, &mut buffer).map_err(io::Error::other)?;
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}

impl Home {
    /// Home number `index` of a seed, served by one of the four large utilities.
    pub fn new(seed: u64, index: u32) -> Self {
        let mut chance = Chance::new(seed, index, 0, Purpose::Utility);
        let tdsp = match chance.below(100) {
            // Ten premise digits hold 99 and eight digits of the index; CenterPoint's fifteen hold any index.
            _ if index > SHORT_INDEX => Tdsp::CenterPoint,
            0..=44 => Tdsp::Oncor,
            45..=78 => Tdsp::CenterPoint,
            79..=90 => Tdsp::AepTexasCentral,
            91..=94 => Tdsp::AepTexasNorth,
            _ => Tdsp::Tnmp,
        };
        Self::of_tdsp(seed, index, tdsp)
    }

    /// Home number `index` of a seed at this utility. Above 99,999,999 only CenterPoint's ESI IDs have room for the
    /// index, and only they are distinct.
    pub fn of_tdsp(seed: u64, index: u32, tdsp: Tdsp) -> Self {
        let esi_id = esi_id(tdsp, index);
        let equipment = Equipment::new(&mut Chance::new(seed, index, 0, Purpose::Equipment));
        Home { seed, index, esi_id, equipment }
    }

    /// The ESI ID; it depends on the index and the utility only.
    pub fn esi_id(&self) -> EsiId {
        self.esi_id
    }

    /// True if the home has solar panels, and so a generation channel.
    pub fn has_generation(&self) -> bool {
        self.equipment.has_solar()
    }

    /// Every version of every day, both channels: days ascending, within a day revisions ascending.
    pub fn days<'a>(
        &'a self,
        calendar: &'a Calendar,
        days: RangeInclusive<OperatingDay>,
    ) -> impl Iterator<Item = MeterDay> + 'a {
        (days.start().0..=days.end().0).flat_map(move |day| self.versions(calendar, OperatingDay(day)))
    }

    /// What the utility makes known on the day `on`: versions whose revision date lies on it, mostly of the day before.
    pub fn published(&self, calendar: &Calendar, on: OperatingDay) -> Vec<MeterDay> {
        let known = |version: &MeterDay| {
            version.revision_date.to_datetime().and_then(|time| OperatingDay::from_date(time.date())) == Some(on)
        };
        (1..=LAST_REVISION_AFTER)
            .rev()
            .filter_map(|ago| on.checked_add(-ago))
            .flat_map(|day| self.versions(calendar, day))
            .filter(known)
            .collect()
    }

    /// The versions of one day: the first with its estimates and blanks, and perhaps a second with the true values.
    pub fn versions(&self, calendar: &Calendar, day: OperatingDay) -> Vec<MeterDay> {
        let intervals = calendar.intervals(day);
        let mut truth = self.equipment.readings(self.seed, self.index, calendar, day);
        let mut chance = self.chance(day, Purpose::Outage);
        if chance.one_in(300) {
            let start = usize::from(chance.number(intervals));
            let length = 4 + usize::from(chance.number(37));
            for energy in truth.iter_mut().skip(start).take(length) {
                *energy = (0, 0);
            }
        }
        let marks = self.marks(calendar, day, intervals);
        let first = self.first_revision(day);
        let mut versions = self.version(day, first, &truth, &marks);
        let mut chance = self.chance(day, Purpose::Correction);
        let marked = marks.iter().any(|mark| *mark != Quality::Actual);
        if marked && chance.below(4) > 0 {
            let later = 3 + i32::from(chance.number(7));
            let minute = 6 * 60 + chance.below(180);
            // No correction once days can no longer be counted.
            if let Some(second) = day.checked_add(later).and_then(|day| RevisionDate::at(day, minute)) {
                versions.extend(self.version(day, second, &truth, &[Quality::Actual; MAX_INTERVALS]));
            }
        }
        versions
    }

    fn chance(&self, day: OperatingDay, purpose: Purpose) -> Chance {
        Chance::new(self.seed, self.index, day.0, purpose)
    }

    /// The next morning, seldom the one after.
    fn first_revision(&self, day: OperatingDay) -> RevisionDate {
        let mut chance = self.chance(day, Purpose::Published);
        let later = if chance.one_in(50) { 2 } else { 1 };
        let minute = 6 * 60 + chance.below(115);
        day.checked_add(later).and_then(|day| RevisionDate::at(day, minute)).unwrap_or_default()
    }

    /// Which intervals the first version estimates or leaves blank.
    fn marks(&self, calendar: &Calendar, day: OperatingDay, intervals: u8) -> [Quality; MAX_INTERVALS] {
        let mut marks = [Quality::Actual; MAX_INTERVALS];
        let mut mark = |start: u8, length: u8, quality: Quality| {
            let run = marks.iter_mut().take(usize::from(intervals)).skip(usize::from(start));
            run.take(usize::from(length)).for_each(|mark| *mark = quality);
        };
        // A run of the evening before may reach over midnight.
        if let Some((before, start)) = day.checked_add(-1).and_then(|day| Some((day, self.run(day)?))) {
            let today = start.saturating_add(RUN).saturating_sub(calendar.intervals(before));
            mark(0, today.min(RUN), Quality::Estimated);
        }
        if let Some(start) = self.run(day) {
            mark(start, RUN, Quality::Estimated);
        }
        let mut chance = self.chance(day, Purpose::Blank);
        if chance.one_in(250) {
            mark(chance.number(intervals), 1 + chance.number(8), Quality::Missing);
        }
        marks
    }

    /// The first interval of the estimated run that begins on the day, if one does: about seven a year.
    fn run(&self, day: OperatingDay) -> Option<u8> {
        let mut chance = self.chance(day, Purpose::Estimate);
        chance.one_in(52).then(|| 1 + 4 * chance.number(23))
    }

    fn version(
        &self,
        day: OperatingDay,
        revision_date: RevisionDate,
        truth: &[(u32, u32)],
        marks: &[Quality; MAX_INTERVALS],
    ) -> Vec<MeterDay> {
        let channels = if self.has_generation() { Channel::ALL.as_slice() } else { &[Channel::Consumption] };
        let of = |channel: Channel| {
            let energy = |&(delivered, received): &(u32, u32)| match channel {
                Channel::Consumption => delivered,
                Channel::Generation => received,
            };
            // An estimate is the mean of what was, give or take a tenth.
            let run = || truth.iter().zip(marks).filter(|(_, mark)| **mark == Quality::Estimated);
            let sum: u64 = run().map(|(truth, _)| u64::from(energy(truth))).sum();
            let mean = sum / (run().count() as u64).max(1);
            let mut chance = self.chance(day, Purpose::Guess);
            let mut interval = |truth: &(u32, u32), mark: &Quality| match mark {
                Quality::Actual => Interval::actual(energy(truth)),
                Quality::Estimated => Interval::estimated((mean * u64::from(90 + chance.below(21)) / 100) as u32),
                Quality::Missing => Interval::MISSING,
            };
            truth.iter().zip(marks).map(|(truth, mark)| interval(truth, mark)).collect::<Vec<_>>()
        };
        channels
            .iter()
            .map(|&channel| {
                let intervals = of(channel);
                let rows = intervals.len() as u8;
                MeterDay { esi_id: self.esi_id, channel, day, revision_date, intervals, complete: true, rows }
            })
            .collect()
    }
}

/// Greatest index that ten premise digits hold behind 99.
const SHORT_INDEX: u32 = 99_999_999;

/// The utility's code, 99, the index, and at CenterPoint the usual 100.
fn esi_id(tdsp: Tdsp, index: u32) -> EsiId {
    let mut text = [b'0'; 22];
    let digits = tdsp.digits();
    let mut put = |at: usize, source: &[u8]| {
        for (place, digit) in text.iter_mut().skip(at).zip(source) {
            *place = *digit;
        }
    };
    put(0, tdsp.prefix().as_bytes());
    put(7, b"99");
    if digits == 22 {
        put(9, format!("{index:010}100").as_bytes());
    } else {
        put(9, format!("{:08}", index % (SHORT_INDEX + 1)).as_bytes());
    }
    EsiId::of_digits(text, digits)
}
