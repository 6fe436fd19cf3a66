//! However the story ends, no process of it stays.

use crate::harness::{processes_of, story, Process};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

fn gone(base: &Path, patience: Duration) {
    let began = Instant::now();
    loop {
        let left = processes_of(base);
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < patience, "still there: {left:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn begun(base: &Path) -> Process {
    let mut process = Process::start(&mut story(base, &[]));
    process.wait_for("A development chain is up", Duration::from_secs(180));
    let running = processes_of(base);
    assert!(running.iter().any(|line| line.contains("wattseal-node")), "the node is not found: {running:?}");
    process
}

#[test]
fn story_ctrl_c_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("story");
    let mut process = begun(&base);
    thread::sleep(Duration::from_secs(5));
    process.signal("INT");
    let status = process.wait(Duration::from_secs(30));
    assert_eq!(status.code(), Some(130), "{}", process.lines().join("\n"));
    gone(&base, Duration::from_secs(1));

    // What was begun goes on, and the kernel ends the node of a story that is killed without a word.
    let process = begun(&base);
    assert!(process.lines().iter().any(|line| line.contains("Already there")), "{}", process.lines().join("\n"));
    process.signal("KILL");
    gone(&base, Duration::from_secs(10));
}
