//! A utility with one shard: seals, commits, proves; readers verify and open. Everything goes through the whole way.

use proptest::prelude::*;
use sealed_register::{
    amend::{decide, Decision, SealedVersion},
    delivery::Segment,
    finalized::{BlockRef, RootStatement},
    open::OpenError,
    proof::{build_range, Form, RangeProof, RangeRequest},
    reopen,
    verified::VerifiedCell,
    verify::{verify_range, VerifyError},
    Channel, DayRange, DayReadings, FinalizedRoot, Heads, Keyring, Level, MeterId, MeterKey, OperatingDay,
    OrganisationId, Quality, Reading, SealedCell, Secret, Shard, StreamId, StreamSealer, UtilitySecrets, VerifiedRange,
};
use std::convert::Infallible;

/// Bound of the meters here, Wh in 15 minutes.
pub const MAX_WH: u32 = 25_000;
pub const GENESIS: [u8; 32] = [0x9e; 32];

pub fn secrets() -> UtilitySecrets {
    let secret = |byte| Secret::from_bytes([byte; 32]);
    UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 }
}

pub fn utility() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

pub fn range(first: u16, last: u16) -> DayRange {
    DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
}

/// One meter of a utility, both channels.
#[derive(Clone)]
pub struct World {
    pub secrets: UtilitySecrets,
    pub meter: MeterId,
    pub heads: Heads,
    pub cells: Vec<SealedCell>,
    pub batch: u32,
}

impl World {
    pub fn new() -> Self {
        let secrets = secrets();
        let meter = secrets.meter_id("10443720000000001", 0);
        let heads = Heads::new(Shard::of(GENESIS, utility(), &meter, 0));
        Self { secrets, meter, heads, cells: Vec::new(), batch: 0 }
    }

    pub fn key(&self) -> MeterKey {
        self.secrets.meter_key(&utility(), &self.meter)
    }

    pub fn stream(&self, channel: Channel) -> StreamId {
        StreamId { genesis: GENESIS, utility: utility(), meter: self.meter, channel }
    }

    pub fn sealer(&self, channel: Channel, epoch: u32) -> StreamSealer<'_> {
        let head = self.heads.head(&self.meter, channel);
        StreamSealer::new(&self.key(), &self.secrets.siv, self.stream(channel), epoch, head, MAX_WH)
    }

    /// Seals a day and commits it as a batch of its own.
    pub fn seal(&mut self, epoch: u32, readings: &DayReadings, revision: u16) -> SealedCell {
        let cell = self.sealer(readings.channel, epoch).seal_day(readings, revision).unwrap();
        self.commit(cell.clone());
        cell
    }

    pub fn commit(&mut self, cell: SealedCell) {
        self.heads.apply(&cell).unwrap();
        self.cells.push(cell);
        self.batch += 1;
    }

    /// What the utility's worker does with readings that arrive: reopen the newest revision, decide, seal.
    pub fn ingest(&mut self, epoch: u32, readings: &DayReadings) -> Decision {
        let same = |cell: &&SealedCell| (cell.header.channel, cell.header.day) == (readings.channel, readings.day);
        let version = self.cells.iter().rev().find(same).map(|cell| SealedVersion {
            revision: cell.header.revision,
            readings: match reopen(&self.key(), cell) {
                Ok(readings) => Some(readings),
                Err(OpenError::Withdrawn { .. }) => None,
                Err(error) => panic!("{error}"),
            },
        });
        let decision = decide(version.as_ref(), readings);
        match &decision {
            Decision::First => drop(self.seal(epoch, readings, 0)),
            Decision::Amend { revision, readings } => drop(self.seal(epoch, readings, *revision)),
            Decision::Same | Decision::Older | Decision::Held(_) => {}
        }
        decision
    }

    pub fn root(&self) -> FinalizedRoot {
        FinalizedRoot::from_own_node(RootStatement {
            shard: *self.heads.shard(),
            batch_sequence: self.batch,
            root: self.heads.root(self.batch),
            block: BlockRef { number: 77, hash: [7; 32] },
        })
    }

    pub fn request(&self, channel: Channel, range: DayRange, level: Level, segments: &[Segment]) -> RangeRequest {
        RangeRequest { stream: self.stream(channel), range, level, segments: segments.to_vec(), form: Form::Compact }
    }

    /// What an honest vault answers, over the wire.
    pub fn prove(&self, request: &RangeRequest) -> Vec<u8> {
        let mine = |cell: &&SealedCell| cell.header.channel == request.stream.channel;
        let cells = self.cells.iter().rev().filter(mine).cloned().map(Ok::<_, Infallible>);
        build_range(request, cells, &self.heads.tree(self.batch)).unwrap().encode()
    }

    pub fn try_read(&self, request: &RangeRequest, keyring: &Keyring) -> Result<VerifiedRange, VerifyError> {
        let proof = RangeProof::decode(&self.prove(request)).unwrap();
        verify_range(request, &proof, &self.root(), &self.root(), keyring)
    }

    pub fn read(
        &self,
        channel: Channel,
        range: DayRange,
        level: Level,
        segments: &[Segment],
        keyring: &Keyring,
    ) -> VerifiedRange {
        self.try_read(&self.request(channel, range, level, segments), keyring).unwrap()
    }

    /// The keys of grants, from the trees of `key`.
    pub fn keyring(&self, grants: &[Grant]) -> Keyring {
        let mut keyring = Keyring::new();
        grants.iter().for_each(|grant| grant.add(&self.key(), &mut keyring));
        keyring
    }

    /// The customer's keys, and segments for everything sealed.
    pub fn customer(&self) -> (Keyring, Vec<Segment>) {
        let epochs: std::collections::BTreeSet<u32> = self.cells.iter().map(|cell| cell.header.epoch).collect();
        let whole = range(0, 0x7fff);
        let segments = epochs.into_iter().map(|epoch| Segment { epoch, days: whole }).collect();
        (Keyring::from_meter_key(self.key()), segments)
    }
}

