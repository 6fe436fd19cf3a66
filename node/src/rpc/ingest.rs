//! Sealed bodies from `wattseal utility ingest`, which the operator runs on this machine with the feed node's own key.
//!
//! A batch is offered, its body comes chunk by chunk, and is committed. Everything is checked that an import will check,
//! and every cell is opened with this node's own keys, before the body is staged and the batch is entered in the outbox;
//! from there the worker signs for it as for what it sealed itself. The order of batches is the chain's: an offer that is
//! not the next of its shard is stale, whoever sealed the batch that came before it, and must be sealed anew.

use super::{
    errors::RpcError,
    types::{AsText, BlockInfo, Day, Hex, HexBytes, Organisation},
    RpcDeps,
};
use crate::{chain::ChainError, keys};
use pallet_usage::worker::lock::Lock;
use sealed_register::{
    batch::{BatchSummary, MAX_BODY_BYTES, MAX_CHUNK_BYTES},
    reopen, DayRange, Hash, Kind, SealedCell, ShardId, Status, UtilitySecrets,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};
use wattseal_primitives::offchain::{
    shard_index_key, staged_key, OutboxEntry, ShardIndex, WorkerConfig, CONFIG, OUTBOX,
};
use wattseal_vault::{BatchName, Offer, Pending, VaultError};

/// Most batches in the outbox: those of one pass.
const MAX_OUTBOX: usize = 32;
/// Age of the block whose epochs a batch was sealed under above which it is not taken, blocks: it must still be signed.
const MAX_AGE: u32 = 60;
/// How long the outbox is waited for while the worker has it, milliseconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// `wattseal_ingestState`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestState {
    /// The utility that this node seals for.
    pub utility: Organisation,
    /// Generation of its sealing secret.
    pub generation: u16,
    /// Tells whether a sealing key is this node's; tells nothing else about it.
    pub check_value: Hex<8>,
    /// Whether nothing is on its way, and vault and index are level with the chain: then a pass may begin.
    pub ready: bool,
}

/// A batch as it is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferedBatch {
    /// Shard.
    pub shard: u16,
    /// Sequence number in the shard.
    pub sequence: u32,
    /// Root over all heads after this batch.
    pub root: Hex<32>,
    /// Hash over the hashes of the chunks.
    pub body_hash: Hex<32>,
    /// Length of the body, bytes.
    pub body_bytes: u32,
    /// Number of chunks.
    pub chunks: u32,
    /// Number of cells.
    pub cells: u32,
    /// First day of the cells.
    pub first_day: Day,
    /// Last day of the cells.
    pub last_day: Day,
    /// Finalised block in whose state the epochs were read.
    pub as_of: BlockInfo,
}

impl OfferedBatch {
    fn entry(&self) -> OutboxEntry {
        OutboxEntry {
            shard: self.shard,
            sequence: self.sequence,
            root: self.root.0,
            body_hash: self.body_hash.0,
            body_bytes: self.body_bytes,
            chunks: self.chunks,
            cells: self.cells,
            first_day: self.first_day.0,
            last_day: self.last_day.0,
            as_of: self.as_of.number,
            as_of_hash: self.as_of.hash.0,
            signed_at: 0,
        }
    }
}

/// What was handed in and is not on chain yet. One body at a time: an offer takes the place of the one before it.
#[derive(Default)]
pub struct Intake(Mutex<State>);

#[derive(Default)]
struct State {
    taking: Option<Taking>,
    /// Staged, and not entered in the outbox yet.
    staged: Option<(OutboxEntry, Pending)>,
    /// Shards as they will be once what is in the outbox is imported.
    pending: BTreeMap<u16, Pending>,
}

/// A body whose chunks come in.
struct Taking {
    entry: OutboxEntry,
    offer: Offer,
    secrets: UtilitySecrets,
}

