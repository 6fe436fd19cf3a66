//! One meter's readings of one operating day.

use crate::{EsiId, OperatingDay, RevisionDate};
use alloc::vec::Vec;
use core::fmt;

/// Greatest energy of one quarter hour that the crate carries, in Wh (2^30 - 1, a load of 4.2 GW).
pub const MAX_INTERVAL_WH: u32 = (1 << 30) - 1;

/// What the meter measured. The two are never netted and never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Energy delivered to the customer (`Consumption`).
    Consumption,
    /// Energy received from the customer (`Surplus Generation`).
    Generation,
}

impl Channel {
    /// Both channels, in order.
    pub const ALL: [Channel; 2] = [Channel::Consumption, Channel::Generation];

    /// The text of the CSV column CONSUMPTION_SURPLUSGENERATION.
    pub fn csv_text(self) -> &'static str {
        match self {
            Channel::Consumption => "Consumption",
            Channel::Generation => "Surplus Generation",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Channel::Consumption => "consumption",
            Channel::Generation => "generation",
        })
    }
}

/// How the value of an interval came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Read from the meter (`A`).
    Actual,
    /// Estimated by the TDSP (`E`).
    Estimated,
    /// No value: a blank kWh, or no row at all. Its energy is 0 Wh and must not be taken for a zero reading.
    Missing,
}

/// One quarter hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Energy in Wh, 0 to [`MAX_INTERVAL_WH`]; 0 if missing.
    pub wh: u32,
    /// Actual, estimated or missing.
    pub quality: Quality,
}

impl Interval {
    /// An interval without a value.
    pub const MISSING: Interval = Interval { wh: 0, quality: Quality::Missing };

    /// An actual reading of `wh` Wh.
    pub const fn actual(wh: u32) -> Self {
        Interval { wh, quality: Quality::Actual }
    }

    /// An estimate of `wh` Wh.
    pub const fn estimated(wh: u32) -> Self {
        Interval { wh, quality: Quality::Estimated }
    }
}

/// One channel of one meter on one operating day, as one REVISION_DATE tells it.
///
/// `intervals` has exactly [`Calendar::intervals`](crate::Calendar::intervals) entries, in order of real time from
/// local midnight: on the day the clocks go back, entries 4 to 7 are the first pass of the hour after 01:00 (CDT) and
/// 8 to 11 the second (CST).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterDay {
    /// The point of delivery.
    pub esi_id: EsiId,
    /// Consumption or generation.
    pub channel: Channel,
    /// The local day.
    pub day: OperatingDay,
    /// The version of the day; [`RevisionDate::NONE`] if the file names none.
    pub revision_date: RevisionDate,
    /// 92, 96 or 100 quarter hours.
    pub intervals: Vec<Interval>,
    /// True if every interval had a row of its own, with a value or blank. False: the rows ended early.
    pub complete: bool,
    /// How many intervals had a row of their own (0 to 100); duplicates and the blank hour in spring do not count.
    pub rows: u8,
}

impl MeterDay {
    /// Energy of the whole day in Wh; missing intervals add nothing.
    pub fn total_wh(&self) -> u64 {
        self.intervals.iter().fold(0u64, |sum, interval| sum.saturating_add(u64::from(interval.wh)))
    }

    /// How many intervals have the quality.
    pub fn count(&self, quality: Quality) -> usize {
        self.intervals.iter().filter(|interval| interval.quality == quality).count()
    }
}
