//! Who is who on Wattseal: organisations, their accounts and keys, and the gate through which every signed transaction
//! goes on a chain without token and fees.
//!
//! - Calls and storage: [`pallet`]. What other pallets ask: [`Directory`].
//! - The gate: [`CheckParticipation`], with the allow-list of the runtime ([`Classify`]), the table of classes
//!   ([`priority`]) and of refusals ([`refusal`]), and budgets ([`budget`]).
//! - [`MortalOnly`] and [`NonceWindow`] stand in for `CheckMortality` and `CheckNonce` under the same names and encodings.
//!
//! See the README for tables, and architecture.md, "Rules of the chain", for the reasons.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod access;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod budget;
mod calls;
mod extension;
pub mod genesis;
mod mortality;
mod nonce;
pub mod priority;
pub mod refusal;
mod try_state;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use access::{Classify, Directory, IsCustomer, OnAccountChange, Part, Today, CUSTOMER_IN_FLIGHT, IN_FLIGHT};
pub use budget::{Allowance, Allowances, Budget, StandardAllowances};
pub use calls::KEM_KEY_DAYS;
pub use extension::CheckParticipation;
pub use genesis::GenesisOrganisation;
pub use mortality::{MortalOnly, LONGEST_ERA};
pub use nonce::NonceWindow;
pub use pallet::*;
pub use priority::CallClass;
pub use refusal::Refusal;
pub use weights::WeightInfo;

/// The runtime's calls.
pub type CallOf<T> = <T as frame_system::Config>::RuntimeCall;

/// One organisation as it is stored.
pub type OrganisationRecord<T> = wattseal_primitives::organisations::Organisation<
    <T as frame_system::Config>::AccountId,
    frame_system::pallet_prelude::BlockNumberFor<T>,
>;

