//! Key epochs of meters (protocol sections 2, 4 and 5).

use crate::{Config, EpochStarts, Event, Meters, Pallet};
use frame_system::pallet_prelude::BlockNumberFor;
use sealed_register::{MeterId, OrganisationId};

impl<T: Config> Pallet<T> {
    /// Begins a new key epoch of the meter in this block, because somebody's access ended.
    ///
    /// An epoch that began in this same block serves: nothing is sealed under it or delivered for it before the block
    /// ends (pallet-consent refuses such deliveries). An unknown meter has no epoch and nothing happens.
    pub fn raise_epoch(utility: &OrganisationId, id: &MeterId) {
        let now = frame_system::Pallet::<T>::block_number();
        let Some(mut meter) = Meters::<T>::get(utility, id) else { return };
        if meter.epoch_since == now {
            return;
        }
        // 2^32 epochs would take 272 years of one in every block.
        let Some(epoch) = meter.epoch.checked_add(1) else { return };
        meter.epoch = epoch;
        meter.epoch_since = now;
        Meters::<T>::insert(utility, id, meter);
        EpochStarts::<T>::insert((utility, id, epoch), now);
        Self::deposit_event(Event::EpochRaised { utility: *utility, meter: *id, epoch });
    }

    /// The meter's key epoch in the state of `block`, which may be long past; of a block still to come, the present
    /// one. `None` for an unknown meter and for blocks before its registration.
    ///
    /// Reads the meter and, for past blocks, the beginnings of at most 33 epochs.
    pub fn epoch_at(utility: &OrganisationId, id: &MeterId, block: BlockNumberFor<T>) -> Option<u32> {
        let meter = Meters::<T>::get(utility, id)?;
        if meter.epoch_since <= block {
            return Some(meter.epoch);
        }
        let began = |epoch: u32| EpochStarts::<T>::get((utility, id, epoch)).is_some_and(|start| start <= block);
        if !began(0) {
            return None;
        }
        // `low` has begun by `block`, whatever lies above `high` has not.
        let (mut low, mut high) = (0, meter.epoch.saturating_sub(1));
        while low < high {
            let middle = low.saturating_add(high.saturating_sub(low).div_ceil(2));
            if began(middle) {
                low = middle;
            } else {
                high = middle.saturating_sub(1);
            }
        }
        Some(low)
    }
}
