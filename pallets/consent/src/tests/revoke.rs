use crate::{mock::*, Error, Event, ExpiringOn, StandingOf};
use frame_support::{assert_noop, assert_ok};
use pallet_meters::LONGEST_STATEMENT;
use sealed_register::{statement, OperatingDay};
use wattseal_primitives::consent::ConsentEnd;

fn statement_of(consent: [u8; 32]) -> statement::Revoke {
    statement::Revoke { genesis: Meters::genesis(), consent, last_valid_block: LAST_BLOCK }
}

#[test]
fn a_consent_ends_and_the_epoch_rises_in_the_same_block() {
    build_and_execute(|| {
        let id = give(terms());
        next_block();
        assert_ok!(revoke(id));
        assert_eq!(ended(&id), Some((ConsentEnd::Revoked, 3)));
        assert_eq!(Meters::epoch_at(&oncor(), &HOME, 2), Some(0));
        assert_eq!(Meters::epoch_at(&oncor(), &HOME, 3), Some(1));
        assert!(!StandingOf::<Test>::contains_key(oncor(), HOME));
        assert!(!ExpiringOn::<Test>::contains_key(OperatingDay(TODAY + 300), id));
        System::assert_has_event(
            Event::ConsentEnded { consent: id, utility: oncor(), meter: HOME, why: ConsentEnd::Revoked }.into(),
        );
        System::assert_has_event(pallet_meters::Event::EpochRaised { utility: oncor(), meter: HOME, epoch: 1 }.into());
    });
}

#[test]
fn other_consents_and_meters_go_on() {
    build_and_execute(|| {
        let mut others = terms();
        others.text_hash = [9; 32];
        let (id, other) = (give(terms()), give(others));
        let mut factory = terms();
        factory.meter = FACTORY;
        let elsewhere = give(factory);
        assert_ok!(revoke(id));
        assert_eq!(ended(&other), None);
        assert_eq!(ended(&elsewhere), None);
        assert_eq!(StandingOf::<Test>::get(oncor(), HOME).into_inner(), [other]);
        assert_eq!((epoch(HOME), epoch(FACTORY)), (1, 0));
    });
}

#[test]
fn only_the_customers_signature_over_this_consent_counts() {
    build_and_execute(|| {
        let id = give(terms());
        let mut others = terms();
        others.text_hash = [9; 32];
        let other = give(others);
        let send = |consent, signature| Consents::revoke(from(retailer()), consent, LAST_BLOCK, signature);
        let good = sign("maria", &statement_of(id));
        assert_noop!(send(other, good), Error::<Test>::InvalidSignature);
        assert_noop!(send(id, sign("eve", &statement_of(id))), Error::<Test>::InvalidSignature);
        let elsewhere = statement::Revoke { genesis: [1; 32], ..statement_of(id) };
        assert_noop!(send(id, sign("maria", &elsewhere)), Error::<Test>::InvalidSignature);
        let shorter = Consents::revoke(from(retailer()), id, 99, good);
        assert_noop!(shorter, Error::<Test>::InvalidSignature);
        assert_noop!(Consents::revoke(from(account("eve")), id, LAST_BLOCK, good), Error::<Test>::NotAuthorized);
        assert_ok!(Consents::revoke(from(maria()), id, LAST_BLOCK, good));
    });
}

#[test]
fn a_revocation_comes_once_and_in_time() {
    build_and_execute(|| {
        let id = give(terms());
        let late = statement::Revoke { last_valid_block: 1, ..statement_of(id) };
        assert_noop!(Consents::revoke(from(retailer()), id, 1, sign("maria", &late)), Error::<Test>::StatementExpired);
        let far = 2 + LONGEST_STATEMENT + 1;
        let long = statement::Revoke { last_valid_block: far, ..statement_of(id) };
        let signature = sign("maria", &long);
        assert_noop!(Consents::revoke(from(retailer()), id, far, signature), Error::<Test>::StatementTooLong);
        assert_noop!(revoke([7; 32]), Error::<Test>::NotFound);
        assert_ok!(revoke(id));
        assert_noop!(revoke(id), Error::<Test>::AlreadyEnded);
    });
}
