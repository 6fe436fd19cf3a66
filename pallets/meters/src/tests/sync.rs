use crate::{mock::*, EpochStarts, Error, Event, WeightInfo};
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
        let one = || vec![entry(meter_id(1), 1)];
        for stranger in [oncor_delivery(), retailer(), vendor(), account("nobody")] {
            assert_noop!(sync_from(from(stranger), one()), Error::<Test>::NotAuthorized);
        }
        assert_noop!(sync_from(RuntimeOrigin::none(), one()), DispatchError::BadOrigin);
        assert_noop!(sync_from(RuntimeOrigin::root(), one()), DispatchError::BadOrigin);
        assert_ok!(sync_from(from(oncor_account()), one()));
        assert_ok!(sync_from(from(oncor_feed()), one()));
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
        assert_ok!(sync_from(from(centerpoint_account()), vec![other]));
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

/// Everybody has the secret of the key of zeros.
#[test]
fn a_ticket_key_of_zeros_is_refused() {
    build_and_execute(|| {
        let zero = |issue| {
            let mut entry = entry(meter_id(1), issue);
            entry.ticket_key = [0; 32];
            vec![entry]
        };
        assert_noop!(sync(zero(1)), Error::<Test>::InvalidTicketKey);
        assert_ok!(sync(vec![entry(meter_id(1), 2)]));
        for issue in [1, 2, 3] {
            assert_noop!(sync(zero(issue)), Error::<Test>::InvalidTicketKey);
        }
    });
}

#[test]
fn a_refused_sender_says_how_little_it_cost() {
    build_and_execute(|| {
        let full: Vec<_> = (0..=255u8).map(|number| entry(meter_id(number), 1)).collect();
        let refused = Meters::sync(from(retailer()), full.try_into().unwrap()).unwrap_err();
        assert_eq!(refused.post_info.actual_weight, Some(<() as WeightInfo>::refused()));
        assert!(<() as WeightInfo>::refused().ref_time() < <() as WeightInfo>::sync(1).ref_time());
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
        assert_ok!(close(from(oncor_feed()), meter_id(1), OperatingDay(8_000)));
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
