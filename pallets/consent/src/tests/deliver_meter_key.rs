use crate::{mock::*, Error, Event, MeterKeyDeliveries, METER_KEY_BYTES};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sealed_register::{
    delivery::{delivery_hash, open_meter_key, seal_meter_key, Deliverer, MeterKeyContext},
    MeterId, Secret,
};
use sp_runtime::DispatchError;
use wattseal_primitives::{consent::DeliverySlot, AccountId};

fn context() -> MeterKeyContext {
    MeterKeyContext {
        genesis: Meters::genesis(),
        account: oncor_delivery().into(),
        utility: oncor(),
        meter: HOME,
        customer: maria().into(),
        issue: 1,
    }
}

fn bytes() -> Vec<u8> {
    seal_meter_key(&context(), &meter_key(), &customer_kem().public(), &Secret::from_bytes([3; 32])).unwrap()
}

fn send(who: AccountId, meter: MeterId, sealed: Vec<u8>) -> DispatchResult {
    send_for(who, meter, 1, sealed)
}

/// For the claim with this ticket.
fn send_for(who: AccountId, meter: MeterId, issue: u32, sealed: Vec<u8>) -> DispatchResult {
    Consents::deliver_meter_key(from(who), meter, issue, sealed.try_into().unwrap())
}

#[test]
fn the_customer_receives_the_meters_key() {
    build_and_execute(|| {
        System::set_extrinsic_index(4);
        assert_ok!(send(oncor_delivery(), HOME, bytes()));
        let slot = MeterKeyDeliveries::<Test>::get(oncor(), HOME).unwrap();
        let expected = DeliverySlot {
            block: 2,
            extrinsic: 4,
            length: METER_KEY_BYTES,
            hash: delivery_hash(&bytes()),
            deliverer: Deliverer::Utility,
        };
        assert_eq!(slot, expected);
        System::assert_last_event(Event::MeterKeyDelivered { utility: oncor(), meter: HOME }.into());
        let key = open_meter_key(&context(), &customer_kem(), &bytes()).unwrap();
        assert_eq!(key.secret(), meter_key().secret());
    });
}

#[test]
fn only_the_delivery_account_of_the_meters_utility_delivers() {
    build_and_execute(|| {
        for stranger in [oncor_account(), oncor_feed(), centerpoint_account(), retailer(), maria()] {
            assert_noop!(send(stranger, HOME, bytes()), Error::<Test>::NotAuthorized);
        }
        assert_noop!(send(centerpoint_delivery(), HOME, bytes()), Error::<Test>::UnknownMeter);
        let bare = Consents::deliver_meter_key(RuntimeOrigin::none(), HOME, 1, bytes().try_into().unwrap());
        assert_noop!(bare, DispatchError::BadOrigin);
    });
}

#[test]
fn it_needs_a_holder_and_the_right_length() {
    build_and_execute(|| {
        assert_noop!(send(oncor_delivery(), UNCLAIMED, bytes()), Error::<Test>::NotTheHolder);
        assert_noop!(send(oncor_delivery(), MeterId([9; 16]), bytes()), Error::<Test>::UnknownMeter);
        assert_noop!(send(oncor_delivery(), HOME, vec![]), Error::<Test>::InvalidDelivery);
        let short = bytes()[1..].to_vec();
        assert_noop!(send(oncor_delivery(), HOME, short), Error::<Test>::InvalidDelivery);
    });
}

/// A new ticket that nobody has used makes no new claim.
#[test]
fn the_issue_is_that_of_the_claim_and_not_of_the_newest_ticket() {
    build_and_execute(|| {
        sync(vec![entry(HOME, 2)]);
        assert_noop!(send_for(oncor_delivery(), HOME, 2, bytes()), Error::<Test>::InvalidDelivery);
        assert_ok!(send_for(oncor_delivery(), HOME, 1, bytes()));
    });
}

#[test]
fn a_new_claim_makes_it_void() {
    build_and_execute(|| {
        assert_ok!(send(oncor_delivery(), HOME, bytes()));
        sync(vec![entry(HOME, 2)]);
        claim(HOME, 2, "maria");
        assert_eq!(MeterKeyDeliveries::<Test>::get(oncor(), HOME), None);
        next_block();
        // What was sealed for the claim before comes too late.
        assert_noop!(send(oncor_delivery(), HOME, bytes()), Error::<Test>::InvalidDelivery);
        assert_noop!(send_for(oncor_delivery(), HOME, 3, bytes()), Error::<Test>::InvalidDelivery);
        assert_ok!(send_for(oncor_delivery(), HOME, 2, bytes()));
        assert_eq!(MeterKeyDeliveries::<Test>::get(oncor(), HOME).unwrap().block, 3);
    });
}
