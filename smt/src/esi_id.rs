//! ESI IDs: the numbers of points of delivery in the ERCOT market.

use core::{fmt, str};

/// Digits of the utility code at the front.
const PREFIX: usize = 7;
const SHORT: usize = 17;
const LONG: usize = 22;

/// The transmission and distribution utility that reads a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tdsp {
    /// Oncor Electric Delivery (also the prefix of the former SESCO in East Texas).
    Oncor,
    /// CenterPoint Energy Houston Electric.
    CenterPoint,
    /// AEP Texas, Central division.
    AepTexasCentral,
    /// AEP Texas, North division.
    AepTexasNorth,
    /// Texas-New Mexico Power.
    Tnmp,
    /// Nueces Electric Cooperative.
    NuecesElectric,
}

impl Tdsp {
    /// Every utility known to the crate.
    pub const ALL: [Tdsp; 6] =
        [Tdsp::Oncor, Tdsp::CenterPoint, Tdsp::AepTexasCentral, Tdsp::AepTexasNorth, Tdsp::Tnmp, Tdsp::NuecesElectric];

    /// The first seven digits of its ESI IDs (Oncor's own, not SESCO's).
    pub fn prefix(self) -> &'static str {
        match self {
            Tdsp::Oncor => "1044372",
            Tdsp::CenterPoint => "1008901",
            Tdsp::AepTexasCentral => "1003278",
            Tdsp::AepTexasNorth => "1020404",
            Tdsp::Tnmp => "1040051",
            Tdsp::NuecesElectric => "1013830",
        }
    }

    /// Digits of its ESI IDs: 17, or 22 at CenterPoint.
    pub fn digits(self) -> usize {
        match self {
            Tdsp::CenterPoint => LONG,
            _ => SHORT,
        }
    }

    fn of_prefix(prefix: &[u8]) -> Option<Self> {
        match prefix {
            b"1017699" => Some(Tdsp::Oncor),
            _ => Self::ALL.into_iter().find(|tdsp| tdsp.prefix().as_bytes() == prefix),
        }
    }
}

impl fmt::Display for Tdsp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tdsp::Oncor => "Oncor",
            Tdsp::CenterPoint => "CenterPoint",
            Tdsp::AepTexasCentral => "AEP Texas Central",
            Tdsp::AepTexasNorth => "AEP Texas North",
            Tdsp::Tnmp => "Texas-New Mexico Power",
            Tdsp::NuecesElectric => "Nueces Electric Cooperative",
        })
    }
}

/// Why a text is no ESI ID. No variant holds the digits of a premise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EsiIdError {
    /// Nothing there.
    #[error("the ESI ID is empty")]
    Empty,
    /// A spreadsheet turned the number into `1.0089E+21`; the lost digits cannot be brought back.
    #[error(
        "a spreadsheet turned the ESI ID into a rounded number (like 1.0089E+21) and its digits are lost: \
         take the file as it was downloaded, or import the column as text"
    )]
    SpreadsheetNumber,
    /// A character that is no digit, at this place (from 0).
    #[error("character {0} of the ESI ID (counted from 0) is not a digit")]
    NotDigit(usize),
    /// Neither 17 nor 22 digits.
    #[error("the ESI ID has {0} digits; it must have 17 (CenterPoint: 22), with nothing cut off or padded")]
    Length(usize),
    /// 17 digits where the utility has 22, or the reverse.
    #[error("the ESI ID has {digits} digits, but those of {tdsp} have {}: it was cut off or padded", tdsp.digits())]
    LengthOfTdsp {
        /// The utility of the prefix.
        tdsp: Tdsp,
        /// Digits found.
        digits: usize,
    },
    /// The first seven digits are no known utility's.
    #[error(
        "the ESI ID begins with {}, which is no known utility's; known are 1044372 and 1017699 (Oncor), 1008901 \
         (CenterPoint), 1003278 (AEP Texas Central), 1020404 (AEP Texas North), 1040051 (Texas-New Mexico Power), \
         1013830 (Nueces Electric Cooperative)",
        str::from_utf8(.0).unwrap_or("?")
    )]
    UnknownPrefix([u8; PREFIX]),
}

/// The number of a point of delivery: 17 digits, or 22 at CenterPoint, beginning with the utility's seven-digit code.
///
/// It stays the same when the meter, the REP of record or the customer changes, and has no check digit. It is personal
/// data: `Debug` shows the last four digits only, `Display` the whole number. Ordered as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EsiId {
    /// Unused places are 0.
    digits: [u8; LONG],
    length: u8,
}

