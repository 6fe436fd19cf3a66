//! Consents: what customers allow, where the keys of it lie, and when it ends.
//!
//! A customer signs a consent as text; anybody in the consortium carries it to the chain (protocol section 7). The chain
//! shows what may be read and until when, and a hash in place of the vendor. The utility or the customer delivers the
//! keys in the block's body, and state keeps where they lie (section 8). Every end of a consent, whatever its reason,
//! raises the meter's key epoch in the same block, and vaults ask [`Pallet::may_read`] before they serve (section 9).
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod access;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod deliveries;
mod ends;
mod statements;
mod try_state;
mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use weights::{SubstrateWeight, WeightInfo};

use wattseal_primitives::{consent::Consent, AccountId};

/// Most consents of one meter that stand at the same time.
pub const MAX_STANDING: u32 = 32;
/// Most segments of a delivery (protocol section 8).
pub const MAX_SEGMENTS: u32 = sealed_register::delivery::MAX_SEGMENTS as u32;
/// Longest delivery, bytes (protocol section 8).
pub const MAX_DELIVERY_BYTES: u32 = sealed_register::delivery::MAX_DELIVERY_BYTES as u32;
/// Length of a sealed meter key, bytes (protocol section 8).
pub const METER_KEY_BYTES: u32 = sealed_register::delivery::METER_KEY_BYTES as u32;
/// Most consents that the chain ends by itself in one block; [`Pallet::expire`] ends any other whose time is over.
pub const EXPIRATIONS_PER_BLOCK: u32 = 32;
/// Most days that one block goes through in search of consents whose time is over: after a halt of the chain it takes
/// some blocks to catch up.
pub const DAYS_PER_BLOCK: u32 = 8;
/// Longest term of consents by residential and small commercial customers, days, until the council sets another:
/// 12 months (PUCT docket 47472).
pub const DEFAULT_LONGEST_TERM: u16 = 366;

/// A consent in this chain's types.
pub(crate) type ConsentOf<T> = Consent<AccountId, frame_system::pallet_prelude::BlockNumberFor<T>>;

/// The pallet: its storage, calls and events.
#[allow(clippy::expect_used, reason = "only FRAME's generated code does, where it cannot fail")]
#[frame_support::pallet]
pub mod pallet {
    use super::{
        WeightInfo, DAYS_PER_BLOCK, DEFAULT_LONGEST_TERM, EXPIRATIONS_PER_BLOCK, MAX_DELIVERY_BYTES, MAX_SEGMENTS,
        MAX_STANDING, METER_KEY_BYTES,
    };
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use pallet_meters::TenancyEnded;
    use sealed_register::{
        delivery::{ConsentTerms, Deliverer, Purpose, Segment},
        statement, Channels, DayRange, Level, MeterId, OperatingDay, OrganisationId,
    };
    use wattseal_primitives::{
        consent::{Consent, ConsentEnd, ConsentId, DeliverySlot},
        AccountId,
    };

    /// What the pallet needs from its surroundings. Meters, participants and the clock come from pallet-meters, whose
    /// `TenancyEnd` must be this pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> + pallet_meters::Config {
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Every consent ever given, by the hash of its statement. None is removed: no statement can be used twice.
    #[pallet::storage]
    pub type Consents<T: Config> = StorageMap<_, Blake2_128Concat, ConsentId, Consent<AccountId, BlockNumberFor<T>>>;

    /// The consents of a meter that stand.
    #[pallet::storage]
    pub type StandingOf<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        OrganisationId,
        Blake2_128Concat,
        MeterId,
        BoundedVec<ConsentId, ConstU32<MAX_STANDING>>,
        ValueQuery,
    >;

    /// The standing consents by their last access day.
    #[pallet::storage]
    pub type ExpiringOn<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, OperatingDay, Blake2_128Concat, ConsentId, ()>;

    /// The last day of which every consent that had it as its last access day has ended.
    #[pallet::storage]
    pub type ExpiredThrough<T: Config> = StorageValue<_, OperatingDay>;

    /// Where the keys of a consent lie, by consent, key epoch of the meter, and who delivered.
    #[pallet::storage]
    pub type Deliveries<T: Config> = StorageNMap<
        _,
        (NMapKey<Blake2_128Concat, ConsentId>, NMapKey<Blake2_128Concat, u32>, NMapKey<Blake2_128Concat, Deliverer>),
        DeliverySlot<BlockNumberFor<T>>,
    >;

    /// Where the meter's own key lies, sealed to the X-Wing key of its present claim.
    #[pallet::storage]
    pub type MeterKeyDeliveries<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        OrganisationId,
        Blake2_128Concat,
        MeterId,
        DeliverySlot<BlockNumberFor<T>>,
    >;

