//! Measures the figures of the README; the last line is one JSON object. README.md of this folder says what each means.

mod baselines;
mod native;
mod postgres;
mod runtime;
mod utility;
mod vault;
mod year;

use clap::{Parser, ValueEnum};
use serde_json::{Map, Number, Value};
use std::process::ExitCode;
use wattseal_figures::{feed, measure, Result};

/// Every figure.
const KEYS: [&str; 15] = [
    "native_readings_per_second_per_core",
    "wasm_readings_per_second",
    "vs_postgres_copy",
    "vs_aead_per_level",
    "vs_timecrypt",
    "proof_bytes_year_day",
    "proof_bytes_year_hour",
    "proof_bytes_year_quarter",
    "open_meter_year_ms",
    "vault_bytes_per_reading",
    "chain_bytes_per_reading",
    "read_p50_ms",
    "read_p99_ms",
    "consents_per_second",
    "empty_calls_per_second",
];

/// Measures the figures of the README.
#[derive(Parser)]
struct Args {
    /// Small inputs and few rounds: shows that everything runs; the figures are worth nothing.
    #[arg(long)]
    short: bool,
    /// What to measure; everything if none is named.
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Parsing and sealing on one core.
    Native,
    /// The worker and blocks in the runtime's wasm.
    Runtime,
    /// PostgreSQL's COPY of the same rows.
    Postgres,
    /// Two other ways to share readings.
    Baselines,
    /// Proofs of a meter-year.
    Year,
    /// A vault with a million meter-days.
    Vault,
}

/// How much is measured.
struct Scale {
    short: bool,
    /// Homes of the file that is parsed and sealed.
    homes: u32,
    /// How often things are measured.
    rounds: u32,
    /// How often a meter-year is opened.
    openings: u32,
    /// Meters of the vault, each with a year.
    meters: u32,
    /// Reads from it.
    reads: u32,
}

impl Scale {
    fn new(short: bool) -> Self {
        match short {
            false => Self { short, homes: 24, rounds: 7, openings: 15, meters: 2_740, reads: 1_000 },
            true => Self { short, homes: 2, rounds: 2, openings: 2, meters: 30, reads: 10 },
        }
    }
}

/// The figures so far.
struct Figures(Map<String, Value>);

impl Figures {
    /// Enters a figure, with four digits at least.
    fn set(&mut self, key: &str, value: f64) {
        let places = if value.abs() < 0.01 { 1e7 } else { 1e3 };
        let rounded = (value * places).round() / places;
        let whole = rounded.fract() == 0.0 && rounded.abs() < 1e15;
        let number = if whole { Some(Number::from(rounded as i64)) } else { Number::from_f64(rounded) };
        self.0.insert(key.into(), number.map_or(Value::Null, Value::Number));
    }
}

fn run(args: &Args) -> Result<Figures> {
    let scale = Scale::new(args.short);
    let mut figures = Figures(KEYS.map(|key| (key.to_owned(), Value::Null)).into_iter().collect());
    if args.short {
        println!("short: small inputs and few rounds; the figures are worth nothing");
    }
    for part in Part::value_variants() {
        if !args.parts.is_empty() && !args.parts.contains(part) {
            continue;
        }
        let measure = match part {
            Part::Native => native::measure,
            Part::Runtime => runtime::measure,
            Part::Postgres => postgres::measure,
            Part::Baselines => baselines::measure,
            Part::Year => year::measure,
            Part::Vault => vault::measure,
        };
        measure(&scale, &mut figures)?;
    }
    Ok(figures)
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(figures) => {
            println!("{}", Value::Object(figures.0));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}
