//! Tests of the crate from outside, by the properties of protocol section 10.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed unwrap is a failed test

mod any_statements;
mod deliveries;
mod statements;
mod tickets;
mod vector_file;
