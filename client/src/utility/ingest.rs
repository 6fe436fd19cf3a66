//! Sealing bulk history natively and in parallel: the same batches, byte for byte, as the worker makes of the same files.
//!
//! It runs beside the utility's feed node, whose sealing key it reads from the keystore on this machine. Planning, sealing
//! and batching are `wattseal-ingest`, which the worker runs too. Bodies go to the node in chunks; the node checks and
//! stages them, and its worker signs. One pass seals what 16 batches hold, waits until the chain has them, and goes on
//! where it stopped. Nothing is remembered between runs: what is on chain already is seen in the node's index and left
//! alone, so a run that was killed is simply repeated. Should the node's own worker have sealed something meanwhile, the
//! node refuses the next batch as stale, and the files are gone over anew.

mod node;
mod read;

use super::SealingKey;
use crate::{chain::Chain, ClientError, Result};
use node::{Node, RemoteShelf, State};
use read::Event;
use sealed_register::{secrets::check_value, DayReadings, UtilitySecrets};
use smart_meter_texas::{Calendar, EsiId, MeterDay};
use std::{
    cell::Cell,
    collections::VecDeque,
    path::PathBuf,
    sync::{
        mpsc::{sync_channel, Receiver},
        Mutex, PoisonError,
    },
    thread,
    time::{Duration, Instant},
};
use wattseal_ingest::{
    pass::{Basis, BatchLimits, Job, Pass, Tally},
    records::{OutboxEntry, RefusedRow, WaitingDay},
};

/// Bounds of a pass. The chain takes 16 transactions of an account at a time; each shard needs up to 14 MB here.
const LIMITS: BatchLimits = BatchLimits { shards: 8, of_shard: 16, batches: 16 };
/// Days that are planned before they are sealed in parallel: 8 MB.
const WINDOW: usize = 8_192;
/// Days without room in a pass that are kept for the next: 64 MB.
const MAX_LEFT: usize = 65_536;
/// Events of the reader that may wait, each of about 0.5 MB at most.
const AHEAD: usize = 16;
/// How long the chain is waited for.
const PATIENCE: Duration = Duration::from_secs(900);
/// Time between two looks at the chain.
const LOOK: Duration = Duration::from_millis(500);
/// Times that everything is gone over anew because somebody else sealed meanwhile.
const MAX_STALE: u32 = 20;
/// Most entries of each list of a report.
const MAX_LISTED: usize = 1_000;

/// How far a run is. Sealed days and batches are those of this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the files that were read.
    pub bytes: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Rows read.
    pub rows: u64,
    /// Days sealed.
    pub days: u64,
    /// Batches handed in.
    pub batches: u32,
    /// Whether the chain is waited for.
    pub waiting_for_chain: bool,
}

/// What became of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Rows read.
    pub rows: u64,
    /// Days sealed, amendments included.
    pub sealed: u64,
    /// Those of them that amend a day.
    pub amended: u64,
    /// Days whose values are on chain already.
    pub same: u64,
    /// Days older than what is sealed.
    pub older: u64,
    /// Batches committed.
    pub batches: u32,
    /// Rows and days that cannot be used, the first 1,000. Line 0: the rows of a whole day.
    pub refused: Vec<RefusedRow>,
    /// Such rows and days in all.
    pub refused_total: u64,
    /// Days of meters that are not registered, the first 1,000.
    pub waiting: Vec<WaitingDay>,
    /// Such days in all.
    pub waiting_total: u64,
    /// Days held for the operator, since their values differ and their dates do not tell which are right; the first 1,000.
    pub held: Vec<WaitingDay>,
    /// Files that cannot be used at all, with the reason.
    pub unusable: Vec<(String, String)>,
}

/// Why a run, or a round of it, ended.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// Something else was sealed meanwhile.
    #[error("{0}")]
    Stale(String),
    /// Everything else.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Seals files through the utility's own node, in their order, and waits until the chain has all of it.
