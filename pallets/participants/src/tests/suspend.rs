use crate::{mock::*, Directory, Error, Event, Organisations};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::Standing;

#[test]
fn a_suspended_organisation_and_its_accounts_are_answered_as_unknown() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_eq!(Organisations::<Test>::get(id("oncor")).unwrap().standing, Standing::Suspended);
        assert_eq!(Participants::organisation_of(&ONCOR), None);
        assert_eq!(Participants::duty(&ONCOR_FEED), None);
        assert_eq!(Participants::utility_of_feed(&ONCOR_FEED), None);
        assert!(!Participants::relayer_is_admitted(&ONCOR_DELIVERY));
        System::assert_last_event(Event::Suspended { id: id("oncor") }.into());
        // Nobody else is touched.
        assert!(Participants::is_admitted_vendor(&VENDOR));
    });
}

#[test]
fn suspension_keeps_references() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_eq!((System::providers(&ONCOR), System::providers(&ONCOR_FEED)), (1, 1));
    });
}

#[test]
fn nobody_is_suspended_twice_or_unknown() {
    build_and_execute(|| {
        assert_noop!(Participants::suspend(council(), id("nobody")), Error::<Test>::NotFound);
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_noop!(Participants::suspend(council(), id("oncor")), Error::<Test>::InvalidStanding);
    });
}

#[test]
fn only_the_council_suspends() {
    build_and_execute(|| {
        for who in [ERCOT, ONCOR, STRANGER] {
            assert_noop!(Participants::suspend(signed(who), id("solar-helper")), DispatchError::BadOrigin);
        }
    });
}
