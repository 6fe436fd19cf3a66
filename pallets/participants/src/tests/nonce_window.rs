use crate::{
    mock::*, priority::place, Budget, CheckParticipation, MortalOnly, NonceWindow, Refusal, CUSTOMER_IN_FLIGHT,
    IN_FLIGHT,
};
use codec::{Decode, Encode};
use frame_support::{assert_ok, dispatch::GetDispatchInfo};
use frame_system::{BlockHash, CheckNonce};
use sp_core::H256;
use sp_runtime::{
    generic::Era,
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionSource::External, TransactionValidityError, ValidTransaction,
    },
};

fn call() -> RuntimeCall {
    frame_system::Call::<Test>::remark { remark: vec![] }.into()
}

fn validate(who: AccountId, nonce: u32) -> Result<ValidTransaction, TransactionValidityError> {
    NonceWindow::<Test>::from(nonce)
        .validate_only(signed(who), &call(), &call().get_dispatch_info(), 0, External, 0)
        .map(|(valid, _, _)| valid)
}

fn refused(refusal: Refusal) -> Result<ValidTransaction, TransactionValidityError> {
    Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(refusal.code())))
}

#[test]
fn sixteen_transactions_are_in_flight_at_most() {
    build_and_execute(|| {
        for who in [ONCOR, ONCOR_FEED, VENDOR] {
            for nonce in 0..IN_FLIGHT {
                assert_ok!(validate(who, nonce));
            }
            assert_eq!(validate(who, IN_FLIGHT), refused(Refusal::TooManyInFlight));
            assert_eq!(validate(who, u32::MAX), refused(Refusal::TooManyInFlight));
        }
    });
}

#[test]
fn a_customer_has_four() {
    build_and_execute(|| {
        assert_eq!((IN_FLIGHT, CUSTOMER_IN_FLIGHT), (16, 4));
        for nonce in 0..CUSTOMER_IN_FLIGHT {
            assert_ok!(validate(CUSTOMER, nonce));
        }
        assert_eq!(validate(CUSTOMER, CUSTOMER_IN_FLIGHT), refused(Refusal::TooManyInFlight));
    });
}

#[test]
fn the_window_moves_with_the_account() {
    build_and_execute(|| {
        for _ in 0..10 {
            System::inc_account_nonce(VENDOR);
        }
        assert_eq!(validate(VENDOR, 9), Err(InvalidTransaction::Stale.into()));
        assert_ok!(validate(VENDOR, 25));
        assert_eq!(validate(VENDOR, 26), refused(Refusal::TooManyInFlight));
    });
}

#[test]
fn accounts_without_a_part_are_told_so() {
    build_and_execute(|| {
        assert_eq!(validate(STRANGER, 0), refused(Refusal::UnknownAccount));
        // A reference alone is no part.
        System::inc_providers(&STRANGER);
        assert_eq!(validate(STRANGER, 0), refused(Refusal::UnknownAccount));
    });
}

#[test]
fn tags_are_frame_systems_and_the_place_is_ours() {
    build_and_execute(|| {
        let theirs = CheckNonce::<Test>::from(3)
            .validate_only(signed(VENDOR), &call(), &call().get_dispatch_info(), 0, External, 0)
            .unwrap()
            .0;
        assert_eq!(validate(VENDOR, 3), Ok(ValidTransaction { priority: place(3), ..theirs }));
    });
}

/// Priority of the whole pipeline.
fn priority_of(who: AccountId, nonce: u32, call: &RuntimeCall) -> u64 {
    let extensions: Extensions =
        (MortalOnly::from(Era::mortal(64, 0)), NonceWindow::from(nonce), CheckParticipation::new());
    let info = call.get_dispatch_info();
    extensions.validate_only(signed(who), call, &info, 100, External, 0).unwrap().0.priority
}

#[test]
fn the_first_of_another_account_goes_before_what_a_flooder_has_in_flight() {
    build_and_execute(|| {
        BlockHash::<Test>::insert(0, H256::repeat_byte(1));
        let urgent: RuntimeCall = frame_system::Call::<Test>::remark_with_event { remark: vec![] }.into();
        let modest: RuntimeCall = crate::Call::<Test>::set_endpoint { endpoint: text("") }.into();
        // Even with the most urgent calls and a whole budget, against one that has used nearly all of its own.
        Participants::charge(
            &VENDOR,
            0,
            ALLOWANCES.vendor.ref_time - 2 * modest.get_dispatch_info().total_weight().ref_time(),
        );
        for nonce in 1..IN_FLIGHT {
            assert!(priority_of(ONCOR, nonce, &urgent) < priority_of(VENDOR, 0, &modest));
            assert!(priority_of(ONCOR, nonce, &urgent) < priority_of(ONCOR, nonce - 1, &urgent));
        }
        assert!(priority_of(ONCOR, 0, &urgent) > priority_of(VENDOR, 0, &modest));
    });
}

#[test]
fn clients_see_frame_systems_extension() {
    for nonce in [0, 1, 63, 64, 16_383, 16_384, u32::MAX] {
        let (own, theirs) = (NonceWindow::<Test>::from(nonce), CheckNonce::<Test>::from(nonce));
        assert_eq!(own.encode(), theirs.encode());
        assert_eq!(NonceWindow::<Test>::decode(&mut &theirs.encode()[..]), Ok(own));
    }
    let own = <NonceWindow<Test> as TransactionExtension<RuntimeCall>>::metadata();
    let theirs = <CheckNonce<Test> as TransactionExtension<RuntimeCall>>::metadata();
    assert_eq!(own[0].identifier, theirs[0].identifier);
    assert_eq!((own[0].ty, own[0].implicit), (theirs[0].ty, theirs[0].implicit));
}

#[test]
fn the_whole_pipeline_takes_nonces_in_order_and_consumes_the_budget_once() {
    build_and_execute(|| {
        BlockHash::<Test>::insert(0, H256::repeat_byte(1));
        let extensions = |nonce| -> Extensions {
            let era = Era::mortal(64, 0);
            (MortalOnly::from(era), NonceWindow::from(nonce), CheckParticipation::new())
        };
        let send = |nonce| {
            extensions(nonce)
                .dispatch_transaction(signed(VENDOR), call(), &call().get_dispatch_info(), 100, 0)
                .map(|outcome| outcome.is_ok())
        };
        assert_eq!(send(0), Ok(true));
        assert_eq!(send(1), Ok(true));
        assert_eq!(send(1), Err(InvalidTransaction::Stale.into()));
        assert_eq!(send(3), Err(InvalidTransaction::Future.into()));
        assert_eq!(System::account_nonce(VENDOR), 2);
        // What did not get in has used nothing: its writes are the caller's to discard, and it made none before failing.
        let ref_time = 2 * call().get_dispatch_info().total_weight().ref_time();
        assert_eq!(Participants::budget_of(&VENDOR), Budget { period: 0, calls: 2, bytes: 200, ref_time });
        let weight = extensions(2).weight(&call());
        assert!(weight.any_gt(CheckNonce::<Test>::from(2).weight(&call())));
    });
}
