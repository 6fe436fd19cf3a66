//! Tests of the pallet, one file per call, and of the worker, one file per duty.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod commit_batch;
mod committing;
mod delivering;
mod ingesting;
mod keys_and_lock;
mod model;
mod orders;
mod relaying;
mod set_calendar;
mod set_shard_bits;
mod support;
mod whole_node;
