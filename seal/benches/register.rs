//! How fast the register is: sealing a meter-day, verifying a meter-year at each level, opening a meter-year.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)] // a benchmark stops at the first surprise

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use sealed_register::{
    cell::Head, Channel, DayReadings, MeterKey, OperatingDay, OrganisationId, Quality, Reading, Secret, StreamId,
    StreamSealer, UtilitySecrets,
};
use std::hint::black_box;

const YEAR: u16 = 365;
const FIRST: u16 = 8096;
const MAX_WH: u32 = 25_000;

struct Home {
    secrets: UtilitySecrets,
    stream: StreamId,
    key: MeterKey,
}

impl Home {
    fn new() -> Self {
        let secret = |byte| Secret::from_bytes([byte; 32]);
        let secrets = UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 };
        let utility = OrganisationId::new("oncor").unwrap();
        let meter = secrets.meter_id("10443720000000001", 0);
        let key = secrets.meter_key(&utility, &meter);
        let stream = StreamId { genesis: [9; 32], utility, meter, channel: Channel::Consumption };
        Self { secrets, stream, key }
    }

    fn sealer(&self) -> StreamSealer<'_> {
        StreamSealer::new(&self.key, &self.secrets.siv, self.stream, 1, Head::first(&self.stream), MAX_WH)
    }
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
            |sealer| year.iter().for_each(|day| {
                black_box(sealer.seal_day(day, 0).unwrap());
            }),
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one day of a meter not seen before", |b| {
        b.iter(|| black_box(home.sealer().seal_day(&year[200], 0).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, sealing);
criterion_main!(benches);
