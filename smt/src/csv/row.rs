//! The fields of a row.

use super::header::{Columns, UNUSED};
use super::refused::{Field, Reason};
use crate::{Channel, Quality};

pub(super) const COLUMNS: usize = Field::COLUMNS.len();

/// The eight fields of a row as the file has them; absent ones are empty.
pub(super) type Fields<'a> = [&'a [u8]; COLUMNS];

/// Drops spaces and quotes around a field.
#[inline]
fn clean(field: &[u8]) -> &[u8] {
    // Spaces, tabs and '"' are all that may be dropped, and no greater byte.
    match field {
        [] => field,
        [first, .., last] if *first > b'"' && *last > b'"' => field,
        [single] if *single > b'"' => field,
        _ => {
            let mut field = field.trim_ascii();
            if let [b'"', inner @ .., b'"'] = field {
                field = inner.trim_ascii();
            }
            field
        }
    }
}

/// Splits a line at its commas, except within quotes. The first `place` fields, `start` bytes of the line, are left
/// out: the caller knows them and that no quote is open there. `fields` are empty at first.
#[inline]
pub(super) fn split<'a>(
    line: &'a [u8],
    columns: &Columns,
    mut place: usize,
    start: usize,
    fields: &mut Fields<'a>,
) -> Result<(), Reason> {
    let mut rest = line.get(start..).unwrap_or_default();
    loop {
        let (end, closed) = match separator(rest) {
            Some(at) if rest.get(at) == Some(&b',') => (at, true),
            Some(at) => quoted_end(rest, at),
            None => (rest.len(), true),
        };
        let (text, behind) = rest.split_at_checked(end).unwrap_or_default();
        let text = clean(text);
        let index = columns.field_at.get(place).copied().unwrap_or(UNUSED);
        match fields.get_mut(usize::from(index)) {
            Some(field) => *field = text,
            None if place >= columns.count && !text.is_empty() => return Err(Reason::TooManyFields),
            None => {}
        }
        place += 1;
        match behind {
            [_, behind @ ..] => rest = behind,
            [] if place >= columns.needed && closed => return Ok(()),
            [] => return Err(Reason::TooFewFields),
        }
    }
}

/// The first comma or quote, eight bytes at a time.
#[inline]
fn separator(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // The lowest bit that is set marks the first byte that is 0; bits above it may be wrong.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let (words, tail) = text.as_chunks::<8>();
    let mut at = 0;
    for bytes in words {
        let word = u64::from_le_bytes(*bytes);
        let found = zeros(word ^ (ONES * b',' as u64)) | zeros(word ^ (ONES * b'"' as u64));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    tail.iter().position(|byte| matches!(byte, b',' | b'"')).map(|place| at + place)
}

/// Where a field with a quote at `quote` ends, and whether every quote of the field is closed.
#[cold]
fn quoted_end(rest: &[u8], quote: usize) -> (usize, bool) {
    let mut quoted = false;
    for (at, &byte) in rest.iter().enumerate().skip(quote) {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return (at, true),
            _ => {}
        }
    }
    (rest.len(), !quoted)
}

/// What a value may reach before its digits no longer matter: far above every limit, and far below an overflow.
const BEYOND: u64 = 1_000_000_000_000;

/// Wh of a kWh value, `None` if blank. Exact: at most three decimals.
#[inline]
pub(super) fn watt_hours(text: &[u8], most: u32) -> Result<Option<u32>, Reason> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut value = 0u64;
    let mut digits = 0u32;
    // Decimals after the point; `None` before it.
    let mut decimals: Option<u32> = None;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                digits += 1;
                // A multiplication that looks for an overflow costs the worker's wasm a 128-bit one.
                let longer = value.min(BEYOND).wrapping_mul(10) + digit;
                match &mut decimals {
                    Some(3..) if digit == 0 => {}
                    Some(3..) => return Err(precise_or_exponent(text)),
                    Some(count) => {
                        *count += 1;
                        value = longer;
                    }
                    None => value = longer,
                }
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            b'-' if at == 0 && text.len() > 1 => return Err(Reason::Negative),
            b'E' | b'e' if digits > 0 => return Err(Reason::Exponent),
            _ => return Err(Reason::NotANumber),
        }
    }
    if digits == 0 {
        return Err(Reason::NotANumber);
    }
    let scale = match decimals {
        Some(3..) => 1,
        Some(2) => 10,
        Some(1) => 100,
        _ => 1000,
    };
    match u32::try_from(value.wrapping_mul(scale)) {
        Ok(wh) if wh <= most => Ok(Some(wh)),
        _ => Err(Reason::TooLarge),
    }
}

