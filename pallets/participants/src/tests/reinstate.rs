use crate::{mock::*, Directory, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::Role;

#[test]
fn a_reinstated_organisation_acts_again() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("oncor")));
        assert_ok!(Participants::reinstate(council(), id("oncor")));
        assert_eq!(Participants::organisation_of(&ONCOR), Some((id("oncor"), Role::Utility)));
        assert_eq!(Participants::utility_of_feed(&ONCOR_FEED), Some(id("oncor")));
        System::assert_last_event(Event::Reinstated { id: id("oncor") }.into());
    });
}

#[test]
fn only_suspended_organisations_are_reinstated() {
    build_and_execute(|| {
        assert_noop!(Participants::reinstate(council(), id("oncor")), Error::<Test>::InvalidStanding);
        assert_noop!(Participants::reinstate(council(), id("nobody")), Error::<Test>::NotFound);
    });
}

#[test]
fn only_the_council_reinstates() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("oncor")));
        for who in [ERCOT, ONCOR, STRANGER] {
            assert_noop!(Participants::reinstate(signed(who), id("oncor")), DispatchError::BadOrigin);
        }
    });
}
