//! Operating days and revision dates.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use core::fmt;

const MINUTES_OF_DAY: u32 = 24 * 60;

/// Why a date of the file was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not of the form month/day/year, or no such day.
    #[error("not a date of the form month/day/year, such as 3/1/2022")]
    NotADate,
    /// Not of the form month/day/year hour:minute:second (seconds may lack), or no such time.
    #[error("not a time of the form month/day/year hour:minute:second, such as 3/2/2022 06:18:33")]
    NotATime,
    /// Before 2000-01-02 or after 2179-06-06.
    #[error("outside the years 2000 to 2179 that days can be counted in")]
    OutOfRange,
}

/// A local calendar day of the zone America/Chicago, in days since 2000-01-01 (0) up to 2179-06-06 (65,535).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatingDay(pub u16);

fn origin() -> NaiveDate {
    // The fallback is never reached: 2000-01-01 exists. It keeps the function free of panics.
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
}

impl OperatingDay {
    /// The day of a calendar date; `None` outside 2000-01-01 to 2179-06-06.
    pub fn from_date(date: NaiveDate) -> Option<Self> {
        let days = date.signed_duration_since(origin()).num_days();
        u16::try_from(days).ok().map(OperatingDay)
    }

    /// The day of a year, month (1 to 12) and day of the month; `None` if there is no such day or it is out of range.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).and_then(Self::from_date)
    }

    /// The calendar date.
    pub fn to_date(self) -> NaiveDate {
        origin().checked_add_signed(TimeDelta::days(i64::from(self.0))).unwrap_or_default()
    }

    /// `days` days later (or earlier, if negative); `None` out of range.
    pub fn checked_add(self, days: i32) -> Option<Self> {
        u16::try_from(i32::from(self.0).checked_add(days)?).ok().map(OperatingDay)
    }

    /// Reads the USAGE_DATE of the file: `03/01/2022` or, saved again by a spreadsheet, `3/1/2022`.
    ///
    /// # Errors
    /// [`DateError::NotADate`] or [`DateError::OutOfRange`].
    pub fn parse(text: &[u8]) -> Result<Self, DateError> {
        let (month, rest) = number(text, 2).ok_or(DateError::NotADate)?;
        let (day, rest) = number(after(rest, b'/').ok_or(DateError::NotADate)?, 2).ok_or(DateError::NotADate)?;
        let year = after(rest, b'/').filter(|year| year.len() == 4).ok_or(DateError::NotADate)?;
        let (year, rest) = number(year, 4).ok_or(DateError::NotADate)?;
        if !rest.is_empty() {
            return Err(DateError::NotADate);
        }
        let year = i32::try_from(year).map_err(|_| DateError::NotADate)?;
        let date = NaiveDate::from_ymd_opt(year, month, day).ok_or(DateError::NotADate)?;
        Self::from_date(date).ok_or(DateError::OutOfRange)
    }
}

impl fmt::Display for OperatingDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.to_date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

/// When the TDSP made this version of a day: local time in minutes since 2000-01-01 00:00, 0 if the file does not say.
///
/// Seconds are dropped, so two versions of the same minute are equal. Greater is newer. (In the hour that autumn
/// repeats, local time itself cannot tell which version is newer.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevisionDate(pub u32);

impl RevisionDate {
    /// No revision date.
    pub const NONE: RevisionDate = RevisionDate(0);

    /// The minute of `minute_of_day` (0 to 1,439) on a day; `None` if greater, or if it would be 0.
    pub fn at(day: OperatingDay, minute_of_day: u32) -> Option<Self> {
        if minute_of_day >= MINUTES_OF_DAY {
            return None;
        }
        let minutes = u32::from(day.0).checked_mul(MINUTES_OF_DAY)?.checked_add(minute_of_day)?;
        (minutes != 0).then_some(RevisionDate(minutes))
    }

    /// The minute of a local date and time; `None` out of range.
    pub fn from_datetime(time: NaiveDateTime) -> Option<Self> {
        let minute = time.hour().checked_mul(60)?.checked_add(time.minute())?;
        Self::at(OperatingDay::from_date(time.date())?, minute)
    }

    /// The local date and time, with 0 seconds; `None` for [`RevisionDate::NONE`].
    pub fn to_datetime(self) -> Option<NaiveDateTime> {
        if self == Self::NONE {
            return None;
        }
        origin().and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::minutes(i64::from(self.0)))
    }

    /// Reads the REVISION_DATE of the file: `03/02/2022 06:18:33`, or from a spreadsheet `3/2/2022 6:18`; blank is
    /// none.
    ///
    /// # Errors
    /// [`DateError::NotATime`] or [`DateError::OutOfRange`].
    pub fn parse(text: &[u8]) -> Result<Self, DateError> {
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        let space = text.iter().position(|&byte| byte == b' ').ok_or(DateError::NotATime)?;
        let (date, time) = text.split_at_checked(space).ok_or(DateError::NotATime)?;
        let day = OperatingDay::parse(date).map_err(|error| match error {
            DateError::OutOfRange => DateError::OutOfRange,
            DateError::NotADate | DateError::NotATime => DateError::NotATime,
        })?;
        let minute = clock_minutes(time.trim_ascii()).ok_or(DateError::NotATime)?;
        if u32::from(minute) >= MINUTES_OF_DAY {
            return Err(DateError::NotATime);
        }
        Self::at(day, u32::from(minute)).ok_or(DateError::OutOfRange)
    }
}

