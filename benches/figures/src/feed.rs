//! The input: invented homes, as days and as a Smart Meter Texas file.

use crate::Result;
use sealed_register as seal;
use smart_meter_texas::{csv, generate, Calendar, MeterDay, OperatingDay};
use std::collections::BTreeSet;

/// 2025-03-10, the first day of the year that is measured: it has a day of 92 and one of 100 quarter hours.
pub const FIRST_DAY: OperatingDay = OperatingDay(9_200);
/// Days of a year.
pub const YEAR: u16 = 365;

/// The operating-day calendar of the United States.
///
/// # Errors
/// None for these years.
pub fn calendar() -> Result<Calendar> {
    Ok(Calendar::us_rule(2010, 2040)?)
}

/// A year of one home: every day once, as it was published first. Without the corrections, since a table with a primary
/// key holds a quarter hour once.
pub fn year(number: u32, calendar: &Calendar) -> Vec<MeterDay> {
    let last = OperatingDay(FIRST_DAY.0 + YEAR - 1);
    let mut seen = BTreeSet::new();
    let home = generate::Home::new(1, number);
    home.days(calendar, FIRST_DAY..=last).filter(|day| seen.insert((day.day, day.channel))).collect()
}

/// The portal's file of these days.
///
/// # Errors
/// None for days of this calendar.
pub fn file(days: &[MeterDay], calendar: &Calendar) -> Result<Vec<u8>> {
    let writer = csv::Writer::new(calendar);
    let mut file = Vec::new();
    writer.header(&mut file);
    for day in days {
        writer.day(day, &mut file)?;
    }
    Ok(file)
}

/// The readings of a day as they are sealed.
pub fn readings(day: &MeterDay) -> seal::DayReadings {
    let quality = |quality| match quality {
        smart_meter_texas::Quality::Actual => seal::Quality::Actual,
        smart_meter_texas::Quality::Estimated => seal::Quality::Estimated,
        smart_meter_texas::Quality::Missing => seal::Quality::Missing,
    };
    let reading =
        |interval: &smart_meter_texas::Interval| seal::Reading { wh: interval.wh, quality: quality(interval.quality) };
    seal::DayReadings {
        channel: match day.channel {
            smart_meter_texas::Channel::Consumption => seal::Channel::Consumption,
            smart_meter_texas::Channel::Generation => seal::Channel::Generation,
        },
        day: seal::OperatingDay(day.day.0),
        revision_date: day.revision_date.0,
        intervals: day.intervals.iter().map(reading).collect(),
    }
}
