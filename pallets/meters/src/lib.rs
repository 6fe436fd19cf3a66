//! Meters as held by one customer: registration, claims, tenancies and key epochs.
//!
//! A utility registers each tenancy of a meter under a [`MeterId`] that nobody else can compute. A customer proves with a
//! claim ticket that the meter is hers (protocol section 7); the utility closes the tenancy when she moves out. Each
//! meter has a key epoch that rises in the block in which anybody's access ends (protocol section 4), and the chain
//! remembers where each epoch began, so that everybody can tell under which epoch a cell had to be sealed.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
extern crate alloc;

mod access;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod calls;
mod epochs;
mod try_state;
mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use access::{verify_sr25519, TenancyEnded};
pub use pallet::*;
pub use weights::{SubstrateWeight, WeightInfo};

/// Most entries of one [`Pallet::sync`].
pub const MAX_ENTRIES: u32 = 256;
/// Most blocks for which a statement may be good, the present one not counted (some 2 hours and 16 minutes): what a
/// customer signs cannot be kept back and used when she no longer thinks of it.
pub const LONGEST_STATEMENT: u32 = 4_096;
/// Most meters that one account may hold, so that a stolen pile of tickets does not become one account's treasure.
pub const MAX_CLAIMS: u32 = 16;

/// The pallet: its storage, calls and events.
#[allow(clippy::expect_used, reason = "only FRAME's generated code does, where it cannot fail")]
#[frame_support::pallet]
pub mod pallet {
    use super::{TenancyEnded, WeightInfo, LONGEST_STATEMENT, MAX_ENTRIES};
    use frame_support::{dispatch::WithPostDispatchInfo, pallet_prelude::*};
    use frame_system::pallet_prelude::*;
    use pallet_participants::{Directory, Today};
    use sealed_register::{statement, MeterId, OperatingDay, OrganisationId};
    use sp_runtime::traits::SaturatedConversion;
    use wattseal_primitives::{
        meters::{Meter, MeterEntry},
        AccountId, Hash,
    };

