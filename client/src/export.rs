//! Files of readings: CSV for spreadsheets, JSON Lines for programs. Both say at their end what the readings were
//! verified against.

use crate::{
    error::FileProblem,
    reading::{Fetched, Row, Totals},
    Result,
};
use sealed_register::{
    statement::{Statement, Word},
    types::hex,
    verified::Currency,
    Level,
};
use serde_json::{json, Value};
use std::{
    fmt,
    io::{self, BufWriter, Write},
    path::Path,
};

/// Kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header line; the last lines begin with `#`.
    Csv,
    /// One JSON object a line; the last has the one field `summary`.
    JsonLines,
}

/// Columns of a CSV export.
pub const COLUMNS: &str =
    "meter,channel,date,start,utc_offset,kwh,quality,estimated_intervals,missing_intervals,revision";

/// Writes everything that was fetched.
///
/// # Errors
/// The writer's.
pub fn write(fetched: &Fetched, format: Format, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    match format {
        Format::Csv => csv(fetched, &mut out)?,
        Format::JsonLines => json_lines(fetched, &mut out)?,
    }
    out.flush()
}

/// Writes everything that was fetched to a file, or to standard output for `-`. A file is complete or not there.
///
/// # Errors
/// [`FileProblem`].
pub fn write_to(fetched: &Fetched, format: Format, path: &Path) -> Result<()> {
    let problem = |error: io::Error| FileProblem::new(path, error);
    if path == Path::new("-") {
        return write(fetched, format, io::stdout().lock()).map_err(|error| problem(error).into());
    }
    let mut content = Vec::new();
    write(fetched, format, &mut content).map_err(problem)?;
    crate::files::write_atomically(path, &content, crate::files::Access::Private)
}

fn csv(fetched: &Fetched, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")?;
    for row in fetched.rows() {
        let Row { channel, day, estimated, missing, quality, .. } = row;
        let (start, offset) = (Optional(row.start.map(Clock)), Optional(row.utc_offset.map(Offset)));
        let (kwh, revision) = (Optional(row.wh.map(Kwh)), Optional(row.revision));
        let (meter, channel) = (fetched.meter, channel.word());
        writeln!(out, "{meter},{channel},{day},{start},{offset},{kwh},{quality},{estimated},{missing},{revision}")?;
    }
    for line in summary_lines(fetched) {
        writeln!(out, "# {line}")?;
    }
    Ok(())
}

fn json_lines(fetched: &Fetched, out: &mut impl Write) -> io::Result<()> {
    for row in fetched.rows() {
        let line = json!({
            "meter": fetched.meter.to_string(),
            "channel": row.channel.word(),
            "date": row.day.to_string(),
            "start": row.start.map(|start| Clock(start).to_string()),
            "utc_offset": row.utc_offset.map(|offset| Offset(offset).to_string()),
            // Text would keep trailing zeros, a number is what programs want; 53 bits hold every Wh of a day exactly.
            "wh": row.wh,
            "kwh": row.wh.map(|wh| wh as f64 / 1000.0),
            "quality": row.quality.to_string(),
            "estimated_intervals": row.estimated,
            "missing_intervals": row.missing,
            "revision": row.revision,
        });
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", json!({ "summary": summary(fetched) }))
}

/// Everything about an export but its rows.
pub fn summary(fetched: &Fetched) -> Value {
    let stream = |stream: &crate::reading::FetchedStream| {
        let roots = stream.roots.iter().map(|(root, currency)| {
            json!({
                "shard": root.shard().id.0,
                "batch": root.batch_sequence(),
                "root": hex(root.root()),
                "block": root.block().number,
                "block_hash": hex(&root.block().hash),
                "provenance": root.provenance().to_string(),
                "current": *currency == Currency::Current,
            })
        });
        let Totals { days, wh, estimated, missing, not_committed, closed, withdrawn, malformed } = stream.totals();
        json!({
            "channel": stream.channel.word(),
            "days": days,
            "wh": wh,
            "estimated": estimated,
            "missing": missing,
            "not_committed": not_committed,
            "not_granted": closed,
            "withdrawn": withdrawn,
            "malformed": malformed,
            "roots": roots.collect::<Vec<_>>(),
        })
    };
    json!({
        "utility": fetched.utility.to_string(),
        "meter": fetched.meter.to_string(),
        "consent": fetched.consent.map(|consent| hex(&consent)),
        "first": fetched.wanted.range.first.to_string(),
        "last": fetched.wanted.range.last.to_string(),
        "level": fetched.wanted.level.word(),
        "incremental": fetched.incremental,
        "cursor": fetched.cursor.as_ref().map(ToString::to_string),
        "streams": fetched.streams.iter().map(stream).collect::<Vec<_>>(),
        "proof_bytes": fetched.proof_bytes,
        "receipts": fetched.receipts.iter().map(|receipt| json!({
            "vault": hex(&receipt.vault), "number": receipt.number, "hash": hex(&receipt.hash()),
        })).collect::<Vec<_>>(),
        "provenance": fetched.provenance().map(|provenance| provenance.to_string()),
    })
}

/// The same in lines for people.
pub fn summary_lines(fetched: &Fetched) -> Vec<String> {
    let mut lines = Vec::new();
    let (utility, meter, range) = (fetched.utility, fetched.meter, fetched.wanted.range);
    let what = if fetched.incremental { ": what is new or revised" } else { "" };
    lines.push(format!("meter {meter} of {utility}, {range}, by {}{what}", level_word(fetched.wanted.level)));
    for stream in &fetched.streams {
        let totals = stream.totals();
        lines.push(format!(
            "{}: {} days, {} kWh, {} intervals estimated, {} missing",
            stream.channel.word(),
            totals.days,
            Kwh(totals.wh),
            totals.estimated,
            totals.missing
        ));
        let others = [
            (totals.not_committed, "days without anything published"),
            (totals.closed, "days that the keys held do not open"),
            (totals.withdrawn, "days withdrawn by the utility"),
            (totals.malformed, "days sealed malformed by the utility"),
        ];
        let others = others.iter().filter(|(count, _)| *count > 0);
        lines.extend(others.map(|(count, what)| format!("{}: {count} {what}", stream.channel.word())));
        for (root, currency) in &stream.roots {
            lines.push(format!(
                "verified against root {} of batch {} of {}, in finalised block {} ({}), by: {}; {currency}",
                hex(root.root()),
                root.batch_sequence(),
                root.shard(),
                root.block().number,
                hex(&root.block().hash),
                root.provenance(),
            ));
        }
    }
    for receipt in &fetched.receipts {
        lines.push(format!("receipt {} of vault {}", receipt.number, crate::chain::ss58(&receipt.vault)));
    }
    if let Some(cursor) = &fetched.cursor {
        lines.push(format!("what is new after this: --since {cursor}"));
    }
    lines
}

fn level_word(level: Level) -> &'static str {
    level.word()
}

