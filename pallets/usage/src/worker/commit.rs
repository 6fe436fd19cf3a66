//! From the outbox to the chain: signs commitments of bodies that the vault has safely, and tidies up behind them.

use super::{
    chain::{Action, Chain, Outgoing},
    store::{Store, SENT_FEED},
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, Encode};
use sealed_register::Hash;
use wattseal_primitives::{
    keys::FEED,
    offchain::{chunk_key, shard_index_key, staged_key, OutboxEntry, ShardIndex, WorkerConfig, OUTBOX},
    usage::MAX_AS_OF_AGE,
    BlockNumber,
};

/// Blocks after which something that was signed and is not on chain is signed again.
pub const RETRY_BLOCKS: BlockNumber = 16;
/// Most transactions that one run signs per account; the chain lets 16 be in flight.
pub const MAX_SIGNED: usize = 8;
/// Age of a batch's `as_of` above which it is no longer signed, blocks: it might come too late ([`MAX_AS_OF_AGE`]).
const MAX_SIGNING_AGE: BlockNumber = 120;
/// More chunks than any body has: what a batch that was begun and never finished may have left.
const MAX_CHUNKS: u32 = 16;

/// What an account has sent and may not yet see in the chain's state. The worker sees its block, not the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SentUpTo {
    /// The nonce after the last transaction that was sent.
    pub next_nonce: u32,
    /// Block at which it was sent.
    pub block: BlockNumber,
}

/// The nonce that an account's next transaction takes at this block; nothing while earlier ones are in flight.
pub fn free_nonce(store: &impl Store, chain: &impl Chain, sent_key: &[u8], account: &[u8; 32]) -> Option<u32> {
    let nonce = chain.nonce(account);
    let sent: SentUpTo = store.read(sent_key).unwrap_or_default();
    let recent = chain.block() < sent.block.saturating_add(RETRY_BLOCKS);
    (!recent || sent.next_nonce <= nonce).then_some(nonce)
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// On chain and in the index: the outbox needs it no more.
    Finished,
    /// On chain, not yet in the index.
    Landed,
    /// Still to be committed.
    Open,
    /// Never to be committed: another batch has its number, its `as_of` is too old, or that block is not of this chain.
    Dead,
}

fn standing(store: &impl Store, chain: &impl Chain, entry: &OutboxEntry) -> Standing {
    match chain.batch(entry.shard, entry.sequence) {
        Some(batch) if batch.root == entry.root && batch.body_hash == entry.body_hash => {
            let index: ShardIndex = store.read(&shard_index_key(entry.shard)).unwrap_or_default();
            match index.next_sequence > entry.sequence {
                true => Standing::Finished,
                false => Standing::Landed,
            }
        }
        Some(_) => Standing::Dead,
        None => {
            let canonical = chain.block_hash(entry.as_of) == Some(entry.as_of_hash);
            // While it could still be included nothing else may take its number, or one of two bodies were lost.
            let late = age(chain, entry) > MAX_AS_OF_AGE;
            let overtaken = chain.shard(entry.shard).next_sequence > entry.sequence;
            match !canonical || late || overtaken {
                true => Standing::Dead,
                false => Standing::Open,
            }
        }
    }
}

fn age(chain: &impl Chain, entry: &OutboxEntry) -> BlockNumber {
    chain.block().saturating_sub(entry.as_of)
}

/// Removes what is finished or dead from the outbox, with its chunks; after a dead batch also those of its shard that
/// follow it, since they build upon it. Their days are sealed again from the feed.
pub fn tidy(store: &mut impl Store, chain: &impl Chain) -> Vec<OutboxEntry> {
    let entries: Vec<OutboxEntry> = store.read(OUTBOX).unwrap_or_default();
    let before = entries.len();
    let mut dead: BTreeMap<u16, u32> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| standing(store, chain, entry) == Standing::Dead) {
        let from = dead.entry(entry.shard).or_insert(entry.sequence);
        *from = entry.sequence.min(*from);
    }
    let (kept, gone): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| {
        let is_dead = dead.get(&entry.shard).is_some_and(|from| *from <= entry.sequence);
        !is_dead && standing(store, chain, entry) != Standing::Finished
    });
    if kept.len() == before {
        return kept;
    }
    // The list first: an entry whose chunks are missing would confuse the native task, chunks without an entry nobody.
    store.write(OUTBOX, &kept);
    for entry in &gone {
        if dead.contains_key(&entry.shard) {
            log::warn!(
                target: "wattseal::feed",
                "batch {} of shard {} is given up and its days are sealed again: it was not committed in time, or \
                 another batch has its number",
                entry.sequence, entry.shard,
            );
        }
        store.clear(&staged_key(entry.shard, entry.sequence));
        (0..entry.chunks.max(MAX_CHUNKS)).for_each(|chunk| store.clear(&chunk_key(entry.shard, entry.sequence, chunk)));
    }
    kept
}

/// Signs commitments of staged bodies, oldest first. Returns how many.
pub fn sign(
    store: &mut impl Store,
    chain: &impl Chain,
    outgoing: &mut impl Outgoing,
    config: &WorkerConfig,
    entries: &mut [OutboxEntry],
) -> usize {
    let Some(first_nonce) = free_nonce(store, chain, SENT_FEED, &config.feed_key) else { return 0 };
    let block = chain.block();
    // The number of each shard that a batch must have to be next.
    let mut next: BTreeMap<u16, u32> = BTreeMap::new();
    let mut nonce = first_nonce;
    for entry in entries.iter_mut() {
        if signed(first_nonce, nonce) >= MAX_SIGNED {
            break;
        }
        let due = next.entry(entry.shard).or_insert_with(|| chain.shard(entry.shard).next_sequence);
        let rested = entry.signed_at == 0 || block >= entry.signed_at.saturating_add(RETRY_BLOCKS);
        let is_staged = || store.read::<Hash>(&staged_key(entry.shard, entry.sequence)) == Some(entry.body_hash);
        if entry.sequence != *due || !rested || age(chain, entry) > MAX_SIGNING_AGE || !is_staged() {
            continue;
        }
        match outgoing.submit(Action::Commit(entry.clone()), &config.feed_key, FEED, nonce) {
            Ok(()) => {
                entry.signed_at = block;
                *due = due.saturating_add(1);
                nonce = nonce.saturating_add(1);
            }
            Err(error) => {
                log::warn!(target: "wattseal::feed", "a batch could not be sent: {error}");
                break;
            }
        }
    }
    let count = signed(first_nonce, nonce);
    if count > 0 {
        store.write(OUTBOX, &entries.to_vec());
        store.write(SENT_FEED, &SentUpTo { next_nonce: nonce, block });
    }
    count
}

fn signed(first_nonce: u32, nonce: u32) -> usize {
    usize::try_from(nonce.saturating_sub(first_nonce)).unwrap_or(usize::MAX)
}

/// Whether everything of a shard that is sealed or committed and not yet indexed has an `as_of` at or after `block`.
/// Then nothing sealed under an epoch that ended at `block` is unknown to the index.
pub fn is_settled_since(store: &impl Store, chain: &impl Chain, shard: u16, block: BlockNumber) -> bool {
    let entries: Vec<OutboxEntry> = store.read(OUTBOX).unwrap_or_default();
    let index: ShardIndex = store.read(&shard_index_key(shard)).unwrap_or_default();
    let mut unindexed = index.next_sequence..chain.shard(shard).next_sequence;
    entries.iter().filter(|entry| entry.shard == shard).all(|entry| entry.as_of >= block)
        && unindexed.all(|sequence| chain.batch(shard, sequence).is_some_and(|batch| batch.as_of >= block))
}
