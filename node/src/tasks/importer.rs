//! Takes into the vault what the chain has and the vault has not.

use crate::chain::{Chain, ChainError, ShardOnChain};
use std::{collections::BTreeSet, sync::Arc};
use wattseal_vault::{BatchName, Vault, VaultError};

/// The task.
pub struct Importer {
    chain: Arc<dyn Chain>,
    vault: Arc<Vault>,
    /// Batches whose body is missing, as the log said last.
    missing: BTreeSet<BatchName>,
    /// Batches that were refused, as the log said already.
    refused: BTreeSet<BatchName>,
}

/// Why a shard was not followed to its end.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the chain says that {0} exists and does not have it")]
    NotOnChain(BatchName),
}

impl Importer {
    /// A task.
    pub fn new(chain: Arc<dyn Chain>, vault: Arc<Vault>) -> Self {
        Self { chain, vault, missing: BTreeSet::new(), refused: BTreeSet::new() }
    }

    /// Compares the finalised state with the vault, shard by shard, and imports what can be imported.
    pub fn step(&mut self) {
        let at = self.chain.finalised();
        let shards = match self.chain.shards(&at) {
            Ok(shards) => shards,
            Err(error) => return log::error!(target: "wattseal::vault", "shards cannot be read: {error}"),
        };
        let mut missing = BTreeSet::new();
        for shard in shards {
            match self.follow(&at, &shard) {
                Ok(()) => {}
                Err(ImportError::Vault(VaultError::NotStaged(batch))) => {
                    missing.insert(batch);
                }
                Err(ImportError::Vault(VaultError::Refused { batch, error })) => {
                    if self.refused.insert(batch) {
                        log::error!(
                            target: "wattseal::vault",
                            "{batch} was refused: {error}. What the utility committed is not what its body says; this \
                             shard stands still here until the utility explains it",
                        );
                    }
                }
                Err(error) => log::error!(target: "wattseal::vault", "{error}"),
            }
        }
        self.report(missing);
    }

    fn follow(&self, at: &sealed_register::finalized::BlockRef, shard: &ShardOnChain) -> Result<(), ImportError> {
        let ShardOnChain { utility, bits, shard, next_sequence, .. } = *shard;
        for sequence in self.vault.next_sequence(&utility, shard)?..next_sequence {
            let name = BatchName { utility, shard, sequence };
            let batch = self.chain.batch(at, utility, shard, sequence)?;
            let (announced, as_of) = batch.ok_or(ImportError::NotOnChain(name))?;
            let mut epoch_at = |meter: &sealed_register::MeterId| {
                self.chain.epoch_at(at, utility, *meter, as_of).map_err(|error| error.to_string())
            };
            self.vault.import(&name, bits, &announced, &mut epoch_at)?;
        }
        Ok(())
    }

    /// Says which bodies are missing whenever that changes.
    fn report(&mut self, missing: BTreeSet<BatchName>) {
        if missing != self.missing {
            match missing.first() {
                Some(first) => log::warn!(
                    target: "wattseal::vault",
                    "{} shards stand still here since a body is missing, first {first}; they go on when it arrives",
                    missing.len(),
                ),
                None => log::info!(target: "wattseal::vault", "every batch on chain is here"),
            }
            self.missing = missing;
        }
    }
}
