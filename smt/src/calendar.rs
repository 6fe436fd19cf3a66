//! Which operating days have 92, 96 or 100 quarter hours, and what the clock says in each of them.

use crate::OperatingDay;
use alloc::vec::Vec;
use chrono::{NaiveDate, Weekday};

/// Most quarter hours of an operating day.
pub const MAX_INTERVALS: usize = 100;

const NORMAL: u8 = 96;
const SHORT: u8 = 92;
const LONG: u8 = 100;
/// Both changes happen at 02:00 local time: 8 quarter hours after midnight.
const CHANGE: u8 = 8;
const HOUR: u8 = 4;
/// The rule of the second Sunday of March and the first of November is in force since this year.
const RULE_SINCE: i32 = 2007;
const CST: i16 = -6 * 60;
const CDT: i16 = -5 * 60;

/// Why a calendar cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A day in both lists.
    #[error("{0} is listed both as a short and as a long day")]
    ShortAndLong(OperatingDay),
    /// The rule asked for years in which it was not in force or which days cannot count.
    #[error("the years {first} to {last} are not within 2007 to 2178, or in the wrong order")]
    Years {
        /// First year asked for.
        first: i32,
        /// Last year asked for.
        last: i32,
    },
}

/// What the local clock says at an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalClock {
    /// Minutes after midnight at which the interval begins by the clock: 0 to 1,425.
    pub start: u16,
    /// Minutes at which it ends by the clock, 15 to 1,440. The last interval before the clocks change ends at 02:00
    /// by the clock as it was, 120.
    pub end: u16,
    /// True in the second pass of the hour after 01:00 on a long day.
    pub repeated: bool,
}

/// The short (92) and long (100) operating days; every other day has 96 quarter hours.
///
/// The table is data and not a rule, because the law may change: a chain keeps it and everybody reads the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    short: Vec<OperatingDay>,
    long: Vec<OperatingDay>,
}

impl Calendar {
    /// A calendar of these short and long days, in any order.
    ///
    /// # Errors
    /// [`CalendarError::ShortAndLong`] if a day is in both lists.
    pub fn from_days(short: &[OperatingDay], long: &[OperatingDay]) -> Result<Self, CalendarError> {
        let mut short = short.to_vec();
        let mut long = long.to_vec();
        for list in [&mut short, &mut long] {
            list.sort_unstable();
            list.dedup();
        }
        match short.iter().find(|day| long.binary_search(day).is_ok()) {
            Some(day) => Err(CalendarError::ShortAndLong(*day)),
            None => Ok(Calendar { short, long }),
        }
    }

