//! The sealed register in the engine that runs runtimes here (protocol section 10, property 7).
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use crate::service::Executor;
use sc_executor_common::runtime_blob::RuntimeBlob;
use sealed_register_vectors::{check, MODULE};

/// The checks come as a wasm module for the same target as the runtime, with the same sources of the register; memory and
/// allocator are the host's, as for a runtime.
#[test]
fn vectors_hold_where_the_runtime_runs() {
    let module = RuntimeBlob::uncompress_if_needed(MODULE).unwrap();
    let mut state = sp_io::TestExternalities::default();
    let executor = Executor::builder().build();
    let text = executor.uncached_call(module, &mut state.ext(), false, "check", &[]).unwrap();
    assert_eq!(String::from_utf8(text), Ok(check().unwrap()));
}
