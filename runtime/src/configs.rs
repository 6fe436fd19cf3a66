//! What each pallet is told.

use crate::{
    access, weights, AccountId, Address, Aura, Block, BlockNumber, Consents, Council, CouncilMembership, Hash, Meters,
    Nonce, PalletInfo, Participants, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, VERSION,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchResult,
    parameter_types,
    traits::{ConstBool, ConstU32, ConstU64, Contains},
    weights::{
        constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS},
        Weight,
    },
};
use frame_system::{
    limits::{BlockLength, BlockWeights},
    EnsureRoot,
};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;
use wattseal_primitives::{OperatingDay, BLOCK_HASH_COUNT, SLOT_MILLISECONDS};

/// Share of a block that ordinary extrinsics may fill.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);

parameter_types! {
    /// Blocks whose hashes are remembered.
    pub const BlockHashCount: BlockNumber = BLOCK_HASH_COUNT;
    /// The version of this runtime.
    pub const Version: RuntimeVersion = VERSION;
    /// Half a second of computation in each two-second slot.
    pub RuntimeBlockWeights: BlockWeights =
        BlockWeights::with_sensible_defaults(Weight::from_parts(500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX), NORMAL_RATIO);
    /// Five megabytes.
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(5 * 1024 * 1024)
        .modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |length| {
            *length = NORMAL_RATIO * *length
        })
        .build();
    /// Addresses begin with this prefix (generic Substrate).
    pub const SS58Prefix: u8 = 42;
    /// A council motion may be as heavy as half a block's share.
    pub MaxProposalWeight: Weight = Perbill::from_percent(50) * RuntimeBlockWeights::get().max_block;
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockHashCount = BlockHashCount;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type AccountId = AccountId;
    type Lookup = sp_runtime::traits::AccountIdLookup<AccountId, ()>;
    type Nonce = Nonce;
    type Hash = Hash;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type SS58Prefix = SS58Prefix;
    type AccountData = ();
    type MaxConsumers = ConstU32<16>;
    type SystemWeightInfo = weights::frame_system::Weights<Runtime>;
    type ExtensionsWeightInfo = weights::frame_system_extensions::Weights<Runtime>;
    type SingleBlockMigrations = crate::SingleBlockMigrations;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<{ SLOT_MILLISECONDS / 2 }>;
    type WeightInfo = weights::pallet_timestamp::Weights<Runtime>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type DisabledValidators = ();
    type MaxAuthorities = ConstU32<32>;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<SLOT_MILLISECONDS>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<32>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

/// Most members of the council.
const MAX_COUNCIL: u32 = 32;
/// Most motions of the council at the same time.
const MAX_MOTIONS: u32 = 32;

/// The council: two thirds of it act as Root through `participants.enact`.
pub type CouncilInstance = pallet_collective::Instance1;

impl pallet_collective::Config<CouncilInstance> for Runtime {
    type RuntimeOrigin = RuntimeOrigin;
    type Proposal = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    // A day.
    type MotionDuration = ConstU32<43_200>;
    type MaxProposals = ConstU32<MAX_MOTIONS>;
    type MaxMembers = ConstU32<MAX_COUNCIL>;
    type DefaultVote = AbstentionIsNo;
    type WeightInfo = weights::pallet_collective::Weights<Runtime>;
    type SetMembersOrigin = EnsureRoot<AccountId>;
    type MaxProposalWeight = MaxProposalWeight;
    type DisapproveOrigin = EnsureRoot<AccountId>;
    type KillOrigin = EnsureRoot<AccountId>;
    type Consideration = ();
}

/// Who has not voted when a motion's time is over has not agreed: otherwise a bare majority would be enough to act as
/// Root.
pub struct AbstentionIsNo;

impl pallet_collective::DefaultVote for AbstentionIsNo {
    fn default_vote(_prime_vote: Option<bool>, _yes_votes: u32, _no_votes: u32, _len: u32) -> bool {
        false
    }
}

