//! Measures what happens inside the runtime's wasm, for `wattseal-figures`; the last line is one JSON object.

mod blocks;
mod chain;
mod offchain;
mod worker;

use std::process::ExitCode;
use wattseal_figures::Result;

/// How much is measured.
struct Scale {
    /// Homes of the file that the worker seals.
    homes: u32,
    /// How often.
    rounds: u32,
    /// Consents.
    consents: usize,
}

fn run() -> Result<serde_json::Value> {
    let scale = match std::env::args().nth(1).as_deref() {
        None => Scale { homes: 24, rounds: 7, consents: 2_000 },
        Some("--short") => Scale { homes: 2, rounds: 2, consents: 50 },
        Some(other) => return Err(format!("{other} is no option; --short is").into()),
    };
    let worker = worker::measure(&scale)?;
    let (consents, empty_calls) = blocks::measure(&scale)?;
    Ok(serde_json::json!({
        "wasm_readings_per_second": worker.readings_per_second.round(),
        "chain_bytes_per_reading": worker.chain_bytes_per_reading,
        "consents_per_second": consents.round(),
        "empty_calls_per_second": empty_calls.round(),
    }))
}

fn main() -> ExitCode {
    match run() {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}
