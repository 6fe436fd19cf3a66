//! Opening cells: the keys that a reader holds, and what comes out (protocol sections 3, 4, 6).

use crate::{
    cell::{section_hash, Header, Kind, SealedCell, Status},
    secrets::MeterKey,
    tree::{Cover, LeafKey, LeafWalker},
    types::{Channel, DayReadings, Hash, Intervals, Level, OperatingDay, Quality, Reading},
    word::{boundaries, section_len, BoundaryTotal},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// The keys of one MeterId that a reader holds: meter keys (open everything of their generation) and granted covers.
///
/// A keyring should hold keys of one origin: what a stranger delivers is tried on a keyring of its own first
/// ([`Keyring::matches`]), since of two covers for the same days the earlier added is used.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    meter_keys: BTreeMap<u16, MeterKey>,
    covers: BTreeMap<(Channel, Level, u32), Vec<Cover>>,
}

impl Keyring {
    /// A keyring without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keyring of a customer or utility: opens everything of the meter in the key's generation.
    pub fn from_meter_key(key: MeterKey) -> Self {
        let mut keyring = Self::new();
        keyring.add_meter_key(key);
        keyring
    }

    /// Adds the meter's key of a generation.
    pub fn add_meter_key(&mut self, key: MeterKey) {
        self.meter_keys.insert(key.generation(), key);
    }

    /// Adds the keys of a range of days at exactly one level of one epoch. A grant of a level has a cover for each
    /// level that it includes.
    pub fn add_cover(&mut self, channel: Channel, level: Level, epoch: u32, cover: Cover) {
        self.covers.entry((channel, level, epoch)).or_default().push(cover);
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.meter_keys.is_empty() && self.covers.is_empty()
    }

    /// The leaf key of a cell at one level, if held.
    pub fn leaf(&self, header: &Header, level: Level) -> Option<LeafKey> {
        if let Some(key) = self.meter_keys.get(&header.generation) {
            return key.epoch_key(header.epoch).tree_root(header.channel, level).leaf(header.day);
        }
        self.cover(header, level).and_then(|cover| cover.leaf(header.day))
    }

    /// The key commitment of a cell at one level, if the key is held. For many days in order use a [`Cursor`].
    pub fn kc(&self, header: &Header, level: Level) -> Option<Hash> {
        self.leaf(header, level).map(|leaf| leaf.commitment(header, level))
    }

    /// The finest level at which a cell can be opened, if any: the keys of all coarser levels are held too.
    pub fn level(&self, header: &Header) -> Option<Level> {
        if self.meter_keys.contains_key(&header.generation) {
            return Some(Level::Quarter);
        }
        Level::ALL.into_iter().take_while(|level| self.cover(header, *level).is_some()).last()
    }

    /// Whether the key for this cell at this level is held and is the one that the cell was sealed with.
    ///
    /// This is the test of a delivery (protocol section 8): one cell per segment and tree.
    pub fn matches(&self, cell: &SealedCell, level: Level) -> bool {
        let section = |kc| section_hash(&kc, cell.header.channel, level, cell.words(level));
        cell.header.has_words() && self.kc(&cell.header, level).map(section) == Some(*cell.section(level))
    }

    /// A cursor, which remembers tree paths: days in order then cost about one hash per level.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { keyring: self, walkers: BTreeMap::new() }
    }

    fn cover(&self, header: &Header, level: Level) -> Option<&Cover> {
        let covers = self.covers.get(&(header.channel, level, header.epoch))?;
        covers.iter().find(|cover| cover.range().contains(header.day))
    }
}

/// Derives keys from a [`Keyring`] and remembers the tree paths of the last days.
pub struct Cursor<'a> {
    keyring: &'a Keyring,
    walkers: BTreeMap<(Channel, Level), ((Option<u16>, u32), LeafWalker)>,
}

impl Cursor<'_> {
    /// The keyring.
    pub fn keyring(&self) -> &Keyring {
        self.keyring
    }

    /// The leaf key of a cell at one level, if held.
    pub fn leaf(&mut self, header: &Header, level: Level) -> Option<LeafKey> {
        let by_meter_key = self.keyring.meter_keys.get(&header.generation);
        // Granted covers know nothing of generations: all their cells of an epoch share one walker.
        let tree = (by_meter_key.map(MeterKey::generation), header.epoch);
        let place = (header.channel, level);
        if let Some((held, walker)) = self.walkers.get_mut(&place) {
            if *held == tree && walker.has(header.day) {
                return walker.leaf(header.day);
            }
        }
        let top = match by_meter_key {
            Some(key) => key.epoch_key(header.epoch).tree_root(header.channel, level),
            None => self.keyring.cover(header, level)?.node_above(header.day)?,
        };
        let mut walker = LeafWalker::new(top);
        let leaf = walker.leaf(header.day);
        self.walkers.insert(place, (tree, walker));
        leaf
    }

    /// The key commitment of a cell at one level, if the key is held.
    pub fn kc(&mut self, header: &Header, level: Level) -> Option<Hash> {
        self.leaf(header, level).map(|leaf| leaf.commitment(header, level))
    }
}
