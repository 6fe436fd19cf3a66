//! `NonceWindow`: `CheckNonce` with a cap on the transactions that one account has in flight.

use crate::{priority, refusal::Refusal, weights::WeightInfo, CallOf, Config, Pallet};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{dispatch::DispatchInfo, weights::Weight};
use frame_system::CheckNonce;
use scale_info::{Type, TypeInfo};
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, DispatchOriginOf, Dispatchable, Implication, PostDispatchInfoOf,
        SaturatedConversion, Saturating, TransactionExtension, ValidateResult,
    },
    transaction_validity::{TransactionSource, TransactionValidityError},
    DispatchResult,
};

/// `CheckNonce` of frame-system under the same name, encoding and type, which refuses a nonce that would be the account's
/// 17th in flight, a customer's fifth ([`Refusal::TooManyInFlight`]), and accounts without a part
/// ([`Refusal::UnknownAccount`], where `CheckNonce` alone would speak of payment). It gives the transaction the part of
/// its priority that comes from its place among the account's others ([`priority::place`]).
///
/// A wrapper, since an extension does not see its neighbours' fields. The pool has no limit per sender, and `validate`
/// sees the chain's state only: without the cap one account could fill the pool against a single unused budget, and
/// without the place the calls of one account could fill the blocks.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq)]
pub struct NonceWindow<T: frame_system::Config>(CheckNonce<T>);

impl<T: frame_system::Config> NonceWindow<T> {
    /// The extension, for transactions that the node itself makes.
    pub fn from(nonce: T::Nonce) -> Self {
        Self(CheckNonce::from(nonce))
    }
}

impl<T: Config> NonceWindow<T> {
    /// How many transactions of the account go before this one.
    fn ahead(&self, who: &T::AccountId) -> Result<u32, Refusal> {
        let part = Pallet::<T>::part_of(who).ok_or(Refusal::UnknownAccount)?;
        // A nonce below the next one is stale, which `CheckNonce` says better.
        let ahead = self.0 .0.saturating_sub(frame_system::Pallet::<T>::account_nonce(who));
        if ahead >= T::Nonce::from(part.in_flight()) {
            return Err(Refusal::TooManyInFlight);
        }
        Ok(ahead.saturated_into())
    }
}

impl<T: frame_system::Config> core::fmt::Debug for NonceWindow<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&self.0, f)
    }
}

/// In metadata it is frame-system's own type: clients see no difference.
impl<T: frame_system::Config> TypeInfo for NonceWindow<T> {
    type Identity = CheckNonce<T>;
    fn type_info() -> Type {
        CheckNonce::<T>::type_info()
    }
}

impl<T: Config + Send + Sync> TransactionExtension<CallOf<T>> for NonceWindow<T>
where
    CallOf<T>: Dispatchable<Info = DispatchInfo>,
    <CallOf<T> as Dispatchable>::RuntimeOrigin: AsSystemOriginSigner<T::AccountId> + Clone,
{
    const IDENTIFIER: &'static str = <CheckNonce<T> as TransactionExtension<CallOf<T>>>::IDENTIFIER;
    type Implicit = <CheckNonce<T> as TransactionExtension<CallOf<T>>>::Implicit;
    type Val = <CheckNonce<T> as TransactionExtension<CallOf<T>>>::Val;
    type Pre = <CheckNonce<T> as TransactionExtension<CallOf<T>>>::Pre;

    fn weight(&self, _: &CallOf<T>) -> Weight {
        <T as Config>::WeightInfo::nonce_window()
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
        let ahead = origin.as_system_origin_signer().map(|who| self.ahead(who)).transpose()?;
        let (mut valid, val, origin) =
            self.0.validate(origin, call, info, len, self_implicit, inherited_implication, source)?;
        valid.priority = valid.priority.saturating_add(ahead.map_or(0, priority::place));
        Ok((valid, val, origin))
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

    fn post_dispatch_details(
        pre: Self::Pre,
        info: &DispatchInfoOf<CallOf<T>>,
        post_info: &PostDispatchInfoOf<CallOf<T>>,
        len: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        <CheckNonce<T> as TransactionExtension<CallOf<T>>>::post_dispatch_details(pre, info, post_info, len, result)
    }
}
