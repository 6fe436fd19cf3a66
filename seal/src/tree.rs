//! Key trees over operating days (protocol section 4): a binary GGM tree of depth 15 for each epoch, channel and level.
//!
//! Whoever holds a node derives the keys of the days below it and of no other day. A range of days is handed over as
//! its canonical cover: the fewest nodes that have exactly the days of the range below them.

use crate::{
    cell::Header,
    hash::{keyed, public_hash, Tag},
    secrets::Secret,
    types::{Channel, DayRange, Hash, Level, OperatingDay},
};
use alloc::vec::Vec;
use zeroize::Zeroize;

/// Depth of the leaves; the root has depth 0.
pub const DEPTH: u8 = 15;

/// Last day that a tree has a leaf for: 2089-09-18.
pub const LAST_DAY: OperatingDay = OperatingDay((1 << DEPTH) - 1);

/// Most nodes that a cover of any range has (two for each depth below the root's children, plus both ends).
pub const MAX_COVER: usize = 2 * (DEPTH as usize - 1);

/// The trees end before this day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} lies beyond the key trees, which end on {LAST_DAY}; a later protocol version is needed for it")]
pub struct DayBeyondTree(pub OperatingDay);

fn leaf_index(day: OperatingDay) -> Result<u32, DayBeyondTree> {
    (day <= LAST_DAY).then_some(u32::from(day.0)).ok_or(DayBeyondTree(day))
}

/// Both children of a seed at `depth`, left then right, from one output block.
fn children(seed: &[u8; 32], depth: u8) -> [u8; 64] {
    let mut both = [0; 64];
    let mut hasher = keyed(seed, Tag::TREE_CHILDREN);
    hasher.update(&[depth]);
    hasher.finalize_xof().fill(&mut both);
    both
}

fn half(both: &[u8; 64], right: bool) -> [u8; 32] {
    let mut seed = [0; 32];
    let (left_half, right_half) = both.split_at(32);
    seed.copy_from_slice(if right { right_half } else { left_half });
    seed
}

/// One node of a tree with its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeNode {
    depth: u8,
    index: u32,
    seed: Secret,
}

impl TreeNode {
    /// The root of a tree.
    pub fn root(seed: Secret) -> Self {
        Self { depth: 0, index: 0, seed }
    }

    /// Depth, 0 (root) to 15 (leaf).
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// Position among the nodes of this depth, from 0 at the left.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The seed.
    pub fn seed(&self) -> &Secret {
        &self.seed
    }

    /// The node at (`depth`, `index`), if it is this one or lies below it.
    pub fn node(&self, depth: u8, index: u32) -> Option<Self> {
        let steps = depth.checked_sub(self.depth)?;
        if depth > DEPTH || index.checked_shr(steps.into())? != self.index {
            return None;
        }
        let mut seed = self.seed.clone();
        for step in (0..steps).rev() {
            let mut both = children(seed.expose(), depth - 1 - step);
            seed = Secret::from_bytes(half(&both, (index >> step) & 1 == 1));
            both.zeroize();
        }
        Some(Self { depth, index, seed })
    }

    /// The leaf of a day, if it lies below this node.
    pub fn leaf(&self, day: OperatingDay) -> Option<LeafKey> {
        let leaf = self.node(DEPTH, leaf_index(day).ok()?)?;
        Some(LeafKey(leaf.seed))
    }

    /// The cover of a range of days. `self` must be a root, or have the whole range below it.
    ///
    /// # Errors
    /// [`DayBeyondTree`] if the range does not lie below this node.
    pub fn cover(&self, range: DayRange) -> Result<Cover, DayBeyondTree> {
        let places = cover_places(range)?;
        let nodes: Option<Vec<Secret>> =
            places.iter().map(|(depth, index)| Some(self.node(*depth, *index)?.seed)).collect();
        nodes.map(|nodes| Cover { range, nodes }).ok_or(DayBeyondTree(range.last))
    }
}

/// The canonical cover of a range: (depth, index) of the fewest nodes with exactly these days below them, days ascending.
///
/// # Errors
/// [`DayBeyondTree`] if the range ends after [`LAST_DAY`] (or is not valid: `first > last`).
pub fn cover_places(range: DayRange) -> Result<Vec<(u8, u32)>, DayBeyondTree> {
    let mut first = leaf_index(range.first)?;
    let end = leaf_index(range.last)? + 1;
    if !range.is_valid() {
        return Err(DayBeyondTree(range.first));
    }
    let mut places = Vec::new();
    while first < end {
        // The largest aligned block that begins here and does not pass the end.
        let aligned = first.trailing_zeros().min(DEPTH.into());
        let height = aligned.min((end - first).ilog2());
        places.push((DEPTH - height as u8, first >> height));
        first += 1 << height;
    }
    Ok(places)
}

/// A cover does not have the number of nodes that its range demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoverError {
    /// Junk: refuse the delivery.
    #[error("the keys for {range} must be {expected} tree nodes, not {found}; ask for a new delivery")]
    WrongCount {
        /// The range.
        range: DayRange,
        /// Nodes of its canonical cover.
        expected: usize,
        /// Nodes given.
        found: usize,
    },
    /// The range passes the end of the trees.
    #[error(transparent)]
    Beyond(#[from] DayBeyondTree),
}

