//! What sealing must know of the chain: the state of one block.

use crate::BlockNumber;
use sealed_register::{Channels, Hash, MeterId, OperatingDay};

/// Greatest energy of one interval of a home, Wh: 200 kW for a quarter of an hour, four times a 200 A service at 240 V.
pub const RESIDENTIAL_WH: u32 = 50_000;
/// The same for small commercial meters.
pub const SMALL_COMMERCIAL_WH: u32 = 1_000_000;
/// The same for all others.
pub const LARGE_COMMERCIAL_WH: u32 = 1_000_000_000;

/// A shard's newest batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardTip {
    /// Number of batches so far: the next one's sequence.
    pub next_sequence: u32,
    /// Root after the newest batch.
    pub root: Hash,
}

/// A registered tenancy of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterState {
    /// Greatest energy of one interval, Wh, by class: more is refused.
    pub max_wh_per_interval: u32,
    /// Channels that the meter records.
    pub channels: Channels,
    /// First day of the tenancy.
    pub first: OperatingDay,
    /// Its last day, once it has ended.
    pub last: Option<OperatingDay>,
}

/// The state of one block, as far as it concerns one utility's sealing.
pub trait ChainState {
    /// A shard's newest batch.
    fn shard(&self, shard: u16) -> ShardTip;

    /// A meter; nothing if it is not registered.
    fn meter(&self, meter: &MeterId) -> Option<MeterState>;

    /// A meter's key epoch in the state of an earlier block; nothing if it was not registered then.
    fn epoch_at(&self, meter: &MeterId, block: BlockNumber) -> Option<u32>;
}
