//! The words of a register (protocol section 3): what a day looks like in clear before it is sealed.
//!
//! A word is a u64: bits 0-47 the watt-hours since local midnight, bits 48-55 how many of the intervals so far are
//! estimated, bits 56-63 how many are missing. Nothing in it ever decreases during a day.

use crate::types::{DayReadings, Intervals, Level, Quality, Reading};
use alloc::vec::Vec;

const WH_BITS: u32 = 48;

/// A register word in its parts: totals since local midnight, or between two boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundaryTotal {
    /// Energy, Wh, below 2^48.
    pub wh: u64,
    /// How many intervals are estimated, 0 to 100.
    pub estimated: u8,
    /// How many intervals are missing, 0 to 100.
    pub missing: u8,
}

impl BoundaryTotal {
    /// The parts of a word. Every word has parts; whether they make sense is for the caller.
    pub fn unpack(word: u64) -> Self {
        Self {
            wh: word & ((1 << WH_BITS) - 1),
            estimated: (word >> WH_BITS) as u8,
            missing: (word >> (WH_BITS + 8)) as u8,
        }
    }

    /// The word; `wh` of 2^48 or more would not fit and is cut.
    pub fn pack(&self) -> u64 {
        (self.wh & ((1 << WH_BITS) - 1))
            | u64::from(self.estimated) << WH_BITS
            | u64::from(self.missing) << (WH_BITS + 8)
    }

    /// What was added since `earlier`; `None` if anything decreased.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            wh: self.wh.checked_sub(earlier.wh)?,
            estimated: self.estimated.checked_sub(earlier.estimated)?,
            missing: self.missing.checked_sub(earlier.missing)?,
        })
    }
}

/// The level whose tree hides the boundary after interval `j` of `n` (1 <= j <= n).
pub fn level_of_boundary(j: usize, n: Intervals) -> Level {
    if j == n.count() {
        Level::Day
    } else if j.is_multiple_of(4) {
        Level::Hour
    } else {
        Level::Quarter
    }
}

/// How many words the section of a level has: Day 2 (total and REVISION_DATE), Hour 22, 23 or 24, Quarter 69, 72 or 75.
pub fn section_len(n: Intervals, level: Level) -> usize {
    match level {
        Level::Day => 2,
        Level::Hour => n.count() / 4 - 1,
        Level::Quarter => n.count() - n.count() / 4,
    }
}

/// All words of a day, by section, boundaries ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The day's total, and REVISION_DATE in minutes since 2000-01-01.
    pub day: [u64; 2],
    /// The ends of hours except the last.
    pub hour: Vec<u64>,
    /// The other ends of quarter hours.
    pub quarter: Vec<u64>,
}

/// A day that cannot be sealed. The readings are wrong, or the caller's table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// Not the length of any operating day.
    #[error("a day has 92, 96 or 100 intervals, not {found}; check the operating-day calendar")]
    IntervalCount {
        /// Intervals given.
        found: usize,
    },
    /// More energy than a meter of this class can measure in 15 minutes.
    #[error(
        "interval {interval} has {wh} Wh, above this meter's bound of {bound} Wh; check the file or the meter's class"
    )]
    AboveBound {
        /// Interval, from 1.
        interval: usize,
        /// Its energy, Wh.
        wh: u32,
        /// The bound, Wh.
        bound: u32,
    },
    /// A missing interval with energy.
    #[error("interval {interval} is missing and yet has {wh} Wh; a missing interval has 0 Wh")]
    MissingWithEnergy {
        /// Interval, from 1.
        interval: usize,
        /// Its energy, Wh.
        wh: u32,
    },
}

