//! Bodies that are handed in before the chain names them: checked as an import checks them, and only then staged.
//!
//! Once a batch is on chain its body must be one that every vault takes, or its shard stands still. So what this node
//! did not seal itself is checked before anything is signed for it.

use crate::{
    error::VaultError,
    import::{Context, EpochAt, Revisions},
    names::BatchName,
    records, tables, Vault,
};
use sealed_register::{
    batch::BatchSummary, BatchVerifier, Hash, Heads, Kind, MeterId, OrganisationId, SealedCell, Shard, ShardId,
};
use std::collections::BTreeMap;

/// A shard as it will be once everything that was offered for it is imported.
#[derive(Debug)]
pub struct Pending {
    heads: Heads,
    /// The number of the batch that is due then.
    pub next_sequence: u32,
    /// The root before that batch; zero before the first.
    pub root: Hash,
    /// Revisions of days in offered batches, which the store does not know yet: at most 8,192 a batch.
    revisions: Revisions,
}

/// A body that is being handed in, chunk by chunk. Dropping it drops everything.
#[derive(Debug)]
pub struct Offer {
    batch: BatchName,
    announced: BatchSummary,
    verifier: BatchVerifier,
    epochs: BTreeMap<MeterId, Option<u32>>,
    /// Revisions of days in this and earlier offers.
    pending: Revisions,
    chunks: Vec<Vec<u8>>,
}

impl Vault {
    /// A shard of these `bits` as the vault holds it.
    ///
    /// # Errors
    /// [`VaultError::ShardBits`], [`VaultError::Damaged`], [`VaultError::Storage`].
    pub fn pending(&self, utility: &OrganisationId, shard: ShardId, bits: u8) -> Result<Pending, VaultError> {
        let transaction = self.read()?;
        let known = records::shard(&transaction.open_table(tables::SHARDS)?, utility, shard)?;
        if let Some(records::ShardRecord { bits: expected, next_sequence, .. }) =
            known.filter(|known| known.bits != bits)
        {
            let batch = BatchName { utility: *utility, shard, sequence: next_sequence };
            return Err(VaultError::ShardBits { batch, expected, found: bits });
        }
        let of_chain = Shard { genesis: self.genesis, utility: *utility, id: shard, bits };
        let heads = records::heads(&transaction.open_table(tables::HEADS)?, of_chain)?;
        let (next_sequence, root) = known.map_or_else(Default::default, |known| (known.next_sequence, known.root));
        Ok(Pending { heads, next_sequence, root, revisions: Revisions::new() })
    }
}

impl Offer {
    /// Begins to take the body that comes after `pending`.
    ///
    /// # Errors
    /// [`VaultError::OutOfTurn`].
    pub fn new(batch: BatchName, announced: BatchSummary, pending: &Pending) -> Result<Self, VaultError> {
        if batch.sequence != pending.next_sequence {
            return Err(VaultError::OutOfTurn { batch, expected: pending.next_sequence });
        }
        let verifier = BatchVerifier::new(announced, batch.sequence, pending.heads.clone());
        let (epochs, chunks) = (BTreeMap::new(), Vec::new());
        Ok(Self { batch, announced, verifier, epochs, pending: pending.revisions.clone(), chunks })
    }

    /// Number of chunks so far.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Checks the next chunk, keeps it, and gives its cells. `epoch_at` answers for the block that the batch names.
    ///
    /// # Errors
    /// [`VaultError::Refused`] (names the cell), [`VaultError::Chain`], [`VaultError::Storage`]. The offer is good for
    /// nothing then.
    pub fn chunk(
        &mut self,
        vault: &Vault,
        bytes: Vec<u8>,
        epoch_at: &mut EpochAt<'_>,
    ) -> Result<Vec<SealedCell>, VaultError> {
        let transaction = vault.read()?;
        let revisions = transaction.open_table(tables::REVISIONS)?;
        let mut context = Context {
            utility: self.batch.utility,
            revisions: &revisions,
            pending: &self.pending,
            epoch_at,
            epochs: &mut self.epochs,
            failure: None,
            batch: self.batch,
        };
        let checked = self.verifier.chunk(&bytes, &mut context);
        if let Some(failure) = context.failure {
            return Err(failure);
        }
        let checked = checked.map_err(|error| VaultError::Refused { batch: self.batch, error })?;
        self.chunks.push(bytes);
        for (SealedCell { header, .. }, _) in checked.iter().filter(|(cell, _)| cell.header.kind == Kind::Day) {
            self.pending.insert((header.meter, header.channel, header.day), header.revision);
        }
        Ok(checked.into_iter().map(|(cell, _)| cell).collect())
    }

    /// Checks the whole, and has it in the staging area, on disk, when this returns. Gives the shard as it will be.
    ///
    /// # Errors
    /// [`VaultError::Refused`] says which figure differs; [`VaultError::Storage`].
    pub fn stage(self, vault: &Vault) -> Result<Pending, VaultError> {
        let Self { batch, announced, verifier, pending, chunks, .. } = self;
        let heads = verifier.finish().map_err(|error| VaultError::Refused { batch, error })?;
        vault.stage(&batch, &announced.body_hash, &chunks)?;
        let next_sequence = batch.sequence.saturating_add(1);
        Ok(Pending { heads, next_sequence, root: announced.root, revisions: pending })
    }
}
