//! `commit_batch`.

use crate::{mock::*, Batches, Error, Event, ShardBits, Shards};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sealed_register::{DayRange, OperatingDay};
use sp_core::H256;
use wattseal_primitives::usage::{Batch, ShardState, MAX_AS_OF_AGE, MAX_BATCH_CELLS, MAX_BODY_BYTES};

/// The arguments of a good call for the first batch of shard 0 at block 10.
#[derive(Clone)]
struct Args {
    who: &'static str,
    shard: u16,
    sequence: u32,
    body_bytes: u32,
    cells: u32,
    days: DayRange,
    as_of: u32,
    as_of_hash: H256,
}

const DAYS: DayRange = DayRange { first: OperatingDay(8_390), last: OperatingDay(8_400) };

fn good() -> Args {
    let as_of = System::block_number() - 3;
    Args {
        who: "oncor/feed",
        shard: 0,
        sequence: 0,
        body_bytes: 1_000,
        cells: 1,
        days: DAYS,
        as_of,
        as_of_hash: hash_of(as_of),
    }
}

fn commit(args: Args) -> DispatchResult {
    let Args { who, shard, sequence, body_bytes, cells, days, as_of, as_of_hash } = args;
    let root = [(sequence as u8).wrapping_add(1); 32];
    Usage::commit_batch(from(who), shard, sequence, root, [9; 32], body_bytes, cells, days, as_of, as_of_hash)
}

#[test]
fn batches_follow_one_another() {
    build_and_execute(|| {
        assert_ok!(commit(good()));
        assert_ok!(commit(Args { sequence: 1, ..good() }));
        assert_eq!(Shards::<Test>::get(oncor(), 0), ShardState { next_sequence: 2, root: [2; 32] });
        assert_eq!(ShardBits::<Test>::get(oncor()), Some(0));
        let batch = Batch {
            root: [1; 32],
            body_hash: [9; 32],
            body_bytes: 1_000,
            cells: 1,
            days: DAYS,
            as_of: 7,
            committed_at: 10,
        };
        assert_eq!(Usage::batch(oncor(), 0, 0), Some(batch));
        assert_eq!(Usage::shards(), vec![(oncor(), 0, 0, ShardState { next_sequence: 2, root: [2; 32] })]);
        let event =
            Event::BatchCommitted { utility: oncor(), shard: 0, sequence: 1, root: [2; 32], cells: 1, days: DAYS };
        System::assert_last_event(event.into());
    });
}

#[test]
fn only_the_next_number_is_taken() {
    build_and_execute(|| {
        assert_noop!(commit(Args { sequence: 1, ..good() }), Error::<Test>::InvalidSequence);
        assert_ok!(commit(good()));
        assert_noop!(commit(good()), Error::<Test>::InvalidSequence);
        assert_noop!(commit(Args { sequence: 2, ..good() }), Error::<Test>::InvalidSequence);
    });
}

#[test]
fn numbers_end() {
    build_and_execute(|| {
        Shards::<Test>::insert(oncor(), 0, ShardState { next_sequence: u32::MAX, root: [0; 32] });
        assert_noop!(commit(Args { sequence: u32::MAX, ..good() }), Error::<Test>::LimitOfBatches);
        Shards::<Test>::remove(oncor(), 0);
    });
}

#[test]
fn only_feed_accounts_commit_and_each_for_its_utility() {
    build_and_execute(|| {
        for who in ["oncor", "oncor/delivery", "sunny", "nobody"] {
            assert_noop!(commit(Args { who, ..good() }), Error::<Test>::NotAuthorized);
        }
        assert_ok!(commit(Args { who: "tnmp/feed", ..good() }));
        assert_eq!(Shards::<Test>::get(oncor(), 0), ShardState::default());
        assert!(Batches::<Test>::contains_key((id("tnmp"), 0, 0)));
    });
}

#[test]
fn a_shard_must_exist() {
    build_and_execute(|| {
        assert_noop!(commit(Args { shard: 1, ..good() }), Error::<Test>::ShardNotFound);
        assert_ok!(Usage::set_shard_bits(from("oncor"), 2));
        assert_ok!(commit(Args { shard: 3, ..good() }));
        assert_noop!(commit(Args { shard: 4, ..good() }), Error::<Test>::ShardNotFound);
        assert_noop!(commit(Args { shard: u16::MAX, ..good() }), Error::<Test>::ShardNotFound);
    });
}

#[test]
fn a_body_has_its_bounds() {
    build_and_execute(|| {
        for (body_bytes, cells) in
            [(0, 1), (MAX_BODY_BYTES + 1, 1), (1, 0), (1, MAX_BATCH_CELLS + 1), (u32::MAX, u32::MAX)]
        {
            assert_noop!(commit(Args { body_bytes, cells, ..good() }), Error::<Test>::InvalidBody);
        }
        let days = DayRange { first: DAYS.last, last: DAYS.first };
        assert_noop!(commit(Args { days, ..good() }), Error::<Test>::InvalidDays);
        assert_ok!(commit(Args { body_bytes: MAX_BODY_BYTES, cells: MAX_BATCH_CELLS, ..good() }));
    });
}

#[test]
fn as_of_is_a_young_block_of_this_chain() {
    build_and_execute(|| {
        run_to(300);
        let with = |as_of: u32, as_of_hash| commit(Args { as_of, as_of_hash, ..good() });
        assert_noop!(with(300, hash_of(300)), Error::<Test>::InvalidAsOf);
        assert_noop!(with(301, hash_of(301)), Error::<Test>::InvalidAsOf);
        assert_noop!(with(301, H256::zero()), Error::<Test>::InvalidAsOf);
        assert_noop!(with(299, hash_of(298)), Error::<Test>::InvalidAsOf);
        assert_noop!(with(299, H256::zero()), Error::<Test>::InvalidAsOf);
        let oldest = 300 - MAX_AS_OF_AGE;
        assert_noop!(with(oldest - 1, hash_of(oldest - 1)), Error::<Test>::AsOfTooOld);
        assert_noop!(with(0, hash_of(0)), Error::<Test>::AsOfTooOld);
        assert_ok!(with(oldest, hash_of(oldest)));
    });
}
