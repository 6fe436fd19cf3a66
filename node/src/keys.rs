//! Keys in the keystore: those of development chains, the vault's, and the utility's secrets.

use sealed_register::{
    secrets::{check_value, secret_from_signature, secret_message},
    Hash, OrganisationId, Secret, SecretPurpose, UtilitySecrets,
};
use sp_core::{crypto::KeyTypeId, ed25519, sr25519, Pair};
use sp_keystore::{Keystore, KeystorePtr};
use wattseal_primitives::keys::{DELIVERY, FEED, SEALING, VAULT};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// None in the keystore.
    #[error(
        "the keystore has no {what} key ({key_type}); insert it with `wattseal-node key insert --key-type {key_type} \
         --scheme {scheme} ...`"
    )]
    Missing {
        /// What for.
        what: &'static str,
        /// Its four letters.
        key_type: String,
        /// Its signature scheme.
        scheme: &'static str,
    },
    /// More than one, and nothing says which.
    #[error("the keystore has {count} {what} keys ({key_type}) where one must be; remove the files of the old ones")]
    Several {
        /// What for.
        what: &'static str,
        /// Its four letters.
        key_type: String,
        /// How many.
        count: usize,
    },
    /// The keystore failed.
    #[error("the keystore failed: {0}; check its files and password")]
    Keystore(String),
    /// A signer that does not do what RFC 8032 says would lose every reading.
    #[error("the sealing key signs the same message differently or wrongly; nothing is sealed with such a key")]
    NotDeterministic,
}

impl From<sp_keystore::Error> for KeyError {
    fn from(error: sp_keystore::Error) -> Self {
        Self::Keystore(error.to_string())
    }
}

/// The public keys that a utility's node needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtilityKeys {
    /// ed25519; never published.
    pub sealing: ed25519::Public,
    /// sr25519 account of feeds.
    pub feed: sr25519::Public,
    /// sr25519 account of deliveries.
    pub delivery: sr25519::Public,
}

fn name(key_type: KeyTypeId) -> String {
    String::from_utf8_lossy(&key_type.0).into_owned()
}

fn only<K>(mut keys: Vec<K>, what: &'static str, key_type: KeyTypeId, scheme: &'static str) -> Result<K, KeyError> {
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key),
        (Some(_), more) => Err(KeyError::Several { what, key_type: name(key_type), count: more + 1 }),
        (None, _) => Err(KeyError::Missing { what, key_type: name(key_type), scheme }),
    }
}

/// Finds a utility's keys.
///
/// # Errors
/// [`KeyError::Missing`], [`KeyError::Several`].
pub fn utility_keys(keystore: &dyn Keystore) -> Result<UtilityKeys, KeyError> {
    Ok(UtilityKeys {
        sealing: only(keystore.ed25519_public_keys(SEALING), "sealing", SEALING, "ed25519")?,
        feed: only(keystore.sr25519_public_keys(FEED), "feed", FEED, "sr25519")?,
        delivery: only(keystore.sr25519_public_keys(DELIVERY), "delivery", DELIVERY, "sr25519")?,
    })
}

/// Puts the keys of `//Utility` of the development genesis into the keystore's memory (never on disk).
///
/// # Errors
/// [`KeyError::Keystore`].
pub fn insert_development_keys(keystore: &dyn Keystore) -> Result<(), KeyError> {
    keystore.ed25519_generate_new(SEALING, Some("//Utility//sealing"))?;
    keystore.sr25519_generate_new(FEED, Some("//Utility//feed"))?;
    keystore.sr25519_generate_new(DELIVERY, Some("//Utility//delivery"))?;
    Ok(())
}

/// The key that signs this vault's receipts; made when there is none.
///
/// # Errors
/// [`KeyError::Several`], [`KeyError::Keystore`].
pub fn vault_key(keystore: &dyn Keystore) -> Result<sr25519::Public, KeyError> {
    let keys = keystore.sr25519_public_keys(VAULT);
    if keys.is_empty() {
        return Ok(keystore.sr25519_generate_new(VAULT, None)?);
    }
    only(keys, "vault", VAULT, "sr25519")
}

/// Signs with the vault's key.
///
/// # Errors
/// [`KeyError::Missing`] if it has left the keystore, [`KeyError::Keystore`].
pub fn vault_sign(keystore: &dyn Keystore, public: &sr25519::Public, message: &[u8]) -> Result<[u8; 64], KeyError> {
    let signature = keystore.sr25519_sign(VAULT, public, message)?;
    let missing = || KeyError::Missing { what: "vault", key_type: name(VAULT), scheme: "sr25519" };
    signature.map(|signature| signature.0).ok_or_else(missing)
}

