//! The keys above the trees (protocol section 4): a utility's secrets, a meter's key, an epoch's key.

use crate::{
    hash::{keyed_hash, Tag},
    tree::TreeNode,
    types::{Channel, Hash, Level, MeterId, OrganisationId},
};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A 256-bit key. Wiped when dropped, compared in constant time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Takes the bytes of a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for use as a key or for sealing to somebody; never for printing.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key derived from this one for a purpose.
    pub fn derive(&self, tag: Tag, fields: &[&[u8]]) -> Self {
        Self(keyed_hash(&self.0, tag, fields))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a utility's secret is for. Each purpose has a secret of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretPurpose {
    /// Names meters; never rotated, since a MeterId must not change.
    Id,
    /// Seals readings; a new generation replaces a suspect one.
    Seal {
        /// Generation, from 0.
        generation: u16,
    },
    /// Makes nonces from the data.
    Siv,
    /// Makes claim tickets.
    Ticket,
}

impl SecretPurpose {
    fn byte(self) -> u8 {
        match self {
            Self::Id => 0,
            Self::Seal { .. } => 1,
            Self::Siv => 2,
            Self::Ticket => 3,
        }
    }

    fn generation(self) -> u16 {
        match self {
            Self::Seal { generation } => generation,
            Self::Id | Self::Siv | Self::Ticket => 0,
        }
    }

    fn context(self) -> &'static str {
        match self {
            Self::Id => "wattseal 2026 sealed register v1 utility secret: id",
            Self::Seal { .. } => "wattseal 2026 sealed register v1 utility secret: seal",
            Self::Siv => "wattseal 2026 sealed register v1 utility secret: siv",
            Self::Ticket => "wattseal 2026 sealed register v1 utility secret: ticket",
        }
    }
}

/// Length in bytes of the message that yields a secret. No wallet message and no extrinsic of this chain has this form.
pub const SECRET_MESSAGE_LEN: usize = 512;

/// The message whose ed25519 signature yields a secret: `wattseal/secret/1`, genesis, utility zero-padded to 16 bytes,
/// purpose byte (0 id, 1 seal, 2 siv, 3 ticket), generation (u16), zero-padded to 512 bytes (protocol section 4).
pub fn secret_message(genesis: &Hash, utility: &OrganisationId, purpose: SecretPurpose) -> [u8; SECRET_MESSAGE_LEN] {
    let fields: [&[u8]; 5] =
        [b"wattseal/secret/1", genesis, utility.padded(), &[purpose.byte()], &purpose.generation().to_le_bytes()];
    let mut message = [0; SECRET_MESSAGE_LEN];
    let bytes = fields.into_iter().flatten();
    message.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    message
}

/// The secret of a purpose from the signature over [`secret_message`].
///
/// The caller signs twice, compares and verifies: a signer that is not deterministic would lose every reading.
pub fn secret_from_signature(purpose: SecretPurpose, signature: &[u8; 64]) -> Secret {
    Secret(blake3::derive_key(purpose.context(), signature))
}

/// Eight bytes that tell whether a secret is the one of last time; they tell nothing else about it.
pub fn check_value(secret: &Secret) -> [u8; 8] {
    let hash = keyed_hash(secret.expose(), Tag::CHECK_VALUE, &[]);
    let mut value = [0; 8];
    value.copy_from_slice(&hash[..8]);
    value
}

fn first_16(hash: &Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes
}

/// All secrets of one utility. They never leave its node.
#[derive(Clone, Debug)]
pub struct UtilitySecrets {
    /// Names meters.
    pub id: Secret,
    /// Seals readings, of the generation below.
    pub seal: Secret,
    /// Makes nonces.
    pub siv: Secret,
    /// Makes tickets.
    pub ticket: Secret,
    /// Generation of `seal`.
    pub generation: u16,
}

impl UtilitySecrets {
    /// The MeterId of a tenancy. `esi_id` is canonical: digits only. `tenancy` counts the customers of that ESI ID from 0.
    ///
    /// The ESI ID enters with its length (u32) before it, so that no two inputs look alike.
    pub fn meter_id(&self, esi_id: &str, tenancy: u32) -> MeterId {
        let length = u32::try_from(esi_id.len()).unwrap_or(u32::MAX).to_le_bytes();
        let fields: [&[u8]; 3] = [&length, esi_id.as_bytes(), &tenancy.to_le_bytes()];
        MeterId(first_16(&keyed_hash(self.id.expose(), Tag::METER_ID, &fields)))
    }

