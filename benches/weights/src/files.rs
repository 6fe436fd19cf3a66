//! The files with the weights: Rust source, made from what was measured.

use crate::run::{Cost, Linear};
use anyhow::{bail, Context, Result};
use frame_benchmarking::BenchmarkParameter;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// What every file says about the measurement.
pub struct Head {
    machine: String,
    date: String,
    steps: u32,
    repeats: u32,
}

impl Head {
    /// For a measurement on this machine.
    ///
    /// # Errors
    /// The machine does not tell its processor.
    pub fn new(date: &str, steps: u32, repeats: u32) -> Result<Self> {
        let info = fs::read_to_string("/proc/cpuinfo").context("asking for the processor")?;
        let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        let model = model.map_or("unknown processor", |(_, model)| model.trim());
        let cores = info.lines().filter(|line| line.starts_with("processor")).count();
        Ok(Self { machine: format!("{model}, {cores} cores"), date: date.into(), steps, repeats })
    }

    fn text(&self) -> String {
        let Self { machine, date, steps, repeats } = self;
        format!(
            "//! Written by `scripts/weights`; edits are lost at its next run.\n\
             //!\n\
             //! Measured on {date} on a machine with {machine}: not the reference hardware of Substrate. Each component at\n\
             //! {steps} values, {repeats} runs each, in WebAssembly. Times are processor time without the database, whose accesses are\n\
             //! counted and priced by the runtime's `DbWeight`. Proof sizes are zero: this chain proves nothing to another.\n"
        )
    }
}

/// One benchmark and what became of it.
pub struct Measured {
    /// Its name, which is that of the weight function.
    pub name: String,
    /// Its components: name, lowest and highest value.
    pub components: Vec<(BenchmarkParameter, u32, u32)>,
    /// What it took.
    pub cost: Result<Cost>,
}

impl Measured {
    /// The function's parameters; those that cost nothing begin with an underscore.
    fn parameters(&self) -> String {
        let used = |index| match &self.cost {
            Ok(cost) => [&cost.time, &cost.reads, &cost.writes].iter().any(|part| part.slope(index) > 0),
            Err(_) => true,
        };
        let names = self.components.iter().enumerate().map(|(index, (name, ..))| {
            let mark = if used(index) { "" } else { "_" };
            format!("{mark}{name}: u32")
        });
        names.collect::<Vec<_>>().join(", ")
    }

