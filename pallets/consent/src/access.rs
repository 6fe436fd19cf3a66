//! Whether somebody may read: what a vault asks before it serves (protocol section 9).

use crate::{Config, Consents, Pallet};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_participants::{Directory, Today};
use sealed_register::grantee::{is_grantee, GranteeSecret};
use wattseal_primitives::{
    consent::{ConsentEnd, ConsentId, ReadQuery, ReadRefusal},
    meters::Meter,
    organisations::Role,
    AccountId,
};

impl<T: Config> Pallet<T> {
    /// Whether the account may read this, in the state and by the clock of this block.
    ///
    /// Without a consent: the customer who holds the meter, for days of its tenancy. With a consent: whoever speaks now
    /// for the admitted vendor that with the secret gives the grantee, within the terms and the access window. A consent whose time is over
    /// is refused from that day on, before the chain has come to end it.
    ///
    /// # Errors
    /// The first [`ReadRefusal`] that applies; whoever is not the grantee learns no more than that.
    pub fn may_read(query: &ReadQuery<AccountId>) -> Result<(), ReadRefusal> {
        let meter = pallet_meters::Pallet::<T>::meter(&query.utility, &query.meter).ok_or(ReadRefusal::UnknownMeter)?;
        match &query.consent {
            None => Self::customer_may_read(query, &meter),
            Some(id) => Self::grantee_may_read(query, id),
        }
    }

    fn customer_may_read(
        query: &ReadQuery<AccountId>,
        meter: &Meter<AccountId, BlockNumberFor<T>>,
    ) -> Result<(), ReadRefusal> {
        let holds = meter.claim.as_ref().is_some_and(|claim| claim.customer == query.account);
        ensure!(holds, ReadRefusal::NotTheCustomer);
        let inside = query.range.is_valid() && meter.covers(query.range.first) && meter.covers(query.range.last);
        ensure!(inside, ReadRefusal::OutsideDays);
        ensure!(meter.channels.contains(query.channel), ReadRefusal::ChannelNotGranted);
        Ok(())
    }

    fn grantee_may_read(query: &ReadQuery<AccountId>, id: &ConsentId) -> Result<(), ReadRefusal> {
        let consent = Consents::<T>::get(id).ok_or(ReadRefusal::UnknownConsent)?;
        let here = consent.utility == query.utility && consent.meter == query.meter;
        ensure!(here, ReadRefusal::OtherMeter);
        ensure!(query.secret != GranteeSecret::NONE.0, ReadRefusal::NoSecret);
        let (vendor, role) = T::Directory::organisation_of(&query.account).ok_or(ReadRefusal::NotAdmitted)?;
        ensure!(is_grantee(&consent.grantee, &vendor, &query.secret), ReadRefusal::NotTheGrantee);
        ensure!(role == Role::Vendor, ReadRefusal::NotAdmitted);
        match consent.ended {
            None => {}
            Some((ConsentEnd::Revoked, _)) => return Err(ReadRefusal::Revoked),
            Some((ConsentEnd::Expired, _)) => return Err(ReadRefusal::Expired),
            Some((ConsentEnd::GivenBack, _)) => return Err(ReadRefusal::GivenBack),
            Some((ConsentEnd::TenancyEnded, _)) => return Err(ReadRefusal::TenancyEnded),
        }
        let today = T::Clock::today();
        ensure!(consent.access.first <= today, ReadRefusal::NotYet);
        ensure!(today <= consent.access.last, ReadRefusal::Expired);
        let inside = query.range.is_valid() && consent.data.includes(&query.range);
        ensure!(inside, ReadRefusal::OutsideDays);
        ensure!(query.level <= consent.level, ReadRefusal::LevelNotGranted);
        ensure!(consent.channels.contains(query.channel), ReadRefusal::ChannelNotGranted);
        Ok(())
    }
}
