use crate::{
    budget::Budget,
    mock::*,
    priority::{priority, WHOLE},
    Allowance, Allowances, Budgets, Call, CallClass, CheckParticipation, Refusal,
};
use codec::{Decode, Encode};
use frame_support::{
    assert_ok, assert_storage_noop,
    dispatch::{DispatchInfo, GetDispatchInfo},
    weights::Weight,
};
use sp_runtime::{
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionPriority, TransactionSource::External, TransactionValidityError,
    },
    DispatchError,
};

const LENGTH: usize = 150;

fn statement() -> RuntimeCall {
    frame_system::Call::<Test>::remark { remark: vec![1; 10] }.into()
}

fn vote() -> RuntimeCall {
    frame_system::Call::<Test>::remark_with_event { remark: vec![1; 10] }.into()
}

/// On the allow-list, but it asks for Root.
fn failing() -> RuntimeCall {
    frame_system::Call::<Test>::set_heap_pages { pages: 1 }.into()
}

/// Time of the call's declared weight, picoseconds.
fn time(call: &RuntimeCall) -> u64 {
    call.get_dispatch_info().total_weight().ref_time()
}

fn registration() -> RuntimeCall {
    Call::<Test>::set_endpoint { endpoint: text("") }.into()
}

fn validate(
    who: AccountId,
    call: &RuntimeCall,
    length: usize,
) -> Result<TransactionPriority, TransactionValidityError> {
    CheckParticipation::<Test>::new()
        .validate_only(signed(who), call, &call.get_dispatch_info(), length, External, 0)
        .map(|(valid, _, _)| valid.priority)
}

fn send(
    who: AccountId,
    call: RuntimeCall,
    length: usize,
) -> Result<Result<(), DispatchError>, TransactionValidityError> {
    let info = call.get_dispatch_info();
    CheckParticipation::<Test>::new()
        .dispatch_transaction(signed(who), call, &info, length, 0)
        .map(|outcome| outcome.map(|_| ()).map_err(|failed| failed.error))
}

fn refused(refusal: Refusal) -> Result<TransactionPriority, TransactionValidityError> {
    Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(refusal.code())))
}

#[test]
fn participants_and_customers_pass_strangers_do_not() {
    build_and_execute(|| {
        for who in [ERCOT, ONCOR, ONCOR_FEED, ONCOR_DELIVERY, VENDOR, CUSTOMER] {
            assert_eq!(validate(who, &statement(), LENGTH), Ok(priority(CallClass::Statement, WHOLE)), "{who}");
        }
        assert_eq!(validate(STRANGER, &statement(), LENGTH), refused(Refusal::UnknownAccount));
    });
}

#[test]
fn calls_not_on_the_list_are_refused_whoever_sends_them() {
    build_and_execute(|| {
        let enact: RuntimeCall = Call::<Test>::enact { call: Box::new(statement()) }.into();
        let set_code: RuntimeCall = frame_system::Call::<Test>::set_code { code: vec![] }.into();
        for who in [ERCOT, ONCOR, COUNCIL, STRANGER] {
            assert_eq!(validate(who, &enact, LENGTH), refused(Refusal::NotListed));
            assert_eq!(validate(who, &set_code, LENGTH), refused(Refusal::NotListed));
        }
    });
}

#[test]
fn customers_make_statements_only_and_duty_accounts_do_not_vote() {
    build_and_execute(|| {
        assert_eq!(validate(CUSTOMER, &registration(), LENGTH), refused(Refusal::NotForThisAccount));
        assert_eq!(validate(CUSTOMER, &vote(), LENGTH), refused(Refusal::NotForThisAccount));
        assert_eq!(validate(ONCOR_FEED, &vote(), LENGTH), refused(Refusal::NotForThisAccount));
        assert_ok!(validate(ONCOR_FEED, &registration(), LENGTH));
        assert_ok!(validate(ONCOR, &vote(), LENGTH));
    });
}

#[test]
fn suspended_organisations_may_only_vote() {
    build_and_execute(|| {
        assert_ok!(Participants::suspend(council(), id("oncor")));
        for who in [ONCOR, ONCOR_FEED, ONCOR_DELIVERY] {
            assert_eq!(validate(who, &statement(), LENGTH), refused(Refusal::Suspended));
            assert_eq!(validate(who, &registration(), LENGTH), refused(Refusal::Suspended));
        }
        assert_eq!(validate(ONCOR, &vote(), LENGTH), Ok(priority(CallClass::Council, WHOLE)));
        // Only who sits on the council, though.
        assert_eq!(validate(ONCOR_FEED, &vote(), LENGTH), refused(Refusal::Suspended));
        assert_ok!(Participants::suspend(council(), id("solar-helper")));
        assert_eq!(validate(VENDOR, &vote(), LENGTH), refused(Refusal::Suspended));
        assert_ok!(Participants::reinstate(council(), id("oncor")));
        assert_ok!(validate(ONCOR, &statement(), LENGTH));
    });
}

