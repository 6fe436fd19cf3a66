//! Sealed keys from block bodies (protocol section 8): the window of the noted length with the noted hash, found
//! without metadata, so that it works for blocks of every runtime version.

use super::{
    errors::RpcError,
    types::{Hex, HexBytes, SealedDelivery},
};
use crate::chain::{Chain, Slot};
use sealed_register::{
    delivery::{find_delivery, Deliverer},
    Hash, MeterId, OrganisationId,
};

/// `wattseal_sealed`.
pub(super) fn delivery(
    chain: &dyn Chain,
    consent: Hash,
    epoch: u32,
    deliverer: Deliverer,
) -> Result<SealedDelivery, RpcError> {
    let slot = chain.delivery(&chain.finalised(), consent, epoch, deliverer)?;
    let missing = || RpcError::NotFound(format!("no keys of epoch {epoch} are delivered for this consent (yet)"));
    from_block(chain, &slot.ok_or_else(missing)?)
}

/// `wattseal_sealedMeterKey`.
pub(super) fn meter_key(
    chain: &dyn Chain,
    utility: OrganisationId,
    meter: MeterId,
) -> Result<SealedDelivery, RpcError> {
    let slot = chain.meter_key_delivery(&chain.finalised(), utility, meter)?;
    let missing = || RpcError::NotFound(format!("the key of meter {meter} is not delivered (yet)"));
    from_block(chain, &slot.ok_or_else(missing)?)
}

fn from_block(chain: &dyn Chain, slot: &Slot) -> Result<SealedDelivery, RpcError> {
    let (block_hash, extrinsic) = chain.extrinsic(slot.block, slot.extrinsic)?;
    let lost = || {
        let Slot { block, extrinsic, .. } = slot;
        RpcError::NotFound(format!("extrinsic {extrinsic} of block {block} does not hold the sealed keys"))
    };
    let sealed = find_delivery(&extrinsic, slot.length as usize, &slot.hash).ok_or_else(lost)?;
    Ok(SealedDelivery {
        block: slot.block,
        block_hash: Hex(block_hash),
        extrinsic: slot.extrinsic,
        sealed: HexBytes(sealed.to_vec()),
    })
}
