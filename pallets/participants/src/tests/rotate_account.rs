use crate::{
    mock::*, Budget, Budgets, Call, Directory, Error, Event, OnAccountChange, OrganisationOf, Organisations, WeightInfo,
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::Role;

#[test]
fn the_new_account_speaks_and_the_old_one_is_nobody() {
    build_and_execute(|| {
        assert_ok!(Participants::rotate_account(signed(VENDOR), NEWCOMER));
        assert_eq!(Participants::organisation_of(&NEWCOMER), Some((id("solar-helper"), Role::Vendor)));
        assert_eq!(Organisations::<Test>::get(id("solar-helper")).unwrap().account, NEWCOMER);
        assert_eq!(OrganisationOf::<Test>::get(VENDOR), None);
        assert_eq!(Participants::part_of(&VENDOR), None);
        let event = Event::AccountReplaced { id: id("solar-helper"), previous: VENDOR, account: NEWCOMER };
        System::assert_last_event(event.into());
    });
}

#[test]
fn references_are_given_once_and_never_taken_back() {
    build_and_execute(|| {
        assert_ok!(Participants::rotate_account(signed(VENDOR), NEWCOMER));
        assert_ok!(Participants::rotate_account(signed(NEWCOMER), VENDOR));
        assert_ok!(Participants::rotate_account(signed(VENDOR), NEWCOMER));
        assert_eq!(System::providers(&VENDOR), 1);
        assert_eq!(System::providers(&NEWCOMER), 1);
    });
}

#[test]
fn a_change_of_accounts_refills_no_budget() {
    build_and_execute(|| {
        let used = Budget { period: 0, calls: 19, bytes: 1_000, ref_time: 77 };
        Budgets::<Test>::insert(VENDOR, used);
        assert_ok!(Participants::rotate_account(signed(VENDOR), NEWCOMER));
        assert_eq!(Participants::budget_of(&NEWCOMER), used);
        // There and back again does not help either.
        assert_ok!(Participants::rotate_account(signed(NEWCOMER), VENDOR));
        assert_eq!(Participants::budget_of(&VENDOR), used);
        assert!(!Budgets::<Test>::contains_key(NEWCOMER));
    });
}

#[test]
fn a_used_account_is_refused() {
    build_and_execute(|| {
        for taken in [VENDOR, ERCOT, ONCOR_FEED] {
            assert_noop!(Participants::rotate_account(signed(VENDOR), taken), Error::<Test>::AccountAlreadyExists);
        }
    });
}

#[test]
fn an_account_that_holds_a_meter_may_take_over() {
    build_and_execute(|| {
        assert_ok!(Participants::rotate_account(signed(VENDOR), CUSTOMER));
        assert!(Participants::is_admitted_vendor(&CUSTOMER));
    });
}

#[test]
fn a_seat_on_the_council_follows_the_account() {
    build_and_execute(|| {
        assert_ok!(Participants::rotate_account(signed(ONCOR), NEWCOMER));
        assert_eq!(Seats::get(), [ERCOT, NEWCOMER, REGULATOR]);
        // Who has none gets none.
        assert_ok!(Participants::rotate_account(signed(VENDOR), STRANGER));
        assert_eq!(Seats::get(), [ERCOT, NEWCOMER, REGULATOR]);
    });
}

#[test]
fn nobody_gets_a_second_seat() {
    build_and_execute(|| {
        Seats::set(vec![ERCOT, ONCOR, NEWCOMER]);
        assert_noop!(Participants::rotate_account(signed(ONCOR), NEWCOMER), SEATED);
        assert_eq!(Seats::get(), [ERCOT, ONCOR, NEWCOMER]);
    });
}

#[test]
fn the_seats_weight_is_declared() {
    let whole = |own: frame_support::weights::Weight| own.saturating_add(SeatsOfCouncil::weight());
    let rotate = Call::<Test>::rotate_account { new_account: NEWCOMER }.get_dispatch_info().call_weight;
    assert_eq!(rotate, whole(<() as WeightInfo>::rotate_account()));
    let replace = Call::<Test>::replace_account { id: id("oncor"), new_account: NEWCOMER };
    assert_eq!(replace.get_dispatch_info().call_weight, whole(<() as WeightInfo>::replace_account()));
}

#[test]
fn only_an_admitted_organisations_own_account_rotates() {
    build_and_execute(|| {
        for who in [ONCOR_FEED, CUSTOMER, STRANGER, COUNCIL] {
            assert_noop!(Participants::rotate_account(signed(who), NEWCOMER), Error::<Test>::NotAuthorized);
        }
        assert_ok!(Participants::suspend(council(), id("solar-helper")));
        assert_noop!(Participants::rotate_account(signed(VENDOR), NEWCOMER), Error::<Test>::NotAuthorized);
        assert_noop!(Participants::rotate_account(RuntimeOrigin::root(), NEWCOMER), DispatchError::BadOrigin);
    });
}
