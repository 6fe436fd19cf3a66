use crate::{mock::*, Deliveries, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sealed_register::{
    delivery::{delivery_hash, find_delivery, open_delivery, ConsentTerms, Deliverer, Segment},
    statement, Level,
};
use wattseal_primitives::consent::{ConsentId, DeliverySlot};

/// A consent of an earlier block.
fn given(test: impl FnOnce(ConsentId, ConsentTerms)) {
    build_and_execute(|| {
        let terms = terms();
        let id = give(terms);
        next_block();
        test(id, terms);
    });
}

#[test]
fn the_utility_delivers_and_the_vendor_finds_and_opens_it() {
    given(|id, terms| {
        System::set_extrinsic_index(7);
        let plan = [Segment { epoch: 0, days: terms.data }];
        let context = context(id, terms, Deliverer::Utility, &oncor_delivery());
        let bytes = sealed(&context, &plan);
        assert_ok!(deliver(oncor_delivery(), id, 0, &plan, bytes.clone()));
        let slot = Deliveries::<Test>::get((id, 0u32, Deliverer::Utility)).unwrap();
        let length = bytes.len() as u32;
        let expected =
            DeliverySlot { block: 3, extrinsic: 7, length, hash: delivery_hash(&bytes), deliverer: Deliverer::Utility };
        assert_eq!(slot, expected);
        System::assert_last_event(
            Event::KeysDelivered { consent: id, epoch: 0, deliverer: Deliverer::Utility, bytes: length }.into(),
        );
        // The reader has the extrinsic's bytes and the slot.
        let call = RuntimeCall::Consents(crate::Call::deliver {
            consent: id,
            epoch: 0,
            segments: plan.to_vec().try_into().unwrap(),
            sealed: bytes.try_into().unwrap(),
        });
        let extrinsic = codec::Encode::encode(&call);
        let found = find_delivery(&extrinsic, slot.length as usize, &slot.hash).unwrap();
        let delivery = open_delivery(&context, 0, &vendor_kem(), found).unwrap();
        assert_eq!(delivery.segments, plan);
    });
}

#[test]
fn the_customer_delivers_too_and_both_stand() {
    given(|id, terms| {
        let plan = [Segment { epoch: 0, days: terms.data }];
        let context = context(id, terms, Deliverer::Customer, &maria());
        assert_ok!(deliver(maria(), id, 0, &plan, sealed(&context, &plan)));
        assert_ok!(deliver_for(id, terms, 0));
        assert!(Deliveries::<Test>::contains_key((id, 0u32, Deliverer::Customer)));
        assert!(Deliveries::<Test>::contains_key((id, 0u32, Deliverer::Utility)));
    });
}

#[test]
fn nobody_else_delivers() {
    given(|id, terms| {
        let plan = [Segment { epoch: 0, days: terms.data }];
        let bytes = sealed(&context(id, terms, Deliverer::Utility, &oncor_delivery()), &plan);
        for stranger in [
            oncor_account(),
            oncor_feed(),
            centerpoint_delivery(),
            centerpoint_account(),
            retailer(),
            vendor(),
            account("eve"),
        ] {
            assert_noop!(deliver(stranger, id, 0, &plan, bytes.clone()), Error::<Test>::NotAuthorized);
        }
    });
}

#[test]
fn a_later_delivery_takes_the_place_of_an_earlier_one() {
    given(|id, terms| {
        assert_ok!(deliver_for(id, terms, 0));
        next_block();
        System::set_extrinsic_index(2);
        assert_ok!(deliver_for(id, terms, 0));
        let slot = Deliveries::<Test>::get((id, 0u32, Deliverer::Utility)).unwrap();
        assert_eq!((slot.block, slot.extrinsic), (4, 2));
    });
}

#[test]
fn only_the_present_epoch_is_delivered() {
    given(|id, terms| {
        assert_noop!(deliver_for(id, terms, 1), Error::<Test>::InvalidEpoch);
        let mut other = terms;
        other.text_hash = [9; 32];
        let other = give(other);
        assert_ok!(revoke(other));
        // Raised in this block.
        assert_noop!(deliver_for(id, terms, 0), Error::<Test>::InvalidEpoch);
        assert_noop!(deliver_for(id, terms, 1), Error::<Test>::EpochNotSettled);
        next_block();
        assert_noop!(deliver_for(id, terms, 0), Error::<Test>::InvalidEpoch);
        assert_ok!(deliver_for(id, terms, 1));
        // The slot's epoch is that of the plan.
        let plan = [Segment { epoch: 0, days: terms.data }];
        let bytes = sealed(&context(id, terms, Deliverer::Utility, &oncor_delivery()), &plan);
        assert_noop!(deliver(oncor_delivery(), id, 1, &plan, bytes), Error::<Test>::InvalidDelivery);
    });
}

/// Keys of an epoch that went out in the block in which it began would outlive a second end in that block.
#[test]
fn no_key_of_an_epoch_goes_out_in_the_block_in_which_it_began() {
    given(|first, _| {
        assert_ok!(revoke(first));
        let mut second = terms();
        second.text_hash = [9; 32];
        let id = give(second);
        assert_noop!(deliver_for(id, second, 1), Error::<Test>::EpochNotSettled);
        assert_ok!(revoke(id));
        assert_eq!(epoch(HOME), 1);
        assert_eq!(Deliveries::<Test>::iter().count(), 0);
    });
}

#[test]
fn older_epochs_come_with_the_present_one() {
    given(|id, terms| {
        let mut other = terms;
        other.text_hash = [9; 32];
        let other = give(other);
        assert_ok!(revoke(other));
        next_block();
        let plan = [Segment { epoch: 0, days: days(8_100, 8_300) }, Segment { epoch: 1, days: terms.data }];
        let bytes = sealed(&context(id, terms, Deliverer::Utility, &oncor_delivery()), &plan);
        assert_ok!(deliver(oncor_delivery(), id, 1, &plan, bytes));
    });
}

#[test]
fn plans_must_fit_the_consent_and_the_bytes() {
    given(|id, terms| {
        let whole = Segment { epoch: 0, days: terms.data };
        let bytes = sealed(&context(id, terms, Deliverer::Utility, &oncor_delivery()), &[whole]);
        let send = |segments: &[Segment], bytes: &[u8]| deliver(oncor_delivery(), id, 0, segments, bytes.to_vec());
        // What people read is what the bytes say.
        assert_noop!(send(&[], &bytes), Error::<Test>::InvalidDelivery);
        assert_noop!(send(&[whole, whole], &bytes), Error::<Test>::InvalidDelivery);
        let part = Segment { epoch: 0, days: days(terms.data.first.0 + 1, terms.data.last.0) };
        assert_noop!(send(&[part], &bytes), Error::<Test>::InvalidDelivery);
        // Bytes that are none, too short, too long.
        assert_noop!(send(&[whole], &[]), Error::<Test>::InvalidDelivery);
        assert_noop!(send(&[whole], &bytes[..bytes.len() - 1]), Error::<Test>::InvalidDelivery);
        assert_noop!(send(&[whole], &[&bytes[..], &[0]].concat()), Error::<Test>::InvalidDelivery);
        let mut magic = bytes.clone();
        magic[0] ^= 1;
        assert_noop!(send(&[whole], &magic), Error::<Test>::InvalidDelivery);
        // A good delivery of other terms: more and less than the consent.
        for other in [
            ConsentTerms { level: Level::Quarter, ..terms },
            ConsentTerms { level: Level::Day, ..terms },
            ConsentTerms { data: part.days, ..terms },
            ConsentTerms { data: days(terms.data.first.0 - 1, terms.data.last.0), ..terms },
        ] {
            let plan = [Segment { epoch: 0, days: other.data }];
            let bytes = sealed(&context(id, other, Deliverer::Utility, &oncor_delivery()), &plan);
            assert_noop!(send(&plan, &bytes), Error::<Test>::InvalidDelivery);
        }
        assert_ok!(send(&[whole], &bytes));
    });
}

#[test]
fn a_delivery_follows_the_narrowed_terms() {
    given(|id, terms| {
        let narrower = ConsentTerms { level: Level::Day, ..terms };
        assert_ok!(narrow(&statement::Narrow { level: Level::Day, ..narrow_of(id, &terms) }));
        next_block();
        assert_noop!(deliver_for(id, terms, 1), Error::<Test>::InvalidDelivery);
        assert_ok!(deliver_for(id, narrower, 1));
    });
}

#[test]
fn only_what_stands_is_delivered() {
    given(|id, terms| {
        assert_noop!(deliver_for([7; 32], terms, 0), Error::<Test>::NotFound);
        Day::set(TODAY + 301);
        assert_noop!(deliver_for(id, terms, 0), Error::<Test>::Expired);
        Day::set(TODAY);
        assert_ok!(revoke(id));
        next_block();
        assert_noop!(deliver_for(id, terms, 1), Error::<Test>::AlreadyEnded);
    });
}

#[test]
fn a_delivery_lies_in_an_extrinsic() {
    given(|id, terms| {
        frame_support::storage::unhashed::kill(sp_core::storage::well_known_keys::EXTRINSIC_INDEX);
        assert_noop!(deliver_for(id, terms, 0), Error::<Test>::NotAnExtrinsic);
    });
}