/// One secret: signed twice, compared, verified (protocol section 4).
fn secret(
    keystore: &dyn Keystore,
    public: &ed25519::Public,
    genesis: &Hash,
    utility: &OrganisationId,
    purpose: SecretPurpose,
) -> Result<Secret, KeyError> {
    let message = secret_message(genesis, utility, purpose);
    let missing = || KeyError::Missing { what: "sealing", key_type: name(SEALING), scheme: "ed25519" };
    let first = keystore.ed25519_sign(SEALING, public, &message)?.ok_or_else(missing)?;
    let second = keystore.ed25519_sign(SEALING, public, &message)?.ok_or_else(missing)?;
    if first != second || !ed25519::Pair::verify(&first, message, public) {
        return Err(KeyError::NotDeterministic);
    }
    Ok(secret_from_signature(purpose, &first.0))
}

/// All secrets of a utility, derived from the sealing key (protocol section 4). They stay in this process.
///
/// # Errors
/// [`KeyError`].
pub fn utility_secrets(
    keystore: &dyn Keystore,
    public: &ed25519::Public,
    genesis: &Hash,
    utility: &OrganisationId,
    generation: u16,
) -> Result<UtilitySecrets, KeyError> {
    let secret = |purpose| secret(keystore, public, genesis, utility, purpose);
    Ok(UtilitySecrets {
        id: secret(SecretPurpose::Id)?,
        seal: secret(SecretPurpose::Seal { generation })?,
        siv: secret(SecretPurpose::Siv)?,
        ticket: secret(SecretPurpose::Ticket)?,
        generation,
    })
}

/// What tells a changed sealing key: the check value of the `id` secret, which no generation changes.
pub fn secrets_check_value(secrets: &UtilitySecrets) -> [u8; 8] {
    check_value(&secrets.id)
}

/// Whether a wallet's sr25519 signature over a message is good.
pub fn verify_sr25519(signature: &[u8; 64], message: &[u8], public: &[u8; 32]) -> bool {
    sr25519::Pair::verify(&sr25519::Signature::from_raw(*signature), message, &sr25519::Public::from_raw(*public))
}

/// The account of a claim ticket's mini secret, as wallets derive it.
pub fn ticket_account(seed: &[u8; 32]) -> [u8; 32] {
    sr25519::Pair::from_seed(seed).public().0
}

/// Holds a utility's name with the means to derive its secrets when they are needed.
#[derive(Clone)]
pub struct SecretSource {
    /// Where the sealing key is.
    pub keystore: KeystorePtr,
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The utility.
    pub utility: OrganisationId,
    /// Generation of the sealing secret.
    pub generation: u16,
}

impl SecretSource {
    /// Derives the secrets.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn secrets(&self) -> Result<UtilitySecrets, KeyError> {
        let keys = utility_keys(&*self.keystore)?;
        utility_secrets(&*self.keystore, &keys.sealing, &self.genesis, &self.utility, self.generation)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sc_keystore::LocalKeystore;

    fn utility() -> OrganisationId {
        OrganisationId::new("utility").unwrap()
    }

    #[test]
    fn secrets_are_a_function_of_key_genesis_utility_and_generation() {
        let keystore = LocalKeystore::in_memory();
        assert!(matches!(utility_keys(&keystore), Err(KeyError::Missing { what: "sealing", .. })));
        insert_development_keys(&keystore).unwrap();
        let keys = utility_keys(&keystore).unwrap();
        let derive = |genesis: u8, generation| {
            utility_secrets(&keystore, &keys.sealing, &[genesis; 32], &utility(), generation).unwrap()
        };
        assert_eq!(derive(1, 0).seal, derive(1, 0).seal);
        assert_eq!(derive(1, 0).id, derive(1, 1).id);
        assert_ne!(derive(1, 0).seal, derive(1, 1).seal);
        assert_ne!(derive(1, 0).id, derive(2, 0).id);
        assert_eq!(secrets_check_value(&derive(1, 0)), secrets_check_value(&derive(1, 1)));
        assert_ne!(secrets_check_value(&derive(1, 0)), secrets_check_value(&derive(2, 0)));
    }

    #[test]
    fn a_second_key_of_a_kind_is_refused() {
        let keystore = LocalKeystore::in_memory();
        insert_development_keys(&keystore).unwrap();
        keystore.sr25519_generate_new(FEED, Some("//Other")).unwrap();
        assert!(matches!(utility_keys(&keystore), Err(KeyError::Several { what: "feed", count: 2, .. })));
    }

    #[test]
    fn the_vault_keeps_its_key_and_signs() {
        let keystore = LocalKeystore::in_memory();
        let key = vault_key(&keystore).unwrap();
        assert_eq!(vault_key(&keystore).unwrap(), key);
        let signature = vault_sign(&keystore, &key, b"receipt").unwrap();
        assert!(verify_sr25519(&signature, b"receipt", &key.0));
        assert!(!verify_sr25519(&signature, b"another", &key.0));
        assert!(vault_sign(&LocalKeystore::in_memory(), &key, b"receipt").is_err());
    }
}
