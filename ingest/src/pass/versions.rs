//! Which version of a day is the newest: the index of what is on chain, and above it what this pass has sealed.

use crate::{records::DayVersion, shelf::Shelf};
use alloc::{collections::BTreeMap, vec::Vec};
use sealed_register::{Channel, MeterId, OperatingDay};

/// Most versions that are kept decoded, 16 bytes each.
const MAX_CACHED: usize = 1 << 18;

/// What to do with a day (protocol section 5, "Amendment"), as far as digests can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The day is new.
    First,
    /// Seal as this revision.
    Amend {
        /// The next revision.
        revision: u16,
    },
    /// The values are the sealed ones.
    Same,
    /// The REVISION_DATE is earlier than the sealed one.
    Older,
    /// Other values with the same REVISION_DATE or with none, or intervals missing in a later version (part of a day never
    /// takes sealed values away), or no revision is left.
    Held,
}

/// Decides about readings with this REVISION_DATE (minutes since 2000-01-01, 0 = none) and digest
/// ([`crate::bridge::clear_digest`]), `short` if intervals are missing in them.
pub fn decide(newest: Option<&DayVersion>, revision_date: u32, digest: [u8; 8], short: bool) -> Verdict {
    let Some(newest) = newest else { return Verdict::First };
    if newest.digest == digest {
        return Verdict::Same;
    }
    if revision_date != 0 && revision_date < newest.revision_date {
        return Verdict::Older;
    }
    match newest.revision.checked_add(1) {
        Some(revision) if revision_date > newest.revision_date && !short => Verdict::Amend { revision },
        _ => Verdict::Held,
    }
}

/// A version that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The version.
    pub version: DayVersion,
    /// Whether it was sealed in this pass, so that no chain evidence of it exists.
    pub of_this_pass: bool,
}

/// The versions of all days.
#[derive(Debug, Default)]
pub struct Versions {
    /// Indexes read so far, days ascending.
    cache: BTreeMap<(MeterId, Channel), Vec<DayVersion>>,
    /// Versions in the cache.
    cached: usize,
    /// What this pass has sealed.
    sealed: BTreeMap<(MeterId, Channel, OperatingDay), DayVersion>,
}

impl Versions {
    /// The newest version of a day.
    pub fn newest(
        &mut self,
        shelf: &impl Shelf,
        meter: &MeterId,
        channel: Channel,
        day: OperatingDay,
    ) -> Option<Known> {
        if let Some(version) = self.sealed.get(&(*meter, channel, day)) {
            return Some(Known { version: *version, of_this_pass: true });
        }
        let days = self.index(shelf, meter, channel);
        let at = days.binary_search_by_key(&day, |version| version.day).ok()?;
        days.get(at).map(|version| Known { version: *version, of_this_pass: false })
    }

    /// Remembers what this pass has sealed.
    pub fn add(&mut self, meter: &MeterId, channel: Channel, version: DayVersion) {
        self.sealed.insert((*meter, channel, version.day), version);
    }

    fn index(&mut self, shelf: &impl Shelf, meter: &MeterId, channel: Channel) -> &[DayVersion] {
        let key = (*meter, channel);
        if !self.cache.contains_key(&key) {
            let mut days = shelf.stream(meter, channel).days;
            // The writer's order is not this reader's to trust.
            days.sort_by_key(|version| (version.day, version.revision));
            days.dedup_by(|later, earlier| {
                let same = later.day == earlier.day;
                if same {
                    *earlier = *later;
                }
                same
            });
            if self.cached.saturating_add(days.len()) > MAX_CACHED {
                self.cache.clear();
                self.cached = 0;
            }
            self.cached = self.cached.saturating_add(days.len());
            self.cache.insert(key, days);
        }
        self.cache.get(&key).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_decide_about_other_values() {
        let newest = DayVersion { day: OperatingDay(1), revision: 3, revision_date: 100, digest: [1; 8] };
        assert_eq!(decide(None, 0, [1; 8], false), Verdict::First);
        for date in [0, 99, 100, 101] {
            assert_eq!(decide(Some(&newest), date, [1; 8], false), Verdict::Same);
        }
        assert_eq!(decide(Some(&newest), 101, [2; 8], false), Verdict::Amend { revision: 4 });
        assert_eq!(decide(Some(&newest), 100, [2; 8], false), Verdict::Held);
        assert_eq!(decide(Some(&newest), 99, [2; 8], false), Verdict::Older);
        assert_eq!(decide(Some(&newest), 0, [2; 8], false), Verdict::Held);
        // Part of a day takes nothing away, whatever its date.
        assert_eq!(decide(Some(&newest), 101, [2; 8], true), Verdict::Held);
        assert_eq!(decide(Some(&newest), 99, [2; 8], true), Verdict::Older);
        let undated = DayVersion { revision_date: 0, ..newest };
        assert_eq!(decide(Some(&undated), 0, [2; 8], false), Verdict::Held);
        assert_eq!(decide(Some(&undated), 1, [2; 8], false), Verdict::Amend { revision: 4 });
        let last = DayVersion { revision: u16::MAX, ..newest };
        assert_eq!(decide(Some(&last), 101, [2; 8], false), Verdict::Held);
    }
}