    fn arguments(&self) -> String {
        self.components.iter().map(|(name, ..)| name.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// The ranges of the components, for people.
    fn ranges(&self) -> String {
        let ranges = self.components.iter().map(|(name, low, high)| format!(", {name} from {low} to {high}"));
        ranges.collect()
    }

    /// The function's value, with this price of database accesses.
    fn value(&self, cost: &Cost, price: &str, indent: &str) -> String {
        let mut text = format!("Weight::from_parts({}, 0)", digits(cost.time.base));
        let mut add = |what: String| {
            let _ = write!(text, "\n{indent}    .saturating_add({what})");
        };
        for (index, (name, ..)) in self.components.iter().enumerate() {
            if cost.time.slope(index) > 0 {
                let slope = digits(cost.time.slope(index));
                add(format!("Weight::from_parts({slope}, 0).saturating_mul({name}.into())"));
            }
        }
        for (kind, part) in [("reads", &cost.reads), ("writes", &cost.writes)] {
            if part.base > 0 {
                add(format!("{price}.{kind}({})", digits(part.base)));
            }
            for (index, (name, ..)) in self.components.iter().enumerate() {
                match part.slope(index) {
                    0 => {}
                    1 => add(format!("{price}.{kind}({name}.into())")),
                    slope => add(format!("{price}.{kind}({}_u64.saturating_mul({name}.into()))", digits(slope))),
                }
            }
        }
        text
    }
}

impl Linear {
    fn slope(&self, index: usize) -> u64 {
        self.slopes.get(index).copied().unwrap_or_default()
    }
}

/// A number with its thousands apart.
fn digits(number: u64) -> String {
    let plain = number.to_string();
    let mut text = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index) % 3 == 0 {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// Where a pallet's weights stand, and what they implement.
pub struct File {
    /// The file.
    pub path: PathBuf,
    /// Of a pallet of the SDK: its trait and its own weights.
    foreign: Option<(&'static str, &'static str)>,
}

/// The file of a pallet's weights.
///
/// # Errors
/// No place is known for this pallet: add it here.
pub fn file(workspace: &Path, pallet: &str) -> Result<File> {
    let foreign = match pallet {
        "frame_system" => Some(("frame_system::WeightInfo", "frame_system::weights::SubstrateWeight<T>")),
        "frame_system_extensions" => {
            Some(("frame_system::ExtensionsWeightInfo", "frame_system::SubstrateExtensionsWeight<T>"))
        }
        "pallet_timestamp" => Some(("pallet_timestamp::WeightInfo", "pallet_timestamp::weights::SubstrateWeight<T>")),
        "pallet_collective" => {
            Some(("pallet_collective::WeightInfo", "pallet_collective::weights::SubstrateWeight<T>"))
        }
        "pallet_membership" => {
            Some(("pallet_membership::weights::WeightInfo", "pallet_membership::weights::SubstrateWeight<T>"))
        }
        "pallet_participants" | "pallet_meters" | "pallet_usage" | "pallet_consent" => None,
        other => bail!("{other} has no place in benches/weights/src/files.rs"),
    };
    let path = match foreign {
        Some(_) => workspace.join(format!("runtime/src/weights/{pallet}.rs")),
        None => workspace.join(format!("pallets/{}/src/weights.rs", pallet.trim_start_matches("pallet_"))),
    };
    Ok(File { path, foreign })
}

impl File {
    /// The whole file.
    ///
    /// # Errors
    /// A benchmark of our own failed.
    pub fn text(&self, head: &Head, measured: &[Measured]) -> Result<String> {
        match self.foreign {
            Some((info, own)) => Ok(foreign(head, info, own, measured)),
            None => own(head, measured),
        }
    }
}

/// A pallet of this workspace: the trait, weights for the runtime, weights for tests.
fn own(head: &Head, measured: &[Measured]) -> Result<String> {
    let (mut functions, mut values) = (String::new(), String::new());
    for one in measured {
        let cost = one.cost.as_ref().map_err(|error| anyhow::anyhow!("{}: {error:#}", one.name))?;
        let Measured { name, .. } = one;
        let plain = one.parameters().replace('_', "");
        let _ = write!(functions, "    /// `{name}`{}.\n    fn {name}({plain}) -> Weight;\n", one.ranges());
        let value = one.value(cost, "$db", "            ");
        let _ =
            write!(values, "        fn {name}({}) -> Weight {{\n            {value}\n        }}\n", one.parameters());
    }
    Ok(format!(
        "//! Weights of this pallet's calls, and of what else it does.\n//!\n{head}
use core::marker::PhantomData;
use frame_support::{{
    traits::Get,
    weights::{{constants::ParityDbWeight, Weight}},
}};

/// Weights by benchmark (`benchmarking.rs`).
pub trait WeightInfo {{
{functions}}}

macro_rules! weights {{
    ($db:expr) => {{
{values}    }};
}}

/// With the runtime's prices of database accesses.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {{
    weights!(T::DbWeight::get());
}}

/// With ParityDB's prices, for tests.
impl WeightInfo for () {{
    weights!(ParityDbWeight::get());
}}
",
        head = head.text(),
    ))
}

/// A pallet of the SDK. Where its benchmark does not run here, its own weight stands.
fn foreign(head: &Head, info: &str, own: &str, measured: &[Measured]) -> String {
    let mut values = String::new();
    for one in measured {
        let Measured { name, cost, .. } = one;
        let (note, value) = match cost {
            Ok(cost) => (String::new(), one.value(cost, "T::DbWeight::get()", "        ")),
            Err(_) => (
                "    // The SDK's own: its benchmark does not run in this runtime.\n".into(),
                format!("<{own} as {info}>::{name}({})", one.arguments()),
            ),
        };
        let _ = write!(values, "{note}    fn {name}({}) -> Weight {{\n        {value}\n    }}\n", one.parameters());
    }
    format!(
        "//! Weights of this pallet of the SDK in this runtime.\n//!\n{head}
use core::marker::PhantomData;
use frame_support::{{traits::Get, weights::Weight}};

/// With the runtime's prices of database accesses.
pub struct Weights<T>(PhantomData<T>);

impl<T: frame_system::Config> {info} for Weights<T> {{
{values}}}
",
        head = head.text(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let linear = |base, slopes: &[u64]| Linear { base, slopes: slopes.to_vec() };
        let cost = Cost { time: linear(1_234_567, &[0, 89]), reads: linear(2, &[0, 1]), writes: linear(0, &[0, 3]) };
        let components = vec![(BenchmarkParameter::d, 1, 8), (BenchmarkParameter::n, 0, 32)];
        Measured { name: "end_expired".into(), components, cost: Ok(cost) }
    }

    #[test]
    fn a_function_says_what_was_measured() {
        let one = measured();
        assert_eq!(one.parameters(), "_d: u32, n: u32");
        let value = one.value(one.cost.as_ref().unwrap(), "$db", "");
        let lines: Vec<&str> = value.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "Weight::from_parts(1_234_567, 0)",
                ".saturating_add(Weight::from_parts(89, 0).saturating_mul(n.into()))",
                ".saturating_add($db.reads(2))",
                ".saturating_add($db.reads(n.into()))",
                ".saturating_add($db.writes(3_u64.saturating_mul(n.into())))",
            ]
        );
    }

    #[test]
    fn a_failed_benchmark_of_ours_is_no_file_and_one_of_the_sdk_keeps_its_weight() {
        let head = Head { machine: "a machine".into(), date: "2026-01-01".into(), steps: 2, repeats: 3 };
        let failed = Measured { cost: Err(anyhow::anyhow!("no")), ..measured() };
        assert!(own(&head, std::slice::from_ref(&failed)).is_err());
        let text = foreign(&head, "pallet_x::WeightInfo", "pallet_x::Substrate<T>", &[failed]);
        assert!(text.contains("<pallet_x::Substrate<T> as pallet_x::WeightInfo>::end_expired(d, n)"), "{text}");
        assert!(own(&head, &[measured()]).unwrap().contains("fn end_expired(d: u32, n: u32) -> Weight;"));
    }

    #[test]
    fn numbers_are_read_by_people() {
        assert_eq!([0, 12, 123, 1_234, 1_234_567].map(digits), ["0", "12", "123", "1_234", "1_234_567"]);
    }
}
