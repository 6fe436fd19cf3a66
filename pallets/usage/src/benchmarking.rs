//! What each call costs on its longest way. `scripts/weights` runs these.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up should stop")]

use crate::{
    types::{CalendarDays, MAX_DAYS},
    *,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{traits::ConstU32, BoundedVec};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use pallet_meters::benchmarking::{utility, BLOCK, TODAY};
use sealed_register::{DayRange, OperatingDay};
use wattseal_primitives::{
    usage::{MAX_BATCH_CELLS, MAX_BODY_BYTES, MAX_SHARD_BITS},
    Hash,
};

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The first batch of a utility, which fixes its shards besides.
    #[benchmark]
    fn commit_batch() {
        let utility = utility::<T>();
        let (as_of, as_of_hash) = (BLOCK - 1, Hash::repeat_byte(3));
        frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::from(as_of), as_of_hash);
        let days = DayRange { first: OperatingDay(1), last: TODAY };

        #[extrinsic_call]
        _(
            RawOrigin::Signed(utility.feed),
            0,
            0,
            [1; 32],
            [2; 32],
            MAX_BODY_BYTES,
            MAX_BATCH_CELLS,
            days,
            as_of.into(),
            as_of_hash,
        );

        assert!(Pallet::<T>::batch(utility.id, 0, 0).is_some());
    }

    #[benchmark]
    fn set_shard_bits() {
        let utility = utility::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.own), MAX_SHARD_BITS);

        assert_eq!(Pallet::<T>::shard_bits(&utility.id), Some(MAX_SHARD_BITS));
    }

    /// A table as long as it may be.
    #[benchmark]
    fn set_calendar() {
        let every_other = |first: u16| -> BoundedVec<OperatingDay, ConstU32<MAX_DAYS>> {
            let days: Vec<_> = (0..MAX_DAYS as u16).map(|index| OperatingDay(first + 2 * index)).collect();
            days.try_into().expect("it has exactly the greatest length")
        };
        let (short, long) = (every_other(0), every_other(1));

        #[extrinsic_call]
        _(RawOrigin::Root, short.clone(), long.clone());

        let CalendarDays { short: stored_short, long: stored_long } = Calendar::<T>::get();
        assert_eq!((stored_short, stored_long), (short, long));
    }
}
