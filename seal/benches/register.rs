//! How fast the register is: sealing a meter-day, proving, verifying and opening a meter-year at each level.
//!
//! `cargo bench -p sealed-register --bench register`. Meters are of 96 intervals a day; times per element of the group's
//! throughput (days). The year is the newest one of a stream in a shard of 1,024 streams.
#![allow(clippy::unwrap_used, missing_docs)] // a benchmark stops at the first surprise; criterion's macros write no docs

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use sealed_register::{
    delivery::Segment,
    finalized::{BlockRef, RootStatement},
    open::open_with,
    proof::Form,
    shard::HeadTree,
    Channel, DayRange, DayReadings, FinalizedRoot, Head, Heads, Intervals, Keyring, Level, MeterId, MeterKey,
    OperatingDay, OrganisationId, Quality, RangeProof, RangeRequest, Reading, SealedCell, Secret, Shard, StreamId,
    StreamSealer, UtilitySecrets,
};
use std::{convert::Infallible, hint::black_box};

const YEAR: u16 = 365;
const FIRST: u16 = 8095;
const MAX_WH: u32 = 25_000;
const EPOCH: u32 = 3;
const GENESIS: [u8; 32] = [9; 32];
const OTHERS: u32 = 1023;

struct Home {
    secrets: UtilitySecrets,
    stream: StreamId,
    key: MeterKey,
}

impl Home {
    fn new() -> Self {
        let secret = |byte| Secret::from_bytes([byte; 32]);
        let secrets =
            UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 };
        let utility = OrganisationId::new("oncor").unwrap();
        let meter = secrets.meter_id("10443720000000001", 0);
        let key = secrets.meter_key(&utility, &meter);
        let stream = StreamId { genesis: GENESIS, utility, meter, channel: Channel::Consumption };
        Self { secrets, stream, key }
    }

    fn sealer(&self) -> StreamSealer<'_> {
        StreamSealer::new(&self.key, &self.secrets.siv, self.stream, EPOCH, Head::first(&self.stream), MAX_WH)
    }

    fn keyring(&self, level: Level) -> Keyring {
        let mut keyring = Keyring::new();
        for level in level.included() {
            let root = self.key.epoch_key(EPOCH).tree_root(Channel::Consumption, level);
            keyring.add_cover(Channel::Consumption, level, EPOCH, root.cover(days()).unwrap());
        }
        keyring
    }
}

fn days() -> DayRange {
    DayRange::new(OperatingDay(FIRST), OperatingDay(FIRST + YEAR - 1)).unwrap()
}

fn year() -> Vec<DayReadings> {
    let reading = |day: u16, j: u16| Reading { wh: u32::from(day ^ (j * 37)) % 1500, quality: Quality::Actual };
    let day = |day| DayReadings {
        channel: Channel::Consumption,
        day: OperatingDay(day),
        revision_date: 0,
        intervals: (0..96).map(|j| reading(day, j)).collect(),
    };
    (FIRST..FIRST + YEAR).map(day).collect()
}

fn sealing(c: &mut Criterion) {
    let (home, year) = (Home::new(), year());
    let mut group = c.benchmark_group("seal");
    group.throughput(Throughput::Elements(YEAR.into()));
    group.bench_function("a meter-year, days in order", |b| {
        b.iter_batched_ref(
            || home.sealer(),
            |sealer| {
                year.iter().for_each(|day| {
                    black_box(sealer.seal_day(day, 0).unwrap());
                })
            },
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one day of a meter not seen before", |b| {
        b.iter(|| black_box(home.sealer().seal_day(&year[200], 0).unwrap()));
    });
    group.finish();
}

/// A stream of a year among others, and the root over all.
struct Shelf {
    cells: Vec<SealedCell>,
    tree: HeadTree,
    root: FinalizedRoot,
}

impl Shelf {
    fn new(home: &Home) -> Self {
        let mut heads = Heads::new(Shard::of(GENESIS, home.stream.utility, &home.stream.meter, 0));
        let mut sealer = home.sealer();
        let cells: Vec<_> = year().iter().map(|day| sealer.seal_day(day, 0).unwrap()).collect();
        for cell in &cells {
            heads.apply(cell).unwrap();
        }
        for other in 0..OTHERS {
            let meter: MeterId = home.secrets.meter_id("10443720000000002", other);
            let stream = StreamId { meter, ..home.stream };
            let head = Head::first(&stream);
            let mut sealer = StreamSealer::new(&home.key, &home.secrets.siv, stream, EPOCH, head, MAX_WH);
            heads.apply(&sealer.withdraw(OperatingDay(FIRST), Intervals::Normal, 0).unwrap()).unwrap();
        }
        let tree = heads.tree(1);
        let block = BlockRef { number: 1, hash: [1; 32] };
        let root = RootStatement { shard: *heads.shard(), batch_sequence: 1, root: tree.root(), block };
        Self { cells, tree, root: FinalizedRoot::from_own_node(root) }
    }

    fn prove(&self, request: &RangeRequest) -> Vec<u8> {
        let newest_first = self.cells.iter().rev().cloned().map(Ok::<_, Infallible>);
        sealed_register::build_range(request, newest_first, &self.tree).unwrap().encode()
    }
}

fn reading(c: &mut Criterion) {
    let home = Home::new();
    let shelf = Shelf::new(&home);
    let mut group = c.benchmark_group("a meter-year");
    group.throughput(Throughput::Elements(YEAR.into()));
    for level in Level::ALL {
        let segments = vec![Segment { epoch: EPOCH, days: days() }];
        let request = RangeRequest { stream: home.stream, range: days(), level, segments, form: Form::Compact };
        let keyring = home.keyring(level);
        let proof = shelf.prove(&request);
        println!("{level:?}: a proof of a meter-year has {} bytes", proof.len());
        let verify = || {
            let proof = RangeProof::decode(&proof).unwrap();
            sealed_register::verify_range(&request, &proof, &shelf.root, &shelf.root, &keyring).unwrap()
        };
        let verified = verify();
        group.bench_function(format!("prove, {level:?}"), |b| b.iter(|| black_box(shelf.prove(&request))));
        group.bench_function(format!("decode and verify, {level:?}"), |b| b.iter(|| black_box(verify())));
        group.bench_function(format!("open, {level:?}"), |b| {
            b.iter(|| {
                let mut keys = keyring.cursor();
                for day in days().iter() {
                    for cell in verified.revisions(day) {
                        black_box(open_with(cell, &mut keys, Intervals::Normal).unwrap());
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sealing, reading);
criterion_main!(benches);