/// Wh as kWh with three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kwh(pub u64);

impl fmt::Display for Kwh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// Minutes after midnight as `15:45`.
struct Clock(u16);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Minutes as `-06:00`.
struct Offset(i16);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Nothing as an empty field.
struct Optional<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Optional<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| value.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use crate::reading::days::tests::fetched;

    fn text(level: Level, format: Format) -> String {
        let mut out = Vec::new();
        write(&fetched(level), format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_one_line_a_row_and_the_summary_last() {
        let text = text(Level::Quarter, Format::Csv);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], COLUMNS);
        let meter = "0x07070707070707070707070707070707";
        assert_eq!(lines[2], format!("{meter},consumption,2022-03-13,00:15,-06:00,0.010,actual,0,0,1"));
        assert_eq!(lines[4], format!("{meter},consumption,2022-03-13,00:45,-06:00,0.030,estimated,1,0,1"));
        assert_eq!(lines[6], format!("{meter},consumption,2022-03-13,01:15,-06:00,0.000,missing,0,1,1"));
        assert_eq!(lines[9], format!("{meter},consumption,2022-03-13,03:00,-05:00,0.080,actual,0,0,1"));
        assert_eq!(lines[193], format!("{meter},consumption,2022-11-07,,,,not committed,0,0,"));
        assert_eq!(lines[194], format!("{meter},consumption,2022-11-08,,,,not granted,0,0,"));
        let rest = &lines[195..];
        assert!(rest.iter().all(|line| line.starts_with("# ")), "{rest:?}");
        assert!(rest.iter().any(|line| line.contains("1 days without anything published")), "{rest:?}");
        let columns = COLUMNS.split(',').count();
        assert!(lines[..195].iter().all(|line| line.split(',').count() == columns));
    }

    #[test]
    fn json_lines_are_objects_and_the_last_is_the_summary() {
        let text = text(Level::Day, Format::JsonLines);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0]["date"], "2022-03-13");
        assert_eq!(lines[0]["wh"], 41_810);
        assert_eq!(lines[0]["kwh"], 41.81);
        assert_eq!(lines[0]["estimated_intervals"], 1);
        assert_eq!(lines[2]["wh"], Value::Null);
        let summary = &lines[4]["summary"];
        assert_eq!(summary["streams"][0]["days"], 2);
        assert_eq!(summary["streams"][0]["not_granted"], 1);
        let wh: u64 = lines[..4].iter().filter_map(|line| line["wh"].as_u64()).sum();
        assert_eq!(summary["streams"][0]["wh"], wh);
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("readings.csv");
        write_to(&fetched(Level::Day), Format::Csv, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text(Level::Day, Format::Csv));
        assert!(write_to(&fetched(Level::Day), Format::Csv, &folder.path().join("no/such")).is_err());
    }

    #[test]
    fn numbers_are_written_exactly() {
        assert_eq!(Kwh(0).to_string(), "0.000");
        assert_eq!(Kwh(1_000_005).to_string(), "1000.005");
        assert_eq!(Offset(-300).to_string(), "-05:00");
        assert_eq!(Offset(330).to_string(), "+05:30");
        assert_eq!(Clock(1_425).to_string(), "23:45");
    }
}