impl EsiId {
    /// Reads an ESI ID as files write it: spaces, quotes and the spreadsheet guards `'` and `="..."` are dropped.
    ///
    /// # Errors
    /// See [`EsiIdError`].
    pub fn parse(text: &[u8]) -> Result<Self, EsiIdError> {
        let mut text = text.trim_ascii();
        while let [b'\'' | b'"' | b'=', rest @ ..] = text {
            text = rest;
        }
        while let [rest @ .., b'\'' | b'"'] = text {
            text = rest;
        }
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(EsiIdError::Empty);
        }
        if let Some(at) = text.iter().position(|byte| !byte.is_ascii_digit()) {
            let exponent = matches!(text.get(at), Some(b'.' | b'E' | b'e' | b'+'));
            return Err(if at > 0 && exponent { EsiIdError::SpreadsheetNumber } else { EsiIdError::NotDigit(at) });
        }
        if text.len() != SHORT && text.len() != LONG {
            return Err(EsiIdError::Length(text.len()));
        }
        let prefix = text.first_chunk::<PREFIX>().ok_or(EsiIdError::Length(text.len()))?;
        let tdsp = Tdsp::of_prefix(prefix).ok_or(EsiIdError::UnknownPrefix(*prefix))?;
        if text.len() != tdsp.digits() {
            return Err(EsiIdError::LengthOfTdsp { tdsp, digits: text.len() });
        }
        let mut digits = [0; LONG];
        for (place, digit) in digits.iter_mut().zip(text) {
            *place = *digit;
        }
        let length = if text.len() == LONG { LONG as u8 } else { SHORT as u8 };
        Ok(EsiId { digits, length })
    }

    /// An ESI ID of the first `length` of these digits, which the caller knows to be valid.
    #[cfg(feature = "generate")]
    pub(crate) fn of_digits(mut digits: [u8; LONG], length: usize) -> Self {
        digits.iter_mut().skip(length).for_each(|unused| *unused = 0);
        EsiId { digits, length: if length == LONG { LONG as u8 } else { SHORT as u8 } }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        // Only digits are ever stored, so the fallback is never reached.
        self.digits.get(..usize::from(self.length)).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default()
    }

    /// The utility of the prefix.
    pub fn tdsp(&self) -> Tdsp {
        // `parse` is the only way to an EsiId and knows the prefix, so the fallback is never reached.
        self.digits.get(..PREFIX).and_then(Tdsp::of_prefix).unwrap_or(Tdsp::Oncor)
    }

    /// Spreads ESI IDs over `buckets` buckets (0 counts as 1), to read a file in several passes: see
    /// [`FileError::Overflow`](crate::csv::FileError::Overflow). Not a secret, not stable across releases.
    pub fn bucket(&self, buckets: u32) -> u32 {
        // FNV-1a with a final mix: the digits differ mostly at the end, and small counts look at few bits.
        let hash = self
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (mixed % u64::from(buckets.max(1))) as u32
    }
}

impl str::FromStr for EsiId {
    type Err = EsiIdError;

    fn from_str(text: &str) -> Result<Self, EsiIdError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for EsiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for EsiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        let shown = text.len().saturating_sub(4);
        f.write_str("EsiId(")?;
        for _ in 0..shown {
            f.write_str("*")?;
        }
        write!(f, "{})", text.get(shown..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn known_forms() {
        for (text, digits, tdsp) in [
            ("'10443729900000001", "10443729900000001", Tdsp::Oncor),
            (" 10443729900000001 ", "10443729900000001", Tdsp::Oncor),
            ("=\"10176990000000001\"", "10176990000000001", Tdsp::Oncor),
            ("\"'1008901012126195372100\"", "1008901012126195372100", Tdsp::CenterPoint),
            ("10032789400250865", "10032789400250865", Tdsp::AepTexasCentral),
            ("10204040000000001", "10204040000000001", Tdsp::AepTexasNorth),
            ("10400510000000001", "10400510000000001", Tdsp::Tnmp),
            ("10138300000000001", "10138300000000001", Tdsp::NuecesElectric),
        ] {
            let id = EsiId::parse(text.as_bytes()).unwrap();
            assert_eq!((id.as_str(), id.tdsp()), (digits, tdsp));
            assert_eq!(digits.parse::<EsiId>().unwrap(), id);
        }
    }

    #[test]
    fn refusals_say_why() {
        for (text, error) in [
            ("", EsiIdError::Empty),
            ("'", EsiIdError::Empty),
            ("1.0089E+21", EsiIdError::SpreadsheetNumber),
            ("'1.04437E+16", EsiIdError::SpreadsheetNumber),
            ("1E+21", EsiIdError::SpreadsheetNumber),
            ("1044372990000000x", EsiIdError::NotDigit(16)),
            ("1044372 9900000001", EsiIdError::NotDigit(7)),
            ("-10443729900000001", EsiIdError::NotDigit(0)),
            ("1044372990000001", EsiIdError::Length(16)),
            ("10443729900000001234567", EsiIdError::Length(23)),
            ("10089010121261953", EsiIdError::LengthOfTdsp { tdsp: Tdsp::CenterPoint, digits: 17 }),
            ("1044372990000000100000", EsiIdError::LengthOfTdsp { tdsp: Tdsp::Oncor, digits: 22 }),
            ("10999999900000001", EsiIdError::UnknownPrefix(*b"1099999")),
        ] {
            assert_eq!(EsiId::parse(text.as_bytes()), Err(error), "{text}");
        }
        let message = EsiIdError::UnknownPrefix(*b"1099999").to_string();
        assert!(message.contains("begins with 1099999") && message.contains("1044372"), "{message}");
        assert!(Tdsp::ALL.iter().all(|tdsp| message.contains(tdsp.prefix())), "{message}");
    }

    #[test]
    fn debug_hides_the_number() {
        let id: EsiId = "10443729900000001".parse().unwrap();
        assert_eq!(format!("{id:?}"), "EsiId(*************0001)");
        assert_eq!(format!("{id}"), "10443729900000001");
    }

    #[test]
    fn buckets_spread() {
        let mut counts = [0u32; 7];
        for number in 0..7_000 {
            let id: EsiId = format!("1044372{number:010}").parse().unwrap();
            counts[id.bucket(7) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (800..1_200).contains(&count)), "{counts:?}");
        let id: EsiId = "10443729900000001".parse().unwrap();
        assert_eq!((id.bucket(0), id.bucket(1)), (0, 0));
    }
}