    /// What the pallet needs from its surroundings.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, Hash = Hash, RuntimeEvent: From<Event<Self>>>
    {
        /// Who is who.
        type Directory: Directory<AccountId>;
        /// The local day.
        type Clock: Today;
        /// Told when a tenancy ends or a meter changes hands: ends the consents (pallet-consent).
        type TenancyEnd: TenancyEnded;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Every meter ever registered, by utility and MeterId.
    #[pallet::storage]
    pub type Meters<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        OrganisationId,
        Blake2_128Concat,
        MeterId,
        Meter<AccountId, BlockNumberFor<T>>,
    >;

    /// Block in which each key epoch of a meter began, by utility, MeterId and epoch. Epoch 0 begins with registration.
    #[pallet::storage]
    pub type EpochStarts<T: Config> = StorageNMap<
        _,
        (NMapKey<Blake2_128Concat, OrganisationId>, NMapKey<Blake2_128Concat, MeterId>, NMapKey<Blake2_128Concat, u32>),
        BlockNumberFor<T>,
    >;

    /// The meters that an account holds.
    #[pallet::storage]
    pub type ClaimedBy<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Blake2_128Concat, (OrganisationId, MeterId), ()>;

    /// Number of meters that an account holds; no entry for none.
    #[pallet::storage]
    pub type ClaimCount<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, u32, ValueQuery>;

    /// What happened to meters.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A utility registered or changed meters.
        MetersSynced {
            /// The utility.
            utility: OrganisationId,
            /// Meters that were new.
            added: u32,
            /// Meters that were known and are different now.
            changed: u32,
            /// Meters that were known and are as before.
            unchanged: u32,
        },
        /// A customer holds a meter.
        MeterClaimed {
            /// The utility that measures.
            utility: OrganisationId,
            /// The meter.
            meter: MeterId,
            /// The customer's account.
            customer: AccountId,
            /// Issue of the ticket.
            ticket_issue: u32,
            /// Who held the meter before.
            replaced: Option<AccountId>,
        },
        /// A tenancy ended.
        TenancyClosed {
            /// The utility that measures.
            utility: OrganisationId,
            /// The meter.
            meter: MeterId,
            /// Its last day.
            last_day: OperatingDay,
        },
        /// A meter's key epoch rose: cells are sealed under the new epoch from this block's state on.
        EpochRaised {
            /// The utility that measures.
            utility: OrganisationId,
            /// The meter.
            meter: MeterId,
            /// The new epoch.
            epoch: u32,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account may not do this: see the call's documentation for who may.
        NotAuthorized,
        /// No such meter of this utility.
        NotFound,
        /// The entry's first day of the tenancy differs from the registered one. Another tenancy is another MeterId.
        InvalidTenancyStart,
        /// The entry has the registered ticket number with another ticket key (another ticket needs a higher number),
        /// or a ticket key of zeros, with which anybody could sign.
        InvalidTicketKey,
        /// The tenancy has ended; nothing of it can change.
        TenancyOver,
        /// The last day lies before the tenancy's first day or after today.
        InvalidLastDay,
        /// The ticket's number is not the newest of this meter: ask the utility for a new ticket.
        InvalidTicketIssue,
        /// This ticket has been used. A new one comes from the utility.
        AlreadyClaimed,
        /// The statement's last valid block has passed: sign it anew.
        StatementExpired,
        /// The signature does not fit the statement that these arguments make, or is by another key.
        InvalidSignature,
        /// The account holds as many meters as one account may (16).
        LimitOfClaims,
        /// The statement's last valid block is more than 4,096 blocks away: sign it anew with an earlier one.
        StatementTooLong,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers meters, or brings them up to date. Repeating a call changes nothing.
        ///
        /// Of a meter that is known, the class is replaced, channels are added (never taken away: cells and consents
        /// may rest on them), a ticket with a higher number replaces the one before, and one with a lower number is
        /// ignored, so an old list does no harm. The first day of the tenancy stays. Entries take effect in order.
        ///
        /// Origin: the utility's own account or its feed account. Weight grows with the number of entries.
        ///
        /// # Errors
        /// `NotAuthorized`, `InvalidTenancyStart`, `InvalidTicketKey`, `TenancyOver`; then no entry takes effect.
        ///
        /// # Events
        /// `MetersSynced`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::sync(meters.len() as u32))]
        pub fn sync(
            origin: OriginFor<T>,
            meters: BoundedVec<MeterEntry, ConstU32<MAX_ENTRIES>>,
        ) -> DispatchResultWithPostInfo {
            let utility =
                Self::ensure_registrar(origin).map_err(|error| error.with_weight(T::WeightInfo::refused()))?;
            Self::do_sync(utility, meters)?;
            Ok(().into())
        }

        /// Gives a meter to the customer who shows its claim ticket.
        ///
        /// The ticket's key has signed the claim statement with exactly these fields and this chain's genesis, as text
        /// inside `<Bytes>`; whoever carries it adds nothing. Each ticket is used once. A claim with a newer ticket
        /// replaces the one before: the earlier holder's consents end and the epoch rises. It is also allowed after
        /// the tenancy has ended, since the customer may read her own past.
        ///
        /// Origin: any admitted participant, its feed or delivery account, or an account that already holds a meter.
        ///
        /// # Errors
        /// `NotAuthorized`, `StatementExpired`, `StatementTooLong`, `NotFound`, `InvalidTicketIssue`, `AlreadyClaimed`,
        /// `LimitOfClaims`, `InvalidSignature`.
        ///
        /// # Events
        /// `MeterClaimed`; when replaced also `EpochRaised` and those of the consents that end.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::claim().saturating_add(T::TenancyEnd::weight()))]
        #[allow(
            clippy::too_many_arguments,
            reason = "the statement's fields stand singly so that people can read the call"
        )]
        pub fn claim(
            origin: OriginFor<T>,
            utility: OrganisationId,
            meter: MeterId,
            ticket_issue: u32,
            customer: AccountId,
            kem_hash: sealed_register::Hash,
            last_block: u32,
            signature: [u8; 64],
        ) -> DispatchResultWithPostInfo {
            let refused = |error: DispatchError| error.with_weight(T::WeightInfo::refused());
            let relayer = ensure_signed(origin).map_err(|error| refused(error.into()))?;
            ensure!(Self::may_relay(&relayer), refused(Error::<T>::NotAuthorized.into()));
            let claim = statement::Claim {
                genesis: Self::genesis(),
                utility,
                meter,
                issue: ticket_issue,
                customer: customer.into(),
                kem_key: kem_hash,
                last_valid_block: last_block,
            };
            // Every error comes before the first write and before anything that follows from a replacement.
            let replaced = Self::do_claim(&claim, &signature)
                .map_err(|error| error.with_weight(T::WeightInfo::claim_refused()))?;
            let actual = (!replaced).then(T::WeightInfo::claim);
            Ok(actual.into())
        }

        /// Ends a tenancy: its consents end and the epoch rises. Cells of its days may still be amended.
        ///
        /// Origin: the utility's own account or its feed account.
        ///
        /// # Errors
        /// `NotAuthorized`, `NotFound`, `TenancyOver`, `InvalidLastDay`.
        ///
        /// # Events
        /// `TenancyClosed`, `EpochRaised`, and those of the consents that end.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::close().saturating_add(T::TenancyEnd::weight()))]
        pub fn close(origin: OriginFor<T>, meter: MeterId, last_day: OperatingDay) -> DispatchResultWithPostInfo {
            // Every error comes before the first write.
            let closed = Self::ensure_registrar(origin).and_then(|utility| Self::do_close(utility, meter, last_day));
            closed.map_err(|error| error.with_weight(T::WeightInfo::refused()))?;
            Ok(().into())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            let normal = T::BlockWeights::get().get(DispatchClass::Normal).max_extrinsic;
            let fits = |weight: Weight| normal.is_none_or(|limit| weight.all_lte(limit));
            assert!(fits(T::WeightInfo::sync(MAX_ENTRIES)), "a full `sync` must fit into a block");
            let entries = MeterEntry::max_encoded_len().saturating_mul(MAX_ENTRIES as usize);
            let length = *T::BlockLength::get().max.get(DispatchClass::Normal);
            assert!(entries <= length as usize / 4, "a full `sync` must leave room in a block for others");
            let remembered: u32 = <T as frame_system::Config>::BlockHashCount::get().saturated_into();
            assert!(LONGEST_STATEMENT <= remembered, "no statement is good longer than the extrinsic that carries it");
            assert!(
                fits(T::WeightInfo::claim().saturating_add(T::TenancyEnd::weight())),
                "a `claim` that replaces another must fit into a block"
            );
            assert!(
                fits(T::WeightInfo::close().saturating_add(T::TenancyEnd::weight())),
                "a `close` must fit into a block"
            );
        }
    }
}
