//! What the feed of a story says, read with `smart-meter-texas` alone and by this file's own rule: for each day the
//! version with the latest REVISION_DATE counts.

use smart_meter_texas::{csv, Calendar, Channel, EsiId, MeterDay, OperatingDay, Quality};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Sums of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Days of consumption.
    pub days: u64,
    /// Intervals of consumption with a value.
    pub readings: u64,
    /// Those of them that are estimated.
    pub estimated: u64,
    /// Intervals of consumption without one.
    pub missing: u64,
    /// Consumption, Wh.
    pub total_wh: u64,
    /// Surplus generation, Wh.
    pub generation_wh: u64,
}

/// The files that the story took from its source, not those that it made itself.
pub fn sources(base: &Path) -> Vec<PathBuf> {
    let starts = |path: &Path, start: &str| path.file_name().unwrap().to_str().unwrap().starts_with(start);
    let mut files: Vec<PathBuf> = fs::read_dir(base.join("feed")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| starts(path, "homes-") || starts(path, "export-"));
    files.sort();
    files
}

/// All files.
pub fn files(base: &Path) -> Vec<PathBuf> {
    fs::read_dir(base.join("feed")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Every version of every day of a file.
pub fn days(path: &Path) -> Vec<MeterDay> {
    let calendar = Calendar::us_rule(2007, 2089).unwrap();
    let limits = csv::Limits { max_open_bytes: 512 << 20, ..csv::Limits::default() };
    csv::read(&fs::read(path).unwrap(), &calendar, limits).unwrap().0
}

/// The ESI ID of a file's first row.
pub fn first_meter(path: &Path) -> EsiId {
    let text = fs::read_to_string(path).unwrap();
    let row = text.lines().nth(1).unwrap();
    EsiId::parse(row.split(',').next().unwrap().as_bytes()).unwrap()
}

/// Sums of the first meter of a file.
pub fn sums(path: &Path) -> Sums {
    let first = first_meter(path);
    let mut newest: BTreeMap<(Channel, OperatingDay), MeterDay> = BTreeMap::new();
    for day in days(path).into_iter().filter(|day| day.esi_id == first) {
        let key = (day.channel, day.day);
        if newest.get(&key).is_none_or(|known| known.revision_date < day.revision_date) {
            newest.insert(key, day);
        }
    }
    let mut sums = Sums::default();
    for ((channel, _), day) in newest {
        match channel {
            Channel::Generation => sums.generation_wh += day.total_wh(),
            Channel::Consumption => {
                let count = |quality| day.count(quality) as u64;
                sums.days += 1;
                sums.readings += count(Quality::Actual) + count(Quality::Estimated);
                sums.estimated += count(Quality::Estimated);
                sums.missing += count(Quality::Missing);
                sums.total_wh += day.total_wh();
            }
        }
    }
    sums
}
