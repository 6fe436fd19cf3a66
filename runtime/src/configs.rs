//! What each pallet is told.

use crate::{
    access, AccountId, Aura, Block, BlockNumber, Consents, Council, Hash, Meters, Nonce, PalletInfo, Participants, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, System, Timestamp, VERSION,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstBool, ConstU32, ConstU64},
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
use sp_runtime::{traits::IdentityLookup, Perbill};
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
    type SingleBlockMigrations = crate::SingleBlockMigrations;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<{ SLOT_MILLISECONDS / 2 }>;
    type WeightInfo = ();
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

/// The council: two thirds of it act as Root through `participants.enact`.
pub type CouncilInstance = pallet_collective::Instance1;

impl pallet_collective::Config<CouncilInstance> for Runtime {
    type RuntimeOrigin = RuntimeOrigin;
    type Proposal = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    // A day.
    type MotionDuration = ConstU32<43_200>;
    type MaxProposals = ConstU32<32>;
    type MaxMembers = ConstU32<32>;
    type DefaultVote = pallet_collective::MoreThanMajorityThenPrimeDefaultVote;
    type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
    type SetMembersOrigin = EnsureRoot<AccountId>;
    type MaxProposalWeight = MaxProposalWeight;
    type DisapproveOrigin = EnsureRoot<AccountId>;
    type KillOrigin = EnsureRoot<AccountId>;
    type Consideration = ();
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
    type MaxMembers = ConstU32<32>;
    type WeightInfo = pallet_membership::weights::SubstrateWeight<Runtime>;
}

/// At least two thirds of the council.
pub type TwoThirds = pallet_collective::EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>;

impl pallet_participants::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type CouncilOrigin = TwoThirds;
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
}
