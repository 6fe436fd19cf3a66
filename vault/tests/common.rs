//! A small utility that seals days and makes batches, and a chain that knows its epochs.

use sealed_register::{
    batch::{BatchBuilder, BatchSummary},
    seal::seal_day,
    secrets::Secret,
    Channel, DayReadings, Hash, Heads, MeterId, OperatingDay, OrganisationId, Quality, Reading, SealedCell, Shard,
    ShardId, UtilitySecrets,
};
use std::collections::BTreeMap;
use wattseal_vault::{BatchName, Imported, Vault, VaultError};

pub const GENESIS: Hash = [7; 32];

/// Days from 2022-03-01.
pub const FIRST_DAY: u16 = 8095;

pub fn utility() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

pub fn secrets() -> UtilitySecrets {
    let secret = |byte| Secret::from_bytes([byte; 32]);
    UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 }
}

/// A batch as it leaves the worker.
#[derive(Clone, Debug)]
pub struct Made {
    pub name: BatchName,
    pub summary: BatchSummary,
    pub chunks: Vec<Vec<u8>>,
    pub cells: Vec<SealedCell>,
}

/// What to seal: meter number, channel, day number from [`FIRST_DAY`], revision.
pub type Item = (u32, Channel, u16, u16);

/// Seals and batches like a worker.
pub struct Utility {
    pub secrets: UtilitySecrets,
    pub heads: Heads,
    pub sequence: u32,
    pub epochs: BTreeMap<MeterId, u32>,
}

impl Utility {
    pub fn new() -> Self {
        let shard = Shard { genesis: GENESIS, utility: utility(), id: ShardId(0), bits: 0 };
        Self { secrets: secrets(), heads: Heads::new(shard), sequence: 0, epochs: BTreeMap::new() }
    }

    pub fn meter(&self, number: u32) -> MeterId {
        self.secrets.meter_id(&format!("1044372{number:010}"), 0)
    }

    pub fn epoch(&self, meter: &MeterId) -> u32 {
        self.epochs.get(meter).copied().unwrap_or(0)
    }

    pub fn readings(channel: Channel, day: u16, revision: u16) -> DayReadings {
        let wh = |interval: u32| interval * 3 + u32::from(day) + 7 * u32::from(revision);
        let intervals = (0..96).map(|interval| Reading { wh: wh(interval), quality: Quality::Actual }).collect();
        DayReadings { channel, day: OperatingDay(FIRST_DAY + day), revision_date: u32::from(revision), intervals }
    }

    pub fn seal(&self, heads: &Heads, (number, channel, day, revision): Item) -> SealedCell {
        let meter = self.meter(number);
        let key = self.secrets.meter_key(&utility(), &meter);
        let stream = heads.stream(&meter, channel);
        let head = heads.head(&meter, channel);
        let readings = Self::readings(channel, day, revision);
        seal_day(&key, &self.secrets.siv, &stream, self.epoch(&meter), &head, &readings, revision, 1_000_000).unwrap()
    }

    /// The next batch.
    pub fn batch(&mut self, items: &[Item]) -> Made {
        let mut builder = BatchBuilder::new(*self.heads.shard(), self.sequence);
        let (mut chunks, mut cells) = (Vec::new(), Vec::new());
        let mut heads = self.heads.clone();
        for item in items {
            let cell = self.seal(&heads, *item);
            chunks.extend(builder.push(&mut heads, &cell).unwrap());
            cells.push(cell);
        }
        let (last, summary) = builder.finish(&heads).unwrap();
        chunks.push(last);
        let name = BatchName { utility: utility(), shard: ShardId(0), sequence: self.sequence };
        (self.heads, self.sequence) = (heads, self.sequence + 1);
        Made { name, summary, chunks, cells }
    }

    pub fn stage(&self, vault: &Vault, made: &Made) {
        vault.stage(&made.name, &made.summary.body_hash, &made.chunks).unwrap();
    }

    pub fn import(&self, vault: &Vault, made: &Made) -> Result<Imported, VaultError> {
        vault.import(&made.name, 0, &made.summary, &mut |meter| Ok(Some(self.epoch(meter))))
    }

    pub fn take(&self, vault: &Vault, made: &Made) -> Result<Imported, VaultError> {
        self.stage(vault, made);
        self.import(vault, made)
    }
}

/// Days `from..to` of a meter's consumption, first revisions.
pub fn days(meter: u32, from: u16, to: u16) -> Vec<Item> {
    (from..to).map(|day| (meter, Channel::Consumption, day, 0)).collect()
}

pub fn open(folder: &tempfile::TempDir) -> Vault {
    Vault::open(&folder.path().join("vault.redb"), &GENESIS).unwrap()
}
