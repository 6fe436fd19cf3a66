//! Looks up, every few seconds, what stands in chain, vault and off-chain database, and writes it into the metrics.

use super::Tasks;
use crate::{chain::ChainError, metrics::follow};
use sealed_register::{OperatingDay, OrganisationId, ShardId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};
use wattseal_primitives::offchain::{
    FeedReport, FileRecord, FileState, OutboxEntry, WorkerRuns, FILES, OUTBOX, REPORT, RUNS,
};
use wattseal_vault::VaultError;

/// States of a file, as `state` labels name them.
const STATES: [&str; 5] = ["seen", "sealing", "done", "waiting", "refused"];

/// The task.
pub struct Gauges {
    tasks: Tasks,
    /// Last committed day of each shard, with the number of batches for which it was looked up.
    days: BTreeMap<(OrganisationId, ShardId), (u32, OperatingDay)>,
    /// Files (name and time) that were not committed when they were looked at last.
    open: BTreeSet<(String, String)>,
}

/// Why something was not looked up.
#[derive(Debug, thiserror::Error)]
enum GaugeError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Gauges {
    /// A task.
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks, days: BTreeMap::new(), open: BTreeSet::new() }
    }

    /// Looks at everything.
    pub fn step(&mut self) {
        let now = SystemTime::now();
        self.worker(now);
        for looked in [self.chain(), self.vault()] {
            if let Err(error) = looked {
                log::debug!(target: "wattseal::vault", "metrics were not brought up to date: {error}");
            }
        }
    }

    /// What the worker reports.
    fn worker(&mut self, now: SystemTime) {
        let Tasks { metrics, offchain, .. } = &self.tasks;
        metrics.pending(&offchain.queue());
        if self.tasks.utility.is_none() {
            return;
        }
        let report: FeedReport = offchain.get(REPORT).unwrap_or_default();
        metrics.refused_rows.set(report.refused_total);
        metrics.waiting_days.set(report.waiting_total);
        metrics.held_days.set(count(report.held.len()));
        metrics.outbox_batches.set(count(offchain.get::<Vec<OutboxEntry>>(OUTBOX).unwrap_or_default().len()));
        let runs: WorkerRuns = offchain.get(RUNS).unwrap_or_default();
        follow(&metrics.worker_runs, runs.ended);
        follow(&metrics.worker_failures, runs.failures);
        let age = |milliseconds| seconds_since(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds), now);
        // Nothing ever happened: not an age of half a century.
        metrics.worker_age.set(if runs.ended_at > 0 { age(runs.ended_at) } else { 0 });
        metrics.listing_age.set(if runs.listed_at > 0 { age(runs.listed_at) } else { 0 });
        let files = offchain.get(FILES).unwrap_or_default();
        self.files(files, now);
    }

    /// Files by state, the age of the oldest that is not committed, and the lag of each that has been since.
    fn files(&mut self, files: Vec<FileRecord>, now: SystemTime) {
        let metrics = &self.tasks.metrics;
        let mut states = BTreeMap::from(STATES.map(|state| (state, 0_u64)));
        let (mut oldest, mut open) = (0, BTreeSet::new());
        for FileRecord { name, modified, state, .. } in files {
            *states.entry(state_name(&state)).or_default() += 1;
            // A time that is not one of HTTP has no lag.
            let age = httpdate::parse_http_date(&modified).ok().map(|time| seconds_since(time, now));
            let file = (name, modified);
            match state {
                FileState::Seen | FileState::Sealing => {
                    oldest = oldest.max(age.unwrap_or(0));
                    open.insert(file);
                }
                FileState::Done | FileState::Waiting if self.open.contains(&file) => {
                    // Seconds of a lag are far below the integers that the type holds exactly.
                    if let Some(age) = age {
                        metrics.file_lag.observe(age as f64);
                    }
                }
                FileState::Done | FileState::Waiting | FileState::Refused(_) => {}
            }
        }
        for (state, count) in states {
            metrics.files.with_label_values(&[state]).set(count);
        }
        metrics.feed_lag.set(oldest);
        self.open = open;
    }

    /// How old finality is, whether the runtime is approved, and which batches the vault lacks.
    fn chain(&self) -> Result<(), GaugeError> {
        let Tasks { chain, vault, metrics, approvals, .. } = &self.tasks;
        let finalised = chain.finalised();
        metrics.finalised_age.set(chain.age(&finalised)?.as_secs());
        let approved = approvals.contains(&chain.code_hash(&chain.best())?);
        metrics.runtime_approved.set(approved.into());
        let mut missing = 0_u64;
        for shard in chain.shards(&finalised)? {
            let here = vault.next_sequence(&shard.utility, shard.shard)?;
            missing += u64::from(shard.next_sequence.saturating_sub(here));
        }
        metrics.missing_batches.set(missing);
        Ok(())
    }

    /// What the vault holds, and up to which day.
    fn vault(&mut self) -> Result<(), GaugeError> {
        let Tasks { vault, metrics, .. } = &self.tasks;
        let sizes = vault.sizes()?;
        metrics.vault_batches.set(sizes.batches);
        metrics.vault_cells.set(sizes.cells);
        metrics.vault_receipts.set(sizes.receipts);
        metrics.vault_bytes.set(sizes.bytes);
        let mut last: BTreeMap<OrganisationId, OperatingDay> = BTreeMap::new();
        for shard in vault.shards()? {
            let known = self.days.entry((shard.utility, shard.shard)).or_insert((0, OperatingDay(0)));
            if known.0 != shard.next_sequence {
                let heads = &vault.heads(&shard.utility, shard.shard)?.heads;
                let days = heads.leaves().filter_map(|leaf| heads.get(&leaf.meter, leaf.channel));
                let newest = days.map(|head| head.day_high).max();
                *known = (shard.next_sequence, newest.unwrap_or(OperatingDay(0)));
            }
            let day = last.entry(shard.utility).or_insert(known.1);
            *day = (*day).max(known.1);
        }
        for (utility, day) in last {
            metrics.committed_day.with_label_values(&[utility.as_str()]).set(day.0.into());
        }
        Ok(())
    }
}

