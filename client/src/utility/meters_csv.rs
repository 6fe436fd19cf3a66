//! The list of meters: one line a tenancy.
//!
//! ```text
//! esi_id,class,channels,tenancy_start,tenancy
//! 10443720001234567,residential,both,2021-06-01,0
//! ```
//!
//! Columns in any order. `tenancy` (number of the ESI ID's customer, from 0) may be left out and is 0 then;
//! `ticket_issue` may be there to issue a new claim ticket: a number greater than the one on chain.

use super::csv::fields;
use crate::{
    chain::types::MeterClass,
    error::{FileProblem, LineProblem},
    ClientError, Result,
};
use sealed_register::{statement::Word, Channels, OperatingDay};
use smart_meter_texas::EsiId;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Most problems that are listed.
const MAX_PROBLEMS: usize = 20;

/// One tenancy of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// The ESI ID, digits only.
    pub esi_id: String,
    /// Kind of customer.
    pub class: MeterClass,
    /// Channels that the meter records.
    pub channels: Channels,
    /// First day of the tenancy.
    pub tenancy_start: OperatingDay,
    /// Number of the tenancy, from 0.
    pub tenancy: u32,
    /// Number of the ticket, where another than the newest on chain is to be issued.
    pub ticket_issue: Option<u32>,
}

/// Columns that must be there.
const COLUMNS: [&str; 4] = ["esi_id", "class", "channels", "tenancy_start"];
/// Columns that may be there.
const TENANCY: &str = "tenancy";
const TICKET_ISSUE: &str = "ticket_issue";

/// Reads a list of meters from a file.
///
/// # Errors
/// [`FileProblem`]; [`ClientError::Lines`] with line, field and reason of the first 20 problems.
pub fn read_meters(path: &Path) -> Result<Vec<MeterRow>> {
    let text = std::fs::read_to_string(path).map_err(|error| FileProblem::new(path, error))?;
    parse_meters(&text).map_err(|problems| ClientError::Lines { path: PathBuf::from(path), problems })
}

/// Reads a list of meters.
///
/// # Errors
/// The first 20 problems; none holds an ESI ID.
pub fn parse_meters(text: &str) -> Result<Vec<MeterRow>, Vec<LineProblem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1_u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let (header_line, header) = lines.next().unwrap_or((1, ""));
    let header = header_columns(header_line, header).map_err(|problem| vec![problem])?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<(String, u32), u64> = BTreeMap::new();
    for (line, content) in lines {
        match row(line, content, &header) {
            Ok(row) => match seen.insert((row.esi_id.clone(), row.tenancy), line) {
                None => rows.push(row),
                Some(earlier) => problems.push(LineProblem::new(
                    line,
                    "esi_id",
                    format!("line {earlier} has the same ESI ID and tenancy: each tenancy stands in one line"),
                )),
            },
            Err(problem) => problems.push(problem),
        }
        if problems.len() == MAX_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() {
        Ok(rows)
    } else {
        Err(problems)
    }
}

/// Where each column stands.
type Header = BTreeMap<&'static str, usize>;

fn header_columns(line: u64, text: &str) -> Result<Header, LineProblem> {
    let names = fields(text).ok_or_else(|| LineProblem::new(line, "header", "a double quote is not closed"))?;
    let mut header = Header::new();
    for (place, name) in names.iter().enumerate() {
        let known = COLUMNS.into_iter().chain([TENANCY, TICKET_ISSUE]).find(|known| known.eq_ignore_ascii_case(name));
        let Some(known) = known else {
            // Never its text: where the line with the names was left out, this is a row and has an ESI ID.
            let (column, expected) = (place + 1, COLUMNS.join(", "));
            let problem = format!("column {column} has none of the names {expected}, {TENANCY}, {TICKET_ISSUE}");
            return Err(LineProblem::new(line, "header", problem));
        };
        if header.insert(known, place).is_some() {
            return Err(LineProblem::new(line, known, "the column is there twice"));
        }
    }
    match COLUMNS.into_iter().find(|column| !header.contains_key(column)) {
        None => Ok(header),
        Some(missing) => Err(LineProblem::new(line, missing, "the column is missing")),
    }
}

