//! Reading and writing fixed-width fields, little-endian. Every decoder of proofs and batches goes through here: it is
//! total, and nothing is allocated by a length that the remaining bytes cannot hold (protocol section 10, property 8).

use crate::types::{Channel, DayRange, Hash, MeterId, OperatingDay};
use alloc::vec::Vec;

/// Bytes that are not an encoding of the thing expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: byte {at}: {problem}; ask for it again, from another node if it repeats")]
pub struct DecodeError {
    /// The thing expected, for example `range proof`.
    pub what: &'static str,
    /// Position, in bytes from the beginning.
    pub at: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// A cursor over untrusted bytes.
pub(crate) struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte; `what` names the thing in errors.
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes, length: bytes.len() }
    }

    /// An error at the present position.
    pub(crate) fn error(&self, problem: &'static str) -> DecodeError {
        DecodeError { what: self.what, at: self.length - self.rest.len(), problem }
    }

    /// Bytes not read yet.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.error("the bytes end too early"));
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, DecodeError> {
        self.array()
    }

    /// `count` words of 8 bytes.
    pub(crate) fn words(&mut self, count: usize) -> Result<Vec<u64>, DecodeError> {
        let bytes = self.slice(count.saturating_mul(8))?;
        let word = |chunk: &[u8]| {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            u64::from_le_bytes(word)
        };
        Ok(bytes.chunks_exact(8).map(word).collect())
    }

    pub(crate) fn day(&mut self) -> Result<OperatingDay, DecodeError> {
        self.u16().map(OperatingDay)
    }

    pub(crate) fn range(&mut self) -> Result<DayRange, DecodeError> {
        let (first, last) = (self.day()?, self.day()?);
        DayRange::new(first, last).ok_or_else(|| self.error("the last day is before the first"))
    }

    pub(crate) fn meter(&mut self) -> Result<MeterId, DecodeError> {
        self.array().map(MeterId)
    }

    pub(crate) fn channel(&mut self) -> Result<Channel, DecodeError> {
        let byte = self.u8()?;
        Channel::from_byte(byte).ok_or_else(|| self.error("a channel is 0 (consumption) or 1 (generation)"))
    }

    /// A count of things of at least `smallest` bytes each: refused at once if the remaining bytes cannot hold them.
    pub(crate) fn count(&mut self, smallest: usize) -> Result<usize, DecodeError> {
        let count = self.u32()? as usize;
        if count.saturating_mul(smallest) > self.remaining() {
            return Err(self.error("a count is larger than the bytes that follow can hold"));
        }
        Ok(count)
    }

    /// The end must be reached.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("bytes are left over at the end"))
        }
    }
}

/// Appends a number of things as 4 bytes. Lengths in this crate are bounded far below 2^32 by their builders.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// Appends words of 8 bytes.
pub(crate) fn put_words(out: &mut Vec<u8>, words: &[u64]) {
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}
