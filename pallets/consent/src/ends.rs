//! How consents end: by the vendor, by time, with the tenancy. Every end raises the meter's key epoch in its block.

use crate::{
    Config, ConsentOf, Consents, Error, Event, ExpiredThrough, ExpiringOn, MeterKeyDeliveries, Pallet, StandingOf,
    WeightInfo, DAYS_PER_BLOCK, EXPIRATIONS_PER_BLOCK, MAX_STANDING,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure, weights::Weight};
use pallet_meters::TenancyEnded;
use pallet_participants::{Directory, Today};
use sealed_register::{grantee::is_grantee, MeterId, OperatingDay, OrganisationId};
use wattseal_primitives::{
    consent::{ConsentEnd, ConsentId},
    AccountId,
};

impl<T: Config> Pallet<T> {
    /// Ends a standing consent.
    pub(crate) fn end(id: &ConsentId, mut consent: ConsentOf<T>, why: ConsentEnd) {
        let (utility, meter) = (consent.utility, consent.meter);
        ExpiringOn::<T>::remove(consent.access.last, id);
        StandingOf::<T>::mutate_exists(utility, meter, |standing| {
            if let Some(ids) = standing {
                ids.retain(|other| other != id);
            }
            if standing.as_ref().is_some_and(|ids| ids.is_empty()) {
                *standing = None;
            }
        });
        consent.ended = Some((why, frame_system::Pallet::<T>::block_number()));
        Consents::<T>::insert(id, consent);
        Self::deposit_event(Event::ConsentEnded { consent: *id, utility, meter, why });
        pallet_meters::Pallet::<T>::raise_epoch(&utility, &meter);
    }

    pub(crate) fn do_give_back(who: &AccountId, id: ConsentId, secret: &[u8; 32]) -> DispatchResult {
        let consent = Self::standing(&id)?;
        let (vendor, _) = T::Directory::organisation_of(who).ok_or(Error::<T>::NotTheGrantee)?;
        ensure!(is_grantee(&consent.grantee, &vendor, secret), Error::<T>::NotTheGrantee);
        Self::end(&id, consent, ConsentEnd::GivenBack);
        Ok(())
    }

    pub(crate) fn do_expire(id: ConsentId) -> DispatchResult {
        let consent = Self::standing(&id)?;
        ensure!(T::Clock::today() > consent.access.last, Error::<T>::NotExpired);
        Self::end(&id, consent, ConsentEnd::Expired);
        Ok(())
    }

    /// Ends the oldest of those consents whose last access day has passed, a bounded number in each block.
    ///
    /// The clock is that of the parent block: the timestamp of this one is not yet set.
    pub(crate) fn end_expired() -> Weight {
        let today = T::Clock::today();
        let Some(yesterday) = today.0.checked_sub(1) else {
            // No block has had a timestamp yet.
            return <T as Config>::WeightInfo::end_expired(0, 0);
        };
        let Some(OperatingDay(done)) = ExpiredThrough::<T>::get() else {
            // No consent was ever given with an earlier last day than the clock's.
            ExpiredThrough::<T>::put(OperatingDay(yesterday));
            return <T as Config>::WeightInfo::end_expired(0, 0);
        };
        let (mut through, mut days, mut ended) = (done, 0u32, 0u32);
        while through < yesterday && days < DAYS_PER_BLOCK {
            let day = OperatingDay(through.saturating_add(1));
            days = days.saturating_add(1);
            let left = EXPIRATIONS_PER_BLOCK.saturating_sub(ended);
            // One more than may end, to see whether the day is done with these.
            let ids: Vec<ConsentId> = ExpiringOn::<T>::iter_key_prefix(day).take(left as usize + 1).collect();
            for id in ids.iter().take(left as usize) {
                if let Ok(consent) = Self::standing(id) {
                    Self::end(id, consent, ConsentEnd::Expired);
                }
                ended = ended.saturating_add(1);
            }
            if ids.len() > left as usize {
                break;
            }
            through = day.0;
        }
        if through != done {
            ExpiredThrough::<T>::put(OperatingDay(through));
        }
        <T as Config>::WeightInfo::end_expired(days, ended)
    }

    /// Ends those standing consents of a meter that `ends` names.
    fn end_all(utility: &OrganisationId, meter: &MeterId, why: ConsentEnd, ends: impl Fn(&ConsentOf<T>) -> bool) {
        for id in StandingOf::<T>::get(utility, meter) {
            if let Some(consent) = Consents::<T>::get(id).filter(|consent| ends(consent)) {
                Self::end(&id, consent, why);
            }
        }
    }
}

impl<T: Config> TenancyEnded for Pallet<T> {
    fn tenancy_ended(utility: &OrganisationId, meter: &MeterId) {
        Self::end_all(utility, meter, ConsentEnd::TenancyEnded, |_| true);
    }

    /// Whoever holds the meter now has not agreed to what another allowed: a stolen ticket must not leave anything behind.
    fn claim_replaced(utility: &OrganisationId, meter: &MeterId, holder: &AccountId) {
        MeterKeyDeliveries::<T>::remove(utility, meter);
        Self::end_all(utility, meter, ConsentEnd::Revoked, |consent| consent.customer != *holder);
    }

    fn weight() -> Weight {
        <T as Config>::WeightInfo::end_standing(MAX_STANDING)
    }
}
