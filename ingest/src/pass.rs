//! One pass over files: from meter-days to sealed batches.
//!
//! The pass is pure but for the [`Shelf`] and the chain's state. What it does follows from these and the files alone, so
//! a pass that is repeated after a crash finds the same things to do, and two programs that take the same days in the
//! same order make the same batches.
//!
//! Each day is planned (to which tenancy, which revision or why not), sealed as the next cell of its stream, and put into
//! its shard's batch. The worker does this day by day ([`Pass::new`]). In bulk ([`Pass::in_bulk`]) many days are planned
//! before they are sealed, stream by stream in parallel, and then go into their batches in the order in which they were
//! taken.

mod jobs;
mod shards;
mod tenancies;
mod versions;

pub use jobs::{Job, Runner};
pub use shards::{BatchLimits, Batching};
pub use tenancies::{Place, Tenancies, Tenancy};
pub use versions::{decide, Known, Verdict, Versions};

use crate::{
    bridge::{clear_digest, day_readings},
    chain::ChainState,
    records::{DayVersion, RefusedRow, WaitingDay},
    shelf::Shelf,
    BlockNumber,
};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use jobs::{in_turn, Order, Sealers, Streams};
use sealed_register::{
    amend::{self, Decision, SealedVersion},
    reopen, Channel, DayReadings, Hash, MeterId, MeterKey, OperatingDay, OrganisationId, Quality, SealError,
    SealedCell, UtilitySecrets,
};
use smart_meter_texas::{EsiId, MeterDay};

/// Most entries of each list of a [`Tally`].
pub const MAX_LISTED: usize = 1_000;
/// Streams whose sealers are kept: both channels of the last meters of a file that goes meter by meter.
const KEPT_SEALERS: usize = 4;
/// The same in bulk.
const KEPT_SEALERS_IN_BULK: usize = 512;

/// What a pass stands on.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The utility.
    pub utility: OrganisationId,
    /// Its secrets.
    pub secrets: &'a UtilitySecrets,
    /// Leading bits of a MeterId that name its shard.
    pub shard_bits: u8,
    /// Block in whose state epochs are read: the newest finalised one, so that no batch dies with a fork.
    pub as_of: BlockNumber,
    /// Its hash.
    pub as_of_hash: Hash,
    /// Bounds of the pass.
    pub limits: BatchLimits,
}

/// What a pass found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cells sealed.
    pub cells: u32,
    /// Those of them that amend a day.
    pub amended: u32,
    /// Days whose values are on chain already.
    pub same: u64,
    /// Days refused, the first ones.
    pub refused: Vec<RefusedRow>,
    /// Days refused in all.
    pub refused_total: u64,
    /// Days of meters that are not registered, the first ones.
    pub waiting: Vec<WaitingDay>,
    /// Such days in all.
    pub waiting_total: u64,
    /// Days held for the operator, the first ones.
    pub held: Vec<WaitingDay>,
    /// Days older than what is sealed.
    pub older: u64,
    /// Something of the file could not be sealed in this pass but will be, or is sealed and not yet on chain.
    pub unfinished: bool,
    /// What the operator must know.
    pub error: Option<String>,
}

/// A pass. Batches close by themselves, the last ones in [`Pass::finish`].
pub struct Pass<'a, C> {
    basis: Basis<'a>,
    chain: &'a C,
    tenancies: Tenancies<'a, C>,
    versions: Versions,
    batching: Batching,
    sealers: Sealers<'a>,
    /// Days that are planned before any of them is sealed.
    window: usize,
    run: Runner,
    planned: Vec<Order>,
    /// Their places: what is decided about a second version of a day depends on the first.
    places: BTreeSet<(MeterId, Channel, OperatingDay)>,
    /// In bulk: days for which there was no room.
    left: Vec<(EsiId, DayReadings)>,
    file: String,
    tally: Tally,
}

impl<'a, C: ChainState> Pass<'a, C> {
    /// Begins a pass that seals day by day. The outbox must be empty.
    pub fn new(basis: Basis<'a>, chain: &'a C) -> Self {
        Self::with(basis, chain, 1, in_turn)
    }

