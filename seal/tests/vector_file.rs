//! Fixed vectors: made anew by each run and compared with the file in `seal/vectors`.
//!
//! `WATTSEAL_WRITE_VECTORS=1` writes the files instead; a change in them is a change of the protocol.

use serde_json::Value;
use std::path::Path;

/// Compares `made` with the file of this name, or writes it.
pub fn compare(name: &str, made: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    if std::env::var_os("WATTSEAL_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(made).unwrap() + "\n").unwrap();
        return;
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(made, &kept, "{} differs from what the code makes", path.display());
}