    /// The rule of the United States since 2007: clocks go forward on the second Sunday of March and back on the first
    /// Sunday of November. Years from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`CalendarError::Years`] if a year is not within 2007 to 2178 or `first` is greater than `last`.
    pub fn us_rule(first: i32, last: i32) -> Result<Self, CalendarError> {
        let error = CalendarError::Years { first, last };
        if first < RULE_SINCE || first > last || last > 2178 {
            return Err(error);
        }
        let sunday = |year, month, which| {
            NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, which)
                .and_then(OperatingDay::from_date)
                .ok_or(error)
        };
        let short = (first..=last).map(|year| sunday(year, 3, 2)).collect::<Result<Vec<_>, _>>()?;
        let long = (first..=last).map(|year| sunday(year, 11, 1)).collect::<Result<Vec<_>, _>>()?;
        Ok(Calendar { short, long })
    }

    /// The days of 92 quarter hours, ascending.
    pub fn short_days(&self) -> &[OperatingDay] {
        &self.short
    }

    /// The days of 100 quarter hours, ascending.
    pub fn long_days(&self) -> &[OperatingDay] {
        &self.long
    }

    /// Quarter hours of the day: 92, 96 or 100.
    pub fn intervals(&self, day: OperatingDay) -> u8 {
        if self.short.binary_search(&day).is_ok() {
            SHORT
        } else if self.long.binary_search(&day).is_ok() {
            LONG
        } else {
            NORMAL
        }
    }

    /// What the clock says at the interval `index` (from 0) of the day; `None` if the day has no such interval.
    pub fn clock(&self, day: OperatingDay, index: u8) -> Option<IntervalClock> {
        let intervals = self.intervals(day);
        if index >= intervals {
            return None;
        }
        let quarter = match intervals {
            SHORT if index >= CHANGE => index + HOUR,
            LONG if index >= CHANGE => index - HOUR,
            _ => index,
        };
        let start = u16::from(quarter) * 15;
        let repeated = intervals == LONG && (CHANGE..CHANGE + HOUR).contains(&index);
        Some(IntervalClock { start, end: start + 15, repeated })
    }

    /// Minutes by which local time is ahead of UTC when the interval `index` begins: -360 (CST) or -300 (CDT).
    ///
    /// `None` if the day has no such interval or the calendar has no change of clocks to tell by.
    pub fn utc_offset(&self, day: OperatingDay, index: u8) -> Option<i16> {
        let intervals = self.intervals(day);
        if index >= intervals {
            return None;
        }
        match intervals {
            SHORT => return Some(if index < CHANGE { CST } else { CDT }),
            LONG => return Some(if index < CHANGE { CDT } else { CST }),
            _ => {}
        }
        let before = |days: &[OperatingDay]| days.iter().rev().find(|change| **change < day).copied();
        let after = |days: &[OperatingDay]| days.iter().find(|change| **change > day).copied();
        let summer = match (before(&self.short), before(&self.long)) {
            (None, None) => match (after(&self.short), after(&self.long)) {
                (None, None) => return None,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some(spring), Some(autumn)) => autumn < spring,
            },
            (spring, autumn) => spring > autumn,
        };
        Some(if summer { CDT } else { CST })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> OperatingDay {
        OperatingDay::from_ymd(year, month, day).unwrap()
    }

    #[test]
    fn rule_of_the_united_states() {
        let calendar = Calendar::us_rule(2007, 2100).unwrap();
        for (year, spring, autumn) in [(2007, 11, 4), (2022, 13, 6), (2025, 9, 2), (2026, 8, 1), (2027, 14, 7)] {
            assert_eq!(calendar.intervals(day(year, 3, spring)), 92, "{year}");
            assert_eq!(calendar.intervals(day(year, 11, autumn)), 100, "{year}");
            assert_eq!(calendar.intervals(day(year, 3, spring - 1)), 96, "{year}");
            assert_eq!(calendar.intervals(day(year, 11, autumn + 1)), 96, "{year}");
        }
        assert_eq!((calendar.short_days().len(), calendar.long_days().len()), (94, 94));
        for (first, last) in [(2006, 2010), (2010, 2009), (2010, 2179), (i32::MIN, i32::MAX)] {
            assert_eq!(Calendar::us_rule(first, last), Err(CalendarError::Years { first, last }));
        }
    }

    #[test]
    fn lists_of_days() {
        let (a, b) = (day(2022, 3, 13), day(2022, 11, 6));
        let calendar = Calendar::from_days(&[a, a], &[b]).unwrap();
        assert_eq!(calendar, Calendar::us_rule(2022, 2022).unwrap());
        assert_eq!(Calendar::from_days(&[a], &[b, a]), Err(CalendarError::ShortAndLong(a)));
        assert_eq!(Calendar::from_days(&[], &[]).unwrap().intervals(a), 96);
    }

    #[test]
    fn clocks_and_offsets() {
        let calendar = Calendar::us_rule(2022, 2023).unwrap();
        let clock = |day, index| calendar.clock(day, index).map(|clock| (clock.start, clock.end, clock.repeated));
        let (spring, autumn, plain) = (day(2022, 3, 13), day(2022, 11, 6), day(2022, 7, 1));
        assert_eq!(clock(spring, 7), Some((105, 120, false)));
        assert_eq!(clock(spring, 8), Some((180, 195, false)));
        assert_eq!(clock(spring, 91), Some((1425, 1440, false)));
        assert_eq!(clock(spring, 92), None);
        assert_eq!(clock(autumn, 7), Some((105, 120, false)));
        assert_eq!(clock(autumn, 8), Some((60, 75, true)));
        assert_eq!(clock(autumn, 12), Some((120, 135, false)));
        assert_eq!(clock(autumn, 99), Some((1425, 1440, false)));
        assert_eq!(clock(plain, 95), Some((1425, 1440, false)));
        assert_eq!(clock(plain, 96), None);
        let offset = |day, index| calendar.utc_offset(day, index);
        assert_eq!((offset(spring, 7), offset(spring, 8)), (Some(-360), Some(-300)));
        assert_eq!((offset(autumn, 7), offset(autumn, 8)), (Some(-300), Some(-360)));
        assert_eq!(offset(plain, 0), Some(-300));
        assert_eq!(offset(day(2022, 3, 12), 95), Some(-360));
        assert_eq!(offset(day(2022, 12, 25), 0), Some(-360));
        assert_eq!(offset(day(2022, 1, 1), 0), Some(-360));
        assert_eq!(offset(plain, 96), None);
        assert_eq!(Calendar::from_days(&[], &[]).unwrap().utc_offset(plain, 0), None);
        let autumn_only = Calendar::from_days(&[], &[autumn]).unwrap();
        assert_eq!(autumn_only.utc_offset(plain, 0), Some(-300));
        assert_eq!(autumn_only.utc_offset(day(2022, 12, 1), 0), Some(-360));
    }
}
