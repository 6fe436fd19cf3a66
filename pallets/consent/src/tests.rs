//! Tests of the pallet, one file per call, and a random walk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod consent;
mod deliver;
mod deliver_meter_key;
mod expire;
mod give_back;
mod may_read;
mod model;
mod narrow;
mod revoke;
mod set_longest_term;
mod tenancy;
