use crate::{mock::*, Budget, Budgets, Directory, Error, Event, OrganisationOf, Organisations};
use frame_support::{assert_noop, assert_ok};
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
        Budgets::<Test>::insert(VENDOR, Budget { period: 0, calls: 19, bytes: 1_000 });
        assert_ok!(Participants::rotate_account(signed(VENDOR), NEWCOMER));
        assert_eq!(Participants::budget_of(&NEWCOMER), Budget { period: 0, calls: 19, bytes: 1_000 });
        // There and back again does not help either.
        assert_ok!(Participants::rotate_account(signed(NEWCOMER), VENDOR));
        assert_eq!(Participants::budget_of(&VENDOR), Budget { period: 0, calls: 19, bytes: 1_000 });
        assert!(!Budgets::<Test>::contains_key(NEWCOMER));
    });
}

#[test]
fn a_used_account_is_refused() {
    build_and_execute(|| {
        for taken in [VENDOR, ERCOT, ONCOR_FEED, CUSTOMER] {
            assert_noop!(Participants::rotate_account(signed(VENDOR), taken), Error::<Test>::AccountAlreadyExists);
        }
    });
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
