use crate::{mock::*, Directory, Error, Event, KemKeys};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use sealed_register::OperatingDay;
use sp_runtime::DispatchError;

fn set(origin: RuntimeOrigin, key: Vec<u8>) -> Result<(), DispatchError> {
    Participants::set_kem_key(origin, BoundedVec::try_from(key).unwrap())
}

#[test]
fn a_key_is_good_for_today_and_31_days() {
    build_and_execute(|| {
        assert_ok!(set(signed(VENDOR), vec![7; 1_216]));
        let stored = Participants::kem_key(&id("solar-helper")).unwrap();
        assert_eq!(stored.key.to_vec(), vec![7; 1_216]);
        assert_eq!(stored.last_day, OperatingDay(DAY + 31));
        let event = Event::KemKeySet { id: id("solar-helper"), last_day: OperatingDay(DAY + 31) };
        System::assert_last_event(event.into());
    });
}

#[test]
fn a_new_key_replaces_the_one_before() {
    build_and_execute(|| {
        assert_ok!(set(signed(VENDOR), vec![7; 1_216]));
        TodayIs::set(DAY + 20);
        assert_ok!(set(signed(VENDOR), vec![8; 1_216]));
        let stored = KemKeys::<Test>::get(id("solar-helper")).unwrap();
        assert_eq!(stored.key.first(), Some(&8));
        assert_eq!(stored.last_day, OperatingDay(DAY + 51));
    });
}

#[test]
fn the_calendar_ends_without_overflow() {
    build_and_execute(|| {
        TodayIs::set(u16::MAX - 3);
        assert_ok!(set(signed(VENDOR), vec![7; 1_216]));
        assert_eq!(KemKeys::<Test>::get(id("solar-helper")).unwrap().last_day, OperatingDay(u16::MAX));
    });
}

#[test]
fn a_shorter_key_is_refused() {
    build_and_execute(|| {
        for length in [0, 32, 1_215] {
            assert_noop!(set(signed(VENDOR), vec![7; length]), Error::<Test>::InvalidKemKey);
        }
        assert!(BoundedVec::<u8, frame_support::traits::ConstU32<1_216>>::try_from(vec![7; 1_217]).is_err());
    });
}

#[test]
fn only_an_admitted_organisations_own_account_sets_it() {
    build_and_execute(|| {
        for who in [ONCOR_FEED, ONCOR_DELIVERY, CUSTOMER, STRANGER, COUNCIL] {
            assert_noop!(set(signed(who), vec![7; 1_216]), Error::<Test>::NotAuthorized);
        }
        assert_ok!(Participants::suspend(council(), id("solar-helper")));
        assert_noop!(set(signed(VENDOR), vec![7; 1_216]), Error::<Test>::NotAuthorized);
        assert_noop!(set(RuntimeOrigin::root(), vec![7; 1_216]), DispatchError::BadOrigin);
    });
}