/// The keys of a range of days of one tree. The nodes carry no labels: the range says where each belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    range: DayRange,
    nodes: Vec<Secret>,
}

impl Cover {
    /// A cover from received seeds.
    ///
    /// # Errors
    /// [`CoverError`] if the seeds are not exactly as many as the canonical cover has, or the range passes the trees.
    pub fn new(range: DayRange, nodes: Vec<Secret>) -> Result<Self, CoverError> {
        let expected = cover_places(range)?.len();
        if nodes.len() != expected {
            return Err(CoverError::WrongCount { range, expected, found: nodes.len() });
        }
        Ok(Self { range, nodes })
    }

    /// Number of nodes that the cover of a range has: at most [`MAX_COVER`].
    ///
    /// # Errors
    /// [`DayBeyondTree`] if the range ends after [`LAST_DAY`].
    pub fn node_count(range: DayRange) -> Result<usize, DayBeyondTree> {
        cover_places(range).map(|places| places.len())
    }

    /// The days below each node of the cover of a range, ascending.
    ///
    /// # Errors
    /// [`DayBeyondTree`] if the range ends after [`LAST_DAY`].
    pub fn node_ranges(range: DayRange) -> Result<Vec<DayRange>, DayBeyondTree> {
        // Places lie inside the tree, whose days are 15 bits wide.
        let days = |(depth, index): (u8, u32)| {
            let height = DEPTH - depth;
            let first = (index << height) as u16;
            DayRange { first: OperatingDay(first), last: OperatingDay(first | ((1u32 << height) - 1) as u16) }
        };
        Ok(cover_places(range)?.into_iter().map(days).collect())
    }

    /// The days.
    pub fn range(&self) -> DayRange {
        self.range
    }

    /// The seeds, days ascending.
    pub fn nodes(&self) -> &[Secret] {
        &self.nodes
    }

    /// The node that has a day below it.
    pub fn node_above(&self, day: OperatingDay) -> Option<TreeNode> {
        if !self.range.contains(day) {
            return None;
        }
        let leaf = leaf_index(day).ok()?;
        let places = cover_places(self.range).ok()?;
        let above = |(depth, index): &(u8, u32)| leaf >> (DEPTH - depth) == *index;
        let (place, seed) = places.into_iter().zip(&self.nodes).find(|(place, _)| above(place))?;
        Some(TreeNode { depth: place.0, index: place.1, seed: seed.clone() })
    }

    /// The leaf of a day of the range; `None` for every other day. For many days in order use [`LeafWalker`].
    pub fn leaf(&self, day: OperatingDay) -> Option<LeafKey> {
        self.node_above(day)?.leaf(day)
    }
}

/// Derives the leaves below one node and remembers the path to the last one: days in order cost one hash each on average.
pub struct LeafWalker {
    top: TreeNode,
    /// `pairs[d]`: both children of the path's node at depth d; valid from the top's depth on if `last` is set.
    pairs: [[u8; 64]; DEPTH as usize],
    last: Option<u32>,
}

impl LeafWalker {
    /// A walker below `top`.
    pub fn new(top: TreeNode) -> Self {
        Self { top, pairs: [[0; 64]; DEPTH as usize], last: None }
    }

    /// Whether a day lies below the top.
    pub fn has(&self, day: OperatingDay) -> bool {
        leaf_index(day).is_ok_and(|leaf| leaf >> (DEPTH - self.top.depth) == self.top.index)
    }

    /// The leaf of a day below the top; `None` for every other day.
    pub fn leaf(&mut self, day: OperatingDay) -> Option<LeafKey> {
        if !self.has(day) {
            return None;
        }
        if self.top.depth == DEPTH {
            return Some(LeafKey(self.top.seed.clone()));
        }
        let leaf = u32::from(day.0);
        let (mut seed, from) = match self.last {
            Some(last) => {
                // The path is the same as last time down to this node, and so are that node's children.
                let shared = DEPTH - (u32::BITS - (last ^ leaf).leading_zeros()) as u8;
                let parent = shared.min(DEPTH - 1);
                (self.child(parent, leaf), parent + 1)
            }
            None => (*self.top.seed.expose(), self.top.depth),
        };
        for depth in from..DEPTH {
            self.pairs[usize::from(depth)] = children(&seed, depth);
            seed = self.child(depth, leaf);
        }
        self.last = Some(leaf);
        let key = LeafKey(Secret::from_bytes(seed));
        seed.zeroize();
        Some(key)
    }

    fn child(&self, depth: u8, leaf: u32) -> [u8; 32] {
        half(&self.pairs[usize::from(depth)], (leaf >> (DEPTH - 1 - depth)) & 1 == 1)
    }
}

impl Drop for LeafWalker {
    fn drop(&mut self) {
        self.pairs.zeroize();
    }
}

/// X, the key of one day at one level of one epoch and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafKey(Secret);

