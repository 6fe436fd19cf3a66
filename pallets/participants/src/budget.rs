//! Budgets: what an account may send in one period, in place of fees.
//!
//! An extrinsic costs its sender one call, its encoded length and the time that its declared weight stands for (that of
//! the call and of the extensions). `validate` only reads, `prepare` consumes, nothing is given back: a failing call
//! has used the block's room too, and what a call declares keeps others out of the block until it has run
//! (architecture.md, "Rules of the chain").

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
    /// The time of their declared weights, picoseconds.
    pub ref_time: u64,
}

/// What an account may send in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Allowance {
    /// Extrinsics.
    pub calls: u32,
    /// Their encoded length, bytes.
    pub bytes: u32,
    /// The time of their declared weights, picoseconds.
    pub ref_time: u64,
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
/// Members and duty accounts: 4,000 calls, 128 MiB, 15 s (a tenth of the 150 s that 300 blocks of half a second have; a
/// feed account registers some 110,000 meters in it). Vendors: 600 calls, 8 MiB, 3 s. Customers: 20 calls, 2 MiB (a
/// delivery has up to 128 KiB), 0.3 s (a claim, the longest that a customer may send, declares 5 ms).
pub struct StandardAllowances;

impl Get<Allowances> for StandardAllowances {
    fn get() -> Allowances {
        const MIB: u32 = 1024 * 1024;
        const MILLISECOND: u64 = 1_000_000_000;
        Allowances {
            member: Allowance { calls: 4_000, bytes: 128 * MIB, ref_time: 15_000 * MILLISECOND },
            vendor: Allowance { calls: 600, bytes: 8 * MIB, ref_time: 3_000 * MILLISECOND },
            duty: Allowance { calls: 4_000, bytes: 128 * MIB, ref_time: 15_000 * MILLISECOND },
            customer: Allowance { calls: 20, bytes: 2 * MIB, ref_time: 300 * MILLISECOND },
        }
    }
}

impl Budget {
    /// The figures that count in this period: nothing is carried over from an earlier one.
    pub fn in_period(self, period: u32) -> Self {
        if self.period == period {
            self
        } else {
            Self { period, ..Self::default() }
        }
    }

    /// These figures and one more extrinsic of this length (bytes) and declared time (picoseconds).
    pub fn with(self, bytes: u32, ref_time: u64) -> Self {
        self.joined(Self { period: self.period, calls: 1, bytes, ref_time })
    }

    /// Both accounts' figures of the same period as one account's.
    fn joined(self, other: Self) -> Self {
        Self {
            period: self.period,
            calls: self.calls.saturating_add(other.calls),
            bytes: self.bytes.saturating_add(other.bytes),
            ref_time: self.ref_time.saturating_add(other.ref_time),
        }
    }

