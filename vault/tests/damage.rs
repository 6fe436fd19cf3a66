//! Bytes that change on disk are seen, and named.

use crate::common::{days, open, utility, Utility, GENESIS};
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sealed_register::{
    proof::{Form, RangeRequest},
    Channel, DayRange, Level, OperatingDay, ShardId, StreamId,
};
use std::path::Path;
use wattseal_vault::{CellKey, Vault, VaultError};

const CELLS: TableDefinition<&[u8; 37], &[u8]> = TableDefinition::new("cells");
const REVISIONS_OF_HEADS: TableDefinition<&[u8; 18], &[u8]> = TableDefinition::new("heads");

/// Flips a bit of the `nth` stored cell.
fn flip(path: &Path, nth: usize, at: usize, bit: u8) -> usize {
    let database = Database::create(path).unwrap();
    let (key, mut value) = {
        let transaction = database.begin_read().unwrap();
        let table = transaction.open_table(CELLS).unwrap();
        let (key, value) = table.iter().unwrap().nth(nth).unwrap().unwrap();
        (*key.value(), value.value().to_vec())
    };
    let at = at % value.len();
    value[at] ^= 1 << bit;
    let transaction = database.begin_write().unwrap();
    transaction.open_table(CELLS).unwrap().insert(&key, value.as_slice()).unwrap();
    transaction.commit().unwrap();
    at
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_flipped_bit_anywhere_in_a_cell_names_the_cell(nth in 0..4_usize, at in 0..2000_usize, bit in 0..8_u8) {
        let folder = tempfile::tempdir().unwrap();
        let mut made = Utility::new();
        {
            let vault = open(&folder);
            let batch = made.batch(&days(1, 0, 4));
            made.take(&vault, &batch).unwrap();
        }
        let path = folder.path().join("vault.redb");
        flip(&path, nth, at, bit);
        let vault = Vault::open(&path, &GENESIS).unwrap();
        let (meter, channel) = (made.meter(1), Channel::Consumption);
        let damaged = CellKey { utility: utility(), meter, channel, sequence: nth as u32 };
        let Err(VaultError::DamagedCell(found)) = vault.verify_all() else { panic!("the flipped bit was not seen") };
        prop_assert_eq!(found, damaged);
        // It is never served.
        let stream = StreamId { genesis: GENESIS, utility: utility(), meter, channel };
        let day = OperatingDay(crate::common::FIRST_DAY);
        let request = RangeRequest {
            stream,
            range: DayRange { first: day, last: day },
            level: Level::Day,
            segments: Vec::new(),
            form: Form::Compact,
        };
        let answer = vault.range(ShardId(0), &request);
        let Err(VaultError::DamagedCell(found)) = answer else { panic!("damage was served") };
        prop_assert_eq!(found, damaged);
    }
}

#[test]
fn a_missing_cell_and_a_changed_index_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.redb");
    let mut made = Utility::new();
    {
        let vault = open(&folder);
        for batch in [made.batch(&days(1, 0, 2)), made.batch(&days(1, 2, 4))] {
            made.take(&vault, &batch).unwrap();
        }
    }
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let (key, heads) = {
        let mut table = transaction.open_table(REVISIONS_OF_HEADS).unwrap();
        let (key, heads) = table.first().unwrap().map(|(key, value)| (*key.value(), value.value().to_vec())).unwrap();
        let mut changed = heads.clone();
        changed[25] ^= 1;
        table.insert(&key, changed.as_slice()).unwrap();
        (key, heads)
    };
    transaction.commit().unwrap();
    drop(database);
    {
        let vault = Vault::open(&path, &GENESIS).unwrap();
        assert!(matches!(vault.verify_all(), Err(VaultError::Damaged { .. })));
        assert!(matches!(vault.heads(&utility(), ShardId(0)), Err(VaultError::Damaged { .. })));
    }
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(REVISIONS_OF_HEADS).unwrap().insert(&key, heads.as_slice()).unwrap();
    // The newest cell goes: the chain of cells is whole and too short.
    transaction.open_table(CELLS).unwrap().pop_last().unwrap();
    transaction.commit().unwrap();
    drop(database);
    let vault = Vault::open(&path, &GENESIS).unwrap();
    assert!(matches!(vault.verify_all(), Err(VaultError::Damaged { .. })));
}
