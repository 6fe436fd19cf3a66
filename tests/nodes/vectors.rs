//! The sealed register in a browser's engine (protocol section 10, property 7): V8, as npm's Node has it.

use crate::harness::workspace;
use sealed_register_vectors::{check, MODULE};
use std::{fs, process::Command};

#[test]
fn clients_check_the_vectors_in_v8() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("vectors.wasm");
    fs::write(&module, MODULE).unwrap();
    let script = workspace().join("tests/clients/vectors.mjs");
    let output = Command::new("node").arg(script).arg(&module).output().expect("node is there (scripts/setup)");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), check().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
