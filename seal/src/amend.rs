//! What becomes of readings for a day that may have been sealed before (protocol section 5, "Amendment").

use crate::types::{DayReadings, Quality, Reading};

/// The newest sealed revision of a day, reopened with the meter's key ([`crate::open::reopen`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedVersion {
    /// Its revision.
    pub revision: u16,
    /// Its readings; `None` if it withdrew them.
    pub readings: Option<DayReadings>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The day is new: seal the readings as revision 0.
    First,
    /// Seal as another revision, under the current epoch.
    Amend {
        /// The next revision.
        revision: u16,
        /// What to seal: the new readings, or the old ones completed by them.
        readings: DayReadings,
    },
    /// Nothing: the values are the sealed ones.
    Same,
    /// Nothing, but count it: the REVISION_DATE is earlier than the sealed one.
    Older,
    /// Nothing until the operator decides.
    Held(Hold),
}

/// Why readings wait for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// Two truths of one date.
    #[error("other values with the same REVISION_DATE; ask the source which are right, then give them a later date")]
    SameDate,
    /// Undated values against others.
    #[error("other values without a REVISION_DATE; give them the date of the correction if they are one")]
    NoDate,
    /// A later date, other values, and intervals missing that were sealed.
    #[error(
        "a later REVISION_DATE with other values for a part of the day and none for intervals that were published; ask \
         the source for the whole day"
    )]
    PartOfDay,
    /// The day was withdrawn.
    #[error("the day was withdrawn; release the readings if they are to be published again")]
    Withdrawn,
    /// Another number of intervals than before.
    #[error("another number of intervals than the sealed revision has; check the operating-day calendar")]
    OtherLength,
    /// 65,536 revisions.
    #[error("the day has 65,536 revisions and takes no more")]
    RevisionsExhausted,
}

/// Decides about new readings of a day. `previous` must be of the same stream and day.
///
/// - Same values: nothing, whatever the date. Values are energy and quality of every interval.
/// - Values that only fill in what was missing: an amendment whatever the date, since a short day is sealed with the
///   rest missing; what was sealed before stays in, and the later of both dates is sealed.
/// - Later REVISION_DATE, other values: an amendment with exactly the new readings, if they have a value wherever the
///   sealed ones have. Nothing that was sealed is erased by a part of a day: a part that adds nothing is the same, one
///   that contradicts is held.
/// - Earlier REVISION_DATE, other values: ignored and counted. Equal or none: held.
pub fn decide(previous: Option<&SealedVersion>, new: &DayReadings) -> Decision {
    let Some(previous) = previous else { return Decision::First };
    let Some(sealed) = &previous.readings else { return Decision::Held(Hold::Withdrawn) };
    if sealed.intervals == new.intervals {
        return Decision::Same;
    }
    if sealed.intervals.len() != new.intervals.len() {
        return Decision::Held(Hold::OtherLength);
    }
    let later = new.revision_date > sealed.revision_date;
    let undated = new.revision_date == 0;
    let older = !undated && new.revision_date < sealed.revision_date;
    let readings = match completed(sealed, new) {
        _ if later && !erases(sealed, new) => new.clone(),
        Some(readings) if readings.intervals != sealed.intervals => readings,
        _ if older => return Decision::Older,
        Some(_) => return Decision::Same,
        None if later => return Decision::Held(Hold::PartOfDay),
        None if undated => return Decision::Held(Hold::NoDate),
        None => return Decision::Held(Hold::SameDate),
    };
    match previous.revision.checked_add(1) {
        Some(revision) => Decision::Amend { revision, readings },
        None => Decision::Held(Hold::RevisionsExhausted),
    }
}

/// Whether the new readings lack an interval that the sealed ones have.
fn erases(sealed: &DayReadings, new: &DayReadings) -> bool {
    let lacks = |(old, new): (&Reading, &Reading)| old.quality != Quality::Missing && new.quality == Quality::Missing;
    sealed.intervals.iter().zip(&new.intervals).any(lacks)
}

