//! Runs the target that `WATTSEAL_FUZZ_TARGET` names on what libFuzzer makes up.
#![no_main]

use std::sync::OnceLock;
use wattseal_fuzz::Target;

/// The named target.
fn named() -> Target {
    let name = std::env::var("WATTSEAL_FUZZ_TARGET").unwrap_or_default();
    #[cfg(feature = "runtime")]
    let targets = [wattseal_fuzz_runtime::TARGET];
    #[cfg(not(feature = "runtime"))]
    let targets = wattseal_fuzz::TARGETS;
    let found = targets.into_iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("WATTSEAL_FUZZ_TARGET names no target of this binary: {name:?}"))
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static TARGET: OnceLock<Target> = OnceLock::new();
    (TARGET.get_or_init(named).run)(data);
});
