//! `MortalOnly`: `CheckMortality` without immortal and without overlong transactions.

use crate::{refusal::Refusal, CallOf};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::weights::Weight;
use frame_system::{CheckMortality, Config};
use scale_info::{Type, TypeInfo};
use sp_runtime::{
    generic::Era,
    traits::{DispatchInfoOf, DispatchOriginOf, Implication, TransactionExtension, ValidateResult},
    transaction_validity::{TransactionSource, TransactionValidityError},
};
use wattseal_primitives::BLOCK_HASH_COUNT;

/// Longest era, blocks: as long as the chain remembers block hashes.
pub const LONGEST_ERA: u64 = BLOCK_HASH_COUNT as u64;

/// `CheckMortality` of frame-system under the same name, encoding and type, which refuses immortal transactions
/// ([`Refusal::Immortal`]) and eras of more than [`LONGEST_ERA`] blocks ([`Refusal::EraTooLong`]).
///
/// A wrapper, since an extension does not see its neighbours' fields. With mortal transactions alone nothing signed
/// today can turn up years later.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq)]
pub struct MortalOnly<T: Config + Send + Sync>(CheckMortality<T>);

impl<T: Config + Send + Sync> MortalOnly<T> {
    /// The extension, for transactions that the node itself makes.
    pub fn from(era: Era) -> Self {
        Self(CheckMortality::from(era))
    }

    fn check(&self) -> Result<(), Refusal> {
        match self.0 .0 {
            Era::Immortal => Err(Refusal::Immortal),
            Era::Mortal(period, _) if period > LONGEST_ERA => Err(Refusal::EraTooLong),
            Era::Mortal(..) => Ok(()),
        }
    }
}

impl<T: Config + Send + Sync> core::fmt::Debug for MortalOnly<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&self.0, f)
    }
}

/// In metadata it is frame-system's own type: clients see no difference.
impl<T: Config + Send + Sync> TypeInfo for MortalOnly<T> {
    type Identity = CheckMortality<T>;
    fn type_info() -> Type {
        CheckMortality::<T>::type_info()
    }
}

impl<T: Config + Send + Sync> TransactionExtension<CallOf<T>> for MortalOnly<T> {
    const IDENTIFIER: &'static str = <CheckMortality<T> as TransactionExtension<CallOf<T>>>::IDENTIFIER;
    type Implicit = <CheckMortality<T> as TransactionExtension<CallOf<T>>>::Implicit;
    type Val = <CheckMortality<T> as TransactionExtension<CallOf<T>>>::Val;
    type Pre = <CheckMortality<T> as TransactionExtension<CallOf<T>>>::Pre;

    fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
        // Before the signature is checked: whoever forgot the era learns that, not that a hash is unknown.
        self.check()?;
        <CheckMortality<T> as TransactionExtension<CallOf<T>>>::implicit(&self.0)
    }

    fn weight(&self, call: &CallOf<T>) -> Weight {
        self.0.weight(call)
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
        self_implicit: Self::Implicit,
        inherited_implication: &impl Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, CallOf<T>> {
        self.check()?;
        self.0.validate(origin, call, info, len, self_implicit, inherited_implication, source)
    }

    fn prepare(
        self,
        val: Self::Val,
        origin: &DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        self.0.prepare(val, origin, call, info, len)
    }
}
