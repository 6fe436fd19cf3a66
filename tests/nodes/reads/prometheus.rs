//! What a node's Prometheus endpoint says.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
};

/// This project's series, by name with labels as the endpoint writes them.
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// Asks the endpoint of this address.
    pub fn of(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let ours = answer.lines().filter(|line| line.starts_with("wattseal_"));
        let series = ours.map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            // The SDK labels every series with the chain's name, last.
            let name = name.replace(",chain=\"wattseal_dev\"", "").replace("{chain=\"wattseal_dev\"}", "");
            (name, value.parse().unwrap())
        });
        Self(series.collect())
    }

    /// The value of a series.
    pub fn get(&self, series: &str) -> f64 {
        *self.0.get(series).unwrap_or_else(|| panic!("no {series} in {:#?}", self.0))
    }

    /// How much each counter of refused and served reads has risen since, by (method, reason); served without a reason.
    pub fn reads_since(&self, before: &Self) -> BTreeMap<(String, String), u64> {
        let label = |name: &str, label: &str| {
            let after = name.split_once(&format!("{label}=\"")).map(|(_, rest)| rest);
            after.and_then(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned()).unwrap_or_default()
        };
        let counters = self.0.iter().filter(|(name, _)| {
            name.starts_with("wattseal_reads_refused_total") || name.starts_with("wattseal_reads_served_total")
        });
        let risen = counters.map(|(name, value)| {
            // Counts of one test are far below what the type holds exactly.
            ((label(name, "method"), label(name, "reason")), (value - before.get(name)) as u64)
        });
        risen.filter(|(_, count)| *count > 0).collect()
    }
}
