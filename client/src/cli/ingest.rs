//! `wattseal utility ingest`.

use super::{args::Node, output::Output};
use crate::{
    error::FileProblem,
    utility::{ingest, IngestReport, Progress, SealingKey},
    Result,
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sealed_register::Channel;
use serde_json::{json, Value};
use std::{path::PathBuf, time::Instant};
use wattseal_ingest::records::{RefusedRow, WaitingDay};
use zeroize::Zeroizing;

/// Seals files.
#[derive(Debug, Args)]
pub(super) struct Ingest {
    /// Smart Meter Texas files ("Energy Data 15 Min Interval", CSV), in the order in which they are to be sealed.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Keystore folder of the feed node, on this machine: chains/<id>/keystore under its base path. The sealing key is
    /// read there and goes nowhere.
    #[arg(long, value_name = "FOLDER", required_unless_present = "suri")]
    keystore: Option<PathBuf>,
    /// File with the keystore's password, if it has one.
    #[arg(long, value_name = "FILE", requires = "keystore")]
    keystore_password_file: Option<PathBuf>,
    /// Secret URI of the sealing key, for development: //Utility//sealing. Other users of this machine can see command
    /// lines.
    #[arg(long, value_name = "URI", conflicts_with = "keystore")]
    suri: Option<String>,
    #[command(flatten)]
    node: Node,
}

impl Ingest {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let key = self.key()?;
        let chain = self.node.chain().await?;
        let (bar, began) = (bar(output), Instant::now());
        let shown = bar.clone();
        let report = ingest(&chain, &key, &self.files, move |progress| show(&shown, progress)).await;
        bar.finish_and_clear();
        let report = report?;
        output.result(&value(&report, began.elapsed().as_secs_f64()), || text(&report));
        match report.unusable.first() {
            None => Ok(()),
            Some((file, why)) => Err(FileProblem::new(file, why).into()),
        }
    }

    fn key(&self) -> Result<SealingKey> {
        let Some(keystore) = &self.keystore else {
            return SealingKey::from_suri(self.suri.as_deref().unwrap_or_default());
        };
        let password = match &self.keystore_password_file {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| FileProblem::new(path, error))?;
                Some(Zeroizing::new(Zeroizing::new(text).trim_end_matches(['\r', '\n']).to_owned()))
            }
        };
        SealingKey::from_keystore(keystore, password.as_ref().map(|password| password.as_str()))
    }
}

fn bar(output: &Output) -> ProgressBar {
    let bar = if output.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    let Progress { bytes, bytes_total, rows, days, batches, waiting_for_chain } = progress;
    bar.set_length(bytes_total);
    bar.set_position(bytes);
    let waiting = if waiting_for_chain { ", waiting for the chain" } else { "" };
    bar.set_message(format!("{rows} rows, {days} days sealed, {batches} batches{waiting}"));
}

fn value(report: &IngestReport, seconds: f64) -> Value {
    let row = |RefusedRow { file, line, field, reason }: &RefusedRow| json!({ "file": file, "line": line, "field": field, "reason": reason });
    let day = |day: &WaitingDay| {
        let (meter, date) = (day.meter.to_string(), day.day.to_string());
        json!({ "file": day.file, "meter": meter, "day": date, "channel": word(day.channel) })
    };
    let unusable = |(file, reason): &(String, String)| json!({ "file": file, "reason": reason });
    json!({
        "rows": report.rows,
        "days_sealed": report.sealed,
        "days_amended": report.amended,
        "days_same": report.same,
        "days_older": report.older,
        "batches": report.batches,
        "refused": report.refused_total,
        "waiting": report.waiting_total,
        "held": report.held.len(),
        "refused_rows": report.refused.iter().map(row).collect::<Vec<_>>(),
        "waiting_days": report.waiting.iter().map(day).collect::<Vec<_>>(),
        "held_days": report.held.iter().map(day).collect::<Vec<_>>(),
        "unusable_files": report.unusable.iter().map(unusable).collect::<Vec<_>>(),
        "seconds": seconds,
    })
}

fn word(channel: Channel) -> &'static str {
    match channel {
        Channel::Consumption => "consumption",
        Channel::Generation => "generation",
    }
}

/// Lines of each list that people see.
const SHOWN: usize = 20;

fn text(report: &IngestReport) -> String {
    let IngestReport { rows, sealed, amended, same, older, batches, .. } = report;
    let mut lines = vec![format!(
        "{rows} rows: {sealed} days sealed ({amended} of them amendments) in {batches} batches, {same} on chain already, \
         {older} older than what is sealed"
    )];
    let mut list = |what: &str, total: u64, shown: Vec<String>| {
        if total > 0 {
            lines.push(format!("{what}: {total}"));
            let more = total.saturating_sub(shown.len() as u64);
            lines.extend(shown.into_iter().map(|line| format!("  {line}")));
            lines.extend((more > 0).then(|| format!("  and {more} more; --json lists up to 1,000")));
        }
    };
    let refused = report.refused.iter().take(SHOWN).map(|row| {
        let RefusedRow { file, line, field, reason } = row;
        match line {
            0 => format!("{file}, {field}: {reason}"),
            line => format!("{file}, line {line}, {field}: {reason}"),
        }
    });
    list("rows and days that cannot be used", report.refused_total, refused.collect());
    let day = |day: &WaitingDay| format!("{}: meter {}, {}, {}", day.file, day.meter, day.day, word(day.channel));
    let days = |days: &[WaitingDay]| days.iter().take(SHOWN).map(day).collect();
    let waiting = "days that wait for their meter's registration; register it and run this again";
    list(waiting, report.waiting_total, days(&report.waiting));
    let held = "days held for you: other values, and dates that do not tell which are right";
    list(held, report.held.len() as u64, days(&report.held));
    let unusable = report.unusable.iter().map(|(file, why)| format!("{file}: {why}"));
    list("files that cannot be used", report.unusable.len() as u64, unusable.collect());
    lines.join("\n")
}
