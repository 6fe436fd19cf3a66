//! Reading vectors, and counting what was compared.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt::Debug, str::FromStr};
use sealed_register::{DayRange, OperatingDay, Secret};
use serde_json::Value;

/// How many values were compared.
#[derive(Default)]
pub struct Tally(u32);

impl Tally {
    /// The number.
    pub fn compared(&self) -> u32 {
        self.0
    }

    /// Compares what the code made with what the vector says.
    pub fn same<T: PartialEq + Debug>(&mut self, what: &str, made: T, kept: T) -> Result<(), String> {
        self.0 += 1;
        match made == kept {
            true => Ok(()),
            false => Err(format!("{what}: {made:?} was made, {kept:?} is due")),
        }
    }
}

/// The JSON text of a file.
pub fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Turns any error into text, with the name of what failed.
pub fn because<T, E: ToString>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {}", error.to_string()))
}

/// A field.
pub fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("no field '{name}'"))
}

/// A list.
pub fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], String> {
    field(value, name)?.as_array().map(Vec::as_slice).ok_or_else(|| format!("'{name}' is no list"))
}

/// Text.
pub fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    field(value, name)?.as_str().ok_or_else(|| format!("'{name}' is no text"))
}

/// A value that has one way of being written as text.
pub fn read<T: FromStr<Err: ToString>>(value: &Value, name: &str) -> Result<T, String> {
    because(name, text(value, name)?.parse())
}

/// A number.
pub fn number<T: TryFrom<u64>>(value: &Value, name: &str) -> Result<T, String> {
    let number = field(value, name)?.as_u64().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("'{name}' is no such number"))
}

/// A small number that stands for one of a type's values.
pub fn code<T>(value: &Value, name: &str, of: impl FnOnce(u8) -> Option<T>) -> Result<T, String> {
    of(number(value, name)?).ok_or_else(|| format!("'{name}' stands for nothing"))
}

/// Bytes of hexadecimal digits, with or without `0x`.
pub fn digits(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or("no hexadecimal digits")?;
    because("hexadecimal digits", hex::decode(text.strip_prefix("0x").unwrap_or(text)))
}

/// Bytes.
pub fn bytes(value: &Value, name: &str) -> Result<Vec<u8>, String> {
    because(name, digits(field(value, name)?))
}

/// A fixed number of bytes.
pub fn array<const N: usize>(value: &Value, name: &str) -> Result<[u8; N], String> {
    let bytes = bytes(value, name)?;
    <[u8; N]>::try_from(bytes).map_err(|bytes| format!("'{name}' has {} bytes, not {N}", bytes.len()))
}

/// A secret.
pub fn secret(value: &Value, name: &str) -> Result<Secret, String> {
    array(value, name).map(Secret::from_bytes)
}

/// A range written as two dates.
pub fn dates(value: &Value, name: &str) -> Result<DayRange, String> {
    let (first, last) = text(value, name)?.split_once(" to ").ok_or_else(|| format!("'{name}' is no range"))?;
    let day = |text: &str| because(name, text.parse::<OperatingDay>());
    DayRange::new(day(first)?, day(last)?).ok_or_else(|| format!("'{name}' ends before it begins"))
}

/// A range written as an object with two numbers of days.
pub fn days(value: &Value) -> Result<DayRange, String> {
    let (first, last) = (OperatingDay(number(value, "first")?), OperatingDay(number(value, "last")?));
    DayRange::new(first, last).ok_or_else(|| "a range ends before it begins".into())
}
