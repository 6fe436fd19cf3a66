//! A consent's keys: which tree nodes they are, how they are sealed, and what their receiver checks.

use super::{ConsentTerms, Deliverer, InvalidTerms, Segment};
use crate::{
    decode::{DecodeError, Reader},
    hash::{public_hash, Tag},
    kem::{open_with, seal_to, KemError, KemPublic, KemSecret, OVERHEAD_BYTES},
    open::Keyring,
    secrets::{EpochKey, Secret},
    tree::{Cover, CoverError, DayBeyondTree},
    types::{Channel, Hash, Level},
};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Most segments of a delivery.
pub const MAX_SEGMENTS: usize = 128;

/// Longest delivery, in bytes as it stands in a block.
pub const MAX_DELIVERY_BYTES: usize = 65_536;

/// How many places of an extrinsic are tried.
const MAX_PLACES: usize = 256;

/// First bytes of a delivery.
const MAGIC: &[u8; 4] = b"wsd1";

/// Bytes before the segments: magic and count (u16).
const HEAD_BYTES: usize = 6;

/// Bytes of one segment: epoch (u32), first and last day (u16 each).
const SEGMENT_BYTES: usize = 8;

/// Why a delivery cannot be made or is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The terms can never be served.
    #[error(transparent)]
    Terms(#[from] InvalidTerms),
    /// A range passes the end of the trees.
    #[error(transparent)]
    Beyond(#[from] DayBeyondTree),
    /// The bytes are no delivery.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The segments are not those of a plan for these terms.
    #[error("the delivery's segments do not fit the consent: {problem}; ask for a new delivery")]
    Segments {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// The last segment is not of the epoch that it should be.
    #[error("the delivery is for key epoch {found}, epoch {expected} is needed: ask for a new delivery")]
    OtherEpoch {
        /// The epoch needed.
        expected: u32,
        /// The epoch of the last segment.
        found: u32,
    },
    /// No key for one of the epochs is at hand.
    #[error("the key of epoch {epoch} is not at hand: the meter key of its generation is needed to deliver")]
    NoEpochKey {
        /// The epoch.
        epoch: u32,
    },
    /// Longer than a delivery may be.
    #[error("the delivery would have {bytes} bytes, at most {MAX_DELIVERY_BYTES} fit: the customer can narrow the data range")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not the length that the keys in question have.
    #[error("the sealed keys have {found} bytes, exactly {expected} are needed: this is junk, ask for a new delivery")]
    WrongLength {
        /// Bytes demanded.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// Sealing or opening failed.
    #[error(transparent)]
    Kem(#[from] KemError),
    /// A cover is not canonical.
    #[error(transparent)]
    Cover(#[from] CoverError),
}

/// What a delivery is bound to. Deliverer and receiver must have the same, each from the chain: every field enters what
/// is sealed, and a delivery under any other does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryContext {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The role of the deliverer.
    pub deliverer: Deliverer,
    /// The account that signs the extrinsic.
    pub account: [u8; 32],
    /// The consent's identifier.
    pub consent: Hash,
    /// The consent's terms as they stand in the block of the delivery.
    pub terms: ConsentTerms,
}

impl DeliveryContext {
    /// HPKE's info: `wattseal/grant/1`, genesis, role, account, hash of the receiver's key.
    fn info(&self, kem_key: &Hash) -> Vec<u8> {
        let role = [self.deliverer as u8];
        let parts: [&[u8]; 5] = [b"wattseal/grant/1", &self.genesis, &role, &self.account, kem_key];
        parts.concat()
    }

    /// HPKE's additional data: consent, every field of the terms, number of segments (u32), segments.
    fn aad(&self, segments: &[Segment]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(256 + segments.len() * SEGMENT_BYTES);
        aad.extend_from_slice(&self.consent);
        self.terms.write_to(&mut aad);
        crate::decode::put_count(&mut aad, segments.len());
        segments.iter().for_each(|segment| put_segment(&mut aad, segment));
        aad
    }
}

fn put_segment(out: &mut Vec<u8>, segment: &Segment) {
    out.extend_from_slice(&segment.epoch.to_le_bytes());
    out.extend_from_slice(&segment.days.first.0.to_le_bytes());
    out.extend_from_slice(&segment.days.last.0.to_le_bytes());
}

/// The segments must be a plan for these terms: epochs ascending, days inside the data, the last one being all of it.
fn check_segments(segments: &[Segment], terms: &ConsentTerms) -> Result<(), DeliveryError> {
    terms.check()?;
    let problem = |problem| Err(DeliveryError::Segments { problem });
    let Some(last) = segments.last() else {
        return problem("there is none");
    };
    if segments.len() > MAX_SEGMENTS {
        return problem("there are more than 128");
    }
    if segments.windows(2).any(|pair| matches!(pair, [before, after] if before.epoch >= after.epoch)) {
        return problem("their epochs do not ascend");
    }
    if !segments.iter().all(|segment| segment.days.is_valid() && terms.data.includes(&segment.days)) {
        return problem("one has days outside the data range");
    }
    if last.days != terms.data {
        return problem("the last one is not the whole data range");
    }
    Ok(())
}

/// The trees of a delivery in their order: by segment, then channel, then level from coarse to fine.
fn trees<'a>(terms: &'a ConsentTerms, segments: &'a [Segment]) -> impl Iterator<Item = (Segment, Channel, Level)> + 'a {
    segments.iter().flat_map(move |segment| {
        terms
            .channels
            .iter()
            .flat_map(move |channel| terms.level.included().map(move |level| (*segment, channel, level)))
    })
}

/// Bytes of all nodes that terms and segments demand.
fn plaintext_bytes(terms: &ConsentTerms, segments: &[Segment]) -> Result<usize, DeliveryError> {
    let trees_of_segment = terms.channels.iter().count() * terms.level.included().count();
    let mut nodes = 0;
    for segment in segments {
        nodes += Cover::node_count(segment.days)? * trees_of_segment;
    }
    Ok(nodes * Secret::LEN)
}

/// A delivery as it stands in a block: `wsd1`, number of segments (u16), segments (epoch u32, first and last day u16
/// each), sealed nodes. Anybody can read the segments; only the receiver the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The segments. [`Envelope::check`] tells whether they fit a consent.
    pub segments: Vec<Segment>,
    /// The sealed nodes.
    pub sealed: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads the bytes of a delivery.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that no delivery looks like.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("delivery", bytes);
        if bytes.len() > MAX_DELIVERY_BYTES {
            return Err(reader.error("it is longer than 65536 bytes"));
        }
        if reader.array()? != *MAGIC {
            return Err(reader.error("it does not begin with 'wsd1'"));
        }
        let count = usize::from(reader.u16()?);
        if count > MAX_SEGMENTS || count * SEGMENT_BYTES > reader.remaining() {
            return Err(reader.error("it has more segments than 128 or than its bytes can hold"));
        }
        let mut segments = Vec::with_capacity(count);
        for _ in 0..count {
            segments.push(Segment { epoch: reader.u32()?, days: reader.range()? });
        }
        let sealed = reader.slice(reader.remaining())?;
        reader.finish()?;
        Ok(Self { segments, sealed })
    }

    /// What anybody can check without a key, and the runtime does: the segments are a plan for the terms, the last one
    /// is of `epoch`, and there are exactly as many sealed bytes as the canonical nodes need.
    ///
    /// # Errors
    /// [`DeliveryError::Terms`], [`DeliveryError::Segments`], [`DeliveryError::OtherEpoch`],
    /// [`DeliveryError::WrongLength`].
    pub fn check(&self, terms: &ConsentTerms, epoch: u32) -> Result<(), DeliveryError> {
        check_segments(&self.segments, terms)?;
        if let Some(last) = self.segments.last().filter(|last| last.epoch != epoch) {
            return Err(DeliveryError::OtherEpoch { expected: epoch, found: last.epoch });
        }
        let expected = OVERHEAD_BYTES + plaintext_bytes(terms, &self.segments)?;
        if self.sealed.len() != expected {
            return Err(DeliveryError::WrongLength { expected, found: self.sealed.len() });
        }
        Ok(())
    }
}

/// The keys of one tree for the days of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedTree {
    /// The epoch and days.
    pub segment: Segment,
    /// The channel.
    pub channel: Channel,
    /// The level: exactly this one.
    pub level: Level,
    /// The keys.
    pub cover: Cover,
}

/// The keys of a consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The segments, epochs ascending.
    pub segments: Vec<Segment>,
    /// A tree for each segment, channel and level that the consent includes, in this order.
    pub trees: Vec<GrantedTree>,
}

