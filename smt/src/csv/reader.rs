//! The streaming reader.

use super::header::{Columns, FirstLine};
use super::open::{Found, Key, OpenDays, Put};
use super::refused::{Field, FileError, Limits, Reason, Refused, Report};
use super::row::{self, Fields, Place};
use crate::day::clock_minutes;
use crate::{Calendar, Channel, EsiId, Interval, MeterDay, OperatingDay, Quality, RevisionDate, MAX_INTERVAL_WH};
use alloc::vec::Vec;

/// Longest line in bytes, without its line feed. Rows have about 80.
pub const MAX_LINE_BYTES: usize = 512;

/// Longest field that is remembered for comparison with the next row's.
const REMEMBERED: usize = 80;

/// Fields that make the key of a day, without the channel.
const KEY_FIELDS: usize = 3;

/// The text of a field in the last row and what it meant: most rows repeat three fields of the row before.
struct Last<T> {
    text: [u8; REMEMBERED],
    length: usize,
    value: T,
}

impl<T: Copy> Last<T> {
    fn new(value: T) -> Self {
        // A length that no field has: nothing is remembered yet.
        Last { text: [0; REMEMBERED], length: usize::MAX, value }
    }

    #[inline]
    fn is(&self, text: &[u8]) -> bool {
        self.text.get(..self.length).is_some_and(|last| last == text)
    }

    /// The length of the text if `line` begins with it, otherwise 0.
    #[inline]
    fn begins(&self, line: &[u8]) -> usize {
        match self.text.get(..self.length) {
            Some(front) if begins(line, front) => self.length,
            _ => 0,
        }
    }

    fn forget(&mut self) {
        self.length = usize::MAX;
    }

    fn set(&mut self, text: &[u8], value: T) {
        self.value = value;
        self.forget();
        if let Some(place) = self.text.get_mut(..text.len()) {
            place.copy_from_slice(text);
            self.length = text.len();
        }
    }
}

/// Reads an interval CSV in chunks of any size.
///
/// A day is given out as soon as every one of its intervals had a row, the others at the end. For one ESI ID, channel
/// and operating day there is one [`MeterDay`] per REVISION_DATE of the file. Rows may come in any order; only within
/// the hour that autumn repeats does the order of rows decide which pass a row belongs to, unless it is the portal's
/// row from 02:00 to 01:15. Rows that cannot be read are refused one by one and never stop the file.
///
/// Forms read: the portal's file, the e-mailed one (spaces before times), copies saved again by a spreadsheet (`0:00`,
/// `5/14/2025 6:22`), a byte order mark, CRLF, quoted fields, columns in any order under a header, the portal's order
/// without one, several headers in a row of joined files.
///
/// After an error every further call returns the same error.
pub struct Reader<F = fn(&EsiId) -> bool> {
    calendar: Calendar,
    limits: Limits,
    filter: F,
    /// The unfinished line, at most [`MAX_LINE_BYTES`].
    carry: Vec<u8>,
    /// True within a line that was too long, until its end.
    skipping: bool,
    columns: Option<Columns>,
    days: OpenDays,
    report: Report,
    failed: Option<FileError>,
    esi_id: Last<Option<(EsiId, bool)>>,
    date: Last<(OperatingDay, u8)>,
    revision_date: Last<RevisionDate>,
    /// The first three fields of the last rows with their commas, if they are the key and two rows had the same. A row
    /// that begins with these bytes has the same key, and nothing of them is looked at again.
    front: Last<()>,
    /// The slots of both channels, if the last row had the same ESI ID, day and revision date.
    slots: [Option<u32>; 2],
}

fn every(_: &EsiId) -> bool {
    true
}

impl Reader {
    /// A reader of all meters of a file.
    pub fn new(calendar: Calendar, limits: Limits) -> Self {
        Self::with_filter(calendar, limits, every)
    }
}

