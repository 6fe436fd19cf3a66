//! The first line of a file: what kind of file it is and which column is where.

use super::refused::{Field, FileError};

/// Most columns of a header. The portal's file has eight.
const MAX_COLUMNS: usize = 32;
/// A column that the reader does not want.
pub(super) const UNUSED: u8 = u8::MAX;

/// Which place of a row holds which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// For every place of a row: index into [`Field::COLUMNS`], or [`UNUSED`].
    pub(super) field_at: [u8; MAX_COLUMNS],
    /// Places of a row.
    pub(super) count: usize,
    /// Places up to the last that the reader wants: a row must have them.
    pub(super) needed: usize,
    /// True if ESIID, USAGE_DATE and REVISION_DATE come first, in this order.
    pub(super) key_first: bool,
}

impl Columns {
    /// The portal's order.
    fn portal() -> Self {
        let mut field_at = [UNUSED; MAX_COLUMNS];
        for (index, place) in (0u8..).zip(field_at.iter_mut().take(Field::COLUMNS.len())) {
            *place = index;
        }
        Columns { field_at, count: Field::COLUMNS.len(), needed: Field::COLUMNS.len(), key_first: true }
    }

    /// Reads a header. `Ok(None)`: the line is no header, because no field of it is named ESIID.
    pub(super) fn of_header(line: &[u8]) -> Result<Option<Self>, FileError> {
        let mut columns = Columns { field_at: [UNUSED; MAX_COLUMNS], count: 0, needed: 0, key_first: false };
        let mut seen = [false; Field::COLUMNS.len()];
        let mut doubled = None;
        for name in line.split(|&byte| byte == b',') {
            let place = columns.count;
            columns.count += 1;
            let Some((index, field)) = field_named(name) else { continue };
            let (Some(at), Some(seen)) = (columns.field_at.get_mut(place), seen.get_mut(usize::from(index))) else {
                continue;
            };
            if *seen {
                doubled = Some(field);
            }
            *seen = true;
            *at = index;
            columns.needed = columns.count;
        }
        if !seen.first().copied().unwrap_or(false) {
            return Ok(None);
        }
        columns.key_first = columns.field_at.starts_with(&[0, 1, 2]);
        if let Some(column) = doubled {
            return Err(FileError::DoubledColumn { column });
        }
        match Field::COLUMNS.into_iter().zip(seen).find(|(field, seen)| !seen && !field.optional()) {
            Some((column, _)) => Err(FileError::MissingColumn { column }),
            None => Ok(Some(columns)),
        }
    }

    /// Tells from the first line that is not blank what a file is. `whole` is false if the line is longer than a line
    /// may be and `line` is only its beginning.
    pub(super) fn of_first_line(line: &[u8], whole: bool, number: u64) -> Result<FirstLine, FileError> {
        match line {
            [0x1f, 0x8b, ..] => return Err(FileError::Gzip),
            [b'P', b'K', 3 | 5 | 7, ..] => return Err(FileError::Zip),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(FileError::Utf16),
            _ => {}
        }
        if line.starts_with(b"-----BEGIN PGP") {
            return Err(FileError::Encrypted);
        }
        if line.iter().any(|&byte| byte < b' ' && byte != b'\t' && byte != b'\r') {
            return Err(FileError::NotText);
        }
        if let [b'<' | b'{' | b'[', ..] = line.trim_ascii() {
            return Err(FileError::Markup);
        }
        if !whole {
            return Err(FileError::NoHeader { line: number });
        }
        if let Some(columns) = Self::of_header(line)? {
            return Ok(FirstLine::Header(columns));
        }
        // A file without header: its first field must look like an ESI ID, guards and all.
        let first = line.split(|&byte| byte == b',').next().unwrap_or_default();
        let first = first.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'='));
        let commas = line.iter().filter(|&&byte| byte == b',').count();
        if first.is_some_and(u8::is_ascii_digit) && commas + 1 >= Field::COLUMNS.len() {
            Ok(FirstLine::Row(Columns::portal()))
        } else {
            Err(FileError::NoHeader { line: number })
        }
    }
}

