//! The meter's key, sealed by the utility to the customer's key of the claim. With it the customer opens everything of
//! the meter and can deliver any consent alone, so the utility is no gatekeeper.

use super::DeliveryError;
use crate::{
    decode::Reader,
    kem::{open_with, seal_to, KemPublic, KemSecret, OVERHEAD_BYTES},
    secrets::{MeterKey, Secret},
    types::{Hash, MeterId, OrganisationId},
};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// First bytes of a sealed meter key.
pub(super) const MAGIC: &[u8; 4] = b"wsk1";

/// Length of a sealed meter key as it stands in a block: `wsk1`, generation (u16), sealed key.
pub const METER_KEY_BYTES: usize = 4 + 2 + OVERHEAD_BYTES + Secret::LEN;

/// What a sealed meter key is bound to; the customer takes every field from the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterKeyContext {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The utility's account that signs the extrinsic.
    pub account: [u8; 32],
    /// The utility.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The customer's account, from the claim.
    pub customer: [u8; 32],
    /// The ticket's issue, from the claim.
    pub issue: u32,
}

impl MeterKeyContext {
    fn info(&self, kem_key: &Hash) -> Vec<u8> {
        let parts: [&[u8]; 4] = [b"wattseal/meter-key/1", &self.genesis, &self.account, kem_key];
        parts.concat()
    }

    fn aad(&self, generation: u16) -> Vec<u8> {
        let (issue, generation) = (self.issue.to_le_bytes(), generation.to_le_bytes());
        let parts: [&[u8]; 5] = [self.utility.padded(), &self.meter.0, &self.customer, &issue, &generation];
        parts.concat()
    }
}

/// Seals a meter's key to its customer. `randomness`: 32 fresh secret random bytes.
///
/// # Errors
/// [`DeliveryError::Kem`].
pub fn seal_meter_key(
    context: &MeterKeyContext,
    key: &MeterKey,
    to: &KemPublic,
    randomness: &Secret,
) -> Result<Vec<u8>, DeliveryError> {
    let info = context.info(&to.hash());
    let sealed = seal_to(to, &info, &context.aad(key.generation()), key.secret().expose(), randomness)?;
    let mut out = Vec::with_capacity(METER_KEY_BYTES);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&key.generation().to_le_bytes());
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens a sealed meter key. Test it on a cell before use ([`crate::open::Keyring::matches`]).
///
/// # Errors
/// [`DeliveryError::WrongLength`], [`DeliveryError::Decode`], [`DeliveryError::Kem`].
pub fn open_meter_key(context: &MeterKeyContext, secret: &KemSecret, bytes: &[u8]) -> Result<MeterKey, DeliveryError> {
    if bytes.len() != METER_KEY_BYTES {
        return Err(DeliveryError::WrongLength { expected: METER_KEY_BYTES, found: bytes.len() });
    }
    let mut reader = Reader::new("sealed meter key", bytes);
    if reader.array()? != *MAGIC {
        return Err(reader.error("it does not begin with 'wsk1'").into());
    }
    let generation = reader.u16()?;
    let sealed = reader.slice(reader.remaining())?;
    reader.finish()?;
    let info = context.info(&secret.public().hash());
    let plaintext = Zeroizing::new(open_with(secret, &info, &context.aad(generation), sealed)?);
    let found = plaintext.len();
    let wrong = DeliveryError::WrongLength { expected: Secret::LEN, found };
    let key: [u8; Secret::LEN] = plaintext.as_slice().try_into().map_err(|_| wrong)?;
    Ok(MeterKey::new(Secret::from_bytes(key), generation))
}
