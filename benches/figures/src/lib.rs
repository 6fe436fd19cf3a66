//! What the programs that measure figures share: the input, clocks and statistics.

pub mod feed;
pub mod measure;

/// Result of these programs: errors are for people.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
