//! Trees of heads against an independent definition; paths; absence.

use crate::world::{range, World, GENESIS, START};
use proptest::prelude::*;
use sealed_register::{
    hash::{public_hash, Tag},
    heads::Heads,
    shard::{shard_of, AbsenceError, HeadLeaf, HeadTree, PathError, MAX_STREAMS},
    types::Channels,
    Channel, Hash, MeterId, Shard, ShardId,
};

/// RFC 6962, section 2.1, by its recursive definition.
fn top(digests: &[Hash]) -> Hash {
    match digests {
        [] => [0; 32],
        [one] => *one,
        _ => {
            let half = digests.len().next_power_of_two() / 2;
            let (left, right) = digests.split_at(half);
            public_hash(Tag::HEAD_NODE, &[&top(left), &top(right)])
        }
    }
}

fn defined_root(heads: &Heads, batch: u32) -> Hash {
    let digest = |leaf: HeadLeaf| {
        let mut bytes = leaf.meter.0.to_vec();
        bytes.push(leaf.channel as u8);
        bytes.extend(leaf.sequence.to_le_bytes());
        bytes.extend(leaf.hash);
        public_hash(Tag::HEAD_LEAF, &[&bytes])
    };
    let digests: Vec<_> = heads.leaves().map(digest).collect();
    let mut bytes = heads.shard().genesis.to_vec();
    bytes.extend(heads.shard().utility.padded());
    bytes.extend(heads.shard().id.0.to_le_bytes());
    bytes.extend(batch.to_le_bytes());
    bytes.extend((digests.len() as u32).to_le_bytes());
    bytes.extend(top(&digests));
    public_hash(Tag::HEADS_ROOT, &[&bytes])
}

/// Heads of `streams` streams, of one cell each.
fn heads(streams: u32) -> (World, Heads) {
    let mut world = World::new();
    for number in 0..streams {
        let meter = world.meter(number / 2);
        let channel = Channel::ALL[number as usize % 2];
        world.seal_days(&meter, channel, range(START, START));
    }
    let mut heads = Heads::new(world.shard);
    world.pending.iter().for_each(|cell| {
        heads.apply(cell).unwrap();
    });
    (world, heads)
}

#[test]
fn both_computations_give_the_defined_root_for_every_size() {
    let (world, _) = heads(70);
    let mut growing = Heads::new(world.shard);
    for cell in &world.pending {
        for batch in [0, 5] {
            let expected = defined_root(&growing, batch);
            assert_eq!(growing.root(batch), expected, "{} streams", growing.len());
            assert_eq!(growing.tree(batch).root(), expected, "{} streams", growing.len());
        }
        growing.apply(cell).unwrap();
    }
}

#[test]
fn every_path_leads_to_the_root_and_no_altered_one_does() {
    for count in [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 64, 65] {
        let (_, heads) = heads(count);
        let tree = heads.tree(3);
        for (index, leaf) in heads.leaves().enumerate() {
            let path = tree.path(&leaf.meter, leaf.channel).unwrap();
            assert_eq!((path.index as usize, path.count, path.leaf), (index, count, leaf));
            let root = |path: &sealed_register::shard::HeadPath| path.root(tree.shard(), 3);
            assert_eq!(root(&path), Ok(tree.root()));
            assert_ne!(path.root(tree.shard(), 4), Ok(tree.root()), "another batch");

            for sibling in 0..path.siblings.len() {
                let mut altered = path.clone();
                altered.siblings[sibling][31] ^= 1;
                assert_ne!(root(&altered), Ok(tree.root()));
            }
            // Another position or size: either another number of siblings, or another root.
            for other in 0..count {
                let altered = sealed_register::shard::HeadPath { index: other, ..path.clone() };
                assert!(other == path.index || root(&altered) != Ok(tree.root()));
            }
            for other in [count - 1, count + 1, 2 * count] {
                let altered = sealed_register::shard::HeadPath { count: other, ..path.clone() };
                assert_ne!(root(&altered), Ok(tree.root()));
            }
            let mut long = path.clone();
            long.siblings.push([0; 32]);
            assert!(matches!(root(&long), Err(PathError::Length { .. })));
            let mut short = path.clone();
            if short.siblings.pop().is_some() {
                assert!(matches!(root(&short), Err(PathError::Length { .. })));
            }
            let beyond = sealed_register::shard::HeadPath { index: count, ..path.clone() };
            assert_eq!(root(&beyond), Err(PathError::Index { index: count, count }));
            for count in [0, MAX_STREAMS + 1, u32::MAX] {
                let huge = sealed_register::shard::HeadPath { count, index: 0, ..path.clone() };
                assert_eq!(root(&huge), Err(PathError::Count { count }));
            }
        }
    }
}

