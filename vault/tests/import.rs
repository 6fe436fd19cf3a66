//! What goes in, and what does not.

use crate::common::{days, open, Made, Utility, GENESIS};
use proptest::prelude::*;
use sealed_register::{batch_check::BatchError, heads::ExtendError, Channel, ShardId};
use wattseal_vault::{BatchName, CheckReport, Vault, VaultError};

#[test]
fn batches_go_in_one_after_the_other_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut utility = Utility::new();
    let first = utility.batch(&[days(1, 0, 3), days(2, 0, 2)].concat());
    let second = utility.batch(&[
        (1, Channel::Consumption, 1, 1),
        (1, Channel::Generation, 0, 0),
        (3, Channel::Consumption, 9, 0),
    ]);
    {
        let vault = open(&folder);
        assert_eq!(utility.take(&vault, &first).unwrap().cells, 5);
        // Staging is emptied, and the same batch does not go in twice.
        assert_eq!(vault.staged(&first.summary.body_hash).unwrap(), None);
        assert!(matches!(utility.take(&vault, &first), Err(VaultError::OutOfTurn { expected: 1, .. })));
        assert_eq!(utility.take(&vault, &second).unwrap().cells, 3);
    }
    let vault = open(&folder);
    assert_eq!(vault.next_sequence(&first.name.utility, ShardId(0)).unwrap(), 2);
    assert_eq!(vault.cells_of_batch(&first.name).unwrap(), first.cells);
    assert_eq!(vault.cells_of_batch(&second.name).unwrap(), second.cells);
    assert_eq!(vault.body(&second.name).unwrap(), second.chunks);
    assert_eq!(vault.batch(&second.name).unwrap(), Some(second.summary));
    assert_eq!(vault.heads(&first.name.utility, ShardId(0)).unwrap().heads, utility.heads);
    assert_eq!(vault.verify_all().unwrap(), CheckReport { shards: 1, batches: 2, cells: 8, receipts: 0 });
    let sizes = vault.sizes().unwrap();
    assert_eq!((sizes.batches, sizes.cells, sizes.receipts), (2, 8, 0));
    let [shard] = vault.shards().unwrap()[..] else { panic!("one shard") };
    assert_eq!((shard.bits, shard.next_sequence, shard.root), (0, 2, second.summary.root));
}

#[test]
fn every_reason_to_refuse_has_its_name_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut utility = Utility::new();
    let first = utility.batch(&days(1, 0, 3));
    let second = utility.batch(&days(1, 3, 5));
    assert!(matches!(utility.import(&vault, &first), Err(VaultError::NotStaged(name)) if name == first.name));
    assert!(matches!(utility.take(&vault, &second), Err(VaultError::OutOfTurn { expected: 0, .. })));

    utility.stage(&vault, &first);
    let mut other = first.clone();
    other.summary.root = [1; 32];
    assert!(matches!(refusal(utility.import(&vault, &other)), BatchError::Root));
    let mut other = first.clone();
    other.summary.cells = 2;
    assert!(matches!(refusal(utility.import(&vault, &other)), BatchError::CellCount { announced: 2, .. }));
    let mut other = first.clone();
    other.summary.days.last.0 += 1;
    assert!(matches!(refusal(utility.import(&vault, &other)), BatchError::Days { .. }));

    let wrong_epoch = vault.import(&first.name, 0, &first.summary, &mut |_| Ok(Some(1)));
    let error = wrong_epoch.unwrap_err();
    // The message names the cell.
    assert!(error.to_string().contains(&utility.meter(1).to_string()), "{error}");
    assert!(matches!(error, VaultError::Refused { error: BatchError::WrongEpoch { expected: 1, found: 0, .. }, .. }));
    let unknown = vault.import(&first.name, 0, &first.summary, &mut |_| Ok(None));
    assert!(matches!(refusal(unknown), BatchError::UnknownMeter { .. }));
    let silent = vault.import(&first.name, 0, &first.summary, &mut |_| Err("state pruned".into()));
    assert!(matches!(silent, Err(VaultError::Chain { problem, .. }) if problem == "state pruned"));

    assert_eq!(vault.next_sequence(&first.name.utility, ShardId(0)).unwrap(), 0);
    assert_eq!(vault.sizes().unwrap().cells, 0);
    utility.import(&vault, &first).unwrap();
    utility.stage(&vault, &second);
    let bits = vault.import(&second.name, 3, &second.summary, &mut |_| Ok(Some(0)));
    assert!(matches!(bits, Err(VaultError::ShardBits { expected: 0, found: 3, .. })));
}

#[test]
fn a_fork_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut utility = Utility::new();
    let first = utility.batch(&days(1, 0, 2));
    utility.take(&vault, &first).unwrap();
    // The same utility goes on from another first batch.
    let mut forked = Utility::new();
    forked.batch(&[(1, Channel::Consumption, 0, 0), (1, Channel::Consumption, 5, 0)]);
    let second = forked.batch(&days(1, 6, 7));
    let error = refusal(forked.take(&vault, &second));
    assert!(matches!(error, BatchError::Extend(ExtendError::Previous { .. })), "{error}");
}

