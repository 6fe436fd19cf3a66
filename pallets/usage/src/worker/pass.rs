//! One pass over feed files: from meter-days to sealed batches in the outbox.
//!
//! The pass is pure but for the store and the chain's state, both behind traits. What it does follows from these and the
//! files alone, so a pass that is repeated after a crash finds the same things to do.

mod shards;
mod tenancies;
mod versions;

pub use shards::{BatchLimits, Batching};
pub use tenancies::{Place, Tenancies, Tenancy};
pub use versions::{decide, Known, Verdict, Versions};

use super::{
    chain::Chain,
    store::{partial_key, Store},
};
use alloc::{format, string::String, vec::Vec};
use sealed_register::{
    amend::{self, Decision, SealedVersion},
    reopen, DayReadings, Hash, MeterId, MeterKey, OrganisationId, Quality, SealError, SealedCell, StreamId,
    StreamSealer, UtilitySecrets,
};
use smart_meter_texas::{EsiId, MeterDay};
use wattseal_primitives::{
    bridge::{clear_digest, day_readings},
    offchain::{DayVersion, RefusedRow, WaitingDay},
    BlockNumber,
};

/// Most entries of each list of a [`Tally`].
pub const MAX_LISTED: usize = 1_000;
/// Streams whose sealers are kept: both channels of the last meters of a file that goes meter by meter.
const MAX_SEALERS: usize = 4;

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

/// A pass. Days are taken one by one; batches close by themselves, the last ones in [`Pass::finish`].
pub struct Pass<'a, C> {
    basis: Basis<'a>,
    chain: &'a C,
    tenancies: Tenancies<'a, C>,
    versions: Versions,
    batching: Batching,
    sealers: Vec<(StreamId, StreamSealer<'a>)>,
    file: String,
    tally: Tally,
}

impl<'a, C: Chain> Pass<'a, C> {
    /// Begins a pass. The outbox must be empty.
    pub fn new(basis: Basis<'a>, chain: &'a C) -> Self {
        let tenancies = Tenancies::new(chain, basis.secrets, basis.as_of);
        let batching = Batching::new(&basis);
        let (versions, sealers) = (Versions::default(), Vec::new());
        Self { basis, chain, tenancies, versions, batching, sealers, file: String::new(), tally: Tally::default() }
    }

    /// Begins a file.
    pub fn begin(&mut self, file: &str) {
        self.file = file.into();
        self.tally = Tally::default();
    }

    /// Ends a file: what was found in it since [`Pass::begin`].
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

    /// Closes the open batches.
    pub fn finish(mut self, store: &mut impl Store) {
        self.batching.finish(store);
    }

    /// Takes one meter-day: seals it, if it is news, or lists why not.
    pub fn take(&mut self, store: &mut impl Store, day: &MeterDay) {
        let readings = match day_readings(day) {
            Ok(readings) => readings,
            Err(error) => return self.refuse("row", format!("{error}")),
        };
        let tenancy = match self.place(&day.esi_id, &readings) {
            Some(tenancy) => tenancy,
            None => return,
        };
        let Some(epoch) = tenancy.epoch else {
            // Registered since the block whose epochs count here: the next pass knows it.
            self.tally.unfinished = true;
            return;
        };
        let digest = clear_digest(&self.basis.secrets.siv, &readings);
        let known = self.versions.newest(store, &tenancy.meter, readings.channel, readings.day);
        let short = readings.intervals.iter().any(|interval| interval.quality == Quality::Missing);
        let verdict = decide(known.as_ref().map(|known| &known.version), readings.revision_date, digest, short);
        // What was sealed in this pass may yet come to nothing, and then the verdict would be another.
        self.tally.unfinished |= known.is_some_and(|known| known.of_this_pass);
        match (verdict, known) {
            (Verdict::First, _) => self.seal(store, &tenancy, epoch, &readings, 0),
            (Verdict::Amend { revision }, _) => self.seal(store, &tenancy, epoch, &readings, revision),
            (Verdict::Same, Some(known)) if !known.of_this_pass => {
                forget_partial(store, &tenancy.meter, &readings, known.version.revision);
            }
            (Verdict::Older | Verdict::Held, Some(known)) => {
                self.complete(store, &tenancy, epoch, &readings, &known, verdict)
            }
            (Verdict::Same | Verdict::Older | Verdict::Held, _) => {}
        }
    }

