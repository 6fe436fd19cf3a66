//! The register itself: sealing, opening, amendments, levels (properties 1, 2, 3, 5 and 6 of the protocol).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed unwrap is a failed test

mod agreement;
mod bytes;
mod days;
mod malformed;
mod nonces;
mod samples;
mod simulator;
mod union;
#[path = "../vector_file.rs"]
mod vector_file;
mod vectors;
mod world;