///
/// # Errors
/// [`ClientError::Secret`] (the key is not the node's), [`ClientError::Rpc`] (unsafe methods are not allowed, or the node
/// seals for no utility), [`ClientError::NotYet`] (the chain does not move), [`ClientError::Connection`].
pub async fn ingest(
    chain: &Chain,
    key: &SealingKey,
    files: &[PathBuf],
    progress: impl Fn(Progress) + Send + 'static,
) -> Result<IngestReport> {
    let (chain, key, files) = (chain.clone(), key.clone(), files.to_vec());
    let handle = tokio::runtime::Handle::current();
    let run = tokio::task::spawn_blocking(move || {
        let raw = RawState::of(&chain, &handle)?;
        let utility = raw
            .utility
            .parse()
            .map_err(|error| ClientError::Answer { method: RawState::METHOD, problem: format!("utility: {error}") })?;
        let secrets = key.secrets(&chain.genesis(), &utility, raw.generation)?;
        if format!("0x{}", hex::encode(check_value(&secrets.id))) != raw.check_value {
            return Err(ClientError::Secret(format!(
                "this is not the sealing key of {} for {utility}; name the keystore of that node",
                chain.url()
            )));
        }
        let mut missing = files.iter().filter_map(|path| Some((path, std::fs::metadata(path).err()?)));
        if let Some((path, error)) = missing.next() {
            return Err(crate::error::FileProblem::new(path, error).into());
        }
        let node = Node::new(chain, utility, handle);
        Run { node: &node, secrets: &secrets, files: &files, progress: &progress }.all()
    });
    run.await.map_err(|error| ClientError::Usage(format!("sealing ended unexpectedly: {error}")))?
}

/// What `wattseal_ingestState` says.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawState {
    utility: String,
    generation: u16,
    check_value: String,
    ready: bool,
}

impl RawState {
    const METHOD: &'static str = "wattseal_ingestState";

    fn of(chain: &Chain, handle: &tokio::runtime::Handle) -> Result<Self> {
        handle.block_on(chain.rpc().call(Self::METHOD, &[]))
    }
}

/// A run over files.
struct Run<'a> {
    node: &'a Node,
    secrets: &'a UtilitySecrets,
    files: &'a [PathBuf],
    progress: &'a dyn Fn(Progress),
}

impl Run<'_> {
    fn all(&self) -> Result<IngestReport> {
        // Sealed in rounds that ended as stale, and on chain all the same.
        let (mut sealed, mut amended, mut batches) = (0, 0, 0);
        for _ in 0..MAX_STALE {
            let mut round = Round::new(self);
            match round.all() {
                Ok(()) => {
                    let mut report = round.report;
                    report.sealed += sealed;
                    report.amended += amended;
                    report.same = report.same.saturating_sub(sealed);
                    report.batches += batches;
                    return Ok(report);
                }
                Err(Stop::Stale(_)) => {
                    sealed += round.committed.0;
                    amended += round.committed.1;
                    batches += round.report.batches;
                }
                Err(Stop::Client(error)) => return Err(error),
            }
        }
        Err(ClientError::NotYet(
            "the node's worker seals days of the same meters all the time; run this again when its feed is quiet"
                .into(),
        ))
    }
}

/// One going over all files.
struct Round<'a> {
    run: &'a Run<'a>,
    report: IngestReport,
    progress: Progress,
    batches: Cell<u32>,
    /// Days that the chain has, and amendments among them.
    committed: (u64, u64),
    /// The file that is read.
    file: usize,
    /// What stood in the report when it began.
    before: IngestReport,
    /// Days that were read, and were not planned.
    read: VecDeque<MeterDay>,
    /// Days that found no room, oldest first.
    left: VecDeque<(EsiId, DayReadings)>,
    /// Whether the reader has come to the end of all files.
    ended: bool,
}

