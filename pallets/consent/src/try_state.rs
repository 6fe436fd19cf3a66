//! What must hold of the storage at the end of every block.

use crate::{
    Config, Consents, Deliveries, ExpiredThrough, ExpiringOn, LongestTerm, MeterKeyDeliveries, Pallet, StandingOf,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks the pallet's storage.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(LongestTerm::<T>::get() > 0, "the longest term is zero");
        Self::check_consents()?;
        Self::check_indexes()?;
        Self::check_deliveries()
    }

    fn check_consents() -> Result<(), TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        for (id, consent) in Consents::<T>::iter() {
            ensure!(consent.data.is_valid() && consent.access.is_valid(), "a consent has a range that ends too early");
            ensure!(consent.given_at <= now, "a consent was given in a block to come");
            let listed = StandingOf::<T>::get(consent.utility, consent.meter).contains(&id);
            let expiring = ExpiringOn::<T>::contains_key(consent.access.last, id);
            if let Some((_, block)) = consent.ended {
                ensure!(!listed && !expiring, "a consent that has ended is listed as standing");
                ensure!(consent.given_at <= block && block <= now, "a consent ended before it was given");
                continue;
            }
            ensure!(listed && expiring, "a standing consent is not listed");
            let meter =
                pallet_meters::Pallet::<T>::meter(&consent.utility, &consent.meter).ok_or("a consent has no meter")?;
            ensure!(meter.tenancy_end.is_none(), "a consent stands after its tenancy");
            let holds = meter.claim.is_some_and(|claim| claim.customer == consent.customer);
            ensure!(holds, "a consent stands whose customer does not hold the meter");
            ensure!(meter.channels.includes(consent.channels), "a consent has a channel that its meter lacks");
        }
        Ok(())
    }

    /// Each index has as many entries as there are standing consents; [`Self::check_consents`] has found each of those
    /// in both, so there are no others.
    fn check_indexes() -> Result<(), TryRuntimeError> {
        let standing = Consents::<T>::iter_values().filter(|consent| consent.ended.is_none()).count();
        let mut listed = 0usize;
        for ids in StandingOf::<T>::iter_values() {
            ensure!(!ids.is_empty(), "an empty list of standing consents is stored");
            listed = listed.saturating_add(ids.len());
        }
        ensure!(listed == standing, "a list of standing consents has an entry too many");
        let through = ExpiredThrough::<T>::get();
        let mut expiring = 0usize;
        for (day, _) in ExpiringOn::<T>::iter_keys() {
            ensure!(through.is_none_or(|through| through < day), "a consent stands after its day was done");
            expiring = expiring.saturating_add(1);
        }
        ensure!(expiring == standing, "the list of last access days has an entry too many");
        Ok(())
    }

    fn check_deliveries() -> Result<(), TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        for ((id, epoch, deliverer), slot) in Deliveries::<T>::iter() {
            let consent = Consents::<T>::get(id).ok_or("a delivery of an unknown consent")?;
            ensure!(slot.deliverer == deliverer, "a delivery stands under another deliverer");
            ensure!(consent.given_at <= slot.block && slot.block <= now, "a delivery before its consent");
            let then = pallet_meters::Pallet::<T>::epoch_at(&consent.utility, &consent.meter, slot.block);
            // The epoch may have risen later in the block of the delivery.
            let fits = then.is_some_and(|then| epoch == then || epoch.checked_add(1) == Some(then));
            ensure!(fits, "a delivery of an epoch that was not the present one");
        }
        for (utility, id, slot) in MeterKeyDeliveries::<T>::iter() {
            let claim = pallet_meters::Pallet::<T>::meter(&utility, &id).and_then(|meter| meter.claim);
            let since = claim.ok_or("a meter key was delivered to nobody")?.claimed_at;
            ensure!(since <= slot.block && slot.block <= now, "a meter key was delivered before the claim");
        }
        Ok(())
    }
}
