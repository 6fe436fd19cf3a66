//! The calendar of operating days as it stands on chain.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sealed_register::{Intervals, OperatingDay};

/// Most days of each length in the table.
pub const MAX_DAYS: u32 = 256;

/// First year of the present rule of daylight-saving time (Energy Policy Act of 2005).
const FIRST_YEAR: i32 = 2007;
/// Last year that the key trees reach wholly (they end on 2089-09-18; its spring day still counts).
const LAST_YEAR: i32 = 2089;

/// The days that have not 96 intervals. Both lists ascend and share no day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CalendarDays {
    /// Days of 92 intervals (the clocks go forward).
    pub short: BoundedVec<OperatingDay, ConstU32<MAX_DAYS>>,
    /// Days of 100 intervals (the clocks go back).
    pub long: BoundedVec<OperatingDay, ConstU32<MAX_DAYS>>,
}

impl CalendarDays {
    /// The table, if both lists ascend strictly, share no day and are not too long.
    pub fn new(short: &[OperatingDay], long: &[OperatingDay]) -> Option<Self> {
        let ascend = |days: &[OperatingDay]| days.is_sorted_by(|day, next| day < next);
        let disjoint = short.iter().all(|day| long.binary_search(day).is_err());
        if !ascend(short) || !ascend(long) || !disjoint {
            return None;
        }
        Some(Self { short: short.to_vec().try_into().ok()?, long: long.to_vec().try_into().ok()? })
    }

    /// The days by rule: second Sunday of March, first Sunday of November, 2007 to 2089.
    pub fn by_rule() -> (Vec<OperatingDay>, Vec<OperatingDay>) {
        let sunday = |year: i32, month: u32, number: u32| {
            // 2000-01-02 was a Sunday, so days divided by 7 leave 1 on Sundays.
            (1 + 7 * (number - 1)..=7 * number)
                .filter_map(|day| OperatingDay::from_ymd(year, month, day))
                .find(|day| day.0 % 7 == 1)
        };
        let years = FIRST_YEAR..=LAST_YEAR;
        let short = years.clone().filter_map(|year| sunday(year, 3, 2)).collect();
        (short, years.filter_map(|year| sunday(year, 11, 1)).collect())
    }

    /// Number of intervals of a day.
    pub fn intervals(&self, day: OperatingDay) -> Intervals {
        if self.short.binary_search(&day).is_ok() {
            Intervals::Short
        } else if self.long.binary_search(&day).is_ok() {
            Intervals::Long
        } else {
            Intervals::Normal
        }
    }
}

/// Days as dates (`2026-03-08`) in a chain specification, where people read them.
pub mod dates {
    use alloc::{
        string::{String, ToString},
        vec::Vec,
    };
    use sealed_register::OperatingDay;
    use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

    /// Writes dates.
    ///
    /// # Errors
    /// As the serializer says.
    pub fn serialize<S: Serializer>(days: &[OperatingDay], serializer: S) -> Result<S::Ok, S::Error> {
        days.iter().map(ToString::to_string).collect::<Vec<String>>().serialize(serializer)
    }

    /// Reads dates.
    ///
    /// # Errors
    /// If one is no date of the form `2026-03-08`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OperatingDay>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
