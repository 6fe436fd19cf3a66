//! What must hold for any bytes that come from outside: one function for each thing that is read.
//!
//! A function takes any bytes and panics if something that must hold does not. libFuzzer searches for such bytes
//! (`libfuzzer/`, `scripts/fuzz`); the ordinary tests replay what it has found worth keeping (`corpus/`), with seeded
//! changes. The first byte mostly chooses: either the rest is read as it is, or it is a list of edits to an honest
//! example, so that even random bytes reach far behind the first check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is what the fuzzer looks for")]

pub mod batch;
pub mod cell;
pub mod csv;
pub mod delivery;
pub mod edit;
pub mod link;
pub mod meters;
pub mod proof;
pub mod statement;

/// The utility, vault and readers of `seal`'s own tests.
#[allow(dead_code, reason = "seal's tests use more of it")]
#[path = "../../seal/tests/proofs/world.rs"]
mod world;

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// Panics if something that must hold for these bytes does not.
    pub run: fn(&[u8]),
}

/// Everything that is fuzzed without a chain.
pub const TARGETS: [Target; 8] = [
    Target { name: "csv", run: csv::run },
    Target { name: "statement", run: statement::run },
    Target { name: "cell", run: cell::run },
    Target { name: "batch", run: batch::run },
    Target { name: "proof", run: proof::run },
    Target { name: "delivery", run: delivery::run },
    Target { name: "link", run: link::run },
    Target { name: "meters", run: meters::run },
];
