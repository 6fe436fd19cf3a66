//! The writer of the portal's form.

use crate::{Calendar, Channel, EsiId, Interval, MeterDay, OperatingDay, Quality, RevisionDate};
use alloc::vec::Vec;
use chrono::{Datelike, Timelike};

/// The header of the portal's file, without line feed.
pub const HEADER: &str = concat!(
    "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,",
    "ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION"
);

/// Why a day cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The day has another number of intervals than the calendar says.
    #[error("{day} has {found} intervals, but the calendar says {expected}")]
    Intervals {
        /// The day.
        day: OperatingDay,
        /// Intervals of the [`MeterDay`].
        found: usize,
        /// Intervals of the calendar.
        expected: u8,
    },
}

/// Writes days in the portal's form: apostrophe before the ESI ID, `.145` without leading zero, four blank rows in
/// spring, 100 rows in autumn with the mislabelled row from 02:00 to 01:15, line feeds only.
///
/// [`Reader`](super::Reader) reads back the same days. Two things have no place in the form: the seconds of a
/// revision date (written as `:00`), and, within the hour that autumn repeats, an interval without any row (written as
/// a blank row, because without it the order of rows would tell another story).
pub struct Writer<'a> {
    calendar: &'a Calendar,
}

impl<'a> Writer<'a> {
    /// A writer for days of this calendar.
    pub fn new(calendar: &'a Calendar) -> Self {
        Writer { calendar }
    }

    /// Appends the header.
    pub fn header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(HEADER.as_bytes());
        out.push(b'\n');
    }

    /// Appends the rows of a day. A missing interval is a blank row if the day is complete, otherwise no row.
    ///
    /// # Errors
    /// [`WriteError::Intervals`]; nothing is appended then.
    pub fn day(&self, day: &MeterDay, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let expected = self.calendar.intervals(day.day);
        if day.intervals.len() != usize::from(expected) {
            return Err(WriteError::Intervals { day: day.day, found: day.intervals.len(), expected });
        }
        let front = front(&day.esi_id, day.day, day.revision_date);
        out.reserve((front.len() + 40).saturating_mul(day.intervals.len()));
        for (index, interval) in (0u8..).zip(&day.intervals) {
            if expected == 92 && index == 8 && day.complete {
                for start in [120, 135, 150, 165] {
                    row(out, &front, (start, start + 15), Interval::MISSING, day.channel);
                }
            }
            let ambiguous = expected == 100 && (4..12).contains(&index);
            if interval.quality == Quality::Missing && !day.complete && !ambiguous {
                continue;
            }
            let Some(clock) = self.calendar.clock(day.day, index) else { continue };
            let start = if expected == 100 && index == 8 { 120 } else { clock.start };
            row(out, &front, (start, clock.end), *interval, day.channel);
        }
        Ok(())
    }
}

/// The first three fields, which all rows of a day share.
fn front(esi_id: &EsiId, day: OperatingDay, revision_date: RevisionDate) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(b'\'');
    out.extend_from_slice(esi_id.as_str().as_bytes());
    out.push(b',');
    let date = |out: &mut Vec<u8>, date: chrono::NaiveDate| {
        two(out, date.month());
        out.push(b'/');
        two(out, date.day());
        out.push(b'/');
        let year = date.year().unsigned_abs();
        two(out, year / 100);
        two(out, year);
    };
    date(&mut out, day.to_date());
    out.push(b',');
    if let Some(time) = revision_date.to_datetime() {
        date(&mut out, time.date());
        out.push(b' ');
        clock(&mut out, time.hour() * 60 + time.minute());
        out.extend_from_slice(b":00");
    }
    out.push(b',');
    out
}

fn row(out: &mut Vec<u8>, front: &[u8], (start, end): (u16, u16), interval: Interval, channel: Channel) {
    out.extend_from_slice(front);
    clock(out, u32::from(start));
    out.push(b',');
    clock(out, u32::from(end % 1440));
    out.push(b',');
    if interval.quality != Quality::Missing {
        kwh(out, interval.wh);
    }
    out.push(b',');
    match interval.quality {
        Quality::Actual => out.push(b'A'),
        Quality::Estimated => out.push(b'E'),
        Quality::Missing => {}
    }
    out.push(b',');
    out.extend_from_slice(channel.csv_text().as_bytes());
    out.push(b'\n');
}

fn digit(out: &mut Vec<u8>, value: u32) {
    out.push(b'0' + (value % 10) as u8);
}

fn two(out: &mut Vec<u8>, value: u32) {
    digit(out, value / 10);
    digit(out, value);
}

fn clock(out: &mut Vec<u8>, minutes: u32) {
    two(out, minutes / 60);
    out.push(b':');
    two(out, minutes % 60);
}

/// kWh as the portal writes them: no leading zero, no trailing zeros, `0` for zero.
fn kwh(out: &mut Vec<u8>, wh: u32) {
    let whole = wh / 1000;
    let mut scale = 1_000_000_000;
    while scale > whole && scale > 1 {
        scale /= 10;
    }
    if whole > 0 || wh == 0 {
        while scale > 0 {
            digit(out, whole / scale);
            scale /= 10;
        }
    }
    let mut rest = wh % 1000;
    if rest > 0 {
        out.push(b'.');
        while rest > 0 {
            digit(out, rest / 100);
            rest = rest % 100 * 10;
        }
    }
}

// The header is spelled out above because a constant cannot join names; a test keeps the two equal.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::Field;

    #[test]
    fn header_has_the_names_of_the_fields() {
        assert_eq!(HEADER, Field::COLUMNS.map(Field::name).join(","));
    }

    #[test]
    fn kilowatt_hours() {
        for (wh, text) in [
            (0, "0"),
            (1, ".001"),
            (10, ".01"),
            (145, ".145"),
            (120, ".12"),
            (1070, "1.07"),
            (1000, "1"),
            (10_500, "10.5"),
            (1_073_741_823, "1073741.823"),
            (u32::MAX, "4294967.295"),
        ] {
            let mut out = Vec::new();
            kwh(&mut out, wh);
            assert_eq!(core::str::from_utf8(&out), Ok(text));
        }
    }
}
