//! What each call and each extension costs on its longest way. `scripts/weights` runs these.
//!
//! Text has its full length, accounts get their first provider reference, budgets are in use.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up should stop")]

use crate::*;
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    dispatch::{DispatchInfo, GetDispatchInfo, PostDispatchInfo},
    traits::{Contains, EnsureOrigin},
};
use frame_system::RawOrigin;
use sealed_register::OrganisationId;
use sp_runtime::{
    traits::{AsSystemOriginSigner, AsTransactionAuthorizedOrigin, DispatchTransaction, Dispatchable},
    BoundedVec,
};
use wattseal_primitives::organisations::{Duty, Role, Standing, Text, KEM_PUBLIC_BYTES};

fn id(name: &str) -> OrganisationId {
    OrganisationId::new(name).expect("short names of the benchmarks are valid")
}

/// Text of as many bytes as fit.
fn longest<const N: u32>(begin: &[u8]) -> Text<N> {
    let mut bytes = begin.to_vec();
    bytes.resize(N as usize, b'x');
    bytes.try_into().expect("it has exactly the greatest length")
}

/// Admits an organisation with long texts whose account has used some of its budget.
fn organisation<T: Config>(name: &str, role: Role) -> (OrganisationId, T::AccountId) {
    let id = id(name);
    let speaker: T::AccountId = account("organisation", 0, role as u32);
    Pallet::<T>::seat(id, role, longest(b""), speaker.clone(), longest(b"wss://")).expect("nobody else has the name");
    Pallet::<T>::charge(&speaker, 1, 1);
    (id, speaker)
}

/// A utility, its delivery account, and the utility's own account.
fn utility<T: Config>() -> (OrganisationId, T::AccountId, T::AccountId) {
    let (id, own) = organisation::<T>("utility-of-texas", Role::Utility);
    let delivery: T::AccountId = account("delivery", 0, 0);
    Pallet::<T>::appoint(id, Duty::Delivery, delivery.clone()).expect("the account has no part yet");
    Pallet::<T>::charge(&delivery, 1, 1);
    (id, delivery, own)
}

/// An account without a part that has used some of a budget, as a customer's.
fn newcomer<T: Config>() -> T::AccountId {
    let who: T::AccountId = account("newcomer", 0, 0);
    Pallet::<T>::charge(&who, 1, 1);
    who
}

fn council<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

#[benchmarks(where
    T: Send + Sync,
    CallOf<T>: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo> + From<Call<T>>,
    <CallOf<T> as Dispatchable>::RuntimeOrigin:
        AsSystemOriginSigner<T::AccountId> + AsTransactionAuthorizedOrigin + Clone,
)]
mod benchmarks {
    use super::*;

    /// By the grid operator, whose part is looked up besides.
    #[benchmark]
    fn admit() {
        let (_, operator) = organisation::<T>("grid-operator-tx", Role::GridOperator);
        let vendor = id("vendor-of-houses");
        let who: T::AccountId = account("vendor", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(operator), vendor, Role::Vendor, longest(b""), who.clone(), longest(b"wss://"));

        assert_eq!(OrganisationOf::<T>::get(who), Some(vendor));
    }

    #[benchmark]
    fn set_kem_key() {
        let (id, own) = organisation::<T>("vendor-of-houses", Role::Vendor);
        let key = BoundedVec::try_from(vec![7; KEM_PUBLIC_BYTES as usize]).expect("it has exactly this length");

        #[extrinsic_call]
        _(RawOrigin::Signed(own), key);

        assert!(KemKeys::<T>::contains_key(id));
    }

    #[benchmark]
    fn set_endpoint() {
        let (id, own) = organisation::<T>("vendor-of-houses", Role::Vendor);
        let endpoint: Text<128> = longest(b"https://");

        #[extrinsic_call]
        _(RawOrigin::Signed(own), endpoint.clone());

        assert_eq!(Organisations::<T>::get(id).map(|organisation| organisation.endpoint), Some(endpoint));
    }

