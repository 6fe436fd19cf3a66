//! The chain as the worker sees it, and the pool that it sends to.

use super::GENESIS;
use crate::{
    worker::chain::{Action, Chain, Outgoing},
    SubmitError,
};
use sealed_register::{Channels, DayRange, Hash, MeterId, OperatingDay, OrganisationId};
use sp_core::crypto::KeyTypeId;
use std::collections::BTreeMap;
use wattseal_primitives::{
    consent::{Consent, ConsentId},
    meters::{Meter, MeterClass},
    offchain::{Finalised, OutboxEntry},
    organisations::KemKey,
    usage::{Batch, ShardState, MAX_AS_OF_AGE},
    AccountId, BlockNumber,
};

/// The chain as the worker sees it.
#[derive(Clone, Default)]
pub struct FakeChain {
    pub block: BlockNumber,
    pub bits: u8,
    pub shards: BTreeMap<u16, ShardState>,
    pub batches: BTreeMap<(u16, u32), Batch<BlockNumber>>,
    pub meters: BTreeMap<MeterId, Meter<AccountId, BlockNumber>>,
    /// Block in which each epoch began.
    pub epochs: BTreeMap<MeterId, Vec<BlockNumber>>,
    pub consents: BTreeMap<ConsentId, Consent<AccountId, BlockNumber>>,
    pub deliveries: BTreeMap<(ConsentId, u32), BlockNumber>,
    pub meter_keys: BTreeMap<MeterId, BlockNumber>,
    pub vendors: BTreeMap<OrganisationId, Option<KemKey>>,
    pub nonces: BTreeMap<[u8; 32], u32>,
    pub today: OperatingDay,
}

pub fn hash_of(block: BlockNumber) -> Hash {
    let mut hash = [0x10; 32];
    hash[..4].copy_from_slice(&block.to_le_bytes());
    hash
}

impl FakeChain {
    pub fn register(&mut self, meter: MeterId, channels: Channels, first: OperatingDay) {
        let meter_on_chain = Meter {
            class: MeterClass::Residential,
            channels,
            tenancy_start: first,
            tenancy_end: None,
            ticket_issue: 0,
            ticket_key: [0; 32],
            claim: None,
            epoch: 0,
            epoch_since: self.block,
        };
        self.meters.insert(meter, meter_on_chain);
        self.epochs.insert(meter, vec![self.block]);
    }

    pub fn raise_epoch(&mut self, meter: &MeterId) {
        let block = self.block;
        let Some(on_chain) = self.meters.get_mut(meter).filter(|meter| meter.epoch_since < block) else { return };
        on_chain.epoch += 1;
        on_chain.epoch_since = block;
        self.epochs.get_mut(meter).unwrap().push(block);
    }

    /// What the pallet does with a commitment that is included in the next block.
    pub fn commit(&mut self, entry: &OutboxEntry) -> bool {
        self.block += 1;
        let state = self.shards.get(&entry.shard).copied().unwrap_or_default();
        let young = self.block - entry.as_of <= MAX_AS_OF_AGE && hash_of(entry.as_of) == entry.as_of_hash;
        if state.next_sequence != entry.sequence || !young {
            return false;
        }
        let days = DayRange::new(entry.first_day, entry.last_day).unwrap();
        let OutboxEntry { root, body_hash, body_bytes, cells, as_of, .. } = *entry;
        let batch = Batch { root, body_hash, body_bytes, cells, days, as_of, committed_at: self.block };
        self.batches.insert((entry.shard, entry.sequence), batch);
        self.shards.insert(entry.shard, ShardState { next_sequence: entry.sequence + 1, root });
        true
    }

    pub fn finalised(&self) -> Finalised {
        Finalised { number: self.block, hash: hash_of(self.block) }
    }
}

impl Chain for FakeChain {
    fn block(&self) -> BlockNumber {
        self.block
    }
    fn genesis(&self) -> Hash {
        GENESIS
    }
    fn block_hash(&self, number: BlockNumber) -> Option<Hash> {
        (number <= self.block).then(|| hash_of(number))
    }
    fn today(&self) -> OperatingDay {
        self.today
    }
    fn shard_bits(&self) -> u8 {
        self.bits
    }
    fn shard(&self, shard: u16) -> ShardState {
        self.shards.get(&shard).copied().unwrap_or_default()
    }
    fn batch(&self, shard: u16, sequence: u32) -> Option<Batch<BlockNumber>> {
        self.batches.get(&(shard, sequence)).cloned()
    }
    fn meter(&self, meter: &MeterId) -> Option<Meter<AccountId, BlockNumber>> {
        self.meters.get(meter).cloned()
    }
    fn epoch_at(&self, meter: &MeterId, block: BlockNumber) -> Option<u32> {
        let begun = self.epochs.get(meter)?.iter().filter(|start| **start <= block).count();
        u32::try_from(begun).unwrap().checked_sub(1)
    }
    fn calendar(&self) -> (Vec<OperatingDay>, Vec<OperatingDay>) {
        crate::CalendarDays::by_rule()
    }
    fn consent(&self, id: &ConsentId) -> Option<Consent<AccountId, BlockNumber>> {
        self.consents.get(id).cloned()
    }
    fn delivered(&self, consent: &ConsentId, epoch: u32) -> bool {
        self.deliveries.contains_key(&(*consent, epoch))
    }
    fn meter_key_delivered(&self, meter: &MeterId) -> Option<BlockNumber> {
        self.meter_keys.get(meter).copied()
    }
    fn vendor(&self, vendor: &OrganisationId) -> Option<Option<KemKey>> {
        self.vendors.get(vendor).cloned()
    }
    fn nonce(&self, account: &[u8; 32]) -> u32 {
        self.nonces.get(account).copied().unwrap_or_default()
    }
}

/// Keeps what is sent.
#[derive(Default)]
pub struct Pool {
    pub sent: Vec<(Action, [u8; 32], KeyTypeId, u32)>,
    pub refuses: bool,
}

impl Outgoing for Pool {
    fn submit(
        &mut self,
        action: Action,
        public: &[u8; 32],
        key_type: KeyTypeId,
        nonce: u32,
    ) -> Result<(), SubmitError> {
        if self.refuses {
            return Err(SubmitError::NotAccepted);
        }
        self.sent.push((action, *public, key_type, nonce));
        Ok(())
    }
}
