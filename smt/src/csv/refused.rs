//! What the reader says besides the days: limits, refused rows, errors of a whole file.

use crate::{DateError, EsiIdError, MAX_INTERVAL_WH};
use alloc::vec::Vec;
use core::fmt;

/// A column of the file, named as in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// ESIID.
    EsiId,
    /// USAGE_DATE.
    UsageDate,
    /// REVISION_DATE. The column may be absent.
    RevisionDate,
    /// USAGE_START_TIME.
    StartTime,
    /// USAGE_END_TIME. The column may be absent.
    EndTime,
    /// USAGE_KWH.
    Usage,
    /// ESTIMATED_ACTUAL.
    Quality,
    /// CONSUMPTION_SURPLUSGENERATION.
    Channel,
    /// The row as a whole.
    Row,
}

impl Field {
    /// The eight columns in the order of the portal's file.
    pub const COLUMNS: [Field; 8] = [
        Field::EsiId,
        Field::UsageDate,
        Field::RevisionDate,
        Field::StartTime,
        Field::EndTime,
        Field::Usage,
        Field::Quality,
        Field::Channel,
    ];

    /// The name in the portal's header, or "row".
    pub fn name(self) -> &'static str {
        match self {
            Field::EsiId => "ESIID",
            Field::UsageDate => "USAGE_DATE",
            Field::RevisionDate => "REVISION_DATE",
            Field::StartTime => "USAGE_START_TIME",
            Field::EndTime => "USAGE_END_TIME",
            Field::Usage => "USAGE_KWH",
            Field::Quality => "ESTIMATED_ACTUAL",
            Field::Channel => "CONSUMPTION_SURPLUSGENERATION",
            Field::Row => "row",
        }
    }

    /// True if a file can do without the column.
    pub fn optional(self) -> bool {
        matches!(self, Field::RevisionDate | Field::EndTime)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a row was refused. The reason never holds what the row said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Longer than [`MAX_LINE_BYTES`](super::MAX_LINE_BYTES).
    #[error("the line is longer than 512 bytes; rows of this file have about 80")]
    LineTooLong,
    /// Fewer fields than the header has, or a quote that is never closed.
    #[error("the row has fewer fields than the header")]
    TooFewFields,
    /// More fields than the header has.
    #[error("the row has more fields than the header")]
    TooManyFields,
    /// A header in the middle of the file that lacks a column or names one twice.
    #[error("a second header in the file lacks a column or names one twice; the first one stays in force")]
    Header,
    /// No ESI ID.
    #[error(transparent)]
    EsiId(#[from] EsiIdError),
    /// No date.
    #[error(transparent)]
    Date(#[from] DateError),
    /// Neither H:MM nor HH:MM.
    #[error("not a time of day such as 00:15")]
    NotATime,
    /// Not at a full quarter hour.
    #[error("the interval does not begin at a full quarter hour")]
    NotAQuarter,
    /// The end is not 15 minutes after the start, and the day's change of clocks does not explain it.
    #[error("the end is not 15 minutes after the start, and the calendar knows no change of clocks that explains it")]
    EndDoesNotFit,
    /// A value in the hour that spring leaves out.
    #[error("the clocks skip this hour on this day, but the row has a value")]
    NoSuchHour,
    /// Not a decimal number.
    #[error("not a decimal number of kWh such as .145")]
    NotANumber,
    /// Below 0.
    #[error("negative; consumption and surplus generation are separate rows of positive values")]
    Negative,
    /// `1.2E-05`.
    #[error("written with an exponent by a spreadsheet, so digits may be lost: take the file as it was downloaded")]
    Exponent,
    /// More than three decimals that are not 0.
    #[error("more than three decimals: not a whole number of Wh")]
    TooPrecise,
    /// Above the limit of the reader.
    #[error("above the greatest energy that the reader accepts for a quarter hour")]
    TooLarge,
    /// A value without A or E.
    #[error("a value must be marked A (actual) or E (estimated)")]
    NoQuality,
    /// Neither Consumption nor Surplus Generation.
    #[error("neither Consumption nor Surplus Generation")]
    NotAChannel,
    /// Another row of the same interval and REVISION_DATE has another value.
    #[error("an earlier row of the same interval and REVISION_DATE has another value; the earlier one stays")]
    Conflict,
    /// A further row of a day that was complete long before, so that it can no longer be compared.
    #[error(
        "a further row of a day that was complete; so far away from the others that it cannot be compared with them"
    )]
    AfterComplete,
}

