//! The off-chain worker: it fetches a utility's feed, seals it, and signs what the node has staged and what was handed in.
//!
//! It runs at every new best block of a node that is configured for it, and on no other. A run either signs or seals,
//! never both, since nonce and era come from the block at which it began. Data flows one way: feed, worker, outbox (in
//! the node's off-chain storage), the vault's staging area, `commit_batch`, finality, the vault, its index, worker.
//!
//! - [`ingest`] lists and reads files; [`pass`] (of `wattseal-ingest`, which bulk ingest has too) makes batches of them;
//! - [`commit`] signs batches; [`queue`] checks, seals and sends deliveries and relays;
//! - [`store`], [`lock`], [`keys`], [`feed`], [`chain`] are the world around, each behind a trait.

pub mod chain;
pub mod commit;
pub mod feed;
pub mod ingest;
pub mod keys;
pub mod listing;
pub mod lock;
pub mod queue;
pub mod report;
pub mod store;

pub use wattseal_ingest::pass;

use crate::Config;
use alloc::string::ToString;
use chain::{Chain, PalletChain, PalletOutgoing};
use feed::HttpFeed;
use frame_system::pallet_prelude::BlockNumberFor;
use keys::{KeysError, NodeKeystore};
use lock::Lock;
use pass::{Basis, BatchLimits};
use report::Reporter;
use sealed_register::UtilitySecrets;
use smart_meter_texas::csv;
use store::{NodeStore, Store};
use wattseal_primitives::{
    bridge,
    offchain::{Finalised, QueuedRequest, WorkerConfig, CONFIG, FINALISED, QUEUE},
    BlockNumber,
};

/// Blocks that finality may be behind before sealing pauses: a batch that is older when it is signed comes too late.
const MAX_FINALITY_LAG: BlockNumber = 60;

fn now() -> u64 {
    sp_io::offchain::timestamp().unix_millis()
}

/// One run, at block `block`. Returns at once on a node that is not configured to be a utility's feed node.
pub fn run<T: Config>(block: BlockNumberFor<T>) {
    let mut store = NodeStore;
    let Some(config) = store.read::<WorkerConfig>(CONFIG) else { return };
    let Some(mut lock) = Lock::acquire(&mut store, config.boot, now()) else { return };
    let chain = PalletChain::<T> { utility: config.utility, block };
    if work(&mut store, &chain, &mut PalletOutgoing::<T>::default(), &config, &mut lock).is_ok() {
        report::run_ended(&mut store, now());
        lock.release(&mut store);
    }
}

/// Signs if there is anything to sign, else seals.
fn work(
    store: &mut NodeStore,
    chain: &impl Chain,
    outgoing: &mut impl chain::Outgoing,
    config: &WorkerConfig,
    lock: &mut Lock,
) -> Result<(), ingest::LockLost> {
    let mut outbox = commit::tidy(store, chain);
    let mut signed = commit::sign(store, chain, outgoing, config, &mut outbox);
    let finalised = store.read::<Finalised>(FINALISED);
    let queue = store.read::<alloc::vec::Vec<QueuedRequest>>(QUEUE).unwrap_or_default();
    let may_seal = outbox.is_empty() && !config.feed_url.is_empty();
    if queue.is_empty() && (signed > 0 || !may_seal) {
        return Ok(());
    }
    let Some(finalised) = finalised else { return Ok(()) };
    let secrets = match keys::secrets(store, &NodeKeystore, config, &chain.genesis()) {
        Ok(secrets) => secrets,
        Err(error) => {
            report_keys_error(store, chain, &error);
            return Ok(());
        }
    };
    if !lock.extend(store, now()) {
        return Err(ingest::LockLost);
    }
    let random = || sp_io::offchain::random_seed();
    let desk = queue::Desk { chain, config, secrets: &secrets, finalised, random: &random };
    signed = signed.saturating_add(desk.work(store, outgoing));
    if signed > 0 || !may_seal {
        return Ok(());
    }
    seal(store, chain, config, lock, &secrets, finalised)
}

/// Seals what is new in the feed, as of the finalised block.
fn seal(
    store: &mut NodeStore,
    chain: &impl Chain,
    config: &WorkerConfig,
    lock: &mut Lock,
    secrets: &UtilitySecrets,
    finalised: Finalised,
) -> Result<(), ingest::LockLost> {
    let block = chain.block();
    let of_this_chain = chain.block_hash(finalised.number) == Some(finalised.hash);
    if !of_this_chain || block.saturating_sub(finalised.number) > MAX_FINALITY_LAG {
        return Ok(());
    }
    let mut feed = match HttpFeed::new(&config.feed_url) {
        Ok(feed) => feed,
        Err(error) => {
            report_error(store, block, &error.to_string());
            return Ok(());
        }
    };
    let (short, long) = chain.calendar();
    let calendar = match bridge::calendar(&short, &long) {
        Ok(calendar) => calendar,
        Err(error) => {
            report_error(store, block, &error.to_string());
            return Ok(());
        }
    };
    let basis = Basis {
        genesis: chain.genesis(),
        utility: config.utility,
        secrets,
        shard_bits: chain.shard_bits(),
        as_of: finalised.number,
        as_of_hash: finalised.hash,
        limits: BatchLimits::default(),
    };
    let limits = csv::Limits::default();
    let mut env = ingest::Env { store, chain, feed: &mut feed, now: &now, lock, limits };
    ingest::run(&mut env, basis, &calendar)
}

fn report_keys_error(store: &mut impl Store, chain: &impl Chain, error: &KeysError) {
    report_error(store, chain.block(), &error.to_string());
}

fn report_error(store: &mut impl Store, block: BlockNumber, error: &str) {
    let mut reporter = Reporter::load(store);
    reporter.failed(block, None, error);
    reporter.save(store);
}
