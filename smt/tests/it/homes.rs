//! The generator.

use crate::{calendar, day, sorted};
use smart_meter_texas::generate::{homes, write_csv, Home};
use smart_meter_texas::{Channel, MeterDay, OperatingDay, Quality, Tdsp};
use std::collections::HashSet;

fn year() -> core::ops::RangeInclusive<OperatingDay> {
    day(2025, 1, 1)..=day(2025, 12, 31)
}

/// The last version of every day.
fn last(home: &Home) -> Vec<MeterDay> {
    let mut days = sorted(home.days(&calendar(), year()).collect());
    days.reverse();
    days.dedup_by_key(|day| (day.channel, day.day));
    days
}

/// Readings must never change: they are part of demonstrations and of other tests.
#[test]
fn the_same_seed_gives_the_same_file() {
    let mut file = Vec::new();
    write_csv(homes(7, 6), &calendar(), day(2025, 3, 1)..=day(2025, 3, 31), &mut file).unwrap();
    let hash = file
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    assert_eq!((file.len(), hash), (GOLDEN_LENGTH, GOLDEN_HASH));
}

const GOLDEN_LENGTH: usize = 1_996_481;
const GOLDEN_HASH: u64 = 3_641_835_547_565_785_365;

#[test]
fn a_part_of_the_year_is_the_same_as_in_the_whole() {
    let home = Home::new(1, 5);
    let whole: Vec<_> = home.days(&calendar(), year()).filter(|version| version.day >= day(2025, 11, 1)).collect();
    let part: Vec<_> = home.days(&calendar(), day(2025, 11, 1)..=day(2025, 12, 31)).collect();
    assert!(whole == part);
}

#[test]
fn homes_use_what_homes_use() {
    let mut totals = Vec::new();
    let mut months = [(1, 0u64), (4, 0), (8, 0)];
    for home in homes(11, 60) {
        let days = last(&home);
        let consumption = days.iter().filter(|day| day.channel == Channel::Consumption);
        let kwh = consumption.clone().map(MeterDay::total_wh).sum::<u64>() / 1000;
        assert!((2_000..45_000).contains(&kwh), "{kwh} kWh");
        totals.push(kwh);
        for (month, sum) in months.iter_mut() {
            let from = day(2025, *month, 1).0;
            let days = consumption.clone().filter(|day| (from..from + 28).contains(&day.day.0));
            *sum += days.map(MeterDay::total_wh).sum::<u64>();
        }
        let made: u64 = days.iter().filter(|day| day.channel == Channel::Generation).map(MeterDay::total_wh).sum();
        assert_eq!(home.has_generation(), made > 500_000, "{made} Wh");
        for day in days.iter().filter(|day| day.channel == Channel::Generation) {
            assert_eq!(
                day.intervals[..16].iter().map(|interval| u64::from(interval.wh)).sum::<u64>(),
                0,
                "no sun at night"
            );
        }
    }
    let [january, april, august] = months.map(|(_, sum)| sum);
    assert!(january * 2 > april * 3 && august * 2 > april * 3, "{months:?}");
    let mean = totals.iter().sum::<u64>() / totals.len() as u64;
    assert!((9_000..19_000).contains(&mean), "mean {mean} kWh a year");
    assert!(totals.iter().max() > totals.iter().min().map(|least| least * 2).as_ref(), "homes differ");
}

#[test]
fn estimates_blanks_outages_and_corrections_occur() {
    let mut seen = [0usize; 5];
    let mut runs = 0;
    for home in homes(2, 30) {
        let versions: Vec<_> = home.days(&calendar(), year()).filter(|v| v.channel == Channel::Consumption).collect();
        for pair in versions.windows(2) {
            let corrected = pair[0].day == pair[1].day;
            seen[0] += usize::from(corrected);
            if corrected {
                assert!(pair[1].revision_date > pair[0].revision_date);
                assert_eq!(pair[1].count(Quality::Actual), pair[1].intervals.len());
                assert!(pair[0].count(Quality::Actual) < pair[0].intervals.len());
            }
        }
        for version in &versions {
            seen[1] += version.count(Quality::Estimated);
            seen[2] += version.count(Quality::Missing);
            seen[3] += version.intervals.iter().filter(|i| i.quality == Quality::Actual && i.wh == 0).count();
            seen[4] += usize::from(version.intervals.len() != 96);
            let mut marks = version.intervals.iter().map(|i| i.quality == Quality::Estimated).collect::<Vec<_>>();
            marks.insert(0, false);
            for (index, pair) in marks.windows(2).enumerate() {
                if pair == [false, true] && index > 0 && version.count(Quality::Missing) == 0 {
                    runs += 1;
                    assert_eq!(index % 4, 1, "runs begin a quarter past the hour");
                }
            }
        }
    }
    assert!(seen.iter().all(|&count| count > 30), "{seen:?}");
    assert!((100..400).contains(&runs), "{runs} runs of 30 homes a year");
}

#[test]
fn what_is_published_day_by_day_is_everything() {
    let home = Home::new(4, 8);
    let mut published: Vec<MeterDay> = Vec::new();
    for on in day(2025, 1, 2).0..=day(2026, 1, 31).0 {
        let versions = home.published(&calendar(), OperatingDay(on));
        assert!(versions.windows(2).all(|pair| pair[0].day <= pair[1].day));
        published.extend(versions.into_iter().filter(|version| year().contains(&version.day)));
    }
    let all: Vec<_> = home.days(&calendar(), year()).collect();
    assert!(sorted(published) == sorted(all));
}

#[test]
fn esi_ids_are_valid_and_distinct() {
    let ids: HashSet<_> = homes(1, 20_000).map(|home| home.esi_id()).collect();
    assert_eq!(ids.len(), 20_000);
    for tdsp in Tdsp::ALL {
        let count = ids.iter().filter(|id| id.tdsp() == tdsp).count();
        assert_eq!(count > 0, tdsp != Tdsp::NuecesElectric, "{tdsp}");
        let id = Home::of_tdsp(1, 12_345, tdsp).esi_id();
        assert_eq!((id.tdsp(), id.as_str().parse()), (tdsp, Ok(id)));
    }
    assert!(ids.iter().all(|id| id.as_str().parse() == Ok(*id) && &id.as_str()[7..9] == "99"));
    let high = [99_999_999, 100_000_000, u32::MAX].map(|index| Home::new(1, index).esi_id());
    assert!(high.iter().all(|id| id.as_str().parse() == Ok(*id)));
    assert_eq!(high[2].as_str(), "1008901994294967295100");
}

#[test]
fn the_ends_of_time_are_days_too() {
    let calendar = smart_meter_texas::Calendar::from_days(&[], &[]).unwrap();
    let home = Home::new(1, 1);
    for number in [0, u16::MAX - 1, u16::MAX] {
        let versions = home.versions(&calendar, OperatingDay(number));
        assert!(!versions.is_empty() && versions.iter().all(|version| version.intervals.len() == 96));
    }
}
