use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use wattseal_primitives::consent::ConsentEnd;

#[test]
fn the_vendor_gives_a_consent_back() {
    build_and_execute(|| {
        let id = give(terms());
        next_block();
        assert_ok!(Consents::give_back(from(vendor()), id, SECRET));
        assert_eq!(ended(&id), Some((ConsentEnd::GivenBack, 3)));
        assert_eq!(epoch(HOME), 1);
        System::assert_has_event(
            Event::ConsentEnded { consent: id, utility: oncor(), meter: HOME, why: ConsentEnd::GivenBack }.into(),
        );
        assert_noop!(Consents::give_back(from(vendor()), id, SECRET), Error::<Test>::AlreadyEnded);
    });
}

#[test]
fn account_and_secret_must_both_fit() {
    build_and_execute(|| {
        let id = give(terms());
        assert_noop!(Consents::give_back(from(vendor()), id, [6; 32]), Error::<Test>::NotTheGrantee);
        assert_noop!(Consents::give_back(from(retailer()), id, SECRET), Error::<Test>::NotTheGrantee);
        assert_noop!(Consents::give_back(from(vendor()), [7; 32], SECRET), Error::<Test>::NotFound);
        assert_noop!(Consents::give_back(RuntimeOrigin::none(), id, SECRET), DispatchError::BadOrigin);
    });
}
