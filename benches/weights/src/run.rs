//! Runs benchmarks in the runtime and makes linear functions of what they took.

use anyhow::{anyhow, bail, Context, Result};
use codec::{Decode, Encode};
use frame_benchmarking::{
    Analysis, BenchmarkBatch, BenchmarkConfig, BenchmarkList, BenchmarkMetadata, BenchmarkParameter, BenchmarkResult,
    BenchmarkSelector,
};
use sc_client_db::BenchmarkingState;
use sc_executor::{sp_wasm_interface::ExtendedHostFunctions, WasmExecutor};
use sp_core::{
    storage::Storage,
    traits::{CallContext, CodeExecutor, ReadRuntimeVersionExt, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::traits::{BlakeTwo256, Hash};
use sp_state_machine::{BasicExternalities, OverlayedChanges, StateMachine};
use std::fmt;

/// What a runtime with benchmarks imports.
type HostFunctions = ExtendedHostFunctions<
    (sp_io::SubstrateHostFunctions, frame_benchmarking::benchmarking::HostFunctions),
    clock::benchmarking::HostFunctions,
>;

/// The clock of the benchmarks: this thread's processor time instead of the wall's, so that other programs on the machine
/// do not make calls look dearer.
mod clock {
    use cpu_time::ThreadTime;
    use sp_runtime_interface::{pass_by::AllocateAndReturnPointer, runtime_interface};

    #[runtime_interface(wasm_only)]
    pub trait Benchmarking {
        fn current_time() -> AllocateAndReturnPointer<[u8; 16], 16> {
            ThreadTime::now().as_duration().as_nanos().to_le_bytes()
        }
    }
}

/// A cost as a linear function: what is fixed, and what each component adds per unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Fixed.
    pub base: u64,
    /// Per unit of each component, in the order of the benchmark.
    pub slopes: Vec<u64>,
}

/// What one benchmark took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Picoseconds without the database.
    pub time: Linear,
    /// Different keys read from the database.
    pub reads: Linear,
    /// Different keys written to the database.
    pub writes: Linear,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, reads, writes } = self;
        write!(f, "{} ps {:?}, ", time.base, time.slopes)?;
        write!(f, "reads {} {:?}, writes {} {:?}", reads.base, reads.slopes, writes.base, writes.slopes)
    }
}

/// A runtime, and the state in which its benchmarks begin: the genesis of a development chain.
pub struct Bench {
    executor: WasmExecutor<HostFunctions>,
    code: Vec<u8>,
    genesis: Storage,
}

impl Bench {
    /// Takes a runtime's code.
    ///
    /// # Errors
    /// It is no runtime, or has no preset `development`.
    pub fn new(code: Vec<u8>) -> Result<Self> {
        let executor = WasmExecutor::<HostFunctions>::builder().build();
        let mut bench = Self { executor, code, genesis: Storage::default() };
        bench.genesis = bench.development_genesis().context("building the genesis")?;
        Ok(bench)
    }

    fn with_code<R>(&self, run: impl FnOnce(&RuntimeCode<'_>) -> R) -> R {
        let fetcher = WrappedRuntimeCode(self.code.as_slice().into());
        let hash = BlakeTwo256::hash(&self.code).as_ref().to_vec();
        run(&RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash })
    }

    fn development_genesis(&self) -> Result<Storage> {
        let preset = |name: Option<&str>| -> Result<serde_json::Value> {
            let bytes: Option<Vec<u8>> =
                self.outside(&mut BasicExternalities::new_empty(), "GenesisBuilder_get_preset", &name.encode())?;
            Ok(serde_json::from_slice(&bytes.ok_or_else(|| anyhow!("no preset {name:?}"))?)?)
        };
        let mut config = preset(None)?;
        merge(&mut config, preset(Some("development"))?);
        let mut state = BasicExternalities::new_empty();
        let built: std::result::Result<(), String> =
            self.outside(&mut state, "GenesisBuilder_build_state", &config.to_string().into_bytes().encode())?;
        built.map_err(|problem| anyhow!(problem))?;
        Ok(state.into_storages())
    }

    /// Calls the runtime without the database of benchmarks.
    fn outside<R: Decode>(&self, state: &mut BasicExternalities, method: &str, parameters: &[u8]) -> Result<R> {
        let answer =
            self.with_code(|code| self.executor.call(state, code, method, parameters, CallContext::Offchain).0);
        let bytes = answer.map_err(|error| anyhow!("{method}: {error}"))?;
        Ok(R::decode(&mut &bytes[..])?)
    }

    /// Calls the runtime on the database of benchmarks.
    fn inside<R: Decode>(&self, state: &BenchmarkingState<BlakeTwo256>, method: &str, parameters: &[u8]) -> Result<R> {
        let mut changes = OverlayedChanges::default();
        let mut extensions = Extensions::default();
        extensions.register(KeystoreExt::new(MemoryKeystore::new()));
        extensions.register(ReadRuntimeVersionExt::new(self.executor.clone()));
        let answer = self.with_code(|code| {
            let context = CallContext::Offchain;
            StateMachine::new(state, &mut changes, &self.executor, method, parameters, &mut extensions, code, context)
                .execute()
        });
        let bytes = answer.map_err(|error| anyhow!("{method}: {error}"))?;
        Ok(R::decode(&mut &bytes[..])?)
    }

