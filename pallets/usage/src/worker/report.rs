//! What the operator sees: refused, waiting and held days, file by file, what is wrong at present, and how often the
//! worker ran.

use super::{
    pass::Tally,
    store::{Store, COUNTS},
};
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use smart_meter_texas::csv;
use wattseal_primitives::{
    offchain::{FeedReport, FileRecord, FileState, RefusedRow, WorkerRuns, REPORT, RUNS},
    BlockNumber,
};

/// Most entries of each list.
pub const MAX_LISTED: usize = 1_000;

/// Blocks after which the report says anew when the feed was last listed.
const LISTING_BLOCKS: BlockNumber = 10;

/// What the last pass over a file (or over one part of its meters) found, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct FileCounts {
    /// File name.
    pub name: String,
    /// Part of the file's meters, from 0.
    pub part: u32,
    /// Refused rows and days.
    pub refused: u64,
    /// Waiting days.
    pub waiting: u64,
    /// Days older than what is sealed.
    pub older: u64,
}

/// The report and the numbers behind its totals, written back only when they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reporter {
    report: FeedReport,
    counts: Vec<FileCounts>,
    runs: WorkerRuns,
    stored: (FeedReport, Vec<FileCounts>, WorkerRuns),
}

/// Notes that a run has come to its end; `now` in milliseconds since 1970.
pub fn run_ended(store: &mut impl Store, now: u64) {
    let runs: WorkerRuns = store.read(RUNS).unwrap_or_default();
    store.write(RUNS, &WorkerRuns { ended: runs.ended.saturating_add(1), ended_at: now, ..runs });
}

impl Reporter {
    /// The report as it is stored.
    pub fn load(store: &impl Store) -> Self {
        let report: FeedReport = store.read(REPORT).unwrap_or_default();
        let counts: Vec<FileCounts> = store.read(COUNTS).unwrap_or_default();
        let runs: WorkerRuns = store.read(RUNS).unwrap_or_default();
        Self { stored: (report.clone(), counts.clone(), runs), report, counts, runs }
    }

    /// The report.
    pub fn report(&self) -> &FeedReport {
        &self.report
    }

    /// Notes that the feed was listed at this block, `now` in milliseconds since 1970; forgets files that are no longer
    /// there, and an error unless it is about a file that is still to be sealed.
    pub fn listed(&mut self, block: BlockNumber, now: u64, files: &[FileRecord]) {
        self.runs.listed_at = now;
        let unsettled = |error: &str| {
            let of_file =
                |file: &FileRecord| error.strip_prefix(&*file.name).is_some_and(|rest| rest.starts_with(": "));
            files.iter().any(|file| file.state == FileState::Sealing && of_file(file))
        };
        self.report.last_error.take_if(|(_, error)| !unsettled(error));
        // Not at every block: the whole report would be written for it.
        if block >= self.report.last_listing.saturating_add(LISTING_BLOCKS) || block < self.report.last_listing {
            self.report.last_listing = block;
        }
        let is_there = |name: &str| super::listing::find(files, name).is_some();
        self.report.refused.retain(|row| is_there(&row.file));
        self.report.waiting.retain(|day| is_there(&day.file));
        self.report.held.retain(|day| is_there(&day.file));
        self.counts.retain(|counts| is_there(&counts.name));
        self.sum();
    }

    /// Notes an error: of a file, or of everything.
    pub fn failed(&mut self, block: BlockNumber, file: Option<&str>, error: &str) {
        self.runs.failures = self.runs.failures.saturating_add(1);
        let error = file.map_or_else(|| error.into(), |file| alloc::format!("{file}: {error}"));
        // A feed that is down must not cause a write of the whole report at every block.
        if self.report.last_error.as_ref().is_none_or(|(_, last)| *last != error) {
            log::warn!(target: "wattseal::feed", "{error}");
            self.report.last_error = Some((block, error));
        }
    }

    /// Puts what a pass found in a part of a file in the place of what the last one found there. `rows` is what the
    /// reader refused, once it has come to the end of the file.
    pub fn found(&mut self, file: &str, part: u32, tally: &Tally, rows: Option<&csv::Report>) {
        if part == 0 {
            self.report.refused.retain(|row| row.file != file);
            self.report.waiting.retain(|day| day.file != file);
            self.report.held.retain(|day| day.file != file);
            self.counts.retain(|counts| counts.name != file);
        }
        self.counts.retain(|counts| counts.name != file || counts.part != part);
        let (listed, refused) = rows.map(|rows| (rows.refused.as_slice(), rows.refused_rows)).unwrap_or_default();
        let mut repeated = 0_u64;
        for csv::Refused { line, field, reason } in listed {
            let row = RefusedRow {
                file: file.into(),
                line: *line,
                field: field.name().into(),
                reason: alloc::format!("{reason}"),
            };
            // A row without an ESI ID belongs to no part, so each part refuses it.
            if part > 0 && self.report.refused.contains(&row) {
                repeated = repeated.saturating_add(1);
            } else {
                self.report.refused.push(row);
            }
        }
        self.report.refused.extend(tally.refused.iter().cloned());
        self.report.waiting.extend(tally.waiting.iter().cloned());
        self.report.held.extend(tally.held.iter().cloned());
        self.counts.push(FileCounts {
            name: file.into(),
            part,
            refused: refused.saturating_sub(repeated).saturating_add(tally.refused_total),
            waiting: tally.waiting_total,
            older: tally.older,
        });
        self.sum();
    }

    fn sum(&mut self) {
        let Self { report, counts, .. } = self;
        newest(&mut report.refused);
        newest(&mut report.waiting);
        newest(&mut report.held);
        let total = |of: fn(&FileCounts) -> u64| counts.iter().map(of).fold(0, u64::saturating_add);
        report.refused_total = total(|counts| counts.refused);
        report.waiting_total = total(|counts| counts.waiting);
        report.older = total(|counts| counts.older);
    }

    /// Writes what changed.
    pub fn save(self, store: &mut impl Store) {
        let Self { report, counts, runs, stored } = self;
        if report != stored.0 {
            store.write(REPORT, &report);
        }
        if counts != stored.1 {
            store.write(COUNTS, &counts);
        }
        if runs != stored.2 {
            store.write(RUNS, &runs);
        }
    }

    /// Days of a file that wait for a meter's registration.
    pub fn waits(&self, file: &str) -> bool {
        self.counts.iter().any(|counts| counts.name == file && counts.waiting > 0)
    }
}

/// Keeps the last entries.
fn newest<V>(list: &mut Vec<V>) {
    let surplus = list.len().saturating_sub(MAX_LISTED);
    list.drain(..surplus);
}
