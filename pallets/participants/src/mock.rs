//! A small chain for the tests: one organisation of most roles, a council of one account.
#![allow(clippy::unwrap_used)] // a broken mock fails the test by panicking

use crate::{
    self as pallet_participants, Allowance, Allowances, CallClass, CheckParticipation, Classify, GenesisOrganisation,
    IsCustomer, MortalOnly, NonceWindow, OnAccountChange, Today,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchResult,
    parameter_types,
    traits::{ConstU64, Contains, SortedMembers},
    weights::Weight,
};
use frame_system::EnsureSignedBy;
use sealed_register::{OperatingDay, OrganisationId};
use sp_runtime::{BuildStorage, DispatchError};
use wattseal_primitives::organisations::{Role, Text};

pub type AccountId = u64;
type Block = frame_system::mocking::MockBlock<Test>;

/// The extensions as the runtime has them, without those that do not matter here.
pub type Extensions = (MortalOnly<Test>, NonceWindow<Test>, CheckParticipation<Test>);

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

    #[runtime::pallet_index(10)]
    pub type Participants = pallet_participants::Pallet<Test>;
}

/// The account whose signature is the council's here.
pub const COUNCIL: AccountId = 100;
pub const ERCOT: AccountId = 1;
pub const ONCOR: AccountId = 2;
pub const ONCOR_FEED: AccountId = 21;
pub const ONCOR_DELIVERY: AccountId = 22;
pub const VENDOR: AccountId = 3;
pub const REGULATOR: AccountId = 4;
pub const CENTERPOINT: AccountId = 5;
/// An account that holds a meter.
pub const CUSTOMER: AccountId = 50;
/// An account of nobody.
pub const STRANGER: AccountId = 60;
/// Another one.
pub const NEWCOMER: AccountId = 61;

/// Day on which the tests begin.
pub const DAY: u16 = 9_800;

pub struct CouncilAccount;
impl SortedMembers<AccountId> for CouncilAccount {
    fn sorted_members() -> Vec<AccountId> {
        vec![COUNCIL]
    }
}

parameter_types! {
    pub static TodayIs: u16 = DAY;
    pub static CustomerAccounts: Vec<AccountId> = vec![CUSTOMER];
    pub static TestAllowances: Allowances = ALLOWANCES;
    /// Accounts on the council, whose motions are not here.
    pub static Seats: Vec<AccountId> = vec![ERCOT, ONCOR, REGULATOR];
}

const SECOND: u64 = 1_000_000_000_000;

/// Allowances with which the tests begin.
pub const ALLOWANCES: Allowances = Allowances {
    member: Allowance { calls: 40, bytes: 100_000, ref_time: 2 * SECOND },
    vendor: Allowance { calls: 20, bytes: 10_000, ref_time: SECOND },
    duty: Allowance { calls: 30, bytes: 50_000, ref_time: 2 * SECOND },
    customer: Allowance { calls: 5, bytes: 2_000, ref_time: SECOND / 10 },
};

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type BlockHashCount = ConstU64<4_096>;
}

pub struct Calendar;
impl Today for Calendar {
    fn today() -> OperatingDay {
        OperatingDay(TodayIs::get())
    }
}

/// The council's seats, which follow their organisations' accounts.
pub struct SeatsOfCouncil;

/// What [`SeatsOfCouncil`] answers when the new account has a seat of its own.
pub const SEATED: DispatchError = DispatchError::Other("the account sits on the council already");

impl Contains<AccountId> for SeatsOfCouncil {
    fn contains(who: &AccountId) -> bool {
        Seats::get().contains(who)
    }
}

impl OnAccountChange<AccountId> for SeatsOfCouncil {
    fn changed(old: &AccountId, new: &AccountId) -> DispatchResult {
        let mut seats = Seats::get();
        if let Some(seat) = seats.iter().position(|seat| seat == old) {
            frame_support::ensure!(!seats.contains(new), SEATED);
            seats[seat] = *new;
            Seats::set(seats);
        }
        Ok(())
    }

