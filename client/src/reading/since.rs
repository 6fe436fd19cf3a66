//! What is new since an earlier fetch. A cursor names the cell up to which each stream was verified then. The next fetch
//! asks for days that reach back to that cell, so its proof has every later cell, under the newest root as always: none
//! can be withheld. It must also show the cell itself in its place, so nothing that was verified before is undone.

use super::Wanted;
use crate::{
    links::{base64url, from_base64url},
    ClientError, Result,
};
use codec::{Decode, DecodeAll, Encode};
use sealed_register::{statement::Word, verified::CellPlace, Channel, DayRange, Hash, Level, OperatingDay};
use std::{collections::BTreeSet, fmt, str::FromStr};

const PREFIX: &str = "wattseal:cursor/";

/// Longest cursor, characters: two marks need about 220.
const MAX_TEXT: usize = 512;

/// Where a fetch left off. To others it is a text: `wattseal:cursor/...`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    /// The consent under which was read.
    pub consent: Hash,
    level: Level,
    range: DayRange,
    marks: Vec<Mark>,
}

/// The newest cell of a stream that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Mark {
    channel: Channel,
    sequence: u32,
    hash: Hash,
    /// Greatest operating day of the stream up to this cell.
    high: OperatingDay,
}

impl Cursor {
    /// The cursor after a fetch.
    pub(super) fn new(consent: Hash, wanted: &Wanted, marks: Vec<Mark>) -> Self {
        Self { consent, level: wanted.level, range: wanted.range, marks }
    }

    /// The channel's mark, and the days to ask for so that the proof reaches back to it; nothing where all days are new:
    /// nothing of them was fetched before, or at another resolution.
    pub(super) fn resume(&self, channel: Channel, wanted: &Wanted) -> Option<(Mark, DayRange)> {
        let mark = self.marks.iter().find(|mark| mark.channel == channel)?;
        let (range, known) = (wanted.range, self.range);
        let reaches_back = known.contains(range.first) && range.first <= mark.high;
        let first = mark.high.min(range.last).min(OperatingDay(known.last.0.saturating_add(1)));
        (self.level == wanted.level && reaches_back).then_some(())?;
        Some((*mark, DayRange::new(first.max(range.first), range.last)?))
    }

    /// Whether a day was fetched before.
    pub(super) fn has(&self, day: OperatingDay) -> bool {
        self.range.contains(day)
    }
}

impl Mark {
    /// The mark after an answer: its newest cell.
    pub(super) fn of(channel: Channel, cells: &[CellPlace]) -> Option<Self> {
        let CellPlace { sequence, high, hash, .. } = *cells.last()?;
        Some(Self { channel, sequence, hash, high })
    }

    /// Days of which an answer has later cells than this one.
    ///
    /// # Errors
    /// [`ClientError::Root`] if the answer's history does not contain this cell.
    pub(super) fn later_days(&self, cells: &[CellPlace]) -> Result<BTreeSet<OperatingDay>> {
        let (channel, sequence) = (self.channel.word(), self.sequence);
        match cells.iter().find(|cell| cell.sequence == sequence) {
            Some(cell) if cell.hash == self.hash => {
                Ok(cells.iter().filter(|cell| cell.sequence > sequence).map(|cell| cell.day).collect())
            }
            Some(_) => Err(ClientError::Root(format!(
                "cell {sequence} of {channel} was verified by the fetch that gave the cursor, and here stands another one \
                 in its place: two histories under finalised roots. Keep both exports and tell the council"
            ))),
            None => Err(ClientError::Root(format!(
                "this answer ends before cell {sequence} of {channel}, which the fetch that gave the cursor verified: the \
                 vault serves an old state; ask another vault"
            ))),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", base64url(&self.encode()))
    }
}

impl FromStr for Cursor {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self> {
        let damaged = || ClientError::Link(format!("no cursor: hand over the whole text that begins with {PREFIX}"));
        let encoded = text.trim().strip_prefix(PREFIX).filter(|text| text.len() <= MAX_TEXT).ok_or_else(damaged)?;
        let bytes = from_base64url(encoded).ok_or_else(damaged)?;
        let cursor = Self::decode_all(&mut bytes.as_slice()).map_err(|_| damaged())?;
        match cursor.range.first <= cursor.range.last {
            true => Ok(cursor),
            false => Err(damaged()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;
    use sealed_register::Channels;

    fn days(first: u16, last: u16) -> DayRange {
        DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
    }

    fn wanted(first: u16, last: u16) -> Wanted {
        Wanted { channels: Channels::Consumption, range: days(first, last), level: Level::Day }
    }

    fn cursor(high: u16) -> Cursor {
        let mark = Mark { channel: Channel::Consumption, sequence: 7, hash: [7; 32], high: OperatingDay(high) };
        Cursor::new([1; 32], &wanted(10, 20), vec![mark])
    }

    #[test]
    fn a_cursor_is_a_text_and_damaged_ones_are_refused() {
        let text = cursor(18).to_string();
        assert_eq!(text.parse::<Cursor>().unwrap(), cursor(18));
        for damaged in
            ["", "wattseal:cursor/", &text[..text.len() - 2], &format!("{text}AAAA"), &text["wattseal:".len()..]]
        {
            assert!(matches!(damaged.parse::<Cursor>(), Err(ClientError::Link(_))), "{damaged}");
        }
    }

    #[test]
    fn the_days_asked_for_reach_back_to_the_mark() {
        let resume =
            |high, first, last| cursor(high).resume(Channel::Consumption, &wanted(first, last)).map(|(_, days)| days);
        assert_eq!(resume(18, 10, 25), Some(days(18, 25)));
        // Days beyond the mark's that were published before, but not fetched.
        assert_eq!(resume(90, 10, 100), Some(days(21, 100)));
        assert_eq!(resume(18, 10, 12), Some(days(12, 12)));
        // Earlier days than before, none of the range published before, another resolution, another channel.
        assert_eq!(resume(18, 9, 20), None);
        assert_eq!(resume(12, 13, 20), None);
        let finer = Wanted { level: Level::Hour, ..wanted(10, 20) };
        assert_eq!(cursor(18).resume(Channel::Consumption, &finer), None);
        assert_eq!(cursor(18).resume(Channel::Generation, &wanted(10, 20)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_cursor_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let text = format!("{PREFIX}{}", base64url(&bytes));
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
