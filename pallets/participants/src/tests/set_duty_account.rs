use crate::{mock::*, Budget, Budgets, Directory, DutyAccounts, DutyOf, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::Duty;

#[test]
fn a_utility_appoints_accounts_for_its_duties() {
    build_and_execute(|| {
        assert_ok!(Participants::set_duty_account(signed(CENTERPOINT), Duty::Feed, NEWCOMER));
        assert_ok!(Participants::set_duty_account(signed(CENTERPOINT), Duty::Delivery, STRANGER));
        assert_eq!(Participants::duty(&NEWCOMER), Some((id("centerpoint"), Duty::Feed)));
        assert_eq!(Participants::duty(&STRANGER), Some((id("centerpoint"), Duty::Delivery)));
        assert_eq!(DutyOf::<Test>::get(id("centerpoint"), Duty::Delivery), Some(STRANGER));
        assert_eq!((System::providers(&NEWCOMER), System::providers(&STRANGER)), (1, 1));
    });
}

#[test]
fn the_account_before_has_no_part_any_more() {
    build_and_execute(|| {
        let used = Budget { period: 0, calls: 9, bytes: 900, ref_time: 9_000 };
        Budgets::<Test>::insert(ONCOR_FEED, used);
        assert_ok!(Participants::set_duty_account(signed(ONCOR), Duty::Feed, NEWCOMER));
        assert_eq!(DutyAccounts::<Test>::get(ONCOR_FEED), None);
        assert_eq!(Participants::part_of(&ONCOR_FEED), None);
        assert_eq!(System::providers(&ONCOR_FEED), 1);
        assert_eq!(Participants::budget_of(&NEWCOMER), used);
        assert_eq!(Participants::utility_of_feed(&NEWCOMER), Some(id("oncor")));
        assert_eq!(Participants::duty(&ONCOR_DELIVERY), Some((id("oncor"), Duty::Delivery)));
        System::assert_last_event(
            Event::DutyAccountSet {
                utility: id("oncor"),
                duty: Duty::Feed,
                account: NEWCOMER,
                previous: Some(ONCOR_FEED),
            }
            .into(),
        );
    });
}

#[test]
fn only_utilities_have_duties() {
    build_and_execute(|| {
        for who in [ERCOT, VENDOR, REGULATOR] {
            assert_noop!(Participants::set_duty_account(signed(who), Duty::Feed, NEWCOMER), Error::<Test>::InvalidRole);
        }
    });
}

#[test]
fn only_the_utilitys_own_account_appoints() {
    build_and_execute(|| {
        for who in [ONCOR_FEED, ONCOR_DELIVERY, CUSTOMER, STRANGER, COUNCIL] {
            assert_noop!(
                Participants::set_duty_account(signed(who), Duty::Feed, NEWCOMER),
                Error::<Test>::NotAuthorized
            );
        }
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_noop!(Participants::set_duty_account(signed(ONCOR), Duty::Feed, NEWCOMER), Error::<Test>::NotAuthorized);
        assert_noop!(
            Participants::set_duty_account(RuntimeOrigin::none(), Duty::Feed, NEWCOMER),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn an_account_never_has_two_parts() {
    build_and_execute(|| {
        for taken in [ONCOR, ONCOR_FEED, ONCOR_DELIVERY, VENDOR] {
            assert_noop!(
                Participants::set_duty_account(signed(ONCOR), Duty::Feed, taken),
                Error::<Test>::AccountAlreadyExists
            );
        }
        // A claimed meter is no part in the consortium.
        assert_ok!(Participants::set_duty_account(signed(ONCOR), Duty::Feed, CUSTOMER));
        assert_eq!(Participants::utility_of_feed(&CUSTOMER), Some(id("oncor")));
    });
}