fn refusal(result: Result<wattseal_vault::Imported, VaultError>) -> BatchError {
    match result {
        Err(VaultError::Refused { error, .. }) => error,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn another_chain_or_account_or_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.redb");
    assert!(matches!(Vault::open_existing(&path), Err(VaultError::NoVault(_))));
    {
        let vault = open(&folder);
        assert!(matches!(Vault::open(&path, &GENESIS), Err(VaultError::InUse)));
        vault.bind_account(&[1; 32]).unwrap();
        vault.bind_account(&[1; 32]).unwrap();
        assert!(matches!(vault.bind_account(&[2; 32]), Err(VaultError::OtherAccount { .. })));
        let utility = Utility::new();
        let mut secrets = utility.secrets.clone();
        vault.bind_secrets(&crate::common::utility(), &secrets).unwrap();
        secrets.generation = 1;
        vault.bind_secrets(&crate::common::utility(), &secrets).unwrap();
        secrets.id = utility.secrets.siv.clone();
        let error = vault.bind_secrets(&crate::common::utility(), &secrets);
        assert!(matches!(error, Err(VaultError::OtherSealingKey { .. })));
    }
    assert!(matches!(Vault::open(&path, &[9; 32]), Err(VaultError::OtherChain { .. })));
    assert_eq!(Vault::open_existing(&path).unwrap().genesis(), &GENESIS);
}

#[test]
fn only_the_announced_bytes_are_staged() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut utility = Utility::new();
    let Made { name, summary, mut chunks, .. } = utility.batch(&days(1, 0, 2));
    let good = chunks.clone();
    chunks[0][100] ^= 1;
    let wrong = vault.stage(&name, &summary.body_hash, &chunks);
    assert!(matches!(wrong, Err(VaultError::WrongBody { .. })));
    let endless = std::iter::repeat(vec![0_u8; 1 << 20]);
    assert!(matches!(vault.stage(&name, &summary.body_hash, endless), Err(VaultError::WrongBody { .. })));
    assert_eq!(vault.staged(&summary.body_hash).unwrap(), None);
    vault.stage(&name, &summary.body_hash, &good).unwrap();
    vault.stage(&name, &summary.body_hash, &good).unwrap();
    assert_eq!(vault.staged(&summary.body_hash).unwrap().unwrap().chunks, 1);
    // Under another name the same bytes are not the batch that is asked for.
    let other = BatchName { sequence: 1, ..name };
    assert!(matches!(vault.import(&other, 0, &summary, &mut |_| Ok(Some(0))), Err(VaultError::NotStaged(_))));
    vault.unstage(&summary.body_hash).unwrap();
    vault.unstage(&summary.body_hash).unwrap();
    assert_eq!(vault.staged(&summary.body_hash).unwrap(), None);
}

#[test]
fn a_batch_of_several_chunks_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let vault = open(&folder);
    let mut utility = Utility::new();
    let items: Vec<_> = (0..4).flat_map(|meter| days(meter, 0, 365)).collect();
    let made = utility.batch(&items);
    assert!(made.chunks.len() > 1);
    utility.take(&vault, &made).unwrap();
    assert_eq!(vault.body(&made.name).unwrap(), made.chunks);
    let mut seen = 0;
    vault
        .for_each_cell::<VaultError>(&made.name.utility, ShardId(0), 0, |cell| {
            seen += 1;
            assert!(made.cells.contains(&cell));
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, made.cells.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In whatever order bodies arrive and imports are tried, the vault ends with the same heads.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        restart in 0..6_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut utility = Utility::new();
        let batches: Vec<Made> = (0..6).map(|batch| utility.batch(&[
            (1, Channel::Consumption, batch, 0),
            (u32::from(batch), Channel::Generation, batch, 0),
            (2, Channel::Consumption, 0, batch),
        ])).collect();
        let mut vault = open(&folder);
        for (step, arrival) in order.into_iter().enumerate() {
            if step == restart {
                drop(vault);
                vault = open(&folder);
            }
            utility.stage(&vault, &batches[arrival]);
            // As the importer does: take what is due until something is missing.
            loop {
                let due = vault.next_sequence(&crate::common::utility(), ShardId(0)).unwrap() as usize;
                let Some(made) = batches.get(due) else { break };
                match utility.import(&vault, made) {
                    Ok(_) => {}
                    Err(VaultError::NotStaged(_)) => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        prop_assert_eq!(vault.next_sequence(&crate::common::utility(), ShardId(0)).unwrap(), 6);
        prop_assert_eq!(&vault.heads(&crate::common::utility(), ShardId(0)).unwrap().heads, &utility.heads);
        vault.verify_all().unwrap();
    }

    /// Garbage that hashes to what was announced is refused, and nothing of it stays.
    #[test]
    fn garbage_is_refused(at in 0..3000_usize, byte: u8, cut in 0..3000_usize) {
        let folder = tempfile::tempdir().unwrap();
        let vault = open(&folder);
        let mut utility = Utility::new();
        let mut made = utility.batch(&days(1, 0, 3));
        let chunk = &mut made.chunks[0];
        let before = chunk.clone();
        chunk.truncate(chunk.len() - cut % chunk.len());
        let place = at % chunk.len().max(1);
        if let Some(old) = chunk.get_mut(place) { *old = byte; }
        prop_assume!(*chunk != before);
        made.summary.body_hash = sealed_register::batch::body_hash(made.chunks.iter().map(Vec::as_slice));
        made.summary.body_len = made.chunks[0].len() as u32;
        utility.stage(&vault, &made);
        let refused = matches!(utility.import(&vault, &made), Err(VaultError::Refused { .. }));
        // A word alone is not bound by the chain of cells (only keys bind it): then the root is right, and the body
        // hash, here forged with it, is all that protects it.
        let words_only = !refused;
        if words_only {
            let known = vault.heads(&crate::common::utility(), ShardId(0)).unwrap();
            prop_assert_eq!(&known.heads, &utility.heads);
        } else {
            prop_assert_eq!(vault.sizes().unwrap().cells, 0);
        }
    }
}
