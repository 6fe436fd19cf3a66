//! What customers sign: giving, narrowing and revoking a consent (protocol section 7).

use crate::{Config, ConsentOf, Consents, Error, Event, ExpiringOn, LongestTerm, Pallet, StandingOf};
use frame_support::{dispatch::DispatchResult, ensure};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use pallet_meters::{verify_sr25519, LONGEST_STATEMENT};
use pallet_participants::Today;
use sealed_register::{
    delivery::{ConsentTerms, InvalidTerms, Widening},
    statement::{self, Statement},
};
use sp_runtime::DispatchError;
use wattseal_primitives::{
    consent::{Consent, ConsentEnd, ConsentId},
    AccountId,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_consent(statement: &statement::Consent, signature: &[u8; 64]) -> DispatchResult {
        let terms = statement.terms;
        let customer = AccountId::from(statement.customer);
        Self::ensure_valid(statement.last_valid_block)?;
        Self::check_terms(&terms, &customer)?;
        let id = statement.id();
        ensure!(!Consents::<T>::contains_key(id), Error::<T>::AlreadyExists);
        let mut standing = StandingOf::<T>::get(terms.utility, terms.meter);
        standing.try_push(id).map_err(|_| Error::<T>::LimitOfConsents)?;
        // The dearest check last.
        Self::ensure_signed_by(&customer, statement, signature)?;

        StandingOf::<T>::insert(terms.utility, terms.meter, standing);
        ExpiringOn::<T>::insert(terms.access.last, id, ());
        let ConsentTerms { utility, meter, grantee, channels, level, data, access, purpose, text_hash } = terms;
        let given_at = frame_system::Pallet::<T>::block_number();
        let consent = Consent {
            utility,
            meter,
            customer: customer.clone(),
            grantee,
            channels,
            level,
            data,
            access,
            purpose,
            text_hash,
            given_at,
            ended: None,
        };
        Consents::<T>::insert(id, consent);
        Self::deposit_event(Event::ConsentGiven {
            consent: id,
            utility,
            meter,
            customer,
            channels,
            level,
            data,
            access,
            purpose,
        });
        Ok(())
    }

    pub(crate) fn do_revoke(statement: &statement::Revoke, signature: &[u8; 64]) -> DispatchResult {
        Self::ensure_valid(statement.last_valid_block)?;
        let consent = Self::standing(&statement.consent)?;
        Self::ensure_signed_by(&consent.customer, statement, signature)?;
        Self::end(&statement.consent, consent, ConsentEnd::Revoked);
        Ok(())
    }

    pub(crate) fn do_narrow(statement: &statement::Narrow, signature: &[u8; 64]) -> DispatchResult {
        let statement::Narrow { consent: id, channels, level, data, access, .. } = *statement;
        Self::ensure_valid(statement.last_valid_block)?;
        let mut consent = Self::standing(&id)?;
        Self::ensure_not_expired(&consent)?;
        let before = terms_of(&consent);
        let after = before.narrowed(channels, level, data, access).map_err(|widening| match widening {
            Widening::Invalid if !access.is_valid() => Error::<T>::InvalidAccess,
            Widening::Invalid => Error::<T>::InvalidData,
            _ => Error::<T>::NotNarrower,
        })?;
        ensure!(after != before, Error::<T>::NotNarrower);
        // Ending it at once is what a revocation is for.
        ensure!(access.last >= T::Clock::today(), Error::<T>::InvalidAccess);
        Self::ensure_signed_by(&consent.customer, statement, signature)?;

        ExpiringOn::<T>::remove(consent.access.last, id);
        ExpiringOn::<T>::insert(access.last, id, ());
        let (utility, meter) = (consent.utility, consent.meter);
        consent.channels = channels;
        consent.level = level;
        consent.data = data;
        consent.access = access;
        Consents::<T>::insert(id, consent);
        Self::deposit_event(Event::ConsentNarrowed { consent: id, channels, level, data, access });
        pallet_meters::Pallet::<T>::raise_epoch(&utility, &meter);
        Ok(())
    }

    /// Whether these terms may be agreed today by this customer.
    fn check_terms(terms: &ConsentTerms, customer: &AccountId) -> DispatchResult {
        terms.check().map_err(|invalid| match invalid {
            InvalidTerms::Access { .. } => Error::<T>::InvalidAccess,
            InvalidTerms::Data { .. } | InvalidTerms::Beyond(_) => Error::<T>::InvalidData,
        })?;
        let today = T::Clock::today();
        ensure!(terms.access.last >= today, Error::<T>::InvalidAccess);
        let meter = pallet_meters::Pallet::<T>::meter(&terms.utility, &terms.meter).ok_or(Error::<T>::UnknownMeter)?;
        ensure!(meter.tenancy_end.is_none(), Error::<T>::TenancyOver);
        let holds = meter.claim.as_ref().is_some_and(|claim| claim.customer == *customer);
        ensure!(holds, Error::<T>::NotTheHolder);
        ensure!(meter.channels.includes(terms.channels), Error::<T>::InvalidChannels);
        // A range that begins before the tenancy is no harm: people ask for "the last two years".
        ensure!(terms.data.last >= meter.tenancy_start, Error::<T>::InvalidData);
        if meter.class.has_longest_consent() {
            let term = terms.access.last.0.saturating_sub(today.0);
            ensure!(term <= LongestTerm::<T>::get(), Error::<T>::LimitOfTerm);
        }
        Ok(())
    }

    /// The consent, if it has not ended.
    pub(crate) fn standing(id: &ConsentId) -> Result<ConsentOf<T>, DispatchError> {
        let consent = Consents::<T>::get(id).ok_or(Error::<T>::NotFound)?;
        ensure!(consent.ended.is_none(), Error::<T>::AlreadyEnded);
        Ok(consent)
    }

    /// A consent whose time is over stands in storage until the chain comes to it.
    pub(crate) fn ensure_not_expired(consent: &ConsentOf<T>) -> DispatchResult {
        ensure!(T::Clock::today() <= consent.access.last, Error::<T>::Expired);
        Ok(())
    }

    /// Statements and expirations are carried by participants and by customers who hold a meter.
    pub(crate) fn ensure_relayer(origin: OriginFor<T>) -> DispatchResult {
        let who = ensure_signed(origin)?;
        ensure!(pallet_meters::Pallet::<T>::may_relay(&who), Error::<T>::NotAuthorized);
        Ok(())
    }

    fn ensure_valid(last_valid_block: u32) -> DispatchResult {
        let now = pallet_meters::Pallet::<T>::now();
        ensure!(now <= last_valid_block, Error::<T>::StatementExpired);
        ensure!(last_valid_block <= now.saturating_add(LONGEST_STATEMENT), Error::<T>::StatementTooLong);
        Ok(())
    }

    fn ensure_signed_by(who: &AccountId, statement: &impl Statement, signature: &[u8; 64]) -> DispatchResult {
        let signed = verify_sr25519(who.as_ref(), &statement.message(), signature);
        ensure!(signed, Error::<T>::InvalidSignature);
        Ok(())
    }
}

/// The terms of a consent as they stand now.
pub(crate) fn terms_of<BlockNumber>(consent: &Consent<AccountId, BlockNumber>) -> ConsentTerms {
    ConsentTerms {
        utility: consent.utility,
        meter: consent.meter,
        grantee: consent.grantee,
        channels: consent.channels,
        level: consent.level,
        data: consent.data,
        access: consent.access,
        purpose: consent.purpose,
        text_hash: consent.text_hash,
    }
}
