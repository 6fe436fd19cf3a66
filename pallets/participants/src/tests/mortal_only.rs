use crate::{mock::*, MortalOnly, Refusal, LONGEST_ERA};
use codec::{Decode, Encode};
use frame_support::dispatch::GetDispatchInfo;
use frame_system::{BlockHash, CheckMortality};
use sp_core::H256;
use sp_runtime::{
    generic::Era,
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionLongevity, TransactionSource::External, TransactionValidityError,
    },
};

fn validate(era: Era) -> Result<TransactionLongevity, TransactionValidityError> {
    let call: RuntimeCall = frame_system::Call::<Test>::remark { remark: vec![] }.into();
    MortalOnly::<Test>::from(era)
        .validate_only(signed(VENDOR), &call, &call.get_dispatch_info(), 0, External, 0)
        .map(|(valid, _, _)| valid.longevity)
}

fn refused(refusal: Refusal) -> Result<TransactionLongevity, TransactionValidityError> {
    Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(refusal.code())))
}

/// All blocks so far have a hash.
fn at_block(number: u64) {
    for earlier in 0..number {
        BlockHash::<Test>::insert(earlier, H256::repeat_byte(1));
    }
    System::set_block_number(number);
}

#[test]
fn mortal_transactions_pass_and_live_as_long_as_their_era() {
    build_and_execute(|| {
        at_block(17);
        assert_eq!(validate(Era::mortal(16, 16)), Ok(15));
        assert_eq!(validate(Era::mortal(4_096, 16)), Ok(4_095));
    });
}

#[test]
fn immortal_transactions_are_refused() {
    build_and_execute(|| {
        at_block(17);
        assert_eq!(validate(Era::Immortal), refused(Refusal::Immortal));
        // Even before the signature is looked at.
        let implicit = TransactionExtension::<RuntimeCall>::implicit(&MortalOnly::<Test>::from(Era::Immortal));
        assert_eq!(implicit, Err(Refusal::Immortal.into()));
    });
}

#[test]
fn overlong_eras_are_refused() {
    build_and_execute(|| {
        at_block(17);
        assert_eq!(LONGEST_ERA, 4_096);
        for period in [8_192, 16_384, 32_768, 65_536] {
            assert_eq!(validate(Era::mortal(period, 16)), refused(Refusal::EraTooLong));
        }
    });
}

#[test]
fn unknown_birth_blocks_are_refused_as_ever() {
    build_and_execute(|| {
        System::set_block_number(17);
        assert_eq!(validate(Era::mortal(16, 16)), Err(InvalidTransaction::AncientBirthBlock.into()));
    });
}

#[test]
fn clients_see_frame_systems_extension() {
    build_and_execute(|| {
        at_block(17);
        for era in [Era::Immortal, Era::mortal(64, 5), Era::mortal(4_096, 16), Era::mortal(65_536, 16)] {
            let (own, theirs) = (MortalOnly::<Test>::from(era), CheckMortality::<Test>::from(era));
            assert_eq!(own.encode(), theirs.encode());
            assert_eq!(MortalOnly::<Test>::decode(&mut &theirs.encode()[..]), Ok(own));
        }
        let own = <MortalOnly<Test> as TransactionExtension<RuntimeCall>>::metadata();
        let theirs = <CheckMortality<Test> as TransactionExtension<RuntimeCall>>::metadata();
        assert_eq!(own[0].identifier, theirs[0].identifier);
        assert_eq!((own[0].ty, own[0].implicit), (theirs[0].ty, theirs[0].implicit));
        let (own, theirs) = (Era::mortal(16, 16), Era::mortal(16, 16));
        let own = TransactionExtension::<RuntimeCall>::implicit(&MortalOnly::<Test>::from(own));
        let theirs = TransactionExtension::<RuntimeCall>::implicit(&CheckMortality::<Test>::from(theirs));
        assert_eq!(own, theirs);
        assert_eq!(own, Ok(H256::repeat_byte(1)));
    });
}
