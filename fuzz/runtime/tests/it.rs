//! Replays the corpus, seeded changes of it, and seeded plays of the runtime's fuzz target. `WATTSEAL_FUZZ_RUNS` is the
//! number of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is a failed test")]

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::{fs, path::Path};
use wattseal_fuzz::edit;
use wattseal_fuzz_runtime::TARGET;

/// Plays of each kind in an ordinary run.
const RUNS: u64 = 500;

/// Longest play, bytes.
const LONGEST: u32 = 400;

fn corpus() -> Vec<Vec<u8>> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn runs() -> u64 {
    std::env::var("WATTSEAL_FUZZ_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number of runs"))
}

/// Runs one input, and says which it was if it fails.
fn run(input: &[u8]) {
    struct Shown<'a>(&'a [u8]);
    impl Drop for Shown<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
                eprintln!("the runtime fails on these bytes: {hex}");
            }
        }
    }
    let _shown = Shown(input);
    (TARGET.run)(input);
}

fn random_bytes(random: &mut ChaCha8Rng, longest: u32) -> Vec<u8> {
    let mut bytes = vec![0; 1 + (random.next_u32() % longest) as usize];
    random.fill_bytes(&mut bytes);
    bytes
}

#[test]
fn corpus_and_changes_of_it() {
    let corpus = corpus();
    corpus.iter().for_each(|input| run(input));
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..runs() {
        let choices = random_bytes(&mut random, 40);
        let example = &corpus[random.next_u32() as usize % corpus.len()];
        run(&edit::edited(&mut arbitrary::Unstructured::new(&choices), example, &corpus));
    }
}

#[test]
fn plays_of_any_bytes() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    (0..runs()).for_each(|_| run(&random_bytes(&mut random, LONGEST)));
}