/// Votes have the highest priority and a part of the block of their own: they are not for everybody.
#[test]
fn only_the_council_sends_its_class() {
    build_and_execute(|| {
        for who in [ERCOT, ONCOR, REGULATOR] {
            assert_ok!(validate(who, &vote(), LENGTH));
        }
        for who in [VENDOR, CENTERPOINT] {
            assert_eq!(validate(who, &vote(), LENGTH), refused(Refusal::NotForThisAccount));
            assert!(send(who, vote(), LENGTH).is_err());
        }
        // A seat alone does not make a duty account or a customer speak for an organisation.
        Seats::set(vec![VENDOR, ONCOR_FEED, CUSTOMER, STRANGER]);
        assert_ok!(validate(VENDOR, &vote(), LENGTH));
        assert_eq!(validate(ONCOR_FEED, &vote(), LENGTH), refused(Refusal::NotForThisAccount));
        assert_eq!(validate(CUSTOMER, &vote(), LENGTH), refused(Refusal::NotForThisAccount));
        assert_eq!(validate(STRANGER, &vote(), LENGTH), refused(Refusal::UnknownAccount));
    });
}

#[test]
fn validation_reads_and_dispatch_consumes() {
    build_and_execute(|| {
        assert_storage_noop!(validate(VENDOR, &statement(), LENGTH).unwrap());
        assert_eq!(send(VENDOR, statement(), LENGTH), Ok(Ok(())));
        let once = time(&statement());
        assert!(once > 0);
        assert_eq!(Participants::budget_of(&VENDOR), Budget { period: 0, calls: 1, bytes: 150, ref_time: once });
        assert_eq!(send(VENDOR, statement(), 50), Ok(Ok(())));
        assert_eq!(Participants::budget_of(&VENDOR), Budget { period: 0, calls: 2, bytes: 200, ref_time: 2 * once });
    });
}

#[test]
fn a_failed_call_has_used_its_budget_too() {
    build_and_execute(|| {
        assert_eq!(send(VENDOR, failing(), LENGTH), Ok(Err(DispatchError::BadOrigin)));
        let ref_time = time(&failing());
        assert_eq!(Participants::budget_of(&VENDOR), Budget { period: 0, calls: 1, bytes: 150, ref_time });
    });
}

#[test]
fn a_refused_transaction_uses_nothing() {
    build_and_execute(|| {
        let set_code: RuntimeCall = frame_system::Call::<Test>::set_code { code: vec![] }.into();
        assert_storage_noop!(assert!(send(VENDOR, set_code, LENGTH).is_err()));
        assert_storage_noop!(assert!(send(STRANGER, statement(), LENGTH).is_err()));
    });
}

#[test]
fn each_kind_has_its_own_number_of_calls() {
    build_and_execute(|| {
        let allowances = TestAllowances::get();
        let kinds = [
            (ONCOR, allowances.member),
            (ONCOR_FEED, allowances.duty),
            (VENDOR, allowances.vendor),
            (CUSTOMER, allowances.customer),
        ];
        for (who, allowance) in kinds {
            for _ in 0..allowance.calls {
                assert_eq!(send(who, statement(), 1), Ok(Ok(())));
            }
            assert_eq!(validate(who, &statement(), 1), refused(Refusal::CallsUsedUp));
            assert!(send(who, statement(), 1).is_err());
            assert_eq!(Participants::budget_of(&who).calls, allowance.calls);
        }
    });
}

#[test]
fn bytes_are_counted_too() {
    build_and_execute(|| {
        assert_eq!(validate(CUSTOMER, &statement(), 2_001), refused(Refusal::BytesUsedUp));
        assert_eq!(send(CUSTOMER, statement(), 1_999), Ok(Ok(())));
        assert_eq!(validate(CUSTOMER, &statement(), 2), refused(Refusal::BytesUsedUp));
        assert_ok!(validate(CUSTOMER, &statement(), 1));
        assert_eq!(validate(CUSTOMER, &statement(), usize::MAX), refused(Refusal::BytesUsedUp));
    });
}