impl<F: FnMut(&EsiId) -> bool> Reader<F> {
    /// A reader of the meters that `filter` says yes to; rows of others are counted and dropped unread.
    pub fn with_filter(calendar: Calendar, limits: Limits, filter: F) -> Self {
        let limits = Limits { max_interval_wh: limits.max_interval_wh.min(MAX_INTERVAL_WH), ..limits };
        Reader {
            calendar,
            limits,
            filter,
            carry: Vec::with_capacity(MAX_LINE_BYTES),
            skipping: false,
            columns: None,
            days: OpenDays::new(limits.max_open_bytes),
            report: Report::default(),
            failed: None,
            esi_id: Last::new(None),
            date: Last::new((OperatingDay(0), 0)),
            revision_date: Last::new(RevisionDate::NONE),
            front: Last::new(()),
            slots: [None; 2],
        }
    }

    /// What the reader saw so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads the next bytes of the file and gives out the days that are complete.
    ///
    /// # Errors
    /// [`FileError`] if the file as a whole cannot be read.
    pub fn push(&mut self, chunk: &[u8], mut out: impl FnMut(MeterDay)) -> Result<(), FileError> {
        match self.failed {
            Some(error) => Err(error),
            None => self.lines(chunk, &mut out).inspect_err(|error| self.failed = Some(*error)),
        }
    }