impl fmt::Display for RevisionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_datetime() {
            None => f.write_str("none"),
            Some(time) => write!(
                f,
                "{:04}-{:02}-{:02} {:02}:{:02}",
                time.year(),
                time.month(),
                time.day(),
                time.hour(),
                time.minute()
            ),
        }
    }
}

/// Takes a number of 1 to `most` digits off the front.
fn number(text: &[u8], most: usize) -> Option<(u32, &[u8])> {
    let digits = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (head, rest) = text.split_at_checked(digits)?;
    if head.is_empty() {
        return None;
    }
    Some((head.iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0')), rest))
}

fn after(text: &[u8], separator: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == separator).map(|(_, rest)| rest)
}

/// Minutes since midnight (0 to 1,440) of `H:MM`, `HH:MM` or `HH:MM:SS`; `24:00` is 1,440.
pub(crate) fn clock_minutes(text: &[u8]) -> Option<u16> {
    // The portal's form first: it is in nearly every row.
    if let &[h1, h2, b':', m1, m2] = text {
        let digit = |byte: u8| u16::from(byte.wrapping_sub(b'0'));
        let (h1, h2, m1, m2) = (digit(h1), digit(h2), digit(m1), digit(m2));
        if h1 > 9 || h2 > 9 || m1 > 5 || m2 > 9 {
            return None;
        }
        let minutes = (h1 * 10 + h2) * 60 + m1 * 10 + m2;
        return (minutes <= 1440).then_some(minutes);
    }
    let (hour, rest) = number(text, 2)?;
    let minute = after(rest, b':')?;
    let (seconds, minute) = match minute.iter().position(|&byte| byte == b':') {
        None => (0, minute),
        Some(at) => {
            let (minute, rest) = minute.split_at_checked(at)?;
            let (seconds, rest) = number(after(rest, b':').filter(|text| text.len() == 2)?, 2)?;
            (if rest.is_empty() { seconds } else { 60 }, minute)
        }
    };
    let (minute, rest) = number(Some(minute).filter(|text| text.len() == 2)?, 2)?;
    if !rest.is_empty() || minute > 59 || seconds > 59 || hour > 24 {
        return None;
    }
    let minutes = hour * 60 + minute;
    let past_midnight = minutes == 1440 && seconds > 0;
    u16::try_from(minutes).ok().filter(|&minutes| minutes <= 1440 && !past_midnight)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn days_and_dates() {
        assert_eq!(OperatingDay::parse(b"01/01/2000"), Ok(OperatingDay(0)));
        assert_eq!(OperatingDay::parse(b"1/2/2000"), Ok(OperatingDay(1)));
        assert_eq!(OperatingDay::parse(b"6/6/2179"), Ok(OperatingDay(u16::MAX)));
        assert_eq!(OperatingDay::parse(b"6/7/2179"), Err(DateError::OutOfRange));
        assert_eq!(OperatingDay::parse(b"12/31/1999"), Err(DateError::OutOfRange));
        for bad in ["", "3/1", "13/1/2022", "2/29/2022", "3/1/22", "3/1/20222", "003/1/2022", "3/1/2022 ", "2022-03-01"]
        {
            assert_eq!(OperatingDay::parse(bad.as_bytes()), Err(DateError::NotADate), "{bad}");
        }
        for number in (0..=u16::MAX).step_by(13) {
            let day = OperatingDay(number);
            assert_eq!(OperatingDay::from_date(day.to_date()), Some(day));
        }
        assert_eq!(OperatingDay::from_ymd(2022, 3, 13).unwrap().to_string(), "2022-03-13");
        assert_eq!(OperatingDay(0).checked_add(-1), None);
        assert_eq!(OperatingDay(u16::MAX).checked_add(1), None);
    }

    #[test]
    fn revision_dates() {
        let full = RevisionDate::parse(b"03/02/2022 06:18:33").unwrap();
        assert_eq!(RevisionDate::parse(b"3/2/2022 6:18"), Ok(full));
        assert_eq!(full.to_string(), "2022-03-02 06:18");
        assert_eq!(RevisionDate::from_datetime(full.to_datetime().unwrap()), Some(full));
        assert_eq!(RevisionDate::parse(b""), Ok(RevisionDate::NONE));
        assert_eq!(RevisionDate::parse(b"01/01/2000 00:00:00"), Err(DateError::OutOfRange));
        assert_eq!(RevisionDate::NONE.to_string(), "none");
        for bad in
            ["3/2/2022", "3/2/2022 ", "3/2/2022 24:00", "3/2/2022 6:60", "3/2/2022 6:10:60", "3/2/2022 6:1", "x 6:10"]
        {
            assert_eq!(RevisionDate::parse(bad.as_bytes()), Err(DateError::NotATime), "{bad}");
        }
        assert!(RevisionDate(u32::MAX).to_datetime().is_some());
    }

    #[test]
    fn clock_times() {
        for (text, minutes) in
            [("00:00", 0), ("0:00", 0), ("9:45", 585), ("23:45", 1425), ("24:00", 1440), ("01:15:00", 75)]
        {
            assert_eq!(clock_minutes(text.as_bytes()), Some(minutes), "{text}");
        }
        for bad in [
            "", ":", "1", "1:5", "1:60", "24:15", "25:00", "a1:00", "0x:00", "00:0/", "01:15:60", "24:00:01", "1:00 PM",
        ] {
            assert_eq!(clock_minutes(bad.as_bytes()), None, "{bad}");
        }
    }
}
