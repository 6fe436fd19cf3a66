//! Writing and reading the lines of a statement, each value in its only form.

use super::{StatementError, Word, MAX_STATEMENT_BYTES};
use crate::types::{hex, DayRange, OperatingDay, OrganisationId};
use alloc::string::String;
use core::fmt::{Display, Write};

/// Forms of values, for error messages.
const HEX_FORM: &str = "0x and lower-case hexadecimal digits, two for each byte of this field";
const DECIMAL_FORM: &str = "a whole number in decimal digits, without leading zeros, within the range of this field";
const DAY_FORM: &str = "a day like 2022-03-01, from 2000-01-01 to 2179-06-06";
const RANGE_FORM: &str = "two days like '2022-03-01 to 2023-02-28', the first not after the last";
const NAME_FORM: &str = "an organisation's short name: 1 to 16 characters of a-z, 0-9 and '-'";

/// Between the days of a range.
const TO: &str = " to ";

/// Writes a statement's lines.
#[derive(Debug)]
pub struct Writer(String);

impl Writer {
    /// Begins the text of a kind of statement.
    pub fn new(kind: &str) -> Self {
        let mut text = String::with_capacity(512);
        text.push_str("wattseal/");
        text.push_str(kind);
        text.push_str("/1");
        Self(text)
    }

    /// A line with a value that has one way of being displayed.
    pub fn value(&mut self, field: &str, value: impl Display) {
        // Writing to a String never fails.
        let _ = write!(self.0, "\n{field}: {value}");
    }

    /// A line with bytes: `0x` and lower-case digits.
    pub fn bytes(&mut self, field: &str, bytes: &[u8]) {
        self.value(field, hex(bytes));
    }

    /// A line with a day: `2022-03-01`.
    pub fn day(&mut self, field: &str, day: OperatingDay) {
        self.value(field, day);
    }

    /// A line with a range: `2022-03-01 to 2023-02-28`.
    pub fn range(&mut self, field: &str, range: DayRange) {
        self.value(field, format_args!("{}{TO}{}", range.first, range.last));
    }

    /// A line with one of the words of a type.
    pub fn word(&mut self, field: &str, word: impl Word) {
        self.value(field, word.word());
    }

    /// The text; no line end stands after the last line.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Reads a statement's lines in order.
#[derive(Debug)]
pub struct Reader<'a> {
    lines: core::str::Split<'a, char>,
    last: &'static str,
}

impl<'a> Reader<'a> {
    /// Begins to read the text of a kind of statement.
    ///
    /// # Errors
    /// [`StatementError::TooLong`], [`StatementError::OtherKind`].
    pub fn new(text: &'a str, kind: &'static str) -> Result<Self, StatementError> {
        if text.len() > MAX_STATEMENT_BYTES {
            return Err(StatementError::TooLong { bytes: text.len() });
        }
        let mut lines = text.split('\n');
        let found =
            lines.next().and_then(|line| line.strip_prefix("wattseal/")).and_then(|line| line.strip_suffix("/1"));
        if found != Some(kind) {
            return Err(StatementError::OtherKind { expected: kind });
        }
        Ok(Self { lines, last: "wattseal" })
    }

    /// The value of the next line, which must be this field's, by a function that knows its form.
    ///
    /// # Errors
    /// [`StatementError::Missing`], [`StatementError::OtherField`], [`StatementError::BadValue`].
    pub fn value<T>(
        &mut self,
        field: &'static str,
        form: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, StatementError> {
        let line = self.lines.next().ok_or(StatementError::Missing { field })?;
        let value = line.strip_prefix(field).and_then(|rest| rest.strip_prefix(": "));
        let value = value.ok_or(StatementError::OtherField { field })?;
        self.last = field;
        read(value).ok_or(StatementError::BadValue { field, form })
    }

    /// A field of exactly `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn bytes<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], StatementError> {
        self.value(field, HEX_FORM, parse_hex)
    }

    /// A whole number.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn decimal<T: TryFrom<u64>>(&mut self, field: &'static str) -> Result<T, StatementError> {
        self.value(field, DECIMAL_FORM, |text| parse_decimal(text).and_then(|number| T::try_from(number).ok()))
    }

    /// A whole number, or a word that says that there is none.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn decimal_or<T: TryFrom<u64>>(
        &mut self,
        field: &'static str,
        none: &str,
    ) -> Result<Option<T>, StatementError> {
        self.value(field, DECIMAL_FORM, |text| {
            if text == none {
                return Some(None);
            }
            parse_decimal(text).and_then(|number| T::try_from(number).ok()).map(Some)
        })
    }

    /// A day.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn day(&mut self, field: &'static str) -> Result<OperatingDay, StatementError> {
        self.value(field, DAY_FORM, parse_day)
    }

    /// A range of days.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn range(&mut self, field: &'static str) -> Result<DayRange, StatementError> {
        self.value(field, RANGE_FORM, |text| {
            let (first, last) = text.split_once(TO)?;
            DayRange::new(parse_day(first)?, parse_day(last)?)
        })
    }

    /// An organisation's short name.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn organisation(&mut self, field: &'static str) -> Result<OrganisationId, StatementError> {
        self.value(field, NAME_FORM, |text| OrganisationId::new(text).ok())
    }

    /// One of the words of a type.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn word<W: Word>(&mut self, field: &'static str) -> Result<W, StatementError> {
        self.value(field, W::FORM, W::from_word)
    }

    /// Ends: nothing may follow.
    ///
    /// # Errors
    /// [`StatementError::Trailing`].
    pub fn finish(mut self) -> Result<(), StatementError> {
        match self.lines.next() {
            None => Ok(()),
            Some(_) => Err(StatementError::Trailing { field: self.last }),
        }
    }
}

/// `0x` and exactly two lower-case digits for each byte.
fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Some(bytes)
}

/// Digits without leading zeros.
fn parse_decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

/// Ten characters, `2022-03-01`.
fn parse_day(text: &str) -> Option<OperatingDay> {
    let bytes = text.as_bytes();
    let shape = |at: usize, byte: &u8| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() };
    if bytes.len() != 10 || !bytes.iter().enumerate().all(|(at, byte)| shape(at, byte)) {
        return None;
    }
    // Only ASCII of this shape is left, so every part exists and is a number.
    let part = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
    OperatingDay::from_ymd(i32::try_from(part(0, 4)?).ok()?, part(5, 7)?, part(8, 10)?)
}
