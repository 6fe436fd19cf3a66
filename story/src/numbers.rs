//! What the story measured, for programs.

use crate::printer::seconds;
use serde::Serialize;
use std::time::Duration;

/// The last line with `--json`. Readings, days and Wh are those of the file's first meter, as the vendor opened them at
/// 15-minute level over the whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Numbers {
    /// Intervals with a value, consumption.
    pub readings: u64,
    /// Those of them that are estimated.
    pub estimated: u64,
    /// Intervals without a value, consumption.
    pub missing: u64,
    /// Operating days, consumption.
    pub days: u64,
    /// Consumption, Wh.
    pub total_wh: u64,
    /// Surplus generation, Wh.
    pub generation_wh: u64,
    /// Batches in the vault at the end.
    pub batches: u64,
    /// Cells in the vault at the end.
    pub cells: u64,
    /// Length of all signed extrinsics in the blocks of the story.
    pub bytes_on_chain: u64,
    /// Size of the vault's file at the end.
    pub vault_bytes: u64,
    /// Length of the proofs under which the vendor read the file's days as daily totals.
    pub proof_bytes_day_level: u64,
    /// From the file's appearance in the feed until everything was in the vault under finalised roots.
    pub ingest_seconds: f64,
    /// From the customer's signature until the vendor had verified and opened the first days.
    pub grant_to_readable_seconds: f64,
    /// From the customer's revocation until the vault refused the vendor.
    pub revoke_to_refused_seconds: f64,
    /// Steps that did not do what they should.
    pub steps_failed: u32,
}

impl Numbers {
    /// The JSON object, on one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    }

    /// Seconds as they stand in the object.
    pub fn seconds(duration: Duration) -> f64 {
        seconds(duration)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn one_line_with_the_documented_names() {
        let numbers = Numbers { readings: 30_720, ingest_seconds: 1.5, ..Numbers::default() };
        let text = numbers.json();
        assert!(!text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["readings"].as_u64(), value["ingest_seconds"].as_f64()), (Some(30_720), Some(1.5)));
        assert_eq!(value.as_object().unwrap().len(), 15);
    }
}
