//! Weights of the calls, estimated by hand from database accesses (ParityDB constants of frame-support, through the
//! runtime's `DbWeight`) and the time of their cryptography; benchmarks come later. Accesses are counted for the
//! worst branch and rounded up; an event is a read and a write. No proof size: this is no parachain.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Picoseconds of everything around the database accesses of one call.
const CALL: u64 = 15_000_000;
/// Picoseconds of writing a statement's text, hashing it and verifying an sr25519 signature over it.
const STATEMENT: u64 = 100_000_000;
/// Picoseconds of copying and hashing one byte of a delivery (BLAKE3 in portable code, compiled to wasm).
const BYTE: u64 = 6_000;
/// Picoseconds of checking the most segments that a delivery has.
const SEGMENTS: u64 = 40_000_000;

/// Weights of the calls.
pub trait WeightInfo {
    /// Weight of `consent`.
    fn consent() -> Weight;
    /// Weight of `revoke`.
    fn revoke() -> Weight;
    /// Weight of `narrow`.
    fn narrow() -> Weight;
    /// Weight of `deliver` with this many sealed bytes.
    fn deliver(bytes: u32) -> Weight;
    /// Weight of `deliver_meter_key`.
    fn deliver_meter_key() -> Weight;
    /// Weight of `give_back`, of `expire`, and of every other end of one consent.
    fn end() -> Weight;
    /// Weight of `set_longest_term`.
    fn set_longest_term() -> Weight;
    /// Weight of a block's look for consents whose time is over: days gone through, consents ended.
    fn end_expired(days: u32, ended: u32) -> Weight;
}

fn call(db: RuntimeDbWeight, picoseconds: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(CALL.saturating_add(picoseconds), 0).saturating_add(db.reads_writes(reads, writes))
}

fn consent(db: RuntimeDbWeight) -> Weight {
    // Read: directory 3, block hash, clock, meter, term, consent, list, event. Written: consent, lists 2, event.
    call(db, STATEMENT, 10, 4)
}

fn end(db: RuntimeDbWeight) -> Weight {
    // Read: directory 3, consent, clock, list, meter, event. Written: consent, lists 2, meter, epoch, event.
    call(db, 0, 8, 6)
}

fn revoke(db: RuntimeDbWeight) -> Weight {
    end(db).saturating_add(Weight::from_parts(STATEMENT, 0)).saturating_add(db.reads(1))
}

fn narrow(db: RuntimeDbWeight) -> Weight {
    revoke(db).saturating_add(db.writes(1))
}

fn deliver(db: RuntimeDbWeight, bytes: u32) -> Weight {
    // Read: directory 2, consent, clock, meter, index, event. Written: slot, event.
    call(db, SEGMENTS.saturating_add(BYTE.saturating_mul(bytes.into())), 7, 2)
}

fn end_expired(db: RuntimeDbWeight, days: u32, ended: u32) -> Weight {
    let fixed = Weight::from_parts(CALL, 0).saturating_add(db.reads_writes(2, 1));
    // Each day: one key looked for more than are found.
    let day = Weight::from_parts(CALL, 0).saturating_add(db.reads(1));
    // Each consent: its key is found besides.
    let consent = end(db).saturating_add(db.reads(1));
    fixed.saturating_add(day.saturating_mul(days.into())).saturating_add(consent.saturating_mul(ended.into()))
}

/// Both sets of weights are the same formulas with other database constants.
macro_rules! weights {
    ($db:expr) => {
        fn consent() -> Weight {
            consent($db)
        }

        fn revoke() -> Weight {
            revoke($db)
        }

        fn narrow() -> Weight {
            narrow($db)
        }

        fn deliver(bytes: u32) -> Weight {
            deliver($db, bytes)
        }

        fn deliver_meter_key() -> Weight {
            deliver($db, crate::METER_KEY_BYTES)
        }

        fn end() -> Weight {
            end($db)
        }

        fn set_longest_term() -> Weight {
            call($db, 0, 1, 2)
        }

        fn end_expired(days: u32, ended: u32) -> Weight {
            end_expired($db, days, ended)
        }
    };
}

/// Weights with the runtime's database constants.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    weights!(T::DbWeight::get());
}

/// Weights with ParityDB's constants, for tests.
impl WeightInfo for () {
    weights!(ParityDbWeight::get());
}