/// A grant: a level of one channel for a range of days of one epoch, with the coarser levels that it includes.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    pub channel: Channel,
    pub epoch: u32,
    pub days: DayRange,
    pub level: Level,
}

impl Grant {
    pub fn segment(&self) -> Segment {
        Segment { epoch: self.epoch, days: self.days }
    }

    pub fn add(&self, key: &MeterKey, keyring: &mut Keyring) {
        for level in self.level.included() {
            let root = key.epoch_key(self.epoch).tree_root(self.channel, level);
            keyring.add_cover(self.channel, level, self.epoch, root.cover(self.days).unwrap());
        }
    }
}

/// All cells of a verified range, revisions too.
pub fn all_cells(range: &VerifiedRange) -> Vec<VerifiedCell> {
    range.range().iter().flat_map(|day| range.revisions(day).to_vec()).collect()
}

/// Readings with an easy pattern that depends on `salt`.
pub fn readings(channel: Channel, day: u16, count: u16, revision_date: u32, salt: u32) -> DayReadings {
    let wh = |j: u16| (u32::from(j) * 37 + u32::from(day) * 11 + salt * 101) % 1500;
    let intervals = (0..count).map(|j| Reading { wh: wh(j), quality: Quality::Actual }).collect();
    DayReadings { channel, day: OperatingDay(day), revision_date, intervals }
}

/// Any readings of any operating day.
pub fn any_readings(channel: Channel, day: u16) -> impl Strategy<Value = DayReadings> {
    let reading = (0..=MAX_WH, 0..8u8).prop_map(|(wh, quality)| match quality {
        0 => Reading { wh: 0, quality: Quality::Missing },
        1 => Reading { wh, quality: Quality::Estimated },
        _ => Reading { wh, quality: Quality::Actual },
    });
    let count = prop::sample::select(vec![92usize, 96, 100]);
    let intervals = count.prop_flat_map(move |count| prop::collection::vec(reading.clone(), count));
    (intervals, any::<u32>()).prop_map(move |(intervals, revision_date)| DayReadings {
        channel,
        day: OperatingDay(day),
        revision_date,
        intervals,
    })
}
