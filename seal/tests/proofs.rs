//! Shards, batches, proofs and their checks: protocol section 10, properties 4 and 8, and the sizes of section 6.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed unwrap is a failed test

#[path = "proofs/altered.rs"]
mod altered;
#[path = "proofs/batches.rs"]
mod batches;
#[path = "proofs/decoders.rs"]
mod decoders;
#[path = "proofs/evidence.rs"]
mod evidence;
#[path = "proofs/ranges.rs"]
mod ranges;
#[path = "proofs/rejections.rs"]
mod rejections;
#[path = "proofs/roots.rs"]
mod roots;
#[path = "proofs/sizes.rs"]
mod sizes;
#[path = "proofs/trees.rs"]
mod trees;
#[path = "vector_file.rs"]
mod vector_file;
#[path = "proofs/vectors.rs"]
mod vectors;
#[path = "proofs/world.rs"]
mod world;
