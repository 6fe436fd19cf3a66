//! Collecting and testing delivered keys (protocol section 8).

use crate::{
    chain::{types::DeliverySlot, Chain},
    node_rpc::{Sealed, MAX_SEGMENTS},
    reading::{Known, Reader},
    ClientError, Result,
};
use sealed_register::{
    delivery::{delivery_hash, sample_days, Delivery, DeliveryError},
    DayRange, Keyring, Level,
};
use std::collections::BTreeMap;

/// How many places of an extrinsic are tried: sealed bytes fill it but for signature and a few fields.
const MAX_PLACES: usize = 256;

/// What sealed bytes begin with: keys of a consent, key of a meter.
const MAGICS: [&[u8]; 2] = [b"wsd1", b"wsk1"];

/// The sealed bytes that the chain's state names: taken from the block's body, or where the node has dropped that, from
/// what it hands out. Only bytes of the length and hash in `slot` are accepted.
///
/// # Errors
/// [`ClientError::NotYet`] (the node has neither), [`ClientError::Answer`] for other bytes than the chain's.
pub(crate) async fn sealed_bytes(
    chain: &Chain,
    slot: &DeliverySlot,
    handed_out: impl AsyncFnOnce() -> Result<Option<Sealed>>,
) -> Result<Vec<u8>> {
    let block = chain.canonical(slot.block).await?;
    if let Some(extrinsic) = chain.rpc().extrinsic(&block.hash, slot.extrinsic).await? {
        if let Some(bytes) = find(&extrinsic, slot) {
            return Ok(bytes.to_vec());
        }
    }
    let Some(Sealed { bytes, .. }) = handed_out().await? else {
        let (url, block) = (chain.url(), slot.block);
        return Err(ClientError::NotYet(format!("{url} cannot find the delivery in block {block}; ask another node")));
    };
    match is_it(&bytes, slot) {
        true => Ok(bytes),
        false => Err(ClientError::Answer {
            method: "wattseal_sealed",
            problem: "these are not the bytes whose hash stands on chain".into(),
        }),
    }
}

fn is_it(bytes: &[u8], slot: &DeliverySlot) -> bool {
    bytes.len() == slot.length as usize && delivery_hash(bytes) == slot.hash
}

/// The window of the slot's length and hash in an extrinsic (protocol section 8): no metadata is needed.
fn find<'a>(extrinsic: &'a [u8], slot: &DeliverySlot) -> Option<&'a [u8]> {
    let length = (slot.length > 0).then_some(slot.length as usize)?;
    let begins = |window: &&[u8]| MAGICS.iter().any(|magic| window.starts_with(magic));
    extrinsic.windows(length).filter(begins).take(MAX_PLACES).find(|window| is_it(window, slot))
}

/// Which days a meter's channels have under each key epoch, by cells that are proved.
pub(crate) type Epochs = BTreeMap<u32, DayRange>;

impl Reader<'_> {
    /// The epochs under which the newest and older cells of `range` are sealed, from headers alone.
    ///
    /// # Errors
    /// As [`Reader::ask`].
    pub(crate) async fn epochs(&self, channels: sealed_register::Channels, range: DayRange) -> Result<Epochs> {
        let mut epochs = Epochs::new();
        for channel in channels.iter() {
            let answer = self.ask(channel, range, Level::Day, &[], &Keyring::new()).await?;
            let Known::Cells(cells) = &answer.known else { continue };
            for day in range.iter() {
                for cell in cells.revisions(day).iter().filter(|cell| cell.header().has_words()) {
                    let single = DayRange { first: day, last: day };
                    let known = epochs.entry(cell.header().epoch).or_insert(single);
                    *known = DayRange { first: known.first.min(day), last: known.last.max(day) };
                }
            }
        }
        Ok(epochs)
    }

    /// Tests a delivery's keys on one cell for each node of each tree that has one. Gives whether every segment had a cell to
    /// test; segments of the present epoch often have none yet.
    ///
    /// # Errors
    /// [`ClientError::Unverified`] names the first key that is not the one that sealed; as [`Reader::ask`].
    pub(crate) async fn test_keys(&self, delivery: &Delivery, level: Level, data: DayRange) -> Result<bool> {
        let keyring = delivery.keyring();
        let mut channels: Vec<_> = delivery.trees.iter().map(|tree| tree.channel).collect();
        channels.sort();
        channels.dedup();
        let mut all = true;
        for channel in channels {
            let answer = self.ask(channel, data, Level::Day, &[], &Keyring::new()).await?;
            let Known::Cells(cells) = &answer.known else {
                all = false;
                continue;
            };
            let samples = sample_days(&delivery.segments, cells).map_err(DeliveryError::from)?;
            all &= delivery.segments.iter().all(|segment| samples.iter().any(|sample| sample.epoch == segment.epoch));
            for some in samples.chunks(MAX_SEGMENTS) {
                self.ask(channel, data, level, some, &keyring).await?;
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealed_register::delivery::Deliverer;

    fn slot(bytes: &[u8]) -> DeliverySlot {
        DeliverySlot {
            block: 7,
            extrinsic: 1,
            length: u32::try_from(bytes.len()).unwrap_or_default(),
            hash: delivery_hash(bytes),
            deliverer: Deliverer::Utility,
        }
    }

    #[test]
    fn sealed_bytes_are_found_wherever_they_stand_and_nothing_else_is() {
        for magic in ["wsd1", "wsk1"] {
            let sealed = [magic.as_bytes(), &[7; 300]].concat();
            let slot = slot(&sealed);
            for (before, after) in [(0, 0), (1, 5), (150, 0)] {
                let extrinsic = [vec![9; before], sealed.clone(), vec![1; after]].concat();
                assert_eq!(find(&extrinsic, &slot), Some(sealed.as_slice()));
            }
            let altered = [magic.as_bytes(), &[8; 300]].concat();
            assert_eq!(find(&altered, &slot), None);
            assert_eq!(find(&sealed, &DeliverySlot { length: 0, ..slot }), None);
            assert_eq!(find(&sealed, &DeliverySlot { length: 303, ..slot }), None);
            assert_eq!(find(&[], &slot), None);
        }
    }
}
