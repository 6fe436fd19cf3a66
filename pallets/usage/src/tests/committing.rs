//! From the outbox to the chain.

use super::support::*;
use crate::worker::{
    chain::{Action, Chain},
    commit::{is_settled_since, sign, tidy, MAX_SIGNED, RETRY_BLOCKS},
    store::Store,
};
use sealed_register::{Hash, OperatingDay};
use wattseal_primitives::{
    keys::FEED,
    offchain::{chunk_key, shard_index_key, staged_key, OutboxEntry, ShardIndex, OUTBOX},
};

fn entry(shard: u16, sequence: u32) -> OutboxEntry {
    let mut root: Hash = [1; 32];
    root[0] = shard as u8;
    root[1] = sequence as u8;
    OutboxEntry {
        shard,
        sequence,
        root,
        body_hash: root,
        body_bytes: 10,
        chunks: 1,
        cells: 1,
        first_day: OperatingDay(1),
        last_day: OperatingDay(2),
        as_of: 99,
        as_of_hash: hash_of(99),
        signed_at: 0,
    }
}

/// A world with these batches in the outbox, their chunks, and all of them staged.
fn world_with(entries: &[OutboxEntry]) -> World {
    let mut world = World::new();
    world.chain.bits = 4;
    world.store.write(OUTBOX, &entries.to_vec());
    for entry in entries {
        world.store.set(&chunk_key(entry.shard, entry.sequence, 0), b"chunk");
        world.store.write(&staged_key(entry.shard, entry.sequence), &entry.body_hash);
    }
    world
}

/// One signing run: shard, sequence and nonce of what is sent.
fn run(world: &mut World) -> Vec<(u16, u32, u32)> {
    let mut outbox = tidy(&mut world.store, &world.chain);
    let mut pool = Pool::default();
    let count = sign(&mut world.store, &world.chain, &mut pool, &config(), &mut outbox);
    assert_eq!(count, pool.sent.len());
    pool.sent
        .into_iter()
        .map(|(action, account, key_type, nonce)| {
            assert_eq!((account, key_type), (config().feed_key, FEED));
            let Action::Commit(entry) = action else { panic!("not a commitment") };
            (entry.shard, entry.sequence, nonce)
        })
        .collect()
}

