//! Prometheus metrics of this project, beside those of the SDK and in the same registry. Their table, with units, is in
//! README.md of this crate. Nothing in them names a meter, an account or a file.
//!
//! What happens is counted where it happens, by the methods here; what stands somewhere is looked up by
//! [`crate::tasks::gauges`].

use crate::rpc::errors::RpcError;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use substrate_prometheus_endpoint::{
    prometheus::core::Collector, Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, Opts,
    PrometheusError, Registry, U64,
};
use wattseal_primitives::offchain::QueuedRequest;

/// Methods that serve readers, as `method` labels name them.
pub const READ: &str = "read";
/// See [`READ`].
pub const ACCESS_LOG: &str = "accessLog";

/// Kinds of queued requests, as `kind` labels name them.
const KINDS: [&str; 3] = ["delivery", "meter_key", "relay"];

/// Upper bounds of seconds from the queue to the chain: a few blocks up to an hour.
const DELAYS: [f64; 10] = [4.0, 8.0, 12.0, 16.0, 24.0, 40.0, 80.0, 300.0, 900.0, 3_600.0];

/// Upper bounds of seconds from a file's time to its commitment: some blocks up to a week.
const LAGS: [f64; 10] = [15.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 604_800.0];

/// The metrics. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics {
    reads_served: CounterVec<U64>,
    reads_refused: CounterVec<U64>,
    read_bytes: Counter<U64>,
    requests_done: CounterVec<U64>,
    requests_dropped: CounterVec<U64>,
    request_delay: HistogramVec,
    /// When the requests that wait were handed in.
    queued: Arc<Mutex<BTreeMap<[u8; 32], Instant>>>,

    pub(crate) requests_pending: GaugeVec<U64>,
    pub(crate) feed_lag: Gauge<U64>,
    pub(crate) file_lag: Histogram,
    pub(crate) listing_age: Gauge<U64>,
    pub(crate) files: GaugeVec<U64>,
    pub(crate) refused_rows: Gauge<U64>,
    pub(crate) waiting_days: Gauge<U64>,
    pub(crate) held_days: Gauge<U64>,
    pub(crate) outbox_batches: Gauge<U64>,
    pub(crate) worker_runs: Counter<U64>,
    pub(crate) worker_failures: Counter<U64>,
    pub(crate) worker_age: Gauge<U64>,
    pub(crate) runtime_approved: Gauge<U64>,
    pub(crate) committed_day: GaugeVec<U64>,
    pub(crate) vault_batches: Gauge<U64>,
    pub(crate) missing_batches: Gauge<U64>,
    pub(crate) vault_cells: Gauge<U64>,
    pub(crate) vault_receipts: Gauge<U64>,
    pub(crate) vault_bytes: Gauge<U64>,
    pub(crate) finalised_age: Gauge<U64>,
}

/// Makes metrics and registers them where there is a registry.
struct Maker<'a>(Option<&'a Registry>);

