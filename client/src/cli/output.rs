//! Text and tables for people, JSON for programs, progress for those who watch.

use crate::{
    chain::Included,
    export::{summary, summary_lines, write_to},
    reading::{Fetched, Progress},
    ClientError, Result,
};
use comfy_table::{presets::UTF8_FULL_CONDENSED, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use sealed_register::types::hex;
use serde_json::{json, Value};
use std::{
    io::{self, BufRead, Write},
    path::Path,
};

/// Where and how results are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    /// JSON instead of text.
    pub(super) json: bool,
}

impl Output {
    /// Prints a line or several. A reader that has gone away (`| head`) is no error.
    pub(super) fn text(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", text.trim_end());
    }

    /// Prints a result: the value for programs, the text for people.
    pub(super) fn result(&self, value: &Value, text: impl FnOnce() -> String) {
        match self.json {
            true => self.text(&value.to_string()),
            false => self.text(&text()),
        }
    }

    /// Prints what is no result: never on standard output, where files may go.
    pub(super) fn note(&self, text: &str) {
        if !self.json {
            let mut out = io::stderr().lock();
            let _ = writeln!(out, "{text}");
        }
    }

    /// Prints an error.
    pub(super) fn error(&self, error: &ClientError) {
        let mut out = io::stderr().lock();
        let _ = match self.json {
            false => writeln!(out, "error: {error}"),
            true => {
                let value = json!({
                    "error": error.to_string(),
                    "exit_code": error.exit_code().code(),
                    "refusal_code": error.refusal_code(),
                });
                writeln!(out, "{value}")
            }
        };
    }

    /// Prints a transaction's fate.
    pub(super) fn included(&self, what: &str, included: &Included) {
        let Included { block, extrinsic, hash, .. } = included;
        let value = json!({
            "block": block.number, "block_hash": hex(&block.hash), "extrinsic": extrinsic, "hash": hex(hash),
        });
        let text = || format!("{what}, finalised in block {} (extrinsic {extrinsic})", block.number);
        self.result(&value, text);
    }

    /// A table with a header.
    pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
        table.add_rows(rows);
        table.to_string()
    }

    /// The fields of a JSON object as a table of two columns.
    pub(super) fn fields(value: &Value) -> String {
        let words = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) if items.is_empty() => "-".to_owned(),
            Value::Array(items) => {
                let item = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                items.iter().map(item).collect::<Vec<_>>().join("\n")
            }
            other => other.to_string(),
        };
        let fields = value.as_object().into_iter().flatten();
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        table.add_rows(fields.map(|(name, value)| vec![name.replace('_', " "), words(value)]));
        table.to_string()
    }

    /// A bar of days on standard error, where somebody watches it.
    pub(super) fn days_bar(&self) -> impl Fn(Progress) {
        let bar = match self.json {
            true => ProgressBar::hidden(),
            false => ProgressBar::new(0),
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} days, {elapsed} {msg}") {
            bar.set_style(style);
        }
        move |progress| {
            bar.set_length(progress.total.into());
            bar.set_position(progress.done.into());
            if progress.done == progress.total {
                bar.finish_and_clear();
            }
        }
    }

    /// Writes what was fetched, and shows its totals. Malformed days end the command with an error, after everything is
    /// written.
    pub(super) fn fetched(&self, fetched: &Fetched, out: Option<&Path>, format: crate::export::Format) -> Result<()> {
        if let Some(path) = out {
            write_to(fetched, format, path)?;
        }
        if !fetched.is_current() {
            self.note("warning: the vault answered under an older root; later revisions exist");
        }
        // With the export on standard output, totals are part of it already.
        if out != Some(Path::new("-")) {
            self.result(&summary(fetched), || summary_lines(fetched).join("\n"));
        }
        match fetched.malformed() {
            Some(malformed) => Err((*malformed).into()),
            None => Ok(()),
        }
    }

    /// Asks for a `yes`.
    pub(super) fn confirmed(&self, question: &str) -> Result<bool> {
        self.note(&format!("{question} Type yes to go on:"));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| ClientError::Usage(format!("no answer can be read ({error}); use --yes")))?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "yes" | "y"))
    }
}
