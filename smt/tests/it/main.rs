//! Tests of the public interface: every real form of the file, properties, a real file, the generator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic is a failed test

mod forms;
mod homes;
mod properties;
mod refusals;

use smart_meter_texas::{csv, Calendar, MeterDay, OperatingDay};

/// The rule of the United States for the years of the tests.
pub fn calendar() -> Calendar {
    Calendar::us_rule(2010, 2040).unwrap()
}

/// A day by its calendar date.
pub fn day(year: i32, month: u32, day: u32) -> OperatingDay {
    OperatingDay::from_ymd(year, month, day).unwrap()
}

/// Days in the order of ESI ID, channel, day and revision date.
pub fn sorted(mut days: Vec<MeterDay>) -> Vec<MeterDay> {
    days.sort_by_key(|day| (day.esi_id, day.channel, day.day, day.revision_date));
    days
}

/// Reads a whole file that must be readable as such.
pub fn read(file: impl AsRef<[u8]>) -> (Vec<MeterDay>, csv::Report) {
    csv::read(file.as_ref(), &calendar(), csv::Limits::default()).unwrap()
}

/// Header and rows joined by line feeds.
pub fn file(rows: &[&str]) -> String {
    let mut text = String::from(csv::HEADER);
    for row in rows {
        text.push('\n');
        text.push_str(row);
    }
    text.push('\n');
    text
}
