//! For tests: a chain that says what it is told, and a utility that seals.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed unwrap is a failed test

use crate::{
    approval::CodeHash,
    chain::{Chain, ChainConsent, ChainError, ChainMeter, ShardOnChain, Slot},
    keys::{self, SecretSource},
    offchain::OffchainStore,
};
use sc_keystore::LocalKeystore;
use sealed_register::{
    batch::{BatchBuilder, BatchSummary},
    delivery::{delivery_hash, Deliverer},
    finalized::BlockRef,
    seal::seal_day,
    Channel, DayReadings, Hash, Heads, MeterId, OperatingDay, OrganisationId, Quality, Reading, SealedCell, Shard,
    ShardId, UtilitySecrets,
};
use sp_core::offchain::storage::InMemOffchainStorage;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use wattseal_primitives::{
    consent::{ConsentId, ReadQuery, ReadRefusal},
    meters::{Claim, MeterClass},
    offchain::{chunk_key, OutboxEntry, OUTBOX},
    AccountId,
};

/// Genesis of the chain of tests.
pub const GENESIS: Hash = [7; 32];

/// 2022-03-01.
pub const FIRST_DAY: u16 = 8_095;

/// Day and revision of which the sealer has a part only.
pub const SHORT_DAY: (u16, u16) = (9, 0);

/// What the chain says.
#[derive(Default)]
pub struct ChainState {
    pub finalised: u32,
    pub best: u32,
    pub age: Duration,
    pub code: CodeHash,
    pub bits: u8,
    pub batches: Vec<(BatchSummary, u32)>,
    pub epochs: BTreeMap<MeterId, u32>,
    pub meters: BTreeMap<MeterId, ChainMeter>,
    pub consents: BTreeMap<ConsentId, ChainConsent>,
    pub deliveries: BTreeMap<(ConsentId, u32), Slot>,
    pub meter_keys: BTreeMap<MeterId, Slot>,
    /// What `may_read` says at the finalised and at the best block.
    pub refusals: [Option<ReadRefusal>; 2],
    pub extrinsics: BTreeMap<(u32, u32), Vec<u8>>,
}

/// A chain of one utility with one shard.
#[derive(Default)]
pub struct MockChain(Mutex<ChainState>);

impl MockChain {
    pub fn new() -> Arc<Self> {
        let chain = Self::default();
        chain.state().finalised = 100;
        chain.state().best = 102;
        Arc::new(chain)
    }

    pub fn state(&self) -> MutexGuard<'_, ChainState> {
        self.0.lock().unwrap()
    }

    fn block(number: u32) -> BlockRef {
        BlockRef { number, hash: [number as u8; 32] }
    }
}

impl Chain for MockChain {
    fn genesis(&self) -> Hash {
        GENESIS
    }
    fn finalised(&self) -> BlockRef {
        Self::block(self.state().finalised)
    }
    fn best(&self) -> BlockRef {
        Self::block(self.state().best)
    }
    fn age(&self, _: &BlockRef) -> Result<Duration, ChainError> {
        Ok(self.state().age)
    }
    fn code_hash(&self, _: &BlockRef) -> Result<CodeHash, ChainError> {
        Ok(self.state().code)
    }
    fn shards(&self, _: &BlockRef) -> Result<Vec<ShardOnChain>, ChainError> {
        let state = self.state();
        let newest = state.batches.last().map(|(summary, _)| ShardOnChain {
            utility: utility(),
            bits: state.bits,
            shard: ShardId(0),
            next_sequence: state.batches.len() as u32,
            root: summary.root,
        });
        Ok(newest.into_iter().collect())
    }
    fn shard_bits(&self, _: &BlockRef, id: OrganisationId) -> Result<Option<u8>, ChainError> {
        Ok((id == utility()).then(|| self.state().bits))
    }
    fn batch(
        &self,
        _: &BlockRef,
        _: OrganisationId,
        _: ShardId,
        sequence: u32,
    ) -> Result<Option<(BatchSummary, u32)>, ChainError> {
        Ok(self.state().batches.get(sequence as usize).copied())
    }
    fn meter(&self, _: &BlockRef, _: OrganisationId, meter: MeterId) -> Result<Option<ChainMeter>, ChainError> {
        Ok(self.state().meters.get(&meter).cloned())
    }
    fn epoch_at(&self, _: &BlockRef, _: OrganisationId, meter: MeterId, _: u32) -> Result<Option<u32>, ChainError> {
        Ok(Some(self.state().epochs.get(&meter).copied().unwrap_or(0)))
    }
    fn consent(&self, _: &BlockRef, id: ConsentId) -> Result<Option<ChainConsent>, ChainError> {
        Ok(self.state().consents.get(&id).cloned())
    }
    fn delivery(&self, _: &BlockRef, id: ConsentId, epoch: u32, _: Deliverer) -> Result<Option<Slot>, ChainError> {
        Ok(self.state().deliveries.get(&(id, epoch)).copied())
    }
    fn meter_key_delivery(&self, _: &BlockRef, _: OrganisationId, meter: MeterId) -> Result<Option<Slot>, ChainError> {
        Ok(self.state().meter_keys.get(&meter).copied())
    }
    fn may_read(&self, at: &BlockRef, _: ReadQuery<AccountId>) -> Result<Result<(), ReadRefusal>, ChainError> {
        let state = self.state();
        let [finalised, best] = state.refusals;
        let refusal = if at.number == state.finalised { finalised } else { best };
        Ok(refusal.map_or(Ok(()), Err))
    }
    fn extrinsic(&self, block: u32, index: u32) -> Result<(Hash, Vec<u8>), ChainError> {
        let found = self.state().extrinsics.get(&(block, index)).cloned();
        found.map(|extrinsic| ([block as u8; 32], extrinsic)).ok_or(ChainError::UnknownBlock(block))
    }
}

