//! What tasks and RPC ask the chain, as a trait: the node's client answers it, tests answer it without a chain.

use crate::{approval::CodeHash, service::FullClient, Block};
use sc_client_api::{BlockBackend, StorageProvider};
use sealed_register::{
    batch::BatchSummary, delivery::Deliverer, finalized::BlockRef, Hash, MeterId, OrganisationId, ShardId,
};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::sr25519::AuthoritySignature;
use sp_core::{
    storage::{well_known_keys::CODE, StorageKey},
    H256,
};
use sp_runtime::traits::Header as _;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use wattseal_primitives::{
    apis::WattsealApi,
    consent::{Consent, ConsentId, DeliverySlot, ReadQuery, ReadRefusal},
    meters::Meter,
    usage::Batch,
    AccountId, BlockNumber, SLOT_MILLISECONDS,
};

/// A meter as the chain has it.
pub type ChainMeter = Meter<AccountId, BlockNumber>;
/// A consent as the chain has it.
pub type ChainConsent = Consent<AccountId, BlockNumber>;
/// Where a delivery lies.
pub type Slot = DeliverySlot<BlockNumber>;

/// Why the chain did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The runtime could not be asked.
    #[error("the runtime at block {block} did not answer: {problem}")]
    Runtime {
        /// Number of the block.
        block: u32,
        /// What the node said.
        problem: String,
    },
    /// The database failed.
    #[error("the node's database failed: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// A block that is not here.
    #[error("block {0} is not in this node's database")]
    UnknownBlock(u32),
    /// A block without the slot of its author.
    #[error("block {0} does not say when it was made")]
    NoSlot(u32),
}

/// One shard of the chain's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardOnChain {
    /// The utility.
    pub utility: OrganisationId,
    /// Leading bits of a MeterId that number its shards.
    pub bits: u8,
    /// The shard.
    pub shard: ShardId,
    /// Number of batches.
    pub next_sequence: u32,
    /// Root after the newest.
    pub root: Hash,
}

/// The chain as tasks and RPC see it.
pub trait Chain: Send + Sync {
    /// Genesis hash.
    fn genesis(&self) -> Hash;

    /// The newest finalised block.
    fn finalised(&self) -> BlockRef;

    /// The best block.
    fn best(&self) -> BlockRef;

    /// How long ago a block was made, by its slot; zero if its author's clock is ahead.
    ///
    /// # Errors
    /// [`ChainError`].
    fn age(&self, block: &BlockRef) -> Result<Duration, ChainError>;

    /// Hash of the runtime's code in the state of a block.
    ///
    /// # Errors
    /// [`ChainError`].
    fn code_hash(&self, at: &BlockRef) -> Result<CodeHash, ChainError>;

    /// All shards that have a batch.
    ///
    /// # Errors
    /// [`ChainError`].
    fn shards(&self, at: &BlockRef) -> Result<Vec<ShardOnChain>, ChainError>;

    /// Leading bits of a MeterId that number a utility's shards.
    ///
    /// # Errors
    /// [`ChainError`].
    fn shard_bits(&self, at: &BlockRef, utility: OrganisationId) -> Result<Option<u8>, ChainError>;

    /// One batch, and the number of the block in whose state its epochs were read.
    ///
    /// # Errors
    /// [`ChainError`].
    fn batch(
        &self,
        at: &BlockRef,
        utility: OrganisationId,
        shard: ShardId,
        sequence: u32,
    ) -> Result<Option<(BatchSummary, u32)>, ChainError>;

    /// One meter.
    ///
    /// # Errors
    /// [`ChainError`].
    fn meter(&self, at: &BlockRef, utility: OrganisationId, meter: MeterId) -> Result<Option<ChainMeter>, ChainError>;

    /// A meter's key epoch in the state of block number `block`, which may be long past.
    ///
    /// # Errors
    /// [`ChainError`].
    fn epoch_at(
        &self,
        at: &BlockRef,
        utility: OrganisationId,
        meter: MeterId,
        block: u32,
    ) -> Result<Option<u32>, ChainError>;

    /// One consent.
    ///
    /// # Errors
    /// [`ChainError`].
    fn consent(&self, at: &BlockRef, id: ConsentId) -> Result<Option<ChainConsent>, ChainError>;

    /// Where a delivery of a consent's keys lies.
    ///
    /// # Errors
    /// [`ChainError`].
    fn delivery(
        &self,
        at: &BlockRef,
        id: ConsentId,
        epoch: u32,
        deliverer: Deliverer,
    ) -> Result<Option<Slot>, ChainError>;

    /// Where the delivery of a meter's key to its customer lies.
    ///
    /// # Errors
    /// [`ChainError`].
    fn meter_key_delivery(
        &self,
        at: &BlockRef,
        utility: OrganisationId,
        meter: MeterId,
    ) -> Result<Option<Slot>, ChainError>;

    /// Whether somebody may read.
    ///
    /// # Errors
    /// [`ChainError`].
    fn may_read(&self, at: &BlockRef, query: ReadQuery<AccountId>) -> Result<Result<(), ReadRefusal>, ChainError>;

    /// Hash of the canonical block of a number, and one of its extrinsics as bytes with their length before them.
    ///
    /// # Errors
    /// [`ChainError`].
    fn extrinsic(&self, block: u32, index: u32) -> Result<(Hash, Vec<u8>), ChainError>;
}

