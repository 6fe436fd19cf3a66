use crate::{mock::*, EpochStarts, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sealed_register::{Channels, OperatingDay};
use sp_runtime::DispatchError;
use wattseal_primitives::meters::MeterClass;

fn last_sync(added: u32, changed: u32, unchanged: u32) {
    System::assert_last_event(Event::MetersSynced { utility: oncor(), added, changed, unchanged }.into());
}

#[test]
fn registers_new_meters() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1), entry(meter_id(2), 5)]));
        last_sync(2, 0, 0);
        let meter = Meters::meter(&oncor(), &meter_id(2)).unwrap();
        assert_eq!(meter.class, MeterClass::Residential);
        assert_eq!(meter.channels, Channels::Consumption);
        assert_eq!(meter.tenancy_start, OperatingDay(7_305));
        assert_eq!(meter.tenancy_end, None);
        assert_eq!((meter.ticket_issue, meter.ticket_key), (5, entry(meter_id(2), 5).ticket_key));
        assert_eq!(meter.claim, None);
        assert_eq!((meter.epoch, meter.epoch_since), (0, 1));
        assert_eq!(EpochStarts::<Test>::get((oncor(), meter_id(2), 0u32)), Some(1));
    });
}

#[test]
fn takes_the_utilitys_own_account_and_its_feed_and_nobody_else() {
    build_and_execute(|| {
        let one = || vec![entry(meter_id(1), 1)].try_into().unwrap();
        for stranger in [oncor_delivery(), retailer(), vendor(), account("nobody")] {
            assert_noop!(Meters::sync(from(stranger), one()), Error::<Test>::NotAuthorized);
        }
        assert_noop!(Meters::sync(RuntimeOrigin::none(), one()), DispatchError::BadOrigin);
        assert_noop!(Meters::sync(RuntimeOrigin::root(), one()), DispatchError::BadOrigin);
        assert_ok!(Meters::sync(from(oncor_account()), one()));
        assert_ok!(Meters::sync(from(oncor_feed()), one()));
    });
}

#[test]
fn a_repeated_call_changes_nothing() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1), entry(meter_id(2), 1)]));
        let before = Meters::meter(&oncor(), &meter_id(1));
        System::set_block_number(9);
        assert_ok!(sync(vec![entry(meter_id(1), 1), entry(meter_id(2), 1)]));
        last_sync(0, 0, 2);
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)), before);
    });
}

#[test]
fn an_empty_list_is_allowed() {
    build_and_execute(|| {
        assert_ok!(sync(vec![]));
        last_sync(0, 0, 0);
    });
}

#[test]
fn two_utilities_never_share_a_meter() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        let mut other = entry(meter_id(1), 3);
        other.class = MeterClass::LargeCommercial;
        assert_ok!(Meters::sync(from(centerpoint_account()), vec![other].try_into().unwrap()));
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().class, MeterClass::Residential);
        assert_eq!(Meters::meter(&centerpoint(), &meter_id(1)).unwrap().class, MeterClass::LargeCommercial);
    });
}

#[test]
fn a_higher_ticket_replaces_and_a_lower_one_is_ignored() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 4)]));
        assert_ok!(sync(vec![entry(meter_id(1), 3)]));
        last_sync(0, 0, 1);
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().ticket_issue, 4);
        assert_ok!(sync(vec![entry(meter_id(1), 6)]));
        last_sync(0, 1, 0);
        let meter = Meters::meter(&oncor(), &meter_id(1)).unwrap();
        assert_eq!((meter.ticket_issue, meter.ticket_key), (6, entry(meter_id(1), 6).ticket_key));
    });
}

#[test]
fn one_ticket_number_has_one_key() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 4)]));
        let mut other = entry(meter_id(1), 4);
        other.ticket_key = entry(meter_id(1), 5).ticket_key;
        assert_noop!(sync(vec![entry(meter_id(2), 1), other]), Error::<Test>::InvalidTicketKey);
    });
}

#[test]
fn channels_are_added_and_never_taken_away() {
    build_and_execute(|| {
        let with = |channels| {
            let mut entry = entry(meter_id(1), 1);
            entry.channels = channels;
            vec![entry]
        };
        assert_ok!(sync(with(Channels::Consumption)));
        assert_ok!(sync(with(Channels::Generation)));
        last_sync(0, 1, 0);
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().channels, Channels::Both);
        for fewer in [Channels::Consumption, Channels::Generation, Channels::Both] {
            assert_ok!(sync(with(fewer)));
            last_sync(0, 0, 1);
        }
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().channels, Channels::Both);
    });
}

#[test]
fn the_class_follows_the_utility() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        let mut larger = entry(meter_id(1), 1);
        larger.class = MeterClass::SmallCommercial;
        assert_ok!(sync(vec![larger]));
        last_sync(0, 1, 0);
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().class, MeterClass::SmallCommercial);
    });
}

#[test]
fn the_first_day_stays() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        let mut moved = entry(meter_id(1), 1);
        moved.tenancy_start = OperatingDay(7_306);
        assert_noop!(sync(vec![moved]), Error::<Test>::InvalidTenancyStart);
    });
}

#[test]
fn a_closed_tenancy_takes_nothing_but_a_new_ticket() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        assert_ok!(Meters::close(from(oncor_feed()), meter_id(1), OperatingDay(8_000)));
        assert_ok!(sync(vec![entry(meter_id(1), 1)]));
        let mut changed = entry(meter_id(1), 1);
        changed.class = MeterClass::SmallCommercial;
        assert_noop!(sync(vec![changed]), Error::<Test>::TenancyOver);
        let mut wider = entry(meter_id(1), 2);
        wider.channels = Channels::Both;
        assert_noop!(sync(vec![wider]), Error::<Test>::TenancyOver);
        assert_ok!(sync(vec![entry(meter_id(1), 2)]));
        let meter = Meters::meter(&oncor(), &meter_id(1)).unwrap();
        assert_eq!((meter.ticket_issue, meter.tenancy_end), (2, Some(OperatingDay(8_000))));
    });
}

#[test]
fn entries_take_effect_in_order() {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1), entry(meter_id(1), 2), entry(meter_id(1), 1)]));
        last_sync(1, 1, 1);
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().ticket_issue, 2);
    });
}

#[test]
fn a_full_list_registers() {
    build_and_execute(|| {
        let entries: Vec<_> = (0..=255u8).map(|number| entry(meter_id(number), 1)).collect();
        assert_ok!(sync(entries));
        last_sync(256, 0, 0);
    });
}