impl Maker<'_> {
    fn add<M: Collector + Clone + 'static>(&self, metric: Result<M, PrometheusError>) -> Result<M, PrometheusError> {
        let metric = metric?;
        if let Some(registry) = self.0 {
            registry.register(Box::new(metric.clone()))?;
        }
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<Counter<U64>, PrometheusError> {
        self.add(Counter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<CounterVec<U64>, PrometheusError> {
        self.add(CounterVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> Result<Gauge<U64>, PrometheusError> {
        self.add(Gauge::new(name, help))
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> Result<GaugeVec<U64>, PrometheusError> {
        self.add(GaugeVec::new(Opts::new(name, help), &[label]))
    }
}

impl Metrics {
    /// Makes all metrics, and registers them unless the node runs without Prometheus.
    ///
    /// # Errors
    /// If the registry has a metric of such a name already.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        let make = Maker(registry);
        let delay = "Seconds from handing a request in until the finalised chain showed it done";
        let delay = HistogramOpts::new("wattseal_request_delay_seconds", delay).buckets(DELAYS.into());
        let lag = "Seconds from a file's time in the listing until all of it that can be sealed was committed";
        let lag = HistogramOpts::new("wattseal_feed_file_lag_seconds", lag).buckets(LAGS.into());
        let metrics = Self {
            reads_served: make.counters("wattseal_reads_served_total", "Read requests answered", &["method"])?,
            reads_refused: make.counters(
                "wattseal_reads_refused_total",
                "Read requests refused, by the name of the error code",
                &["method", "reason"],
            )?,
            read_bytes: make.counter("wattseal_read_bytes_served_total", "Bytes of proofs served")?,
            requests_done: make.counters(
                "wattseal_requests_done_total",
                "Queued requests that the finalised chain showed done",
                &["kind"],
            )?,
            requests_dropped: make.counters(
                "wattseal_requests_dropped_total",
                "Queued requests that were given up",
                &["kind"],
            )?,
            request_delay: make.add(HistogramVec::new(delay, &["kind"]))?,
            queued: Arc::default(),
            requests_pending: make.gauges("wattseal_requests_pending", "Queued requests", "kind")?,
            feed_lag: make.gauge("wattseal_feed_lag_seconds", "Age of the oldest file not yet committed; 0: none")?,
            file_lag: make.add(Histogram::with_opts(lag))?,
            listing_age: make.gauge("wattseal_feed_listing_age_seconds", "Age of the last good listing of the feed")?,
            files: make.gauges("wattseal_feed_files", "Files in the feed's listing, by state", "state")?,
            refused_rows: make.gauge("wattseal_feed_refused_rows", "Refused rows in the files listed")?,
            waiting_days: make.gauge("wattseal_feed_waiting_days", "Meter-days waiting for a meter's registration")?,
            held_days: make.gauge("wattseal_feed_held_days", "Meter-days held for the operator")?,
            outbox_batches: make.gauge("wattseal_outbox_batches", "Batches sealed and not yet in the vault")?,
            worker_runs: make.counter("wattseal_worker_runs_total", "Runs of the worker that ended")?,
            worker_failures: make.counter("wattseal_worker_failures_total", "Failures of keys, feed or files")?,
            worker_age: make.gauge("wattseal_worker_run_age_seconds", "Age of the worker's last ended run")?,
            runtime_approved: make.gauge("wattseal_runtime_approved", "1: the chain's runtime is approved here")?,
            committed_day: make.gauges(
                "wattseal_last_committed_day",
                "Last operating day committed, in days since 2000-01-01",
                "utility",
            )?,
            vault_batches: make.gauge("wattseal_vault_batches", "Batches in the vault")?,
            missing_batches: make.gauge("wattseal_vault_missing_batches", "Committed batches not in the vault")?,
            vault_cells: make.gauge("wattseal_vault_cells", "Cells in the vault")?,
            vault_receipts: make.gauge("wattseal_vault_receipts", "Receipts in the vault")?,
            vault_bytes: make.gauge("wattseal_vault_bytes", "Size of the vault's file in bytes")?,
            finalised_age: make.gauge("wattseal_finalised_age_seconds", "Age of the finalised head")?,
        };
        metrics.begin_at_zero();
        Ok(metrics)
    }

    /// A series that is there from the start shows its first event as a rise.
    fn begin_at_zero(&self) {
        for method in [READ, ACCESS_LOG] {
            self.reads_served.with_label_values(&[method]);
            for reason in RpcError::READ_REASONS {
                self.reads_refused.with_label_values(&[method, reason]);
            }
        }
        for kind in KINDS {
            self.requests_done.with_label_values(&[kind]);
            self.requests_dropped.with_label_values(&[kind]);
            self.request_delay.with_label_values(&[kind]);
        }
    }

    /// Counts how a read request ended.
    pub fn read<R>(&self, method: &'static str, answer: &Result<R, RpcError>) {
        match answer {
            Ok(_) => self.reads_served.with_label_values(&[method]).inc(),
            Err(error) => {
                // No more than this: who asked for what is nobody's business but theirs.
                log::debug!(target: "wattseal::vault", "a request ({method}) was refused: {}", error.reason());
                self.reads_refused.with_label_values(&[method, error.reason()]).inc();
            }
        }
    }

    /// Counts the bytes of a proof.
    pub fn read_bytes(&self, bytes: usize) {
        self.read_bytes.inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Notes when a request was put into the queue; one that waits already keeps its time.
    pub fn queued(&self, id: [u8; 32]) {
        self.waiting(|queued| {
            queued.entry(id).or_insert_with(Instant::now);
        });
    }

    /// Counts a request that left the queue: done, or given up. One that an earlier run of the node took in is counted
    /// without its delay, which nobody knows.
    pub fn left_queue(&self, id: &[u8; 32], request: &QueuedRequest, done: bool) {
        let kind = kind(request);
        let since = self.waiting(|queued| queued.remove(id));
        if !done {
            self.requests_dropped.with_label_values(&[kind]).inc();
            log::info!(target: "wattseal::delivery", "a request ({kind}) was given up: it can no longer come true");
            return;
        }
        self.requests_done.with_label_values(&[kind]).inc();
        log::info!(target: "wattseal::delivery", "a request ({kind}) is done on the finalised chain");
        if let Some(since) = since {
            self.request_delay.with_label_values(&[kind]).observe(since.elapsed().as_secs_f64());
        }
    }

    /// Counts what waits, by kind.
    pub fn pending(&self, queue: &[QueuedRequest]) {
        for name in KINDS {
            let count = queue.iter().filter(|request| kind(request) == name).count();
            self.requests_pending.with_label_values(&[name]).set(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    fn waiting<R>(&self, act: impl FnOnce(&mut BTreeMap<[u8; 32], Instant>) -> R) -> R {
        act(&mut self.queued.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The kind of a request, for people and labels.
fn kind(request: &QueuedRequest) -> &'static str {
    let [delivery, meter_key, relay] = KINDS;
    match request {
        QueuedRequest::Consent { .. } => delivery,
        QueuedRequest::MeterKey { .. } => meter_key,
        QueuedRequest::Relay { .. } => relay,
    }
}

/// Brings a counter up to a number that is kept elsewhere; a smaller number means that its keeper began anew.
pub(crate) fn follow(counter: &Counter<U64>, number: u64) {
    if number < counter.get() {
        counter.reset();
    }
    counter.inc_by(number.saturating_sub(counter.get()));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use wattseal_primitives::consent::ReadRefusal;

    #[test]
    fn all_metrics_are_ours_and_registered_once() {
        let registry = Registry::new();
        let metrics = Metrics::new(Some(&registry)).unwrap();
        assert!(Metrics::new(Some(&registry)).is_err(), "the same names twice");
        let families = registry.gather();
        // Every metric but the one whose utilities are not known yet, and those of looked-up labels.
        assert!(families.len() >= 20 && families.iter().all(|family| family.get_name().starts_with("wattseal_")));
        metrics.read(READ, &Ok(()));
        metrics.read::<()>(READ, &Err(RpcError::Refused(ReadRefusal::Revoked)));
        metrics.read::<()>(ACCESS_LOG, &Err(RpcError::NonceUsed));
        let refused = |method, reason| metrics.reads_refused.with_label_values(&[method, reason]).get();
        assert_eq!((refused(READ, "revoked"), refused(ACCESS_LOG, "replayed"), refused(READ, "replayed")), (1, 1, 0));
        assert_eq!(metrics.reads_served.with_label_values(&[READ]).get(), 1);
    }

    #[test]
    fn a_request_is_timed_from_its_first_queueing_and_once() {
        let metrics = Metrics::new(None).unwrap();
        let request = QueuedRequest::Relay { statement: String::new(), signature: [0; 64] };
        metrics.pending(std::slice::from_ref(&request));
        assert_eq!(metrics.requests_pending.with_label_values(&["relay"]).get(), 1);
        metrics.queued([1; 32]);
        metrics.queued([1; 32]);
        metrics.left_queue(&[1; 32], &request, true);
        // Taken in by an earlier run, and given up.
        metrics.left_queue(&[2; 32], &request, true);
        metrics.queued([3; 32]);
        metrics.left_queue(&[3; 32], &request, false);
        let delays = metrics.request_delay.with_label_values(&["relay"]).get_sample_count();
        let done = metrics.requests_done.with_label_values(&["relay"]).get();
        assert_eq!((delays, done, metrics.requests_dropped.with_label_values(&["relay"]).get()), (1, 2, 1));
        assert!(metrics.waiting(|queued| queued.is_empty()));
    }

    #[test]
    fn a_counter_follows_a_number_that_begins_anew() {
        let counter = Metrics::new(None).unwrap().worker_runs;
        for number in [3, 3, 8, 2, 5] {
            follow(&counter, number);
            assert_eq!(counter.get(), number);
        }
    }
}
