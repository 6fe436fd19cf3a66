//! A runtime of frame-system, pallet-meters, pallet-consent and this pallet, with a fixed list of participants and a
//! submitter that keeps what the worker sends.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use crate as pallet_usage;
use crate::{SubmitError, SubmitSigned};
use frame_support::{derive_impl, parameter_types, traits::ConstU32};
use pallet_participants::{Directory, Today};
use sealed_register::{OperatingDay, OrganisationId};
use sp_core::{crypto::KeyTypeId, sr25519, Pair, H256};
use sp_runtime::{traits::IdentityLookup, BuildStorage};
use wattseal_primitives::{
    organisations::{Duty, KemKey, Role},
    AccountId,
};

type Block = frame_system::mocking::MockBlockU32<Test>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(11)]
    pub type Meters = pallet_meters::Pallet<Test>;

    #[runtime::pallet_index(12)]
    pub type Usage = pallet_usage::Pallet<Test>;

    #[runtime::pallet_index(13)]
    pub type Consents = pallet_consent::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type BlockHashCount = ConstU32<4_096>;
}

impl pallet_meters::Config for Test {
    type Directory = Participants;
    type Clock = Clock;
    type TenancyEnd = Consents;
    type WeightInfo = ();
}

impl pallet_consent::Config for Test {
    type WeightInfo = ();
}

impl pallet_usage::Config for Test {
    type Submit = Recorder;
    type WeightInfo = ();
}

parameter_types! {
    /// Days since 2000-01-01; the tests begin on 2023-01-01.
    pub static Day: u16 = 8_401;
    /// What the worker has sent and no block has taken yet.
    pub static Sent: Vec<(sr25519::Public, KeyTypeId, RuntimeCall, u32)> = Vec::new();
    /// X-Wing key of the vendor.
    pub static VendorKey: Option<KemKey> = None;
}

/// Keeps what is submitted.
pub struct Recorder;

impl SubmitSigned<RuntimeCall> for Recorder {
    fn submit(public: sr25519::Public, key_type: KeyTypeId, call: RuntimeCall, nonce: u32) -> Result<(), SubmitError> {
        Sent::mutate(|sent| sent.push((public, key_type, call, nonce)));
        Ok(())
    }
}

pub struct Clock;

impl Today for Clock {
    fn today() -> OperatingDay {
        OperatingDay(Day::get())
    }
}

/// The participants of the tests.
pub struct Participants;

impl Directory<AccountId> for Participants {
    fn organisation_of(account: &AccountId) -> Option<(OrganisationId, Role)> {
        let known = [
            (named("oncor"), oncor(), Role::Utility),
            (named("tnmp"), id("tnmp"), Role::Utility),
            (named("reliant"), id("reliant"), Role::Retailer),
            (named("sunny"), id("sunny"), Role::Vendor),
        ];
        known.into_iter().find(|(known, ..)| known == account).map(|(_, id, role)| (id, role))
    }

    fn duty(account: &AccountId) -> Option<(OrganisationId, Duty)> {
        let known = [
            (named("oncor/feed"), oncor(), Duty::Feed),
            (named("oncor/delivery"), oncor(), Duty::Delivery),
            (named("tnmp/feed"), id("tnmp"), Duty::Feed),
        ];
        known.into_iter().find(|(known, ..)| known == account).map(|(_, utility, duty)| (utility, duty))
    }

    fn role_of(organisation: &OrganisationId) -> Option<Role> {
        (*organisation == id("sunny")).then_some(Role::Vendor)
    }

    fn kem_key(organisation: &OrganisationId) -> Option<KemKey> {
        VendorKey::get().filter(|_| *organisation == id("sunny"))
    }
}

pub fn id(name: &str) -> OrganisationId {
    OrganisationId::new(name).unwrap()
}

pub fn oncor() -> OrganisationId {
    id("oncor")
}

pub fn pair(name: &str) -> sr25519::Pair {
    sr25519::Pair::from_string(&format!("//{name}"), None).unwrap()
}

pub fn named(name: &str) -> AccountId {
    AccountId::from(pair(name).public().0)
}

pub fn from(name: &str) -> RuntimeOrigin {
    RuntimeOrigin::signed(named(name))
}

/// The hash that a block of this number has in the tests.
pub fn hash_of(block: u32) -> H256 {
    H256::from_low_u64_be(u64::from(block) + 1_000)
}

/// Goes on to a block, as its worker sees it: the hashes up to it are known.
pub fn run_to(block: u32) {
    while System::block_number() < block {
        let next = System::block_number() + 1;
        System::set_block_number(next);
        frame_system::BlockHash::<Test>::insert(next, hash_of(next));
    }
}

/// A chain at block 10.
pub fn externalities() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    pallet_usage::GenesisConfig::<Test>::default().assimilate_storage(&mut storage).unwrap();
    let mut externalities = sp_io::TestExternalities::new(storage);
    externalities.execute_with(|| {
        Day::set(8_401);
        Sent::set(Vec::new());
        VendorKey::set(None);
        frame_system::BlockHash::<Test>::insert(0, hash_of(0));
        run_to(10);
    });
    externalities
}

/// Runs a test from block 10 on and checks the storage of all pallets at its end.
pub fn build_and_execute(test: impl FnOnce()) {
    externalities().execute_with(|| {
        test();
        check_state();
    });
}

pub fn check_state() {
    Usage::do_try_state().unwrap();
    Meters::do_try_state().unwrap();
    Consents::do_try_state().unwrap();
}
