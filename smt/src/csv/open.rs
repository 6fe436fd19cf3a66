//! Days whose rows are being gathered, within fixed memory.

use crate::{Channel, EsiId, Interval, MeterDay, OperatingDay, Quality, RevisionDate, MAX_INTERVALS, MAX_INTERVAL_WH};
use alloc::{collections::BTreeMap, collections::VecDeque, vec::Vec};
use core::mem::size_of;

/// What one day of the result is known by. The order of fields is the order in which unfinished days are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) esi_id: EsiId,
    pub(super) channel: Channel,
    pub(super) day: OperatingDay,
    pub(super) revision_date: RevisionDate,
}

// One word per interval: the quality in the two high bits (0: no row yet), Wh below.
const NO_ROW: u32 = 0;
const ACTUAL: u32 = 1 << 30;
const ESTIMATED: u32 = 2 << 30;
const MISSING: u32 = 3 << 30;

fn pack(interval: Interval) -> u32 {
    let wh = interval.wh & MAX_INTERVAL_WH;
    match interval.quality {
        Quality::Actual => ACTUAL | wh,
        Quality::Estimated => ESTIMATED | wh,
        Quality::Missing => MISSING,
    }
}

fn unpack(word: u32) -> Interval {
    let wh = word & MAX_INTERVAL_WH;
    match word & MISSING {
        ACTUAL => Interval::actual(wh),
        ESTIMATED => Interval::estimated(wh),
        _ => Interval::MISSING,
    }
}

/// What a row did to its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It gave an interval its value.
    New,
    /// It gave the last interval its value: the day is complete now.
    Completed,
    /// It repeats an earlier row.
    Same,
    /// An earlier row says otherwise.
    Conflict,
}

/// A day in memory.
pub(super) struct Slot {
    key: Key,
    words: [u32; MAX_INTERVALS],
    intervals: u8,
    rows: u8,
}

impl Slot {
    /// Puts a row's value at one interval or, if `second` is given, at the first of the two that is free.
    #[inline]
    pub(super) fn put(&mut self, first: u8, second: Option<u8>, interval: Interval) -> Put {
        let value = pack(interval);
        let mut same = false;
        for index in [Some(first), second].into_iter().flatten() {
            match self.words.get_mut(usize::from(index)) {
                Some(word) if *word == NO_ROW => {
                    *word = value;
                    self.rows += 1;
                    return if self.rows == self.intervals { Put::Completed } else { Put::New };
                }
                Some(word) => same |= *word == value,
                None => {}
            }
        }
        if same {
            Put::Same
        } else {
            Put::Conflict
        }
    }

    /// The day as the caller gets it.
    pub(super) fn to_day(&self) -> MeterDay {
        let Key { esi_id, channel, day, revision_date } = self.key;
        MeterDay {
            esi_id,
            channel,
            day,
            revision_date,
            intervals: self.words.iter().take(usize::from(self.intervals)).map(|&word| unpack(word)).collect(),
            complete: self.rows == self.intervals,
            rows: self.rows,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In this slot, with intervals that have no row yet.
    Open(u32),
    /// Given out, but kept for comparison in this slot.
    Complete(u32),
    /// Given out and forgotten.
    Forgotten,
}

/// Where the rows of a key go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// To this slot.
    Slot(u32),
    /// Nowhere: the day was given out and its values are forgotten.
    Forgotten,
    /// Nowhere: there is no room.
    NoRoom,
}

// A key, its state, and the share of the map's nodes, which are between half and fully used.
const ENTRY_BYTES: usize = (size_of::<Key>() + size_of::<State>()) * 3 / 2 + 8;
const SLOT_BYTES: usize = size_of::<Slot>();
/// Slots are allocated in blocks, so that growing never copies or holds memory twice.
const BLOCK: usize = 64;

/// All days seen so far.
pub(super) struct OpenDays {
    states: BTreeMap<Key, State>,
    blocks: Vec<Vec<Slot>>,
    used: usize,
    /// Slots of complete days, oldest first: their room is taken when there is no other.
    complete: VecDeque<u32>,
    max_slots: usize,
    max_states: usize,
}

impl OpenDays {
    pub(super) fn new(max_bytes: usize) -> Self {
        OpenDays {
            states: BTreeMap::new(),
            blocks: Vec::new(),
            used: 0,
            complete: VecDeque::new(),
            max_slots: (max_bytes / 2 / SLOT_BYTES).max(1),
            max_states: (max_bytes / 2 / ENTRY_BYTES).max(1),
        }
    }

