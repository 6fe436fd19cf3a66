use crate::{mock::*, Budget, Budgets, Directory, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::Role;

#[test]
fn the_council_replaces_a_lost_account() {
    build_and_execute(|| {
        Budgets::<Test>::insert(ONCOR, Budget { period: 0, calls: 3, bytes: 300, ref_time: 9 });
        assert_ok!(Participants::replace_account(council(), id("oncor"), NEWCOMER));
        assert_eq!(Participants::organisation_of(&NEWCOMER), Some((id("oncor"), Role::Utility)));
        assert_eq!(Participants::part_of(&ONCOR), None);
        assert_eq!(Participants::budget_of(&NEWCOMER).calls, 3);
        assert_eq!(System::providers(&NEWCOMER), 1);
        assert_eq!(System::providers(&ONCOR), 1);
        let event = Event::AccountReplaced { id: id("oncor"), previous: ONCOR, account: NEWCOMER };
        System::assert_last_event(event.into());
        assert_eq!(Seats::get(), [ERCOT, NEWCOMER, REGULATOR]);
        // Duties stay with their accounts.
        assert_eq!(Participants::utility_of_feed(&ONCOR_FEED), Some(id("oncor")));
    });
}

#[test]
fn a_suspended_organisation_stays_suspended() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_ok!(Participants::replace_account(council(), id("oncor"), NEWCOMER));
        assert_eq!(Participants::organisation_of(&NEWCOMER), None);
    });
}

#[test]
fn unknown_organisations_and_used_accounts_are_refused() {
    build_and_execute(|| {
        assert_noop!(Participants::replace_account(council(), id("nobody"), NEWCOMER), Error::<Test>::NotFound);
        for taken in [ONCOR, VENDOR, ONCOR_DELIVERY] {
            assert_noop!(
                Participants::replace_account(council(), id("oncor"), taken),
                Error::<Test>::AccountAlreadyExists
            );
        }
    });
}

#[test]
fn a_seat_of_the_new_account_and_a_claim_are_told_apart() {
    build_and_execute(|| {
        Seats::set(vec![ONCOR, NEWCOMER]);
        assert_noop!(Participants::replace_account(council(), id("oncor"), NEWCOMER), SEATED);
        assert_ok!(Participants::replace_account(council(), id("oncor"), CUSTOMER));
        assert_eq!(Seats::get(), [CUSTOMER, NEWCOMER]);
    });
}

#[test]
fn only_the_council_replaces() {
    build_and_execute(|| {
        for who in [ONCOR, ERCOT, STRANGER] {
            assert_noop!(Participants::replace_account(signed(who), id("oncor"), NEWCOMER), DispatchError::BadOrigin);
        }
    });
}
