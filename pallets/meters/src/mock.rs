//! A runtime of frame-system and this pallet, with a fixed list of participants.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use crate as pallet_meters;
use crate::TenancyEnded;
use frame_support::{
    derive_impl,
    dispatch::{DispatchResult, PostDispatchInfo},
    parameter_types,
    traits::ConstU32,
    weights::Weight,
};
use pallet_participants::{Directory, Today};
use sealed_register::{
    statement::{self, Statement},
    Channels, MeterId, OperatingDay, OrganisationId,
};
use sp_core::{sr25519, Pair};
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError};
use std::{cell::RefCell, collections::BTreeMap};
use wattseal_primitives::{
    meters::{MeterClass, MeterEntry},
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
    type TenancyEnd = Recorder;
    type WeightInfo = ();
}

parameter_types! {
    /// Days since 2000-01-01; the tests begin on 2023-01-01.
    pub static Day: u16 = 8_401;
    /// What the pallet told about tenancies.
    pub static Told: Vec<Ended> = Vec::new();
}

/// One call of [`TenancyEnded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Tenancy(OrganisationId, MeterId),
    Claim(OrganisationId, MeterId, AccountId),
}

/// Writes down what it is told, and looks whether the meter shows it already.
pub struct Recorder;

impl TenancyEnded for Recorder {
    fn tenancy_ended(utility: &OrganisationId, meter: &MeterId) {
        assert!(Meters::meter(utility, meter).unwrap().tenancy_end.is_some());
        Told::mutate(|told| told.push(Ended::Tenancy(*utility, *meter)));
    }

    fn claim_replaced(utility: &OrganisationId, meter: &MeterId, holder: &AccountId) {
        assert_eq!(&Meters::meter(utility, meter).unwrap().claim.unwrap().customer, holder);
        Told::mutate(|told| told.push(Ended::Claim(*utility, *meter, holder.clone())));
    }

    fn weight() -> Weight {
        Weight::from_parts(1_000_000_000, 0)
    }
}

pub struct Clock;

impl Today for Clock {
    fn today() -> OperatingDay {
        OperatingDay(Day::get())
    }
}

/// The participants of the tests, each named by its account.
pub struct Participants;

impl Directory<AccountId> for Participants {
    fn organisation_of(account: &AccountId) -> Option<(OrganisationId, Role)> {
        let known = [
            (oncor_account(), oncor(), Role::Utility),
            (centerpoint_account(), centerpoint(), Role::Utility),
            (retailer(), id("reliant"), Role::Retailer),
            (vendor(), id("sunny"), Role::Vendor),
        ];
        known.into_iter().find(|(known, ..)| known == account).map(|(_, id, role)| (id, role))
    }

    fn duty(account: &AccountId) -> Option<(OrganisationId, Duty)> {
        let known = [(oncor_feed(), Duty::Feed), (oncor_delivery(), Duty::Delivery)];
        known.into_iter().find(|(known, _)| known == account).map(|(_, duty)| (oncor(), duty))
    }

    fn role_of(organisation: &OrganisationId) -> Option<Role> {
        (*organisation == oncor()).then_some(Role::Utility)
    }

    fn kem_key(_organisation: &OrganisationId) -> Option<KemKey> {
        None
    }
}

fn id(name: &str) -> OrganisationId {
    OrganisationId::new(name).unwrap()
}

pub fn oncor() -> OrganisationId {
    id("oncor")
}

pub fn centerpoint() -> OrganisationId {
    id("centerpoint")
}

thread_local! {
    /// Derived once per name: the directory compares accounts at every call.
    static PAIRS: RefCell<BTreeMap<String, sr25519::Pair>> = const { RefCell::new(BTreeMap::new()) };
}

pub fn pair(name: &str) -> sr25519::Pair {
    let derive = || sr25519::Pair::from_string(&format!("//{name}"), None).unwrap();
    PAIRS.with_borrow_mut(|pairs| pairs.entry(name.into()).or_insert_with(derive).clone())
}

pub fn account(name: &str) -> AccountId {
    AccountId::from(pair(name).public().0)
}

pub fn oncor_account() -> AccountId {
    account("oncor")
}

pub fn oncor_feed() -> AccountId {
    account("oncor/feed")
}

pub fn oncor_delivery() -> AccountId {
    account("oncor/delivery")
}

pub fn centerpoint_account() -> AccountId {
    account("centerpoint")
}

pub fn retailer() -> AccountId {
    account("reliant")
}

pub fn vendor() -> AccountId {
    account("sunny")
}

pub fn from(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// The ticket of a meter and issue.
pub fn ticket(meter: MeterId, issue: u32) -> sr25519::Pair {
    pair(&format!("ticket/{meter}/{issue}"))
}

pub fn meter_id(number: u8) -> MeterId {
    MeterId([number; 16])
}

/// A home that consumes, in its tenancy since 2020-01-01.
pub fn entry(meter: MeterId, issue: u32) -> MeterEntry {
    MeterEntry {
        meter,
        class: MeterClass::Residential,
        channels: Channels::Consumption,
        tenancy_start: OperatingDay(7_305),
        ticket_issue: issue,
        ticket_key: ticket(meter, issue).public().0,
    }
}

/// The claim statement of a customer, valid for 100 blocks.
pub fn claim_of(meter: MeterId, issue: u32, customer: &AccountId) -> statement::Claim {
    statement::Claim {
        genesis: Meters::genesis(),
        utility: oncor(),
        meter,
        issue,
        customer: customer.clone().into(),
        kem_key: [7; 32],
        last_valid_block: System::block_number() + 100,
    }
}

/// The ticket's signature of a claim.
pub fn signed(claim: &statement::Claim) -> [u8; 64] {
    ticket(claim.meter, claim.issue).sign(&claim.message()).0
}

/// Relays a claim with this signature. As [`close`] and [`sync_from`], without the weight of a refusal.
pub fn relay(
    relayer: AccountId,
    claim: &statement::Claim,
    signature: [u8; 64],
) -> Result<PostDispatchInfo, DispatchError> {
    Meters::claim(
        from(relayer),
        claim.utility,
        claim.meter,
        claim.issue,
        claim.customer.into(),
        claim.kem_key,
        claim.last_valid_block,
        signature,
    )
    .map_err(|refused| refused.error)
}

/// A whole claim by the retailer.
pub fn claim(meter: MeterId, issue: u32, customer: &AccountId) -> Result<PostDispatchInfo, DispatchError> {
    let claim = claim_of(meter, issue, customer);
    relay(retailer(), &claim, signed(&claim))
}

pub fn sync(entries: Vec<MeterEntry>) -> DispatchResult {
    sync_from(from(oncor_feed()), entries)
}

pub fn sync_from(origin: RuntimeOrigin, entries: Vec<MeterEntry>) -> DispatchResult {
    Meters::sync(origin, entries.try_into().unwrap()).map(|_| ()).map_err(|refused| refused.error)
}

pub fn close(origin: RuntimeOrigin, meter: MeterId, last_day: OperatingDay) -> DispatchResult {
    Meters::close(origin, meter, last_day).map(|_| ()).map_err(|refused| refused.error)
}

/// Runs a test from block 1 on and checks the storage at its end.
pub fn build_and_execute(test: impl FnOnce()) {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut externalities = sp_io::TestExternalities::new(storage);
    externalities.execute_with(|| {
        Day::set(8_401);
        Told::set(Vec::new());
        System::set_block_number(1);
        test();
        Meters::do_try_state().unwrap();
    });
}