fn row(line: u64, content: &str, header: &Header) -> Result<MeterRow, LineProblem> {
    let values = fields(content).ok_or_else(|| LineProblem::new(line, "line", "a double quote is not closed"))?;
    if values.len() != header.len() {
        let (found, expected) = (values.len(), header.len());
        return Err(LineProblem::new(line, "line", format!("{found} fields, {expected} are due")));
    }
    let value = |column: &str| header.get(column).and_then(|place| values.get(*place)).map_or("", String::as_str);
    let problem = |column: &'static str, problem: String| LineProblem::new(line, column, problem);
    let esi_id = EsiId::parse(value("esi_id").as_bytes()).map_err(|error| problem("esi_id", error.to_string()))?;
    let class = MeterClass::from_word(value("class"));
    let class = class
        .ok_or_else(|| problem("class", "this is none of residential, small_commercial and large_commercial".into()))?;
    let channels = channels_of(value("channels"));
    let channels =
        channels.ok_or_else(|| problem("channels", "this is none of consumption, generation and both".into()))?;
    let start = value("tenancy_start").parse::<OperatingDay>();
    let tenancy = match value(TENANCY) {
        "" => Ok(0),
        number => number.parse::<u32>(),
    };
    let issue = match value(TICKET_ISSUE) {
        "" => Ok(None),
        number => number.parse::<u32>().map(Some),
    };
    Ok(MeterRow {
        line,
        esi_id: esi_id.as_str().to_owned(),
        class,
        channels,
        tenancy_start: start.map_err(|error| problem("tenancy_start", error.to_string()))?,
        tenancy: tenancy.map_err(|_| problem(TENANCY, "this is no whole number from 0 on".into()))?,
        ticket_issue: issue.map_err(|_| problem(TICKET_ISSUE, "this is no whole number from 0 on".into()))?,
    })
}

/// The channels of a word.
pub fn channels_of(word: &str) -> Option<Channels> {
    let word = word.trim().to_ascii_lowercase();
    match word.as_str() {
        "both" => Some(Channels::Both),
        word => Channels::from_word(word),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "esi_id,class,channels,tenancy_start,tenancy";

    fn problem_of(lines: &str) -> LineProblem {
        parse_meters(&format!("{HEADER}\n{lines}")).unwrap_err().remove(0)
    }

    #[test]
    fn rows_are_read_in_any_order_of_columns() {
        let text = "\u{feff}Class,tenancy_start,ESI_ID,channels\r\n\
                    residential,2021-06-01,10443720001234567,Both\r\n\
                    \r\n\
                    \"large_commercial\",2022-01-15,1008901000000000000001,consumption\r\n";
        let rows = parse_meters(text).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].line, rows[0].channels, rows[0].tenancy), (2, Channels::Both, 0));
        assert_eq!(rows[0].esi_id, "10443720001234567");
        assert_eq!((rows[1].line, rows[1].class), (4, MeterClass::LargeCommercial));
        assert_eq!(rows[1].tenancy_start.to_string(), "2022-01-15");
    }

    #[test]
    fn problems_name_line_and_field_and_no_esi_id() {
        let good = "10443720001234567,residential,both,2021-06-01,0";
        for (bad, field) in [
            ("1044372000123456,residential,both,2021-06-01,0", "esi_id"),
            ("10443720001234567,villa,both,2021-06-01,0", "class"),
            ("10443720001234567,residential,all,2021-06-01,0", "channels"),
            ("10443720001234567,residential,both,06/01/2021,0", "tenancy_start"),
            ("10443720001234567,residential,both,2021-06-01,first", "tenancy"),
            ("10443720001234567,residential,both,2021-06-01", "line"),
            ("\"10443720001234567,residential,both,2021-06-01,0", "line"),
        ] {
            let problem = problem_of(&format!("10443720007654321,residential,both,2021-06-01,0\n{bad}\n"));
            assert_eq!((problem.line, problem.field), (3, field), "{bad}");
            assert!(!problem.to_string().contains("1044372000"), "{problem}");
        }
        let twice = problem_of(&format!("{good}\n{good}\n"));
        assert_eq!((twice.line, twice.field), (3, "esi_id"));
        assert!(parse_meters(&format!("{HEADER}\n{good}\n{}\n", good.replace(",0", ",1"))).is_ok());
    }

    #[test]
    fn headers_must_be_complete() {
        let field = |text: &str| parse_meters(text).unwrap_err().remove(0).field;
        assert_eq!(field(""), "header");
        assert_eq!(field("esi_id,class,channels\n"), "tenancy_start");
        assert_eq!(field("esi_id,class,channels,tenancy_start,class\n"), "class");
        assert_eq!(field("esi_id,class,channels,tenancy_start,colour\n"), "header");
        // A list without its first line: no ESI ID is shown.
        let headless = parse_meters("10443720001234567,residential,both,2021-06-01,0\n").unwrap_err().remove(0);
        assert_eq!((headless.line, headless.field), (1, "header"));
        assert!(!headless.to_string().contains("10443720001234567"), "{headless}");
    }

    #[test]
    fn at_most_twenty_problems_are_listed() {
        let lines = "1,villa,both,2021-06-01,0\n".repeat(50);
        assert_eq!(parse_meters(&format!("{HEADER}\n{lines}")).unwrap_err().len(), MAX_PROBLEMS);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,300}") {
            let _ = parse_meters(&text);
            let _ = parse_meters(&format!("{HEADER}\n{text}"));
        }
    }
}
