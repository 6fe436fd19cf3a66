//! `kill -9` at any moment loses nothing that was acknowledged and leaves nothing half done.

use crate::common::{days, open, utility, Utility, GENESIS};
use sealed_register::ShardId;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};
use wattseal_vault::Vault;

const FOLDER: &str = "WATTSEAL_VAULT_KILL_FOLDER";

/// In the child process: goes on importing for ever, and says each time what is on disk. Without the variable it is no
/// test of its own.
#[test]
fn child_that_imports_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let vault = Vault::open(&std::path::Path::new(&folder).join("vault.redb"), &GENESIS).unwrap();
    let mut made = Utility::new();
    let done = vault.next_sequence(&utility(), ShardId(0)).unwrap();
    for sequence in 0..u16::MAX {
        let batch = made.batch(&(0..8).flat_map(|meter| days(meter, sequence, sequence + 1)).collect::<Vec<_>>());
        if u32::from(sequence) < done {
            continue;
        }
        made.take(&vault, &batch).unwrap();
        println!("imported {sequence}");
    }
}

#[test]
fn kills_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = None;
    for round in 0..6_u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child_that_imports_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut imported = output
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.rsplit_once("imported ").and_then(|(_, number)| number.trim().parse::<u32>().ok()));
        for _ in 0..=round * 3 {
            acknowledged = Some(imported.next().expect("the child goes on importing"));
        }
        // Between two lines, so at some moment of staging or importing.
        std::thread::sleep(std::time::Duration::from_micros(u64::from(round) * 1_700));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = imported.last().or(acknowledged);

        let vault = open(&folder);
        let next = vault.next_sequence(&utility(), ShardId(0)).unwrap();
        assert!(Some(next) > acknowledged, "batch {acknowledged:?} was acknowledged, and {next} is next");
        let report = vault.verify_all().unwrap();
        assert_eq!((report.batches, report.cells), (u64::from(next), u64::from(next) * 8));
    }
}
