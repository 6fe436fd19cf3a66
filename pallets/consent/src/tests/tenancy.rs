//! Ends that pallet-meters brings about.

use crate::{mock::*, StandingOf};
use frame_support::assert_ok;
use sealed_register::{
    delivery::{ConsentTerms, Purpose},
    OperatingDay,
};
use wattseal_primitives::consent::ConsentEnd;

#[test]
fn all_consents_end_with_the_tenancy() {
    build_and_execute(|| {
        let ids = [give(terms()), give(ConsentTerms { purpose: Purpose::Other, ..terms() })];
        let elsewhere = give(ConsentTerms { meter: FACTORY, ..terms() });
        next_block();
        assert_ok!(Meters::close(from(oncor_feed()), HOME, OperatingDay(TODAY)));
        for id in ids {
            assert_eq!(ended(&id), Some((ConsentEnd::TenancyEnded, 3)));
        }
        assert_eq!(ended(&elsewhere), None);
        assert!(!StandingOf::<Test>::contains_key(oncor(), HOME));
        assert_eq!((epoch(HOME), epoch(FACTORY)), (1, 0));
        assert_eq!(Meters::meter(&oncor(), &HOME).unwrap().tenancy_end, Some(OperatingDay(TODAY)));
    });
}

#[test]
fn what_an_earlier_holder_allowed_ends_with_her_claim() {
    build_and_execute(|| {
        let id = give(terms());
        sync(vec![entry(HOME, 2)]);
        next_block();
        claim(HOME, 2, "ana");
        assert_eq!(ended(&id), Some((ConsentEnd::Revoked, 3)));
        assert_eq!(epoch(HOME), 1);
        assert_eq!(Meters::meter(&oncor(), &HOME).unwrap().claim.unwrap().customer, account("ana"));
    });
}

#[test]
fn a_new_claim_by_the_same_customer_ends_nothing() {
    build_and_execute(|| {
        let id = give(terms());
        sync(vec![entry(HOME, 2)]);
        next_block();
        claim(HOME, 2, "maria");
        assert_eq!(ended(&id), None);
        // Her keys are new all the same.
        assert_eq!(epoch(HOME), 1);
    });
}

#[test]
fn a_full_meter_ends_within_its_weight() {
    use crate::WeightInfo;
    use pallet_meters::TenancyEnded;
    let whole = <Consents as TenancyEnded>::weight();
    assert_eq!(whole, <() as WeightInfo>::end_standing(crate::MAX_STANDING));
    assert!(whole.any_gt(<() as WeightInfo>::end_standing(1)));
}
