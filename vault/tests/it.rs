//! The vault as nodes use it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed unwrap is a failed test

mod common;
mod damage;
mod import;
mod kill;
mod offers;
mod ranges;
mod receipts;
