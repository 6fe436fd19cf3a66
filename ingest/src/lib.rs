//! From meter-days to sealed batches: what becomes of each day of a file, and in which batch it goes on chain.
//!
//! `smart-meter-texas` knows files and `sealed-register` knows cells; this crate joins them, and knows no chain, no
//! network and no disk. The off-chain worker runs it in wasm over a feed, `wattseal utility ingest` natively over files
//! of bulk history, and the same days give the same batches byte for byte.
//!
//! - [`bridge`]: a feed's types as the register's, and the digest by which versions of a day are compared.
//! - [`pass`]: planning, sealing and batching.
//! - [`chain`] and [`shelf`]: what a pass asks of the chain's state, and where it reads and writes.
//! - [`records`]: what is written there.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bridge;
pub mod chain;
pub mod pass;
pub mod records;
pub mod shelf;

/// Number of a block.
pub type BlockNumber = u32;

#[cfg(test)]
mod tests;
