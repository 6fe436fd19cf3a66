//! Where delivered keys lie (protocol section 8).

use crate::{statements::terms_of, Config, ConsentOf, Deliveries, Error, Event, MeterKeyDeliveries, Pallet};
use frame_support::{dispatch::DispatchResult, ensure};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_participants::Directory;
use sealed_register::{
    delivery::{delivery_hash, Deliverer, Envelope, Segment, METER_KEY_BYTES},
    MeterId, OrganisationId,
};
use sp_runtime::DispatchError;
use wattseal_primitives::{
    consent::{ConsentId, DeliverySlot},
    organisations::Duty,
    AccountId,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_deliver(
        who: &AccountId,
        id: ConsentId,
        epoch: u32,
        segments: &[Segment],
        sealed: &[u8],
    ) -> DispatchResult {
        let consent = Self::standing(&id)?;
        let deliverer = Self::deliverer(who, &consent)?;
        Self::ensure_not_expired(&consent)?;
        let meter =
            pallet_meters::Pallet::<T>::meter(&consent.utility, &consent.meter).ok_or(Error::<T>::UnknownMeter)?;
        ensure!(epoch == meter.epoch, Error::<T>::InvalidEpoch);
        // Several ends in one block make one epoch. Were keys of it handed out before the last of those ends, that end
        // would take nothing away.
        let settled = meter.epoch_since < frame_system::Pallet::<T>::block_number();
        ensure!(settled, Error::<T>::EpochNotSettled);
        let envelope = Envelope::decode(sealed).map_err(|_| Error::<T>::InvalidDelivery)?;
        ensure!(envelope.segments == segments, Error::<T>::InvalidDelivery);
        envelope.check(&terms_of(&consent), epoch).map_err(|_| Error::<T>::InvalidDelivery)?;

        let slot = Self::slot(sealed, deliverer)?;
        Deliveries::<T>::insert((id, epoch, deliverer), slot);
        Self::deposit_event(Event::KeysDelivered { consent: id, epoch, deliverer, bytes: slot.length });
        Ok(())
    }

    pub(crate) fn do_deliver_meter_key(
        who: &AccountId,
        id: MeterId,
        ticket_issue: u32,
        sealed: &[u8],
    ) -> DispatchResult {
        let utility = Self::utility_of_delivery(who).ok_or(Error::<T>::NotAuthorized)?;
        let meter = pallet_meters::Pallet::<T>::meter(&utility, &id).ok_or(Error::<T>::UnknownMeter)?;
        let claim = meter.claim.ok_or(Error::<T>::NotTheHolder)?;
        // Sealed for an earlier claim it opens for nobody who holds the meter, and would stand in the way of one that
        // does.
        ensure!(ticket_issue == claim.ticket_issue, Error::<T>::InvalidDelivery);
        ensure!(sealed.len() == METER_KEY_BYTES, Error::<T>::InvalidDelivery);
        let slot = Self::slot(sealed, Deliverer::Utility)?;
        MeterKeyDeliveries::<T>::insert(utility, id, slot);
        Self::deposit_event(Event::MeterKeyDelivered { utility, meter: id });
        Ok(())
    }

    /// In which role an account delivers keys of a consent, if it may.
    fn deliverer(who: &AccountId, consent: &ConsentOf<T>) -> Result<Deliverer, DispatchError> {
        if *who == consent.customer {
            return Ok(Deliverer::Customer);
        }
        let is_utility = Self::utility_of_delivery(who) == Some(consent.utility);
        ensure!(is_utility, Error::<T>::NotAuthorized);
        Ok(Deliverer::Utility)
    }

    /// The admitted utility whose delivery account this is.
    fn utility_of_delivery(who: &AccountId) -> Option<OrganisationId> {
        T::Directory::duty(who).filter(|(_, duty)| *duty == Duty::Delivery).map(|(utility, _)| utility)
    }

    /// This extrinsic, as the place of these bytes.
    fn slot(sealed: &[u8], deliverer: Deliverer) -> Result<DeliverySlot<BlockNumberFor<T>>, DispatchError> {
        Ok(DeliverySlot {
            block: frame_system::Pallet::<T>::block_number(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index().ok_or(Error::<T>::NotAnExtrinsic)?,
            length: u32::try_from(sealed.len()).map_err(|_| Error::<T>::InvalidDelivery)?,
            hash: delivery_hash(sealed),
            deliverer,
        })
    }
}