#[test]
fn staged_batches_are_signed_in_order_with_nonces_in_a_row() {
    let mut world = world_with(&[entry(0, 0), entry(0, 1), entry(3, 0)]);
    world.chain.nonces.insert(config().feed_key, 5);
    assert_eq!(run(&mut world), [(0, 0, 5), (0, 1, 6), (3, 0, 7)]);
    // In flight: nothing is signed twice.
    world.chain.block += 1;
    assert_eq!(run(&mut world), []);
    assert_eq!(world.store.outbox().iter().map(|entry| entry.signed_at).collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn only_what_is_staged_is_signed_and_nothing_after_it() {
    let mut world = world_with(&[entry(0, 0), entry(0, 1), entry(3, 0)]);
    world.store.clear(&staged_key(0, 0));
    assert_eq!(run(&mut world), [(3, 0, 0)]);
    let mut world = world_with(&[entry(0, 0)]);
    // What is staged is the body of an earlier attempt.
    world.store.write(&staged_key(0, 0), &[7_u8; 32]);
    assert_eq!(run(&mut world), []);
}

#[test]
fn eight_at_a_time() {
    let entries: Vec<OutboxEntry> = (0..10).map(|sequence| entry(0, sequence)).collect();
    let mut world = world_with(&entries);
    assert_eq!(run(&mut world).len(), MAX_SIGNED);
    for entry in &entries[..8] {
        assert!(world.chain.commit(entry));
        *world.chain.nonces.entry(config().feed_key).or_default() += 1;
    }
    assert_eq!(run(&mut world), [(0, 8, 8), (0, 9, 9)]);
}

#[test]
fn what_got_lost_is_signed_again() {
    let mut world = world_with(&[entry(0, 0)]);
    assert_eq!(run(&mut world), [(0, 0, 0)]);
    for _ in 1..RETRY_BLOCKS {
        world.chain.block += 1;
        assert_eq!(run(&mut world), []);
    }
    world.chain.block += 1;
    assert_eq!(run(&mut world), [(0, 0, 0)]);
}

#[test]
fn a_pool_that_refuses_leaves_everything_as_it_is() {
    let mut world = world_with(&[entry(0, 0)]);
    let before = world.store.values.clone();
    let mut outbox = tidy(&mut world.store, &world.chain);
    let mut pool = Pool { refuses: true, ..Pool::default() };
    assert_eq!(sign(&mut world.store, &world.chain, &mut pool, &config(), &mut outbox), 0);
    assert_eq!(world.store.values, before);
}

#[test]
fn a_batch_leaves_the_outbox_when_the_index_has_it() {
    let mut world = world_with(&[entry(0, 0), entry(0, 1)]);
    world.chain.commit(&entry(0, 0));
    assert_eq!(tidy(&mut world.store, &world.chain).len(), 2);
    world.store.write(&shard_index_key(0), &ShardIndex { next_sequence: 1, head_parts: 0, heads: 0 });
    assert_eq!(tidy(&mut world.store, &world.chain), [entry(0, 1)]);
    assert_eq!(world.store.outbox(), [entry(0, 1)]);
    assert_eq!(world.store.get(&chunk_key(0, 0, 0)), None);
    assert_eq!(world.store.get(&staged_key(0, 0)), None);
    assert!(world.store.get(&chunk_key(0, 1, 0)).is_some());
}

#[test]
fn dead_batches_go_with_those_that_build_on_them() {
    let all = [entry(0, 0), entry(0, 1), entry(3, 0)];
    // Another batch has the number.
    let mut world = world_with(&all);
    let other = OutboxEntry { root: [9; 32], ..entry(0, 0) };
    world.chain.commit(&other);
    assert_eq!(tidy(&mut world.store, &world.chain), [entry(3, 0)]);
    assert_eq!(world.store.get(&chunk_key(0, 1, 0)), None);
    // Its as_of is a block of a fork.
    let mut world = world_with(&[entry(0, 0), OutboxEntry { as_of_hash: [8; 32], ..entry(0, 1) }, entry(3, 0)]);
    assert_eq!(tidy(&mut world.store, &world.chain), [entry(0, 0), entry(3, 0)]);
}

#[test]
fn what_is_old_is_not_signed_and_what_is_too_old_is_given_up() {
    let mut world = world_with(&[entry(0, 0)]);
    world.chain.block = 99 + 121;
    assert_eq!(run(&mut world), []);
    // It may still have been sent before, so its number stays taken while it could be included.
    world.chain.block = 99 + 150;
    assert_eq!(tidy(&mut world.store, &world.chain).len(), 1);
    world.chain.block += 1;
    assert_eq!(tidy(&mut world.store, &world.chain), []);
}

#[test]
fn an_epoch_is_settled_when_nothing_of_an_older_one_is_on_its_way() {
    let mut world = world_with(&[]);
    assert!(is_settled_since(&world.store, &world.chain, 0, 100));
    world.store.write(OUTBOX, &vec![entry(0, 0), entry(3, 0)]);
    assert!(is_settled_since(&world.store, &world.chain, 0, 99));
    assert!(!is_settled_since(&world.store, &world.chain, 0, 100));
    assert!(is_settled_since(&world.store, &world.chain, 1, 100));
    world.chain.commit(&entry(0, 0));
    world.store.write::<Vec<OutboxEntry>>(OUTBOX, &Vec::new());
    assert!(!is_settled_since(&world.store, &world.chain, 0, 100));
    let next_sequence = world.chain.shard(0).next_sequence;
    world.store.write(&shard_index_key(0), &ShardIndex { next_sequence, head_parts: 0, heads: 0 });
    assert!(is_settled_since(&world.store, &world.chain, 0, 100));
}
