//! Replays every corpus, and seeded changes of it, through the bodies of the fuzz targets. `WATTSEAL_FUZZ_RUNS` is the
//! number of changes for each target.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is a failed test")]

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::{fs, path::Path};
use wattseal_fuzz::{edit, Target, TARGETS};

/// Changes of each target's corpus in an ordinary run.
const RUNS: u64 = 20_000;

/// Most bytes of all corpora, so that nobody commits a raw one.
const MOST_BYTES: usize = 1_000_000;

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs one input, and says which it was if it fails.
fn run(target: &Target, input: &[u8]) {
    struct Shown<'a>(&'a str, &'a [u8]);
    impl Drop for Shown<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let hex: String = self.1.iter().map(|byte| format!("{byte:02x}")).collect();
                eprintln!("target {} fails on these bytes: {hex}", self.0);
            }
        }
    }
    let _shown = Shown(target.name, input);
    (target.run)(input);
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "the corpus of {name} is empty");
    corpus.iter().for_each(|input| run(target, input));
    let runs = std::env::var("WATTSEAL_FUZZ_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number of runs"));
    let mut random = ChaCha8Rng::seed_from_u64(name.len() as u64);
    for _ in 0..runs {
        let mut choices = vec![0; 1 + random.next_u32() as usize % 40];
        random.fill_bytes(&mut choices);
        let example = &corpus[random.next_u32() as usize % corpus.len()];
        run(target, &edit::edited(&mut arbitrary::Unstructured::new(&choices), example, &corpus));
    }
}

/// One test for each target, so that they run beside each other and are named.
macro_rules! replay {
    ($($name:ident)*) => {
        $(#[test] fn $name() { replay(stringify!($name)) })*

        #[test]
        fn every_target_is_replayed() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
        }
    };
}

replay!(csv statement cell batch proof delivery link meters);

#[test]
fn corpora_are_small() {
    let bytes: usize = TARGETS.iter().flat_map(corpus).map(|input| input.len()).sum();
    assert!(bytes <= MOST_BYTES, "minimise the corpora with scripts/fuzz: they have {bytes} bytes");
}
