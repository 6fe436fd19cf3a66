//! Who one is: an sr25519 account from a recovery phrase or a secret URI, and the secrets that hang on it.

use crate::{error::FileProblem, ClientError, Result};
use sealed_register::{
    hash::{keyed_hash, public, Tag},
    kem::KemSecret,
    Secret,
};
use std::{fmt, path::Path, str::FromStr};
use subxt_signer::{bip39::Mnemonic, sr25519, ExposeSecret, SecretUri};
use zeroize::Zeroizing;

/// Root of the secrets that hang on an account.
const ROOT: Tag = Tag(b"cl/root.");
/// Seed of the account's X-Wing key.
const KEM_SEED: Tag = Tag(b"cl/kem..");

/// Words of a new phrase.
const NEW_PHRASE_ENTROPY: usize = 16;

/// A BIP-39 recovery phrase. Whoever has it is the account; it is wiped and never printed by `Debug`.
pub struct Phrase(Zeroizing<String>);

impl Phrase {
    /// A new one of 12 words (128 bits).
    ///
    /// # Errors
    /// [`ClientError::Secret`] if the system gives no random bytes.
    pub fn generate() -> Result<Self> {
        let entropy = Zeroizing::new(random::<NEW_PHRASE_ENTROPY>()?);
        let mnemonic = Mnemonic::from_entropy(entropy.as_slice()).map_err(bad_phrase)?;
        Ok(Self(Zeroizing::new(mnemonic.to_string())))
    }

    /// Reads a phrase of 12, 15, 18, 21 or 24 English words.
    ///
    /// # Errors
    /// [`ClientError::Secret`] says what is wrong; the phrase itself is never repeated.
    pub fn parse(text: &str) -> Result<Self> {
        let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        Mnemonic::from_str(&words).map_err(bad_phrase)?;
        Ok(Self(words))
    }

    /// The words, for the one who writes them down.
    pub fn words(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(..)")
    }
}

fn bad_phrase(error: impl fmt::Display) -> ClientError {
    ClientError::Secret(format!("this is no recovery phrase: {error}; compare each word with what you wrote down"))
}

/// An account that signs: a customer's, a vendor's, a utility's.
#[derive(Clone)]
pub struct Account {
    keypair: sr25519::Keypair,
    public: [u8; 32],
    root: Secret,
}

impl Account {
    /// The account of a recovery phrase, the same as in every Substrate wallet.
    ///
    /// # Errors
    /// [`ClientError::Secret`].
    pub fn from_phrase(phrase: &Phrase) -> Result<Self> {
        Self::from_suri(phrase.words())
    }

    /// The account of a secret URI: a phrase or `0x` and 64 digits, then derivations like `//Utility//feed`, then
    /// `///password`. Without a phrase the publicly known development phrase is meant.
    ///
    /// # Errors
    /// [`ClientError::Secret`].
    pub fn from_suri(suri: &str) -> Result<Self> {
        let uri = SecretUri::from_str(suri.trim()).map_err(|error| {
            ClientError::Secret(format!("no secret URI: {error}; give a phrase, or for development '//Name'"))
        })?;
        let keypair = sr25519::Keypair::from_uri(&uri).map_err(bad_phrase)?;
        Ok(Self { public: keypair.public_key().0, root: root(&uri)?, keypair })
    }

    /// The account of a 32-byte mini secret, such as a claim ticket's.
    ///
    /// # Errors
    /// [`ClientError::Secret`].
    pub fn from_mini_secret(secret: &Secret) -> Result<Self> {
        let keypair = sr25519::Keypair::from_secret_key(*secret.expose()).map_err(bad_phrase)?;
        let mut hasher = public(ROOT);
        hasher.update(secret.expose());
        let root = Secret::from_bytes(*hasher.finalize().as_bytes());
        Ok(Self { public: keypair.public_key().0, root, keypair })
    }

