//! What only the operator sees and does: on this machine, with `--rpc-methods` letting unsafe methods through.

use super::{
    errors::RpcError,
    types::{AsText, Hex, Meter, MeterPlan, PlannedMeter},
    RpcDeps,
};
use crate::{approval, keys, offchain::FEED_URL, tasks::finality::check_feed_url};
use sealed_register::{secrets::UtilitySecrets, ticket::TicketSecret, Channel};
use serde::{Deserialize, Serialize};
use wattseal_primitives::offchain::{
    shard_index_key, FeedReport, FileRecord, FileState, OutboxEntry, RefusedRow, ShardIndex, WaitingDay, WorkerConfig,
    CONFIG, FILES, OUTBOX, REPORT,
};

/// Most meters of one call.
const MAX_PLAN: usize = 10_000;

/// A file of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// Its size, bytes.
    pub size: u64,
    /// `seen`, `sealing`, `done`, `waiting`, or `refused: ` and why.
    pub state: String,
    /// Rows read.
    pub rows: u64,
    /// Cells sealed from it.
    pub cells: u32,
}

/// A batch on its way to the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxInfo {
    /// Shard.
    pub shard: u16,
    /// Number in the shard.
    pub sequence: u32,
    /// Cells.
    pub cells: u32,
    /// Length of the body, bytes.
    pub bytes: u32,
    /// Block at which it was signed last; 0 = not yet.
    pub signed_at: u32,
}

/// How far a shard has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardProgress {
    /// Shard.
    pub shard: u16,
    /// Batches on the finalised chain.
    pub on_chain: u32,
    /// Batches in the vault.
    pub in_vault: u32,
    /// Batches that the worker's index knows.
    pub in_index: u32,
}

/// `wattseal_feedStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedStatus {
    /// The utility.
    pub utility: String,
    /// Whether the worker has its configuration; if not, the log says why.
    pub configured: bool,
    /// The feed's address; empty: none.
    pub feed_url: String,
    /// Files, as far as the worker remembers them.
    pub files: Vec<FileInfo>,
    /// Batches on their way.
    pub outbox: Vec<OutboxInfo>,
    /// Shards.
    pub shards: Vec<ShardProgress>,
    /// Refused rows in all.
    pub refused: u64,
    /// Days that wait for their meter's registration, in all.
    pub waiting: u64,
    /// Days held for the operator.
    pub held: u64,
    /// Amendments ignored since what is sealed is newer.
    pub older: u64,
    /// Block of the last successful listing.
    pub last_listing: u32,
    /// What is wrong at present, and the block at which it was first seen.
    pub last_error: Option<(u32, String)>,
    /// Requests that wait for the worker.
    pub queue: usize,
}

/// One refused row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedInfo {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Name of the field.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// `wattseal_feedRefused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedList {
    /// How many there were in all.
    pub total: u64,
    /// The newest, at most 1,000.
    pub rows: Vec<RefusedInfo>,
}

/// One waiting or held day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayInfo {
    /// File.
    pub file: String,
    /// Meter.
    pub meter: Meter,
    /// Day.
    pub day: String,
    /// `consumption` or `generation`.
    pub channel: String,
}

/// `wattseal_feedWaiting`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingList {
    /// Days that wait for their meter's registration, in all.
    pub waiting_total: u64,
    /// At most 1,000 of them.
    pub waiting: Vec<DayInfo>,
    /// Days held for the operator: equal or no REVISION_DATE and other values.
    pub held: Vec<DayInfo>,
}

fn report(deps: &RpcDeps) -> FeedReport {
    deps.offchain.get(REPORT).unwrap_or_default()
}

fn file(record: FileRecord) -> FileInfo {
    let FileRecord { name, size, state, rows, cells, .. } = record;
    let state = match state {
        FileState::Seen => "seen".into(),
        FileState::Sealing => "sealing".into(),
        FileState::Done => "done".into(),
        FileState::Waiting => "waiting".into(),
        FileState::Refused(why) => format!("refused: {why}"),
    };
    FileInfo { name, size, state, rows, cells }
}

