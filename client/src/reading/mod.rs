//! Reading: signed requests to a vault, proofs checked against finalised roots, receipts, days and rows.

mod ask;
pub(crate) mod days;
mod since;

pub use ask::{check_receipt, verify_answer, Answer, Known, Reader};
pub use days::{DayState, Fetched, FetchedDay, FetchedStream, Row, RowQuality, Totals};
pub use since::Cursor;

use crate::Result;
use sealed_register::{delivery::Segment, Channels, DayRange, Keyring, Level, OperatingDay};
use since::Mark;
use std::collections::VecDeque;

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
    /// Fetches days, verifies and opens them: with `since` only those that are new or revised since the fetch that gave
    /// this cursor. `segments` are the epochs and days that the keyring holds keys for.
    ///
    /// # Errors
    /// As [`Reader::ask`]; [`ClientError::Root`](crate::ClientError::Root) if what was verified up to the cursor is not in
    /// the vault's history. A day that cannot be opened is no error but stands in the result.
    pub async fn fetch(
        &self,
        wanted: &Wanted,
        since: Option<&Cursor>,
        segments: &[Segment],
        keyring: &Keyring,
        progress: &dyn Fn(Progress),
    ) -> Result<Fetched> {
        let mut fetched = Fetched::new(self, wanted, self.calendar().await?);
        fetched.incremental = since.is_some();
        let resume = |channel| since.and_then(|cursor| cursor.resume(channel, wanted));
        let asked = |channel| resume(channel).map_or(wanted.range, |(_, range)| range);
        let total = wanted.channels.iter().map(|channel| asked(channel).len()).sum();
        let mut told = Progress { done: 0, total };
        progress(told);
        let mut marks = Vec::new();
        for channel in wanted.channels.iter() {
            let (mark, range) = (resume(channel).map(|(mark, _)| mark), asked(channel));
            // Of the first answer, which reaches back farthest; what is committed after it is for the next fetch.
            let (mut newest, mut later) = (None, None);
            let mut left: VecDeque<DayRange> = parts(range, wanted.level).collect();
            let mut is_first = true;
            while let Some(part) = left.pop_front() {
                let answer = self.ask(channel, part, wanted.level, segments, keyring).await?;
                let places = answer.known.places();
                if is_first {
                    newest = Mark::of(channel, places);
                }
                if let (true, Some(mark)) = (is_first, mark) {
                    let days = mark.later_days(places)?;
                    // Revisions of days before those that were asked for.
                    let older: Vec<_> =
                        days.iter().filter(|day| wanted.range.first <= **day && **day < range.first).collect();
                    if let (Some(oldest), Some(newest)) = (older.first(), older.last()) {
                        let older = DayRange { first: **oldest, last: **newest };
                        told.total += older.len();
                        left.extend(parts(older, wanted.level));
                    }
                    later = Some(days);
                }
                let is_new = |day| match (since, &later) {
                    (Some(cursor), Some(later)) => later.contains(&day) || !cursor.has(day),
                    _ => true,
                };
                fetched.add(channel, part, &answer, keyring, is_new);
                is_first = false;
                told.done += part.len();
                progress(told);
            }
            // Days whose keys were missing are not done with: without a mark all are fetched again.
            if fetched.settle(channel) {
                marks.extend(newest);
            }
        }
        fetched.cursor = self.consent.map(|(consent, _)| Cursor::new(consent, wanted, marks));
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
