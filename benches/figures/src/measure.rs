//! Clocks and statistics.

use crate::Result;
use std::{
    fmt, fs,
    time::{Duration, Instant},
};

/// Time that this thread has spent on a processor. What other processes do meanwhile does not count, so it is what "per
/// core" means on a machine that is not idle.
///
/// # Errors
/// If the kernel does not account for it (`/proc/thread-self/schedstat`).
pub fn processor_time() -> Result<Duration> {
    let path = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}; measure on Linux"))?;
    let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| format!("{path} does not begin with a number").into())
}

/// Seconds of processor time that `work` took.
///
/// # Errors
/// Those of `work`.
pub fn on_processor<R>(work: impl FnOnce() -> Result<R>) -> Result<(R, f64)> {
    let begun = processor_time()?;
    let result = work()?;
    Ok((result, processor_time()?.saturating_sub(begun).as_secs_f64()))
}

/// Seconds that passed while `work` ran.
///
/// # Errors
/// Those of `work`.
pub fn by_the_clock<R>(work: impl FnOnce() -> Result<R>) -> Result<(R, f64)> {
    let begun = Instant::now();
    let result = work()?;
    Ok((result, begun.elapsed().as_secs_f64()))
}

/// What several measurements of one thing gave.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn add(&mut self, value: f64) {
        let at = self.0.partition_point(|other| *other <= value);
        self.0.insert(at, value);
    }

    /// The value below which this share (0 to 1) of the samples lies; 0 without samples.
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

impl fmt::Display for Samples {
    /// Minimum, median and maximum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, median, most] = [0.0, 0.5, 1.0].map(|share| self.quantile(share));
        let digits = if median >= 100.0 { 0 } else { 3 };
        write!(f, "{least:.digits$} / {median:.digits$} / {most:.digits$} (least / median / most of {})", self.0.len())
    }
}
