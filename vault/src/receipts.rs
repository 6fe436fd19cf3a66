//! Receipts (protocol section 9): one for every answer, signed, numbered without gaps, each with the hash of the one
//! before.

use crate::{error::VaultError, names::join, records, tables, Vault};
use codec::{Decode, Encode};
use redb::{ReadableTable, WriteTransaction};
use sealed_register::{
    hash::{public_hash, Tag},
    statement::{Receipt, Statement},
    Hash, MeterId, OrganisationId,
};

/// Leaf of the tree of receipts: number and hash of one receipt.
const RECEIPT_LEAF: Tag = Tag(b"rcptleaf");
/// Two nodes of the tree of receipts, as their parent.
const RECEIPT_NODE: Tag = Tag(b"rcptnode");
/// Root of the tree of receipts with the numbers that it covers.
const RECEIPT_ROOT: Tag = Tag(b"rcptroot");

/// For how many blocks a vault remembers nonces: longer than any request is valid.
pub const NONCE_BLOCKS: u32 = 64;

/// A request's nonce, which is answered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadNonce {
    /// The reader's account.
    pub reader: [u8; 32],
    /// The nonce.
    pub nonce: [u8; 16],
    /// Block that the request names.
    pub block: u32,
}

impl ReadNonce {
    fn bytes(&self) -> [u8; 48] {
        join(&[&self.reader, &self.nonce])
    }
}

/// A receipt as it is kept: the signed text, and which meter it is about (a receipt itself names only the request's
/// hash).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredReceipt {
    /// The receipt's text.
    pub text: String,
    /// The vault's signature over its message.
    pub signature: [u8; 64],
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter that was read.
    pub meter: MeterId,
}

impl StoredReceipt {
    /// The receipt.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if the text is none.
    pub fn receipt(&self, number: u64) -> Result<Receipt, VaultError> {
        Receipt::parse(&self.text)
            .map_err(|error| VaultError::Damaged { what: format!("receipt {number}"), problem: error.to_string() })
    }
}

