//! Names of things in the vault, as errors and keys use them.

use sealed_register::{shard::ShardId, Channel, MeterId, OperatingDay, OrganisationId};
use std::fmt;

/// One batch of one shard of one utility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchName {
    /// The utility that measures.
    pub utility: OrganisationId,
    /// Its shard.
    pub shard: ShardId,
    /// Number of the batch in the shard, from 0.
    pub sequence: u32,
}

impl fmt::Display for BatchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch {} of shard {} of {}", self.sequence, self.shard, self.utility)
    }
}

/// One cell: the `sequence`th of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The channel.
    pub channel: Channel,
    /// Number in the stream, from 0.
    pub sequence: u32,
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = match self.channel {
            Channel::Consumption => "consumption",
            Channel::Generation => "generation",
        };
        write!(f, "cell {} of meter {} ({channel}) of {}", self.sequence, self.meter, self.utility)
    }
}

/// Length of a cell's key, bytes.
pub(crate) const CELL_KEY: usize = 16 + 16 + 1 + 4;
/// Length of a batch's key, bytes.
pub(crate) const BATCH_KEY: usize = 16 + 2 + 4;
/// Length of a shard's key, bytes.
pub(crate) const SHARD_KEY: usize = 16 + 2;
/// Length of the key of a stream's day, bytes.
pub(crate) const DAY_KEY: usize = 16 + 16 + 1 + 2;

/// Puts parts, which are as long as the whole, one after the other. Numbers go in big-endian, so that keys sort by
/// them.
pub(crate) fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    debug_assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), N);
    let mut key = [0; N];
    key.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(place, byte)| *place = *byte);
    key
}

impl CellKey {
    pub(crate) fn bytes(&self) -> [u8; CELL_KEY] {
        let Self { utility, meter, channel, sequence } = self;
        join(&[utility.padded(), &meter.0, &[*channel as u8], &sequence.to_be_bytes()])
    }

    /// The name that a key stands for; `None` if no such key is ever written.
    pub(crate) fn parse(key: &[u8; CELL_KEY]) -> Option<Self> {
        let (utility, rest) = key.split_first_chunk::<16>()?;
        let (meter, rest) = rest.split_first_chunk::<16>()?;
        let (channel, sequence) = rest.split_first()?;
        Some(Self {
            utility: organisation(utility)?,
            meter: MeterId(*meter),
            channel: Channel::from_byte(*channel)?,
            sequence: u32::from_be_bytes(sequence.try_into().ok()?),
        })
    }
}

impl BatchName {
    pub(crate) fn bytes(&self) -> [u8; BATCH_KEY] {
        join(&[self.utility.padded(), &self.shard.0.to_be_bytes(), &self.sequence.to_be_bytes()])
    }
}

pub(crate) fn shard_key(utility: &OrganisationId, shard: ShardId) -> [u8; SHARD_KEY] {
    join(&[utility.padded(), &shard.0.to_be_bytes()])
}

pub(crate) fn parse_shard_key(key: &[u8; SHARD_KEY]) -> Option<(OrganisationId, ShardId)> {
    let (utility, shard) = key.split_first_chunk::<16>()?;
    Some((organisation(utility)?, ShardId(u16::from_be_bytes(shard.try_into().ok()?))))
}

pub(crate) fn day_key(utility: &OrganisationId, meter: &MeterId, channel: Channel, day: OperatingDay) -> [u8; DAY_KEY] {
    join(&[utility.padded(), &meter.0, &[channel as u8], &day.0.to_be_bytes()])
}

/// The first and the last MeterId of a shard: its number, and then anything.
pub(crate) fn meters_of_shard(shard: ShardId, bits: u8) -> (MeterId, MeterId) {
    let free = 16_u32.saturating_sub(bits.into());
    let first = shard.0.checked_shl(free).unwrap_or(0);
    let last = first | u16::MAX.checked_shr(bits.into()).unwrap_or(0);
    let (mut low, mut high) = ([0; 16], [0xff; 16]);
    let [a, b, ..] = &mut low;
    [*a, *b] = first.to_be_bytes();
    let [a, b, ..] = &mut high;
    [*a, *b] = last.to_be_bytes();
    (MeterId(low), MeterId(high))
}

fn organisation(padded: &[u8; 16]) -> Option<OrganisationId> {
    let length = padded.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    OrganisationId::from_bytes(padded.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use proptest::prelude::*;
    use sealed_register::shard::shard_of;

    proptest! {
        #[test]
        fn keys_parse_back_and_sort_by_number(meter: [u8; 16], sequence: u32, shard: u16, generation: bool) {
            let utility = OrganisationId::new("oncor").unwrap();
            let channel = if generation { Channel::Generation } else { Channel::Consumption };
            let cell = CellKey { utility, meter: MeterId(meter), channel, sequence };
            prop_assert_eq!(CellKey::parse(&cell.bytes()), Some(cell));
            let next = CellKey { sequence: sequence.saturating_add(1), ..cell };
            prop_assert!(cell.bytes() <= next.bytes());
            let batch = BatchName { utility, shard: ShardId(shard), sequence };
            prop_assert_eq!(&batch.bytes()[..SHARD_KEY], shard_key(&utility, ShardId(shard)));
            prop_assert_eq!(parse_shard_key(&shard_key(&utility, ShardId(shard))), Some((utility, ShardId(shard))));
        }

        #[test]
        fn a_shard_is_a_range_of_meters(meter: [u8; 16], bits in 0_u8..=16) {
            let meter = MeterId(meter);
            let (low, high) = meters_of_shard(shard_of(&meter, bits), bits);
            prop_assert!(low <= meter && meter <= high);
            prop_assert_eq!(shard_of(&low, bits), shard_of(&meter, bits));
            prop_assert_eq!(shard_of(&high, bits), shard_of(&meter, bits));
        }
    }
}
