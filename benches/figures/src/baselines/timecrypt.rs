//! TimeCrypt's construction (Burkhalter, Hithnawi, Viand, Shafagh, Ratnasamy: NSDI 2020), for the readings of a meter.
//!
//! - A binary tree of 128-bit seeds over all intervals of a stream; a child is AES-128 under its parent's seed.
//! - Key k of a boundary: AES-128 under the leaf's seed, folded to 64 bits. The ciphertext of an interval is its word plus
//!   k of its begin minus k of its end (HEAC), modulo 2^64; the word is that of the register, energy and counts of
//!   estimated and missing intervals.
//! - An index over the ciphertexts with 64 children a node, each node their sum, so that sums of ranges are read fast.
//! - Resolution: for every end of an hour and of a day an envelope, the boundary's seed under AES-128-GCM with the key of
//!   one further tree for each of both resolutions: 12 bytes nonce, 16 seed, 16 tag.
//!
//! Left out, in its favour: the integrity tags of TimeCrypt+ (shared by all readers of a stream, so nobody can prove
//! anything to anybody else), the encrypted copy of raw data, and any chain: it does not show what was withheld. A value
//! that is corrected later would be encrypted under the same keys again, so no corrections are measured.

use super::{
    tree::{Node, Walker},
    Bytes, Stream,
};
use crate::{utility::MAX_WH, Result};
use aes_gcm::{
    aead::{inout::InOutBuf, AeadInOut},
    aes::{cipher::BlockCipherEncrypt, Aes128},
    Aes128Gcm, KeyInit,
};
use sealed_register::{word::BoundaryTotal, DayReadings, MeterId, Quality};
use std::hint::black_box;

/// Children of a node of the index, as TimeCrypt's own.
const FAN_OUT: u32 = 64;
/// Intervals of some 59 years.
const DEPTH: usize = 21;

#[derive(Clone, Copy)]
struct Seed([u8; 16]);

impl Seed {
    /// AES-128 under the seed, of a block with this last byte.
    fn derive<const N: usize>(self, inputs: [u8; N]) -> [[u8; 16]; N] {
        let cipher = Aes128::new(&self.0.into());
        let mut blocks = inputs.map(|input| {
            let mut block = [0; 16];
            block[15] = input;
            block.into()
        });
        cipher.encrypt_blocks(&mut blocks);
        blocks.map(Into::into)
    }

    /// The key of the boundary.
    fn key(self) -> u64 {
        let [block] = self.derive([2]);
        let (low, high) = block.split_at(8);
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        word(low) ^ word(high)
    }
}

impl Node for Seed {
    fn children(self, _depth: u8) -> [Self; 2] {
        self.derive([0, 1]).map(Seed)
    }
}

/// Sums over 64, 64 x 64, ... ciphertexts.
#[derive(Default)]
struct Index(Vec<(u64, u32)>);

impl Index {
    fn add(&mut self, ciphertext: u64, out: &mut Vec<u8>) {
        let mut carried = ciphertext;
        for level in 0.. {
            if self.0.len() == level {
                self.0.push((0, 0));
            }
            let Some((sum, count)) = self.0.get_mut(level) else { return };
            *sum = sum.wrapping_add(carried);
            *count += 1;
            if *count < FAN_OUT {
                return;
            }
            out.extend_from_slice(&sum.to_le_bytes());
            carried = std::mem::take(sum);
            *count = 0;
        }
    }
}

struct Sealer {
    keys: Walker<Seed, DEPTH>,
    resolutions: [Walker<Seed, DEPTH>; 2],
    boundary: u32,
    key: u64,
    index: Index,
}

impl Sealer {
    fn new(meter: &MeterId, channel: u8) -> Self {
        let root = |tree: u8| {
            let [first, ..] = Seed(meter.0).derive([channel << 4 | tree]);
            Walker::new(Seed(first))
        };
        let mut keys = root(3);
        let key = keys.leaf(0).key();
        Self { keys, resolutions: [root(4), root(5)], boundary: 0, key, index: Index::default() }
    }

    fn envelope(&mut self, resolution: usize, seed: Seed, out: &mut Vec<u8>) -> Result<()> {
        let cipher = Aes128Gcm::new(&self.resolutions[resolution].leaf(self.boundary).0.into());
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.boundary.to_le_bytes());
        let mut sealed = seed.0;
        let tag = cipher
            .encrypt_inout_detached(&nonce.into(), &[], InOutBuf::from(&mut sealed[..]))
            .map_err(|_| "AES-GCM refused to encrypt")?;
        for part in [&nonce[..], &sealed, &tag] {
            out.extend_from_slice(part);
        }
        Ok(())
    }

    /// Ciphertexts, nodes of the index that are complete, envelopes.
    fn seal(&mut self, readings: &DayReadings) -> Result<Vec<u8>> {
        let count = readings.intervals.len();
        let mut out = Vec::with_capacity(8 * count + 44 * (count / 4 + 1) + 16);
        for (number, reading) in (1..).zip(&readings.intervals) {
            if reading.wh > MAX_WH {
                return Err("a reading above the meter's bound".into());
            }
            let word = BoundaryTotal {
                wh: reading.wh.into(),
                estimated: (reading.quality == Quality::Estimated).into(),
                missing: (reading.quality == Quality::Missing).into(),
            };
            self.boundary += 1;
            let seed = self.keys.leaf(self.boundary);
            let key = seed.key();
            let ciphertext = word.pack().wrapping_add(self.key).wrapping_sub(key);
            self.key = key;
            out.extend_from_slice(&ciphertext.to_le_bytes());
            self.index.add(ciphertext, &mut out);
            if number % 4 == 0 {
                self.envelope(0, seed, &mut out)?;
            }
            if number == count {
                self.envelope(1, seed, &mut out)?;
            }
        }
        Ok(out)
    }
}

/// Seals all streams.
pub fn seal_all(streams: &[Stream]) -> Bytes {
    let mut bytes = 0;
    for Stream { meter, channel, days } in streams {
        let mut sealer = Sealer::new(meter, *channel as u8);
        for day in days {
            bytes += black_box(sealer.seal(day)?).len() as u64;
        }
    }
    Ok(bytes)
}
