//! Replays the corpus, seeded changes of it, and seeded plays of the runtime's fuzz target. `WATTSEAL_FUZZ_RUNS` is the
//! number of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is a failed test")]

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::{fs, path::Path};
use wattseal_fuzz::edit;
use wattseal_fuzz_runtime::{chain, step, TARGET};

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

/// The calls that are put together do get through: otherwise nothing behind the first check would ever be reached.
#[test]
fn plays_reach_every_pallet() {
    use pallet_consent::Event as Consents;
    use pallet_meters::Event as Meters;
    use pallet_participants::Event as Participants;
    use wattseal_runtime::{RuntimeEvent, System};
    let mut seen = [0_u32; 9];
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..300 {
        let bytes = random_bytes(&mut random, LONGEST);
        let mut input = arbitrary::Unstructured::new(&bytes);
        chain::on_development_chain(|chain| {
            while !input.is_empty() {
                step(&mut input, chain);
                for record in System::read_events_no_consensus() {
                    let place = match record.event {
                        RuntimeEvent::Meters(Meters::MetersSynced { .. }) => 0,
                        RuntimeEvent::Meters(Meters::MeterClaimed { .. }) => 1,
                        RuntimeEvent::Meters(Meters::TenancyClosed { .. }) => 2,
                        RuntimeEvent::Usage(pallet_usage::Event::BatchCommitted { .. }) => 3,
                        RuntimeEvent::Consents(Consents::ConsentGiven { .. }) => 4,
                        RuntimeEvent::Consents(Consents::ConsentEnded { .. }) => 5,
                        RuntimeEvent::Consents(Consents::KeysDelivered { .. }) => 6,
                        RuntimeEvent::Participants(Participants::OrganisationAdmitted { .. }) => 7,
                        RuntimeEvent::Participants(Participants::Enacted { result: Ok(()) }) => 8,
                        _ => continue,
                    };
                    seen[place] += 1;
                }
            }
        });
    }
    assert!(seen.iter().all(|count| *count > 0), "an event is never reached: {seen:?}");
}