#[test]
fn declared_time_is_counted_too() {
    build_and_execute(|| {
        let once = time(&statement());
        let customer = Allowance { ref_time: 2 * once, ..ALLOWANCES.customer };
        TestAllowances::set(Allowances { customer, ..ALLOWANCES });
        assert_eq!(send(CUSTOMER, statement(), 1), Ok(Ok(())));
        assert_eq!(validate(CUSTOMER, &statement(), 1), Ok(priority(CallClass::Statement, WHOLE / 2)));
        assert_eq!(send(CUSTOMER, statement(), 1), Ok(Ok(())));
        assert_eq!(validate(CUSTOMER, &statement(), 1), refused(Refusal::TimeUsedUp));
        assert!(send(CUSTOMER, statement(), 1).is_err());
        System::set_block_number(10);
        assert_ok!(validate(CUSTOMER, &statement(), 1));
    });
}

#[test]
fn the_extensions_weight_counts_with_the_calls() {
    build_and_execute(|| {
        let call = statement();
        let extension_weight = Weight::from_parts(1_000_000, 0);
        let info = DispatchInfo { extension_weight, ..call.get_dispatch_info() };
        let sent = CheckParticipation::<Test>::new().dispatch_transaction(signed(VENDOR), call.clone(), &info, 1, 0);
        assert!(sent.is_ok());
        assert_eq!(Participants::budget_of(&VENDOR).ref_time, time(&call) + 1_000_000);
        let heavy = DispatchInfo { call_weight: Weight::MAX, extension_weight, ..info };
        let refusal = CheckParticipation::<Test>::new()
            .validate_only(signed(ONCOR), &call, &heavy, 1, External, 0)
            .map(|(valid, _, _)| valid.priority);
        assert_eq!(refusal, refused(Refusal::TimeUsedUp));
    });
}

#[test]
fn a_new_period_brings_a_new_budget() {
    build_and_execute(|| {
        for _ in 0..5 {
            assert_eq!(send(CUSTOMER, statement(), LENGTH), Ok(Ok(())));
        }
        System::set_block_number(9);
        assert_eq!(validate(CUSTOMER, &statement(), LENGTH), refused(Refusal::CallsUsedUp));
        System::set_block_number(10);
        assert_eq!(send(CUSTOMER, statement(), LENGTH), Ok(Ok(())));
        let ref_time = time(&statement());
        assert_eq!(Budgets::<Test>::get(CUSTOMER), Budget { period: 1, calls: 1, bytes: 150, ref_time });
    });
}

#[test]
fn whoever_floods_goes_last_in_its_class() {
    build_and_execute(|| {
        for _ in 0..10 {
            assert_eq!(send(VENDOR, statement(), 1), Ok(Ok(())));
        }
        let flooder = validate(VENDOR, &statement(), 1).unwrap();
        assert_eq!(flooder, priority(CallClass::Statement, WHOLE / 2));
        assert!(flooder < validate(CUSTOMER, &statement(), 1).unwrap());
        // Not before a lower class, though.
        assert!(flooder > validate(ONCOR, &registration(), 1).unwrap());
        assert!(validate(ONCOR, &vote(), 1).unwrap() > validate(CUSTOMER, &statement(), 1).unwrap());
    });
}

#[test]
fn it_carries_no_data_and_says_its_name() {
    let extension = CheckParticipation::<Test>::new();
    assert!(extension.encode().is_empty());
    assert_eq!(CheckParticipation::<Test>::decode(&mut &[][..]), Ok(extension));
    let metadata = <CheckParticipation<Test> as TransactionExtension<RuntimeCall>>::metadata();
    assert_eq!(metadata.len(), 1);
    assert_eq!(metadata[0].identifier, "CheckParticipation");
    assert_eq!(metadata[0].implicit, scale_info::meta_type::<()>());
}

#[test]
fn unsigned_transactions_are_not_let_in_by_it() {
    build_and_execute(|| {
        let call = statement();
        let info = call.get_dispatch_info();
        let none = CheckParticipation::<Test>::new()
            .validate_only(RuntimeOrigin::none(), &call, &info, LENGTH, External, 0)
            .map(|(valid, _, _)| valid.priority);
        assert_eq!(none, Err(TransactionValidityError::Invalid(InvalidTransaction::UnknownOrigin)));
        // Bare extrinsics are others' business.
        assert_ok!(<CheckParticipation<Test> as TransactionExtension<RuntimeCall>>::bare_validate(
            &call, &info, LENGTH
        ));
    });
}
