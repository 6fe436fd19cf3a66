//! A binary tree of keys that derives its leaves in order at about two steps each.

/// How the children of a node follow from it.
pub trait Node: Copy {
    /// Left and right child of a node at this depth.
    fn children(self, depth: u8) -> [Self; 2];
}

/// The leaves of a tree of depth `DEPTH`, with the path to the last one.
pub struct Walker<N, const DEPTH: usize> {
    root: N,
    children: [[N; 2]; DEPTH],
    last: Option<u32>,
}

impl<N: Node, const DEPTH: usize> Walker<N, DEPTH> {
    /// A tree.
    pub fn new(root: N) -> Self {
        Self { root, children: [[root; 2]; DEPTH], last: None }
    }

    /// The leaf at an index below 2^`DEPTH`.
    pub fn leaf(&mut self, index: u32) -> N {
        let bit = |depth: usize| (index >> (DEPTH - 1 - depth)) as usize & 1;
        // Down to where the paths part, the children are those of last time.
        let same = match self.last {
            Some(last) => (DEPTH + 1).saturating_sub((u32::BITS - (last ^ index).leading_zeros()) as usize).min(DEPTH),
            None => 0,
        };
        let mut node = match same {
            0 => self.root,
            depth => self.children[depth - 1][bit(depth - 1)],
        };
        for depth in same..DEPTH {
            self.children[depth] = node.children(depth as u8);
            node = self.children[depth][bit(depth)];
        }
        self.last = Some(index);
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node is its own place.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Place(u8, u32);

    impl Node for Place {
        fn children(self, depth: u8) -> [Self; 2] {
            assert_eq!(self.0, depth);
            [Place(depth + 1, 2 * self.1), Place(depth + 1, 2 * self.1 + 1)]
        }
    }

    #[test]
    fn leaves_are_where_they_belong() {
        let mut walker = Walker::<_, 5>::new(Place(0, 0));
        for index in (0..32).chain([5, 5, 31, 0, 16, 15]) {
            assert_eq!(walker.leaf(index), Place(5, index));
        }
    }
}
