//! The sealing key of a feed node on this machine, and the secrets that derive from it (protocol section 4).
//!
//! It is read where the node has it, from the keystore's file, and goes nowhere: no method of any node gives or takes it.

use crate::{error::FileProblem, ClientError, Result};
use ed25519_dalek::{Signer, SigningKey, Verifier};
use sealed_register::{
    secrets::{secret_from_signature, secret_message},
    Hash, OrganisationId, Secret, SecretPurpose, UtilitySecrets,
};
use std::{fmt, path::Path, str::FromStr};
use subxt_signer::{bip39::Mnemonic, ExposeSecret, SecretUri};
use zeroize::Zeroizing;

/// What the names of sealing keys begin with in a keystore: the digits of `wsms`.
const FILE_PREFIX: &str = "77736d73";
/// What a hard derivation of an ed25519 key is hashed with, after its length.
const DERIVATION: &[u8] = b"\x2cEd25519HDKD";

/// The ed25519 key from which all secrets of a utility derive.
#[derive(Clone)]
pub struct SealingKey(SigningKey);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl SealingKey {
    /// The key of a secret URI: a phrase or `0x` and 64 digits, then hard derivations, then `///password`.
    ///
    /// # Errors
    /// [`ClientError::Secret`], which never repeats the secret.
    pub fn from_suri(suri: &str) -> Result<Self> {
        Self::from_uri(&parse(suri)?)
    }

    /// The key in the folder of a node's keystore (`chains/<id>/keystore` under its base path), with the keystore's
    /// password if it has one.
    ///
    /// # Errors
    /// [`FileProblem`]; [`ClientError::Secret`] if there is none or more than one, or the password is another.
    pub fn from_keystore(folder: &Path, password: Option<&str>) -> Result<Self> {
        let problem = |error: std::io::Error| FileProblem::new(folder, error);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(problem)? {
            let name = entry.map_err(problem)?.file_name().to_string_lossy().into_owned();
            found.extend(name.strip_prefix(FILE_PREFIX).map(str::to_owned));
        }
        let [public] = found.as_slice() else {
            let (count, folder) = (found.len(), folder.display());
            return Err(ClientError::Secret(format!(
                "{folder} has {count} sealing keys (wsms) where one must be; name the keystore of the feed node"
            )));
        };
        let path = folder.join(format!("{FILE_PREFIX}{public}"));
        let text = Zeroizing::new(std::fs::read(&path).map_err(|error| FileProblem::new(&path, error))?);
        let suri: Zeroizing<String> = serde_json::from_slice::<String>(&text)
            .map(Zeroizing::new)
            .map_err(|_| FileProblem::new(&path, "this is no key file of a keystore"))?;
        let mut uri = parse(&suri)?;
        if let Some(password) = password {
            uri.password = Some(password.to_owned().into());
        }
        let key = Self::from_uri(&uri)?;
        if hex::encode(key.0.verifying_key().as_bytes()) != *public {
            return Err(ClientError::Secret(format!("{}: the keystore's password is another", path.display())));
        }
        Ok(key)
    }