/// The clear words of a day. `max_wh` bounds the energy of one interval (Wh, by meter class).
///
/// # Errors
/// [`WordError`] names the first interval that cannot be sealed.
pub fn words_of(readings: &DayReadings, max_wh: u32) -> Result<Words, WordError> {
    let found = readings.intervals.len();
    let n = u8::try_from(found).ok().and_then(Intervals::from_count).ok_or(WordError::IntervalCount { found })?;
    let mut words = Words {
        day: [0, readings.revision_date.into()],
        hour: Vec::with_capacity(section_len(n, Level::Hour)),
        quarter: Vec::with_capacity(section_len(n, Level::Quarter)),
    };
    // The sum of packed words: 100 intervals below 2^32 Wh stay below 2^39, counts below 101, so no field overflows.
    let mut total = 0;
    let mut add = |(interval, reading): (usize, &Reading)| {
        let wh = reading.wh;
        if wh > max_wh {
            return Err(WordError::AboveBound { interval, wh, bound: max_wh });
        }
        total += u64::from(wh)
            + match reading.quality {
                Quality::Actual => 0,
                Quality::Estimated => 1 << WH_BITS,
                Quality::Missing if wh != 0 => return Err(WordError::MissingWithEnergy { interval, wh }),
                Quality::Missing => 1 << (WH_BITS + 8),
            };
        Ok(total)
    };
    let mut intervals = (1..).zip(&readings.intervals);
    // 92, 96 and 100 are whole hours: three boundaries of quarter hours, then one of the hour or the day.
    while let Some(first) = intervals.next() {
        words.quarter.push(add(first)?);
        for within in intervals.by_ref().take(2) {
            words.quarter.push(add(within)?);
        }
        if let Some(last) = intervals.next() {
            let end = add(last)?;
            match level_of_boundary(last.0, n) {
                Level::Day => words.day[0] = end,
                Level::Hour | Level::Quarter => words.hour.push(end),
            }
        }
    }
    Ok(words)
}

/// The boundaries of a level in order, from its words: ends of the day, of each hour, or of each interval.
///
/// Sections of the wrong length for `n` give fewer boundaries than the level has; the caller compares.
pub fn boundaries<'a>(
    n: Intervals,
    level: Level,
    day_total: u64,
    hour: &'a [u64],
    quarter: &'a [u64],
) -> impl Iterator<Item = u64> + 'a {
    let (mut hours, mut quarters) = (hour.iter(), quarter.iter());
    (1..=n.count())
        .map(move |j| (level_of_boundary(j, n), j))
        .filter(move |(boundary, _)| *boundary <= level)
        .map_while(move |(boundary, _)| match boundary {
            Level::Day => Some(day_total),
            Level::Hour => hours.next().copied(),
            Level::Quarter => quarters.next().copied(),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::types::{Channel, OperatingDay};

    #[test]
    fn sections_have_the_lengths_of_the_boundaries_levels() {
        for n in [Intervals::Short, Intervals::Normal, Intervals::Long] {
            for level in [Level::Hour, Level::Quarter] {
                let count = (1..=n.count()).filter(|j| level_of_boundary(*j, n) == level).count();
                assert_eq!(count, section_len(n, level));
            }
            assert_eq!(level_of_boundary(n.count(), n), Level::Day);
        }
    }

    #[test]
    fn words_hold_sums_and_counts() {
        let mut intervals = alloc::vec![Reading { wh: 10, quality: Quality::Actual }; 96];
        intervals[1] = Reading { wh: 7, quality: Quality::Estimated };
        intervals[5] = Reading { wh: 0, quality: Quality::Missing };
        let day = DayReadings { channel: Channel::Consumption, day: OperatingDay(1), revision_date: 9, intervals };
        let words = words_of(&day, 10).unwrap();
        assert_eq!(BoundaryTotal::unpack(words.hour[0]), BoundaryTotal { wh: 37, estimated: 1, missing: 0 });
        assert_eq!(BoundaryTotal::unpack(words.day[0]), BoundaryTotal { wh: 947, estimated: 1, missing: 1 });
        assert_eq!(words.day[1], 9);
        let all: Vec<u64> =
            boundaries(Intervals::Normal, Level::Quarter, words.day[0], &words.hour, &words.quarter).collect();
        assert_eq!(all.len(), 96);
        assert!(all
            .windows(2)
            .all(|pair| { BoundaryTotal::unpack(pair[1]).since(&BoundaryTotal::unpack(pair[0])).is_some() }));
        assert_eq!(words_of(&day, 9), Err(WordError::AboveBound { interval: 1, wh: 10, bound: 9 }));
    }

    #[test]
    fn impossible_days_are_named() {
        let reading = Reading { wh: 1, quality: Quality::Missing };
        let day = |count| DayReadings {
            channel: Channel::Generation,
            day: OperatingDay(1),
            revision_date: 0,
            intervals: alloc::vec![reading; count],
        };
        assert_eq!(words_of(&day(95), 9), Err(WordError::IntervalCount { found: 95 }));
        assert_eq!(words_of(&day(352), 9), Err(WordError::IntervalCount { found: 352 }));
        assert_eq!(words_of(&day(96), 9), Err(WordError::MissingWithEnergy { interval: 1, wh: 1 }));
    }
}
