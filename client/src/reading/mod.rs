//! Reading: signed requests to a vault, proofs checked against finalised roots, receipts, days and rows.

mod ask;
pub(crate) mod days;

pub use ask::{check_receipt, verify_answer, Answer, Known, Reader};
pub use days::{DayState, Fetched, FetchedDay, FetchedStream, Row, RowQuality, Totals};

use crate::Result;
use sealed_register::{delivery::Segment, Channels, DayRange, Keyring, Level, OperatingDay};

/// Most days of one request at quarter-hour level: about 300 kB.
const DAYS_AT_ONCE_FINE: u16 = 366;
/// Most days of one request at coarser levels.
const DAYS_AT_ONCE_COARSE: u16 = 1_464;

/// What is to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Channels.
    pub channels: Channels,
    /// Days.
    pub range: DayRange,
    /// Resolution.
    pub level: Level,
}

/// How far a fetch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Days (of each channel) done.
    pub done: u32,
    /// Days in all.
    pub total: u32,
}

impl Reader<'_> {
    /// Fetches days, verifies and opens them. `segments` are the epochs and days that the keyring holds keys for.
    ///
    /// # Errors
    /// As [`Reader::ask`]; a day that cannot be opened is no error but stands in the result.
    pub async fn fetch(
        &self,
        wanted: &Wanted,
        segments: &[Segment],
        keyring: &Keyring,
        progress: &dyn Fn(Progress),
    ) -> Result<Fetched> {
        let calendar = self.calendar().await?;
        let channels: Vec<_> = wanted.channels.iter().collect();
        let total = wanted.range.len() * u32::try_from(channels.len()).unwrap_or(1);
        let mut done = 0;
        progress(Progress { done, total });
        let mut fetched = Fetched::new(self, wanted, calendar);
        for channel in channels {
            for range in parts(wanted.range, wanted.level) {
                let answer = self.ask(channel, range, wanted.level, segments, keyring).await?;
                fetched.add(channel, range, &answer, keyring);
                done += range.len();
                progress(Progress { done, total });
            }
        }
        Ok(fetched)
    }
}

/// The range in parts that fit one answer, oldest first.
fn parts(range: DayRange, level: Level) -> impl Iterator<Item = DayRange> {
    let most = match level {
        Level::Quarter => DAYS_AT_ONCE_FINE,
        Level::Day | Level::Hour => DAYS_AT_ONCE_COARSE,
    };
    let mut next = Some(range.first);
    core::iter::from_fn(move || {
        let first = next?;
        let last = OperatingDay(first.0.saturating_add(most - 1)).min(range.last);
        next = last.0.checked_add(1).map(OperatingDay).filter(|day| *day <= range.last);
        DayRange::new(first, last)
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod answers;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_the_range_and_fit(first: u16, days in 1_u16..3_000, level in 0_usize..3) {
            let last = first.saturating_add(days);
            let range = DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap();
            let level = Level::ALL[level];
            let parts: Vec<_> = parts(range, level).collect();
            let days: Vec<_> = parts.iter().flat_map(|part| part.iter()).collect();
            prop_assert_eq!(days, range.iter().collect::<Vec<_>>());
            let most = if level == Level::Quarter { DAYS_AT_ONCE_FINE } else { DAYS_AT_ONCE_COARSE };
            prop_assert!(parts.iter().all(|part| part.len() <= most.into()));
        }
    }
}