    /// Whether one more extrinsic of this length (bytes) and declared time (picoseconds) fits, and if so the share of
    /// the allowance that is unused before it (of calls, bytes or time, whichever is smallest), in parts per million.
    ///
    /// # Errors
    /// [`Refusal::CallsUsedUp`], [`Refusal::BytesUsedUp`] or [`Refusal::TimeUsedUp`].
    pub fn unused_if_fits(&self, allowance: &Allowance, bytes: u32, ref_time: u64) -> Result<u32, Refusal> {
        let after = self.with(bytes, ref_time);
        if after.calls > allowance.calls {
            return Err(Refusal::CallsUsedUp);
        }
        if after.bytes > allowance.bytes {
            return Err(Refusal::BytesUsedUp);
        }
        if after.ref_time > allowance.ref_time {
            return Err(Refusal::TimeUsedUp);
        }
        let share = |used: u64, of: u64| {
            let unused = u128::from(of.saturating_sub(used)) * u128::from(WHOLE);
            u32::try_from(unused.checked_div(u128::from(of)).unwrap_or(0)).unwrap_or(WHOLE)
        };
        Ok(share(self.calls.into(), allowance.calls.into())
            .min(share(self.bytes.into(), allowance.bytes.into()))
            .min(share(self.ref_time, allowance.ref_time)))
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

    /// Counts one extrinsic of this length (bytes) and declared time (picoseconds) against the account's budget.
    pub(crate) fn charge(who: &T::AccountId, bytes: u32, ref_time: u64) {
        Budgets::<T>::insert(who, Self::budget_of(who).with(bytes, ref_time));
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

    const ALLOWANCE: Allowance = Allowance { calls: 4, bytes: 1_000, ref_time: 10_000_000_000_000 };
    const QUARTER: u64 = ALLOWANCE.ref_time / 4;

    #[test]
    fn a_fresh_budget_is_whole_and_an_old_period_counts_for_nothing() {
        let used = Budget { period: 7, calls: 4, bytes: 1_000, ref_time: ALLOWANCE.ref_time };
        assert_eq!(used.in_period(7).unused_if_fits(&ALLOWANCE, 1, 1), Err(Refusal::CallsUsedUp));
        assert_eq!(used.in_period(8).unused_if_fits(&ALLOWANCE, 1_000, ALLOWANCE.ref_time), Ok(WHOLE));
    }

    #[test]
    fn the_last_call_the_last_byte_and_the_last_time_fit() {
        let used = Budget { period: 0, calls: 3, bytes: 900, ref_time: 3 * QUARTER };
        assert_eq!(used.unused_if_fits(&ALLOWANCE, 100, QUARTER), Ok(100_000));
        assert_eq!(used.unused_if_fits(&ALLOWANCE, 101, QUARTER), Err(Refusal::BytesUsedUp));
        assert_eq!(used.unused_if_fits(&ALLOWANCE, 100, QUARTER + 1), Err(Refusal::TimeUsedUp));
        assert_eq!(used.with(1, 1).unused_if_fits(&ALLOWANCE, 1, 1), Err(Refusal::CallsUsedUp));
    }

    #[test]
    fn the_smallest_share_counts() {
        let used =
            |calls, bytes, ref_time| Budget { period: 0, calls, bytes, ref_time }.unused_if_fits(&ALLOWANCE, 0, 0);
        assert_eq!(used(2, 100, QUARTER), Ok(500_000));
        assert_eq!(used(1, 700, QUARTER), Ok(300_000));
        assert_eq!(used(1, 100, 3 * QUARTER), Ok(250_000));
    }

    #[test]
    fn nothing_fits_an_empty_allowance() {
        let none = Allowance { calls: 0, bytes: 0, ref_time: 0 };
        assert_eq!(Budget::default().unused_if_fits(&none, 0, 0), Err(Refusal::CallsUsedUp));
        let no_bytes = Allowance { calls: 1, bytes: 0, ref_time: 1 };
        assert_eq!(Budget::default().unused_if_fits(&no_bytes, 0, 0), Ok(0));
        let no_time = Allowance { calls: 1, bytes: 1, ref_time: 0 };
        assert_eq!(Budget::default().unused_if_fits(&no_time, 1, 1), Err(Refusal::TimeUsedUp));
    }

    proptest! {
        /// However extrinsics come, no more of them pass than the allowance has, and the share never rises.
        #[test]
        fn an_allowance_is_never_exceeded(
            extrinsics in prop::collection::vec((0u32..400, 0..ALLOWANCE.ref_time / 2), 0..40),
        ) {
            let mut budget = Budget::default();
            let mut last = WHOLE;
            for (bytes, ref_time) in extrinsics {
                if let Ok(unused) = budget.unused_if_fits(&ALLOWANCE, bytes, ref_time) {
                    prop_assert!(unused <= last);
                    last = unused;
                    budget = budget.with(bytes, ref_time);
                }
                prop_assert!(budget.calls <= ALLOWANCE.calls && budget.bytes <= ALLOWANCE.bytes);
                prop_assert!(budget.ref_time <= ALLOWANCE.ref_time);
            }
        }

        /// Figures at the ends of their ranges do not overflow.
        #[test]
        fn figures_saturate(
            (calls, bytes, ref_time) in any::<(u32, u32, u64)>(),
            (more_bytes, more_time) in any::<(u32, u64)>(),
            (of_calls, of_bytes, of_time) in any::<(u32, u32, u64)>(),
        ) {
            let budget = Budget { period: 0, calls, bytes, ref_time };
            let allowance = Allowance { calls: of_calls, bytes: of_bytes, ref_time: of_time };
            if let Ok(unused) = budget.unused_if_fits(&allowance, more_bytes, more_time) {
                prop_assert!(unused <= WHOLE);
            }
            prop_assert!(budget.joined(budget).calls >= calls && budget.joined(budget).ref_time >= ref_time);
        }
    }
}