#[test]
fn genesis_utility_shard_and_batch_are_in_the_root() {
    let (_, heads) = heads(5);
    let leaf = heads.leaves().next().unwrap();
    let tree = heads.tree(3);
    let path = tree.path(&leaf.meter, leaf.channel).unwrap();
    let shard = *tree.shard();
    let other_utility = sealed_register::OrganisationId::new("aep").unwrap();
    let others = [
        Shard { genesis: [8; 32], ..shard },
        Shard { utility: other_utility, ..shard },
        Shard { id: ShardId(2), ..shard },
    ];
    for other in others {
        assert_ne!(path.root(&other, 3), Ok(tree.root()));
    }
}

/// Every MeterId around the leaves of a tree: absent ones are proved absent, present ones never.
#[test]
fn absence_is_proved_exactly_for_what_is_absent() {
    for count in [0, 1, 2, 7, 8] {
        let (_, heads) = heads(count);
        let tree = heads.tree(1);
        let (shard, root) = (*tree.shard(), tree.root());
        let mut candidates = vec![MeterId([0x80; 16]), MeterId([0xff; 16])];
        for leaf in heads.leaves() {
            let number = u128::from_be_bytes(leaf.meter.0);
            candidates.extend([number - 1, number, number + 1].map(|number| MeterId(number.to_be_bytes())));
        }
        candidates.retain(|meter| shard.contains(meter));
        for meter in candidates {
            for channels in [Channels::Consumption, Channels::Generation, Channels::Both] {
                let present = channels.iter().any(|channel| heads.get(&meter, channel).is_some());
                let Some(proof) = tree.absence(&meter, channels) else {
                    assert!(present);
                    continue;
                };
                assert!(!present);
                assert_eq!(proof.verify(&meter, channels, &shard, 1, &root), Ok(()));
                let other = proof.verify(&meter, channels, &shard, 2, &root);
                assert!(matches!(other, Err(AbsenceError::Root { batch_sequence: 2 })), "{other:?}");
            }
        }
    }
}

#[test]
fn absence_proofs_that_hide_something_are_refused() {
    let (_, heads) = heads(8);
    let tree = heads.tree(1);
    let (shard, root) = (*tree.shard(), tree.root());
    let leaves: Vec<_> = heads.leaves().collect();
    let hidden = leaves[4].meter;
    let path = |at: usize| tree.path(&leaves[at].meter, leaves[at].channel);
    let verify = |before, after| {
        let proof = sealed_register::shard::AbsenceProof { before, after };
        proof.verify(&hidden, Channels::Both, &shard, 1, &root)
    };
    // Leaves 4 and 5 are the hidden meter's.
    assert_eq!(verify(path(3), path(6)), Err(AbsenceError::NotAdjacent));
    assert_eq!(verify(path(3), None), Err(AbsenceError::NotAdjacent));
    assert_eq!(verify(None, path(6)), Err(AbsenceError::NotAdjacent));
    assert_eq!(verify(path(3), path(4)), Err(AbsenceError::NotBetween { meter: hidden }));
    assert_eq!(verify(path(6), path(7)), Err(AbsenceError::NotBetween { meter: hidden }));
    assert_eq!(verify(None, None), Err(AbsenceError::Root { batch_sequence: 1 }));
    // A meter of the other shard is absent from this one and proves nothing by it.
    let elsewhere = MeterId([0x11; 16]);
    let proof = tree.absence(&elsewhere, Channels::Both).unwrap();
    let refused = proof.verify(&elsewhere, Channels::Both, &shard, 1, &root);
    let expected = AbsenceError::WrongShard { meter: elsewhere, belongs: ShardId(0), found: ShardId(1) };
    assert_eq!(refused, Err(expected));
}

#[test]
fn shards_are_the_leading_bits() {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&0b1011_0000_0000_0001_u16.to_be_bytes());
    let meter = MeterId(bytes);
    for (bits, expected) in [(0, 0), (1, 1), (2, 2), (3, 5), (4, 11), (15, 0x5800), (16, 0xb001), (200, 0xb001)] {
        assert_eq!(shard_of(&meter, bits), ShardId(expected), "{bits} bits");
    }
    let shard = Shard::of(GENESIS, sealed_register::OrganisationId::new("x").unwrap(), &meter, 3);
    assert!(shard.contains(&meter) && !shard.contains(&MeterId([0; 16])));
}

proptest! {
    #[test]
    fn an_index_of_heads_survives_encoding(count in 0u32..40) {
        let (world, heads) = heads(count);
        let bytes = heads.encode();
        prop_assert_eq!(bytes.len(), 4 + 55 * count as usize);
        let decoded = Heads::decode(world.shard, &bytes).unwrap();
        prop_assert_eq!(&decoded, &heads);
        let tree: HeadTree = decoded.tree(0);
        prop_assert_eq!(tree.root(), heads.root(0));
        // The same bytes are no index of another shard.
        let other = Shard { id: ShardId(0), ..world.shard };
        prop_assert_eq!(Heads::decode(other, &bytes).is_ok(), count == 0);
    }
}
