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
/// Picoseconds of encoding, decoding and comparing one registration entry.
const ENTRY: u64 = 4_000_000;
/// Picoseconds of writing a statement's text and verifying an sr25519 signature over it.
const STATEMENT: u64 = 90_000_000;

/// Weights of the calls.
pub trait WeightInfo {
    /// Weight of `sync` with this many entries.
    fn sync(entries: u32) -> Weight;
    /// Weight of `claim`, without what pallet-consent adds when an earlier claim is replaced.
    fn claim() -> Weight;
    /// Weight of `close`, without what pallet-consent adds.
    fn close() -> Weight;
    /// Weight of any call that is refused for its sender, of `close` also for its meter or day.
    fn refused() -> Weight;
    /// Weight of a `claim` that is refused, whatever the reason.
    fn claim_refused() -> Weight;
}

fn sync(db: RuntimeDbWeight, entries: u32) -> Weight {
    let fixed = Weight::from_parts(CALL, 0).saturating_add(db.reads_writes(4, 1));
    // The meter is read and written, its first epoch is written.
    let entry = Weight::from_parts(ENTRY, 0).saturating_add(db.reads_writes(1, 2));
    fixed.saturating_add(entry.saturating_mul(entries.into()))
}

fn claim(db: RuntimeDbWeight) -> Weight {
    // Read: directory 3, block hash 1, meter 2, counts 2, account 1, event 1. Written: lists and counts 4, account 1,
    // meter 2, epoch 1, events 1.
    Weight::from_parts(CALL + STATEMENT, 0).saturating_add(db.reads_writes(10, 9))
}

fn close(db: RuntimeDbWeight) -> Weight {
    // Read: directory 2, meter 2, clock 1, event 1. Written: meter 2, epoch 1, event 1.
    Weight::from_parts(CALL, 0).saturating_add(db.reads_writes(6, 4))
}

fn refused(db: RuntimeDbWeight) -> Weight {
    // Read: directory 3, number of claims 1, meter 1, clock 1.
    Weight::from_parts(CALL, 0).saturating_add(db.reads(6))
}

fn claim_refused(db: RuntimeDbWeight) -> Weight {
    // Read: directory 3, numbers of claims 2, block hash 1, meter 1.
    Weight::from_parts(CALL + STATEMENT, 0).saturating_add(db.reads(7))
}

/// Weights with the runtime's database constants.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn sync(entries: u32) -> Weight {
        sync(T::DbWeight::get(), entries)
    }

    fn claim() -> Weight {
        claim(T::DbWeight::get())
    }

    fn close() -> Weight {
        close(T::DbWeight::get())
    }

    fn refused() -> Weight {
        refused(T::DbWeight::get())
    }

    fn claim_refused() -> Weight {
        claim_refused(T::DbWeight::get())
    }
}

/// Weights with ParityDB's constants, for tests.
impl WeightInfo for () {
    fn sync(entries: u32) -> Weight {
        sync(ParityDbWeight::get(), entries)
    }

    fn claim() -> Weight {
        claim(ParityDbWeight::get())
    }

    fn close() -> Weight {
        close(ParityDbWeight::get())
    }

    fn refused() -> Weight {
        refused(ParityDbWeight::get())
    }

    fn claim_refused() -> Weight {
        claim_refused(ParityDbWeight::get())
    }
}