impl<'a> Round<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Self {
            run,
            report: IngestReport::default(),
            progress: Progress { bytes_total: run.files.iter().map(length).sum(), ..Progress::default() },
            batches: Cell::new(0),
            committed: (0, 0),
            file: 0,
            before: IngestReport::default(),
            read: VecDeque::new(),
            left: VecDeque::new(),
            ended: false,
        }
    }

    fn all(&mut self) -> Result<(), Stop> {
        let node = self.run.node;
        let calendar: Calendar = node.wait(async { node.chain.finalized().await?.calendar().await })?;
        let (events, received) = sync_channel(AHEAD);
        thread::scope(|scope| {
            let files = self.run.files;
            scope.spawn(move || read::read_all(files, &calendar, &events));
            let mut sealed_nothing = 0;
            while !self.ended || !self.left.is_empty() || !self.read.is_empty() {
                let before = self.committed.0;
                self.pass(&received)?;
                // A pass over known days seals nothing, but it comes to the end of what it was given.
                let stuck = self.committed.0 == before && !self.left.is_empty();
                sealed_nothing = if stuck { sealed_nothing + 1 } else { 0 };
                if sealed_nothing == 5 {
                    let problem = "days cannot be sealed although nothing is on its way; the node's log says why";
                    return Err(ClientError::NotYet(problem.into()).into());
                }
            }
            // The reader's end is dropped with the events.
            drop(received);
            Ok(())
        })
    }

    /// Seals until no more fits into the batches of a pass, and waits until the chain has them.
    fn pass(&mut self, received: &Receiver<Event>) -> Result<(), Stop> {
        let Run { node, secrets, .. } = *self.run;
        self.wait_until_ready()?;
        let at = node.wait(node.chain.finalized())?;
        let block = at.block();
        let shard_bits = node.wait(at.shard_bits(node.utility))?;
        let basis = Basis {
            genesis: node.chain.genesis(),
            utility: node.utility,
            secrets,
            shard_bits,
            as_of: block.number,
            as_of_hash: block.hash,
            limits: LIMITS,
        };
        let state = State { node, at };
        let counted = self.batches.clone();
        let mut shelf = RemoteShelf::new(node, &counted);
        let mut pass = Pass::in_bulk(basis, &state, WINDOW, in_parallel);
        let (mut sealed, mut amended) = (0, 0);
        pass.begin(&self.name());
        let mut still_left: VecDeque<(EsiId, DayReadings)> = VecDeque::new();
        loop {
            still_left.extend(pass.take_left());
            if pass.is_full() || still_left.len() >= MAX_LEFT {
                break;
            }
            if let Some((esi_id, readings)) = self.left.pop_front() {
                pass.take_readings(&mut shelf, &esi_id, readings);
            } else if let Some(day) = self.read.pop_front() {
                pass.take(&mut shelf, &day);
            } else {
                let Ok(event) = received.recv() else {
                    self.ended = true;
                    break;
                };
                let ends_file = matches!(event, Event::Begin(_) | Event::End(_) | Event::Unusable(_));
                if ends_file {
                    pass.flush(&mut shelf);
                    self.count(pass.end(), &mut sealed, &mut amended)?;
                }
                self.note(event);
                if ends_file {
                    pass.begin(&self.name());
                }
                self.progress.batches = counted.get();
                (self.run.progress)(self.progress);
            }
            node.check()?;
        }
        pass.flush(&mut shelf);
        still_left.extend(pass.take_left());
        still_left.append(&mut self.left);
        self.left = still_left;
        self.count(pass.end(), &mut sealed, &mut amended)?;
        pass.finish(&mut shelf);
        node.check()?;
        let sent = shelf.into_sent();
        self.progress.batches = counted.get();
        self.batches = counted;
        self.wait_until_ready()?;
        self.check_committed(&sent)?;
        self.committed.0 += sealed;
        self.committed.1 += amended;
        self.report.batches += u32::try_from(sent.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    /// The name of the file that is read, without its folder.
    fn name(&self) -> String {
        let path = self.run.files.get(self.file);
        path.and_then(|path| path.file_name()).map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Waits until nothing is on its way, and vault and index are level with the chain.
    fn wait_until_ready(&mut self) -> Result<(), Stop> {
        let (node, began) = (self.run.node, Instant::now());
        self.progress.waiting_for_chain = true;
        loop {
            (self.run.progress)(self.progress);
            let state: RawState = node.wait(node.chain.rpc().call(RawState::METHOD, &[]))?;
            if state.ready {
                self.progress.waiting_for_chain = false;
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let problem = "batches do not become final; look at the node's log, then run this again";
                return Err(ClientError::NotYet(problem.into()).into());
            }
            thread::sleep(LOOK);
        }
    }

    /// Whether batches that were handed in are on chain as they were sealed.
    fn check_committed(&self, sent: &[OutboxEntry]) -> Result<(), Stop> {
        let node = self.run.node;
        let at = node.wait(node.chain.finalized())?;
        for OutboxEntry { shard, sequence, root, .. } in sent {
            let batch = node.wait(at.batch(node.utility, *shard, *sequence))?;
            if batch.is_none_or(|batch| batch.root != *root) {
                return Err(Stop::Stale(format!("batch {sequence} of shard {shard} did not come on chain")));
            }
        }
        Ok(())
    }

    /// Adds what a pass found in a file.
    fn count(&mut self, tally: Tally, sealed: &mut u64, amended: &mut u64) -> Result<(), Stop> {
        if let Some(error) = tally.error {
            return Err(ClientError::NotYet(error).into());
        }
        *sealed += u64::from(tally.cells);
        *amended += u64::from(tally.amended);
        self.progress.days += u64::from(tally.cells);
        let report = &mut self.report;
        report.sealed += u64::from(tally.cells);
        report.amended += u64::from(tally.amended);
        report.same += tally.same;
        report.older += tally.older;
        report.refused_total += tally.refused_total;
        report.waiting_total += tally.waiting_total;
        add(&mut report.refused, tally.refused);
        add(&mut report.waiting, tally.waiting);
        add(&mut report.held, tally.held);
        Ok(())
    }

    /// Notes what the reader says.
    fn note(&mut self, event: Event) {
        match event {
            Event::Begin(file) if file == self.file && self.report != self.before => {
                // Its meters are gone over anew in parts: what was listed comes again, what was sealed stays counted.
                let IngestReport { sealed, amended, .. } = self.report;
                self.report = IngestReport { sealed, amended, batches: self.report.batches, ..self.before.clone() };
            }
            Event::Begin(file) => {
                self.file = file;
                self.before = self.report.clone();
            }
            Event::Days(days) => self.read.extend(days),
            Event::Read(bytes, rows) => {
                self.progress.bytes = self.progress.bytes.saturating_add(bytes).min(self.progress.bytes_total);
                self.progress.rows = self.progress.rows.saturating_add(rows);
            }
            Event::End(report) => self.note_rows(&report),
            Event::Unusable(why) => self.report.unusable.push((self.name(), why)),
        }
    }

    fn note_rows(&mut self, report: &smart_meter_texas::csv::Report) {
        self.report.rows += report.rows.saturating_sub(report.filtered_rows);
        let file = self.name();
        let mut repeated = 0;
        for row in &report.refused {
            let (field, reason) = (row.field.name().to_owned(), row.reason.to_string());
            let row = RefusedRow { file: file.clone(), line: row.line, field, reason };
            // A row without an ESI ID belongs to no part of the meters, so each part refuses it.
            if self.report.refused.contains(&row) {
                repeated += 1;
            } else {
                add(&mut self.report.refused, vec![row]);
            }
        }
        self.report.refused_total += report.refused_rows.saturating_sub(repeated);
    }
}

fn add<V>(list: &mut Vec<V>, more: Vec<V>) {
    list.extend(more);
    list.truncate(MAX_LISTED);
}

/// Seals stream by stream on every core.
fn in_parallel(jobs: &mut [Job<'_>]) {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get()).min(jobs.len());
    let queue = Mutex::new(jobs.iter_mut());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = next() {
                    job.run();
                }
            });
        }
    });
}
