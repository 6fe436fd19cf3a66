//! The Wattseal node.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wattseal_node::command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wattseal-node: {error}");
            ExitCode::FAILURE
        }
    }
}
