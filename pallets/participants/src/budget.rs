//! Budgets: what an account may send in one period, in place of fees.
//!
//! An extrinsic costs its sender one call and its encoded length. `validate` only reads, `prepare` consumes, nothing is
//! given back: a failing call has used the block's room too (architecture.md, "Rules of the chain").

use crate::{priority::WHOLE, refusal::Refusal, Budgets, Config, Pallet};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::Get;
use scale_info::TypeInfo;
use sp_runtime::traits::{CheckedDiv, SaturatedConversion};

/// What an account has used of its budget.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Budget {
    /// Number of the period (block number divided by the length of a period) to which the figures belong.
    pub period: u32,
    /// Extrinsics sent in it.
    pub calls: u32,
    /// Their encoded length, bytes.
    pub bytes: u32,
}

/// What an account may send in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Allowance {
    /// Extrinsics.
    pub calls: u32,
    /// Their encoded length, bytes.
    pub bytes: u32,
}

/// What accounts of each kind may send in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Allowances {
    /// Accounts of organisations other than vendors.
    pub member: Allowance,
    /// Accounts of vendors.
    pub vendor: Allowance,
    /// Accounts that do a utility's duties.
    pub duty: Allowance,
    /// Customers with a claimed meter.
    pub customer: Allowance,
}

/// The allowances of a production chain, for a period of 300 blocks (ten minutes).
///
/// Members and duty accounts: 4,000 calls, 128 MiB (one utility that registers a million meters in entries of 70 bytes
/// needs 67 MiB). Vendors: 600 calls, 8 MiB. Customers: 20 calls, 2 MiB (a delivery has up to 128 KiB).
pub struct StandardAllowances;

impl Get<Allowances> for StandardAllowances {
    fn get() -> Allowances {
        const MIB: u32 = 1024 * 1024;
        Allowances {
            member: Allowance { calls: 4_000, bytes: 128 * MIB },
            vendor: Allowance { calls: 600, bytes: 8 * MIB },
            duty: Allowance { calls: 4_000, bytes: 128 * MIB },
            customer: Allowance { calls: 20, bytes: 2 * MIB },
        }
    }
}

impl Budget {
    /// The figures that count in this period: nothing is carried over from an earlier one.
    pub fn in_period(self, period: u32) -> Self {
        if self.period == period {
            self
        } else {
            Self { period, calls: 0, bytes: 0 }
        }
    }

    /// These figures and one more extrinsic of this length (bytes).
    pub fn with(self, bytes: u32) -> Self {
        Self { calls: self.calls.saturating_add(1), bytes: self.bytes.saturating_add(bytes), ..self }
    }

    /// Both accounts' figures of the same period as one account's.
    fn joined(self, other: Self) -> Self {
        Self { calls: self.calls.saturating_add(other.calls), bytes: self.bytes.saturating_add(other.bytes), ..self }
    }

    /// Whether one more extrinsic of this length (bytes) fits, and if so the share of the allowance that is unused before
    /// it (of calls or of bytes, whichever is smaller), in parts per million.
    ///
    /// # Errors
    /// [`Refusal::CallsUsedUp`] or [`Refusal::BytesUsedUp`].
    pub fn unused_if_fits(&self, allowance: &Allowance, bytes: u32) -> Result<u32, Refusal> {
        let after = self.with(bytes);
        if after.calls > allowance.calls {
            return Err(Refusal::CallsUsedUp);
        }
        if after.bytes > allowance.bytes {
            return Err(Refusal::BytesUsedUp);
        }
        let share = |used: u32, of: u32| {
            let unused = u64::from(of.saturating_sub(used)) * u64::from(WHOLE);
            u32::try_from(unused.checked_div(u64::from(of)).unwrap_or(0)).unwrap_or(WHOLE)
        };
        Ok(share(self.calls, allowance.calls).min(share(self.bytes, allowance.bytes)))
    }
}

/// Length of an extrinsic as budgets count it.
pub(crate) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl<T: Config> Pallet<T> {
    /// Number of the present budget period.
    pub fn budget_period() -> u32 {
        frame_system::Pallet::<T>::block_number()
            .checked_div(&T::BudgetPeriod::get())
            .map_or(0, |period| period.saturated_into())
    }

    /// What the account has used in the present period.
    pub fn budget_of(who: &T::AccountId) -> Budget {
        Budgets::<T>::get(who).in_period(Self::budget_period())
    }

    /// Counts one extrinsic of this length (bytes) against the account's budget.
    pub(crate) fn charge(who: &T::AccountId, bytes: u32) {
        Budgets::<T>::insert(who, Self::budget_of(who).with(bytes));
    }

    /// Moves what an account has used to the account that takes its place: a change of accounts refills no budget.
    pub(crate) fn hand_over_budget(from: &T::AccountId, to: &T::AccountId) {
        let used = Self::budget_of(from).joined(Self::budget_of(to));
        Budgets::<T>::remove(from);
        Budgets::<T>::insert(to, used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALLOWANCE: Allowance = Allowance { calls: 4, bytes: 1_000 };

    #[test]
    fn a_fresh_budget_is_whole_and_an_old_period_counts_for_nothing() {
        let used = Budget { period: 7, calls: 4, bytes: 1_000 };
        assert_eq!(used.in_period(7).unused_if_fits(&ALLOWANCE, 1), Err(Refusal::CallsUsedUp));
        assert_eq!(used.in_period(8).unused_if_fits(&ALLOWANCE, 1_000), Ok(WHOLE));
    }

    #[test]
    fn the_last_call_and_the_last_byte_fit() {
        let used = Budget { period: 0, calls: 3, bytes: 900 };
        assert_eq!(used.unused_if_fits(&ALLOWANCE, 100), Ok(100_000));
        assert_eq!(used.unused_if_fits(&ALLOWANCE, 101), Err(Refusal::BytesUsedUp));
        assert_eq!(used.with(1).unused_if_fits(&ALLOWANCE, 1), Err(Refusal::CallsUsedUp));
    }

    #[test]
    fn nothing_fits_an_empty_allowance() {
        let none = Allowance { calls: 0, bytes: 0 };
        assert_eq!(Budget::default().unused_if_fits(&none, 0), Err(Refusal::CallsUsedUp));
        let no_bytes = Allowance { calls: 1, bytes: 0 };
        assert_eq!(Budget::default().unused_if_fits(&no_bytes, 0), Ok(0));
    }

    proptest! {
        /// However extrinsics come, no more of them pass than the allowance has, and the share never rises.
        #[test]
        fn an_allowance_is_never_exceeded(lengths in prop::collection::vec(0u32..400, 0..40)) {
            let mut budget = Budget::default();
            let mut last = WHOLE;
            for bytes in lengths {
                if let Ok(unused) = budget.unused_if_fits(&ALLOWANCE, bytes) {
                    prop_assert!(unused <= last);
                    last = unused;
                    budget = budget.with(bytes);
                }
                prop_assert!(budget.calls <= ALLOWANCE.calls && budget.bytes <= ALLOWANCE.bytes);
            }
        }

        /// Figures at the ends of their ranges do not overflow.
        #[test]
        fn figures_saturate(calls: u32, bytes: u32, more: u32, of_calls: u32, of_bytes: u32) {
            let budget = Budget { period: 0, calls, bytes };
            let allowance = Allowance { calls: of_calls, bytes: of_bytes };
            if let Ok(unused) = budget.unused_if_fits(&allowance, more) {
                prop_assert!(unused <= WHOLE);
            }
            prop_assert!(budget.joined(budget).calls >= calls);
        }
    }
}
