//! Property 3: days of 92, 96 and 100 intervals; blank, estimated and short days; both channels; late originals,
//! backfill after live data, amendments 180 days late. Everything is read back through a verified proof.

use crate::world::{all_cells, any_readings, range, readings, World};
use proptest::prelude::*;
use sealed_register::{
    amend::{Decision, Hold},
    open,
    open::{OpenError, Opened},
    verified::VerifiedDay,
    Channel, DayReadings, Intervals, Level, OperatingDay, Quality, Reading,
};

const CHANNEL: Channel = Channel::Consumption;

/// What the customer reads of a day: the newest revision, all of it.
fn newest(world: &World, channel: Channel, day: u16) -> Result<DayReadings, OpenError> {
    let (keyring, segments) = world.customer();
    let verified = world.read(channel, range(day, day), Level::Quarter, &segments, &keyring);
    match verified.day(OperatingDay(day)) {
        Some(VerifiedDay::Committed(cell)) => match open(cell, &keyring, cell.header().intervals)? {
            Opened::Quarters(readings) => Ok(readings),
            other => panic!("{other:?}"),
        },
        other => panic!("{day}: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_day_of_either_channel_comes_back_as_it_was(
        consumption in any_readings(Channel::Consumption, 8100),
        generation in any_readings(Channel::Generation, 8100),
        epoch in any::<u32>(),
    ) {
        let mut world = World::new();
        for readings in [&consumption, &generation] {
            prop_assert_eq!(world.ingest(epoch, readings), Decision::First);
            prop_assert_eq!(world.ingest(epoch, readings), Decision::Same);
        }
        prop_assert_eq!(newest(&world, Channel::Consumption, 8100), Ok(consumption));
        prop_assert_eq!(newest(&world, Channel::Generation, 8100), Ok(generation));
    }
}

#[test]
fn dst_days_and_extreme_days() {
    let mut world = World::new();
    let day = |day, count, quality, wh| DayReadings {
        channel: CHANNEL,
        day: OperatingDay(day),
        revision_date: 0,
        intervals: vec![Reading { wh, quality }; count],
    };
    let days = [
        day(8107, 92, Quality::Actual, 25_000),
        day(8345, 100, Quality::Estimated, 25_000),
        day(8346, 100, Quality::Missing, 0),
        day(8347, 96, Quality::Missing, 0),
        day(8348, 96, Quality::Actual, 0),
    ];
    for readings in &days {
        world.ingest(0, readings);
    }
    for readings in &days {
        assert_eq!(newest(&world, CHANNEL, readings.day.0).as_ref(), Ok(readings));
    }
    // The calendar's length, not the cell's, decides.
    let (keyring, segments) = world.customer();
    let verified = world.read(CHANNEL, range(8107, 8107), Level::Day, &segments, &keyring);
    let cell = &all_cells(&verified)[0];
    assert!(open(cell, &keyring, Intervals::Short).is_ok());
    let error = open(cell, &keyring, Intervals::Normal).unwrap_err();
    assert!(error.to_string().contains("92 intervals where the calendar has 96"), "{error}");
}

#[test]
fn a_short_day_is_completed_by_an_amendment() {
    let mut world = World::new();
    let whole = readings(CHANNEL, 8100, 96, 500, 1);
    let mut morning = whole.clone();
    morning.intervals[40..].fill(Reading { wh: 0, quality: Quality::Missing });
    let mut afternoon = whole.clone();
    afternoon.intervals[..40].fill(Reading { wh: 0, quality: Quality::Missing });
    assert_eq!(world.ingest(0, &morning), Decision::First);
    assert_eq!(newest(&world, CHANNEL, 8100), Ok(morning));
    assert_eq!(world.ingest(0, &afternoon), Decision::Amend { revision: 1, readings: whole.clone() });
    assert_eq!(world.ingest(0, &afternoon), Decision::Same);
    assert_eq!(newest(&world, CHANNEL, 8100), Ok(whole));
}

#[test]
fn late_originals_backfill_and_amendments_half_a_year_late() {
    let mut world = World::new();
    // Live data of 200 days without the 50th; a rise of the epoch in between.
    for day in (8000..8200).filter(|day| *day != 8050) {
        world.ingest(u32::from(day >= 8100), &readings(CHANNEL, day, 96, u32::from(day), 0));
    }
    // The late original, a month that nobody had, an amendment 180 days late.
    assert_eq!(world.ingest(2, &readings(CHANNEL, 8050, 96, 9000, 7)), Decision::First);
    for day in 7970..8000 {
        assert_eq!(world.ingest(2, &readings(CHANNEL, day, 96, 9001, 8)), Decision::First);
    }
    let amended = readings(CHANNEL, 8010, 96, 8190 * 1440, 9);
    assert!(matches!(world.ingest(2, &amended), Decision::Amend { revision: 1, .. }));
    assert_eq!(world.ingest(2, &readings(CHANNEL, 8010, 96, 3, 10)), Decision::Older);
    assert_eq!(world.ingest(2, &readings(CHANNEL, 8010, 96, 0, 10)), Decision::Held(Hold::NoDate));
    assert_eq!(newest(&world, CHANNEL, 8010), Ok(amended));
    assert_eq!(newest(&world, CHANNEL, 8050), Ok(readings(CHANNEL, 8050, 96, 9000, 7)));
    assert_eq!(newest(&world, CHANNEL, 7985), Ok(readings(CHANNEL, 7985, 96, 9001, 8)));

    // A range that lies in the middle gets all of it, and says of every other day that there is nothing.
    let (keyring, segments) = world.customer();
    let verified = world.read(CHANNEL, range(7960, 8060), Level::Quarter, &segments, &keyring);
    for (day, known) in verified.days() {
        match known {
            VerifiedDay::NotCommitted => assert!(day.0 < 7970, "{day}"),
            VerifiedDay::Committed(cell) => {
                assert_eq!(cell.header().revision, u16::from(day.0 == 8010));
                assert!(open(cell, &keyring, Intervals::Normal).is_ok());
            }
        }
    }
    assert_eq!(verified.revisions(OperatingDay(8010)).len(), 2);
    // day_high does not fall when an old day comes late.
    let last = world.cells.last().unwrap();
    assert_eq!((last.header.day, last.header.day_high), (OperatingDay(8010), OperatingDay(8199)));
}

#[test]
fn a_withdrawn_day_says_so_and_waits_for_a_person() {
    let mut world = World::new();
    let day = readings(CHANNEL, 8000, 96, 5, 0);
    world.ingest(0, &day);
    let cell = world.sealer(CHANNEL, 0).withdraw(day.day, Intervals::Normal, 1).unwrap();
    world.commit(cell);
    assert_eq!(newest(&world, CHANNEL, 8000), Err(OpenError::Withdrawn { day: day.day, revision: 1 }));
    assert_eq!(world.ingest(0, &readings(CHANNEL, 8000, 96, 6, 1)), Decision::Held(Hold::Withdrawn));
    // A person released them: the next revision is readable.
    world.seal(0, &day, 2);
    assert_eq!(newest(&world, CHANNEL, 8000), Ok(day));
}
