use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sealed_register::OperatingDay;
use sp_runtime::DispatchError;

fn registered(test: impl FnOnce()) {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        System::set_block_number(5);
        test();
    });
}

#[test]
fn a_tenancy_ends_and_the_epoch_rises() {
    registered(|| {
        assert_ok!(Meters::close(from(oncor_account()), meter_id(1), OperatingDay(8_400)));
        let meter = Meters::meter(&oncor(), &meter_id(1)).unwrap();
        assert_eq!(meter.tenancy_end, Some(OperatingDay(8_400)));
        assert_eq!((meter.epoch, meter.epoch_since), (1, 5));
        assert!(meter.covers(OperatingDay(8_400)) && !meter.covers(OperatingDay(8_401)));
        assert_eq!(Told::get(), [Ended::Tenancy(oncor(), meter_id(1))]);
        System::assert_has_event(
            Event::TenancyClosed { utility: oncor(), meter: meter_id(1), last_day: OperatingDay(8_400) }.into(),
        );
    });
}

#[test]
fn the_last_day_lies_between_the_first_and_today() {
    registered(|| {
        let close = |day| Meters::close(from(oncor_feed()), meter_id(1), OperatingDay(day));
        assert_noop!(close(7_304), Error::<Test>::InvalidLastDay);
        assert_noop!(close(8_402), Error::<Test>::InvalidLastDay);
        assert_ok!(close(8_401));
    });
}

#[test]
fn a_tenancy_of_one_day_may_end() {
    registered(|| {
        assert_ok!(Meters::close(from(oncor_feed()), meter_id(1), OperatingDay(7_305)));
    });
}

#[test]
fn a_tenancy_ends_once() {
    registered(|| {
        assert_ok!(Meters::close(from(oncor_feed()), meter_id(1), OperatingDay(8_400)));
        assert_noop!(Meters::close(from(oncor_feed()), meter_id(1), OperatingDay(8_400)), Error::<Test>::TenancyOver);
    });
}

#[test]
fn only_the_meters_utility_closes() {
    registered(|| {
        let day = OperatingDay(8_400);
        for stranger in [oncor_delivery(), retailer(), vendor(), account("maria")] {
            assert_noop!(Meters::close(from(stranger), meter_id(1), day), Error::<Test>::NotAuthorized);
        }
        assert_noop!(Meters::close(from(centerpoint_account()), meter_id(1), day), Error::<Test>::NotFound);
        assert_noop!(Meters::close(RuntimeOrigin::root(), meter_id(1), day), DispatchError::BadOrigin);
        assert_noop!(Meters::close(from(oncor_feed()), meter_id(2), day), Error::<Test>::NotFound);
    });
}

#[test]
fn the_holder_keeps_the_meter_after_the_end() {
    registered(|| {
        assert_ok!(claim(meter_id(1), 1, &account("maria")));
        assert_ok!(Meters::close(from(oncor_feed()), meter_id(1), OperatingDay(8_400)));
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().claim.unwrap().customer, account("maria"));
        assert!(Meters::holds_a_meter(&account("maria")));
    });
}