    /// Without the runtime's hook beyond its look at the seats.
    #[benchmark]
    fn rotate_account() {
        let (id, own) = organisation::<T>("vendor-of-houses", Role::Vendor);
        let new = newcomer::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(own), new.clone());

        assert_eq!(OrganisationOf::<T>::get(new), Some(id));
    }

    /// Another account had the duty.
    #[benchmark]
    fn set_duty_account() {
        let (id, _, own) = utility::<T>();
        let new = newcomer::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(own), Duty::Delivery, new.clone());

        assert_eq!(DutyOf::<T>::get(id, Duty::Delivery), Some(new));
    }

    /// Without the enacted call, which is the emptiest here.
    #[benchmark]
    fn enact() -> Result<(), BenchmarkError> {
        let origin = council::<T>()?;
        let call: CallOf<T> = frame_system::Call::<T>::remark { remark: Vec::new() }.into();

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Box::new(call.into()));

        Ok(())
    }

    #[benchmark]
    fn suspend() -> Result<(), BenchmarkError> {
        let (id, _) = organisation::<T>("vendor-of-houses", Role::Vendor);
        let origin = council::<T>()?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, id);

        assert_eq!(Organisations::<T>::get(id).map(|organisation| organisation.standing), Some(Standing::Suspended));
        Ok(())
    }

    #[benchmark]
    fn reinstate() -> Result<(), BenchmarkError> {
        let (id, _) = organisation::<T>("vendor-of-houses", Role::Vendor);
        Pallet::<T>::set_standing(id, Standing::Suspended)?;
        let origin = council::<T>()?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, id);

        assert_eq!(Organisations::<T>::get(id).map(|organisation| organisation.standing), Some(Standing::Admitted));
        Ok(())
    }

    /// As [`rotate_account`].
    #[benchmark]
    fn replace_account() -> Result<(), BenchmarkError> {
        let (id, _) = organisation::<T>("vendor-of-houses", Role::Vendor);
        let new = newcomer::<T>();
        let origin = council::<T>()?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, id, new.clone());

        assert_eq!(OrganisationOf::<T>::get(new), Some(id));
        Ok(())
    }

    /// A duty account's part takes most reads. The council's seats are looked up besides, which only its own class needs:
    /// more than any one transaction does.
    #[benchmark]
    fn check_participation() -> Result<(), BenchmarkError> {
        let (_, who, _) = utility::<T>();
        let call: CallOf<T> = Call::<T>::set_endpoint { endpoint: longest(b"wss://") }.into();
        let info = call.get_dispatch_info();
        let used = Pallet::<T>::budget_of(&who).calls;

        #[block]
        {
            assert!(!T::Councillors::contains(&who));
            CheckParticipation::<T>::new()
                .test_run(RawOrigin::Signed(who.clone()).into(), &call, &info, 1_000, 0, |_| Ok(().into()))
                .map_err(|_| "a duty account may send this")?
                .map_err(|_| "nothing is dispatched")?;
        }

        assert_eq!(Pallet::<T>::budget_of(&who).calls, used + 1);
        Ok(())
    }

    /// With the `CheckNonce` in it.
    #[benchmark]
    fn nonce_window() -> Result<(), BenchmarkError> {
        let (_, who, _) = utility::<T>();
        let call: CallOf<T> = frame_system::Call::<T>::remark { remark: Vec::new() }.into();
        let info = call.get_dispatch_info();
        let nonce = frame_system::Pallet::<T>::account_nonce(&who);

        #[block]
        {
            NonceWindow::<T>::from(nonce)
                .test_run(RawOrigin::Signed(who.clone()).into(), &call, &info, 1_000, 0, |_| Ok(().into()))
                .map_err(|_| "it is the next nonce")?
                .map_err(|_| "nothing is dispatched")?;
        }

        assert!(frame_system::Pallet::<T>::account_nonce(&who) > nonce);
        Ok(())
    }
}
