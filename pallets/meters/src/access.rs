//! Who may do what with meters, and what other pallets ask.

use crate::{ClaimCount, Config, Error, Meters, Pallet};
use frame_support::weights::Weight;
use frame_system::{ensure_signed, pallet_prelude::*};
use pallet_participants::{Directory, IsCustomer};
use sealed_register::{Hash, MeterId, OrganisationId};
use sp_core::sr25519;
use sp_runtime::{
    traits::{SaturatedConversion, Zero},
    DispatchError,
};
use wattseal_primitives::{meters::Meter, organisations::Role, AccountId};

/// Told by this pallet when access that rests on a meter's holder ends. Implemented by pallet-consent.
pub trait TenancyEnded {
    /// The tenancy is over: every standing consent of the meter ends. Called after the meter shows the last day.
    fn tenancy_ended(utility: &OrganisationId, meter: &MeterId);

    /// The meter has a new claim: consents that another account than `holder` gave end, and the meter key that was
    /// delivered to the earlier claim's X-Wing key counts no more. Called after the meter shows the new claim.
    fn claim_replaced(utility: &OrganisationId, meter: &MeterId, holder: &AccountId);

    /// Most weight that either may take.
    fn weight() -> Weight;
}

/// Nobody is told.
impl TenancyEnded for () {
    fn tenancy_ended(_utility: &OrganisationId, _meter: &MeterId) {}

    fn claim_replaced(_utility: &OrganisationId, _meter: &MeterId, _holder: &AccountId) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

/// Whether `signature` is the sr25519 signature of `message` by the public key. Any bytes give an answer.
///
/// The key of zeros, which is the neutral point, signs nothing: its secret is zero, so everybody has it.
pub fn verify_sr25519(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    if *public == [0; 32] {
        return false;
    }
    let signature = sr25519::Signature::from_raw(*signature);
    sp_io::crypto::sr25519_verify(&signature, message, &sr25519::Public::from_raw(*public))
}

impl<T: Config> Pallet<T> {
    /// Genesis hash of the chain, as it stands in statements. frame-system never forgets it.
    pub fn genesis() -> Hash {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).0
    }

    /// Number of this block, as it stands in statements.
    pub fn now() -> u32 {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// One meter.
    pub fn meter(utility: &OrganisationId, meter: &MeterId) -> Option<Meter<AccountId, BlockNumberFor<T>>> {
        Meters::<T>::get(utility, meter)
    }

    /// Whether the account holds a meter, and so may send statements of its own.
    pub fn holds_a_meter(account: &AccountId) -> bool {
        ClaimCount::<T>::contains_key(account)
    }

    /// The utility for which the origin registers meters: its own account or its feed account signs.
    pub(crate) fn ensure_registrar(origin: OriginFor<T>) -> Result<OrganisationId, DispatchError> {
        let who = ensure_signed(origin)?;
        if let Some(utility) = T::Directory::utility_of_feed(&who) {
            return Ok(utility);
        }
        match T::Directory::organisation_of(&who) {
            Some((utility, Role::Utility)) => Ok(utility),
            _ => Err(Error::<T>::NotAuthorized.into()),
        }
    }

    /// Whether the account may carry signed statements to the chain: an admitted participant, its feed or delivery
    /// account, or a customer who holds a meter.
    pub fn may_relay(account: &AccountId) -> bool {
        T::Directory::relayer_is_admitted(account) || Self::holds_a_meter(account)
    }
}

impl<T: Config> IsCustomer<AccountId> for Pallet<T> {
    fn is_customer(who: &AccountId) -> bool {
        Self::holds_a_meter(who)
    }
}
