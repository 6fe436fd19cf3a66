//! Copies sealed batches from the worker's outbox into the vault's staging area, where they are safe from a crash, and
//! tells the worker so; only then does it sign the commitment (architecture.md, "The way of a reading").

use crate::offchain::OffchainStore;
use sealed_register::{Hash, OrganisationId, ShardId};
use std::{collections::BTreeSet, sync::Arc};
use wattseal_primitives::offchain::{chunk_key, staged_key, OutboxEntry, WorkerConfig, CONFIG, OUTBOX};
use wattseal_vault::{BatchName, Vault};

/// The task.
pub struct Outbox {
    vault: Arc<Vault>,
    offchain: OffchainStore,
    /// Bodies that were reported as damaged, so that the log says it once.
    reported: BTreeSet<Hash>,
}

/// Why a body was not staged.
#[derive(Debug, thiserror::Error)]
enum StageError {
    #[error("chunk {0} is not in the outbox")]
    MissingChunk(u32),
    #[error(transparent)]
    Vault(#[from] wattseal_vault::VaultError),
}

impl Outbox {
    /// A task.
    pub fn new(vault: Arc<Vault>, offchain: OffchainStore) -> Self {
        Self { vault, offchain, reported: BTreeSet::new() }
    }

    /// Stages everything that is not staged.
    pub fn step(&mut self) {
        let Some(WorkerConfig { utility, .. }) = self.offchain.get(CONFIG) else { return };
        for entry in self.offchain.get::<Vec<OutboxEntry>>(OUTBOX).unwrap_or_default() {
            let key = staged_key(entry.shard, entry.sequence);
            if self.offchain.get::<Hash>(&key) == Some(entry.body_hash) {
                continue;
            }
            match self.stage(utility, &entry) {
                Ok(name) => {
                    log::debug!(target: "wattseal::feed", "{name} is staged");
                    self.offchain.set(&key, &entry.body_hash);
                }
                Err(error) => {
                    if self.reported.insert(entry.body_hash) {
                        log::warn!(
                            target: "wattseal::feed",
                            "batch {} of shard {} cannot be staged: {error}; the worker seals its days again",
                            entry.sequence, entry.shard,
                        );
                    }
                }
            }
        }
    }

    fn stage(&self, utility: OrganisationId, entry: &OutboxEntry) -> Result<BatchName, StageError> {
        let name = BatchName { utility, shard: ShardId(entry.shard), sequence: entry.sequence };
        // A body is at most 8 MiB.
        let chunk = |chunk| {
            let bytes = self.offchain.raw(&chunk_key(entry.shard, entry.sequence, chunk));
            bytes.ok_or(StageError::MissingChunk(chunk))
        };
        let chunks = (0..entry.chunks.min(MAX_CHUNKS)).map(chunk).collect::<Result<Vec<_>, _>>()?;
        self.vault.stage(&name, &entry.body_hash, chunks)?;
        Ok(name)
    }
}

/// More chunks than any body has.
const MAX_CHUNKS: u32 = 64;
