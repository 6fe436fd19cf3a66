use crate::{mock::*, Error, Event, WeightInfo};
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
        assert_ok!(close(from(oncor_account()), meter_id(1), OperatingDay(8_400)));
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
        let on = |day| close(from(oncor_feed()), meter_id(1), OperatingDay(day));
        assert_noop!(on(7_304), Error::<Test>::InvalidLastDay);
        assert_noop!(on(8_402), Error::<Test>::InvalidLastDay);
        assert_ok!(on(8_401));
    });
}

#[test]
fn a_tenancy_of_one_day_may_end() {
    registered(|| {
        assert_ok!(close(from(oncor_feed()), meter_id(1), OperatingDay(7_305)));
    });
}

#[test]
fn a_tenancy_ends_once() {
    registered(|| {
        assert_ok!(close(from(oncor_feed()), meter_id(1), OperatingDay(8_400)));
        assert_noop!(close(from(oncor_feed()), meter_id(1), OperatingDay(8_400)), Error::<Test>::TenancyOver);
    });
}

#[test]
fn only_the_meters_utility_closes() {
    registered(|| {
        let day = OperatingDay(8_400);
        for stranger in [oncor_delivery(), retailer(), vendor(), account("maria")] {
            assert_noop!(close(from(stranger), meter_id(1), day), Error::<Test>::NotAuthorized);
        }
        assert_noop!(close(from(centerpoint_account()), meter_id(1), day), Error::<Test>::NotFound);
        assert_noop!(close(RuntimeOrigin::root(), meter_id(1), day), DispatchError::BadOrigin);
        assert_noop!(close(from(oncor_feed()), meter_id(2), day), Error::<Test>::NotFound);
    });
}

#[test]
fn the_holder_keeps_the_meter_after_the_end() {
    registered(|| {
        assert_ok!(claim(meter_id(1), 1, &account("maria")));
        assert_ok!(close(from(oncor_feed()), meter_id(1), OperatingDay(8_400)));
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().claim.unwrap().customer, account("maria"));
        assert!(Meters::holds_a_meter(&account("maria")));
    });
}

#[test]
fn a_refusal_says_how_little_it_cost() {
    registered(|| {
        let day = OperatingDay(8_400);
        let cost = |who, meter, day| {
            let refused = Meters::close(from(who), meter, day).unwrap_err();
            refused.post_info.actual_weight
        };
        let little = Some(<() as WeightInfo>::refused());
        assert!(<() as WeightInfo>::refused().ref_time() < <() as WeightInfo>::close().ref_time());
        assert_eq!(cost(retailer(), meter_id(1), day), little);
        assert_eq!(cost(oncor_feed(), meter_id(2), day), little);
        assert_eq!(cost(oncor_feed(), meter_id(1), OperatingDay(8_402)), little);
        assert_ok!(close(from(oncor_feed()), meter_id(1), day));
        assert_eq!(cost(oncor_feed(), meter_id(1), day), little);
    });
}
