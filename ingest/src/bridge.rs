//! From a feed's meter-day to what is sealed: the one place where the two crates' types meet.
//!
//! `smart-meter-texas` knows files and `sealed-register` knows cells; neither knows the other. The worker and the node
//! convert here, and compare versions of a day by one digest.

use alloc::vec::Vec;
use sealed_register::{
    hash::{keyed_hash, Tag},
    Channel, DayReadings, OperatingDay, Quality, Reading, Secret,
};
use smart_meter_texas as smt;

/// Purpose of [`clear_digest`] among the hashes keyed with K_siv.
const DAY_DIGEST: Tag = Tag(b"ws/ddgst");

/// A meter-day that cannot be what it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BridgeError {
    /// Neither 92, 96 nor 100 intervals.
    #[error("{day} has {found} intervals; an operating day has 92, 96 or 100: check the operating-day calendar")]
    IntervalCount {
        /// The day.
        day: OperatingDay,
        /// Its intervals.
        found: usize,
    },
    /// Energy where there is no value.
    #[error("{day}: interval {interval} is missing and yet has energy")]
    MissingWithEnergy {
        /// The day.
        day: OperatingDay,
        /// Interval, from 1.
        interval: usize,
    },
}

/// The channel of a feed's channel.
pub fn channel(channel: smt::Channel) -> Channel {
    match channel {
        smt::Channel::Consumption => Channel::Consumption,
        smt::Channel::Generation => Channel::Generation,
    }
}

/// The readings of a meter-day, ready to be sealed: energies in Wh, REVISION_DATE in minutes since 2000-01-01.
///
/// # Errors
/// [`BridgeError`] names what is impossible; no value of the day stands in it.
pub fn day_readings(meter_day: &smt::MeterDay) -> Result<DayReadings, BridgeError> {
    let day = OperatingDay(meter_day.day.0);
    let found = meter_day.intervals.len();
    if !matches!(found, 92 | 96 | 100) {
        return Err(BridgeError::IntervalCount { day, found });
    }
    let mut intervals = Vec::with_capacity(found);
    for (interval, smt::Interval { wh, quality }) in (1..).zip(meter_day.intervals.iter().copied()) {
        let quality = match quality {
            smt::Quality::Actual => Quality::Actual,
            smt::Quality::Estimated => Quality::Estimated,
            smt::Quality::Missing if wh != 0 => return Err(BridgeError::MissingWithEnergy { day, interval }),
            smt::Quality::Missing => Quality::Missing,
        };
        intervals.push(Reading { wh, quality });
    }
    let revision_date = meter_day.revision_date.0;
    Ok(DayReadings { channel: channel(meter_day.channel), day, revision_date, intervals })
}

/// Eight bytes by which two versions of one day of one stream are compared without keeping them: equal values (energy
/// and quality of every interval, whatever the REVISION_DATE) give equal digests, and only the holder of K_siv can make
/// or check one. Other values collide once in 2^64.
pub fn clear_digest(siv: &Secret, readings: &DayReadings) -> [u8; 8] {
    // 100 intervals of five bytes, plus length and the day.
    let mut values = Vec::with_capacity(512);
    values.push(readings.channel as u8);
    values.extend_from_slice(&readings.day.0.to_le_bytes());
    values.push(u8::try_from(readings.intervals.len()).unwrap_or(u8::MAX));
    for Reading { wh, quality } in &readings.intervals {
        values.extend_from_slice(&wh.to_le_bytes());
        values.push(match quality {
            Quality::Actual => 0,
            Quality::Estimated => 1,
            Quality::Missing => 2,
        });
    }
    let hash = keyed_hash(siv.expose(), DAY_DIGEST, &[&values]);
    let mut digest = [0; 8];
    digest.iter_mut().zip(hash).for_each(|(place, byte)| *place = byte);
    digest
}

/// The operating-day calendar of the chain, as the file reader wants it.
///
/// # Errors
/// [`smt::CalendarError`] if a day is both short and long, which the chain never says.
pub fn calendar(short: &[OperatingDay], long: &[OperatingDay]) -> Result<smt::Calendar, smt::CalendarError> {
    let days = |days: &[OperatingDay]| days.iter().map(|day| smt::OperatingDay(day.0)).collect::<Vec<_>>();
    smt::Calendar::from_days(&days(short), &days(long))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::hash::Tag as Purpose;

    fn meter_day(intervals: Vec<smt::Interval>) -> smt::MeterDay {
        smt::MeterDay {
            esi_id: "10443720000000001".parse().unwrap(),
            channel: smt::Channel::Generation,
            day: smt::OperatingDay(8_000),
            revision_date: smt::RevisionDate(77),
            rows: 96,
            complete: true,
            intervals,
        }
    }

    #[test]
    fn readings_are_carried_over_one_by_one() {
        let mut intervals = alloc::vec![smt::Interval::actual(5); 96];
        intervals[1] = smt::Interval::estimated(7);
        intervals[2] = smt::Interval::MISSING;
        let readings = day_readings(&meter_day(intervals.clone())).unwrap();
        assert_eq!(
            (readings.channel, readings.day, readings.revision_date),
            (Channel::Generation, OperatingDay(8_000), 77)
        );
        assert_eq!(readings.intervals[0], Reading { wh: 5, quality: Quality::Actual });
        assert_eq!(readings.intervals[1], Reading { wh: 7, quality: Quality::Estimated });
        assert_eq!(readings.intervals[2], Reading { wh: 0, quality: Quality::Missing });
        intervals.pop();
        let day = OperatingDay(8_000);
        assert_eq!(day_readings(&meter_day(intervals.clone())), Err(BridgeError::IntervalCount { day, found: 95 }));
        intervals.push(smt::Interval { wh: 1, quality: smt::Quality::Missing });
        assert_eq!(day_readings(&meter_day(intervals)), Err(BridgeError::MissingWithEnergy { day, interval: 96 }));
    }

    #[test]
    fn the_digest_sees_values_and_nothing_else() {
        let siv = Secret::from_bytes([3; 32]);
        let readings = day_readings(&meter_day(alloc::vec![smt::Interval::actual(5); 96])).unwrap();
        let digest = clear_digest(&siv, &readings);
        let later = DayReadings { revision_date: 99, ..readings.clone() };
        assert_eq!(clear_digest(&siv, &later), digest);
        let mut other = readings.clone();
        other.intervals[95].quality = Quality::Estimated;
        assert_ne!(clear_digest(&siv, &other), digest);
        // Energy moved from one interval to the next keeps the total and must still be seen.
        let mut moved = readings.clone();
        moved.intervals[3].wh -= 1;
        moved.intervals[4].wh += 1;
        assert_ne!(clear_digest(&siv, &moved), digest);
        assert_ne!(clear_digest(&Secret::from_bytes([4; 32]), &readings), digest);
    }

    #[test]
    fn the_digest_has_a_purpose_of_its_own() {
        assert!(Purpose::ALL.iter().all(|(_, tag)| *tag != DAY_DIGEST));
    }
}