    /// Begins a pass that plans up to `window` days (about 1 kB each) before `run` seals them.
    pub fn in_bulk(basis: Basis<'a>, chain: &'a C, window: usize, run: Runner) -> Self {
        Self::with(basis, chain, window.max(2), run)
    }

    fn with(basis: Basis<'a>, chain: &'a C, window: usize, run: Runner) -> Self {
        Self {
            basis,
            chain,
            tenancies: Tenancies::new(chain, basis.secrets, basis.as_of),
            versions: Versions::default(),
            batching: Batching::new(&basis),
            sealers: Sealers::new(basis, if window > 1 { KEPT_SEALERS_IN_BULK } else { KEPT_SEALERS }),
            window,
            run,
            planned: Vec::new(),
            places: BTreeSet::new(),
            left: Vec::new(),
            file: String::new(),
            tally: Tally::default(),
        }
    }

    /// Begins a file.
    pub fn begin(&mut self, file: &str) {
        self.file = file.into();
        self.tally = Tally::default();
    }

    /// Ends a file: what was found in it since [`Pass::begin`]. In bulk after [`Pass::flush`].
    pub fn end(&mut self) -> Tally {
        core::mem::take(&mut self.tally)
    }

    /// Whether nothing more can be sealed in this pass.
    pub fn is_full(&self) -> bool {
        self.batching.is_full()
    }

    /// Cells sealed in this pass, over all files.
    pub fn cells(&self) -> u32 {
        self.batching.cells()
    }

    /// In bulk: takes out the days that found no room in this pass, in the order in which they came.
    pub fn take_left(&mut self) -> Vec<(EsiId, DayReadings)> {
        core::mem::take(&mut self.left)
    }

    /// Closes the open batches.
    pub fn finish(mut self, shelf: &mut impl Shelf) {
        self.flush(shelf);
        self.batching.finish(shelf);
    }

    /// Takes one meter-day: seals it, if it is news, or lists why not.
    pub fn take(&mut self, shelf: &mut impl Shelf, day: &MeterDay) {
        match day_readings(day) {
            Ok(readings) => self.take_readings(shelf, &day.esi_id, readings),
            Err(error) => self.refuse("row", format!("{error}")),
        }
    }

    /// Takes the readings of a day, as [`Pass::take`] does.
    pub fn take_readings(&mut self, shelf: &mut impl Shelf, esi_id: &EsiId, readings: DayReadings) {
        let tenancy = match self.place(esi_id, &readings) {
            Some(tenancy) => tenancy,
            None => return,
        };
        let Some(epoch) = tenancy.epoch else {
            // Registered since the block whose epochs count here: the next pass knows it.
            self.tally.unfinished = true;
            return;
        };
        if self.places.contains(&(tenancy.meter, readings.channel, readings.day)) {
            self.flush(shelf);
        }
        let digest = clear_digest(&self.basis.secrets.siv, &readings);
        let known = self.versions.newest(shelf, &tenancy.meter, readings.channel, readings.day);
        let short = is_short(&readings);
        let verdict = decide(known.as_ref().map(|known| &known.version), readings.revision_date, digest, short);
        // What was sealed in this pass may yet come to nothing, and then the verdict would be another.
        self.tally.unfinished |= known.is_some_and(|known| known.of_this_pass);
        let order = |readings, revision| Order { esi_id: *esi_id, tenancy, epoch, readings, revision };
        match (verdict, known) {
            (Verdict::First, _) => self.plan(shelf, order(readings, 0)),
            (Verdict::Amend { revision }, _) => self.plan(shelf, order(readings, revision)),
            (Verdict::Older | Verdict::Held, Some(known)) => {
                if let Some((readings, revision)) = self.completed(shelf, &tenancy, &readings, &known, verdict) {
                    self.plan(shelf, order(readings, revision));
                }
            }
            (Verdict::Same | Verdict::Older | Verdict::Held, known) => {
                self.tally.same = self.tally.same.saturating_add(1);
                let before = known.filter(|known| !known.of_this_pass);
                // A completed day is on chain: what it was completed from is of no more use.
                if let Some(before) = before.and_then(|known| known.version.revision.checked_sub(1)) {
                    shelf.forget_short_day(&tenancy.meter, readings.channel, readings.day, before);
                }
            }
        }
    }

