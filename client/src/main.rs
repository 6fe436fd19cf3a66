//! The command `wattseal`. Everything it does is in the library.

fn main() -> std::process::ExitCode {
    wattseal_client::cli::main()
}