    fn weight() -> Weight {
        Weight::from_parts(7_000_000, 0)
    }
}

pub struct Claims;
impl IsCustomer<AccountId> for Claims {
    fn is_customer(who: &AccountId) -> bool {
        CustomerAccounts::get().contains(who)
    }
}

/// Calls of the system pallet stand for those of pallets that are not here.
pub struct AllowList;
impl Classify<RuntimeCall> for AllowList {
    fn classify(call: &RuntimeCall) -> Option<CallClass> {
        use frame_system::Call as System;
        use pallet_participants::Call as Participants;
        match call {
            RuntimeCall::System(System::remark { .. }) => Some(CallClass::Statement),
            RuntimeCall::System(System::remark_with_event { .. }) => Some(CallClass::Council),
            // Listed so that the tests have a call that fails: it asks for Root.
            RuntimeCall::System(System::set_heap_pages { .. }) => Some(CallClass::AccessEnd),
            RuntimeCall::Participants(
                Participants::set_kem_key { .. }
                | Participants::set_endpoint { .. }
                | Participants::rotate_account { .. }
                | Participants::set_duty_account { .. }
                | Participants::admit { .. },
            ) => Some(CallClass::Registration),
            _ => None,
        }
    }
}

impl pallet_participants::Config for Test {
    type RuntimeCall = RuntimeCall;
    type CouncilOrigin = EnsureSignedBy<CouncilAccount, AccountId>;
    type Councillors = SeatsOfCouncil;
    type AccountChange = SeatsOfCouncil;
    type Clock = Calendar;
    type Customers = Claims;
    type CallClass = AllowList;
    type BudgetPeriod = ConstU64<10>;
    type Allowances = TestAllowances;
    type WeightInfo = ();
}

pub fn id(name: &str) -> OrganisationId {
    OrganisationId::new(name).unwrap()
}

pub fn text<const N: u32>(text: &str) -> Text<N> {
    Text::try_from(text.as_bytes().to_vec()).unwrap()
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn council() -> RuntimeOrigin {
    signed(COUNCIL)
}

pub fn organisation(id: &str, role: Role, account: AccountId) -> GenesisOrganisation<AccountId> {
    let (name, endpoint) = (format!("{id} of Texas"), String::new());
    GenesisOrganisation { id: id.into(), role, name, account, endpoint, feed: None, delivery: None }
}

pub fn genesis() -> Vec<GenesisOrganisation<AccountId>> {
    vec![
        organisation("ercot", Role::GridOperator, ERCOT),
        GenesisOrganisation {
            endpoint: "wss://oncor.example".into(),
            feed: Some(ONCOR_FEED),
            delivery: Some(ONCOR_DELIVERY),
            ..organisation("oncor", Role::Utility, ONCOR)
        },
        organisation("solar-helper", Role::Vendor, VENDOR),
        organisation("puct", Role::Regulator, REGULATOR),
        organisation("centerpoint", Role::Utility, CENTERPOINT),
    ]
}

pub fn externalities(organisations: Vec<GenesisOrganisation<AccountId>>) -> sp_io::TestExternalities {
    // These live as long as the thread, which may run several tests.
    TodayIs::set(DAY);
    CustomerAccounts::set(vec![CUSTOMER]);
    TestAllowances::set(ALLOWANCES);
    Seats::set(vec![ERCOT, ONCOR, REGULATOR]);
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    crate::GenesisConfig::<Test> { organisations }.assimilate_storage(&mut storage).unwrap();
    let mut externalities = sp_io::TestExternalities::from(storage);
    externalities.execute_with(|| {
        // Events are only kept from block 1 on. The customer's reference comes from another pallet.
        System::set_block_number(1);
        System::inc_providers(&CUSTOMER);
    });
    externalities
}

/// Runs a test on a fresh chain; whatever it did, the storage must be sound afterwards.
pub fn build_and_execute(test: impl FnOnce()) {
    externalities(genesis()).execute_with(|| {
        test();
        Participants::do_try_state().unwrap();
    });
}
