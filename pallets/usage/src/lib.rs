//! Batches of usage commitments, shard by shard, and the off-chain worker that seals a utility's feed.
//!
//! On chain stands one root per shard and batch: the Merkle root over the heads of all streams of the shard, with which
//! every cell ever published can be proved, and that there is no newer one (protocol sections 5 and 6). The batch bodies
//! lie in the vaults. The pallet checks who commits, that nothing is skipped, and that the block at which the epochs were
//! read is canonical and young; that a body fits its commitment is checked by every vault.
//!
//! [`worker`] runs on the utility's own node only: it fetches the feed, seals, and signs with the node's keys.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod submit;
mod try_state;
pub mod types;
pub mod weights;
pub mod worker;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use submit::{SubmitError, SubmitSigned};
pub use types::CalendarDays;
pub use weights::WeightInfo;

/// The one conversion of a feed's meter-day into what is sealed.
pub use wattseal_primitives::bridge;

/// The pallet: its storage, calls and events.
#[frame_support::pallet]
#[allow(
    clippy::expect_used,
    clippy::too_many_arguments,
    reason = "FRAME's generated code expects where it cannot fail, and has a call's arguments"
)]
pub mod pallet {
    use crate::{
        submit::SubmitSigned,
        types::{dates, CalendarDays},
        weights::WeightInfo,
        worker,
    };
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_participants::Directory;
    use sealed_register::{DayRange, Hash, OperatingDay, OrganisationId};
    use sp_runtime::{traits::Zero, Saturating};
    use wattseal_primitives::{
        organisations::Role,
        usage::{Batch, ShardState, MAX_AS_OF_AGE, MAX_BATCH_CELLS, MAX_BODY_BYTES, MAX_SHARD_BITS},
    };

