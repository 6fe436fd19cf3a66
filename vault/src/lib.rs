//! The vault: sealed readings as they stand under the chain's roots, and the receipts of who read them.
//!
//! One embedded, crash-safe file ([redb]). Every write is one transaction that is on disk when it returns. A batch's
//! body enters [staging](Vault::stage) when it is made or fetched, or after a full check when somebody
//! [offers](Offer) it, and the record only by [`Vault::import`], which
//! checks it against the chain and against every earlier cell first (protocol section 5). [`Vault::range`] answers with
//! proofs to the newest root (section 6), and [`Vault::append_receipt`] keeps the chain of receipts (section 9). The
//! vault knows no key: everything in it is sealed.

mod check;
mod error;
mod import;
mod names;
mod offer;
mod range;
mod receipts;
mod records;
mod staging;
mod tables;

pub use check::CheckReport;
pub use error::VaultError;
pub use import::Imported;
pub use names::{BatchName, CellKey};
pub use offer::{Offer, Pending};
pub use range::{RangeAnswer, ShardHeads, MAX_ANSWER_BYTES};
pub use receipts::{ReadNonce, StoredReceipt, NONCE_BLOCKS};
pub use staging::Staged;

use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction,
};
use sealed_register::{secrets::UtilitySecrets, shard::ShardId, Hash, OrganisationId};
use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Memory for pages of the file.
const CACHE_BYTES: usize = 64 << 20;

/// Shards whose head trees are kept in memory, about 4 MB each when full.
const CACHED_SHARDS: usize = 16;

/// A store of sealed readings. Shared between threads; one process at a time.
pub struct Vault {
    database: Database,
    path: PathBuf,
    genesis: Hash,
    cache: Mutex<range::Cache>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How much the vault holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Batches.
    pub batches: u64,
    /// Cells.
    pub cells: u64,
    /// Receipts.
    pub receipts: u64,
    /// Size of the file, bytes.
    pub bytes: u64,
}

/// One shard as the vault holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardSummary {
    /// The utility.
    pub utility: OrganisationId,
    /// The shard.
    pub shard: ShardId,
    /// Leading bits of a MeterId that number the utility's shards.
    pub bits: u8,
    /// The next batch's number: how many batches there are.
    pub next_sequence: u32,
    /// Root after the newest batch.
    pub root: Hash,
}

