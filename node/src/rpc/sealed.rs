//! Sealed keys from block bodies (protocol section 8): the window of the noted length with the noted hash, found
//! without metadata, so that it works for blocks of every runtime version.

use super::{
    errors::RpcError,
    types::{Hex, HexBytes, SealedDelivery},
};
use crate::chain::{Chain, Slot};
use sealed_register::{delivery::Deliverer, Hash, MeterId, OrganisationId};

/// Most windows that are tried: sealed bytes fill their extrinsic but for signature and a few fields.
const MAX_WINDOWS: usize = 1 << 14;

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
    let sealed = find(&extrinsic, slot.length as usize, &slot.hash).ok_or_else(lost)?;
    Ok(SealedDelivery {
        block: slot.block,
        block_hash: Hex(block_hash),
        extrinsic: slot.extrinsic,
        sealed: HexBytes(sealed.to_vec()),
    })
}

/// The window of this length with this BLAKE2-256 hash. The sealed bytes are a call's last argument, so the last
/// windows are the likeliest.
fn find<'a>(extrinsic: &'a [u8], length: usize, hash: &Hash) -> Option<&'a [u8]> {
    if length == 0 {
        return None;
    }
    extrinsic.windows(length).rev().take(MAX_WINDOWS).find(|window| sp_io::hashing::blake2_256(window) == *hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_found_wherever_it_is() {
        let sealed: Vec<u8> = (0..200_u32).map(|byte| (byte * 7 % 251) as u8).collect();
        let hash = sp_io::hashing::blake2_256(&sealed);
        for before in [0, 1, 300] {
            for after in [0, 5] {
                let extrinsic = [vec![9; before], sealed.clone(), vec![1; after]].concat();
                assert_eq!(find(&extrinsic, 200, &hash), Some(&sealed[..]));
                assert_eq!(find(&extrinsic, 199, &hash), None);
            }
        }
        assert_eq!(find(&sealed[1..], 200, &hash), None);
        assert_eq!(find(&sealed, 0, &sp_io::hashing::blake2_256(&[])), None);
        assert_eq!(find(&[], 1, &hash), None);
    }
}
