//! The "Energy Data 15 Min Interval" CSV of Smart Meter Texas: reader and writer.

mod header;
mod open;
mod reader;
mod refused;
mod row;
mod writer;

pub use reader::{read, Reader, MAX_LINE_BYTES};
pub use refused::{Field, FileError, Limits, Reason, Refused, Report};
pub use writer::{WriteError, Writer, HEADER};
