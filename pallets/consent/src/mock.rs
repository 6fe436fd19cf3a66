//! A runtime of frame-system, pallet-meters and this pallet, with a fixed list of participants.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use crate as pallet_consent;
use frame_support::{
    assert_ok, derive_impl,
    dispatch::DispatchResult,
    parameter_types,
    traits::{ConstU32, Hooks},
};
use pallet_participants::{Directory, Today};
use sealed_register::{
    delivery::{seal_delivery, ConsentTerms, Deliverer, DeliveryContext, Purpose, Segment},
    grantee::grantee_hash,
    kem::{KemPublic, KemSecret},
    statement::{self, Statement},
    Channels, DayRange, Level, MeterId, MeterKey, OperatingDay, OrganisationId, Secret,
};
use sp_core::{sr25519, Pair};
use sp_runtime::{traits::IdentityLookup, BuildStorage};
use std::{cell::RefCell, collections::BTreeMap};
use wattseal_primitives::{
    consent::ConsentId,
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

/// 2023-01-01, on which the tests begin.
pub const TODAY: u16 = 8_401;
/// Secret of every request in the tests.
pub const SECRET: [u8; 32] = [5; 32];

/// Last valid block of the statements in the tests, which take fewer blocks.
pub const LAST_BLOCK: u32 = 4_000;

parameter_types! {
    /// Days since 2000-01-01.
    pub static Day: u16 = TODAY;
    /// Whether the vendor is admitted.
    pub static VendorAdmitted: bool = true;
    /// The account that speaks for the vendor.
    pub static VendorAccount: AccountId = vendor();
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
        ];
        if *account == VendorAccount::get() {
            return VendorAdmitted::get().then_some((sunny(), Role::Vendor));
        }
        known.into_iter().find(|(known, ..)| known == account).map(|(_, id, role)| (id, role))
    }

    fn duty(account: &AccountId) -> Option<(OrganisationId, Duty)> {
        let known = [
            (oncor_feed(), oncor(), Duty::Feed),
            (oncor_delivery(), oncor(), Duty::Delivery),
            (centerpoint_delivery(), centerpoint(), Duty::Delivery),
        ];
        known.into_iter().find(|(known, ..)| known == account).map(|(_, utility, duty)| (utility, duty))
    }

    fn role_of(organisation: &OrganisationId) -> Option<Role> {
        (*organisation == sunny() && VendorAdmitted::get()).then_some(Role::Vendor)
    }

    fn kem_key(_organisation: &OrganisationId) -> Option<KemKey> {
        None
    }
}

fn id(name: &str) -> OrganisationId {
    OrganisationId::new(name).unwrap()
}