    /// The tenancy that a day belongs to, if it can be sealed there; else the day is listed.
    fn place(&mut self, esi_id: &EsiId, readings: &DayReadings) -> Option<Tenancy> {
        let DayReadings { channel, day, .. } = *readings;
        match self.tenancies.of(esi_id, day) {
            Place::In(tenancy) if tenancy.state.channels.contains(channel) => Some(tenancy),
            Place::In(tenancy) => {
                let reason = format!("meter {} is not registered for this channel, day {day}", tenancy.meter);
                self.refuse("CONSUMPTION_SURPLUSGENERATION", reason);
                None
            }
            Place::Unregistered(meter) => {
                self.tally.waiting_total = self.tally.waiting_total.saturating_add(1);
                let waiting = WaitingDay { file: self.file.clone(), meter, day, channel };
                push_bounded(&mut self.tally.waiting, waiting);
                None
            }
        }
    }

    /// Other values that are no plain amendment: the rest of a day that was sealed short completes it, whatever its date;
    /// of the others the older ones are counted and the rest is held.
    fn completed(
        &mut self,
        shelf: &impl Shelf,
        tenancy: &Tenancy,
        readings: &DayReadings,
        known: &Known,
        verdict: Verdict,
    ) -> Option<(DayReadings, u16)> {
        let sealed = self.reopened(shelf, tenancy, readings, known);
        match sealed.map(|sealed| amend::decide(Some(&sealed), readings)) {
            Some(Decision::Amend { revision, readings }) => return Some((readings, revision)),
            Some(Decision::Same) => self.tally.same = self.tally.same.saturating_add(1),
            Some(Decision::Older) => self.tally.older = self.tally.older.saturating_add(1),
            None if verdict == Verdict::Older => self.tally.older = self.tally.older.saturating_add(1),
            _ => {
                let (meter, day, channel) = (tenancy.meter, readings.day, readings.channel);
                push_bounded(&mut self.tally.held, WaitingDay { file: self.file.clone(), meter, day, channel });
            }
        }
        None
    }

    /// The newest version of a day, if it was kept because intervals are missing in it, and is what the index says.
    fn reopened(
        &self,
        shelf: &impl Shelf,
        tenancy: &Tenancy,
        readings: &DayReadings,
        known: &Known,
    ) -> Option<SealedVersion> {
        let revision = known.version.revision;
        let cell = shelf.short_day(&tenancy.meter, readings.channel, readings.day, revision)?;
        let cell = SealedCell::decode(&cell).ok()?;
        let opened = reopen(&self.meter_key(&tenancy.meter), &cell).ok()?;
        let is_newest = clear_digest(&self.basis.secrets.siv, &opened) == known.version.digest;
        is_newest.then_some(SealedVersion { revision, readings: Some(opened) })
    }

    /// Takes an order in; seals when enough of them are together.
    fn plan(&mut self, shelf: &mut impl Shelf, order: Order) {
        if self.window > 1 {
            self.places.insert((order.tenancy.meter, order.readings.channel, order.readings.day));
        }
        self.planned.push(order);
        if self.planned.len() >= self.window {
            self.flush(shelf);
        }
    }

