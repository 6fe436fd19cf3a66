//! Real nodes: the story, what it leaves behind, kills, and other people's clients. Each test has its own folder and
//! ports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed unwrap is a failed test

mod clients;
mod clients_subxt;
mod clients_vendor;
mod ctrl_c;
mod feed;
mod feed_server;
mod flood;
mod harness;
mod hostile_feed;
mod ingest;
mod kills;
mod patterns;
mod personal_data;
mod random;
mod reads;
mod restart;
mod story;
mod utility;
mod vectors;
mod volume;