/// `1.2345E-05` is an exponent, `1.2345` too precise, `1.2345x` no number.
#[cold]
fn precise_or_exponent(text: &[u8]) -> Reason {
    let rest = text.iter().find(|byte| !byte.is_ascii_digit() && **byte != b'.');
    match rest {
        None => Reason::TooPrecise,
        Some(b'E' | b'e') => Reason::Exponent,
        Some(_) => Reason::NotANumber,
    }
}

/// A or E; `None` if blank.
#[inline]
pub(super) fn quality(text: &[u8]) -> Result<Option<Quality>, Reason> {
    match text {
        b"A" | b"a" => Ok(Some(Quality::Actual)),
        b"E" | b"e" => Ok(Some(Quality::Estimated)),
        b"" => Ok(None),
        _ => Err(Reason::NoQuality),
    }
}

/// The channel, by the beginning of its name; case and spaces do not matter.
#[inline]
pub(super) fn channel(text: &[u8]) -> Result<Channel, Reason> {
    match text {
        b"Consumption" => Ok(Channel::Consumption),
        b"Surplus Generation" => Ok(Channel::Generation),
        _ => {
            let begins = |word: &[u8]| {
                let mut letters = text.iter().filter(|byte| !matches!(byte, b' ' | b'_')).map(u8::to_ascii_uppercase);
                word.iter().all(|letter| letters.next() == Some(*letter))
            };
            if begins(b"SURPLUS") {
                Ok(Channel::Generation)
            } else if begins(b"CONSUMPTION") {
                Ok(Channel::Consumption)
            } else {
                Err(Reason::NotAChannel)
            }
        }
    }
}

/// Where a row belongs in its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At this interval.
    At(u8),
    /// At the first of the two that has no row yet: the hour that autumn repeats, where the clock is ambiguous and only
    /// the order of rows tells.
    Either(u8, u8),
    /// In the hour that spring leaves out.
    Skipped,
}