fn state_name(state: &FileState) -> &'static str {
    let [seen, sealing, done, waiting, refused] = STATES;
    match state {
        FileState::Seen => seen,
        FileState::Sealing => sealing,
        FileState::Done => done,
        FileState::Waiting => waiting,
        FileState::Refused(_) => refused,
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Zero for a time that is ahead of this machine's clock.
fn seconds_since(time: SystemTime, now: SystemTime) -> u64 {
    now.duration_since(time).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::{
        approval::Approvals,
        metrics::Metrics,
        testing::{self, utility, MockChain, Sealer, FIRST_DAY, GENESIS},
    };
    use std::sync::Arc;
    use wattseal_primitives::offchain::{QueuedRequest, QUEUE};
    use wattseal_vault::{BatchName, Vault};

    fn file(name: &str, state: FileState, modified: &str) -> FileRecord {
        FileRecord { name: name.into(), size: 1, modified: modified.into(), state, rows: 1, cells: 1 }
    }

    #[test]
    fn what_stands_somewhere_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::open(&folder.path().join("vault.redb"), &GENESIS).unwrap());
        let (chain, offchain, source) = (MockChain::new(), testing::store(), testing::source());
        let metrics = Metrics::new(None).unwrap();
        let mut gauges = Gauges::new(Tasks {
            chain: chain.clone(),
            vault: vault.clone(),
            offchain: offchain.clone(),
            utility: Some((source.clone(), None)),
            approvals: Approvals::load(folder.path(), Some(b"code")).unwrap(),
            metrics: metrics.clone(),
        });
        gauges.step();
        assert_eq!((metrics.runtime_approved.get(), metrics.listing_age.get(), metrics.vault_batches.get()), (0, 0, 0));

        // Two batches on chain, the second not here yet; a file is sealed, another is not.
        let mut sealer = Sealer::new(&source);
        let (first, second) = (sealer.batch(&[(1, 3, 0), (2, 0, 0)]), sealer.batch(&[(1, 7, 0)]));
        chain.state().batches = vec![(first.summary, 1), (second.summary, 1)];
        chain.state().code = sp_io::hashing::blake2_256(b"code");
        chain.state().age = Duration::from_secs(4);
        let import = |made: &testing::Made| {
            let name = BatchName { utility: utility(), shard: ShardId(0), sequence: made.entry.sequence };
            vault.stage(&name, &made.summary.body_hash, &made.chunks).unwrap();
            vault.import(&name, 0, &made.summary, &mut |_| Ok(Some(0))).unwrap();
        };
        import(&first);
        second.put(&offchain);
        let now = SystemTime::now();
        let time = httpdate::fmt_http_date(now - Duration::from_secs(100));
        let files = |a, b| vec![file("a", a, &time), file("b", b, &time), file("c", FileState::Seen, "yesterday")];
        offchain.set(FILES, &files(FileState::Sealing, FileState::Refused("no rows".into())));
        offchain.set(REPORT, &FeedReport { refused_total: 5, waiting_total: 6, ..FeedReport::default() });
        let listed_at = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64 - 9_000;
        offchain.set(RUNS, &WorkerRuns { ended: 8, failures: 2, ended_at: listed_at, listed_at });
        offchain.set(QUEUE, &vec![QueuedRequest::Relay { statement: String::new(), signature: [0; 64] }]);
        gauges.step();
        let day = |metrics: &Metrics| metrics.committed_day.with_label_values(&["utility"]).get();
        assert_eq!(day(&metrics), u64::from(FIRST_DAY) + 3);
        assert_eq!((metrics.vault_batches.get(), metrics.missing_batches.get(), metrics.vault_cells.get()), (1, 1, 2));
        assert!(metrics.vault_bytes.get() > 0);
        assert_eq!((metrics.runtime_approved.get(), metrics.finalised_age.get()), (1, 4));
        assert_eq!((metrics.refused_rows.get(), metrics.waiting_days.get(), metrics.outbox_batches.get()), (5, 6, 1));
        assert_eq!((metrics.worker_runs.get(), metrics.worker_failures.get()), (8, 2));
        assert!((9..30).contains(&metrics.listing_age.get()) && (9..30).contains(&metrics.worker_age.get()));
        assert!((99..130).contains(&metrics.feed_lag.get()), "{}", metrics.feed_lag.get());
        let in_state = |state| metrics.files.with_label_values(&[state]).get();
        assert_eq!(STATES.map(in_state), [1, 1, 0, 0, 1]);
        assert_eq!(metrics.requests_pending.with_label_values(&["relay"]).get(), 1);

        // All of it is there: one file's lag is known now, once.
        import(&second);
        offchain.set(FILES, &files(FileState::Done, FileState::Refused("no rows".into())));
        gauges.step();
        gauges.step();
        assert_eq!(day(&metrics), u64::from(FIRST_DAY) + 7);
        assert_eq!((metrics.missing_batches.get(), metrics.feed_lag.get()), (0, 0));
        assert_eq!(metrics.file_lag.get_sample_count(), 1);
        assert!((99.0..130.0).contains(&metrics.file_lag.get_sample_sum()));
    }
}
