//! The names of the protocol (section 2): identifiers, days, channels, levels.

use alloc::string::String;
use core::{fmt, str::FromStr};

/// A 32-byte BLAKE3 output, a block hash or a root.
pub type Hash = [u8; 32];

/// The short name of an organisation: 1 to 16 characters of `a-z`, `0-9` and `-`, for example `oncor`.
///
/// Hashed zero-padded to 16 bytes; on chain it stands as text, so that people read it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganisationId([u8; Self::MAX_LEN]);

impl OrganisationId {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = 16;

    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidOrganisationId`] if it is empty, too long, or has another character than `a-z`, `0-9`, `-`.
    pub fn new(name: &str) -> Result<Self, InvalidOrganisationId> {
        Self::from_bytes(name.as_bytes())
    }

    /// Reads a name from ASCII bytes.
    ///
    /// # Errors
    /// As [`OrganisationId::new`].
    pub fn from_bytes(name: &[u8]) -> Result<Self, InvalidOrganisationId> {
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        if name.is_empty() || name.len() > Self::MAX_LEN || !name.iter().all(allowed) {
            return Err(InvalidOrganisationId);
        }
        let mut padded = [0; Self::MAX_LEN];
        padded[..name.len()].copy_from_slice(name);
        Ok(Self(padded))
    }

    /// The name zero-padded to 16 bytes, as it enters hashes.
    pub fn padded(&self) -> &[u8; Self::MAX_LEN] {
        &self.0
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(Self::MAX_LEN);
        // Only ASCII ever enters (`from_bytes`), so this is never the empty fallback.
        core::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

/// Not an organisation's short name: 1 to 16 characters of `a-z`, `0-9` and `-` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an organisation's short name has 1 to 16 characters of a-z, 0-9 and '-'")]
pub struct InvalidOrganisationId;

impl FromStr for OrganisationId {
    type Err = InvalidOrganisationId;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrganisationId({})", self.as_str())
    }
}

/// Sixteen bytes that name one meter as held by one customer (one tenancy); see [`crate::secrets`].
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct MeterId(pub [u8; 16]);

impl fmt::Display for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MeterId({self})")
    }
}

/// Not a MeterId: `0x` and 32 hexadecimal digits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a MeterId is 0x and 32 hexadecimal digits")]
pub struct InvalidMeterId;

impl FromStr for MeterId {
    type Err = InvalidMeterId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
        if digits.len() != 32 {
            return Err(InvalidMeterId);
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or(InvalidMeterId);
            *byte = (digit(0)? * 16 + digit(1)?) as u8;
        }
        Ok(Self(id))
    }
}

/// A local calendar day in America/Chicago: days since 2000-01-01 (0 = 2000-01-01, 65535 = 2179-06-06).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct OperatingDay(pub u16);

impl OperatingDay {
    /// Days from 1970-01-01 to 2000-01-01.
    pub const UNIX_DAYS_AT_ZERO: i32 = 10_957;

    /// The day of a date, if it lies in 2000-01-01 ..= 2179-06-06.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let date = chrono::NaiveDate::from_ymd_opt(year, month, day)?;
        let days = date.signed_duration_since(Self::zero()).num_days();
        u16::try_from(days).ok().map(Self)
    }

    fn zero() -> chrono::NaiveDate {
        chrono::NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
    }

    /// The date.
    pub fn date(self) -> chrono::NaiveDate {
        Self::zero().checked_add_days(chrono::Days::new(self.0.into())).unwrap_or_default()
    }
}

impl fmt::Display for OperatingDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

/// Not a date of the form `2022-03-01` between 2000-01-01 and 2179-06-06.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is written 2022-03-01 and lies between 2000-01-01 and 2179-06-06")]
pub struct InvalidDay;

impl FromStr for OperatingDay {
    type Err = InvalidDay;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date: chrono::NaiveDate = text.parse().map_err(|_| InvalidDay)?;
        use chrono::Datelike;
        Self::from_ymd(date.year(), date.month(), date.day()).ok_or(InvalidDay)
    }
}

/// An inclusive range of operating days; `first <= last` always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
pub struct DayRange {
    /// First day.
    pub first: OperatingDay,
    /// Last day, included.
    pub last: OperatingDay,
}

impl DayRange {
    /// The range, if `first <= last`.
    pub fn new(first: OperatingDay, last: OperatingDay) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Whether `first <= last` holds; decoded values must be checked.
    pub fn is_valid(&self) -> bool {
        self.first <= self.last
    }

    /// Whether the day lies inside.
    pub fn contains(&self, day: OperatingDay) -> bool {
        self.first <= day && day <= self.last
    }

    /// Whether `other` lies wholly inside.
    pub fn includes(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// The days both ranges have.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// Number of days, at least 1.
    pub fn len(&self) -> u32 {
        u32::from(self.last.0.saturating_sub(self.first.0)) + 1
    }

    /// Never: a range has at least one day.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The days in order.
    pub fn iter(self) -> impl Iterator<Item = OperatingDay> {
        (self.first.0..=self.last.0).map(OperatingDay)
    }
}

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// What flows through the meter. Never netted, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
#[repr(u8)]
pub enum Channel {
    /// Energy delivered to the customer.
    #[cfg_attr(feature = "scale", codec(index = 0))]
    Consumption = 0,
    /// Energy received from the customer ("surplus generation").
    #[cfg_attr(feature = "scale", codec(index = 1))]
    Generation = 1,
}

impl Channel {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Consumption, Self::Generation];

    /// The channel of a protocol byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| *channel as u8 == byte)
    }
}

/// Which channels a meter has or a consent covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
#[repr(u8)]
pub enum Channels {
    /// Consumption alone.
    #[cfg_attr(feature = "scale", codec(index = 1))]
    Consumption = 1,
    /// Surplus generation alone.
    #[cfg_attr(feature = "scale", codec(index = 2))]
    Generation = 2,
    /// Both.
    #[cfg_attr(feature = "scale", codec(index = 3))]
    Both = 3,
}

impl Channels {
    /// Whether the channel is among them.
    pub fn contains(self, channel: Channel) -> bool {
        (self as u8) & (1 << channel as u8) != 0
    }

    /// Whether all of `other` are among them.
    pub fn includes(self, other: Self) -> bool {
        (self as u8) & (other as u8) == other as u8
    }

    /// The channels in order.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| self.contains(*channel))
    }

    /// The value of a protocol byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Consumption, Self::Generation, Self::Both].into_iter().find(|channels| *channels as u8 == byte)
    }
}

/// A resolution. A finer level includes the coarser ones: `Day < Hour < Quarter`.
///
/// Byte 0 is kept free for a billing-period level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "scale",
    derive(codec::Encode, codec::Decode, codec::DecodeWithMemTracking, codec::MaxEncodedLen, scale_info::TypeInfo)
)]
#[repr(u8)]
pub enum Level {
    /// Daily totals.
    #[cfg_attr(feature = "scale", codec(index = 1))]
    Day = 1,
    /// Hourly totals and daily totals.
    #[cfg_attr(feature = "scale", codec(index = 2))]
    Hour = 2,
    /// Every 15-minute interval.
    #[cfg_attr(feature = "scale", codec(index = 3))]
    Quarter = 3,
}

impl Level {
    /// From coarse to fine.
    pub const ALL: [Self; 3] = [Self::Day, Self::Hour, Self::Quarter];

    /// The level of a protocol byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as u8 == byte)
    }

    /// This level and the coarser ones that it includes, from coarse to fine.
    pub fn included(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |level| *level <= self)
    }
}

/// Number of 15-minute intervals of an operating day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Intervals {
    /// The spring day, 23 hours.
    Short = 92,
    /// An ordinary day.
    Normal = 96,
    /// The fall day, 25 hours.
    Long = 100,
}

impl Intervals {
    /// The value of a protocol byte: 92, 96 or 100.
    pub fn from_count(count: u8) -> Option<Self> {
        [Self::Short, Self::Normal, Self::Long].into_iter().find(|n| *n as u8 == count)
    }

    /// The number of intervals.
    pub fn count(self) -> usize {
        self as usize
    }
}

/// How an interval's value came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Read from the meter.
    Actual,
    /// Estimated by the TDSP.
    Estimated,
    /// No value; its energy is 0 Wh.
    Missing,
}

/// One interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Energy of the interval, Wh.
    pub wh: u32,
    /// How it came about.
    pub quality: Quality,
}

/// What is sealed: one channel of one meter on one operating day, one revision of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayReadings {
    /// Channel.
    pub channel: Channel,
    /// Operating day.
    pub day: OperatingDay,
    /// REVISION_DATE in minutes since 2000-01-01 00:00 local time; 0 = none.
    pub revision_date: u32,
    /// 92, 96 or 100 intervals in order.
    pub intervals: alloc::vec::Vec<Reading>,
}

/// One stream: the chain of cells of one channel of one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The channel.
    pub channel: Channel,
}

/// `0x` and the digits of a hash, for people.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::from("0x");
    for byte in bytes {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(feature = "scale")]
mod scale {
    use super::OrganisationId;
    use codec::{Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen, Output};

    impl Encode for OrganisationId {
        fn size_hint(&self) -> usize {
            1 + self.as_str().len()
        }
        fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
            self.as_str().encode_to(out);
        }
    }

    impl codec::EncodeLike for OrganisationId {}

    impl Decode for OrganisationId {
        fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
            let length = codec::Compact::<u32>::decode(input)?.0 as usize;
            if length > Self::MAX_LEN {
                return Err("an organisation's short name has at most 16 bytes".into());
            }
            let mut name = [0; Self::MAX_LEN];
            input.read(&mut name[..length])?;
            Self::from_bytes(&name[..length])
                .map_err(|_| "an organisation's short name has 1 to 16 characters of a-z, 0-9 and '-'".into())
        }
    }

    impl DecodeWithMemTracking for OrganisationId {}

    impl MaxEncodedLen for OrganisationId {
        fn max_encoded_len() -> usize {
            1 + Self::MAX_LEN
        }
    }

    /// Text for every client: the encoding is that of a string.
    impl scale_info::TypeInfo for OrganisationId {
        type Identity = str;
        fn type_info() -> scale_info::Type {
            <str as scale_info::TypeInfo>::type_info()
        }
    }
}
