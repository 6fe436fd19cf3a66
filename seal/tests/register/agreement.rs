//! Property 6: day, hour and 15-minute readers of the same cells agree on common totals.

use crate::world::{any_readings, range, Grant, World};
use proptest::prelude::*;
use sealed_register::{open, open::Opened, verified::VerifiedDay, Channel, Intervals, Level, OperatingDay, Quality};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn readers_of_all_levels_agree(readings in any_readings(Channel::Generation, 8200)) {
        let mut world = World::new();
        let cell = world.seal(5, &readings, 0);
        let n = Intervals::from_count(readings.intervals.len() as u8).unwrap();
        let opened = Level::ALL.map(|level| {
            let grant = Grant { channel: readings.channel, epoch: 5, days: range(8190, 8210), level };
            let keyring = world.keyring(&[grant]);
            let verified = world.read(grant.channel, grant.days, level, &[grant.segment()], &keyring);
            let Some(VerifiedDay::Committed(found)) = verified.day(OperatingDay(8200)) else { panic!() };
            assert_eq!(*found.hash(), cell.hash());
            open(found, &keyring, n).unwrap()
        });
        let [day, hours, quarters] = &opened;
        prop_assert_eq!(day.level(), Level::Day);
        let count = |quality| readings.intervals.iter().filter(|reading| reading.quality == quality).count();
        prop_assert_eq!(usize::from(day.total().estimated), count(Quality::Estimated));
        prop_assert_eq!(usize::from(day.total().missing), count(Quality::Missing));
        prop_assert_eq!(day.total().wh, readings.intervals.iter().map(|reading| u64::from(reading.wh)).sum::<u64>());
        prop_assert_eq!(hours.total(), day.total());
        prop_assert_eq!(quarters.total(), day.total());
        prop_assert_eq!(day.hours(), None);
        prop_assert_eq!(hours.hours().unwrap().len(), n.count() / 4);
        prop_assert_eq!(hours.hours(), quarters.hours());
        for opened in &opened {
            prop_assert_eq!(opened.revision_date(), readings.revision_date);
        }
        prop_assert_eq!(quarters, &Opened::Quarters(readings));
    }
}