/// A refused row: where and why, never its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Line of the file, from 1, the header included.
    pub line: u64,
    /// The field that was wrong.
    pub field: Field,
    /// What was wrong.
    pub reason: Reason,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.field, self.reason)
    }
}

/// Why a whole file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No bytes, or blank lines only.
    #[error("the file is empty")]
    Empty,
    /// Gzip.
    #[error("the file is compressed with gzip: unpack it first")]
    Gzip,
    /// A ZIP archive or a spreadsheet workbook.
    #[error("the file is a ZIP archive or a spreadsheet workbook: unpack it, or save the sheet as CSV")]
    Zip,
    /// OpenPGP, as in SMT's file deliveries.
    #[error("the file is encrypted with OpenPGP: decrypt it first")]
    Encrypted,
    /// XML, HTML or JSON.
    #[error("the file is XML, HTML or JSON, not CSV: choose the 15-minute interval report as CSV")]
    Markup,
    /// UTF-16.
    #[error("the file is UTF-16 text: save it as UTF-8 or ASCII")]
    Utf16,
    /// Control characters at the beginning.
    #[error("the file is not text")]
    NotText,
    /// The first line is neither a header nor a row.
    #[error("line {line} is neither the header of an interval report (ESIID,USAGE_DATE,...) nor a row of one")]
    NoHeader {
        /// The first line that is not blank.
        line: u64,
    },
    /// A column is absent.
    #[error("the header lacks the column {column}")]
    MissingColumn {
        /// The column.
        column: Field,
    },
    /// A column is there twice.
    #[error("the header names the column {column} twice")]
    DoubledColumn {
        /// The column.
        column: Field,
    },
    /// Too many days at once for [`Limits::max_open_bytes`].
    ///
    /// Days given out so far are right. Read the file again in several passes, each with a filter such as
    /// `|esi_id| esi_id.bucket(passes) == pass`; double `passes` until no pass overflows. Rows without a valid ESI ID
    /// are refused in every pass.
    #[error(
        "at line {line} the file needs more than the {limit} bytes allowed for days ({days} days): read it in several \
         passes by ESI ID"
    )]
    Overflow {
        /// The line that found no room.
        line: u64,
        /// Days remembered at that line.
        days: usize,
        /// [`Limits::max_open_bytes`].
        limit: usize,
    },
}

/// What a reader may use and accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes for days: half for the values of days (about 440 bytes each), half for the keys of all days seen (about
    /// 70 bytes each). The default, 32 MiB, is enough for any order of about 38,000 days, and for 240,000 days of a
    /// file whose days come one after another.
    pub max_open_bytes: usize,
    /// Greatest energy of a quarter hour in Wh; capped at [`MAX_INTERVAL_WH`], the default.
    pub max_interval_wh: u32,
    /// How many refused rows are listed; the rest are counted. Default 1,000.
    pub max_refused: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_open_bytes: 32 << 20, max_interval_wh: MAX_INTERVAL_WH, max_refused: 1_000 }
    }
}

/// What a reader saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines, headers and blank ones included.
    pub lines: u64,
    /// Rows: lines that are neither blank nor headers. The sum of the next five.
    pub rows: u64,
    /// Rows that gave an interval its value, or said that it has none.
    pub used_rows: u64,
    /// Rows that say of an interval what an earlier row said already.
    pub duplicate_rows: u64,
    /// Blank rows in the hour that spring leaves out.
    pub skipped_hour_rows: u64,
    /// Rows of meters that the filter did not want.
    pub filtered_rows: u64,
    /// Rows refused, listed or not.
    pub refused_rows: u64,
    /// The first refused rows, in order of the file.
    pub refused: Vec<Refused>,
    /// Days given out whole.
    pub complete_days: u64,
    /// Days given out at the end with intervals that had no row.
    pub partial_days: u64,
}