/// What the first line is.
pub(super) enum FirstLine {
    /// A header.
    Header(Columns),
    /// A row already, in the portal's order.
    Row(Columns),
}

/// The field of a column's name: case, spaces, underscores and quotes do not matter.
fn field_named(name: &[u8]) -> Option<(u8, Field)> {
    let mut letters = [0u8; 40];
    let mut length = 0;
    for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *letters.get_mut(length)? = byte.to_ascii_uppercase();
        length += 1;
    }
    let field = match letters.get(..length)? {
        b"ESIID" | b"ESI" | b"ESIIDNUMBER" | b"ESIIDS" => Field::EsiId,
        b"USAGEDATE" | b"SERVICEDATE" | b"OPERATINGDAY" | b"DATE" => Field::UsageDate,
        b"REVISIONDATE" | b"REVISEDDATE" | b"REVISION" => Field::RevisionDate,
        b"USAGESTARTTIME" | b"STARTTIME" | b"INTERVALSTART" | b"INTERVALSTARTTIME" => Field::StartTime,
        b"USAGEENDTIME" | b"ENDTIME" | b"INTERVALEND" | b"INTERVALENDTIME" => Field::EndTime,
        b"USAGEKWH" | b"KWH" | b"USAGE" | b"ENERGYKWH" => Field::Usage,
        b"ESTIMATEDACTUAL" | b"ACTUALESTIMATED" | b"ESTIMATEDORACTUAL" => Field::Quality,
        b"CONSUMPTIONSURPLUSGENERATION" | b"CONSUMPTIONGENERATION" | b"CONSUMPTIONORSURPLUSGENERATION" | b"CHANNEL" => {
            Field::Channel
        }
        _ => return None,
    };
    (0u8..).zip(Field::COLUMNS).find(|(_, column)| *column == field)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)] // a panic is a failed test
    use super::*;

    #[test]
    fn headers() {
        let portal = Columns::of_header(crate::csv::HEADER.as_bytes()).unwrap().unwrap();
        assert_eq!(portal, Columns::portal());
        let shuffled =
            b"\"Usage_kWh\",note,Start Time, ESI ID ,Usage Date,Estimated_Actual,Consumption_SurplusGeneration,x";
        let shuffled = Columns::of_header(shuffled).unwrap().unwrap();
        assert_eq!((shuffled.count, shuffled.needed), (8, 7));
        assert_eq!(shuffled.field_at[..8], [5, UNUSED, 3, 0, 1, 6, 7, UNUSED]);
        assert_eq!(Columns::of_header(b"a,b,c"), Ok(None));
        assert_eq!(Columns::of_header(b"ESIID,USAGE_DATE"), Err(FileError::MissingColumn { column: Field::StartTime }));
        assert_eq!(
            Columns::of_header(b"ESIID,DATE,USAGE_DATE"),
            Err(FileError::DoubledColumn { column: Field::UsageDate })
        );
    }

    #[test]
    fn other_files() {
        let error = |line: &[u8]| match Columns::of_first_line(line, true, 3) {
            Err(error) => error,
            Ok(_) => panic!("accepted"),
        };
        assert_eq!(error(b"\x1f\x8b\x08\0"), FileError::Gzip);
        assert_eq!(error(b"PK\x03\x04"), FileError::Zip);
        assert_eq!(error(b"\xff\xfeE\0"), FileError::Utf16);
        assert_eq!(error(b"-----BEGIN PGP MESSAGE-----"), FileError::Encrypted);
        assert_eq!(error(b"\x7fELF\x02\x01\x01\0"), FileError::NotText);
        assert_eq!(error(b" <!DOCTYPE html>"), FileError::Markup);
        assert_eq!(error(b"{\"a\":1}"), FileError::Markup);
        assert_eq!(error(b"hello"), FileError::NoHeader { line: 3 });
        assert_eq!(error(b"1,2,3"), FileError::NoHeader { line: 3 });
    }
}