    /// Days remembered.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// The slot of a key; a new one if the key is new.
    pub(super) fn find(&mut self, key: Key, intervals: u8) -> Found {
        match self.states.get(&key) {
            Some(State::Open(slot) | State::Complete(slot)) => return Found::Slot(*slot),
            Some(State::Forgotten) => return Found::Forgotten,
            None => {}
        }
        if self.states.len() >= self.max_states {
            return Found::NoRoom;
        }
        let new = Slot { key, words: [NO_ROW; MAX_INTERVALS], intervals, rows: 0 };
        let index = if self.used < self.max_slots {
            let Ok(index) = u32::try_from(self.used) else { return Found::NoRoom };
            match self.blocks.last_mut() {
                Some(block) if block.len() < BLOCK => block.push(new),
                _ => {
                    let mut block = Vec::with_capacity(BLOCK.min(self.max_slots - self.used));
                    block.push(new);
                    self.blocks.push(block);
                }
            }
            self.used += 1;
            index
        } else {
            let Some(index) = self.complete.pop_front() else { return Found::NoRoom };
            let Some(slot) = self.slot(index) else { return Found::NoRoom };
            let old = core::mem::replace(slot, new).key;
            self.states.insert(old, State::Forgotten);
            index
        };
        self.states.insert(key, State::Open(index));
        Found::Slot(index)
    }

    #[inline]
    pub(super) fn slot(&mut self, index: u32) -> Option<&mut Slot> {
        let index = index as usize;
        self.blocks.get_mut(index / BLOCK).and_then(|block| block.get_mut(index % BLOCK))
    }

    /// Notes that the day of a slot is complete and returns it.
    pub(super) fn complete(&mut self, index: u32) -> Option<MeterDay> {
        let slot = self.slot(index)?;
        let day = slot.to_day();
        let key = slot.key;
        self.states.insert(key, State::Complete(index));
        self.complete.push_back(index);
        Some(day)
    }

    /// Gives out what is unfinished, in the order of keys.
    pub(super) fn finish(mut self, out: &mut dyn FnMut(MeterDay)) {
        for state in core::mem::take(&mut self.states).into_values() {
            if let State::Open(index) = state {
                if let Some(slot) = self.slot(index) {
                    out(slot.to_day());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)] // a panic is a failed test
    use super::*;

    fn key(number: u32) -> Key {
        Key {
            esi_id: format!("1044372{number:010}").parse().unwrap(),
            channel: Channel::Consumption,
            day: OperatingDay(8000),
            revision_date: RevisionDate::NONE,
        }
    }

    #[test]
    fn words() {
        for interval in
            [Interval::actual(0), Interval::actual(MAX_INTERVAL_WH), Interval::estimated(7), Interval::MISSING]
        {
            assert_eq!(unpack(pack(interval)), interval);
            assert_ne!(pack(interval), NO_ROW);
        }
        assert_eq!(unpack(NO_ROW), Interval::MISSING);
    }

    #[test]
    fn room_of_complete_days_is_taken_and_open_days_stay() {
        let mut days = OpenDays::new(2 * 40 * SLOT_BYTES);
        assert_eq!((days.max_slots, days.max_states > 200), (40, true));
        for number in 0..200 {
            let Found::Slot(index) = days.find(key(number), 96) else { panic!("no room for {number}") };
            if number % 20 != 0 {
                for interval in 0..95 {
                    assert_eq!(days.slot(index).unwrap().put(interval, None, Interval::actual(number)), Put::New);
                }
                assert_eq!(days.slot(index).unwrap().put(95, None, Interval::actual(number)), Put::Completed);
                assert_eq!(days.complete(index).unwrap().total_wh(), 96 * u64::from(number));
            }
        }
        assert_eq!(days.find(key(1), 96), Found::Forgotten);
        assert!(matches!(days.find(key(199), 96), Found::Slot(_)));
        let mut open = Vec::new();
        days.finish(&mut |day| open.push(day.esi_id));
        assert_eq!(open, (0..200).step_by(20).map(|number| key(number).esi_id).collect::<Vec<_>>());
    }

    #[test]
    fn no_room() {
        let mut days = OpenDays::new(2 * 10 * SLOT_BYTES);
        for number in 0..10 {
            assert!(matches!(days.find(key(number), 96), Found::Slot(_)));
        }
        assert_eq!(days.find(key(10), 96), Found::NoRoom);
        assert!(matches!(days.find(key(3), 96), Found::Slot(_)));
        let mut days = OpenDays::new(0);
        assert!(matches!(days.find(key(0), 96), Found::Slot(_)));
        assert_eq!(days.find(key(1), 96), Found::NoRoom);
    }
}
