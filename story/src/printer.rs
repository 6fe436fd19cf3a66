//! Lines for people: seconds since the beginning, then what happened.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

/// Widest line of running text.
const WIDTH: usize = 108;

/// Prints to standard output. A reader that went away (`| head`) is no error of the story.
pub struct Printer {
    began: Instant,
}

impl Printer {
    /// A printer whose seconds begin now.
    pub fn new() -> Self {
        Self { began: Instant::now() }
    }

    /// One thing that happened.
    pub fn say(&self, text: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.wrapped(text, &format!("{seconds:7.1} s  "));
    }

    /// More about it.
    pub fn more(&self, text: &str) {
        for line in text.lines() {
            self.wrapped(line, &" ".repeat(11));
        }
    }

    /// A line as it is.
    pub fn raw(&self, text: &str) {
        let mut out = io::stdout().lock();
        // Nobody reads any more: the story goes on for those who wait for its exit code.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    fn wrapped(&self, text: &str, front: &str) {
        let mut line = front.to_owned();
        let blank = " ".repeat(front.len());
        let mut empty = true;
        for word in text.split(' ') {
            if !empty && line.chars().count() + 1 + word.chars().count() > front.len() + WIDTH {
                self.raw(&line);
                line.clone_from(&blank);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.raw(&line);
    }
}

/// Seconds with one decimal.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

/// kWh with three decimals and thousands set apart.
pub fn kwh(wh: u64) -> String {
    format!("{}.{:03} kWh", number(wh / 1000), wh % 1000)
}

/// A number with thousands set apart.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many of something: "1 batch", "2 batches".
pub fn count(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Bytes in the unit that people read.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1_000, 6_825_137].map(number), ["0", "999", "1,000", "6,825,137"].map(str::to_owned));
        assert_eq!(kwh(6_825_137), "6,825.137 kWh");
        assert_eq!(kwh(5), "0.005 kWh");
        assert_eq!(count(1, "batch", "batches"), "1 batch");
        assert_eq!(count(1_000, "batch", "batches"), "1,000 batches");
        assert_eq!([12, 43_210, 6_500_000].map(size), ["12 bytes", "43.2 kB", "6.5 MB"].map(str::to_owned));
    }
}
