//! Gives the version text its commit: `SUBSTRATE_CLI_GIT_COMMIT_HASH` if set, else the checkout's HEAD.

fn main() {
    substrate_build_script_utils::generate_cargo_keys();
    // Not on every commit: that would link the node again each time. Releases set the variable.
    println!("cargo:rerun-if-env-changed=SUBSTRATE_CLI_GIT_COMMIT_HASH");
}
