//! `CheckParticipation`: the gate of a chain without fees.

use crate::{
    access::{Classify, Part},
    budget,
    priority::{priority, CallClass},
    refusal::Refusal,
    weights::WeightInfo,
    CallOf, Config, Pallet,
};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    dispatch::DispatchInfo,
    traits::{Contains, Get},
    weights::Weight,
    DefaultNoBound,
};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, DispatchOriginOf, Dispatchable, Implication, TransactionExtension,
        ValidateResult,
    },
    transaction_validity::{TransactionPriority, TransactionSource, TransactionValidityError, ValidTransaction},
};

/// Lets a signed transaction pass only if its call is on the allow-list, its sender has a part in the consortium or
/// holds a meter, and the sender's budget has room for it; gives it its priority in the pool.
///
/// It carries no data of its own, so every client that knows standard extensions can sign (architecture.md, "Rules of the
/// chain"). Refusals: [`Refusal`]. Bare extrinsics (inherents, an authorised upgrade) are not its business.
#[derive(Encode, Decode, DecodeWithMemTracking, DefaultNoBound, Clone, Eq, PartialEq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct CheckParticipation<T>(PhantomData<T>);

impl<T> CheckParticipation<T> {
    /// The extension, for transactions that the node itself makes.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> core::fmt::Debug for CheckParticipation<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CheckParticipation")
    }
}

impl<T: Config> Pallet<T> {
    /// Whether the account may send an extrinsic of this length (bytes) and declared weight (call and extensions) with
    /// this call now, and its priority in the pool. Reads only.
    ///
    /// # Errors
    /// The [`Refusal`], cheapest checks first: call, account, standing, kind of account, budget.
    pub fn admission(
        who: &T::AccountId,
        call: &CallOf<T>,
        bytes: usize,
        weight: Weight,
    ) -> Result<TransactionPriority, Refusal> {
        let class = T::CallClass::classify(call).ok_or(Refusal::NotListed)?;
        let part = Self::part_of(who).ok_or(Refusal::UnknownAccount)?;
        Self::may_act(who, &part, class)?;
        let allowance = part.allowance(&T::Allowances::get());
        let unused = Self::budget_of(who).unused_if_fits(&allowance, budget::length(bytes), weight.ref_time())?;
        Ok(priority(class, unused))
    }

    /// Calls of the council's class go before all others and have a part of the block of their own (`Operational`):
    /// only who sits on the council may use it, also while suspended.
    fn may_act(who: &T::AccountId, part: &Part, class: CallClass) -> Result<(), Refusal> {
        let of_council = class == CallClass::Council;
        let seated = of_council && part.may_send(class) && T::Councillors::contains(who);
        if part.is_suspended() && !seated {
            return Err(Refusal::Suspended);
        }
        if !part.may_send(class) || (of_council && !seated) {
            return Err(Refusal::NotForThisAccount);
        }
        Ok(())
    }
}

impl<T: Config + Send + Sync> TransactionExtension<CallOf<T>> for CheckParticipation<T>
where
    CallOf<T>: Dispatchable<Info = DispatchInfo>,
    <CallOf<T> as Dispatchable>::RuntimeOrigin: AsSystemOriginSigner<T::AccountId> + Clone,
{
    const IDENTIFIER: &'static str = "CheckParticipation";
    type Implicit = ();
    /// Whose budget is charged; nobody's when the transaction is not signed.
    type Val = Option<T::AccountId>;
    type Pre = ();

    fn weight(&self, _: &CallOf<T>) -> Weight {
        T::WeightInfo::check_participation()
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, CallOf<T>> {
        let Some(who) = origin.as_system_origin_signer().cloned() else {
            return Ok((ValidTransaction::default(), None, origin));
        };
        let priority = Pallet::<T>::admission(&who, call, len, info.total_weight())?;
        Ok((ValidTransaction { priority, ..Default::default() }, Some(who), origin))
    }

    fn prepare(
        self,
        val: Self::Val,
        _origin: &DispatchOriginOf<CallOf<T>>,
        _call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        // These writes stay when the call fails: a failed call has cost the block as much.
        if let Some(who) = val {
            Pallet::<T>::charge(&who, budget::length(len), info.total_weight().ref_time());
        }
        Ok(())
    }
}
