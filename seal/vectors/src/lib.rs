//! Checks the fixed vectors of `seal/vectors` with `sealed-register` (protocol section 10, property 7).
//!
//! The same function runs natively, in the WebAssembly engine of a node (`node`'s tests) and in that of a browser (`tests`):
//! each must give the very same [`check`] text. The vectors are data; here they are compared with what the code makes of
//! their inputs, as another implementation of the protocol would do.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod cells;
mod deliveries;
mod input;
mod keys;
#[cfg(target_arch = "wasm32")]
mod module;
mod proofs;
mod statements;

use alloc::{format, string::String};
use input::{parse, Tally};
use serde_json::Value;

/// The checks compiled to wasm: exports `memory` and `check(i32, i32) -> i64`, whose result is where a UTF-8 text lies (low
/// half: address, high half: length): that of [`check`], or an error. Imports the two allocator functions of a
/// Substrate runtime.
#[cfg(not(target_arch = "wasm32"))]
pub const MODULE: &[u8] = include_bytes!(env!("VECTORS_WASM"));

type File = (&'static str, &'static str, fn(&Value, &mut Tally) -> Result<(), String>);

const FILES: [File; 6] = [
    ("keys", include_str!("../keys.json"), keys::check),
    ("cells", include_str!("../cells.json"), cells::check),
    ("proofs", include_str!("../proofs.json"), proofs::check),
    ("statements", include_str!("../statements.json"), statements::check),
    ("tickets", include_str!("../tickets.json"), statements::check_tickets),
    ("deliveries", include_str!("../deliveries.json"), deliveries::check),
];

/// Checks every vector; gives how many values were compared, by file.
///
/// # Errors
/// The first value that differs, or cannot be read.
pub fn check() -> Result<String, String> {
    let mut counts = String::new();
    for (name, text, check) in FILES {
        let mut tally = Tally::default();
        parse(text).and_then(|file| check(&file, &mut tally)).map_err(|problem| format!("{name}.json: {problem}"))?;
        let comma = if counts.is_empty() { "" } else { ", " };
        counts += &format!("{comma}{name} {}", tally.compared());
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn every_vector_holds() {
        let counts = "keys 19, cells 54, proofs 32, statements 35, tickets 9, deliveries 99";
        assert_eq!(check().as_deref(), Ok(counts));
    }

    /// Every number of hexadecimal digits that is changed anywhere.
    fn changed(value: &mut Value, at: &mut usize) -> bool {
        match value {
            Value::String(text) if text.len() >= 16 && hex::decode(text.trim_start_matches("0x")).is_ok() => {
                if *at == 0 {
                    let last = text.pop().filter(|digit| *digit != '7').map_or('8', |_| '7');
                    text.push(last);
                    return true;
                }
                *at -= 1;
                false
            }
            Value::Array(values) => values.iter_mut().any(|value| changed(value, at)),
            Value::Object(fields) => fields.values_mut().any(|value| changed(value, at)),
            _ => false,
        }
    }

    #[test]
    fn no_value_is_there_for_nothing() {
        for (name, text, check) in FILES {
            for number in 0.. {
                let (mut file, mut at) = (parse(text).unwrap(), number);
                if !changed(&mut file, &mut at) {
                    assert!(number > 2, "{name}");
                    break;
                }
                // Another meter may be as absent.
                let another = file["absent_meter"] != parse(text).unwrap()["absent_meter"];
                assert!(another || check(&file, &mut Tally::default()).is_err(), "{name}, {number}");
            }
        }
    }
}
