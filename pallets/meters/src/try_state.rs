//! What must hold of the storage at the end of every block.

use crate::{ClaimCount, ClaimedBy, Config, EpochStarts, Meters, Pallet, MAX_CLAIMS};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks the pallet's storage.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_meters()?;
        Self::check_epochs()?;
        Self::check_claims()
    }

    fn check_meters() -> Result<(), TryRuntimeError> {
        for (utility, id, meter) in Meters::<T>::iter() {
            let ordered = meter.tenancy_end.is_none_or(|end| meter.tenancy_start <= end);
            ensure!(ordered, "a tenancy ends before it begins");
            let since = EpochStarts::<T>::get((utility, id, meter.epoch));
            ensure!(since == Some(meter.epoch_since), "a meter's epoch began in another block than its list says");
            if let Some(claim) = meter.claim {
                ensure!(claim.ticket_issue <= meter.ticket_issue, "a claim is newer than the newest ticket");
                let listed = ClaimedBy::<T>::contains_key(&claim.customer, (utility, id));
                ensure!(listed, "a claimed meter is missing from its holder's list");
            }
        }
        Ok(())
    }

    fn check_epochs() -> Result<(), TryRuntimeError> {
        for ((utility, id, epoch), start) in EpochStarts::<T>::iter() {
            let meter = Meters::<T>::get(utility, id).ok_or("an epoch of an unknown meter")?;
            ensure!(epoch <= meter.epoch, "an epoch above the present one");
            if let Some(before) = epoch.checked_sub(1) {
                let earlier = EpochStarts::<T>::get((utility, id, before)).ok_or("an epoch is missing")?;
                ensure!(earlier < start, "two epochs of a meter in one block, or out of order");
            }
        }
        Ok(())
    }

    fn check_claims() -> Result<(), TryRuntimeError> {
        for (customer, (utility, id), ()) in ClaimedBy::<T>::iter() {
            let holder = Meters::<T>::get(utility, id).and_then(|meter| meter.claim).map(|claim| claim.customer);
            ensure!(holder.as_ref() == Some(&customer), "an account's list has a meter that another holds");
            ensure!(ClaimCount::<T>::contains_key(&customer), "an account with meters has no count");
            ensure!(frame_system::Pallet::<T>::providers(&customer) > 0, "a customer has no provider reference");
        }
        for (customer, count) in ClaimCount::<T>::iter() {
            let held = ClaimedBy::<T>::iter_key_prefix(&customer).count();
            ensure!(usize::try_from(count) == Ok(held), "an account's count of meters is wrong");
            ensure!(count > 0 && count <= MAX_CLAIMS, "an account's count of meters is out of bounds");
        }
        Ok(())
    }
}
