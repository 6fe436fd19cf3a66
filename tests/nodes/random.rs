//! Chance that can be repeated.

/// splitmix64
pub struct Random(u64);

impl Random {
    /// From the seed in WATTSEAL_SEED, or from a new one, which is printed.
    pub fn new(what: &str) -> Self {
        let given = std::env::var("WATTSEAL_SEED").ok().map(|seed| seed.parse().expect("WATTSEAL_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).unwrap();
            u64::from_le_bytes(bytes)
        });
        eprintln!("{what}: WATTSEAL_SEED={seed} gives it again");
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % bound
    }
}
