//! What must hold in the pallet's storage after every block.

use crate::{Batches, Calendar, CalendarDays, Config, Pallet, ShardBits, Shards};
use frame_support::ensure;
use sealed_register::OrganisationId;
use sp_runtime::TryRuntimeError;
use wattseal_primitives::usage::MAX_SHARD_BITS;

impl<T: Config> Pallet<T> {
    /// Checks the whole storage of the pallet.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::shards_fit_their_bits()?;
        Self::batches_fit_their_shards()?;
        let CalendarDays { short, long } = Calendar::<T>::get();
        ensure!(CalendarDays::new(&short, &long).is_some(), "the calendar's days must ascend and differ");
        Ok(())
    }

    fn shards_fit_their_bits() -> Result<(), TryRuntimeError> {
        for (_, bits) in ShardBits::<T>::iter() {
            ensure!(bits <= MAX_SHARD_BITS, "a utility has more shard bits than allowed");
        }
        for (utility, shard, state) in Shards::<T>::iter() {
            let bits = ShardBits::<T>::get(utility).ok_or("a utility with batches has no shard bits")?;
            ensure!(u32::from(shard) < 1 << bits, "a shard's number does not fit the shard bits");
            ensure!(state.next_sequence > 0, "a shard is stored without a batch");
        }
        Ok(())
    }

    fn batches_fit_their_shards() -> Result<(), TryRuntimeError> {
        let count_of = |utility: OrganisationId, shard: u16| Batches::<T>::iter_prefix((utility, shard)).count();
        for (utility, shard, state) in Shards::<T>::iter() {
            let newest = Batches::<T>::get((utility, shard, state.next_sequence.saturating_sub(1)))
                .ok_or("a shard's newest batch is not stored")?;
            ensure!(newest.root == state.root, "a shard's root is not that of its newest batch");
            let count = u32::try_from(count_of(utility, shard)).unwrap_or(u32::MAX);
            ensure!(count == state.next_sequence, "a shard's batches are not numbered from 0 without a gap");
        }
        for ((utility, shard, _), batch) in Batches::<T>::iter() {
            ensure!(Shards::<T>::contains_key(utility, shard), "a batch belongs to no shard");
            ensure!(batch.as_of < batch.committed_at, "a batch is as of a block after its own");
            ensure!(batch.days.is_valid(), "a batch's days are no range");
        }
        Ok(())
    }
}
