//! Sealing to somebody's key: HPKE base mode (RFC 9180) with the KEM X-Wing (0x647a: X25519 and ML-KEM-768),
//! HKDF-SHA256 and AES-256-GCM (protocol section 8). Chain data is for ever, hence the hybrid.
//!
//! No randomness is drawn here: the caller hands over 32 bytes for each sealing, from which everything follows.

use crate::{
    hash::{keyed, public_hash, Tag},
    secrets::Secret,
    types::Hash,
};
use alloc::{boxed::Box, vec::Vec};
use core::{convert::Infallible, fmt};
use hpke::{
    aead::AesGcm256,
    kdf::HkdfSha256,
    kem::XWing,
    rand_core::{utils::next_word_via_fill, TryCryptoRng, TryRng},
    single_shot_open, single_shot_seal_with_rng, Deserializable, Kem, OpModeR, OpModeS, Serializable,
};

/// Length of an X-Wing public key in bytes.
pub const PUBLIC_KEY_BYTES: usize = 1216;

/// Length of an encapsulated key in bytes; it stands before the ciphertext.
pub const ENCAPSULATED_BYTES: usize = 1120;

/// Length of the AES-GCM tag in bytes; it stands after the ciphertext.
pub const TAG_BYTES: usize = 16;

/// What sealing adds to the plaintext, in bytes.
pub const OVERHEAD_BYTES: usize = ENCAPSULATED_BYTES + TAG_BYTES;

/// For how many days a vendor's key may be sealed to; clients open at once and delete old secrets.
pub const VENDOR_KEY_DAYS: u16 = 31;

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KemError {
    /// The bytes are no X-Wing public key.
    #[error("these {bytes} bytes are no X-Wing public key (it has {PUBLIC_KEY_BYTES} bytes, each number within ML-KEM's range): register the key again")]
    InvalidPublicKey {
        /// Their number.
        bytes: usize,
    },
    /// The bytes are too few to hold an encapsulated key and a tag.
    #[error("{bytes} bytes are too few for sealed data, which has at least {OVERHEAD_BYTES}: it was cut off")]
    TooShort {
        /// Their number.
        bytes: usize,
    },
    /// Sealing failed inside HPKE, which happens only beyond 64 GiB of plaintext.
    #[error("sealing failed: the plaintext is too long for AES-GCM")]
    NotSealed,
    /// Another key, another context (info, aad), or changed bytes: which of them cannot be told.
    #[error("the sealed data does not open: it was sealed to another key or for another purpose, or it was changed")]
    NotOpened,
}

/// An X-Wing public key, known to be well formed.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic(Box<[u8; PUBLIC_KEY_BYTES]>);

impl KemPublic {
    /// Takes the bytes of a key: length and ML-KEM's range are checked.
    ///
    /// # Errors
    /// [`KemError::InvalidPublicKey`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KemError> {
        let invalid = KemError::InvalidPublicKey { bytes: bytes.len() };
        let array: [u8; PUBLIC_KEY_BYTES] = bytes.try_into().map_err(|_| invalid)?;
        <XWing as Kem>::PublicKey::from_bytes(&array).map_err(|_| invalid)?;
        Ok(Self(Box::new(array)))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.0
    }

    /// The hash that stands for the key in claims, on chain and in what is sealed to it.
    pub fn hash(&self) -> Hash {
        kem_key_hash(&self.0)
    }
}

impl fmt::Debug for KemPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KemPublic(hash {})", crate::types::hex(&self.hash()))
    }
}

/// The hash of an X-Wing public key, for a runtime that only stores it: no curve or lattice arithmetic.
pub fn kem_key_hash(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Hash {
    public_hash(Tag::KEM_KEY, &[bytes])
}

/// An X-Wing secret key, kept as the 32-byte seed that it is derived from (HPKE's DeriveKeyPair).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KemSecret(Secret);

impl KemSecret {
    /// The key of 32 random bytes.
    pub fn from_seed(seed: Secret) -> Self {
        Self(seed)
    }

    /// The seed, for storing; never for printing.
    pub fn seed(&self) -> &Secret {
        &self.0
    }

    /// The public key.
    pub fn public(&self) -> KemPublic {
        let (_, public) = XWing::derive_keypair(self.0.expose());
        let mut bytes = Box::new([0; PUBLIC_KEY_BYTES]);
        public.write_exact(bytes.as_mut_slice());
        KemPublic(bytes)
    }
}

/// Seals `plaintext` to a key: encapsulated key (1120 bytes), ciphertext, tag (16 bytes).
///
/// `randomness` must be 32 fresh secret random bytes for each call; the same input gives the same output.
///
/// # Errors
/// [`KemError::NotSealed`].
pub fn seal_to(
    to: &KemPublic,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    randomness: &Secret,
) -> Result<Vec<u8>, KemError> {
    let public = <XWing as Kem>::PublicKey::from_bytes(to.as_bytes())
        .map_err(|_| KemError::InvalidPublicKey { bytes: PUBLIC_KEY_BYTES })?;
    // The context enters too: even a caller that used its bytes twice would not use one key for two messages,
    // unless all of this is equal.
    let mut hasher = keyed(randomness.expose(), Tag::KEM_RANDOMNESS);
    for part in [to.as_bytes().as_slice(), info, aad, plaintext] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut rng = XofRng(hasher.finalize_xof());
    let (encapsulated, ciphertext) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
        &mut rng,
    )
    .map_err(|_| KemError::NotSealed)?;
    let mut sealed = Vec::with_capacity(ENCAPSULATED_BYTES + ciphertext.len());
    sealed.extend_from_slice(&encapsulated.to_bytes());
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Opens what [`seal_to`] made, with the same `info` and `aad`. The plaintext is as secret as what was sealed: the
/// caller wipes it.
///
/// # Errors
/// [`KemError::TooShort`], [`KemError::NotOpened`].
pub fn open_with(secret: &KemSecret, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, KemError> {
    let short = KemError::TooShort { bytes: sealed.len() };
    let (encapsulated, ciphertext) = sealed.split_at_checked(ENCAPSULATED_BYTES).ok_or(short)?;
    if ciphertext.len() < TAG_BYTES {
        return Err(short);
    }
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| KemError::NotOpened)?;
    let (private, _) = XWing::derive_keypair(secret.0.expose());
    single_shot_open::<AesGcm256, HkdfSha256, XWing>(&OpModeR::Base, &private, &encapsulated, info, ciphertext, aad)
        .map_err(|_| KemError::NotOpened)
}

/// The output of BLAKE3 as the random numbers that HPKE asks for.
struct XofRng(blake3::OutputReader);

impl TryRng for XofRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for XofRng {}
