use crate::{mock::*, Call, Error, Event, WeightInfo};
use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchClass, GetDispatchInfo},
};
use sp_runtime::DispatchError;
use wattseal_primitives::organisations::Role;

fn set_storage() -> RuntimeCall {
    frame_system::Call::<Test>::set_storage { items: vec![(b"key".to_vec(), b"value".to_vec())] }.into()
}

#[test]
fn a_call_is_carried_out_as_root() {
    build_and_execute(|| {
        assert_ok!(Participants::enact(council(), Box::new(set_storage())));
        assert_eq!(sp_io::storage::get(b"key").as_deref(), Some(&b"value"[..]));
        System::assert_last_event(Event::Enacted { result: Ok(()) }.into());
    });
}

#[test]
fn a_failing_call_is_told_and_leaves_nothing() {
    build_and_execute(|| {
        // Root speaks for no organisation, so this call fails.
        let call: RuntimeCall = Call::<Test>::rotate_account { new_account: NEWCOMER }.into();
        assert_ok!(Participants::enact(council(), Box::new(call)));
        System::assert_last_event(Event::Enacted { result: Err(DispatchError::BadOrigin) }.into());
        assert_eq!(Participants::part_of(&NEWCOMER), None);
    });
}

#[test]
fn only_the_council_enacts() {
    build_and_execute(|| {
        for who in [ERCOT, ONCOR, VENDOR, CUSTOMER, STRANGER] {
            assert_noop!(Participants::enact(signed(who), Box::new(set_storage())), DispatchError::BadOrigin);
        }
        assert_noop!(Participants::enact(RuntimeOrigin::none(), Box::new(set_storage())), DispatchError::BadOrigin);
    });
}

#[test]
fn enact_does_not_nest() {
    build_and_execute(|| {
        let inner: RuntimeCall = Call::<Test>::enact { call: Box::new(set_storage()) }.into();
        assert_noop!(Participants::enact(council(), Box::new(inner)), Error::<Test>::InvalidCall);
        assert_eq!(sp_io::storage::get(b"key"), None);
    });
}

#[test]
fn the_weight_is_that_of_both() {
    build_and_execute(|| {
        let own = <() as WeightInfo>::enact();
        let inner = set_storage();
        let outer: RuntimeCall = Call::<Test>::enact { call: Box::new(inner.clone()) }.into();
        let info = outer.get_dispatch_info();
        assert_eq!(info.call_weight, own.saturating_add(inner.get_dispatch_info().call_weight));
        assert_eq!(info.class, DispatchClass::Operational);
        let used = Participants::enact(council(), Box::new(inner)).unwrap().actual_weight.unwrap();
        assert!(used.all_lte(info.call_weight) && used.all_gte(own));
    });
}

#[test]
fn roots_calls_reach_this_pallet_only_by_its_own_origins() {
    build_and_execute(|| {
        // `admit` asks for the council's origin, which Root is not here: no way around the vote by another call.
        let call: RuntimeCall = Call::<Test>::admit {
            id: id("newcomer"),
            role: Role::Utility,
            name: text("A company"),
            account: NEWCOMER,
            endpoint: text(""),
        }
        .into();
        assert_ok!(Participants::enact(council(), Box::new(call)));
        System::assert_last_event(Event::Enacted { result: Err(DispatchError::BadOrigin) }.into());
    });
}

#[test]
fn the_outer_call_begins_with_its_documented_index() {
    let call: RuntimeCall = Call::<Test>::enact { call: Box::new(set_storage()) }.into();
    assert_eq!(&call.encode()[..2], &[10, 5]);
}