/// The vendor.
pub fn sunny() -> OrganisationId {
    id("sunny")
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

pub fn centerpoint_delivery() -> AccountId {
    account("centerpoint/delivery")
}

pub fn retailer() -> AccountId {
    account("reliant")
}

pub fn vendor() -> AccountId {
    account("sunny")
}

pub fn maria() -> AccountId {
    account("maria")
}

pub fn from(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Maria's home with solar panels.
pub const HOME: MeterId = MeterId([1; 16]);
/// Maria's factory, which consumes only.
pub const FACTORY: MeterId = MeterId([2; 16]);
/// A meter that nobody has claimed.
pub const UNCLAIMED: MeterId = MeterId([3; 16]);

fn ticket(meter: MeterId, issue: u32) -> sr25519::Pair {
    pair(&format!("ticket/{meter}/{issue}"))
}

/// A meter's entry, in its tenancy since 2020-01-01.
pub fn entry(meter: MeterId, issue: u32) -> MeterEntry {
    let home = meter == HOME;
    MeterEntry {
        meter,
        class: if home { MeterClass::Residential } else { MeterClass::LargeCommercial },
        channels: if home { Channels::Both } else { Channels::Consumption },
        tenancy_start: OperatingDay(7_305),
        ticket_issue: issue,
        ticket_key: ticket(meter, issue).public().0,
    }
}

pub fn sync(entries: Vec<MeterEntry>) {
    assert_ok!(Meters::sync(from(oncor_feed()), entries.try_into().unwrap()));
}

/// The customer claims the meter with this ticket.
pub fn claim(meter: MeterId, issue: u32, name: &str) {
    let customer = account(name);
    let claim = statement::Claim {
        genesis: Meters::genesis(),
        utility: oncor(),
        meter,
        issue,
        customer: customer.clone().into(),
        kem_key: customer_kem().public().hash(),
        last_valid_block: LAST_BLOCK,
    };
    let signature = ticket(meter, issue).sign(&claim.message()).0;
    assert_ok!(Meters::claim(
        from(retailer()),
        oncor(),
        meter,
        issue,
        customer,
        claim.kem_key,
        claim.last_valid_block,
        signature
    ));
}

pub fn days(first: u16, last: u16) -> DayRange {
    DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
}

/// Hours of consumption of the home, from 400 days ago to 365 days ahead, to be read from today on for 300 days.
pub fn terms() -> ConsentTerms {
    let today = Day::get();
    ConsentTerms {
        utility: oncor(),
        meter: HOME,
        grantee: grantee_hash(&sunny(), &SECRET),
        channels: Channels::Consumption,
        level: Level::Hour,
        data: days(today - 400, today + 365),
        access: days(today, today + 300),
        purpose: Purpose::SolarSizing,
        text_hash: [4; 32],
    }
}

/// A consent statement by Maria, good up to [`LAST_BLOCK`].
pub fn consent_of(terms: ConsentTerms) -> statement::Consent {
    statement::Consent { genesis: Meters::genesis(), terms, customer: maria().into(), last_valid_block: LAST_BLOCK }
}

/// Signs as wallets do.
pub fn sign(name: &str, statement: &impl Statement) -> [u8; 64] {
    pair(name).sign(&statement.message()).0
}

/// The retailer relays a consent with this signature.
pub fn relay(statement: &statement::Consent, signature: [u8; 64]) -> DispatchResult {
    Consents::consent(
        from(retailer()),
        statement.terms,
        statement.customer.into(),
        statement.last_valid_block,
        signature,
    )
}

/// Maria's consent to these terms, relayed.
pub fn try_give(terms: ConsentTerms) -> DispatchResult {
    let statement = consent_of(terms);
    relay(&statement, sign("maria", &statement))
}

/// As [`try_give`], when it must go well.
pub fn give(terms: ConsentTerms) -> ConsentId {
    assert_ok!(try_give(terms));
    consent_of(terms).id()
}

/// Maria revokes.
pub fn revoke(consent: ConsentId) -> DispatchResult {
    let statement = statement::Revoke { genesis: Meters::genesis(), consent, last_valid_block: LAST_BLOCK };
    Consents::revoke(from(retailer()), consent, LAST_BLOCK, sign("maria", &statement))
}

/// A narrowing that leaves everything as in these terms.
pub fn narrow_of(consent: ConsentId, terms: &ConsentTerms) -> statement::Narrow {
    statement::Narrow {
        genesis: Meters::genesis(),
        consent,
        channels: terms.channels,
        level: terms.level,
        data: terms.data,
        access: terms.access,
        last_valid_block: LAST_BLOCK,
    }
}

/// The retailer relays a narrowing that Maria signed.
pub fn narrow(statement: &statement::Narrow) -> DispatchResult {
    relay_narrow(statement, sign("maria", statement))
}

pub fn relay_narrow(statement: &statement::Narrow, signature: [u8; 64]) -> DispatchResult {
    let statement::Narrow { consent, channels, level, data, access, last_valid_block, .. } = *statement;
    Consents::narrow(from(retailer()), consent, channels, level, data, access, last_valid_block, signature)
}

pub fn meter_key() -> MeterKey {
    MeterKey::new(Secret::from_bytes([6; 32]), 1)
}

pub fn vendor_kem() -> KemSecret {
    KemSecret::from_seed(Secret::from_bytes([8; 32]))
}

pub fn customer_kem() -> KemSecret {
    KemSecret::from_seed(Secret::from_bytes([9; 32]))
}

/// What a delivery of this consent is bound to, when this account delivers.
pub fn context(consent: ConsentId, terms: ConsentTerms, deliverer: Deliverer, account: &AccountId) -> DeliveryContext {
    DeliveryContext { genesis: Meters::genesis(), deliverer, account: account.clone().into(), consent, terms }
}

/// Real keys, really sealed.
pub fn sealed(context: &DeliveryContext, segments: &[Segment]) -> Vec<u8> {
    let to: KemPublic = vendor_kem().public();
    let keys = |epoch| Some(meter_key().epoch_key(epoch));
    seal_delivery(context, segments, keys, &to, &Secret::from_bytes([10; 32])).unwrap()
}

/// The account delivers these bytes as this plan.
pub fn deliver(
    who: AccountId,
    consent: ConsentId,
    epoch: u32,
    segments: &[Segment],
    sealed: Vec<u8>,
) -> DispatchResult {
    let segments = segments.to_vec().try_into().unwrap();
    Consents::deliver(from(who), consent, epoch, segments, sealed.try_into().unwrap())
}

/// The utility delivers the whole range for this epoch.
pub fn deliver_for(consent: ConsentId, terms: ConsentTerms, epoch: u32) -> DispatchResult {
    let plan = [Segment { epoch, days: terms.data }];
    let context = context(consent, terms, Deliverer::Utility, &oncor_delivery());
    deliver(oncor_delivery(), consent, epoch, &plan, sealed(&context, &plan))
}

pub fn epoch(meter: MeterId) -> u32 {
    Meters::meter(&oncor(), &meter).unwrap().epoch
}

pub fn ended(consent: &ConsentId) -> Option<(wattseal_primitives::consent::ConsentEnd, u32)> {
    crate::Consents::<Test>::get(consent).unwrap().ended
}

/// The next block begins; its first extrinsic runs.
pub fn next_block() {
    let block = System::block_number() + 1;
    System::set_block_number(block);
    Consents::on_initialize(block);
    System::set_extrinsic_index(1);
}

/// Runs a test from block 2 on, with Maria's meters registered and claimed in block 1, and checks the storage at its end.
pub fn build_and_execute(test: impl FnOnce()) {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut externalities = sp_io::TestExternalities::new(storage);
    externalities.execute_with(|| {
        Day::set(TODAY);
        VendorAdmitted::set(true);
        VendorAccount::set(vendor());
        System::set_block_number(1);
        sync(vec![entry(HOME, 1), entry(FACTORY, 1), entry(UNCLAIMED, 1)]);
        claim(HOME, 1, "maria");
        claim(FACTORY, 1, "maria");
        next_block();
        test();
        Meters::do_try_state().unwrap();
        Consents::do_try_state().unwrap();
    });
}