impl Intake {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a thread that panicked left half done is checked again before it counts.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outbox(deps: &RpcDeps) -> Vec<OutboxEntry> {
    deps.offchain.get(OUTBOX).unwrap_or_default()
}

fn stale(text: String) -> RpcError {
    RpcError::StaleBatch(text)
}

pub(super) fn state(deps: &RpcDeps) -> Result<IngestState, RpcError> {
    let source = deps.source()?;
    let secrets = source.secrets()?;
    let configured = deps.offchain.get::<WorkerConfig>(CONFIG).is_some();
    let level = || -> Result<bool, RpcError> {
        for shard in deps.chain.shards(&deps.chain.best())?.iter().filter(|shard| shard.utility == source.utility) {
            if !is_level(deps, shard.shard, shard.next_sequence)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(IngestState {
        utility: AsText(source.utility),
        generation: source.generation,
        check_value: Hex(keys::secrets_check_value(&secrets)),
        ready: configured && outbox(deps).is_empty() && level()?,
    })
}

/// Whether vault and index have this many batches of a shard.
fn is_level(deps: &RpcDeps, shard: ShardId, next_sequence: u32) -> Result<bool, RpcError> {
    let index = deps.offchain.get::<ShardIndex>(&shard_index_key(shard.0)).unwrap_or_default();
    let in_vault = deps.vault.next_sequence(&deps.source()?.utility, shard)?;
    Ok(in_vault == next_sequence && index.next_sequence == next_sequence)
}

/// What comes before an offer: the shard as it will be then. `pending` is what earlier offers have left.
fn before<'a>(
    deps: &RpcDeps,
    pending: &'a mut BTreeMap<u16, Pending>,
    entry: &OutboxEntry,
) -> Result<&'a Pending, RpcError> {
    let utility = deps.source()?.utility;
    let (shard, best) = (ShardId(entry.shard), deps.chain.best());
    let waiting = outbox(deps).into_iter().rfind(|waiting| waiting.shard == entry.shard);
    match waiting {
        Some(last) => {
            let follows =
                |known: &&Pending| known.root == last.root && Some(known.next_sequence) == last.sequence.checked_add(1);
            let busy = || {
                RpcError::Busy(format!("batches of shard {shard} are on their way; try again once they are on chain"))
            };
            let known = pending.get(&entry.shard).filter(follows).ok_or_else(busy)?;
            check_turn(entry, known.next_sequence)?;
            Ok(known)
        }
        None => {
            let on_chain =
                deps.chain.shards(&best)?.into_iter().find(|known| (known.utility, known.shard) == (utility, shard));
            let next_sequence = on_chain.map_or(0, |known| known.next_sequence);
            check_turn(entry, next_sequence)?;
            if !is_level(deps, shard, next_sequence)? {
                return Err(RpcError::Busy(format!(
                    "batches of shard {shard} are not final yet; try again in a few seconds"
                )));
            }
            let bits = deps.chain.shard_bits(&best, utility)?.unwrap_or_default();
            if u32::from(entry.shard).checked_shr(bits.into()).unwrap_or(0) > 0 {
                return Err(RpcError::Parameter(format!("{utility} has no shard {shard}")));
            }
            pending.insert(entry.shard, deps.vault.pending(&utility, shard, bits)?);
            pending.get(&entry.shard).ok_or_else(|| RpcError::Busy("try again".into()))
        }
    }
}

fn check_turn(entry: &OutboxEntry, due: u32) -> Result<(), RpcError> {
    if entry.sequence == due {
        return Ok(());
    }
    let OutboxEntry { shard, sequence, .. } = entry;
    Err(stale(format!(
        "batch {sequence} of shard {shard} is not the next, number {due} is: something else was sealed meanwhile; seal \
         the days anew"
    )))
}

/// `wattseal_ingestOffer`.
pub(super) fn offer(deps: &RpcDeps, batch: &OfferedBatch) -> Result<(), RpcError> {
    let source = deps.source()?;
    let entry = batch.entry();
    let finalised = deps.chain.finalised();
    let age = finalised.number.checked_sub(entry.as_of);
    if age.is_none_or(|age| age > MAX_AGE) {
        return Err(stale(format!(
            "the batch was sealed as of block {}, and block {} is final; seal the days anew as of a finalised block at \
             most {MAX_AGE} blocks old",
            entry.as_of, finalised.number
        )));
    }
    let days = DayRange::new(entry.first_day, entry.last_day);
    let days = days.ok_or_else(|| RpcError::Parameter("the batch's last day is before its first".into()))?;
    if entry.body_bytes > MAX_BODY_BYTES {
        return Err(RpcError::Parameter(format!("a body has at most {MAX_BODY_BYTES} bytes")));
    }
    if outbox(deps).len() >= MAX_OUTBOX {
        return Err(RpcError::Busy(format!("{MAX_OUTBOX} batches are on their way; try again once they are on chain")));
    }
    let mut state = deps.intake.state();
    let announced = BatchSummary {
        root: entry.root,
        body_hash: entry.body_hash,
        body_len: entry.body_bytes,
        cells: entry.cells,
        days,
    };
    let name = BatchName { utility: source.utility, shard: ShardId(entry.shard), sequence: entry.sequence };
    let offer = Offer::new(name, announced, before(deps, &mut state.pending, &entry)?)?;
    state.staged = None;
    state.taking = Some(Taking { entry, offer, secrets: source.secrets()? });
    Ok(())
}

/// `wattseal_ingestChunk`.
pub(super) fn chunk(deps: &RpcDeps, body_hash: &Hash, number: u32, bytes: HexBytes) -> Result<(), RpcError> {
    let mut state = deps.intake.state();
    let mut taking = state.taking.take().filter(|taking| taking.entry.body_hash == *body_hash).ok_or_else(no_offer)?;
    if taking.offer.chunks() != number as usize || number >= taking.entry.chunks {
        let due = taking.offer.chunks();
        state.taking = Some(taking);
        return Err(RpcError::Parameter(format!("chunk {number} was handed in, and number {due} is due")));
    }
    if bytes.0.len() > MAX_CHUNK_BYTES {
        return Err(RpcError::BadBody(format!("a chunk has at most {MAX_CHUNK_BYTES} bytes")));
    }
    let (at, utility, as_of) = (deps.chain.finalised(), deps.source()?.utility, taking.entry.as_of);
    let mut epoch_at = |meter: &sealed_register::MeterId| {
        let epoch: Result<_, ChainError> = deps.chain.epoch_at(&at, utility, *meter, as_of);
        epoch.map_err(|error| error.to_string())
    };
    let cells = taking.offer.chunk(&deps.vault, bytes.0, &mut epoch_at).map_err(bad_body)?;
    cells.iter().try_for_each(|cell| check_opens(&taking.secrets, utility, cell))?;
    state.taking = Some(taking);
    Ok(())
}

/// What this node's own keys do not open would stand on chain for ever, and nobody could read or amend it.
fn check_opens(
    secrets: &UtilitySecrets,
    utility: sealed_register::OrganisationId,
    cell: &SealedCell,
) -> Result<(), RpcError> {
    let header = &cell.header;
    let whose = || format!("cell {} of meter {}", header.sequence, header.meter);
    if (header.kind, header.status) != (Kind::Day, Status::Reading) || header.generation != secrets.generation {
        return Err(RpcError::BadBody(format!("{} holds no readings of this generation of the sealing key", whose())));
    }
    match reopen(&secrets.meter_key(&utility, &header.meter), cell) {
        Ok(_) => Ok(()),
        Err(error) => Err(RpcError::BadBody(format!(
            "{} does not open with this node's sealing key ({error}); seal with the key of this node",
            whose()
        ))),
    }
}

fn no_offer() -> RpcError {
    stale(
        "no such body is being handed in: another offer took its place, or the node was started anew; offer it again"
            .into(),
    )
}

fn bad_body(error: VaultError) -> RpcError {
    match error {
        VaultError::Refused { .. } | VaultError::WrongBody { .. } => RpcError::BadBody(error.to_string()),
        other => other.into(),
    }
}

/// `wattseal_ingestCommit`. May be called again after [`RpcError::Busy`].
pub(super) fn commit(deps: &RpcDeps, body_hash: &Hash) -> Result<(), RpcError> {
    let mut state = deps.intake.state();
    if let Some(Taking { entry, offer, .. }) = state.taking.take_if(|taking| taking.entry.body_hash == *body_hash) {
        let pending = offer.stage(&deps.vault).map_err(bad_body)?;
        state.staged = Some((entry, pending));
    }
    let State { staged, pending, .. } = &mut *state;
    let is_this = |staged: &mut (OutboxEntry, Pending)| staged.0.body_hash == *body_hash;
    let (entry, after) = staged.take_if(is_this).ok_or_else(no_offer)?;
    match enter(deps, pending, &entry) {
        Ok(()) => {
            log::info!(
                target: "wattseal::feed",
                "batch {} of shard {} was handed in: {} cells", entry.sequence, entry.shard, entry.cells,
            );
            pending.insert(entry.shard, after);
            Ok(())
        }
        Err(error) => {
            if matches!(error, RpcError::Busy(_)) {
                *staged = Some((entry, after));
            }
            Err(error)
        }
    }
}

/// Enters a staged batch in the outbox. The outbox is the worker's, so it is written under the worker's lock.
fn enter(deps: &RpcDeps, pending: &mut BTreeMap<u16, Pending>, entry: &OutboxEntry) -> Result<(), RpcError> {
    let config: WorkerConfig = deps.offchain.get(CONFIG).ok_or_else(|| {
        RpcError::Busy("the worker is not configured yet; the node's log says which key it lacks".into())
    })?;
    let mut store = deps.offchain.clone();
    let began = Instant::now();
    let lock = loop {
        match Lock::acquire(&mut store, config.boot, unix_milliseconds()) {
            Some(lock) => break lock,
            None if began.elapsed() > PATIENCE => {
                return Err(RpcError::Busy("the worker is at work on its feed; try again in a few seconds".into()));
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    // It may have sealed something since the offer.
    let entered = before(deps, pending, entry).map(|_| {
        let mut entries = outbox(deps);
        entries.push(entry.clone());
        deps.offchain.set(&staged_key(entry.shard, entry.sequence), &entry.body_hash);
        deps.offchain.set(OUTBOX, &entries);
    });
    lock.release(&mut store);
    entered
}

fn unix_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