impl Delivery {
    /// The keys that terms and segments demand, from the epoch keys of the meter. `epoch_key` gives the key of an epoch:
    /// [`crate::secrets::MeterKey::epoch_key`] of the generation that the epoch was sealed under.
    ///
    /// # Errors
    /// [`DeliveryError::Terms`], [`DeliveryError::Segments`], [`DeliveryError::NoEpochKey`].
    pub fn make(
        terms: &ConsentTerms,
        segments: &[Segment],
        epoch_key: impl Fn(u32) -> Option<EpochKey>,
    ) -> Result<Self, DeliveryError> {
        check_segments(segments, terms)?;
        let tree = |(segment, channel, level): (Segment, Channel, Level)| {
            let key = epoch_key(segment.epoch).ok_or(DeliveryError::NoEpochKey { epoch: segment.epoch })?;
            let cover = key.tree_root(channel, level).cover(segment.days)?;
            Ok(GrantedTree { segment, channel, level, cover })
        };
        let trees: Result<Vec<_>, DeliveryError> = trees(terms, segments).map(tree).collect();
        Ok(Self { segments: segments.to_vec(), trees: trees? })
    }

    /// The nodes one after the other: the canonical covers say which each is.
    fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let nodes = || self.trees.iter().flat_map(|tree| tree.cover.nodes());
        // The exact capacity: a vector that grows would leave copies of keys behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(nodes().count() * Secret::LEN));
        nodes().for_each(|node| bytes.extend_from_slice(node.expose()));
        bytes
    }

    /// Reads exactly the canonical nodes of each tree.
    fn from_plaintext(terms: &ConsentTerms, segments: Vec<Segment>, bytes: &[u8]) -> Result<Self, DeliveryError> {
        let mut reader = Reader::new("delivery's content", bytes);
        let tree = |(segment, channel, level): (Segment, Channel, Level)| {
            let count = Cover::node_count(segment.days)?;
            let nodes: Result<Vec<Secret>, DecodeError> =
                (0..count).map(|_| reader.array().map(Secret::from_bytes)).collect();
            let cover = Cover::new(segment.days, nodes?)?;
            Ok(GrantedTree { segment, channel, level, cover })
        };
        let trees: Result<Vec<_>, DeliveryError> = trees(terms, &segments).map(tree).collect();
        let trees = trees?;
        reader.finish()?;
        Ok(Self { segments, trees })
    }

    /// A keyring with these keys alone: for testing them on one cell per segment and tree ([`Keyring::matches`])
    /// before they are trusted.
    pub fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::new();
        self.add_to(&mut keyring);
        keyring
    }

    /// Adds the keys to a keyring. Test them first: of two keys for the same days the earlier added is used.
    pub fn add_to(&self, keyring: &mut Keyring) {
        for tree in &self.trees {
            keyring.add_cover(tree.channel, tree.level, tree.segment.epoch, tree.cover.clone());
        }
    }
}