    /// K_meter of the present generation.
    pub fn meter_key(&self, utility: &OrganisationId, meter: &MeterId) -> MeterKey {
        let generation = self.generation;
        let fields: [&[u8]; 3] = [utility.padded(), &meter.0, &generation.to_le_bytes()];
        MeterKey { secret: self.seal.derive(Tag::METER_KEY, &fields), generation }
    }

    /// The 128 bits of a claim ticket; `issue` counts the tickets of this MeterId from 0.
    pub fn ticket_bits(&self, utility: &OrganisationId, meter: &MeterId, issue: u32) -> [u8; 16] {
        let fields: [&[u8]; 3] = [utility.padded(), &meter.0, &issue.to_le_bytes()];
        first_16(&keyed_hash(self.ticket.expose(), Tag::TICKET_BITS, &fields))
    }
}

/// K_meter: opens everything that is sealed for one MeterId under one generation. The utility and the customer hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterKey {
    secret: Secret,
    generation: u16,
}

impl MeterKey {
    /// The key from its parts, as they come out of a delivery.
    pub fn new(secret: Secret, generation: u16) -> Self {
        Self { secret, generation }
    }

    /// The key itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Generation of the utility's `seal` secret that it comes from.
    pub fn generation(&self) -> u16 {
        self.generation
    }

    /// K(meter, epoch).
    pub fn epoch_key(&self, epoch: u32) -> EpochKey {
        EpochKey(self.secret.derive(Tag::EPOCH_KEY, &[&epoch.to_le_bytes()]))
    }
}

/// K(meter, epoch): opens what was sealed for a meter during one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochKey(Secret);

impl EpochKey {
    /// The root of the tree over days of one channel and level.
    pub fn tree_root(&self, channel: Channel, level: Level) -> TreeNode {
        TreeNode::root(self.0.derive(Tag::TREE_ROOT, &[&[channel as u8], &[level as u8]]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    fn secrets() -> UtilitySecrets {
        let secret = |byte| Secret::from_bytes([byte; 32]);
        UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 }
    }

    #[test]
    fn messages_and_secrets_differ_by_purpose_and_generation() {
        let utility = OrganisationId::new("oncor").unwrap();
        let purposes = [
            SecretPurpose::Id,
            SecretPurpose::Seal { generation: 0 },
            SecretPurpose::Seal { generation: 1 },
            SecretPurpose::Siv,
            SecretPurpose::Ticket,
        ];
        let messages = purposes.map(|purpose| secret_message(&[7; 32], &utility, purpose));
        for (at, message) in messages.iter().enumerate() {
            assert!(message.starts_with(b"wattseal/secret/1"));
            assert!(message[68..].iter().all(|byte| *byte == 0));
            assert!(!messages[..at].contains(message));
        }
        // The purpose also separates secrets when one signature were used for two.
        assert_ne!(
            secret_from_signature(SecretPurpose::Id, &[9; 64]),
            secret_from_signature(SecretPurpose::Siv, &[9; 64])
        );
    }

    #[test]
    fn names_and_keys_depend_on_every_input() {
        let (secrets, oncor, tnmp) =
            (secrets(), OrganisationId::new("oncor").unwrap(), OrganisationId::new("tnmp").unwrap());
        let meter = secrets.meter_id("10443720000000001", 0);
        assert_ne!(meter, secrets.meter_id("10443720000000001", 1));
        assert_ne!(meter, secrets.meter_id("10443720000000002", 0));
        let key = secrets.meter_key(&oncor, &meter);
        assert_ne!(key, secrets.meter_key(&tnmp, &meter));
        let next = UtilitySecrets { generation: 1, ..secrets.clone() };
        assert_ne!(key.secret(), next.meter_key(&oncor, &meter).secret());
        assert_ne!(key.epoch_key(0), key.epoch_key(1));
        assert_ne!(secrets.ticket_bits(&oncor, &meter, 0), secrets.ticket_bits(&oncor, &meter, 1));
        assert_ne!(check_value(&secrets.id), check_value(&secrets.seal));
        assert_eq!(alloc::format!("{key:?}"), "MeterKey { secret: Secret(..), generation: 0 }");
    }
}
