//! The runtime with its benchmarks, compiled to WebAssembly by `scripts/weights`.
#![no_std]
#![allow(unused_imports)]

pub use wattseal_runtime::*;
