//! Compiles this very crate to wasm, as a module of its own: the same sources, dependencies and vectors.

use std::{env, error::Error, path::PathBuf, process::Command};

const TARGET: &str = "wasm32v1-none";
const MODULE: &str = "sealed_register_vectors.wasm";

fn main() -> Result<(), Box<dyn Error>> {
    // The module itself needs no module.
    if env::var("CARGO_CFG_TARGET_ARCH")? == "wasm32" {
        return Ok(());
    }
    for path in ["src", "build.rs", "../src", "keys.json", "cells.json", "proofs.json", "statements.json"] {
        println!("cargo:rerun-if-changed={path}");
    }
    for path in ["deliveries.json", "tickets.json", "../../Cargo.lock"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let status = Command::new(env::var("CARGO")?)
        .args(["rustc", "--release", "--locked", "--quiet", "--lib", "--crate-type", "cdylib", "--target", TARGET])
        .arg("--target-dir")
        .arg(out.join("wasm"))
        .current_dir(env::var("CARGO_MANIFEST_DIR")?)
        // Lints ran on the native build; flags of the host are not for this target.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()?;
    if !status.success() {
        return Err(format!("the vectors were not compiled to {TARGET}; scripts/setup installs that target").into());
    }
    let module = out.join("wasm").join(TARGET).join("release").join(MODULE);
    println!("cargo:rustc-env=VECTORS_WASM={}", module.display());
    Ok(())
}
