//! The Wattseal node.

#[allow(clippy::result_large_err)] // the SDK's error type, returned once per process
fn main() -> sc_cli::Result<()> {
    wattseal_node::command::run()
}
