//! Passes over a store in memory: one by one and in bulk they make the same batches.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use crate::{
    bridge::{clear_digest, day_readings},
    chain::{ChainState, MeterState, ShardTip, RESIDENTIAL_WH},
    pass::{Basis, BatchLimits, Job, Pass, Tally},
    records::{
        chunk_key, heads_key, shard_index_key, stream_index_key, DayVersion, HeadEntry, OutboxEntry, ShardIndex,
        StreamIndex, OUTBOX,
    },
    shelf::Store,
};
use alloc::{collections::BTreeMap, format, vec, vec::Vec};
use proptest::prelude::*;
use sealed_register::{
    batch::decode_chunk, reopen, Channels, Hash, Heads, MeterId, OperatingDay, OrganisationId, SealedCell, Secret,
    Shard, ShardId, UtilitySecrets,
};
use smart_meter_texas::{Channel as FeedChannel, EsiId, Interval, MeterDay, RevisionDate};
use std::{sync::Mutex, thread};

const GENESIS: Hash = [0x67; 32];
const BITS: u8 = 1;
const FIRST: u16 = 8_300;

fn utility() -> OrganisationId {
    OrganisationId::new("oncor").unwrap()
}

fn secrets() -> UtilitySecrets {
    let secret = |byte| Secret::from_bytes([byte; 32]);
    UtilitySecrets { id: secret(1), seal: secret(2), siv: secret(3), ticket: secret(4), generation: 0 }
}

fn esi_id(number: u16) -> EsiId {
    format!("104437200000{number:05}").parse().unwrap()
}

#[derive(Clone, Default, PartialEq, Debug)]
struct MemStore(BTreeMap<Vec<u8>, Vec<u8>>);

impl Store for MemStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }
    fn set(&mut self, key: &[u8], value: &[u8]) {
        assert!(value.len() <= 1 << 20);
        self.0.insert(key.to_vec(), value.to_vec());
    }
    fn clear(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
    fn compare_and_set(&mut self, _: &[u8], _: Option<Vec<u8>>, _: &[u8]) -> bool {
        unreachable!("a pass takes no lock")
    }
}

/// Two hundred meters are registered, but for one.
#[derive(Clone, Default)]
struct State {
    tips: BTreeMap<u16, ShardTip>,
    unknown: Option<MeterId>,
}

impl ChainState for State {
    fn shard(&self, shard: u16) -> ShardTip {
        self.tips.get(&shard).copied().unwrap_or_default()
    }
    fn meter(&self, meter: &MeterId) -> Option<MeterState> {
        let first_tenancies: Vec<MeterId> =
            (0..200).map(|number| secrets().meter_id(esi_id(number).as_str(), 0)).collect();
        let is_known = first_tenancies.contains(meter) && self.unknown != Some(*meter);
        is_known.then_some(MeterState {
            max_wh_per_interval: RESIDENTIAL_WH,
            channels: Channels::Both,
            first: OperatingDay(FIRST),
            last: None,
        })
    }
    fn epoch_at(&self, meter: &MeterId, _: u32) -> Option<u32> {
        Some(u32::from(meter.0[15] & 1))
    }
}

#[derive(Clone, Default)]
struct World {
    store: MemStore,
    state: State,
    heads: BTreeMap<u16, Heads>,
}

fn in_threads(jobs: &mut [Job<'_>]) {
    let queue = Mutex::new(jobs.iter_mut());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| loop {
                let job = queue.lock().unwrap().next();
                match job {
                    Some(job) => job.run(),
                    None => break,
                }
            });
        }
    });
}

impl World {
    /// A pass over days: one by one, or in bulk with this window. What it found, and what found no room.
    fn pass(&mut self, days: &[MeterDay], limits: BatchLimits, window: Option<usize>) -> (Tally, Vec<MeterDay>) {
        let secrets = secrets();
        let (as_of, as_of_hash) = (7, [7; 32]);
        let (genesis, utility, shard_bits) = (GENESIS, utility(), BITS);
        let basis = Basis { genesis, utility, secrets: &secrets, shard_bits, as_of, as_of_hash, limits };
        let mut pass = match window {
            None => Pass::new(basis, &self.state),
            Some(window) => Pass::in_bulk(basis, &self.state, window, in_threads),
        };
        pass.begin("a.csv");
        let mut taken = 0;
        for day in days {
            pass.take(&mut self.store, day);
            taken += 1;
            if pass.is_full() {
                break;
            }
        }
        pass.flush(&mut self.store);
        let left = pass.take_left();
        let mut rest: Vec<MeterDay> = days[..taken]
            .iter()
            .filter(|day| {
                let readings = day_readings(day).unwrap();
                left.iter().any(|(esi_id, left)| *esi_id == day.esi_id && *left == readings)
            })
            .cloned()
            .collect();
        rest.extend(days[taken..].iter().cloned());
        let tally = pass.end();
        pass.finish(&mut self.store);
        (tally, rest)
    }

    fn outbox(&self) -> Vec<OutboxEntry> {
        self.store.read(OUTBOX).unwrap_or_default()
    }

    fn bodies(&self) -> Vec<(OutboxEntry, Vec<Vec<u8>>)> {
        let chunk =
            |entry: &OutboxEntry, chunk| self.store.get(&chunk_key(entry.shard, entry.sequence, chunk)).unwrap();
        let body = |entry: &OutboxEntry| (0..entry.chunks).map(|number| chunk(entry, number)).collect();
        self.outbox().into_iter().map(|entry| (entry.clone(), body(&entry))).collect()
    }