    /// The account of a file that holds a phrase or a secret URI.
    ///
    /// # Errors
    /// [`FileProblem`], [`ClientError::Secret`].
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| FileProblem::new(path, error))?);
        Self::from_suri(&text)
    }

    /// The 32 bytes of the account.
    pub fn id(&self) -> [u8; 32] {
        self.public
    }

    /// Signs bytes as they are.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.keypair.sign(message).0
    }

    /// The X-Wing key that hangs on the account and comes back with the phrase: a customer's key of her claims.
    ///
    /// Seed = keyed(root, "cl/kem.."), where root = H("cl/root.", kind, entropy of the phrase or seed, password,
    /// derivations), every part with its length: knowing the account's signing key alone does not give it.
    pub fn kem_secret(&self) -> KemSecret {
        KemSecret::from_seed(Secret::from_bytes(keyed_hash(self.root.expose(), KEM_SEED, &[])))
    }

    pub(crate) fn keypair(&self) -> &sr25519::Keypair {
        &self.keypair
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", crate::chain::ss58(&self.public))
    }
}

/// The root over everything that a secret URI holds.
fn root(uri: &SecretUri) -> Result<Secret> {
    let phrase = uri.phrase.expose_secret();
    let (kind, entropy) = match phrase.strip_prefix("0x") {
        Some(digits) => (0_u8, Zeroizing::new(hex::decode(digits).map_err(bad_phrase)?)),
        None => (1, Zeroizing::new(Mnemonic::from_str(phrase).map_err(bad_phrase)?.to_entropy())),
    };
    let password = uri.password.as_ref().map_or("", |password| password.expose_secret());
    let mut hasher = public(ROOT);
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(&[kind]);
    part(&entropy);
    part(password.as_bytes());
    for junction in &uri.junctions {
        part(&[u8::from(junction.is_hard())]);
        part(junction.inner());
    }
    Ok(Secret::from_bytes(*hasher.finalize().as_bytes()))
}

/// Whether `signature` is `account`'s over `message`.
pub fn verify(account: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    sr25519::verify(&sr25519::Signature(*signature), message, &sr25519::PublicKey(*account))
}

/// Random bytes of the operating system.
///
/// # Errors
/// [`ClientError::Secret`] if it has none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| ClientError::Secret(format!("the operating system gives no random bytes: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn development_accounts_are_substrates() {
        let alice = Account::from_suri("//Alice").unwrap();
        assert_eq!(crate::chain::ss58(&alice.id()), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
        let signature = alice.sign(b"message");
        assert!(verify(&alice.id(), b"message", &signature));
        assert!(!verify(&alice.id(), b"massage", &signature));
    }

    #[test]
    fn a_phrase_gives_the_same_keys_again_and_another_others() {
        let phrase = Phrase::generate().unwrap();
        assert_eq!(phrase.words().split(' ').count(), 12);
        let again = Phrase::parse(&format!("  {}\n", phrase.words().to_uppercase())).unwrap();
        let (first, second) = (Account::from_phrase(&phrase).unwrap(), Account::from_phrase(&again).unwrap());
        assert_eq!(first.id(), second.id());
        assert_eq!(first.kem_secret(), second.kem_secret());
        let other = Account::from_phrase(&Phrase::generate().unwrap()).unwrap();
        assert_ne!(first.kem_secret(), other.kem_secret());
        let derived = Account::from_suri(&format!("{}//2", phrase.words())).unwrap();
        assert_ne!(first.kem_secret(), derived.kem_secret());
        let soft = Account::from_suri(&format!("{}/2", phrase.words())).unwrap();
        assert_ne!(soft.kem_secret(), derived.kem_secret());
    }

    #[test]
    fn a_wrong_phrase_is_refused_without_repeating_it() {
        let error = Phrase::parse("hello world").unwrap_err().to_string();
        assert!(!error.contains("hello"), "{error}");
        assert_eq!(format!("{:?}", Phrase::generate().unwrap()), "Phrase(..)");
    }
}
