//! What each call costs on its longest way. `scripts/weights` runs these. The helpers serve pallet-consent and
//! pallet-usage too.
#![allow(clippy::expect_used, missing_docs, reason = "a benchmark that cannot be set up should stop")]

use crate::*;
use frame_benchmarking::v2::*;
use frame_support::{traits::ConstU32, BoundedVec};
use frame_system::RawOrigin;
use pallet_participants::{Directory, Today};
use sealed_register::{
    statement::{self, Statement},
    Channels, MeterId, OperatingDay, OrganisationId,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use wattseal_primitives::{
    meters::{MeterClass, MeterEntry},
    AccountId,
};

/// Type of the keys that sign in benchmarks.
const KEYS: KeyTypeId = KeyTypeId(*b"benc");

/// Day on which benchmarks begin: 2023-01-01.
pub const TODAY: OperatingDay = OperatingDay(8_401);
/// First day of every tenancy: 2020-01-01.
pub const TENANCY_START: OperatingDay = OperatingDay(7_305);
/// Block in which benchmarks begin. Its digits make statements long.
pub const BLOCK: u32 = 1_000_000_000;

/// A utility and its accounts.
pub struct Utility {
    pub id: OrganisationId,
    pub own: AccountId,
    pub feed: AccountId,
    pub delivery: AccountId,
}

/// Admits a utility with the longest short name, on [`TODAY`] in [`BLOCK`].
pub fn utility<T: Config>() -> Utility {
    T::Clock::set_today(TODAY);
    go_to::<T>(BLOCK);
    let id = OrganisationId::new("utility-of-texas").expect("it has 16 valid characters");
    let [own, feed, delivery] = ["own", "feed", "delivery"].map(|name| account::<AccountId>(name, 0, 0));
    T::Directory::admit_utility(id, &own, &feed, &delivery);
    Utility { id, own, feed, delivery }
}

/// Makes this the present block.
pub fn go_to<T: Config>(block: u32) {
    frame_system::Pallet::<T>::set_block_number(block.into());
}

/// A new key of this machine's keystore.
pub fn new_key() -> sr25519::Public {
    sp_io::crypto::sr25519_generate(KEYS, None)
}

/// A signature of a statement.
pub fn sign(key: &sr25519::Public, statement: &impl Statement) -> [u8; 64] {
    sp_io::crypto::sr25519_sign(KEYS, key, &statement.message()).expect("the key was made here").0
}

/// The MeterId of this number.
pub fn meter_id(number: u32) -> MeterId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    MeterId(id)
}

/// Registers a home of both channels with this ticket.
pub fn register<T: Config>(utility: &Utility, meter: MeterId, ticket_issue: u32, ticket: &sr25519::Public) {
    let entry = MeterEntry {
        meter,
        class: MeterClass::Residential,
        channels: Channels::Both,
        tenancy_start: TENANCY_START,
        ticket_issue,
        ticket_key: ticket.0,
    };
    Pallet::<T>::do_sync(utility.id, [entry]).expect("a new meter or a newer ticket");
}

/// The claim of a meter by a customer and the ticket's signature.
pub fn claim_of<T: Config>(
    utility: &Utility,
    meter: MeterId,
    issue: u32,
    ticket: &sr25519::Public,
    customer: &sr25519::Public,
) -> (statement::Claim, [u8; 64]) {
    let claim = statement::Claim {
        genesis: Pallet::<T>::genesis(),
        utility: utility.id,
        meter,
        issue,
        customer: customer.0,
        kem_key: [9; 32],
        last_valid_block: Pallet::<T>::now().saturating_add(LONGEST_STATEMENT),
    };
    let signature = sign(ticket, &claim);
    (claim, signature)
}

/// Registers a meter that this customer claims; the epoch began some blocks ago.
pub fn claimed<T: Config>(utility: &Utility, meter: MeterId, customer: &sr25519::Public) {
    let ticket = new_key();
    let now = Pallet::<T>::now();
    go_to::<T>(now.saturating_sub(10));
    register::<T>(utility, meter, 1_000_000_000, &ticket);
    let (claim, signature) = claim_of::<T>(utility, meter, 1_000_000_000, &ticket, customer);
    Pallet::<T>::do_claim(&claim, &signature).expect("nobody holds the meter");
    go_to::<T>(now);
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// New meters: each has two entries written.
    #[benchmark]
    fn sync(n: Linear<1, MAX_ENTRIES>) {
        let utility = utility::<T>();
        let entry = |number| MeterEntry {
            meter: meter_id(number),
            class: MeterClass::Residential,
            channels: Channels::Both,
            tenancy_start: TENANCY_START,
            ticket_issue: 1,
            ticket_key: [1; 32],
        };
        let entries: BoundedVec<_, ConstU32<MAX_ENTRIES>> =
            (0..n).map(entry).collect::<alloc::vec::Vec<_>>().try_into().expect("at most MAX_ENTRIES");

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.own), entries);

        assert!(Meters::<T>::contains_key(utility.id, meter_id(n - 1)));
    }

    /// A new customer takes the meter over from one who keeps another. Without the consents that end.
    #[benchmark]
    fn claim() {
        let utility = utility::<T>();
        let (before, customer, ticket) = (new_key(), new_key(), new_key());
        claimed::<T>(&utility, meter_id(0), &before);
        claimed::<T>(&utility, meter_id(1), &before);
        register::<T>(&utility, meter_id(0), 1_000_000_001, &ticket);
        let (stated, signature) = claim_of::<T>(&utility, meter_id(0), 1_000_000_001, &ticket, &customer);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(utility.delivery),
            stated.utility,
            stated.meter,
            stated.issue,
            customer.into(),
            stated.kem_key,
            stated.last_valid_block,
            signature,
        );

        assert!(Pallet::<T>::holds_a_meter(&customer.into()));
    }

    /// Without the consents that end.
    #[benchmark]
    fn close() {
        let utility = utility::<T>();
        claimed::<T>(&utility, meter_id(0), &new_key());

        #[extrinsic_call]
        _(RawOrigin::Signed(utility.own), meter_id(0), TODAY);

        let meter = Pallet::<T>::meter(&utility.id, &meter_id(0)).expect("it was registered");
        assert_eq!((meter.tenancy_end, meter.epoch), (Some(TODAY), 1));
    }

    /// A `close` by the right account, of a known meter, on a day to come.
    #[benchmark]
    fn refused() {
        let utility = utility::<T>();
        claimed::<T>(&utility, meter_id(0), &new_key());
        let tomorrow = OperatingDay(TODAY.0 + 1);

        #[block]
        {
            assert!(Pallet::<T>::close(RawOrigin::Signed(utility.own).into(), meter_id(0), tomorrow).is_err());
        }
    }

    /// A claim in which everything is right but the signature.
    #[benchmark]
    fn claim_refused() {
        let utility = utility::<T>();
        let (customer, ticket) = (new_key(), new_key());
        register::<T>(&utility, meter_id(0), 1_000_000_000, &ticket);
        let (stated, mut signature) = claim_of::<T>(&utility, meter_id(0), 1_000_000_000, &ticket, &customer);
        signature[0] ^= 1;

        #[block]
        {
            let outcome = Pallet::<T>::claim(
                RawOrigin::Signed(utility.delivery).into(),
                stated.utility,
                stated.meter,
                stated.issue,
                customer.into(),
                stated.kem_key,
                stated.last_valid_block,
                signature,
            );
            assert!(outcome.is_err());
        }

        assert!(!Pallet::<T>::holds_a_meter(&customer.into()));
    }
}