    /// Seals what is planned and puts it into batches, in the order in which it was taken.
    pub fn flush(&mut self, shelf: &mut impl Shelf) {
        self.places.clear();
        let planned = core::mem::take(&mut self.planned);
        let mut jobs: Vec<Job<'a>> = Vec::new();
        let mut streams: Streams<Unsealed> = Streams::new();
        for (at, order) in planned.into_iter().enumerate() {
            let (meter, channel) = order.stream();
            let place = streams.entry((meter, channel)).or_insert_with(|| {
                let head = self.batching.head(shelf, self.chain, &meter, channel)?;
                jobs.push(self.sealers.job(&order, head));
                Ok(jobs.len() - 1)
            });
            match place.as_ref().map(|job| jobs.get_mut(*job)) {
                Ok(Some(job)) => job.push(at, order),
                // There is a job for every number.
                Ok(None) => {}
                Err(why) => {
                    let why = why.clone();
                    self.settle(order, Err(why));
                }
            }
        }
        (self.run)(&mut jobs);
        for (_, order, sealed) in self.sealers.collect(jobs) {
            let stream = order.stream();
            let put = match (sealed, streams.get(&stream)) {
                // After a cell that was not taken none of its stream can be.
                (_, Some(Err(why))) => Err(why.clone()),
                (Ok(cell), _) => self.put(shelf, &order, &cell).inspect_err(|why| {
                    streams.insert(stream, Err(why.clone()));
                }),
                (Err(error), _) => Err(refusal(&stream.0, error)),
            };
            if matches!(streams.get(&stream), Some(Err(_))) {
                self.sealers.forget(stream);
            }
            self.settle(order, put);
        }
        self.sealers.shrink();
    }

    /// Puts a sealed day into its shard's batch.
    fn put(&mut self, shelf: &mut impl Shelf, order: &Order, cell: &SealedCell) -> Result<(), Unsealed> {
        self.batching.push(shelf, cell)?;
        let ((meter, channel), readings, revision) = (order.stream(), &order.readings, order.revision);
        let DayReadings { day, revision_date, .. } = *readings;
        if is_short(readings) {
            shelf.keep_short_day(&meter, channel, day, revision, &cell.encode());
        }
        let digest = clear_digest(&self.basis.secrets.siv, readings);
        self.versions.add(&meter, channel, DayVersion { day, revision, revision_date, digest });
        Ok(())
    }

    /// Notes what became of an order.
    fn settle(&mut self, order: Order, result: Result<(), Unsealed>) {
        match result {
            Ok(()) => {
                self.tally.cells = self.tally.cells.saturating_add(1);
                self.tally.amended = self.tally.amended.saturating_add(u32::from(order.revision > 0));
            }
            Err(Unsealed::Later) if self.window > 1 => self.left.push((order.esi_id, order.readings)),
            Err(Unsealed::Later) => {}
            Err(Unsealed::Failed(error)) => self.tally.error = Some(error),
            Err(Unsealed::Refused(reason)) => return self.refuse("USAGE_KWH", reason),
        }
        // Sealed is not committed: the file is done when the chain and the index show it.
        self.tally.unfinished = true;
    }

    fn meter_key(&self, meter: &MeterId) -> MeterKey {
        self.basis.secrets.meter_key(&self.basis.utility, meter)
    }

    /// Lists a refused day. Line 0: the rows of a whole day.
    fn refuse(&mut self, field: &str, reason: String) {
        self.tally.refused_total = self.tally.refused_total.saturating_add(1);
        let row = RefusedRow { file: self.file.clone(), line: 0, field: field.into(), reason };
        push_bounded(&mut self.tally.refused, row);
    }
}

fn is_short(readings: &DayReadings) -> bool {
    readings.intervals.iter().any(|reading| reading.quality == Quality::Missing)
}

/// Why a cell did not get into a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsealed {
    /// No room in this pass, or the index is behind the chain.
    Later,
    /// Something is wrong here that the operator must see; it is tried again.
    Failed(String),
    /// The readings cannot be sealed.
    Refused(String),
}

/// The reason of a refusal, without any value of the readings.
fn refusal(meter: &MeterId, error: SealError) -> Unsealed {
    use sealed_register::word::WordError;
    match error {
        SealError::Readings { day, problem: WordError::AboveBound { interval, .. } } => Unsealed::Refused(format!(
            "meter {meter}, day {day}: interval {interval} is above the bound of the meter's class; check the class"
        )),
        SealError::Readings { day, .. } => {
            Unsealed::Refused(format!("meter {meter}, day {day}: not the readings of an operating day"))
        }
        SealError::Beyond(error) => Unsealed::Refused(format!("meter {meter}: {error}")),
        error @ (SealError::OtherChannel { .. } | SealError::StreamFull) => Unsealed::Failed(format!("{error}")),
    }
}

fn push_bounded<V>(list: &mut Vec<V>, value: V) {
    if list.len() < MAX_LISTED {
        list.push(value);
    }
}
