//! Who may do what: the questions that other pallets and the runtime ask, and the answers they give.

use crate::{
    budget::{Allowance, Allowances},
    priority::CallClass,
};
use frame_support::{dispatch::DispatchResult, weights::Weight};
use sealed_register::{OperatingDay, OrganisationId};
use wattseal_primitives::organisations::{Duty, KemKey, Role, Standing};

/// Most transactions of an organisation's or a duty account that may be in flight at once: the pool has no limit per
/// sender, and when it is full it evicts whoever came first (architecture.md, "Rules of the chain").
pub const IN_FLIGHT: u32 = 16;

/// Most transactions of a customer that may be in flight at once.
pub const CUSTOMER_IN_FLIGHT: u32 = 4;

/// What other pallets ask about accounts. Suspended organisations and their accounts are answered as unknown, except by
/// [`Directory::kem_key`].
pub trait Directory<AccountId> {
    /// The admitted organisation for which this account speaks, and its role.
    fn organisation_of(who: &AccountId) -> Option<(OrganisationId, Role)>;

    /// The admitted utility for which this account does a duty, and the duty.
    fn duty(who: &AccountId) -> Option<(OrganisationId, Duty)>;

    /// The role of an admitted organisation.
    fn role_of(organisation: &OrganisationId) -> Option<Role>;

    /// The X-Wing key of an organisation, whatever its standing; the caller compares [`KemKey::last_day`] with today.
    fn kem_key(organisation: &OrganisationId) -> Option<KemKey>;

    /// The admitted utility whose feed account this is.
    fn utility_of_feed(who: &AccountId) -> Option<OrganisationId> {
        match Self::duty(who) {
            Some((utility, Duty::Feed)) => Some(utility),
            _ => None,
        }
    }

    /// Whether this account speaks for an admitted vendor.
    fn is_admitted_vendor(who: &AccountId) -> bool {
        matches!(Self::organisation_of(who), Some((_, Role::Vendor)))
    }

    /// Whether this account may carry customers' statements to the chain: it speaks for an admitted organisation or does
    /// a duty for an admitted utility.
    fn relayer_is_admitted(who: &AccountId) -> bool {
        Self::organisation_of(who).is_some() || Self::duty(who).is_some()
    }

    /// Admits a utility, with its own account and the accounts of its duties, for the benchmarks of other pallets.
    #[cfg(feature = "runtime-benchmarks")]
    fn admit_utility(id: OrganisationId, own: &AccountId, feed: &AccountId, delivery: &AccountId);
}

/// The chain's calendar.
pub trait Today {
    /// The local day of the present block by Central Standard Time (`wattseal_primitives::central_day`).
    fn today() -> OperatingDay;

    /// Sets the clock to a day, for benchmarks.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_today(day: OperatingDay);
}

/// Who holds a meter.
pub trait IsCustomer<AccountId> {
    /// Whether this account holds at least one meter by a claim.
    fn is_customer(who: &AccountId) -> bool;
}

/// A chain without customers.
impl<AccountId> IsCustomer<AccountId> for () {
    fn is_customer(_: &AccountId) -> bool {
        false
    }
}

/// Told when another account takes the place of an organisation's: whatever the runtime has given to the account goes
/// over.
pub trait OnAccountChange<AccountId> {
    /// Called before this pallet writes anything down.
    ///
    /// # Errors
    /// The new account cannot take the place of the old one; then nothing has been written and nothing changes.
    fn changed(old: &AccountId, new: &AccountId) -> DispatchResult;

    /// Most weight that it may take.
    fn weight() -> Weight;
}

/// Nobody is told.
impl<AccountId> OnAccountChange<AccountId> for () {
    fn changed(_: &AccountId, _: &AccountId) -> DispatchResult {
        Ok(())
    }

    fn weight() -> Weight {
        Weight::zero()
    }
}

/// The allow-list: every call that a signed transaction may carry, and its class.
pub trait Classify<Call> {
    /// The call's class; `None`: no signed transaction may carry this call.
    fn classify(call: &Call) -> Option<CallClass>;
}

/// The part that an account has in the consortium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It speaks for an organisation.
    Organisation {
        /// The organisation.
        id: OrganisationId,
        /// What it is.
        role: Role,
        /// Whether it may act.
        standing: Standing,
    },
    /// It does one duty of a utility.
    Duty {
        /// The utility.
        utility: OrganisationId,
        /// The duty.
        duty: Duty,
        /// Whether the utility may act.
        standing: Standing,
    },
    /// It holds a meter.
    Customer,
}

impl Part {
    /// Whether the organisation behind the account is suspended.
    pub fn is_suspended(&self) -> bool {
        match self {
            Self::Organisation { standing, .. } | Self::Duty { standing, .. } => *standing == Standing::Suspended,
            Self::Customer => false,
        }
    }

    /// Most transactions of this account that may be in flight at once.
    pub fn in_flight(&self) -> u32 {
        match self {
            Self::Organisation { .. } | Self::Duty { .. } => IN_FLIGHT,
            Self::Customer => CUSTOMER_IN_FLIGHT,
        }
    }

    /// What the account may send in one budget period.
    pub fn allowance(&self, allowances: &Allowances) -> Allowance {
        match self {
            Self::Organisation { role: Role::Vendor, .. } => allowances.vendor,
            Self::Organisation { .. } => allowances.member,
            Self::Duty { .. } => allowances.duty,
            Self::Customer => allowances.customer,
        }
    }

    /// Whether an account of this kind may send calls of this class at all; the calls themselves check the rest. Votes
    /// need a seat on the council besides.
    pub fn may_send(&self, class: CallClass) -> bool {
        match self {
            Self::Organisation { .. } => true,
            Self::Duty { .. } => class != CallClass::Council,
            Self::Customer => class.is_open_to_customers(),
        }
    }
}