/// The node's client as [`Chain`].
pub struct NodeChain(pub Arc<FullClient>);

fn block_ref(number: u32, hash: H256) -> BlockRef {
    BlockRef { number, hash: hash.0 }
}

/// The runtime's API object of one call.
type Api<'a> = sp_api::ApiRef<'a, <FullClient as ProvideRuntimeApi<Block>>::Api>;

impl NodeChain {
    fn ask<R>(&self, at: &BlockRef, ask: impl FnOnce(H256, Api<'_>) -> Result<R, ApiError>) -> Result<R, ChainError> {
        ask(H256(at.hash), self.0.runtime_api())
            .map_err(|error| ChainError::Runtime { block: at.number, problem: error.to_string() })
    }
}

impl Chain for NodeChain {
    fn genesis(&self) -> Hash {
        self.0.info().genesis_hash.0
    }

    fn finalised(&self) -> BlockRef {
        let info = self.0.info();
        block_ref(info.finalized_number, info.finalized_hash)
    }

    fn best(&self) -> BlockRef {
        let info = self.0.info();
        block_ref(info.best_number, info.best_hash)
    }

    fn age(&self, block: &BlockRef) -> Result<Duration, ChainError> {
        let header = self.0.header(H256(block.hash))?.ok_or(ChainError::UnknownBlock(block.number))?;
        let slot = sc_consensus_aura::find_pre_digest::<Block, AuthoritySignature>(&header)
            .map_err(|_| ChainError::NoSlot(*header.number()))?;
        let made = Duration::from_millis((*slot).saturating_mul(SLOT_MILLISECONDS));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(now.saturating_sub(made))
    }

    fn code_hash(&self, at: &BlockRef) -> Result<CodeHash, ChainError> {
        let hash = self.0.storage_hash(H256(at.hash), &StorageKey(CODE.to_vec()))?;
        hash.map(|hash| hash.0).ok_or(ChainError::UnknownBlock(at.number))
    }

    fn shards(&self, at: &BlockRef) -> Result<Vec<ShardOnChain>, ChainError> {
        let shards = self.ask(at, |hash, api| api.shards(hash))?;
        let shard = |(utility, bits, shard, state): (_, _, _, wattseal_primitives::usage::ShardState)| ShardOnChain {
            utility,
            bits,
            shard: ShardId(shard),
            next_sequence: state.next_sequence,
            root: state.root,
        };
        Ok(shards.into_iter().map(shard).collect())
    }

    fn shard_bits(&self, at: &BlockRef, utility: OrganisationId) -> Result<Option<u8>, ChainError> {
        self.ask(at, |hash, api| api.shard_bits(hash, utility))
    }

    fn batch(
        &self,
        at: &BlockRef,
        utility: OrganisationId,
        shard: ShardId,
        sequence: u32,
    ) -> Result<Option<(BatchSummary, u32)>, ChainError> {
        let batch = self.ask(at, |hash, api| api.batch(hash, utility, shard.0, sequence))?;
        Ok(batch.map(|Batch { root, body_hash, body_bytes, cells, days, as_of, .. }| {
            (BatchSummary { root, body_hash, body_len: body_bytes, cells, days }, as_of)
        }))
    }

    fn meter(&self, at: &BlockRef, utility: OrganisationId, meter: MeterId) -> Result<Option<ChainMeter>, ChainError> {
        self.ask(at, |hash, api| api.meter(hash, utility, meter))
    }

    fn epoch_at(
        &self,
        at: &BlockRef,
        utility: OrganisationId,
        meter: MeterId,
        block: u32,
    ) -> Result<Option<u32>, ChainError> {
        self.ask(at, |hash, api| api.epoch_at(hash, utility, meter, block))
    }

    fn consent(&self, at: &BlockRef, id: ConsentId) -> Result<Option<ChainConsent>, ChainError> {
        self.ask(at, |hash, api| api.consent(hash, id))
    }

    fn delivery(
        &self,
        at: &BlockRef,
        id: ConsentId,
        epoch: u32,
        deliverer: Deliverer,
    ) -> Result<Option<Slot>, ChainError> {
        self.ask(at, |hash, api| api.delivery(hash, id, epoch, deliverer))
    }

    fn meter_key_delivery(
        &self,
        at: &BlockRef,
        utility: OrganisationId,
        meter: MeterId,
    ) -> Result<Option<Slot>, ChainError> {
        self.ask(at, |hash, api| api.meter_key_delivery(hash, utility, meter))
    }

    fn may_read(&self, at: &BlockRef, query: ReadQuery<AccountId>) -> Result<Result<(), ReadRefusal>, ChainError> {
        self.ask(at, |hash, api| api.may_read(hash, query))
    }

    fn extrinsic(&self, block: u32, index: u32) -> Result<(Hash, Vec<u8>), ChainError> {
        let hash = self.0.hash(block)?.ok_or(ChainError::UnknownBlock(block))?;
        let body = self.0.block_body(hash)?.ok_or(ChainError::UnknownBlock(block))?;
        let extrinsic = body.get(index as usize).ok_or(ChainError::UnknownBlock(block))?;
        Ok((hash.0, codec::Encode::encode(extrinsic)))
    }
}