    /// Version of the storage's layout.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the pallet needs of its runtime. The worker reads meters and consents and sends their calls; who is who and
    /// what day it is come from pallet-meters.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<
            RuntimeEvent: From<Event<Self>>,
            RuntimeCall: From<Call<Self>> + From<pallet_meters::Call<Self>> + From<pallet_consent::Call<Self>>,
        > + pallet_consent::Config
    {
        /// Signs a call with a key of the node's keystore and hands it to the node's pool. Used by the worker only.
        type Submit: SubmitSigned<<Self as frame_system::Config>::RuntimeCall>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// How many leading bits of a MeterId name a shard, by utility. Fixed by the first batch.
    #[pallet::storage]
    pub type ShardBits<T: Config> = StorageMap<_, Blake2_128Concat, OrganisationId, u8, OptionQuery>;

    /// Each shard's newest batch, by utility and shard number.
    #[pallet::storage]
    pub type Shards<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, OrganisationId, Blake2_128Concat, u16, ShardState, ValueQuery>;

    /// All batches, by utility, shard number and sequence number.
    #[pallet::storage]
    pub type Batches<T: Config> = StorageNMap<
        _,
        (NMapKey<Blake2_128Concat, OrganisationId>, NMapKey<Blake2_128Concat, u16>, NMapKey<Blake2_128Concat, u32>),
        Batch<BlockNumberFor<T>>,
        OptionQuery,
    >;

    /// The operating days that have 92 or 100 intervals; every other day has 96.
    #[pallet::storage]
    pub type Calendar<T: Config> = StorageValue<_, CalendarDays, ValueQuery>;

    /// The calendar at genesis.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Days of 92 intervals, ascending, as `2026-03-08`.
        #[serde(with = "dates")]
        pub short: Vec<OperatingDay>,
        /// Days of 100 intervals, ascending, as `2026-11-01`.
        #[serde(with = "dates")]
        pub long: Vec<OperatingDay>,
        /// Only the runtime's type.
        #[serde(skip)]
        pub _runtime: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        /// The rule of the Energy Policy Act of 2005, from 2007 to the end of the key trees in 2089.
        fn default() -> Self {
            let (short, long) = CalendarDays::by_rule();
            Self { short, long, _runtime: core::marker::PhantomData }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let days = CalendarDays::new(&self.short, &self.long);
            // A wrong genesis must never start: better no chain than one whose days have the wrong length.
            assert!(days.is_some(), "genesis calendar: days must ascend, differ, and be at most 256 of each length");
            Calendar::<T>::put(days.unwrap_or_default());
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A utility committed a batch.
        BatchCommitted {
            /// The utility.
            utility: OrganisationId,
            /// Shard number.
            shard: u16,
            /// Sequence number of the batch in its shard, from 0.
            sequence: u32,
            /// Root over the heads of all streams of the shard.
            root: Hash,
            /// Number of new cells.
            cells: u32,
            /// Operating days that they lie in.
            days: DayRange,
        },
        /// A utility chose how many shards it has: 2 to the power of `bits`.
        ShardBitsSet {
            /// The utility.
            utility: OrganisationId,
            /// Leading bits of a MeterId that name its shard.
            bits: u8,
        },
        /// The council replaced the calendar.
        CalendarSet {
            /// Number of days of 92 intervals.
            short: u32,
            /// Number of days of 100 intervals.
            long: u32,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account is not the one that may do this: batches take an admitted utility's feed account, shard bits its
        /// organisation account.
        NotAuthorized,
        /// The utility has no shard of this number.
        ShardNotFound,
        /// Not the next sequence number of the shard: another batch came first, or one is missing.
        InvalidSequence,
        /// A body has 1 to 8,388,608 bytes and 1 to 8,192 cells.
        InvalidBody,
        /// The first day lies after the last.
        InvalidDays,
        /// The block at which the epochs were read is not one of this chain's, or not past.
        InvalidAsOf,
        /// The block at which the epochs were read is more than 150 blocks old.
        AsOfTooOld,
        /// A MeterId's leading 0 to 10 bits name a shard.
        InvalidShardBits,
        /// The utility has batches already, so its meters cannot move to other shards.
        BatchAlreadyExists,
        /// The shard has as many batches as can be numbered.
        LimitOfBatches,
        /// Calendar days must ascend and differ, and no day can be short and long.
        InvalidCalendar,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn offchain_worker(now: BlockNumberFor<T>) {
            worker::run::<T>(now);
        }

        fn integrity_test() {
            let remembered: BlockNumberFor<T> = <T as frame_system::Config>::BlockHashCount::get();
            assert!(
                remembered > MAX_AS_OF_AGE.into(),
                "BlockHashCount must exceed MAX_AS_OF_AGE, or as_of hashes cannot be checked"
            );
            let limit = <T as frame_system::Config>::BlockWeights::get().get(DispatchClass::Normal).max_extrinsic;
            let batch = <T as Config>::WeightInfo::commit_batch();
            // A transaction of the worker that is too heavy would vanish from the pool without any error.
            assert!(limit.is_none_or(|limit| batch.all_lte(limit)), "commit_batch must fit into a block");
            let calendar = <T as Config>::WeightInfo::set_calendar();
            assert!(limit.is_none_or(|limit| calendar.all_lte(limit)), "set_calendar must fit into a block");
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Commits the next batch of a shard. Signed by the utility's feed account.
        ///
        /// # Events
        /// [`Event::BatchCommitted`]
        ///
        /// # Errors
        /// [`Error::NotAuthorized`], [`Error::ShardNotFound`], [`Error::InvalidBody`], [`Error::InvalidDays`],
        /// [`Error::InvalidSequence`], [`Error::InvalidAsOf`], [`Error::AsOfTooOld`], [`Error::LimitOfBatches`]
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::commit_batch())]
        #[allow(clippy::too_many_arguments, reason = "the fields stand singly so that people can read the call")]
        pub fn commit_batch(
            origin: OriginFor<T>,
            shard: u16,
            sequence: u32,
            root: Hash,
            body_hash: Hash,
            body_bytes: u32,
            cells: u32,
            days: DayRange,
            as_of: BlockNumberFor<T>,
            as_of_hash: T::Hash,
        ) -> DispatchResult {
            let feed = ensure_signed(origin)?;
            let utility = T::Directory::utility_of_feed(&feed).ok_or(Error::<T>::NotAuthorized)?;
            let chosen = Self::shard_bits(&utility);
            let bits = chosen.unwrap_or_default();
            ensure!(u32::from(shard) < 1_u32 << bits.min(MAX_SHARD_BITS), Error::<T>::ShardNotFound);
            let body = (1..=MAX_BODY_BYTES).contains(&body_bytes) && (1..=MAX_BATCH_CELLS).contains(&cells);
            ensure!(body, Error::<T>::InvalidBody);
            ensure!(days.is_valid(), Error::<T>::InvalidDays);
            let state = Shards::<T>::get(utility, shard);
            ensure!(sequence == state.next_sequence, Error::<T>::InvalidSequence);
            let now = frame_system::Pallet::<T>::block_number();
            let age = now.saturating_sub(as_of);
            ensure!(age <= MAX_AS_OF_AGE.into(), Error::<T>::AsOfTooOld);
            // Hashes that the chain no longer or not yet knows read as zero.
            let canonical = !age.is_zero()
                && as_of_hash != T::Hash::default()
                && frame_system::Pallet::<T>::block_hash(as_of) == as_of_hash;
            ensure!(canonical, Error::<T>::InvalidAsOf);
            let next_sequence = sequence.checked_add(1).ok_or(Error::<T>::LimitOfBatches)?;

            let batch = Batch { root, body_hash, body_bytes, cells, days, as_of, committed_at: now };
            if chosen.is_none() {
                ShardBits::<T>::insert(utility, bits);
            }
            Batches::<T>::insert((utility, shard, sequence), batch);
            Shards::<T>::insert(utility, shard, ShardState { next_sequence, root });
            Self::deposit_event(Event::BatchCommitted { utility, shard, sequence, root, cells, days });
            Ok(())
        }

        /// Chooses how many leading bits (0 to 10) of a MeterId name its shard. Signed by the utility's own account,
        /// before its first batch. A utility that never does has one shard.
        ///
        /// # Events
        /// [`Event::ShardBitsSet`]
        ///
        /// # Errors
        /// [`Error::NotAuthorized`], [`Error::InvalidShardBits`], [`Error::BatchAlreadyExists`]
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::set_shard_bits())]
        pub fn set_shard_bits(origin: OriginFor<T>, bits: u8) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let utility = match T::Directory::organisation_of(&who) {
                Some((utility, Role::Utility)) => utility,
                _ => return Err(Error::<T>::NotAuthorized.into()),
            };
            ensure!(bits <= MAX_SHARD_BITS, Error::<T>::InvalidShardBits);
            ensure!(Shards::<T>::iter_prefix(utility).next().is_none(), Error::<T>::BatchAlreadyExists);
            ShardBits::<T>::insert(utility, bits);
            Self::deposit_event(Event::ShardBitsSet { utility, bits });
            Ok(())
        }

        /// Replaces the calendar: the days of 92 and of 100 intervals, ascending. By the council.
        ///
        /// Days for which cells exist must keep their length; the council answers for that.
        ///
        /// # Events
        /// [`Event::CalendarSet`]
        ///
        /// # Errors
        /// [`Error::InvalidCalendar`]
        #[pallet::call_index(2)]
        #[pallet::weight(<T as Config>::WeightInfo::set_calendar())]
        pub fn set_calendar(
            origin: OriginFor<T>,
            short: BoundedVec<OperatingDay, ConstU32<256>>,
            long: BoundedVec<OperatingDay, ConstU32<256>>,
        ) -> DispatchResult {
            ensure_root(origin)?;
            let days = CalendarDays::new(&short, &long).ok_or(Error::<T>::InvalidCalendar)?;
            Calendar::<T>::put(days);
            let count = |days: &[OperatingDay]| u32::try_from(days.len()).unwrap_or(u32::MAX);
            Self::deposit_event(Event::CalendarSet { short: count(&short), long: count(&long) });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// How many leading bits of a MeterId name a shard of this utility, once chosen or fixed by its first batch.
        pub fn shard_bits(utility: &OrganisationId) -> Option<u8> {
            ShardBits::<T>::get(utility)
        }

        /// All shards that have a batch: utility, its shard bits, shard number, newest state (runtime API `shards`).
        pub fn shards() -> Vec<(OrganisationId, u8, u16, ShardState)> {
            Shards::<T>::iter()
                .map(|(utility, shard, state)| (utility, Self::shard_bits(&utility).unwrap_or_default(), shard, state))
                .collect()
        }

        /// One batch (runtime API `batch`).
        pub fn batch(utility: OrganisationId, shard: u16, sequence: u32) -> Option<Batch<BlockNumberFor<T>>> {
            Batches::<T>::get((utility, shard, sequence))
        }

        /// The days of 92 and of 100 intervals (runtime API `calendar`).
        pub fn calendar() -> (Vec<OperatingDay>, Vec<OperatingDay>) {
            let CalendarDays { short, long } = Calendar::<T>::get();
            (short.into_inner(), long.into_inner())
        }
    }
}