impl pallet_membership::Config<pallet_membership::Instance1> for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type AddOrigin = EnsureRoot<AccountId>;
    type RemoveOrigin = EnsureRoot<AccountId>;
    type SwapOrigin = EnsureRoot<AccountId>;
    type ResetOrigin = EnsureRoot<AccountId>;
    type PrimeOrigin = EnsureRoot<AccountId>;
    type MembershipInitialized = Council;
    type MembershipChanged = Council;
    type MaxMembers = ConstU32<MAX_COUNCIL>;
    type WeightInfo = weights::pallet_membership::Weights<Runtime>;
}

/// The seats of the council. A seat belongs to an organisation and follows its account.
pub struct CouncilSeats;

impl Contains<AccountId> for CouncilSeats {
    fn contains(who: &AccountId) -> bool {
        pallet_collective::Members::<Runtime, CouncilInstance>::get().contains(who)
    }
}

impl pallet_participants::OnAccountChange<AccountId> for CouncilSeats {
    /// The votes of the old account on open motions fall away; the new one may vote on them.
    fn changed(old: &AccountId, new: &AccountId) -> DispatchResult {
        if !pallet_membership::Members::<Runtime, pallet_membership::Instance1>::get().contains(old) {
            return Ok(());
        }
        CouncilMembership::change_key(RuntimeOrigin::signed(old.clone()), Address::Id(new.clone()))
            .map(|_| ())
            .map_err(|failed| failed.error)
    }

    fn weight() -> Weight {
        use pallet_membership::weights::WeightInfo;
        // Besides what the membership counts: each open motion's votes, and here the members before anything else.
        <Runtime as pallet_membership::Config<pallet_membership::Instance1>>::WeightInfo::change_key(MAX_COUNCIL)
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(MAX_MOTIONS) + 1, MAX_MOTIONS.into()))
    }
}

/// At least two thirds of the council.
pub type TwoThirds = pallet_collective::EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>;

impl pallet_participants::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type CouncilOrigin = TwoThirds;
    type Councillors = CouncilSeats;
    type AccountChange = CouncilSeats;
    type Clock = Clock;
    type CallClass = access::AllowList;
    type Customers = Meters;
    type BudgetPeriod = ConstU32<300>;
    type Allowances = pallet_participants::StandardAllowances;
    type WeightInfo = pallet_participants::weights::SubstrateWeight<Runtime>;
}

impl pallet_meters::Config for Runtime {
    type Directory = Participants;
    type Clock = Clock;
    type TenancyEnd = Consents;
    type WeightInfo = pallet_meters::SubstrateWeight<Runtime>;
}

impl pallet_usage::Config for Runtime {
    type Submit = crate::submit::Worker;
    type WeightInfo = pallet_usage::weights::SubstrateWeight<Runtime>;
}

impl pallet_consent::Config for Runtime {
    type WeightInfo = pallet_consent::SubstrateWeight<Runtime>;
}

/// The chain's clock by Central Standard Time.
pub struct Clock;

impl pallet_participants::Today for Clock {
    fn today() -> OperatingDay {
        wattseal_primitives::central_day(pallet_timestamp::Now::<Runtime>::get())
    }