/// The utility of the development genesis.
pub fn utility() -> OrganisationId {
    OrganisationId::new("utility").unwrap()
}

/// The development keys, and how its secrets derive from them.
pub fn source() -> SecretSource {
    let keystore = Arc::new(LocalKeystore::in_memory());
    keys::insert_development_keys(&*keystore).unwrap();
    SecretSource { keystore, genesis: GENESIS, utility: utility(), generation: 0 }
}

/// An off-chain database in memory.
pub fn store() -> OffchainStore {
    OffchainStore::new(InMemOffchainStorage::default())
}

/// A meter as the chain has it, held by `customer` if given.
pub fn meter(ticket_key: Hash, customer: Option<[u8; 32]>) -> ChainMeter {
    ChainMeter {
        class: MeterClass::Residential,
        channels: sealed_register::Channels::Both,
        tenancy_start: OperatingDay(0),
        tenancy_end: None,
        ticket_issue: 1,
        ticket_key,
        claim: customer.map(|customer| Claim {
            customer: AccountId::from(customer),
            kem_hash: [3; 32],
            ticket_issue: 1,
            claimed_at: 50,
        }),
        epoch: 0,
        epoch_since: 1,
    }
}

/// Where a delivery of `block` lies.
pub fn slot(block: u32, sealed: &[u8]) -> Slot {
    let length = sealed.len() as u32;
    Slot { block, extrinsic: 1, length, hash: delivery_hash(sealed), deliverer: Deliverer::Utility }
}

/// A batch as the worker leaves it.
pub struct Made {
    pub entry: OutboxEntry,
    pub summary: BatchSummary,
    pub chunks: Vec<Vec<u8>>,
}

/// Seals like the worker.
pub struct Sealer {
    pub secrets: UtilitySecrets,
    pub heads: Heads,
    pub sequence: u32,
}

impl Sealer {
    pub fn new(source: &SecretSource) -> Self {
        let shard = Shard { genesis: GENESIS, utility: utility(), id: ShardId(0), bits: 0 };
        Self { secrets: source.secrets().unwrap(), heads: Heads::new(shard), sequence: 0 }
    }

    pub fn meter(&self, number: u32) -> MeterId {
        self.secrets.meter_id(&format!("1044372{number:010}"), 0)
    }

    pub fn readings(day: u16, revision: u16) -> DayReadings {
        let wh = |interval: u32| interval + u32::from(day) + 5 * u32::from(revision);
        let mut intervals: Vec<_> =
            (0..96).map(|interval| Reading { wh: wh(interval), quality: Quality::Actual }).collect();
        if (day, revision) == SHORT_DAY {
            intervals[60..].fill(Reading { wh: 0, quality: Quality::Missing });
        }
        DayReadings {
            channel: Channel::Consumption,
            day: OperatingDay(FIRST_DAY + day),
            revision_date: u32::from(revision),
            intervals,
        }
    }

    fn seal(&self, heads: &Heads, number: u32, day: u16, revision: u16) -> SealedCell {
        let meter = self.meter(number);
        let stream = heads.stream(&meter, Channel::Consumption);
        let head = heads.head(&meter, Channel::Consumption);
        let key = self.secrets.meter_key(&utility(), &meter);
        let readings = Self::readings(day, revision);
        seal_day(&key, &self.secrets.siv, &stream, 0, &head, &readings, revision, 1_000_000).unwrap()
    }

    /// The next batch, of (meter number, day, revision).
    pub fn batch(&mut self, items: &[(u32, u16, u16)]) -> Made {
        let mut builder = BatchBuilder::new(*self.heads.shard(), self.sequence);
        let mut heads = self.heads.clone();
        let mut chunks = Vec::new();
        for (number, day, revision) in items {
            let cell = self.seal(&heads, *number, *day, *revision);
            chunks.extend(builder.push(&mut heads, &cell).unwrap());
        }
        let (last, summary) = builder.finish(&heads).unwrap();
        chunks.push(last);
        let entry = OutboxEntry {
            shard: 0,
            sequence: self.sequence,
            root: summary.root,
            body_hash: summary.body_hash,
            body_bytes: summary.body_len,
            chunks: chunks.len() as u32,
            cells: summary.cells,
            first_day: summary.days.first,
            last_day: summary.days.last,
            as_of: 1,
            as_of_hash: [1; 32],
            signed_at: 0,
        };
        (self.heads, self.sequence) = (heads, self.sequence + 1);
        Made { entry, summary, chunks }
    }
}

impl Made {
    /// Writes it into the outbox: chunks first, entry last.
    pub fn put(&self, offchain: &OffchainStore) {
        for (number, chunk) in self.chunks.iter().enumerate() {
            offchain.set_raw(&chunk_key(0, self.entry.sequence, number as u32), chunk);
        }
        let mut outbox = offchain.get::<Vec<OutboxEntry>>(OUTBOX).unwrap_or_default();
        outbox.push(self.entry.clone());
        offchain.set(OUTBOX, &outbox);
    }
}