    /// Ends the file: reads a last line without line feed and gives out the days that are not complete, in order of
    /// ESI ID, channel, day and revision date.
    ///
    /// # Errors
    /// [`FileError`] if the file as a whole cannot be read.
    pub fn finish(mut self, mut out: impl FnMut(MeterDay)) -> Result<Report, FileError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.carry.is_empty() {
            let line = core::mem::take(&mut self.carry);
            self.line(&line, &mut out)?;
        }
        if self.columns.is_none() {
            return Err(FileError::Empty);
        }
        let mut report = self.report;
        self.days.finish(&mut |day| {
            report.partial_days += 1;
            out(day);
        });
        Ok(report)
    }

    /// Splits a chunk into lines.
    fn lines(&mut self, mut chunk: &[u8], out: &mut dyn FnMut(MeterDay)) -> Result<(), FileError> {
        while !chunk.is_empty() {
            let end = memchr::memchr(b'\n', chunk);
            let (piece, rest) = match end {
                Some(at) => (chunk.get(..at).unwrap_or_default(), chunk.get(at + 1..).unwrap_or_default()),
                None => (chunk, [].as_slice()),
            };
            chunk = rest;
            if self.skipping {
                self.skipping = end.is_none();
            } else if self.carry.len().saturating_add(piece.len()) > MAX_LINE_BYTES {
                let room = MAX_LINE_BYTES.saturating_sub(self.carry.len());
                self.carry.extend_from_slice(piece.get(..room).unwrap_or(piece));
                self.too_long()?;
                self.carry.clear();
                self.skipping = end.is_none();
            } else if end.is_none() {
                self.carry.extend_from_slice(piece);
            } else if self.carry.is_empty() {
                self.line(piece, out)?;
            } else {
                // Taken out for the borrow checker and put back for its capacity.
                let mut line = core::mem::take(&mut self.carry);
                line.extend_from_slice(piece);
                let result = self.line(&line, out);
                line.clear();
                self.carry = line;
                result?;
            }
        }
        Ok(())
    }

    /// Refuses the line whose beginning is in `carry`; as the first line of the file, it tells what the file is.
    #[cold]
    fn too_long(&mut self) -> Result<(), FileError> {
        self.report.lines += 1;
        if self.columns.is_none() {
            Columns::of_first_line(without_mark(&self.carry), false, self.report.lines)?;
        }
        self.report.rows += 1;
        self.refuse(Field::Row, Reason::LineTooLong);
        Ok(())
    }

    #[cold]
    fn refuse(&mut self, field: Field, reason: Reason) {
        self.report.refused_rows += 1;
        if self.report.refused.len() < self.limits.max_refused {
            self.report.refused.push(Refused { line: self.report.lines, field, reason });
        }
    }

    /// Reads one line of at most [`MAX_LINE_BYTES`].
    #[inline]
    fn line(&mut self, line: &[u8], out: &mut dyn FnMut(MeterDay)) -> Result<(), FileError> {
        self.report.lines += 1;
        let line = without_mark(line.strip_suffix(b"\r").unwrap_or(line));
        // Spreadsheets leave rows of nothing but commas behind.
        if matches!(line.first(), None | Some(b' ' | b'\t' | b',')) && is_blank(line) {
            return Ok(());
        }
        let columns = match &self.columns {
            Some(columns) => columns,
            None => match Columns::of_first_line(line, true, self.report.lines)? {
                FirstLine::Header(columns) => {
                    self.columns = Some(columns);
                    return Ok(());
                }
                FirstLine::Row(columns) => self.columns.insert(columns),
            },
        };
        let front = self.front.begins(line);
        let mut fields: Fields<'_> = [&[]; row::COLUMNS];
        let split = row::split(line, columns, if front > 0 { KEY_FIELDS } else { 0 }, front, &mut fields);
        let refused = match split {
            Ok(()) => self.row(line, front > 0, &fields, out)?.err(),
            Err(reason) => Some((Field::Row, reason)),
        };
        if let Some((field, reason)) = refused {
            self.refuse_or_header(line, field, reason);
        } else {
            self.report.rows += 1;
        }
        Ok(())
    }

    /// A row that cannot be read may be the header of a further file joined to the first.
    #[cold]
    fn refuse_or_header(&mut self, line: &[u8], field: Field, reason: Reason) {
        match Columns::of_header(line) {
            Ok(Some(columns)) => {
                self.columns = Some(columns);
                self.front.forget();
            }
            Ok(None) => {
                self.report.rows += 1;
                self.refuse(field, reason);
            }
            Err(_) => {
                self.report.rows += 1;
                self.refuse(Field::Row, Reason::Header);
            }
        }
    }

    /// Reads the key of a row whose key fields are not known byte for byte.
    fn key(&mut self, line: &[u8], fields: &Fields) -> Result<(), (Field, Reason)> {
        let [esi_id, date, revision_date, ..] = *fields;
        let mut same = true;
        if !self.esi_id.is(esi_id) {
            same = false;
            self.slots = [None; 2];
            let id = EsiId::parse(esi_id).map_err(|error| (Field::EsiId, error.into()))?;
            let wanted = (self.filter)(&id);
            self.esi_id.set(esi_id, Some((id, wanted)));
        }
        if !self.date.is(date) {
            same = false;
            self.slots = [None; 2];
            let day = OperatingDay::parse(date).map_err(|error| (Field::UsageDate, error.into()))?;
            self.date.set(date, (day, self.calendar.intervals(day)));
        }
        if !self.revision_date.is(revision_date) {
            same = false;
            self.slots = [None; 2];
            let value = RevisionDate::parse(revision_date).map_err(|error| (Field::RevisionDate, error.into()))?;
            self.revision_date.set(revision_date, value);
        }
        if same && self.columns.as_ref().is_some_and(|columns| columns.key_first) {
            let mut commas = memchr::memchr_iter(b',', line);
            let front = commas.nth(KEY_FIELDS - 1).and_then(|at| line.get(..=at)).unwrap_or_default();
            // Within quotes a comma would be no comma.
            if memchr::memchr(b'"', front).is_none() {
                self.front.set(front, ());
            }
        }
        Ok(())
    }

    /// Reads one row: an outer error ends the file, an inner one refuses the row.
    #[inline]
    fn row(
        &mut self,
        line: &[u8],
        known: bool,
        fields: &Fields,
        out: &mut dyn FnMut(MeterDay),
    ) -> Result<Result<(), (Field, Reason)>, FileError> {
        let [_, _, _, start, end, usage, quality, channel] = *fields;
        if !known {
            self.front.forget();
            if let Err(refused) = self.key(line, fields) {
                return Ok(Err(refused));
            }
        }
        let Some((esi_id, wanted)) = self.esi_id.value else { return Ok(Ok(())) };
        if !wanted {
            self.report.filtered_rows += 1;
            return Ok(Ok(()));
        }
        let (day, intervals) = self.date.value;
        let parsed = values(intervals, start, end, usage, quality, channel, self.limits.max_interval_wh);
        let (channel, place, interval) = match parsed {
            Ok(Some(parsed)) => parsed,
            Ok(None) => {
                self.report.skipped_hour_rows += 1;
                return Ok(Ok(()));
            }
            Err(refused) => return Ok(Err(refused)),
        };
        let which = usize::from(channel == Channel::Generation);
        let index = match self.slots.get(which).copied().flatten() {
            Some(index) => index,
            None => {
                let key = Key { esi_id, channel, day, revision_date: self.revision_date.value };
                match self.days.find(key, intervals) {
                    Found::Slot(index) => {
                        // A new day may have taken the room of the other channel's.
                        self.slots = [None; 2];
                        if let Some(slot) = self.slots.get_mut(which) {
                            *slot = Some(index);
                        }
                        index
                    }
                    Found::Forgotten => return Ok(Err((Field::Row, Reason::AfterComplete))),
                    Found::NoRoom => {
                        let limit = self.limits.max_open_bytes;
                        return Err(FileError::Overflow { line: self.report.lines, days: self.days.len(), limit });
                    }
                }
            }
        };
        let (first, second) = place;
        match self.days.slot(index).map(|slot| slot.put(first, second, interval)) {
            Some(Put::New) => self.report.used_rows += 1,
            Some(Put::Completed) => {
                self.report.used_rows += 1;
                self.report.complete_days += 1;
                if let Some(day) = self.days.complete(index) {
                    out(day);
                }
            }
            Some(Put::Same) => self.report.duplicate_rows += 1,
            Some(Put::Conflict) | None => return Ok(Err((Field::Usage, Reason::Conflict))),
        }
        Ok(Ok(()))
    }
}

