//! Bodies that are handed in: staged only if an import will take them.

use crate::common::*;
use sealed_register::{batch::BatchSummary, batch_check::BatchError, Channel, ShardId};
use wattseal_vault::{Offer, Pending, Vault, VaultError};

fn offer(vault: &Vault, utility: &Utility, made: &Made, pending: &Pending) -> Result<Pending, VaultError> {
    let mut offer = Offer::new(made.name, made.summary, pending)?;
    let mut cells = Vec::new();
    for chunk in &made.chunks {
        cells.extend(offer.chunk(vault, chunk.clone(), &mut |meter| Ok(Some(utility.epoch(meter))))?);
    }
    assert_eq!(cells, made.cells);
    offer.stage(vault)
}

#[test]
fn offers_follow_each_other_before_any_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut made = Utility::new();
    let first = made.batch(&days(1, 0, 5));
    made.take(&vault, &first).unwrap();
    let mut pending = vault.pending(&utility(), ShardId(0), 0).unwrap();
    assert_eq!((pending.next_sequence, pending.root), (1, first.summary.root));
    // New days; then an amendment of one of them, and of one that is imported.
    let second = made.batch(&days(1, 5, 8));
    let amend = |day, revision| (1, Channel::Consumption, day, revision);
    let third = made.batch(&[amend(6, 1), amend(2, 1), amend(6, 2)]);
    let fourth = made.batch(&[amend(6, 3)]);
    for batch in [&second, &third, &fourth] {
        pending = offer(&vault, &made, batch, &pending).unwrap();
        assert_eq!(pending.root, batch.summary.root);
    }
    for batch in [&second, &third, &fourth] {
        made.import(&vault, batch).unwrap();
    }
    assert_eq!(vault.heads(&utility(), ShardId(0)).unwrap().heads, made.heads);
}

#[test]
fn what_an_import_would_refuse_is_not_staged() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut made = Utility::new();
    let batch = made.batch(&days(1, 0, 5));
    let next = made.batch(&days(1, 5, 6));
    let pending = vault.pending(&utility(), ShardId(0), 0).unwrap();
    let stale = offer(&vault, &made, &next, &pending);
    assert!(matches!(stale, Err(VaultError::OutOfTurn { expected: 0, .. })));
    let refused = |altered: &dyn Fn(&mut BatchSummary)| {
        let mut other = batch.clone();
        altered(&mut other.summary);
        match offer(&vault, &made, &other, &pending) {
            Err(VaultError::Refused { error, .. }) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refused(&|summary| summary.root[0] ^= 1), BatchError::Root));
    assert!(matches!(refused(&|summary| summary.body_hash[0] ^= 1), BatchError::BodyHash));
    assert!(matches!(refused(&|summary| summary.cells += 1), BatchError::CellCount { .. }));
    let mut flipped = batch.clone();
    flipped.chunks[0].pop();
    let mut half = Offer::new(flipped.name, flipped.summary, &pending).unwrap();
    let taken = half.chunk(&vault, flipped.chunks[0].clone(), &mut |_| Ok(Some(0)));
    assert!(matches!(taken, Err(VaultError::Refused { error: BatchError::Decode(_), .. })));
    let mut unknown = Offer::new(batch.name, batch.summary, &pending).unwrap();
    let taken = unknown.chunk(&vault, batch.chunks[0].clone(), &mut |_| Ok(None));
    assert!(matches!(taken, Err(VaultError::Refused { error: BatchError::UnknownMeter { .. }, .. })));
    assert_eq!(vault.staged(&batch.summary.body_hash).unwrap(), None);
    assert!(matches!(vault.pending(&utility(), ShardId(0), 3), Ok(Pending { next_sequence: 0, .. })));
    offer(&vault, &made, &batch, &pending).unwrap();
    assert!(vault.staged(&batch.summary.body_hash).unwrap().is_some());
    made.import(&vault, &batch).unwrap();
    assert!(matches!(vault.pending(&utility(), ShardId(0), 3), Err(VaultError::ShardBits { .. })));
}
