//! AEAD for each level: the plain way to share by resolution.
//!
//! The words of a day, the same as the register's (2 of the day, 23 of hours, 72 of quarter hours), are encrypted in three
//! messages with AES-256-GCM. Each level has a tree of keys over days of its own, by BLAKE3 as in the register, so that a
//! grant of a date range is a handful of nodes. A key is used for one day and one revision, so the nonce is the revision.
//! A reader of hours holds the keys of days too. Day by day a hash over header and messages continues the chain.
//!
//! What it lacks beside the register: AES-GCM does not commit to a key, so a utility could show two readers different
//! readings under one hash; sealing other values twice as the same revision (a crash, a second machine) reuses a nonce;
//! and nobody can add up the words of many meters without their keys.

use super::{
    tree::{Node, Walker},
    Bytes, Stream,
};
use crate::{utility::MAX_WH, Result};
use aes_gcm::{
    aead::{inout::InOutBuf, AeadInOut},
    Aes256Gcm, KeyInit,
};
use sealed_register::{
    word::{words_of, Words},
    DayReadings, MeterId,
};
use std::hint::black_box;

#[derive(Clone, Copy)]
struct Seed([u8; 32]);

impl Node for Seed {
    fn children(self, depth: u8) -> [Self; 2] {
        let mut output = [0; 64];
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[depth]).finalize_xof().fill(&mut output);
        let (mut left, mut right) = ([0; 32], [0; 32]);
        left.copy_from_slice(&output[..32]);
        right.copy_from_slice(&output[32..]);
        [Self(left), Self(right)]
    }
}

struct Sealer {
    header: [u8; HEADER],
    keys: [Walker<Seed, 15>; 3],
    sequence: u32,
    previous: [u8; 32],
}

/// Meter, channel, intervals, day, revision, epoch, sequence, hash of the day before.
const HEADER: usize = 16 + 1 + 1 + 2 + 2 + 4 + 4 + 32;

impl Sealer {
    fn new(meter: &MeterId, channel: u8) -> Self {
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(&meter.0);
        header[16] = channel;
        let root =
            |level: u8| Seed(*blake3::keyed_hash(&[7; 32], &[&meter.0[..], &[channel, level]].concat()).as_bytes());
        Self { header, keys: [0, 1, 2].map(|level| Walker::new(root(level))), sequence: 0, previous: [0; 32] }
    }

    /// Header and three messages.
    fn seal(&mut self, readings: &DayReadings) -> Result<Vec<u8>> {
        let Words { day, hour, quarter } = words_of(readings, MAX_WH)?;
        self.header[17] = readings.intervals.len() as u8;
        self.header[18..20].copy_from_slice(&readings.day.0.to_le_bytes());
        self.header[26..30].copy_from_slice(&self.sequence.to_le_bytes());
        self.header[30..].copy_from_slice(&self.previous);
        let mut out = Vec::with_capacity(HEADER + 8 * (1 + readings.intervals.len()) + 3 * 16);
        out.extend_from_slice(&self.header);
        let mut chain = blake3::Hasher::new();
        chain.update(&self.header);
        let levels: [&[u64]; 3] = [&day, &hour, &quarter];
        for (keys, words) in self.keys.iter_mut().zip(levels) {
            let cipher = Aes256Gcm::new(&keys.leaf(readings.day.0.into()).0.into());
            let begin = out.len();
            words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
            let nonce = [0; 12];
            let tag = cipher
                .encrypt_inout_detached(&nonce.into(), &self.header, InOutBuf::from(&mut out[begin..]))
                .map_err(|_| "AES-GCM refused to encrypt")?;
            out.extend_from_slice(&tag);
            // A reader of days gets the other messages' hashes only.
            chain.update(blake3::hash(&out[begin..]).as_bytes());
        }
        self.previous = *chain.finalize().as_bytes();
        self.sequence += 1;
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