/// Whether a line begins with these bytes, eight at a time: in the worker's wasm a comparison of slices goes byte by byte.
#[inline]
fn begins(line: &[u8], front: &[u8]) -> bool {
    let Some(line) = line.get(..front.len()) else { return false };
    let ((lines, line), (fronts, front)) = (line.as_chunks::<8>(), front.as_chunks::<8>());
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    lines.iter().zip(fronts).all(|(one, other)| word(one) == word(other))
        && line.iter().zip(front).all(|(one, other)| one == other)
}

/// Channel, interval or pair of intervals, value.
type Values = (Channel, (u8, Option<u8>), Interval);

/// Reads the fields that change from row to row. `Ok(None)`: a blank row of the hour that spring leaves out.
#[inline]
fn values(
    intervals: u8,
    start: &[u8],
    end: &[u8],
    usage: &[u8],
    quality: &[u8],
    channel: &[u8],
    max_interval_wh: u32,
) -> Result<Option<Values>, (Field, Reason)> {
    let start = clock_minutes(start).ok_or((Field::StartTime, Reason::NotATime))?;
    let end = match end {
        [] => None,
        end => Some(clock_minutes(end).ok_or((Field::EndTime, Reason::NotATime))?),
    };
    let wh = row::watt_hours(usage, max_interval_wh).map_err(|reason| (Field::Usage, reason))?;
    let quality = row::quality(quality).map_err(|reason| (Field::Quality, reason))?;
    let channel = row::channel(channel).map_err(|reason| (Field::Channel, reason))?;
    let interval = match (wh, quality) {
        // Blank is no value, and not zero, whatever the flag says.
        (None, _) => Interval::MISSING,
        (Some(_), None | Some(Quality::Missing)) => return Err((Field::Quality, Reason::NoQuality)),
        (Some(wh), Some(quality)) => Interval { wh, quality },
    };
    match row::place(intervals, start, end)? {
        Place::At(index) => Ok(Some((channel, (index, None), interval))),
        Place::Either(first, second) => Ok(Some((channel, (first, Some(second)), interval))),
        Place::Skipped if wh.is_none() => Ok(None),
        Place::Skipped => Err((Field::StartTime, Reason::NoSuchHour)),
    }
}

/// A line without byte order mark; in joined files it may come before any header.
#[inline]
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b','))
}

/// Reads a whole file from memory.
///
/// # Errors
/// [`FileError`] if the file as a whole cannot be read.
///
/// ```
/// # use smart_meter_texas::{csv, Calendar};
/// let calendar = Calendar::us_rule(2010, 2040)?;
/// assert_eq!(csv::read(b"\x1f\x8b\x08", &calendar, csv::Limits::default()), Err(csv::FileError::Gzip));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn read(file: &[u8], calendar: &Calendar, limits: Limits) -> Result<(Vec<MeterDay>, Report), FileError> {
    let mut days = Vec::new();
    let mut reader = Reader::new(calendar.clone(), limits);
    reader.push(file, |day| days.push(day))?;
    let report = reader.finish(|day| days.push(day))?;
    Ok((days, report))
}