    /// The tenancy that a day belongs to, if it can be sealed there; else the day is listed.
    fn place(&mut self, esi_id: &EsiId, readings: &DayReadings) -> Option<Tenancy> {
        let DayReadings { channel, day, .. } = *readings;
        match self.tenancies.of(esi_id, day) {
            Place::In(tenancy) if tenancy.channels.contains(channel) => Some(tenancy),
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
    fn complete(
        &mut self,
        store: &mut impl Store,
        tenancy: &Tenancy,
        epoch: u32,
        readings: &DayReadings,
        known: &Known,
        verdict: Verdict,
    ) {
        let sealed = self.reopened(store, tenancy, readings, known);
        match sealed.map(|sealed| amend::decide(Some(&sealed), readings)) {
            Some(Decision::Amend { revision, readings }) => self.seal(store, tenancy, epoch, &readings, revision),
            Some(Decision::Same) => {}
            Some(Decision::Older) => self.tally.older = self.tally.older.saturating_add(1),
            None if verdict == Verdict::Older => self.tally.older = self.tally.older.saturating_add(1),
            _ => {
                let (meter, day, channel) = (tenancy.meter, readings.day, readings.channel);
                push_bounded(&mut self.tally.held, WaitingDay { file: self.file.clone(), meter, day, channel });
            }
        }
    }

    /// The newest version of a day, if it was kept because intervals are missing in it, and is what the index says.
    fn reopened(
        &self,
        store: &impl Store,
        tenancy: &Tenancy,
        readings: &DayReadings,
        known: &Known,
    ) -> Option<SealedVersion> {
        let revision = known.version.revision;
        let key = partial_key(&tenancy.meter, readings.channel, readings.day, revision);
        let cell = SealedCell::decode(&store.get(&key)?).ok()?;
        let opened = reopen(&self.meter_key(&tenancy.meter), &cell).ok()?;
        let is_newest = clear_digest(&self.basis.secrets.siv, &opened) == known.version.digest;
        is_newest.then_some(SealedVersion { revision, readings: Some(opened) })
    }

    fn seal(&mut self, store: &mut impl Store, tenancy: &Tenancy, epoch: u32, readings: &DayReadings, revision: u16) {
        match self.try_seal(store, tenancy, epoch, readings, revision) {
            Ok(()) => self.tally.cells = self.tally.cells.saturating_add(1),
            Err(Unsealed::Later) => {}
            Err(Unsealed::Failed(error)) => self.tally.error = Some(error),
            Err(Unsealed::Refused(reason)) => return self.refuse("USAGE_KWH", reason),
        }
        // Sealed is not committed: the file is done when the chain and the index show it.
        self.tally.unfinished = true;
    }

    fn try_seal(
        &mut self,
        store: &mut impl Store,
        tenancy: &Tenancy,
        epoch: u32,
        readings: &DayReadings,
        revision: u16,
    ) -> Result<(), Unsealed> {
        let (meter, channel) = (tenancy.meter, readings.channel);
        let Basis { genesis, utility, secrets, .. } = self.basis;
        let stream = StreamId { genesis, utility, meter, channel };
        let head = self.batching.head(store, self.chain, &meter, channel)?;
        let mut sealer = match self.sealers.iter().position(|(kept, _)| *kept == stream) {
            Some(at) => self.sealers.swap_remove(at).1,
            None => {
                let bound = tenancy.class.max_wh_per_interval();
                StreamSealer::new(&self.meter_key(&meter), &secrets.siv, stream, epoch, head, bound)
            }
        };
        let cell = sealer.seal_day(readings, revision).map_err(|error| refusal(&meter, error))?;
        // From here on a sealer that is not put back is dropped: its head would be ahead of the batch's.
        self.batching.push(store, &cell)?;
        if self.sealers.len() >= MAX_SEALERS {
            self.sealers.remove(0);
        }
        self.sealers.push((stream, sealer));
        if readings.intervals.iter().any(|reading| reading.quality == Quality::Missing) {
            store.set(&partial_key(&meter, channel, readings.day, revision), &cell.encode());
        }
        let digest = clear_digest(&secrets.siv, readings);
        let DayReadings { day, revision_date, .. } = *readings;
        self.versions.add(&meter, channel, DayVersion { day, revision, revision_date, digest });
        Ok(())
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

/// A completed day is on chain: what it was completed from is of no more use.
fn forget_partial(store: &mut impl Store, meter: &MeterId, readings: &DayReadings, revision: u16) {
    if let Some(before) = revision.checked_sub(1) {
        store.clear(&partial_key(meter, readings.channel, readings.day, before));
    }
}

fn push_bounded<V>(list: &mut Vec<V>, value: V) {
    if list.len() < MAX_LISTED {
        list.push(value);
    }
}