/// The pallet itself.
#[allow(clippy::expect_used)] // in the code that the macro writes; there is none in what stands here
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::{
        dispatch::{extract_actual_weight, GetDispatchInfo, PostDispatchInfo},
        pallet_prelude::*,
        traits::{Contains, IsSubType, UnfilteredDispatchable},
    };
    use frame_system::pallet_prelude::*;
    use sealed_register::{OperatingDay, OrganisationId};
    use sp_runtime::traits::{Dispatchable, SaturatedConversion};
    use wattseal_primitives::organisations::{Duty, KemKey, Role, Standing, Text, KEM_PUBLIC_BYTES};

    /// Version of the storage below.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// See the crate's documentation.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The runtime's calls, for `enact`.
        type RuntimeCall: Parameter
            + Dispatchable<RuntimeOrigin = Self::RuntimeOrigin, PostInfo = PostDispatchInfo>
            + UnfilteredDispatchable<RuntimeOrigin = Self::RuntimeOrigin>
            + GetDispatchInfo
            + IsSubType<Call<Self>>
            + IsType<<Self as frame_system::Config>::RuntimeCall>;

        /// The council with the majority that changes the consortium and enacts calls as Root.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The accounts that sit on the council, and so may send its class of calls.
        type Councillors: Contains<Self::AccountId>;

        /// Told when another account speaks for an organisation: a seat on the council follows.
        type AccountChange: OnAccountChange<Self::AccountId>;

        /// The chain's calendar.
        type Clock: Today;

        /// Who holds a meter.
        type Customers: IsCustomer<Self::AccountId>;

        /// The allow-list of signed calls.
        type CallClass: Classify<CallOf<Self>>;

        /// Length of a budget period, blocks.
        #[pallet::constant]
        type BudgetPeriod: Get<BlockNumberFor<Self>>;

        /// What an account may send in one budget period.
        #[pallet::constant]
        type Allowances: Get<Allowances>;

        /// Weights of the calls and extensions.
        type WeightInfo: WeightInfo;
    }

    /// All organisations ever admitted, suspended ones too.
    #[pallet::storage]
    pub type Organisations<T: Config> =
        StorageMap<_, Blake2_128Concat, OrganisationId, OrganisationRecord<T>, OptionQuery>;

    /// The organisation for which an account speaks.
    #[pallet::storage]
    pub type OrganisationOf<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, OrganisationId, OptionQuery>;

    /// The utility and the duty that an account does for it.
    #[pallet::storage]
    pub type DutyAccounts<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, (OrganisationId, Duty), OptionQuery>;

    /// The account that does a utility's duty.
    #[pallet::storage]
    pub type DutyOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, OrganisationId, Blake2_128Concat, Duty, T::AccountId, OptionQuery>;

    /// The X-Wing key to which deliveries for an organisation are sealed.
    #[pallet::storage]
    pub type KemKeys<T: Config> = StorageMap<_, Blake2_128Concat, OrganisationId, KemKey, OptionQuery>;

    /// What an account has used of its budget, as of the period in which it last sent something.
    #[pallet::storage]
    pub type Budgets<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Budget, ValueQuery>;

    /// The organisations with which the chain begins.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// In the order of their admission.
        pub organisations: Vec<GenesisOrganisation<T::AccountId>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            genesis::build::<T>(&self.organisations);
        }
    }

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An organisation was admitted.
        OrganisationAdmitted {
            /// Its short name.
            id: OrganisationId,
            /// What it is.
            role: Role,
            /// Its name for people.
            name: Text<64>,
            /// The account that speaks for it.
            account: T::AccountId,
        },
        /// An organisation has a new X-Wing key.
        KemKeySet {
            /// The organisation.
            id: OrganisationId,
            /// Last day (Central Standard Time) on which anything may be sealed to the key.
            last_day: OperatingDay,
        },
        /// An organisation's node answers elsewhere.
        EndpointSet {
            /// The organisation.
            id: OrganisationId,
            /// The address; empty: it runs no node any more.
            endpoint: Text<128>,
        },
        /// Another account speaks for an organisation.
        AccountReplaced {
            /// The organisation.
            id: OrganisationId,
            /// The account before, which has no part any more.
            previous: T::AccountId,
            /// The account now.
            account: T::AccountId,
        },
        /// An account does a duty for a utility.
        DutyAccountSet {
            /// The utility.
            utility: OrganisationId,
            /// The duty.
            duty: Duty,
            /// The account now.
            account: T::AccountId,
            /// The account before, if there was one; it has no part any more.
            previous: Option<T::AccountId>,
        },
        /// The council had a call carried out as Root.
        Enacted {
            /// What became of the call.
            result: DispatchResult,
        },
        /// An organisation may not act until it is reinstated.
        Suspended {
            /// The organisation.
            id: OrganisationId,
        },
        /// An organisation may act again.
        Reinstated {
            /// The organisation.
            id: OrganisationId,
        },
    }

    /// Why a call failed.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such organisation.
        NotFound,
        /// An organisation with this short name exists already.
        AlreadyExists,
        /// The account speaks for an organisation or does a duty already: take another one.
        AccountAlreadyExists,
        /// The sender does not speak for an admitted organisation, or for one whose role does not allow this.
        NotAuthorized,
        /// A name has 1 to 64 bytes of UTF-8 without control characters and without blanks at its ends; a short name 1 to
        /// 16 characters of a-z, 0-9 and '-'.
        InvalidName,
        /// An endpoint is empty or an address like wss://node.example.org in visible ASCII characters.
        InvalidEndpoint,
        /// An X-Wing public key has 1,216 bytes.
        InvalidKemKey,
        /// Only utilities have duties.
        InvalidRole,
        /// The organisation has this standing already.
        InvalidStanding,
        /// `enact` cannot carry another `enact`.
        InvalidCall,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(!T::BudgetPeriod::get().is_zero(), "a budget period has at least one block");
            let remembered: u64 = <T as frame_system::Config>::BlockHashCount::get().saturated_into();
            assert!(remembered >= LONGEST_ERA, "the chain remembers the block at which the longest era begins");
            let allowances = T::Allowances::get();
            let fits = |allowance: Allowance, in_flight: u32| {
                allowance.calls >= in_flight && allowance.bytes > 0 && allowance.ref_time > 0
            };
            assert!(
                fits(allowances.member, IN_FLIGHT)
                    && fits(allowances.vendor, IN_FLIGHT)
                    && fits(allowances.duty, IN_FLIGHT)
                    && fits(allowances.customer, CUSTOMER_IN_FLIGHT),
                "an allowance covers at least what may be in flight at once"
            );
            let largest_block = u64::from(*T::BlockLength::get().max.get(DispatchClass::Normal));
            let period: u64 = T::BudgetPeriod::get().saturated_into();
            assert!(
                u64::from(allowances.member.bytes) < largest_block.saturating_mul(period),
                "no single member can fill all the blocks of a period"
            );
            let weights = T::BlockWeights::get();
            let normal = weights.get(DispatchClass::Normal);
            let longest = normal.max_extrinsic.unwrap_or(weights.max_block).ref_time();
            let room = normal.max_total.unwrap_or(weights.max_block).ref_time().saturating_mul(period);
            for allowance in [allowances.member, allowances.vendor, allowances.duty] {
                assert!(allowance.ref_time >= longest, "the longest extrinsic fits into a whole budget");
                assert!(allowance.ref_time < room, "no single account can use all the time of a period's blocks");
            }
            assert!(allowances.customer.ref_time < room, "no customer can use all the time of a period's blocks");
            let hook = T::AccountChange::weight();
            let longest_own = [
                T::WeightInfo::admit(),
                T::WeightInfo::set_duty_account(),
                T::WeightInfo::rotate_account().saturating_add(hook),
                T::WeightInfo::replace_account().saturating_add(hook),
            ]
            .into_iter()
            .map(|weight| weight.ref_time())
            .fold(0, u64::max);
            assert!(longest_own <= longest / 4, "each call here fits four times into a block");
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Admits an organisation.
        ///
        /// Sent by the council; for vendors also by the grid operator's own account alone. The account gets the reference
        /// without which it could not send anything.
        ///
        /// - `id`: its short name, 1 to 16 characters of `a-z`, `0-9` and `-`; stands for ever.
        /// - `role`: what it is in the market.
        /// - `name`: its name for people, at most 64 bytes of UTF-8.
        /// - `account`: the account that speaks for it, neither an organisation's nor a duty account so far.
        /// - `endpoint`: where its node answers, for example `wss://node.example.org`; empty if it runs none.
        ///
        /// # Errors
        /// `NotAuthorized`, `BadOrigin`, `InvalidName`, `InvalidEndpoint`, `AlreadyExists`, `AccountAlreadyExists`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::admit())]
        pub fn admit(
            origin: OriginFor<T>,
            id: OrganisationId,
            role: Role,
            name: Text<64>,
            account: T::AccountId,
            endpoint: Text<128>,
        ) -> DispatchResult {
            Self::ensure_may_admit(origin, role)?;
            Self::seat(id, role, name, account, endpoint)
        }

        /// Sets the X-Wing public key to which deliveries for the sender's organisation are sealed, good for today and the
        /// 31 days after it (protocol section 8).
        ///
        /// - `key`: exactly 1,216 bytes.
        ///
        /// # Errors
        /// `NotAuthorized`, `InvalidKemKey`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_kem_key())]
        pub fn set_kem_key(origin: OriginFor<T>, key: BoundedVec<u8, ConstU32<KEM_PUBLIC_BYTES>>) -> DispatchResult {
            let (_, id, _) = Self::ensure_organisation(origin)?;
            Self::do_set_kem_key(id, key)
        }

        /// Sets where the node of the sender's organisation answers.
        ///
        /// - `endpoint`: for example `wss://node.example.org`; empty if it runs none.
        ///
        /// # Errors
        /// `NotAuthorized`, `InvalidEndpoint`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_endpoint())]
        pub fn set_endpoint(origin: OriginFor<T>, endpoint: Text<128>) -> DispatchResult {
            let (_, id, _) = Self::ensure_organisation(origin)?;
            Self::do_set_endpoint(id, endpoint)
        }

        /// Lets another account speak for the sender's organisation. The sender has no part any more; what it has used of
        /// its budget goes over to the new account, and so does its seat on the council.
        ///
        /// - `new_account`: neither an organisation's nor a duty account so far, and not on the council.
        ///
        /// # Errors
        /// `NotAuthorized`, `AccountAlreadyExists`; the hook's own when the new account sits on the council already.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::rotate_account().saturating_add(T::AccountChange::weight()))]
        pub fn rotate_account(origin: OriginFor<T>, new_account: T::AccountId) -> DispatchResult {
            let (_, id, _) = Self::ensure_organisation(origin)?;
            Self::do_replace_account(id, new_account)
        }

        /// Gives a duty of the sender's utility to an account. The account that had it has no part any more.
        ///
        /// - `duty`: `Feed` (meters and batches) or `Delivery` (deliveries and relays).
        /// - `account`: neither an organisation's nor a duty account so far.
        ///
        /// # Errors
        /// `NotAuthorized`, `InvalidRole`, `AccountAlreadyExists`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_duty_account())]
        pub fn set_duty_account(origin: OriginFor<T>, duty: Duty, account: T::AccountId) -> DispatchResult {
            let (_, utility, role) = Self::ensure_organisation(origin)?;
            ensure!(role == Role::Utility, Error::<T>::InvalidRole);
            Self::appoint(utility, duty, account)
        }

        /// Carries out a call as Root. Sent by the council: a council's motion has its own origin, never Root.
        ///
        /// Succeeds whatever becomes of the call; the event `Enacted` tells.
        ///
        /// - `call`: the call; not itself an `enact`.
        ///
        /// # Errors
        /// `BadOrigin`, `InvalidCall`.
        #[pallet::call_index(5)]
        #[pallet::weight((
            T::WeightInfo::enact().saturating_add(call.get_dispatch_info().call_weight),
            DispatchClass::Operational,
        ))]
        pub fn enact(origin: OriginFor<T>, call: Box<<T as Config>::RuntimeCall>) -> DispatchResultWithPostInfo {
            T::CouncilOrigin::ensure_origin(origin)?;
            let nested: Option<&Call<T>> = call.is_sub_type();
            ensure!(!matches!(nested, Some(Call::enact { .. })), Error::<T>::InvalidCall);
            let info = call.get_dispatch_info();
            let outcome = call.dispatch_bypass_filter(frame_system::RawOrigin::Root.into());
            let actual = T::WeightInfo::enact().saturating_add(extract_actual_weight(&outcome, &info));
            Self::deposit_event(Event::Enacted { result: outcome.map(|_| ()).map_err(|failed| failed.error) });
            Ok(Some(actual).into())
        }

        /// Suspends an organisation: nothing that its accounts send is taken any more, except its votes in the council.
        /// Sent by the council.
        ///
        /// - `id`: its short name.
        ///
        /// # Errors
        /// `BadOrigin`, `NotFound`, `InvalidStanding`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::suspend())]
        pub fn suspend(origin: OriginFor<T>, id: OrganisationId) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::set_standing(id, Standing::Suspended)?;
            Self::deposit_event(Event::Suspended { id });
            Ok(())
        }

        /// Lets a suspended organisation act again. Sent by the council.
        ///
        /// - `id`: its short name.
        ///
        /// # Errors
        /// `BadOrigin`, `NotFound`, `InvalidStanding`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::reinstate())]
        pub fn reinstate(origin: OriginFor<T>, id: OrganisationId) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::set_standing(id, Standing::Admitted)?;
            Self::deposit_event(Event::Reinstated { id });
            Ok(())
        }

        /// Lets another account speak for an organisation that has lost its own, suspended ones too; its seat on the
        /// council goes over. Sent by the council.
        ///
        /// - `id`: its short name.
        /// - `new_account`: neither an organisation's nor a duty account so far, and not on the council.
        ///
        /// # Errors
        /// `BadOrigin`, `NotFound`, `AccountAlreadyExists`; the hook's own when the new account sits on the council
        /// already.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::replace_account().saturating_add(T::AccountChange::weight()))]
        pub fn replace_account(origin: OriginFor<T>, id: OrganisationId, new_account: T::AccountId) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_replace_account(id, new_account)
        }
    }
}
