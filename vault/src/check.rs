//! Looking at everything: that each cell is what was stored, each stream a chain, each root the one of the chain.

use crate::{
    error::VaultError,
    names::{shard_key, BatchName},
    range::{self, damaged_shard, shard_bounds},
    receipts,
    records::{self, decode_cell, ShardRecord},
    tables, Vault,
};
use redb::{ReadTransaction, ReadableTable};
use sealed_register::{statement::Statement, Heads, Shard};

/// What was found sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Shards.
    pub shards: u64,
    /// Batches.
    pub batches: u64,
    /// Cells.
    pub cells: u64,
    /// Receipts.
    pub receipts: u64,
}

impl Vault {
    /// Reads everything and checks it: every cell against its check value and its stream, every body against the body
    /// hash on chain, every shard's heads against the root on chain, and the chain of receipts. Takes about as long as
    /// reading the file.
    ///
    /// # Errors
    /// The first thing that is wrong: [`VaultError::DamagedCell`] names the cell, [`VaultError::Damaged`] anything
    /// else.
    pub fn verify_all(&self) -> Result<CheckReport, VaultError> {
        let transaction = self.read()?;
        let mut report = CheckReport::default();
        let shards = transaction.open_table(tables::SHARDS)?;
        for entry in shards.iter()? {
            let (key, value) = entry?;
            let summary = ShardRecord::summary(key.value(), value.value())?;
            let shard =
                Shard { genesis: self.genesis, utility: summary.utility, id: summary.shard, bits: summary.bits };
            let in_streams = check_streams(&transaction, shard, summary.next_sequence)?;
            let in_batches = check_batches(&transaction, shard, summary.next_sequence)?;
            if in_streams != in_batches {
                let problem = format!("its batches have {in_batches} cells, its streams {in_streams}");
                return Err(damaged_shard(&shard, &problem));
            }
            report.shards += 1;
            report.batches += u64::from(summary.next_sequence);
            report.cells += in_streams;
        }
        report.receipts = check_receipts(&transaction)?;
        Ok(report)
    }
}

/// Walks all streams of a shard: sequence, previous hashes and day_high fit, the heads are the stored ones and give the
/// root of the newest batch. Returns the number of cells.
fn check_streams(transaction: &ReadTransaction, shard: Shard, next_sequence: u32) -> Result<u64, VaultError> {
    let table = transaction.open_table(tables::CELLS)?;
    let (first, last) = shard_bounds(&shard.utility, shard.id, shard.bits);
    let mut heads = Heads::new(shard);
    let mut cells = 0_u64;
    for entry in table.range::<&[u8; crate::names::CELL_KEY]>(&first..=&last)? {
        let (key, stored) = entry?;
        let key = range::parse(key.value())?;
        let cell = decode_cell(&key, stored.value())?;
        heads.apply(&cell).map_err(|error| {
            log::error!(target: "wattseal::vault", "{error}");
            VaultError::DamagedCell(key)
        })?;
        cells += 1;
    }
    if heads != records::heads(&transaction.open_table(tables::HEADS)?, shard)? {
        return Err(damaged_shard(&shard, "its index of heads is not that of its cells"));
    }
    let record = records::shard(&transaction.open_table(tables::SHARDS)?, &shard.utility, shard.id)?;
    let root = record.map(|record| record.root);
    if root != Some(heads.root(next_sequence.saturating_sub(1))) {
        return Err(damaged_shard(&shard, "its heads do not give the root of its newest batch"));
    }
    Ok(cells)
}

/// Puts every body of a shard together and compares its hash with the chain's. Returns the number of cells.
fn check_batches(transaction: &ReadTransaction, shard: Shard, next_sequence: u32) -> Result<u64, VaultError> {
    let batches = transaction.open_table(tables::BATCHES)?;
    let table = transaction.open_table(tables::CELLS)?;
    let mut cells = 0_u64;
    let mut newest = None;
    for sequence in 0..next_sequence {
        let name = BatchName { utility: shard.utility, shard: shard.id, sequence };
        let damaged = |problem: &str| VaultError::Damaged { what: name.to_string(), problem: problem.into() };
        let value = batches.get(&name.bytes())?.ok_or_else(|| damaged("its record is missing"))?;
        let record = records::batch(&name, value.value())?;
        let chunks = range::body(&table, &name, &record)?;
        if range::body_hash(&chunks) != record.summary.body_hash {
            return Err(damaged("its cells do not give the body hash on chain"));
        }
        cells += record.cells.len() as u64;
        newest = Some(record.summary.root);
    }
    let shards = transaction.open_table(tables::SHARDS)?;
    let known = shards.get(&shard_key(&shard.utility, shard.id))?;
    let known = known.map(|value| ShardRecord::decode(&shard.utility, shard.id, value.value())).transpose()?;
    if known.map(|record| record.root) != newest {
        return Err(damaged_shard(&shard, "its root is not that of its newest batch"));
    }
    Ok(cells)
}

/// Walks the chain of receipts. Returns their number.
fn check_receipts(transaction: &ReadTransaction) -> Result<u64, VaultError> {
    let table = transaction.open_table(tables::RECEIPTS)?;
    let mut previous = [0; 32];
    let mut due = 0_u64;
    for entry in table.iter()? {
        let (number, value) = entry?;
        let number = number.value();
        let receipt = receipts::decode(number, value.value())?.receipt(number)?;
        if number != due || receipt.number != number || receipt.previous != previous {
            let what = format!("receipt {number}");
            return Err(VaultError::Damaged { what, problem: "it does not follow the receipt before it".into() });
        }
        previous = receipt.hash();
        due += 1;
    }
    Ok(due)
}
