//! Tests of the pallet, one file per call, and a random walk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod claim;
mod close;
mod epochs;
mod model;
mod sync;
