//! A utility that seals and commits, and a vault that checks and stores, in memory.

use sealed_register::{
    batch::BatchBuilder,
    batch_check::{BatchContext, BatchVerifier},
    delivery::Segment,
    finalized::{BlockRef, FinalizedRoot, RootStatement},
    heads::Heads,
    proof::{build_range, Form, RangeProof, RangeRequest},
    seal::StreamSealer,
    shard::{HeadTree, Shard},
    verified::VerifiedRange,
    verify::{verify_range, VerifyError},
    BatchSummary, Channel, DayRange, DayReadings, Hash, Keyring, Level, MeterId, MeterKey, OperatingDay,
    OrganisationId, Quality, Reading, SealedCell, Secret, StreamId, UtilitySecrets,
};
use std::{collections::BTreeMap, convert::Infallible};

pub const GENESIS: Hash = [7; 32];
/// 2026-01-01.
pub const START: u16 = 9497;
/// Largest energy of an interval in these tests, Wh.
pub const MAX_WH: u32 = 100_000;

pub fn utility() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

pub fn range(first: u16, last: u16) -> DayRange {
    DayRange::new(OperatingDay(first), OperatingDay(last)).unwrap()
}

/// Readings that differ by day and `variant`, of 92, 96 or 100 intervals.
pub fn readings(channel: Channel, day: u16, intervals: u32, variant: u32) -> DayReadings {
    let value = |j: u32| Reading { wh: (u32::from(day) * 31 + j * 7 + variant) % 4000, quality: Quality::Actual };
    let intervals = (0..intervals).map(value).collect();
    DayReadings { channel, day: OperatingDay(day), revision_date: variant, intervals }
}

/// The utility's side and one vault.
pub struct World {
    pub shard: Shard,
    pub secrets: UtilitySecrets,
    /// Heads that the utility seals from.
    pub sealing: Heads,
    /// Heads that the vault has checked.
    pub checked: Heads,
    pub store: BTreeMap<(MeterId, Channel), Vec<SealedCell>>,
    pub epochs: BTreeMap<MeterId, u32>,
    /// Sealed and not committed.
    pub pending: Vec<SealedCell>,
    pub next_batch: u32,
    pub root: Option<FinalizedRoot>,
}

impl BatchContext for &World {
    fn epoch(&mut self, meter: &MeterId) -> Option<u32> {
        self.epochs.get(meter).copied()
    }

    fn newest_revision(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay) -> Option<u16> {
        let stream = self.store.get(&(*meter, channel))?;
        stream.iter().filter(|cell| cell.header.day == day).map(|cell| cell.header.revision).max()
    }
}

impl World {
    /// A shard of the upper half of the MeterIds.
    pub fn new() -> Self {
        Self::with_genesis(GENESIS, utility())
    }

    pub fn with_genesis(genesis: Hash, utility: OrganisationId) -> Self {
        let shard = Shard { genesis, utility, id: sealed_register::ShardId(1), bits: 1 };
        let secret = |byte| Secret::from_bytes([byte; 32]);
        Self {
            shard,
            secrets: UtilitySecrets {
                id: secret(1),
                seal: secret(2),
                siv: secret(3),
                ticket: secret(4),
                generation: 0,
            },
            sealing: Heads::new(shard),
            checked: Heads::new(shard),
            store: BTreeMap::new(),
            epochs: BTreeMap::new(),
            pending: Vec::new(),
            next_batch: 0,
            root: None,
        }
    }

    /// A meter of the shard, registered under epoch 0.
    pub fn meter(&mut self, number: u32) -> MeterId {
        let mut bytes = [0; 16];
        // Spread over the shard, in no order.
        bytes[..4].copy_from_slice(&(number.wrapping_mul(2_654_435_761) | 0x8000_0000).to_be_bytes());
        bytes[12..].copy_from_slice(&number.to_be_bytes());
        self.epochs.entry(MeterId(bytes)).or_insert(0);
        MeterId(bytes)
    }

    pub fn key(&self, meter: &MeterId) -> MeterKey {
        self.secrets.meter_key(&self.shard.utility, meter)
    }

    pub fn stream(&self, meter: &MeterId, channel: Channel) -> StreamId {
        StreamId { genesis: self.shard.genesis, utility: self.shard.utility, meter: *meter, channel }
    }