pub(super) fn status(deps: &RpcDeps) -> Result<FeedStatus, RpcError> {
    let source = deps.source()?;
    let config = deps.offchain.get::<WorkerConfig>(CONFIG);
    let report = report(deps);
    let on_chain = deps.chain.shards(&deps.chain.finalised())?;
    let mine = on_chain.into_iter().filter(|shard| shard.utility == source.utility);
    let shards = mine.map(|shard| {
        let index = deps.offchain.get::<ShardIndex>(&shard_index_key(shard.shard.0)).unwrap_or_default();
        Ok(ShardProgress {
            shard: shard.shard.0,
            on_chain: shard.next_sequence,
            in_vault: deps.vault.next_sequence(&source.utility, shard.shard)?,
            in_index: index.next_sequence,
        })
    });
    let shards = shards.collect::<Result<_, RpcError>>()?;
    let outbox = deps.offchain.get::<Vec<OutboxEntry>>(OUTBOX).unwrap_or_default();
    let outbox = outbox.into_iter().map(|entry| OutboxInfo {
        shard: entry.shard,
        sequence: entry.sequence,
        cells: entry.cells,
        bytes: entry.body_bytes,
        signed_at: entry.signed_at,
    });
    Ok(FeedStatus {
        utility: source.utility.to_string(),
        configured: config.is_some(),
        feed_url: config.map(|config| config.feed_url).unwrap_or_default(),
        files: deps.offchain.get::<Vec<FileRecord>>(FILES).unwrap_or_default().into_iter().map(file).collect(),
        outbox: outbox.collect(),
        shards,
        refused: report.refused_total,
        waiting: report.waiting_total,
        held: u64::try_from(report.held.len()).unwrap_or(u64::MAX),
        older: report.older,
        last_listing: report.last_listing,
        last_error: report.last_error,
        queue: deps.offchain.queue().len(),
    })
}

pub(super) fn refused(deps: &RpcDeps) -> RefusedList {
    let report = report(deps);
    let row = |RefusedRow { file, line, field, reason }| RefusedInfo { file, line, field, reason };
    RefusedList { total: report.refused_total, rows: report.refused.into_iter().map(row).collect() }
}

pub(super) fn waiting(deps: &RpcDeps) -> WaitingList {
    let report = report(deps);
    let day = |WaitingDay { file, meter, day, channel }| DayInfo {
        file,
        meter: AsText(meter),
        day: day.to_string(),
        channel: match channel {
            Channel::Consumption => "consumption".into(),
            Channel::Generation => "generation".into(),
        },
    };
    WaitingList {
        waiting_total: report.waiting_total,
        waiting: report.waiting.into_iter().map(day).collect(),
        held: report.held.into_iter().map(day).collect(),
    }
}

pub(super) fn set_feed(deps: &RpcDeps, url: &str) -> Result<(), RpcError> {
    deps.source()?;
    let url = check_feed_url(url).map_err(|error| RpcError::Parameter(error.to_string()))?;
    let missing =
        || RpcError::NotFound("the worker is not configured yet; the node's log says which key it lacks".into());
    let config = deps.offchain.get::<WorkerConfig>(CONFIG).ok_or_else(missing)?;
    log::info!(target: "wattseal::feed", "feed: {}", if url.is_empty() { "none" } else { &url });
    deps.offchain.set(FEED_URL, &url);
    deps.offchain.set(CONFIG, &WorkerConfig { feed_url: url, ..config });
    Ok(())
}

pub(super) fn approve_runtime(deps: &RpcDeps, hash: &str) -> Result<(), RpcError> {
    let hash = approval::parse_hash(hash).map_err(|error| RpcError::Parameter(error.to_string()))?;
    deps.approvals.approve(hash).map_err(|error| RpcError::NotFound(error.to_string()))
}

pub(super) fn plan_meters(deps: &RpcDeps, meters: &[MeterPlan]) -> Result<Vec<PlannedMeter>, RpcError> {
    let source = deps.source()?;
    if meters.len() > MAX_PLAN {
        return Err(RpcError::Parameter(format!("at most {MAX_PLAN} meters may be planned at once")));
    }
    let secrets = source.secrets()?;
    meters.iter().map(|plan| plan_meter(deps, &secrets, plan)).collect()
}

fn plan_meter(deps: &RpcDeps, secrets: &UtilitySecrets, plan: &MeterPlan) -> Result<PlannedMeter, RpcError> {
    let source = deps.source()?;
    let esi_id = smart_meter_texas::EsiId::parse(plan.esi_id.as_bytes())
        .map_err(|error| RpcError::Parameter(format!("an ESI ID cannot be used: {error}")))?;
    let meter = secrets.meter_id(esi_id.as_str(), plan.tenancy);
    let known = deps.chain.meter(&deps.chain.best(), source.utility, meter)?;
    let issue = plan.issue.or(known.as_ref().map(|meter| meter.ticket_issue)).unwrap_or(1);
    let ticket = TicketSecret::from_bits(secrets.ticket_bits(&source.utility, &meter, issue));
    let seed = ticket.seed(&source.genesis, &source.utility);
    Ok(PlannedMeter {
        meter_id: AsText(meter),
        ticket: ticket.to_text(),
        ticket_key: Hex(keys::ticket_account(seed.expose())),
        issue,
        registered: known.is_some(),
    })
}
