//! A utility that seals: from days to batches of one shard, with the product's own parts.

use crate::{feed::readings, Result};
use sealed_register::{
    batch::{BatchBuilder, BatchSummary, PushError},
    Channel, DayReadings, Hash, Heads, MeterId, MeterKey, OrganisationId, Secret, Shard, ShardId, StreamId,
    StreamSealer, UtilitySecrets,
};
use smart_meter_texas::{csv, Calendar, EsiId, MeterDay};
use std::collections::HashMap;

/// Genesis hash of the chain of these measurements.
pub const GENESIS: Hash = [9; 32];
/// Greatest energy of a quarter hour of a residential meter, Wh.
pub const MAX_WH: u32 = 25_000;
/// Bytes that a reader of a file is given at once, as the worker gives them.
const PIECE: usize = 64 << 10;

/// Secrets and name.
pub struct Utility {
    /// Its secrets.
    pub secrets: UtilitySecrets,
    /// Its short name.
    pub name: OrganisationId,
}

impl Utility {
    /// The utility of these measurements.
    ///
    /// # Errors
    /// None.
    pub fn new() -> Result<Self> {
        let secret = |byte| Secret::from_bytes([byte; 32]);
        let [id, seal, siv, ticket] = [1, 2, 3, 4].map(secret);
        let secrets = UtilitySecrets { id, seal, siv, ticket, generation: 0 };
        Ok(Self { secrets, name: OrganisationId::new("oncor")? })
    }

    /// The only shard.
    pub fn shard(&self) -> Shard {
        Shard { genesis: GENESIS, utility: self.name, id: ShardId(0), bits: 0 }
    }

    /// The key of a meter.
    pub fn meter_key(&self, meter: &MeterId) -> MeterKey {
        self.secrets.meter_key(&self.name, meter)
    }

    /// One stream of a meter.
    pub fn stream(&self, meter: MeterId, channel: Channel) -> StreamId {
        StreamId { genesis: GENESIS, utility: self.name, meter, channel }
    }

    /// A sealer at the beginning of a stream.
    pub fn sealer(&self, stream: StreamId) -> StreamSealer<'_> {
        let head = sealed_register::Head::first(&stream);
        StreamSealer::new(&self.meter_key(&stream.meter), &self.secrets.siv, stream, 0, head, MAX_WH)
    }
}

/// A batch as it leaves the sealing.
pub struct Batch {
    /// Number in the shard.
    pub sequence: u32,
    /// What goes on chain.
    pub summary: BatchSummary,
    /// The body.
    pub chunks: Vec<Vec<u8>>,
}

/// Seals day after day into the batches of one shard.
pub struct Sealing<'a> {
    utility: &'a Utility,
    heads: Heads,
    builder: BatchBuilder,
    sequence: u32,
    chunks: Vec<Vec<u8>>,
    sealers: HashMap<(MeterId, Channel), StreamSealer<'a>>,
    meters: HashMap<EsiId, MeterId>,
    /// Cells sealed so far.
    pub cells: u32,
}

impl<'a> Sealing<'a> {
    /// Begins with nothing.
    pub fn new(utility: &'a Utility) -> Self {
        let shard = utility.shard();
        Self {
            utility,
            heads: Heads::new(shard),
            builder: BatchBuilder::new(shard, 0),
            sequence: 0,
            chunks: Vec::new(),
            sealers: HashMap::new(),
            meters: HashMap::new(),
            cells: 0,
        }
    }

    /// Seals a day of a file; gives the batch that it did not fit into.
    ///
    /// # Errors
    /// If the day cannot be sealed.
    pub fn take(&mut self, day: &MeterDay) -> Result<Option<Batch>> {
        let secrets = &self.utility.secrets;
        let meter = *self.meters.entry(day.esi_id).or_insert_with(|| secrets.meter_id(day.esi_id.as_str(), 0));
        self.seal(meter, &readings(day))
    }

    /// Seals a day of a meter; gives the batch that it did not fit into.
    ///
    /// # Errors
    /// If the day cannot be sealed.
    pub fn seal(&mut self, meter: MeterId, readings: &DayReadings) -> Result<Option<Batch>> {
        let utility = self.utility;
        let stream = utility.stream(meter, readings.channel);
        let sealer = self.sealers.entry((meter, readings.channel)).or_insert_with(|| utility.sealer(stream));
        let cell = sealer.seal_day(readings, 0)?;
        self.cells += 1;
        match self.builder.push(&mut self.heads, &cell) {
            Ok(chunk) => {
                self.chunks.extend(chunk);
                Ok(None)
            }
            Err(PushError::Full { .. }) => {
                let batch = self.close()?;
                self.chunks.extend(self.builder.push(&mut self.heads, &cell)?);
                Ok(Some(batch))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Closes the batch under construction: its root is over the heads of all streams.
    ///
    /// # Errors
    /// If nothing is in it.
    pub fn close(&mut self) -> Result<Batch> {
        let next = BatchBuilder::new(self.utility.shard(), self.sequence + 1);
        let builder = std::mem::replace(&mut self.builder, next);
        let (last, summary) = builder.finish(&self.heads).ok_or("a batch without cells")?;
        let mut chunks = std::mem::take(&mut self.chunks);
        chunks.push(last);
        let sequence = self.sequence;
        self.sequence += 1;
        Ok(Batch { sequence, summary, chunks })
    }
}

/// From a file to batches: parsed, sealed, chained, and a root over all streams for each batch. Gives the readings.
///
/// # Errors
/// If the file cannot be read or a day cannot be sealed, and those of `out`.
pub fn seal_file(
    utility: &Utility,
    calendar: &Calendar,
    file: &[u8],
    mut out: impl FnMut(Batch) -> Result<()>,
) -> Result<u64> {
    let mut sealing = Sealing::new(utility);
    let mut reader = csv::Reader::new(calendar.clone(), csv::Limits::default());
    let mut failed = None;
    let mut take = |day: MeterDay| {
        if failed.is_none() {
            let taken = sealing.take(&day).and_then(|batch| batch.map_or(Ok(()), &mut out));
            failed = taken.err();
        }
    };
    for piece in file.chunks(PIECE) {
        reader.push(piece, &mut take)?;
    }
    let report = reader.finish(&mut take)?;
    if let Some(error) = failed {
        return Err(error);
    }
    // The blank rows of the hour that spring leaves out are no readings.
    let unused = report.rows - report.used_rows - report.skipped_hour_rows;
    if unused > 0 {
        return Err(format!("{unused} of {} rows were not used", report.rows).into());
    }
    out(sealing.close()?)?;
    Ok(report.used_rows)
}