    fn from_uri(uri: &SecretUri) -> Result<Self> {
        let phrase = uri.phrase.expose_secret();
        let mut seed = Zeroizing::new([0; 32]);
        match phrase.strip_prefix("0x") {
            Some(digits) => hex::decode_to_slice(digits, seed.as_mut_slice()).map_err(|_| bad("0x and 64 digits"))?,
            None => {
                let mnemonic = Mnemonic::from_str(phrase).map_err(|_| bad("a phrase of 12 to 24 English words"))?;
                let entropy = Zeroizing::new(mnemonic.to_entropy());
                let password = uri.password.as_ref().map_or("", |password| password.expose_secret());
                let salt = Zeroizing::new(format!("mnemonic{password}"));
                // Of the 64 bytes that Substrate derives the first half counts, which depends on that half alone.
                let derived =
                    pbkdf2::pbkdf2::<hmac::Hmac<sha2::Sha512>>(&entropy, salt.as_bytes(), 2_048, seed.as_mut_slice());
                derived.map_err(|_| bad("a phrase"))?;
            }
        }
        for junction in &uri.junctions {
            if !junction.is_hard() {
                return Err(bad("hard derivations (//) only"));
            }
            let parts = Zeroizing::new([DERIVATION, seed.as_slice(), junction.inner().as_slice()].concat());
            *seed = sp_crypto_hashing::blake2_256(&parts);
        }
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// All secrets of a utility on a chain.
    ///
    /// # Errors
    /// [`ClientError::Secret`] if the signer is not deterministic.
    pub fn secrets(&self, genesis: &Hash, utility: &OrganisationId, generation: u16) -> Result<UtilitySecrets> {
        let secret = |purpose| self.secret(genesis, utility, purpose);
        Ok(UtilitySecrets {
            id: secret(SecretPurpose::Id)?,
            seal: secret(SecretPurpose::Seal { generation })?,
            siv: secret(SecretPurpose::Siv)?,
            ticket: secret(SecretPurpose::Ticket)?,
            generation,
        })
    }

    fn secret(&self, genesis: &Hash, utility: &OrganisationId, purpose: SecretPurpose) -> Result<Secret> {
        let message = secret_message(genesis, utility, purpose);
        let (first, second) = (self.0.sign(&message), self.0.sign(&message));
        if first != second || self.0.verifying_key().verify(&message, &first).is_err() {
            return Err(ClientError::Secret("the sealing key signs one message in two ways; nothing is sealed".into()));
        }
        Ok(secret_from_signature(purpose, &first.to_bytes()))
    }
}

fn parse(suri: &str) -> Result<SecretUri> {
    SecretUri::from_str(suri.trim()).map_err(|_| bad("a secret URI"))
}

fn bad(what: &str) -> ClientError {
    ClientError::Secret(format!("this is no sealing key: {what} is expected"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    fn public(key: &SealingKey) -> String {
        hex::encode(key.0.verifying_key().as_bytes())
    }

    #[test]
    fn keys_are_substrates() {
        // `subkey inspect --scheme ed25519 //Alice`
        let alice = SealingKey::from_suri("//Alice").unwrap();
        assert_eq!(public(&alice), "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee");
        assert!(SealingKey::from_suri("/soft").is_err());
        assert!(SealingKey::from_suri("nonsense").is_err());
        let error = SealingKey::from_suri("0x12").unwrap_err().to_string();
        assert!(!error.contains("0x12"), "{error}");
    }

    #[test]
    fn a_keystore_gives_its_one_sealing_key_to_whoever_has_the_password() {
        let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
        let (plain, hidden) = (SealingKey::from_suri(phrase).unwrap(), format!("{phrase}///secret"));
        let with_password = SealingKey::from_suri(&hidden).unwrap();
        assert_ne!(public(&plain), public(&with_password));
        let folder = tempfile::tempdir().unwrap();
        assert!(SealingKey::from_keystore(folder.path(), None).is_err());
        let name = format!("{FILE_PREFIX}{}", public(&with_password));
        std::fs::write(folder.path().join(name), format!("\"{phrase}\"")).unwrap();
        std::fs::write(folder.path().join("7773666400"), "\"//Other\"").unwrap();
        let key = SealingKey::from_keystore(folder.path(), Some("secret")).unwrap();
        assert_eq!(public(&key), public(&with_password));
        for wrong in [None, Some("other")] {
            let error = SealingKey::from_keystore(folder.path(), wrong).unwrap_err().to_string();
            assert!(error.contains("password") && !error.contains("bottom"), "{error}");
        }
        let utility = "oncor".parse().unwrap();
        let derive = |key: &SealingKey| key.secrets(&[7; 32], &utility, 0).unwrap();
        assert_eq!(derive(&key).seal, derive(&with_password).seal);
        assert_ne!(derive(&key).seal, derive(&plain).seal);
    }
}