    fn state(&self, counting: bool) -> Result<BenchmarkingState<BlakeTwo256>> {
        BenchmarkingState::new(self.genesis.clone(), None, false, counting).map_err(|error| anyhow!(error))
    }

    /// All benchmarks of the runtime.
    ///
    /// # Errors
    /// It was built without `runtime-benchmarks`.
    pub fn list(&self) -> Result<Vec<BenchmarkList>> {
        // What follows the lists describes storage for proofs, which this chain does not make.
        self.inside(&self.state(false)?, "Benchmark_benchmark_metadata", &false.encode())
    }

    /// Runs one benchmark with each component at `steps` values, the others at their highest, `repeats` times each.
    ///
    /// # Errors
    /// It fails, for example because what it checks at its end does not hold.
    pub fn measure(
        &self,
        list: &BenchmarkList,
        benchmark: &BenchmarkMetadata,
        steps: u32,
        repeats: u32,
    ) -> Result<Cost> {
        let (counting, timing) = (self.state(true)?, self.state(false)?);
        let (mut accesses, mut times) = (Vec::new(), Vec::new());
        for values in combinations(&benchmark.components, steps) {
            let run = |state, verify, internal_repeats| -> Result<Vec<BenchmarkResult>> {
                let config = BenchmarkConfig {
                    pallet: list.pallet.clone(),
                    instance: list.instance.clone(),
                    benchmark: benchmark.name.clone(),
                    selected_components: values.clone(),
                    verify,
                    internal_repeats,
                };
                let batches: std::result::Result<Vec<BenchmarkBatch>, String> =
                    self.inside(state, "Benchmark_dispatch_benchmark", &config.encode())?;
                let batches = batches.map_err(|problem| anyhow!("with {values:?}: {problem}"))?;
                Ok(batches.into_iter().flat_map(|batch| batch.results).collect())
            };
            run(&timing, true, 1)?;
            accesses.extend(run(&counting, false, 1)?);
            times.extend(run(&timing, false, repeats)?);
        }
        if accesses.is_empty() || times.is_empty() {
            bail!("it was skipped");
        }
        Ok(Cost {
            time: linear(&times, BenchmarkSelector::ExtrinsicTime)?,
            reads: linear(&accesses, BenchmarkSelector::Reads)?,
            writes: linear(&accesses, BenchmarkSelector::Writes)?,
        })
    }
}

/// Puts what a preset says over the default configuration.
fn merge(into: &mut serde_json::Value, patch: serde_json::Value) {
    match (into, patch) {
        (serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, patch) => *into = patch,
    }
}

/// Values for the components: each from its lowest to its highest while the others are at their highest.
fn combinations(components: &[(BenchmarkParameter, u32, u32)], steps: u32) -> Vec<Vec<(BenchmarkParameter, u32)>> {
    let highest: Vec<_> = components.iter().map(|(name, _, high)| (*name, *high)).collect();
    if components.is_empty() {
        return vec![highest];
    }
    let mut all = Vec::new();
    for (index, (_, low, high)) in components.iter().enumerate() {
        let range = high.saturating_sub(*low);
        let last = steps.clamp(2, range.saturating_add(1).max(2)) - 1;
        for step in 0..=last {
            let value = u64::from(*low) + u64::from(range) * u64::from(step) / u64::from(last);
            let mut values = highest.clone();
            values[index].1 = u32::try_from(value).unwrap_or(*high);
            all.push(values);
        }
    }
    all
}

/// The linear function by least squares over the middle half of each value's runs.
fn linear(results: &Vec<BenchmarkResult>, selector: BenchmarkSelector) -> Result<Linear> {
    let analysis = Analysis::min_squares_iqr(results, selector)?;
    let fits = |value: u128| u64::try_from(value).map_err(|_| anyhow!("{value} is no weight"));
    let slopes = analysis.slopes.iter().copied().map(fits).collect::<Result<_>>()?;
    Ok(Linear { base: fits(analysis.base)?, slopes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use BenchmarkParameter::{d, n};

    #[test]
    fn each_component_goes_from_its_lowest_to_its_highest() {
        assert_eq!(combinations(&[], 20), [vec![]]);
        let all = combinations(&[(d, 1, 3), (n, 0, 100)], 3);
        let values: Vec<_> = all.iter().map(|values| (values[0].1, values[1].1)).collect();
        assert_eq!(values, [(1, 100), (2, 100), (3, 100), (3, 0), (3, 50), (3, 100)]);
    }

    #[test]
    fn a_linear_cost_is_found_again() {
        let results: Vec<_> = (0..50_u32)
            .map(|value| BenchmarkResult {
                components: vec![(n, value)],
                extrinsic_time: u128::from(1_000 + 7 * value),
                reads: 3 + 2 * value,
                ..BenchmarkResult::default()
            })
            .collect();
        let time = linear(&results, BenchmarkSelector::ExtrinsicTime).unwrap();
        assert!((999_000..=1_001_000).contains(&time.base) && (6_990..=7_010).contains(&time.slopes[0]), "{time:?}");
        assert_eq!(linear(&results, BenchmarkSelector::Reads).unwrap(), Linear { base: 3, slopes: vec![2] });
    }
}