/// Seals the keys of a consent to its reader: the bytes for the `deliver` extrinsic, see [`Envelope`].
///
/// `randomness`: 32 fresh secret random bytes. `epoch_key` as for [`Delivery::make`].
///
/// # Errors
/// As [`Delivery::make`], and [`DeliveryError::TooLarge`].
pub fn seal_delivery(
    context: &DeliveryContext,
    segments: &[Segment],
    epoch_key: impl Fn(u32) -> Option<EpochKey>,
    to: &KemPublic,
    randomness: &Secret,
) -> Result<Vec<u8>, DeliveryError> {
    check_segments(segments, &context.terms)?;
    let bytes =
        HEAD_BYTES + segments.len() * SEGMENT_BYTES + OVERHEAD_BYTES + plaintext_bytes(&context.terms, segments)?;
    if bytes > MAX_DELIVERY_BYTES {
        return Err(DeliveryError::TooLarge { bytes });
    }
    let plaintext = Delivery::make(&context.terms, segments, epoch_key)?.to_plaintext();
    let sealed = seal_to(to, &context.info(&to.hash()), &context.aad(segments), &plaintext, randomness)?;
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(MAGIC);
    // At most MAX_SEGMENTS, checked above.
    out.extend_from_slice(&(segments.len() as u16).to_le_bytes());
    segments.iter().for_each(|segment| put_segment(&mut out, segment));
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens a delivery. `context` comes from the chain, `epoch` is that of the slot in which the delivery stands.
///
/// The keys are those that the deliverer chose to send: test them on one cell per segment and tree before use.
///
/// # Errors
/// [`DeliveryError`]: no delivery, of another epoch, for other terms, of another length, or it does not open.
pub fn open_delivery(
    context: &DeliveryContext,
    epoch: u32,
    secret: &KemSecret,
    bytes: &[u8],
) -> Result<Delivery, DeliveryError> {
    let envelope = Envelope::decode(bytes)?;
    envelope.check(&context.terms, epoch)?;
    let info = context.info(&secret.public().hash());
    let aad = context.aad(&envelope.segments);
    let plaintext = Zeroizing::new(open_with(secret, &info, &aad, envelope.sealed)?);
    Delivery::from_plaintext(&context.terms, envelope.segments, &plaintext)
}

/// The hash of a delivery's bytes, which state keeps beside block number, extrinsic index and length.
pub fn delivery_hash(bytes: &[u8]) -> Hash {
    public_hash(Tag::DELIVERY, &[bytes])
}

/// Finds a delivery (of a consent's keys or of a meter's key) inside an extrinsic by length and hash; no metadata is
/// needed, so it works across upgrades.
///
/// Only the first 256 places that begin as a delivery does are hashed, so junk made on purpose costs 16 MiB of hashing at
/// most; it harms nobody but the deliverer who put it before its own delivery.
pub fn find_delivery<'a>(extrinsic: &'a [u8], length: usize, hash: &Hash) -> Option<&'a [u8]> {
    if !(HEAD_BYTES..=MAX_DELIVERY_BYTES).contains(&length) {
        return None;
    }
    let begins = |window: &&[u8]| window.starts_with(MAGIC) || window.starts_with(super::meter_key::MAGIC);
    let mut places = extrinsic.windows(length).filter(begins).take(MAX_PLACES);
    places.find(|window| delivery_hash(window) == *hash)
}
