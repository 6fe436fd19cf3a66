//! What the calls do once it is known who sent them.

use crate::{
    access::verify_sr25519, ClaimCount, ClaimedBy, Config, EpochStarts, Error, Event, Meters, Pallet, TenancyEnded,
    LONGEST_STATEMENT, MAX_CLAIMS,
};
use frame_support::{dispatch::DispatchResult, ensure};
use pallet_participants::Today;
use sealed_register::{
    statement::{self, Statement},
    Channels, MeterId, OperatingDay, OrganisationId,
};
use sp_runtime::DispatchError;
use wattseal_primitives::{
    meters::{Claim, Meter, MeterEntry},
    AccountId,
};

/// What one entry of a registration did.
enum Synced {
    Added,
    Changed,
    Unchanged,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_sync(utility: OrganisationId, entries: impl IntoIterator<Item = MeterEntry>) -> DispatchResult {
        let (mut added, mut changed, mut unchanged) = (0, 0, 0);
        for entry in entries {
            // At most MAX_ENTRIES each: no overflow.
            match Self::sync_one(&utility, entry)? {
                Synced::Added => added += 1,
                Synced::Changed => changed += 1,
                Synced::Unchanged => unchanged += 1,
            }
        }
        Self::deposit_event(Event::MetersSynced { utility, added, changed, unchanged });
        Ok(())
    }

    fn sync_one(utility: &OrganisationId, entry: MeterEntry) -> Result<Synced, DispatchError> {
        ensure!(entry.ticket_key != [0; 32], Error::<T>::InvalidTicketKey);
        let Some(old) = Meters::<T>::get(utility, entry.meter) else {
            let now = frame_system::Pallet::<T>::block_number();
            EpochStarts::<T>::insert((utility, entry.meter, 0u32), now);
            Meters::<T>::insert(utility, entry.meter, new_meter(entry, now));
            return Ok(Synced::Added);
        };
        let mut meter = old.clone();
        ensure!(entry.tenancy_start == meter.tenancy_start, Error::<T>::InvalidTenancyStart);
        meter.class = entry.class;
        meter.channels = united(meter.channels, entry.channels);
        if entry.ticket_issue > meter.ticket_issue {
            meter.ticket_issue = entry.ticket_issue;
            meter.ticket_key = entry.ticket_key;
        } else if entry.ticket_issue == meter.ticket_issue {
            ensure!(entry.ticket_key == meter.ticket_key, Error::<T>::InvalidTicketKey);
        }
        if meter == old {
            return Ok(Synced::Unchanged);
        }
        // A new ticket is the one thing a former tenant may still need: to claim, and so to read, her own past.
        let only_ticket = meter.class == old.class && meter.channels == old.channels;
        ensure!(old.tenancy_end.is_none() || only_ticket, Error::<T>::TenancyOver);
        Meters::<T>::insert(utility, entry.meter, meter);
        Ok(Synced::Changed)
    }

    /// Whether an earlier claim was replaced. Fails before it writes anything.
    pub(crate) fn do_claim(claim: &statement::Claim, signature: &[u8; 64]) -> Result<bool, DispatchError> {
        let (utility, id) = (claim.utility, claim.meter);
        ensure!(Self::now() <= claim.last_valid_block, Error::<T>::StatementExpired);
        let latest = Self::now().saturating_add(LONGEST_STATEMENT);
        ensure!(claim.last_valid_block <= latest, Error::<T>::StatementTooLong);
        let mut meter = Meters::<T>::get(utility, id).ok_or(Error::<T>::NotFound)?;
        ensure!(claim.issue == meter.ticket_issue, Error::<T>::InvalidTicketIssue);
        let unused = meter.claim.as_ref().is_none_or(|earlier| earlier.ticket_issue < claim.issue);
        ensure!(unused, Error::<T>::AlreadyClaimed);
        let customer = AccountId::from(claim.customer);
        let same = meter.claim.as_ref().is_some_and(|earlier| earlier.customer == customer);
        ensure!(same || ClaimCount::<T>::get(&customer) < MAX_CLAIMS, Error::<T>::LimitOfClaims);
        // The dearest check last.
        let signed = verify_sr25519(&meter.ticket_key, &claim.message(), signature);
        ensure!(signed, Error::<T>::InvalidSignature);

        let earlier = meter.claim.replace(Claim {
            customer: customer.clone(),
            kem_hash: claim.kem_key,
            ticket_issue: claim.issue,
            claimed_at: frame_system::Pallet::<T>::block_number(),
        });
        if let Some(earlier) = &earlier {
            Self::release(&earlier.customer, &utility, &id);
        }
        Self::attach(&customer, &utility, &id);
        Meters::<T>::insert(utility, id, meter);
        let replaced = earlier.map(|earlier| earlier.customer);
        let was_replaced = replaced.is_some();
        Self::deposit_event(Event::MeterClaimed {
            utility,
            meter: id,
            customer: customer.clone(),
            ticket_issue: claim.issue,
            replaced,
        });
        if was_replaced {
            T::TenancyEnd::claim_replaced(&utility, &id, &customer);
            Self::raise_epoch(&utility, &id);
        }
        Ok(was_replaced)
    }

    pub(crate) fn do_close(utility: OrganisationId, id: MeterId, last_day: OperatingDay) -> DispatchResult {
        let mut meter = Meters::<T>::get(utility, id).ok_or(Error::<T>::NotFound)?;
        ensure!(meter.tenancy_end.is_none(), Error::<T>::TenancyOver);
        let possible = meter.tenancy_start <= last_day && last_day <= T::Clock::today();
        ensure!(possible, Error::<T>::InvalidLastDay);
        meter.tenancy_end = Some(last_day);
        Meters::<T>::insert(utility, id, meter);
        Self::deposit_event(Event::TenancyClosed { utility, meter: id, last_day });
        T::TenancyEnd::tenancy_ended(&utility, &id);
        Self::raise_epoch(&utility, &id);
        Ok(())
    }

    /// Enters a meter among those that the account holds, and gives the account its provider reference.
    fn attach(customer: &AccountId, utility: &OrganisationId, meter: &MeterId) {
        ClaimedBy::<T>::insert(customer, (utility, meter), ());
        ClaimCount::<T>::mutate(customer, |count| *count = count.saturating_add(1));
        // Once per account and never taken back, so that no nonce restarts (architecture, "Rules of the chain").
        if frame_system::Pallet::<T>::providers(customer) == 0 {
            frame_system::Pallet::<T>::inc_providers(customer);
        }
    }

    /// Takes a meter out of those that the account holds.
    fn release(customer: &AccountId, utility: &OrganisationId, meter: &MeterId) {
        ClaimedBy::<T>::remove(customer, (utility, meter));
        ClaimCount::<T>::mutate_exists(customer, |count| {
            *count = count.and_then(|held| held.checked_sub(1)).filter(|held| *held > 0);
        });
    }
}

/// A meter as it begins.
fn new_meter<BlockNumber>(entry: MeterEntry, now: BlockNumber) -> Meter<AccountId, BlockNumber> {
    Meter {
        class: entry.class,
        channels: entry.channels,
        tenancy_start: entry.tenancy_start,
        tenancy_end: None,
        ticket_issue: entry.ticket_issue,
        ticket_key: entry.ticket_key,
        claim: None,
        epoch: 0,
        epoch_since: now,
    }
}

/// The channels of both.
fn united(one: Channels, other: Channels) -> Channels {
    if one.includes(other) {
        one
    } else if other.includes(one) {
        other
    } else {
        Channels::Both
    }
}
