//! The story itself.

use crate::{
    feed::{self, Sums},
    harness::{workspace, Played},
};

/// What the story's JSON says about the first meter.
pub fn told(played: &Played) -> Sums {
    Sums {
        days: played.number("days"),
        readings: played.number("readings"),
        estimated: played.number("estimated"),
        missing: played.number("missing"),
        total_wh: played.number("total_wh"),
        generation_wh: played.number("generation_wh"),
    }
}

/// Figures that must make sense whatever was played.
fn check_figures(played: &Played) {
    let numbers = &played.numbers;
    for name in ["batches", "cells", "bytes_on_chain", "vault_bytes", "proof_bytes_day_level"] {
        assert!(played.number(name) > 0, "{name} in {numbers}");
    }
    for name in ["ingest_seconds", "grant_to_readable_seconds", "revoke_to_refused_seconds"] {
        assert!(numbers[name].as_f64().unwrap() > 0.0, "{name} in {numbers}");
    }
    assert!(played.number("cells") >= played.number("days"));
    let apps = "https://polkadot.js.org/apps/?rpc=ws%3A%2F%2F127.0.0.1%3A";
    for said in ["equal to the feed's own totals", "history, not the present", "Her access log", apps] {
        assert!(played.text.replace("\n           ", " ").contains(said), "'{said}' is not in\n{}", played.text);
    }
}

#[test]
fn story_generated() {
    let played = Played::once(&[]);
    let sources = feed::sources(&played.base);
    assert_eq!(sources.len(), 1);
    let sums = feed::sums(&sources[0]);
    assert_eq!(told(&played), sums);
    assert!(sums.generation_wh > 0 && sums.days == 59, "{sums:?}");
    check_figures(&played);

    // Run again, it says what is there and goes on.
    let again = Played::at(&played.base, &[]);
    assert!(again.text.contains("Already there from 1 earlier run"), "{}", again.text);
    assert_eq!(told(&again), sums);
    assert!(again.number("cells") > played.number("cells"));

    // And wiped, nothing is left.
    let mut wiped = crate::harness::Process::start(&mut crate::harness::story(&played.base, &["--wipe"]));
    assert!(wiped.wait(std::time::Duration::from_secs(20)).success());
    assert!(!played.base.exists());
}

#[test]
fn story_csv() {
    let path = workspace().join("../shared/data/smt/IntervalData_2022-03_2023-01.csv");
    if !path.is_file() {
        eprintln!("{} is not there: the story with a real file was not played", path.display());
        return;
    }
    let played = Played::once(&["--csv", path.to_str().unwrap()]);
    let real = Sums { days: 320, readings: 30_720, estimated: 0, missing: 0, total_wh: 6_825_137, generation_wh: 0 };
    assert_eq!(told(&played), real);
    assert_eq!(feed::sums(&path), real);
    check_figures(&played);
}