    /// Noon by Central Standard Time.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_today(day: OperatingDay) {
        const HOUR: u64 = 3_600_000;
        let days = u64::from(day.0).saturating_add(OperatingDay::UNIX_DAYS_AT_ZERO as u64);
        pallet_timestamp::Now::<Runtime>::put(days.saturating_mul(24 * HOUR).saturating_add(18 * HOUR));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuntimeGenesisConfig, System};
    use frame_support::{assert_noop, assert_ok};
    use pallet_collective::DefaultVote;
    use pallet_participants::{GenesisOrganisation, Refusal};
    use sp_runtime::{BuildStorage, TryRuntimeError};
    use wattseal_primitives::{organisations::Role, Hash};

    const OPERATOR: AccountId = AccountId::new([1; 32]);
    const REGULATOR: AccountId = AccountId::new([2; 32]);
    const VENDOR: AccountId = AccountId::new([3; 32]);
    const NEW: AccountId = AccountId::new([9; 32]);

    type Motions = pallet_collective::Call<Runtime, CouncilInstance>;

    /// A chain with a council of the grid operator and the regulator.
    fn on_chain(test: impl FnOnce()) {
        let organisation = |id: &str, role, account| GenesisOrganisation {
            id: id.into(),
            role,
            name: id.into(),
            account,
            endpoint: String::new(),
            feed: None,
            delivery: None,
        };
        let organisations = vec![
            organisation("operator", Role::GridOperator, OPERATOR),
            organisation("regulator", Role::Regulator, REGULATOR),
            organisation("vendor", Role::Vendor, VENDOR),
        ];
        let genesis = RuntimeGenesisConfig {
            council_membership: pallet_membership::GenesisConfig {
                members: vec![OPERATOR, REGULATOR].try_into().unwrap(),
                ..Default::default()
            },
            participants: pallet_participants::GenesisConfig { organisations },
            ..Default::default()
        };
        sp_io::TestExternalities::new(genesis.build_storage().unwrap()).execute_with(|| {
            System::set_block_number(1);
            test();
            let checked: Result<(), TryRuntimeError> = Participants::do_try_state();
            assert_ok!(checked);
        });
    }

    fn seats() -> Vec<AccountId> {
        let members = pallet_membership::Members::<Runtime, pallet_membership::Instance1>::get().into_inner();
        assert_eq!(pallet_collective::Members::<Runtime, CouncilInstance>::get(), members);
        members
    }

    fn vote() -> RuntimeCall {
        Motions::vote { proposal: Hash::zero(), index: 0, approve: true }.into()
    }

    fn may_vote(who: &AccountId) -> Result<(), Refusal> {
        Participants::admission(who, &vote(), 200, Weight::from_parts(1_000_000, 0)).map(|_| ())
    }

    #[test]
    fn a_seat_follows_the_organisations_account() {
        on_chain(|| {
            assert_ok!(Participants::rotate_account(RuntimeOrigin::signed(OPERATOR), NEW));
            assert_eq!(seats(), [REGULATOR, NEW]);
            assert_ok!(may_vote(&NEW));
            assert_eq!(may_vote(&OPERATOR), Err(Refusal::UnknownAccount));
            // Who has none gets none.
            assert_ok!(Participants::rotate_account(RuntimeOrigin::signed(VENDOR), OPERATOR));
            assert_eq!(seats(), [REGULATOR, NEW]);
            assert_eq!(may_vote(&OPERATOR), Err(Refusal::NotForThisAccount));
        });
    }

    #[test]
    fn a_seat_follows_when_the_council_replaces_an_account() {
        on_chain(|| {
            let council = pallet_collective::RawOrigin::<AccountId, CouncilInstance>::Members(2, 2);
            let regulator = sealed_register::OrganisationId::new("regulator").unwrap();
            assert_ok!(Participants::replace_account(council.into(), regulator, NEW));
            assert_eq!(seats(), [OPERATOR, NEW]);
        });
    }

    #[test]
    fn nobody_gets_a_second_seat() {
        on_chain(|| {
            // A seat without an organisation.
            assert_ok!(CouncilMembership::add_member(RuntimeOrigin::root(), Address::Id(NEW)));
            let taken = pallet_membership::Error::<Runtime, pallet_membership::Instance1>::AlreadyMember;
            assert_noop!(Participants::rotate_account(RuntimeOrigin::signed(OPERATOR), NEW), taken);
            assert_eq!(seats(), [OPERATOR, REGULATOR, NEW]);
        });
    }

    #[test]
    fn only_the_council_votes_also_while_suspended() {
        on_chain(|| {
            assert_ok!(may_vote(&OPERATOR));
            assert_eq!(may_vote(&VENDOR), Err(Refusal::NotForThisAccount));
            let council = || pallet_collective::RawOrigin::<AccountId, CouncilInstance>::Members(2, 2);
            for id in ["regulator", "vendor"] {
                let id = sealed_register::OrganisationId::new(id).unwrap();
                assert_ok!(Participants::suspend(council().into(), id));
            }
            assert_ok!(may_vote(&REGULATOR));
            assert_eq!(may_vote(&VENDOR), Err(Refusal::Suspended));
        });
    }

    #[test]
    fn abstention_is_no() {
        for prime in [None, Some(false), Some(true)] {
            for yes in 0..=4 {
                assert!(!<Runtime as pallet_collective::Config<CouncilInstance>>::DefaultVote::default_vote(
                    prime, yes, 0, 4
                ));
            }
        }
    }
}
