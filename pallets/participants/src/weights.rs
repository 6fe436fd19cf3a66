//! Weights of this pallet's calls and extensions.
//!
//! Estimated by hand from the database reads and writes of the longest path of each call (ParityDB's figures through
//! `T::DbWeight`) and a generous time for the rest; not benchmarked yet. Proof sizes are zero: a chain of its own carries
//! no storage proofs.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls, and of what the extensions add to every signed transaction.
pub trait WeightInfo {
    /// `admit`.
    fn admit() -> Weight;
    /// `set_kem_key`.
    fn set_kem_key() -> Weight;
    /// `set_endpoint`.
    fn set_endpoint() -> Weight;
    /// `rotate_account`, without what the runtime's hook takes.
    fn rotate_account() -> Weight;
    /// `set_duty_account`.
    fn set_duty_account() -> Weight;
    /// `enact`, without the enacted call.
    fn enact() -> Weight;
    /// `suspend`.
    fn suspend() -> Weight;
    /// `reinstate`.
    fn reinstate() -> Weight;
    /// `replace_account`, without what the runtime's hook takes.
    fn replace_account() -> Weight;
    /// Extension `CheckParticipation`.
    fn check_participation() -> Weight;
    /// What `NonceWindow` adds to `CheckNonce`.
    fn nonce_window() -> Weight;
}

/// Picoseconds of a call without its database accesses.
const CALL: u64 = 15_000_000;
/// Picoseconds of an extension without its database accesses.
const EXTENSION: u64 = 5_000_000;

fn call(db: RuntimeDbWeight, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(CALL, 0).saturating_add(db.reads_writes(reads, writes))
}

fn extension(db: RuntimeDbWeight, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(EXTENSION, 0).saturating_add(db.reads_writes(reads, writes))
}

/// Reads that tell an account's part: `OrganisationOf`, `DutyAccounts`, `Organisations`, the customer's claims.
const PART: u64 = 4;

macro_rules! weights {
    ($db:expr) => {
        // Reads: the caller's part (2), the identifier, the account's part (3), its reference. Writes: organisation,
        // its account, the reference.
        fn admit() -> Weight {
            call($db, 7, 3)
        }
        // Reads: the caller's part (2), the clock. Writes: the key.
        fn set_kem_key() -> Weight {
            call($db, 3, 1)
        }
        // Reads: the caller's part (2), the organisation. Writes: it.
        fn set_endpoint() -> Weight {
            call($db, 3, 1)
        }
        // Reads: the caller's part (2), the new account's part (3), the organisation, the reference, two budgets.
        // Writes: two accounts, the organisation, the reference, two budgets.
        fn rotate_account() -> Weight {
            call($db, 9, 6)
        }
        // Reads: the caller's part (2), the new account's part (3), the account before, the reference, two budgets.
        // Writes: two accounts, the duty, the reference, two budgets.
        fn set_duty_account() -> Weight {
            call($db, 9, 6)
        }
        fn enact() -> Weight {
            call($db, 0, 0)
        }
        fn suspend() -> Weight {
            call($db, 1, 1)
        }
        fn reinstate() -> Weight {
            call($db, 1, 1)
        }
        // As `rotate_account`, with the organisation read by name.
        fn replace_account() -> Weight {
            call($db, 8, 6)
        }
        // Reads: the account's part, its budget, the council. Writes: its budget.
        fn check_participation() -> Weight {
            extension($db, PART + 2, 1)
        }
        // Reads: the account's part, its nonce.
        fn nonce_window() -> Weight {
            extension($db, PART + 1, 0)
        }
    };
}

/// Weights with the runtime's own database figures.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    weights!(T::DbWeight::get());
}

/// Weights with ParityDB's figures, for tests.
impl WeightInfo for () {
    weights!(ParityDbWeight::get());
}
