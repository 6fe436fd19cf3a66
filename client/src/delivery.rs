//! Collecting and testing delivered keys (protocol section 8).

use crate::{
    chain::{types::DeliverySlot, Chain},
    node_rpc::Sealed,
    reading::{Known, Reader},
    ClientError, Result,
};
use sealed_register::{
    delivery::{delivery_hash, Delivery, Segment},
    DayRange, Keyring, Level, OperatingDay,
};
use std::collections::BTreeMap;

/// Takes sealed bytes only if they are those that the chain's state names.
///
/// # Errors
/// [`ClientError::NotYet`] (the node has not found them), [`ClientError::Answer`] for other bytes than the chain's.
pub(crate) fn check_sealed(sealed: Option<Sealed>, slot: &DeliverySlot, chain: &Chain) -> Result<Vec<u8>> {
    let Some(Sealed { bytes, .. }) = sealed else {
        let (url, block) = (chain.url(), slot.block);
        return Err(ClientError::NotYet(format!("{url} cannot find the delivery in block {block}; ask another node")));
    };
    let is_it = bytes.len() == slot.length as usize && delivery_hash(&bytes) == slot.hash;
    match is_it {
        true => Ok(bytes),
        false => Err(ClientError::Answer {
            method: "wattseal_sealed",
            problem: "these are not the bytes whose hash stands on chain".into(),
        }),
    }
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

    /// Tests a delivery's keys on one cell for each segment and channel, all levels of the consent at once. Gives
    /// whether every segment had a cell to test; segments of the present epoch often have none yet.
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
            for segment in &delivery.segments {
                let sealed_under = |day: &OperatingDay| {
                    let mut revisions = cells.revisions(*day).iter().map(|cell| cell.header());
                    revisions.any(|header| header.epoch == segment.epoch && header.has_words())
                };
                let Some(day) = segment.days.iter().find(sealed_under) else {
                    all = false;
                    continue;
                };
                let single = DayRange { first: day, last: day };
                let part = Segment { epoch: segment.epoch, days: single };
                self.ask(channel, single, level, &[part], &keyring).await?;
            }
        }
        Ok(all)
    }
}