    /// The longest term at its beginning.
    #[pallet::type_value]
    pub fn InitialLongestTerm() -> u16 {
        DEFAULT_LONGEST_TERM
    }

    /// Most days from today to the last access day that a consent of a residential or small commercial customer may
    /// have when it is given.
    #[pallet::storage]
    pub type LongestTerm<T: Config> = StorageValue<_, u16, ValueQuery, InitialLongestTerm>;

    /// What happened to consents.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A customer gave a consent.
        ConsentGiven {
            /// The consent: the hash of its statement.
            consent: ConsentId,
            /// The utility that measures.
            utility: OrganisationId,
            /// The meter.
            meter: MeterId,
            /// The customer.
            customer: AccountId,
            /// What may be read.
            channels: Channels,
            /// The finest resolution that may be read.
            level: Level,
            /// Operating days that may be read.
            data: DayRange,
            /// Days on which they may be read.
            access: DayRange,
            /// What for.
            purpose: Purpose,
        },
        /// A customer made a consent narrower.
        ConsentNarrowed {
            /// The consent.
            consent: ConsentId,
            /// What may still be read.
            channels: Channels,
            /// The finest resolution that may still be read.
            level: Level,
            /// Operating days that may still be read.
            data: DayRange,
            /// Days on which they may still be read.
            access: DayRange,
        },
        /// A consent no longer stands.
        ConsentEnded {
            /// The consent.
            consent: ConsentId,
            /// The utility that measures.
            utility: OrganisationId,
            /// The meter.
            meter: MeterId,
            /// Why.
            why: ConsentEnd,
        },
        /// Keys of a consent were delivered in this extrinsic.
        KeysDelivered {
            /// The consent.
            consent: ConsentId,
            /// Key epoch of the meter.
            epoch: u32,
            /// Who delivered.
            deliverer: Deliverer,
            /// Length of what was delivered, bytes.
            bytes: u32,
        },
        /// A meter's own key was delivered to its customer in this extrinsic.
        MeterKeyDelivered {
            /// The utility that measures.
            utility: OrganisationId,
            /// The meter.
            meter: MeterId,
        },
        /// The council set the longest term.
        LongestTermSet {
            /// Days.
            days: u16,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account may not do this: see the call's documentation for who may.
        NotAuthorized,
        /// No such consent.
        NotFound,
        /// This statement has been used.
        AlreadyExists,
        /// The consent has ended already.
        AlreadyEnded,
        /// The consent's last access day has passed.
        Expired,
        /// The consent's last access day has not passed.
        NotExpired,
        /// No such meter of this utility.
        UnknownMeter,
        /// The account that should sign does not hold the meter.
        NotTheHolder,
        /// The meter's tenancy has ended: nothing of it can be allowed any more.
        TenancyOver,
        /// The meter does not record a channel that the consent names.
        InvalidChannels,
        /// A range ends before it begins, lies before the tenancy, or lies beyond the key trees (2089-09-17).
        InvalidData,
        /// The access window ends before it begins, or has passed.
        InvalidAccess,
        /// The last access day is farther away than the longest term of this kind of customer.
        LimitOfTerm,
        /// The meter has as many standing consents as one meter may have (32): revoke one first.
        LimitOfConsents,
        /// The statement's last valid block has passed: sign it anew.
        StatementExpired,
        /// The signature does not fit the statement that these arguments make, or is by another key.
        InvalidSignature,
        /// The new terms are wider in something, or the same.
        NotNarrower,
        /// The organisation for which the account speaks and the secret are not those of the consent's grantee.
        NotTheGrantee,
        /// The delivery is not for the meter's present key epoch: make it anew.
        InvalidEpoch,
        /// The meter's key epoch began in this block: deliver in a later one.
        EpochNotSettled,
        /// The sealed bytes are no delivery of these segments, not one that this consent needs, or for another claim.
        InvalidDelivery,
        /// Not inside an extrinsic, where a delivery has to lie.
        NotAnExtrinsic,
        /// A term has at least one day.
        InvalidTerm,
        /// The statement's last valid block is more than 4,096 blocks away: sign it anew with an earlier one.
        StatementTooLong,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Enters a consent that the customer signed.
        ///
        /// The customer's key has signed the consent statement with exactly these fields and this chain's genesis, as
        /// text inside `<Bytes>`; whoever carries it adds nothing. The customer must hold the meter, the channels must
        /// be recorded, the access window must not have passed, and for residential and small commercial customers its
        /// last day is at most the longest term away.
        ///
        /// Origin: any admitted participant, its feed or delivery account, or a customer who holds a meter.
        ///
        /// # Errors
        /// `NotAuthorized`, `StatementExpired`, `StatementTooLong`, `InvalidData`, `InvalidAccess`, `UnknownMeter`,
        /// `TenancyOver`, `NotTheHolder`, `InvalidChannels`, `LimitOfTerm`, `AlreadyExists`, `LimitOfConsents`,
        /// `InvalidSignature`.
        ///
        /// # Events
        /// `ConsentGiven`.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::consent())]
        pub fn consent(
            origin: OriginFor<T>,
            terms: ConsentTerms,
            customer: AccountId,
            last_block: u32,
            signature: [u8; 64],
        ) -> DispatchResult {
            Self::ensure_relayer(origin)?;
            let statement = statement::Consent {
                genesis: pallet_meters::Pallet::<T>::genesis(),
                terms,
                customer: customer.into(),
                last_valid_block: last_block,
            };
            Self::do_consent(&statement, &signature)
        }

        /// Ends a consent, as its customer signed.
        ///
        /// Origin: any admitted participant, its feed or delivery account, or a customer who holds a meter.
        ///
        /// # Errors
        /// `NotAuthorized`, `StatementExpired`, `StatementTooLong`, `NotFound`, `AlreadyEnded`, `InvalidSignature`.
        ///
        /// # Events
        /// `ConsentEnded`, and `EpochRaised` of the meter.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::revoke())]
        pub fn revoke(
            origin: OriginFor<T>,
            consent: ConsentId,
            last_block: u32,
            signature: [u8; 64],
        ) -> DispatchResult {
            Self::ensure_relayer(origin)?;
            let statement = statement::Revoke {
                genesis: pallet_meters::Pallet::<T>::genesis(),
                consent,
                last_valid_block: last_block,
            };
            Self::do_revoke(&statement, &signature)
        }

        /// Makes a consent narrower, as its customer signed: no field may be wider than it is now and one must be
        /// narrower, so a statement does nothing when it comes a second time. The epoch rises, since access ends.
        ///
        /// Origin: any admitted participant, its feed or delivery account, or a customer who holds a meter.
        ///
        /// # Errors
        /// `NotAuthorized`, `StatementExpired`, `StatementTooLong`, `NotFound`, `AlreadyEnded`, `Expired`,
        /// `NotNarrower`, `InvalidAccess`, `InvalidSignature`.
        ///
        /// # Events
        /// `ConsentNarrowed`, and `EpochRaised` of the meter.
        #[pallet::call_index(2)]
        #[pallet::weight(<T as Config>::WeightInfo::narrow())]
        #[allow(
            clippy::too_many_arguments,
            reason = "the statement's fields stand singly so that people can read the call"
        )]
        pub fn narrow(
            origin: OriginFor<T>,
            consent: ConsentId,
            channels: Channels,
            level: Level,
            data: DayRange,
            access: DayRange,
            last_block: u32,
            signature: [u8; 64],
        ) -> DispatchResult {
            Self::ensure_relayer(origin)?;
            let statement = statement::Narrow {
                genesis: pallet_meters::Pallet::<T>::genesis(),
                consent,
                channels,
                level,
                data,
                access,
                last_valid_block: last_block,
            };
            Self::do_narrow(&statement, &signature)
        }

        /// Delivers the keys of a consent for the meter's present key epoch: the sealed bytes stand in this extrinsic,
        /// state keeps where. A later delivery by the same role for the same epoch takes its place.
        ///
        /// The segments are those inside the sealed bytes, here for people to read. They must be a plan for the
        /// consent: epochs ascending, days inside its data range, the last one of the present epoch and all of the
        /// range; and the sealed bytes must have exactly the length that this plan needs.
        ///
        /// Origin: the delivery account of the meter's utility, or the customer who gave the consent.
        ///
        /// # Errors
        /// `NotFound`, `AlreadyEnded`, `NotAuthorized`, `Expired`, `InvalidEpoch`, `EpochNotSettled`,
        /// `InvalidDelivery`, `NotAnExtrinsic`.
        ///
        /// # Events
        /// `KeysDelivered`.
        #[pallet::call_index(3)]
        #[pallet::weight(<T as Config>::WeightInfo::deliver(sealed.len() as u32))]
        pub fn deliver(
            origin: OriginFor<T>,
            consent: ConsentId,
            epoch: u32,
            segments: BoundedVec<Segment, ConstU32<MAX_SEGMENTS>>,
            sealed: BoundedVec<u8, ConstU32<MAX_DELIVERY_BYTES>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deliver(&who, consent, epoch, &segments, &sealed)
        }

        /// Delivers a meter's own key to the customer who holds it, sealed to the X-Wing key of her claim. A later
        /// delivery takes its place; a new claim makes it void, also one that came while this was on its way: the
        /// ticket's issue must be that of the present claim.
        ///
        /// Origin: the delivery account of the meter's utility.
        ///
        /// # Errors
        /// `NotAuthorized`, `UnknownMeter`, `NotTheHolder` (nobody holds the meter), `InvalidDelivery`,
        /// `NotAnExtrinsic`.
        ///
        /// # Events
        /// `MeterKeyDelivered`.
        #[pallet::call_index(4)]
        #[pallet::weight(<T as Config>::WeightInfo::deliver_meter_key())]
        pub fn deliver_meter_key(
            origin: OriginFor<T>,
            meter: MeterId,
            ticket_issue: u32,
            sealed: BoundedVec<u8, ConstU32<METER_KEY_BYTES>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_deliver_meter_key(&who, meter, ticket_issue, &sealed)
        }

        /// Ends a consent that the vendor no longer wants. This shows on chain whose consent it was: a vendor that does
        /// not want that lets it expire.
        ///
        /// Origin: the account of the vendor that with the secret gives the consent's grantee.
        ///
        /// # Errors
        /// `NotFound`, `AlreadyEnded`, `NotTheGrantee`.
        ///
        /// # Events
        /// `ConsentEnded`, and `EpochRaised` of the meter.
        #[pallet::call_index(5)]
        #[pallet::weight(<T as Config>::WeightInfo::give_back())]
        pub fn give_back(origin: OriginFor<T>, consent: ConsentId, secret: [u8; 32]) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_give_back(&who, consent, &secret)
        }

        /// Ends a consent whose last access day has passed, before the chain comes to it by itself.
        ///
        /// Origin: any admitted participant, its feed or delivery account, or a customer who holds a meter.
        ///
        /// # Errors
        /// `NotAuthorized`, `NotFound`, `AlreadyEnded`, `NotExpired`.
        ///
        /// # Events
        /// `ConsentEnded`, and `EpochRaised` of the meter.
        #[pallet::call_index(6)]
        #[pallet::weight(<T as Config>::WeightInfo::expire())]
        pub fn expire(origin: OriginFor<T>, consent: ConsentId) -> DispatchResult {
            Self::ensure_relayer(origin)?;
            Self::do_expire(consent)
        }

        /// Sets the longest term, in days, for consents given from now on.
        ///
        /// Origin: Root (the council through `participants.enact`).
        ///
        /// # Errors
        /// `InvalidTerm` for zero.
        ///
        /// # Events
        /// `LongestTermSet`.
        #[pallet::call_index(7)]
        #[pallet::weight(<T as Config>::WeightInfo::set_longest_term())]
        pub fn set_longest_term(origin: OriginFor<T>, days: u16) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(days > 0, Error::<T>::InvalidTerm);
            LongestTerm::<T>::put(days);
            Self::deposit_event(Event::LongestTermSet { days });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_now: BlockNumberFor<T>) -> Weight {
            Self::end_expired()
        }

        fn integrity_test() {
            let blocks = T::BlockWeights::get();
            let normal = blocks.get(DispatchClass::Normal).max_extrinsic;
            let fits = |weight: Weight| normal.is_none_or(|limit| weight.all_lte(limit));
            assert!(
                fits(<T as Config>::WeightInfo::deliver(MAX_DELIVERY_BYTES)),
                "the longest `deliver` must fit into a block"
            );
            let length = *T::BlockLength::get().max.get(DispatchClass::Normal);
            let delivery = MAX_DELIVERY_BYTES.saturating_add(Segment::max_encoded_len() as u32 * MAX_SEGMENTS);
            assert!(delivery <= length / 4, "the longest `deliver` must leave room in a block for others");
            assert!(fits(<T as Config>::WeightInfo::consent()), "a `consent` must fit into a block");
            let ends = [
                <T as Config>::WeightInfo::revoke(),
                <T as Config>::WeightInfo::narrow(),
                <T as Config>::WeightInfo::give_back(),
                <T as Config>::WeightInfo::expire(),
            ];
            assert!(ends.into_iter().all(fits), "whatever ends access must fit into a block");
            assert!(fits(<Self as TenancyEnded>::weight()), "the end of a full meter must fit into a block");
            let hook = <T as Config>::WeightInfo::end_expired(DAYS_PER_BLOCK, EXPIRATIONS_PER_BLOCK);
            assert!(
                hook.all_lte(blocks.max_block.saturating_div(10)),
                "expirations must leave nine tenths of a block to extrinsics"
            );
        }
    }
}