impl Vault {
    /// Whether this nonce was answered already. Cheap; [`Vault::append_receipt`] decides.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    pub fn nonce_is_used(&self, nonce: &ReadNonce) -> Result<bool, VaultError> {
        let transaction = self.read()?;
        let table = transaction.open_table(tables::NONCES)?;
        Ok(table.get((nonce.block, &nonce.bytes()))?.is_some())
    }

    /// Marks a nonce as answered where no receipt is written. `head` is the number of the finalised head.
    ///
    /// # Errors
    /// [`VaultError::NonceUsed`], [`VaultError::Storage`].
    pub fn take_nonce(&self, nonce: &ReadNonce, head: u32) -> Result<(), VaultError> {
        self.write(|transaction| use_nonce(transaction, nonce, head))
    }

    /// Writes the next receipt. `make` gets its number and the hash of the receipt before, and gives receipt and
    /// signature; its error is passed on as [`VaultError::Unsigned`]. `head` is the number of the finalised head.
    ///
    /// # Errors
    /// [`VaultError::NonceUsed`], [`VaultError::Unsigned`], [`VaultError::Damaged`], [`VaultError::Storage`]. Nothing
    /// has changed then, and nothing may be served.
    pub fn append_receipt(
        &self,
        nonce: &ReadNonce,
        head: u32,
        utility: &OrganisationId,
        meter: &MeterId,
        make: impl FnOnce(u64, Hash) -> Result<(Receipt, [u8; 64]), String>,
    ) -> Result<StoredReceipt, VaultError> {
        self.write(|transaction| {
            use_nonce(transaction, nonce, head)?;
            let mut table = transaction.open_table(tables::RECEIPTS)?;
            let (number, previous) = match table.last()? {
                None => (0, [0; 32]),
                Some((number, value)) => {
                    let number = number.value();
                    (number.saturating_add(1), decode(number, value.value())?.receipt(number)?.hash())
                }
            };
            let (receipt, signature) = make(number, previous).map_err(VaultError::Unsigned)?;
            if (receipt.number, receipt.previous) != (number, previous) {
                return Err(VaultError::Unsigned("it does not continue the chain of receipts".into()));
            }
            let stored = StoredReceipt { text: receipt.text(), signature, utility: *utility, meter: *meter };
            table.insert(number, stored.encode().as_slice())?;
            transaction.open_table(tables::RECEIPTS_OF)?.insert((&meter_key(utility, meter), number), ())?;
            Ok(stored)
        })
    }

    /// One receipt.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Storage`].
    pub fn receipt(&self, number: u64) -> Result<Option<StoredReceipt>, VaultError> {
        let transaction = self.read()?;
        let table = transaction.open_table(tables::RECEIPTS)?;
        let value = table.get(number)?;
        value.map(|value| decode(number, value.value())).transpose()
    }

    /// The receipts about a meter from a number on, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Storage`].
    pub fn access_log(
        &self,
        utility: &OrganisationId,
        meter: &MeterId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredReceipt>, VaultError> {
        let transaction = self.read()?;
        let index = transaction.open_table(tables::RECEIPTS_OF)?;
        let table = transaction.open_table(tables::RECEIPTS)?;
        let key = meter_key(utility, meter);
        let numbers = index.range::<(&[u8; 32], u64)>((&key, from)..=(&key, u64::MAX))?.take(limit);
        let receipts = numbers.map(|entry| {
            let (_, number) = entry?.0.value();
            let missing = || damaged(number, "it is missing");
            decode(number, table.get(number)?.ok_or_else(missing)?.value())
        });
        receipts.collect()
    }

    /// The Merkle root over the receipts of these numbers, both included, which vaults commit; `None` if one of them is
    /// not there yet.
    ///
    /// # Errors
    /// [`VaultError::Damaged`], [`VaultError::Storage`].
    pub fn receipt_root(&self, from: u64, to: u64) -> Result<Option<Hash>, VaultError> {
        let transaction = self.read()?;
        let table = transaction.open_table(tables::RECEIPTS)?;
        // A binary counter: at height h the root of a full tree of 2^h leaves that waits for its right neighbour.
        let mut full: Vec<Option<Hash>> = Vec::new();
        let mut due = from;
        for entry in table.range(from..=to)? {
            let (number, value) = entry?;
            let number = number.value();
            if number != due {
                return Err(damaged(due, "it is missing"));
            }
            let hash = decode(number, value.value())?.receipt(number)?.hash();
            let mut carried = public_hash(RECEIPT_LEAF, &[&number.to_le_bytes(), &hash]);
            let mut height = 0;
            while let Some(left) = full.get_mut(height).and_then(Option::take) {
                carried = public_hash(RECEIPT_NODE, &[&left, &carried]);
                height += 1;
            }
            match full.get_mut(height) {
                Some(slot) => *slot = Some(carried),
                None => full.push(Some(carried)),
            }
            due = due.saturating_add(1);
        }
        if due != to.saturating_add(1) {
            return Ok(None);
        }
        let top = full.into_iter().flatten().reduce(|right, left| public_hash(RECEIPT_NODE, &[&left, &right]));
        Ok(top.map(|top| public_hash(RECEIPT_ROOT, &[&from.to_le_bytes(), &to.to_le_bytes(), &top])))
    }
}

fn meter_key(utility: &OrganisationId, meter: &MeterId) -> [u8; 32] {
    join(&[utility.padded(), &meter.0])
}

fn damaged(number: u64, problem: &str) -> VaultError {
    VaultError::Damaged { what: format!("receipt {number}"), problem: problem.into() }
}

pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<StoredReceipt, VaultError> {
    records::decode(|| format!("receipt {number}"), bytes)
}

/// Marks a nonce as answered, and forgets those that no valid request can have any more.
fn use_nonce(transaction: &WriteTransaction, nonce: &ReadNonce, head: u32) -> Result<(), VaultError> {
    let mut table = transaction.open_table(tables::NONCES)?;
    if table.insert((nonce.block, &nonce.bytes()), ())?.is_some() {
        return Err(VaultError::NonceUsed);
    }
    let oldest = head.saturating_sub(NONCE_BLOCKS);
    table.retain_in::<(u32, &[u8; 48]), _>(..(oldest, &[0; 48]), |_, ()| false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_vault_are_nobody_elses() {
        let mine = [RECEIPT_LEAF, RECEIPT_NODE, RECEIPT_ROOT, Tag(b"vltcell.")];
        for (at, tag) in mine.iter().enumerate() {
            assert!(!mine[..at].contains(tag));
            assert!(Tag::ALL.iter().all(|(_, other)| other != tag));
        }
    }
}
