//! The utility's secrets, derived anew in each run from the sealing key in the node's keystore (protocol section 4).

use super::store::{Store, CHECK_VALUE};
use sealed_register::{
    secrets::{check_value, secret_from_signature, secret_message},
    Hash, Secret, SecretPurpose, UtilitySecrets,
};
use sp_core::ed25519;
use wattseal_primitives::{keys::SEALING, offchain::WorkerConfig};

/// Why there are no secrets; nothing is sealed or delivered until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The keystore does not sign.
    #[error(
        "the sealing key is not available: either it is not in the keystore, or this runtime is not approved on this \
         machine (`wattseal-node feed approve-runtime`)"
    )]
    NotAvailable,
    /// Two signatures over one message differ.
    #[error("the keystore signs one message in two ways; secrets need a deterministic signer, so nothing is sealed")]
    NotDeterministic,
    /// A signature that does not verify.
    #[error("the keystore's signature does not fit the configured sealing key; nothing is sealed")]
    InvalidSignature,
    /// The key is another than before.
    #[error(
        "the sealing key is not the one this feed was sealed with; put the former key back, or readings sealed before \
         could never be opened or amended again"
    )]
    Changed,
}

/// Who signs with the sealing key.
pub trait SealingKey {
    /// The ed25519 signature of the key over the message, if it is available.
    fn sign(&self, public: &[u8; 32], message: &[u8]) -> Option<[u8; 64]>;

    /// Whether the signature is the key's.
    fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool;
}

/// The sealing key in the node's keystore. Only usable in a worker.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeKeystore;

impl SealingKey for NodeKeystore {
    fn sign(&self, public: &[u8; 32], message: &[u8]) -> Option<[u8; 64]> {
        let public = ed25519::Public::from_raw(*public);
        sp_io::crypto::ed25519_sign(SEALING, &public, message).map(|signature| signature.0)
    }

    fn verify(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let (public, signature) = (ed25519::Public::from_raw(*public), ed25519::Signature::from_raw(*signature));
        sp_io::crypto::ed25519_verify(&signature, message, &public)
    }
}

/// Derives all secrets. Compares the check value of the `id` secret, which no generation ever changes, with the
/// configured one and the one seen last, and writes it for the native task to keep.
///
/// # Errors
/// [`KeysError`].
pub fn secrets(
    store: &mut impl Store,
    key: &impl SealingKey,
    config: &WorkerConfig,
    genesis: &Hash,
) -> Result<UtilitySecrets, KeysError> {
    let derive = |purpose| secret(key, config, genesis, purpose);
    let id = derive(SecretPurpose::Id)?;
    let check = check_value(&id);
    let seen = store.read::<[u8; 8]>(CHECK_VALUE);
    if config.check_value.is_some_and(|kept| kept != check) || seen.is_some_and(|seen| seen != check) {
        return Err(KeysError::Changed);
    }
    if seen.is_none() {
        store.write(CHECK_VALUE, &check);
    }
    Ok(UtilitySecrets {
        id,
        seal: derive(SecretPurpose::Seal { generation: config.generation })?,
        siv: derive(SecretPurpose::Siv)?,
        ticket: derive(SecretPurpose::Ticket)?,
        generation: config.generation,
    })
}

fn secret(
    key: &impl SealingKey,
    config: &WorkerConfig,
    genesis: &Hash,
    purpose: SecretPurpose,
) -> Result<Secret, KeysError> {
    let message = secret_message(genesis, &config.utility, purpose);
    let sign = || key.sign(&config.sealing_key, &message).ok_or(KeysError::NotAvailable);
    let (first, second) = (sign()?, sign()?);
    if first != second {
        return Err(KeysError::NotDeterministic);
    }
    if !key.verify(&config.sealing_key, &message, &first) {
        return Err(KeysError::InvalidSignature);
    }
    Ok(secret_from_signature(purpose, &first))
}