impl Vault {
    /// Opens the vault of the chain with this genesis hash, or begins one.
    ///
    /// # Errors
    /// [`VaultError::OtherChain`], [`VaultError::InUse`], [`VaultError::Storage`].
    pub fn open(path: &Path, genesis: &Hash) -> Result<Self, VaultError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(redb::Error::from)?;
        }
        let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
        let vault = Self::new(database, path, *genesis);
        vault.write(|transaction| {
            tables::create(transaction)?;
            let mut meta = transaction.open_table(tables::META)?;
            let known = meta.get(tables::GENESIS)?.map(|value| value.value().to_vec());
            match known {
                None => {
                    meta.insert(tables::GENESIS, genesis.as_slice())?;
                }
                Some(known) if known == genesis => {}
                Some(known) => return Err(VaultError::OtherChain { expected: *genesis, found: hash_of(&known) }),
            }
            Ok(())
        })?;
        Ok(vault)
    }

    /// Opens a vault that is there, whatever its chain.
    ///
    /// # Errors
    /// [`VaultError::NoVault`], [`VaultError::InUse`], [`VaultError::Storage`].
    pub fn open_existing(path: &Path) -> Result<Self, VaultError> {
        if !path.is_file() {
            return Err(VaultError::NoVault(path.into()));
        }
        let database = redb::Builder::new().set_cache_size(CACHE_BYTES).open(path)?;
        let mut vault = Self::new(database, path, [0; 32]);
        let genesis = vault.meta(tables::GENESIS)?;
        vault.genesis = hash_of(&genesis.ok_or_else(|| VaultError::NoVault(path.into()))?);
        Ok(vault)
    }

    fn new(database: Database, path: &Path, genesis: Hash) -> Self {
        Self { database, path: path.into(), genesis, cache: Mutex::default() }
    }

    /// Genesis hash of the chain.
    pub fn genesis(&self) -> &Hash {
        &self.genesis
    }

    /// Binds the vault to the account that signs its receipts: once and for all, since they form one chain.
    ///
    /// # Errors
    /// [`VaultError::OtherAccount`], [`VaultError::Storage`].
    pub fn bind_account(&self, account: &[u8; 32]) -> Result<(), VaultError> {
        self.bind(tables::ACCOUNT, account).and_then(|found| match found {
            None => Ok(()),
            Some(found) => Err(VaultError::OtherAccount { expected: *account, found: hash_of(&found) }),
        })
    }

    /// Remembers the check value of a utility's `id` secret, which no generation changes, and refuses another one:
    /// another sealing key would name all meters anew, and could open and amend nothing that was sealed before.
    ///
    /// # Errors
    /// [`VaultError::OtherSealingKey`], [`VaultError::Storage`].
    pub fn bind_secrets(&self, utility: &OrganisationId, secrets: &UtilitySecrets) -> Result<(), VaultError> {
        let value = sealed_register::secrets::check_value(&secrets.id);
        match self.bind(&format!("check-value/{utility}"), &value)? {
            None => Ok(()),
            Some(_) => Err(VaultError::OtherSealingKey { utility: *utility }),
        }
    }

    /// Writes a value that never changes again; gives the other one that stands there.
    fn bind(&self, key: &str, value: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        self.write(|transaction| {
            let mut meta = transaction.open_table(tables::META)?;
            let known = meta.get(key)?.map(|value| value.value().to_vec());
            if known.is_none() {
                meta.insert(key, value)?;
            }
            Ok(known.filter(|known| known != value))
        })
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let transaction = self.read()?;
        let meta = transaction.open_table(tables::META)?;
        let value = meta.get(key)?.map(|value| value.value().to_vec());
        Ok(value)
    }

    fn read(&self) -> Result<ReadTransaction, VaultError> {
        Ok(self.database.begin_read()?)
    }

    /// One transaction: all of it is on disk when this returns, or nothing of it.
    fn write<R>(&self, act: impl FnOnce(&WriteTransaction) -> Result<R, VaultError>) -> Result<R, VaultError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        // After a kill the file is usable at once, however large it is.
        transaction.set_quick_repair(true);
        let result = act(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// How much the vault holds.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    pub fn sizes(&self) -> Result<Sizes, VaultError> {
        let transaction = self.read()?;
        Ok(Sizes {
            batches: transaction.open_table(tables::BATCHES)?.len()?,
            cells: transaction.open_table(tables::CELLS)?.len()?,
            receipts: transaction.open_table(tables::RECEIPTS)?.len()?,
            bytes: std::fs::metadata(&self.path).map_err(redb::Error::from)?.len(),
        })
    }

    /// All shards that have a batch, in order of utility and number.
    ///
    /// # Errors
    /// [`VaultError::Storage`], [`VaultError::Damaged`].
    pub fn shards(&self) -> Result<Vec<ShardSummary>, VaultError> {
        let transaction = self.read()?;
        let table = transaction.open_table(tables::SHARDS)?;
        let mut shards = Vec::new();
        for entry in table.iter()? {
            let (key, value) = entry?;
            shards.push(records::ShardRecord::summary(key.value(), value.value())?);
        }
        Ok(shards)
    }

    /// The number of the batch that is due in a shard, from 0.
    ///
    /// # Errors
    /// [`VaultError::Storage`], [`VaultError::Damaged`].
    pub fn next_sequence(&self, utility: &OrganisationId, shard: ShardId) -> Result<u32, VaultError> {
        let transaction = self.read()?;
        let table = transaction.open_table(tables::SHARDS)?;
        let record = records::shard(&table, utility, shard)?;
        Ok(record.map_or(0, |record| record.next_sequence))
    }
}

fn hash_of(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    hash
}
