//! The Wattseal node.

fn main() -> sc_cli::Result<()> {
    wattseal_node::command::run()
}
