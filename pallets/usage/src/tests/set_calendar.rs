//! `set_calendar`, and the calendar at genesis.

use crate::{mock::*, Calendar, CalendarDays, Error, Event, GenesisConfig};
use frame_support::{assert_noop, assert_ok, traits::ConstU32, BoundedVec};
use sealed_register::{Intervals, OperatingDay};
use sp_runtime::BuildStorage;

fn days(numbers: &[u16]) -> BoundedVec<OperatingDay, ConstU32<256>> {
    numbers.iter().copied().map(OperatingDay).collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn the_default_is_the_rule() {
    build_and_execute(|| {
        let calendar = Calendar::<Test>::get();
        let rule = smart_meter_texas::Calendar::us_rule(2007, 2089).unwrap();
        let by_rule =
            |days: &[smart_meter_texas::OperatingDay]| days.iter().map(|day| OperatingDay(day.0)).collect::<Vec<_>>();
        assert_eq!(calendar.short.to_vec(), by_rule(rule.short_days()));
        assert_eq!(calendar.long.to_vec(), by_rule(rule.long_days()));
        let day = |text: &str| text.parse::<OperatingDay>().unwrap();
        assert_eq!(calendar.intervals(day("2026-03-08")), Intervals::Short);
        assert_eq!(calendar.intervals(day("2026-11-01")), Intervals::Long);
        assert_eq!(calendar.intervals(day("2026-11-02")), Intervals::Normal);
        assert_eq!(Usage::calendar().0.len(), 83);
    });
}

#[test]
fn genesis_has_dates_that_people_read() {
    let text = r#"{"short":["2026-03-08"],"long":["2026-11-01","2027-11-07"]}"#;
    let config: GenesisConfig<Test> = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&config).unwrap(), text);
    let storage = config.build_storage().unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        assert_eq!(Calendar::<Test>::get().long.to_vec(), ["2026-11-01", "2027-11-07"].map(|day| day.parse().unwrap()));
    });
    for bad in [
        r#"{"short":["8.3.2026"],"long":[]}"#,
        r#"{"short":[9563],"long":[]}"#,
        r#"{"short":["2026-02-30"],"long":[]}"#,
    ] {
        assert!(serde_json::from_str::<GenesisConfig<Test>>(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_council_replaces_it() {
    build_and_execute(|| {
        assert_ok!(Usage::set_calendar(RuntimeOrigin::root(), days(&[100, 500]), days(&[300])));
        System::assert_last_event(Event::CalendarSet { short: 2, long: 1 }.into());
        assert_eq!(Calendar::<Test>::get(), CalendarDays { short: days(&[100, 500]), long: days(&[300]) });
        assert_noop!(Usage::set_calendar(from("oncor"), days(&[]), days(&[])), sp_runtime::DispatchError::BadOrigin);
    });
}

#[test]
fn days_ascend_and_differ() {
    build_and_execute(|| {
        for (short, long) in [([2, 1], [3, 4]), ([1, 1], [3, 4]), ([1, 2], [4, 3]), ([1, 2], [2, 3])] {
            assert_noop!(
                Usage::set_calendar(RuntimeOrigin::root(), days(&short), days(&long)),
                Error::<Test>::InvalidCalendar
            );
        }
    });
}