/// Finds the interval of a row. `intervals` is 92, 96 or 100; times are minutes after midnight; `end` is `None` if the
/// file has no such column or leaves it blank.
#[inline]
pub(super) fn place(intervals: u8, start: u16, end: Option<u16>) -> Result<Place, (Field, Reason)> {
    if !start.is_multiple_of(15) || start >= 1440 {
        return Err((Field::StartTime, Reason::NotAQuarter));
    }
    let fits = end.is_none_or(|end| end == start + 15 || (end == 0 && start == 1425));
    let quarter = (start / 15) as u8;
    let place = match intervals {
        92 => match quarter {
            0..=7 => Place::At(quarter),
            8..=11 => Place::Skipped,
            _ => Place::At(quarter - 4),
        },
        100 => match quarter {
            0..=3 => Place::At(quarter),
            // The first pass may say that it ends when the clocks have gone back.
            7 if end == Some(60) => return Ok(Place::At(7)),
            4..=7 => Place::Either(quarter, quarter + 4),
            // The portal's file: the first row of the second pass says 02:00 to 01:15.
            8 if end == Some(75) => return Ok(Place::At(8)),
            _ => Place::At(quarter + 4),
        },
        _ => Place::At(quarter),
    };
    // In spring, 01:45 may say that it ends at 03:00.
    if fits || (intervals == 92 && start == 105 && end == Some(180)) {
        Ok(place)
    } else {
        Err((Field::EndTime, Reason::EndDoesNotFit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};

    fn fields<'a>(line: &'a [u8], columns: &Columns, place: usize, start: usize) -> Result<Fields<'a>, Reason> {
        let mut fields: Fields<'a> = [&[]; COLUMNS];
        split(line, columns, place, start, &mut fields).map(|()| fields)
    }

    #[test]
    fn commas_are_found_wherever_they_are() {
        let columns = Columns::of_header(crate::csv::HEADER.as_bytes()).ok().flatten();
        let Some(columns) = columns else { unreachable!("the portal's header is a header") };
        // Bytes next to the comma and the quote, and with the high bit: none may be taken for them.
        let text: Vec<u8> = (0..20).map(|at| b"-+!#x\xac\xa2\xff\0"[at % 9]).collect();
        for length in 0..20 {
            for quote in [false, true] {
                let inner = [&text[..length], b"1"].concat();
                let field = if quote { [b"\"", &inner[..], b",\""].concat() } else { inner.clone() };
                let line = [&field[..]; 8].join(&b',');
                let inner = if quote { [&inner[..], b","].concat() } else { inner };
                assert_eq!(fields(&line, &columns, 0, 0), Ok([&inner[..]; 8]), "{length} {quote}");
                let after = fields(&line, &columns, 1, field.len() + 1);
                assert_eq!(after.map(|fields| fields[1..].to_vec()), Ok(vec![&inner[..]; 7]));
            }
        }
        assert_eq!(fields(b"1,2,3,4,5,6,7", &columns, 0, 0), Err(Reason::TooFewFields));
        assert_eq!(fields(b"1,2,3,4,5,6,7,\"8", &columns, 0, 0), Err(Reason::TooFewFields));
        assert_eq!(fields(b"1,2,3,4,5,6,7,8,9", &columns, 0, 0), Err(Reason::TooManyFields));
        assert!(fields(b"1,2,3,4,5,6,7,8, ,,\"\",", &columns, 0, 0).is_ok());
    }

    #[test]
    fn kwh_is_exact() {
        for (text, wh) in [
            (".145", 145),
            ("0.859", 859),
            (".12", 120),
            ("1.07", 1070),
            ("0", 0),
            ("5", 5000),
            ("5.", 5000),
            ("007.5", 7500),
            ("1.2340000", 1234),
            ("100", 100_000),
        ] {
            assert_eq!(watt_hours(text.as_bytes(), 100_000), Ok(Some(wh)), "{text}");
        }
        assert_eq!(watt_hours(b"", 9), Ok(None));
        for (text, reason) in [
            (".", Reason::NotANumber),
            ("-", Reason::NotANumber),
            ("x", Reason::NotANumber),
            ("1.2.3", Reason::NotANumber),
            ("1,000", Reason::NotANumber),
            ("+1", Reason::NotANumber),
            ("1 2", Reason::NotANumber),
            ("E5", Reason::NotANumber),
            ("1.2345x", Reason::NotANumber),
            ("-1", Reason::Negative),
            ("-.001", Reason::Negative),
            ("1E-05", Reason::Exponent),
            ("1.23456E-05", Reason::Exponent),
            (".1455", Reason::TooPrecise),
            ("100.001", Reason::TooLarge),
            ("99999999999999999999999999999999", Reason::TooLarge),
        ] {
            assert_eq!(watt_hours(text.as_bytes(), 100_000), Err(reason), "{text}");
        }
    }

    #[test]
    fn channels() {
        for text in ["Surplus Generation", "SurplusGeneration", "surplus_generation", "SURPLUS"] {
            assert_eq!(channel(text.as_bytes()), Ok(Channel::Generation), "{text}");
        }
        for text in ["Consumption", "CONSUMPTION", "consumption "] {
            assert_eq!(channel(text.as_bytes()), Ok(Channel::Consumption), "{text}");
        }
        for text in ["", "sur", "Generation", "x Consumption"] {
            assert_eq!(channel(text.as_bytes()), Err(Reason::NotAChannel), "{text}");
        }
    }

    #[test]
    fn places() {
        let at = |intervals, start, end| place(intervals, start, Some(end));
        assert_eq!(at(96, 0, 15), Ok(Place::At(0)));
        assert_eq!(at(96, 1425, 0), Ok(Place::At(95)));
        assert_eq!(at(96, 1425, 1440), Ok(Place::At(95)));
        assert_eq!(place(96, 120, None), Ok(Place::At(8)));
        assert_eq!(at(92, 105, 120), Ok(Place::At(7)));
        assert_eq!(at(92, 105, 180), Ok(Place::At(7)));
        assert_eq!(at(92, 120, 135), Ok(Place::Skipped));
        assert_eq!(at(92, 165, 180), Ok(Place::Skipped));
        assert_eq!(at(92, 180, 195), Ok(Place::At(8)));
        assert_eq!(at(92, 1425, 0), Ok(Place::At(91)));
        assert_eq!(at(100, 60, 75), Ok(Place::Either(4, 8)));
        assert_eq!(at(100, 105, 120), Ok(Place::Either(7, 11)));
        assert_eq!(at(100, 105, 60), Ok(Place::At(7)));
        assert_eq!(at(100, 120, 75), Ok(Place::At(8)));
        assert_eq!(at(100, 120, 135), Ok(Place::At(12)));
        assert_eq!(at(100, 1425, 0), Ok(Place::At(99)));
        for (intervals, start, end) in
            [(96, 120, 75), (96, 105, 180), (92, 120, 75), (100, 135, 75), (96, 15, 15), (96, 0, 0)]
        {
            assert_eq!(at(intervals, start, end), Err((Field::EndTime, Reason::EndDoesNotFit)), "{start} {end}");
        }
        for start in [1, 14, 1440] {
            assert_eq!(place(96, start, None), Err((Field::StartTime, Reason::NotAQuarter)));
        }
    }
}
