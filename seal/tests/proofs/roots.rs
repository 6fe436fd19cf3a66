//! Only finalised roots with a provenance: the quorum's rule, and Current or Historic.

use crate::world::{range, utility, World, GENESIS, START};
use sealed_register::{
    finalized::{BlockRef, FinalizedRoot, QuorumError, RootStatement},
    verified::Currency,
    verify::{verify_range, VerifyError},
    Channel, Level, OrganisationId, Provenance, Shard, ShardId,
};

fn member(name: &str) -> OrganisationId {
    OrganisationId::new(name).unwrap()
}

fn statement(root: u8) -> RootStatement {
    let shard = Shard { genesis: GENESIS, utility: utility(), id: ShardId(0), bits: 0 };
    RootStatement { shard, batch_sequence: 4, root: [root; 32], block: BlockRef { number: 9, hash: [2; 32] } }
}

fn quorum(answers: &[(&str, u8)]) -> Result<FinalizedRoot, QuorumError> {
    let answers: Vec<_> = answers.iter().map(|(name, root)| (member(name), statement(*root))).collect();
    FinalizedRoot::from_quorum(&member("vault"), &answers)
}

#[test]
fn three_other_members_make_a_quorum() {
    let root = quorum(&[("a", 1), ("b", 1), ("c", 1)]).unwrap();
    assert_eq!(root.provenance(), Provenance::Quorum { members: 3, answered: 3 });
    assert_eq!((*root.root(), root.batch_sequence(), root.block().number), ([1; 32], 4, 9));
    assert_eq!(
        root.provenance().to_string(),
        "the same answer from 3 of 3 members' nodes, none of them the serving vault"
    );
    let root = quorum(&[("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 3)]).unwrap();
    assert_eq!(root.provenance(), Provenance::Quorum { members: 3, answered: 5 });
}

#[test]
fn the_serving_vault_and_repeated_answers_do_not_count() {
    let few = |answers| assert_eq!(quorum(answers), Err(QuorumError::TooFew { agreeing: 2 }));
    few(&[("a", 1), ("b", 1), ("vault", 1)]);
    few(&[("a", 1), ("b", 1), ("b", 1), ("a", 1)]);
    few(&[("a", 1), ("b", 1), ("c", 1), ("c", 2)]);
    few(&[("a", 1), ("b", 1), ("c", 2), ("d", 2)]);
    assert_eq!(quorum(&[]), Err(QuorumError::TooFew { agreeing: 0 }));
}

#[test]
fn a_divided_consortium_is_no_quorum() {
    let divided = quorum(&[("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 2), ("f", 2)]);
    let Err(QuorumError::Divided { agreeing: 3, answered: 6, others }) = divided else { panic!("{divided:?}") };
    assert_eq!(others.len(), 3);
}

/// A quorum of answers about another block is another statement.
#[test]
fn answers_about_different_blocks_do_not_add_up() {
    let mut answers: Vec<_> = ["a", "b", "c"].map(|name| (member(name), statement(1))).to_vec();
    answers[2].1.block.number += 1;
    assert_eq!(FinalizedRoot::from_quorum(&member("vault"), &answers), Err(QuorumError::TooFew { agreeing: 2 }));
}

#[test]
fn an_older_root_gives_historic_and_never_current() {
    let mut world = World::new();
    let meter = world.meter(1);
    world.seal_plain(&meter, START, 0);
    world.commit();
    let request = world.request(&meter, Channel::Consumption, range(START, START), Level::Day);
    let (proof, keyring, root) = (world.prove(&request), world.keyring(&request), world.root.unwrap());
    world.seal_plain(&meter, START + 1, 0);
    world.commit();
    let (later, later_root) = (world.prove(&request), world.root.unwrap());
    let currency = |newest| verify_range(&request, &proof, &root, newest, &keyring).unwrap().currency();
    assert_eq!(currency(&root), Currency::Current);
    assert_eq!(currency(&later_root), Currency::Historic { newest_sequence: 1 });
    assert_eq!(currency(&later_root).to_string(), "historic: batch 1 exists and may hold later revisions");
    // What cannot be the newest beside a root must not make anything current: older, another shard's, another root.
    let refused = |newest: FinalizedRoot| {
        let newest_sequence = newest.batch_sequence();
        let refused = verify_range(&request, &later, &later_root, &newest, &keyring);
        assert_eq!(refused, Err(VerifyError::NotTheNewest { newest_sequence, batch_sequence: 1 }));
    };
    refused(root);
    refused(world.finalized(1, [1; 32]));
    world.shard.id = ShardId(world.shard.id.0 ^ 1);
    refused(world.finalized(2, [1; 32]));
    assert!(verify_range(&request, &later, &later_root, &later_root, &keyring).is_ok());
}
