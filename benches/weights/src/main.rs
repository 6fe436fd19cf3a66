//! Measures the calls of a runtime that was built with `runtime-benchmarks`, and writes its weights.
//!
//! Each benchmark runs in WebAssembly as blocks do, on an in-memory database; database accesses are counted here and
//! priced by the runtime's `DbWeight`. `scripts/weights` builds the runtime, runs this and puts the files in their places.

mod files;
mod run;

use anyhow::{bail, Context, Result};
use clap::Parser;
use std::{fs, path::PathBuf};

/// Measures the calls of a runtime and writes its weights.
#[derive(Parser)]
struct Options {
    /// The runtime, built for wasm32 with the feature `runtime-benchmarks`.
    runtime: PathBuf,
    /// The workspace into which the files are written.
    workspace: PathBuf,
    /// Only this pallet, as `pallet_meters`.
    #[arg(long)]
    pallet: Option<String>,
    /// Values of each component, from its lowest to its highest.
    #[arg(long, default_value_t = 20)]
    steps: u32,
    /// Runs of each benchmark with the same values.
    #[arg(long, default_value_t = 20)]
    repeats: u32,
    /// Day of the measurement, for the files' headers.
    #[arg(long)]
    date: String,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let code = fs::read(&options.runtime).with_context(|| format!("reading {}", options.runtime.display()))?;
    let bench = run::Bench::new(code)?;
    let head = files::Head::new(&options.date, options.steps, options.repeats)?;
    let mut found = false;
    for list in bench.list()? {
        let pallet = String::from_utf8(list.pallet.clone())?;
        if options.pallet.as_ref().is_some_and(|only| *only != pallet) {
            continue;
        }
        found = true;
        let mut measured = Vec::new();
        for benchmark in &list.benchmarks {
            let name = String::from_utf8(benchmark.name.clone())?;
            let result = bench.measure(&list, benchmark, options.steps, options.repeats);
            match &result {
                Ok(cost) => println!("{pallet}::{name}: {cost}"),
                Err(error) => println!("{pallet}::{name}: {error:#}"),
            }
            measured.push(files::Measured { name, components: benchmark.components.clone(), cost: result });
        }
        let file = files::file(&options.workspace, &pallet)?;
        fs::write(&file.path, file.text(&head, &measured)?)
            .with_context(|| format!("writing {}", file.path.display()))?;
    }
    if !found {
        bail!("the runtime has no benchmarks of {}", options.pallet.as_deref().unwrap_or("any pallet"));
    }
    Ok(())
}
