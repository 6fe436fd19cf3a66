//! What is planned, and sealing it stream by stream.

use super::{Basis, Tenancy};
use alloc::{collections::BTreeMap, vec::Vec};
use sealed_register::{Channel, DayReadings, Head, MeterId, SealError, SealedCell, StreamId, StreamSealer};
use smart_meter_texas::EsiId;

/// A day that is to be sealed.
pub(super) struct Order {
    pub(super) esi_id: EsiId,
    pub(super) tenancy: Tenancy,
    pub(super) epoch: u32,
    pub(super) readings: DayReadings,
    pub(super) revision: u16,
}

impl Order {
    pub(super) fn stream(&self) -> (MeterId, Channel) {
        (self.tenancy.meter, self.readings.channel)
    }
}

/// The orders of one stream, one after the other. Jobs know nothing of each other.
pub struct Job<'a> {
    stream: StreamId,
    sealer: StreamSealer<'a>,
    orders: Vec<(usize, Order)>,
    sealed: Vec<Result<SealedCell, SealError>>,
}

impl Job<'_> {
    /// Seals what was ordered. To be called once.
    pub fn run(&mut self) {
        let Self { sealer, orders, sealed, .. } = self;
        sealed.extend(orders.iter().map(|(_, order)| sealer.seal_day(&order.readings, order.revision)));
    }
}

/// Runs every job once, in any order or at the same time.
pub type Runner = for<'b, 'c> fn(&'b mut [Job<'c>]);

/// Runs one job after the other.
pub(super) fn in_turn(jobs: &mut [Job<'_>]) {
    jobs.iter_mut().for_each(Job::run);
}

/// Jobs under construction, and the sealers of streams that may go on.
pub(super) struct Sealers<'a> {
    basis: Basis<'a>,
    most: usize,
    /// Those used last are at the end.
    kept: Vec<(StreamId, StreamSealer<'a>)>,
}

/// The number of an order, the order, and its cell.
pub(super) type Sealed = (usize, Order, Result<SealedCell, SealError>);

impl<'a> Sealers<'a> {
    pub(super) fn new(basis: Basis<'a>, most: usize) -> Self {
        Self { basis, most, kept: Vec::new() }
    }

    /// A job for the stream of an order, beginning at `head`.
    pub(super) fn job(&mut self, order: &Order, head: Head) -> Job<'a> {
        let (meter, channel) = order.stream();
        let Basis { genesis, utility, secrets, .. } = self.basis;
        let stream = StreamId { genesis, utility, meter, channel };
        let kept = self.kept.iter().rposition(|(kept, _)| *kept == stream);
        let sealer = match kept.map(|at| self.kept.remove(at)) {
            Some((_, sealer)) => sealer,
            None => {
                let (key, bound) = (secrets.meter_key(&utility, &meter), order.tenancy.state.max_wh_per_interval);
                StreamSealer::new(&key, &secrets.siv, stream, order.epoch, head, bound)
            }
        };
        Job { stream, sealer, orders: Vec::new(), sealed: Vec::new() }
    }

    /// Takes jobs that have run apart: their cells in order of the orders' numbers. The sealers are kept.
    pub(super) fn collect(&mut self, jobs: Vec<Job<'a>>) -> Vec<Sealed> {
        let mut all = Vec::new();
        for Job { stream, sealer, orders, sealed } in jobs {
            self.kept.push((stream, sealer));
            all.extend(orders.into_iter().zip(sealed).map(|((at, order), cell)| (at, order, cell)));
        }
        all.sort_unstable_by_key(|(at, ..)| *at);
        all
    }

    /// Drops the sealer of a stream whose last cell was not taken: its head is ahead of the batch's.
    pub(super) fn forget(&mut self, (meter, channel): (MeterId, Channel)) {
        self.kept.retain(|(stream, _)| (stream.meter, stream.channel) != (meter, channel));
    }

    /// Drops the sealers that were used longest ago.
    pub(super) fn shrink(&mut self) {
        let surplus = self.kept.len().saturating_sub(self.most);
        self.kept.drain(..surplus);
    }
}

impl Job<'_> {
    pub(super) fn push(&mut self, at: usize, order: Order) {
        self.orders.push((at, order));
    }
}

/// Where the orders of each stream go: to the job of this number, or nowhere.
pub(super) type Streams<E> = BTreeMap<(MeterId, Channel), Result<usize, E>>;