    /// What vault and index do with the batches of a pass.
    fn import(&mut self) -> usize {
        let secrets = secrets();
        let mut count = 0;
        for (entry, body) in self.bodies() {
            let id = ShardId(entry.shard);
            let shard = Shard { genesis: GENESIS, utility: utility(), id, bits: BITS };
            let heads = self.heads.entry(entry.shard).or_insert_with(|| Heads::new(shard));
            for cell in body.iter().flat_map(|chunk| decode_chunk(chunk).unwrap().1.map(Result::unwrap)) {
                heads.apply(&cell).unwrap();
                let SealedCell { header, .. } = &cell;
                let key = stream_index_key(&header.meter, header.channel);
                let readings = reopen(&secrets.meter_key(&utility(), &header.meter), &cell).unwrap();
                let version = DayVersion {
                    day: header.day,
                    revision: header.revision,
                    revision_date: readings.revision_date,
                    digest: clear_digest(&secrets.siv, &readings),
                };
                let mut index: StreamIndex = self.store.read(&key).unwrap_or_default();
                index.days.retain(|known| known.day != header.day);
                index.days.push(version);
                self.store.write(&key, &index);
                count += 1;
            }
            assert_eq!(heads.root(entry.sequence), entry.root);
            let next_sequence = entry.sequence + 1;
            self.state.tips.insert(entry.shard, ShardTip { next_sequence, root: entry.root });
            let entries: Vec<HeadEntry> = heads
                .leaves()
                .map(|leaf| HeadEntry {
                    meter: leaf.meter,
                    channel: leaf.channel,
                    sequence: leaf.sequence,
                    hash: leaf.hash,
                    day_high: heads.get(&leaf.meter, leaf.channel).unwrap().day_high,
                })
                .collect();
            self.store.write(&heads_key(entry.shard, 0), &entries);
            let heads = entries.len() as u32;
            self.store.write(&shard_index_key(entry.shard), &ShardIndex { next_sequence, head_parts: 1, heads });
        }
        self.store.clear(OUTBOX);
        count
    }
}

/// A day of a meter; `kind` chooses whole, short in two ways, or above the bound.
fn meter_day(number: u16, generation: bool, day: u16, date: u32, kind: u8) -> MeterDay {
    let mut intervals = vec![Interval::actual(u32::from(day % 7) * 10 + date * u32::from(kind / 4)); 96];
    match kind % 4 {
        1 => intervals[60..].fill(Interval::MISSING),
        2 => intervals[..60].fill(Interval::MISSING),
        3 => intervals[4] = Interval::actual(RESIDENTIAL_WH + 1),
        _ => {}
    }
    MeterDay {
        esi_id: esi_id(number),
        channel: if generation { FeedChannel::Generation } else { FeedChannel::Consumption },
        day: smart_meter_texas::OperatingDay(FIRST + day),
        revision_date: RevisionDate(date),
        intervals,
        complete: true,
        rows: 96,
    }
}

fn days() -> impl Strategy<Value = Vec<MeterDay>> {
    let day = (0..5_u16, any::<bool>(), 0..4_u16, 0..4_u32, 0..8_u8);
    proptest::collection::vec(day.prop_map(|(a, b, c, d, e)| meter_day(a, b, c, d, e)), 1..80)
}

proptest! {
    #[test]
    fn in_bulk_the_same_batches_are_made(first in days(), second in days(), window in 2..40_usize) {
        let unknown = Some(secrets().meter_id(esi_id(4).as_str(), 0));
        let mut world = World { state: State { unknown, ..State::default() }, ..World::default() };
        for days in [first, second] {
            let mut bulk = world.clone();
            let (one, _) = world.pass(&days, BatchLimits::default(), None);
            let (other, left) = bulk.pass(&days, BatchLimits::default(), Some(window));
            prop_assert_eq!(left, vec![]);
            prop_assert_eq!(one, other);
            prop_assert_eq!(&world.store, &bulk.store);
            world.import();
        }
    }
}

#[test]
fn what_finds_no_room_goes_on_in_the_next_pass() {
    // 180 meters x 100 days: more than one batch of each of two shards, and a window in which the first one ends.
    let days: Vec<MeterDay> =
        (0..180).flat_map(|number| (0..100).map(move |day| meter_day(number, false, day, 1, 0))).collect();
    let limits = BatchLimits { of_shard: 1, batches: 2, ..BatchLimits::default() };
    let mut worker = World::default();
    let mut bulk = World::default();
    let (mut cells, mut rest, mut sealed) = (0, days.clone(), Vec::new());
    while cells < days.len() {
        // The worker reads the file from its beginning; in bulk it goes on with what is left.
        worker.pass(&days, limits, None);
        rest = bulk.pass(&rest, limits, Some(3_000)).1;
        assert_eq!(worker.outbox(), bulk.outbox());
        assert_eq!(worker.bodies(), bulk.bodies());
        sealed.extend(worker.outbox().iter().map(|entry| entry.cells));
        let added = worker.import();
        assert!(added > 0);
        assert_eq!(added, bulk.import());
        cells += added;
    }
    assert_eq!((cells, rest.len()), (18_000, 0), "{sealed:?}");
    assert!(sealed.iter().filter(|cells| **cells == 8_192).count() == 2, "{sealed:?}");
    assert_eq!(worker.state.tips.len(), 2);
}
