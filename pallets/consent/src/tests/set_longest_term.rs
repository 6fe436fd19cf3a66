use crate::{mock::*, Error, Event, LongestTerm, DEFAULT_LONGEST_TERM};
use frame_support::{assert_noop, assert_ok};
use sealed_register::delivery::ConsentTerms;
use sp_runtime::DispatchError;

#[test]
fn the_council_sets_the_longest_term() {
    build_and_execute(|| {
        assert_eq!(LongestTerm::<Test>::get(), DEFAULT_LONGEST_TERM);
        let older = give(ConsentTerms { access: days(TODAY, TODAY + 366), ..terms() });
        assert_ok!(Consents::set_longest_term(RuntimeOrigin::root(), 30));
        System::assert_last_event(Event::LongestTermSet { days: 30 }.into());
        let until = |last| try_give(ConsentTerms { access: days(TODAY, last), ..terms() });
        assert_noop!(until(TODAY + 31), Error::<Test>::LimitOfTerm);
        assert_ok!(until(TODAY + 30));
        // What was given before goes on.
        assert_eq!(ended(&older), None);
    });
}

#[test]
fn nobody_else_does_and_it_is_never_zero() {
    build_and_execute(|| {
        for stranger in [oncor_account(), retailer(), maria()] {
            assert_noop!(Consents::set_longest_term(from(stranger), 30), DispatchError::BadOrigin);
        }
        assert_noop!(Consents::set_longest_term(RuntimeOrigin::root(), 0), Error::<Test>::InvalidTerm);
    });
}
