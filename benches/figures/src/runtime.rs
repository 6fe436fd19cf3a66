//! What is measured inside the runtime's wasm: by the program `wattseal-figures-runtime`, which alone needs the SDK.

use crate::{Figures, Result, Scale};
use serde_json::{Map, Value};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

const PROGRAM: &str = "wattseal-figures-runtime";

/// Runs the program beside this one and takes its figures over.
///
/// # Errors
/// If it fails.
pub fn measure(scale: &Scale, figures: &mut Figures) -> Result<()> {
    let path = std::env::current_exe()?.with_file_name(PROGRAM);
    if !path.is_file() {
        println!("runtime: not measured, since {} is not there: build the workspace", path.display());
        return Ok(());
    }
    let mut command = Command::new(&path);
    command.args(scale.short.then_some("--short")).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut program = command.spawn()?;
    let mut last = String::new();
    for line in BufReader::new(program.stdout.take().ok_or("no output")?).lines() {
        last = line?;
        if !last.starts_with('{') {
            println!("{last}");
        }
    }
    let status = program.wait()?;
    if !status.success() {
        return Err(format!("{PROGRAM} ended with {status}").into());
    }
    let found: Map<String, Value> = serde_json::from_str(&last).map_err(|error| format!("{PROGRAM}: {error}"))?;
    for (key, value) in found {
        figures.set(&key, value.as_f64().ok_or_else(|| format!("{PROGRAM}: {key} is no number"))?);
    }
    Ok(())
}