impl LeafKey {
    /// The pads of a day's words at a level, boundaries ascending: XOF of keyed(X, nonce, channel, level), 8 bytes each.
    pub fn pads(&self, nonce: &[u8; 16], channel: Channel, level: Level, pads: &mut [u64]) {
        let mut hasher = keyed(self.0.expose(), Tag::PADS);
        let mut fields = [0; 18];
        fields[..16].copy_from_slice(nonce);
        fields[16] = channel as u8;
        fields[17] = level as u8;
        hasher.update(&fields);
        let mut output = hasher.finalize_xof();
        let mut bytes = [0; 8 * 80];
        for part in pads.chunks_mut(80) {
            let bytes = &mut bytes[..8 * part.len()];
            output.fill(bytes);
            for (pad, bytes) in part.iter_mut().zip(bytes.chunks_exact(8)) {
                let mut word = [0; 8];
                word.copy_from_slice(bytes);
                *pad = u64::from_le_bytes(word);
            }
        }
    }

    /// The key commitment kc: X, MeterId, epoch, day, kind, channel, level under a public constant (protocol section 4).
    ///
    /// It goes into the section hash and is never stored: only holders of X can check clear words against a chain.
    /// Kind (high half) and channel (low half) share a byte, so that the whole is one block of BLAKE3.
    pub fn commitment(&self, header: &Header, level: Level) -> Hash {
        let bytes = [(header.kind as u8) << 4 | header.channel as u8, level as u8];
        let (epoch, day) = (header.epoch.to_le_bytes(), header.day.0.to_le_bytes());
        public_hash(Tag::KEY_COMMITMENT, &[self.0.expose(), &header.meter.0, &epoch, &day, &bytes])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;

    fn root() -> TreeNode {
        TreeNode::root(Secret::from_bytes([5; 32]))
    }

    fn range(first: u16, last: u16) -> DayRange {
        DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
    }

    #[test]
    fn the_whole_tree_is_covered_by_its_root_and_later_days_are_refused() {
        assert_eq!(cover_places(range(0, LAST_DAY.0)).unwrap(), [(0, 0)]);
        assert_eq!(cover_places(range(1, LAST_DAY.0 - 1)).unwrap().len(), MAX_COVER);
        let beyond = OperatingDay(1 << 15);
        assert_eq!(cover_places(range(5, 1 << 15)), Err(DayBeyondTree(beyond)));
        assert_eq!(root().leaf(beyond), None);
        assert_eq!(LeafWalker::new(root()).leaf(beyond), None);
        let turned = DayRange { first: OperatingDay(2), last: OperatingDay(1) };
        assert!(cover_places(turned).is_err());
        assert!(matches!(
            Cover::new(range(0, 2), alloc::vec![Secret::from_bytes([0; 32])]),
            Err(CoverError::WrongCount { expected: 2, found: 1, .. })
        ));
    }

    proptest! {
        #[test]
        fn a_cover_gives_exactly_its_days(first in 0u16..0x7fff, length in 0u16..800, around in 0u16..40) {
            let last = (first.saturating_add(length)).min(LAST_DAY.0);
            let cover = root().cover(range(first, last)).unwrap();
            prop_assert!(cover.nodes().len() <= MAX_COVER);
            for day in [first, last, first + (last - first) / 2] {
                prop_assert_eq!(cover.leaf(OperatingDay(day)), root().leaf(OperatingDay(day)));
            }
            for day in [first.checked_sub(1 + around), last.checked_add(1 + around)].into_iter().flatten() {
                prop_assert_eq!(cover.leaf(OperatingDay(day)), None);
            }
        }

        #[test]
        fn covers_are_disjoint_complete_and_minimal(first in 0u16..0x7fff, length in 0u16..2000) {
            let last = (first.saturating_add(length)).min(LAST_DAY.0);
            let places = cover_places(range(first, last)).unwrap();
            let mut next = u32::from(first);
            for ((depth, index), days) in places.iter().zip(Cover::node_ranges(range(first, last)).unwrap()) {
                let size = 1u32 << (DEPTH - depth);
                prop_assert_eq!(index * size, next);
                prop_assert_eq!((u32::from(days.first.0), days.len()), (next, size));
                next += size;
            }
            prop_assert_eq!(next, u32::from(last) + 1);
            // Two neighbours that are the children of one node would not be minimal.
            for pair in places.windows(2) {
                prop_assert!(!(pair[0].0 == pair[1].0 && pair[0].1 % 2 == 0 && pair[1].1 == pair[0].1 + 1));
            }
        }

        #[test]
        fn a_walker_agrees_with_direct_derivation(days in proptest::collection::vec(0u16..0x8000, 1..20), depth in 0u8..16) {
            let top = root().node(depth, u32::from(days[0]) >> (DEPTH - depth)).unwrap();
            let mut walker = LeafWalker::new(top.clone());
            for day in days.iter().flat_map(|day| [*day, day ^ 1, day ^ 6]) {
                prop_assert_eq!(walker.leaf(OperatingDay(day)), top.leaf(OperatingDay(day)));
            }
        }
    }
}