/// The sealed readings with their missing intervals filled from the new ones, at the later of both dates; `None` if both
/// have another value anywhere.
fn completed(sealed: &DayReadings, new: &DayReadings) -> Option<DayReadings> {
    let merge = |(old, new): (&Reading, &Reading)| match (old.quality, new.quality) {
        (Quality::Missing, _) => Some(*new),
        (_, Quality::Missing) => Some(*old),
        _ if old == new => Some(*old),
        _ => None,
    };
    let intervals = sealed.intervals.iter().zip(&new.intervals).map(merge).collect::<Option<_>>()?;
    let revision_date = sealed.revision_date.max(new.revision_date);
    Some(DayReadings { intervals, revision_date, ..sealed.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)] // a failed unwrap is a failed test
    use super::*;
    use crate::types::{Channel, OperatingDay};

    const ACTUAL: Quality = Quality::Actual;

    fn day(revision_date: u32, values: impl Fn(u32) -> (u32, Quality)) -> DayReadings {
        let intervals = (0..96).map(values).map(|(wh, quality)| Reading { wh, quality }).collect();
        DayReadings { channel: Channel::Consumption, day: OperatingDay(8000), revision_date, intervals }
    }

    fn sealed(readings: DayReadings) -> SealedVersion {
        SealedVersion { revision: 3, readings: Some(readings) }
    }

    #[test]
    fn dates_decide_about_other_values() {
        let before = sealed(day(100, |j| (j, ACTUAL)));
        let other = |date| day(date, |j| (j + 1, ACTUAL));
        assert_eq!(decide(None, &other(1)), Decision::First);
        assert_eq!(decide(Some(&before), &other(101)), Decision::Amend { revision: 4, readings: other(101) });
        assert_eq!(decide(Some(&before), &other(99)), Decision::Older);
        assert_eq!(decide(Some(&before), &other(100)), Decision::Held(Hold::SameDate));
        assert_eq!(decide(Some(&before), &other(0)), Decision::Held(Hold::NoDate));
        for date in [0, 99, 100, 101] {
            assert_eq!(decide(Some(&before), &day(date, |j| (j, ACTUAL))), Decision::Same);
        }
        let undated = sealed(day(0, |j| (j, ACTUAL)));
        assert_eq!(decide(Some(&undated), &other(0)), Decision::Held(Hold::NoDate));
        assert!(matches!(decide(Some(&undated), &other(1)), Decision::Amend { .. }));
    }

    #[test]
    fn quality_is_a_value() {
        let before = sealed(day(5, |j| (j, Quality::Estimated)));
        let actual = day(6, |j| (j, ACTUAL));
        assert_eq!(decide(Some(&before), &actual), Decision::Amend { revision: 4, readings: actual.clone() });
    }

    #[test]
    fn the_rest_of_a_short_day_completes_it() {
        let whole = |j: u32| (j + 1, ACTUAL);
        for date in [0, 7] {
            let first = sealed(day(date, part(|j| j < 60)));
            let rest = day(date, part(|j| j >= 50));
            assert_eq!(decide(Some(&first), &rest), Decision::Amend { revision: 4, readings: day(date, whole) });
            // The same part again, or less of it, changes nothing.
            assert_eq!(decide(Some(&first), &day(date, part(|j| j < 30))), Decision::Same);
            let contradicting = day(date, |j| if j == 0 { (99, ACTUAL) } else { whole(j) });
            assert!(matches!(decide(Some(&first), &contradicting), Decision::Held(_)));
        }
    }

    fn part(keep: impl Fn(u32) -> bool) -> impl Fn(u32) -> (u32, Quality) {
        move |j| if keep(j) { (j + 1, ACTUAL) } else { (0, Quality::Missing) }
    }

    #[test]
    fn a_later_partial_day_erases_nothing() {
        let whole = sealed(day(100, part(|_| true)));
        // It says less than is sealed: nothing new.
        assert_eq!(decide(Some(&whole), &day(200, part(|j| j < 60))), Decision::Same);
        assert_eq!(decide(Some(&whole), &day(200, part(|_| false))), Decision::Same);
        // It says something else, and nothing about the rest: a person must tell.
        let other = day(200, |j| if j < 60 { (j + 7, ACTUAL) } else { (0, Quality::Missing) });
        assert_eq!(decide(Some(&whole), &other), Decision::Held(Hold::PartOfDay));
        let estimated = day(200, |j| if j < 60 { (j + 1, Quality::Estimated) } else { (0, Quality::Missing) });
        assert_eq!(decide(Some(&whole), &estimated), Decision::Held(Hold::PartOfDay));
        // It fills in what was missing: both parts, at the later date.
        let morning = sealed(day(100, part(|j| j < 60)));
        let both = day(200, part(|j| j < 90));
        let filling = decide(Some(&morning), &day(200, part(|j| (50..90).contains(&j))));
        assert_eq!(filling, Decision::Amend { revision: 4, readings: both });
        // What keeps every sealed interval may change them all, though more are missing elsewhere.
        let corrected = day(200, |j| if j < 60 { (j + 7, ACTUAL) } else { (0, Quality::Missing) });
        let amended = Decision::Amend { revision: 4, readings: corrected.clone() };
        assert_eq!(decide(Some(&morning), &corrected), amended);
    }

    #[test]
    fn an_earlier_dated_rest_completes_a_short_day() {
        let morning = sealed(day(100, part(|j| j < 60)));
        let whole = Decision::Amend { revision: 4, readings: day(100, part(|_| true)) };
        assert_eq!(decide(Some(&morning), &day(50, part(|j| j >= 60))), whole);
        assert_eq!(decide(Some(&morning), &day(50, part(|_| true))), whole);
        // Nothing is filled in, or something differs.
        assert_eq!(decide(Some(&morning), &day(50, part(|j| j < 30))), Decision::Older);
        let differs = day(50, |j| if j == 0 { (99, ACTUAL) } else { (j + 1, ACTUAL) });
        assert_eq!(decide(Some(&morning), &differs), Decision::Older);
        let last = SealedVersion { revision: u16::MAX, ..morning };
        let rest = day(50, part(|j| j >= 60));
        assert_eq!(decide(Some(&last), &rest), Decision::Held(Hold::RevisionsExhausted));
    }

    #[test]
    fn what_needs_a_person_is_held() {
        let withdrawn = SealedVersion { revision: 0, readings: None };
        assert_eq!(decide(Some(&withdrawn), &day(9, |j| (j, ACTUAL))), Decision::Held(Hold::Withdrawn));
        let mut short = day(9, |j| (j, ACTUAL));
        short.intervals.truncate(92);
        assert_eq!(decide(Some(&sealed(short)), &day(10, |j| (j, ACTUAL))), Decision::Held(Hold::OtherLength));
        let last = SealedVersion { revision: u16::MAX, readings: Some(day(1, |j| (j, ACTUAL))) };
        assert_eq!(decide(Some(&last), &day(2, |j| (j + 1, ACTUAL))), Decision::Held(Hold::RevisionsExhausted));
    }
}