    /// A sealer at the end of the stream, pending cells included.
    pub fn sealer(&self, meter: &MeterId, channel: Channel) -> StreamSealer<'_> {
        let mut heads = self.sealing.clone();
        for cell in &self.pending {
            heads.apply(cell).unwrap();
        }
        let (epoch, head) = (self.epochs[meter], heads.head(meter, channel));
        StreamSealer::new(&self.key(meter), &self.secrets.siv, self.stream(meter, channel), epoch, head, MAX_WH)
    }

    /// Seals one day.
    pub fn seal(&mut self, meter: &MeterId, day: &DayReadings, revision: u16) -> SealedCell {
        let cell = self.sealer(meter, day.channel).seal_day(day, revision).unwrap();
        self.pending.push(cell.clone());
        cell
    }

    /// Seals an ordinary day of consumption.
    pub fn seal_plain(&mut self, meter: &MeterId, day: u16, revision: u16) -> SealedCell {
        self.seal(meter, &readings(Channel::Consumption, day, 96, revision.into()), revision)
    }

    /// Seals consecutive ordinary days of one channel.
    pub fn seal_days(&mut self, meter: &MeterId, channel: Channel, days: DayRange) {
        let mut sealer = self.sealer(meter, channel);
        let cells: Vec<_> =
            days.iter().map(|day| sealer.seal_day(&readings(channel, day.0, 96, 0), 0).unwrap()).collect();
        self.pending.extend(cells);
    }

    /// The batch of all pending cells, not yet checked.
    pub fn build(&mut self) -> (Vec<Vec<u8>>, BatchSummary) {
        let mut builder = BatchBuilder::new(self.shard, self.next_batch);
        let mut chunks = Vec::new();
        for cell in std::mem::take(&mut self.pending) {
            chunks.extend(builder.push(&mut self.sealing, &cell).unwrap());
        }
        let (last, summary) = builder.finish(&self.sealing).unwrap();
        chunks.push(last);
        (chunks, summary)
    }

    /// Builds, checks as a vault does, stores, and returns the finalised root.
    pub fn commit(&mut self) -> FinalizedRoot {
        let (chunks, summary) = self.build();
        let mut verifier = BatchVerifier::new(summary, self.next_batch, self.checked.clone());
        let mut cells = Vec::new();
        for chunk in &chunks {
            cells.extend(verifier.chunk(chunk, &mut &*self).unwrap());
        }
        self.checked = verifier.finish().unwrap();
        assert_eq!(self.checked, self.sealing);
        for (cell, hash) in cells {
            assert_eq!(cell.hash(), hash);
            self.store.entry((cell.header.meter, cell.header.channel)).or_default().push(cell);
        }
        self.next_batch += 1;
        let root = self.finalized(self.next_batch - 1, summary.root);
        self.root = Some(root);
        root
    }

    pub fn finalized(&self, batch_sequence: u32, root: Hash) -> FinalizedRoot {
        let block = BlockRef { number: 1000 + batch_sequence, hash: [9; 32] };
        FinalizedRoot::from_own_node(RootStatement { shard: self.shard, batch_sequence, root, block })
    }

    /// The newest tree.
    pub fn tree(&self) -> HeadTree {
        self.checked.tree(self.next_batch - 1)
    }

    /// A request with one segment per epoch so far, each of the whole range.
    pub fn request(&self, meter: &MeterId, channel: Channel, range: DayRange, level: Level) -> RangeRequest {
        let segments = (0..=self.epochs[meter]).map(|epoch| Segment { epoch, days: range }).collect();
        RangeRequest { stream: self.stream(meter, channel), range, level, segments, form: Form::Compact }
    }

    /// A keyring with exactly the request's segments up to its level.
    pub fn keyring(&self, request: &RangeRequest) -> Keyring {
        let key = self.key(&request.stream.meter);
        let mut keyring = Keyring::new();
        for segment in &request.segments {
            for level in request.level.included() {
                let tree = key.epoch_key(segment.epoch).tree_root(request.stream.channel, level);
                let cover = tree.cover(segment.days).unwrap();
                keyring.add_cover(request.stream.channel, level, segment.epoch, cover);
            }
        }
        keyring
    }

    /// What a vault answers.
    pub fn prove(&self, request: &RangeRequest) -> RangeProof {
        let stream = &self.store[&(request.stream.meter, request.stream.channel)];
        let newest_first = stream.iter().rev().cloned().map(Ok::<_, Infallible>);
        build_range(request, newest_first, &self.tree()).unwrap()
    }

    /// Checks with the request's own keys against the newest root.
    pub fn check(&self, request: &RangeRequest, proof: &RangeProof) -> Result<VerifiedRange, VerifyError> {
        let root = self.root.unwrap();
        verify_range(request, proof, &root, &root, &self.keyring(request))
    }
}
