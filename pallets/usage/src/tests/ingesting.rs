//! Reading a feed: scenes that have happened to feeds, or will.

use super::support::*;
use crate::worker::{
    chain::Chain,
    feed::{Feed, FeedError, Fetched},
    ingest,
    lock::Lock,
    pass::Basis,
    store::Store,
};
use sealed_register::{Channel, Channels, OperatingDay, Quality};
use smart_meter_texas::{Channel as FeedChannel, Interval, MeterDay, Quality as FeedQuality};
use wattseal_primitives::{
    bridge::day_readings,
    offchain::{shard_index_key, FileState, ShardIndex, WorkerRuns, RUNS},
};

const DAY: u16 = 8_300;
const DATE: u32 = 12_000_000;

fn consumption(number: u8, day: u16, date: u32) -> MeterDay {
    meter_day(number, FeedChannel::Consumption, day, date)
}

fn world_with(meters: &[u8]) -> World {
    let mut world = World::new();
    for number in meters {
        world.chain.register(meter_of(*number, 0), Channels::Both, OperatingDay(8_000));
    }
    world.chain.block += 1;
    world
}

fn newest(world: &World, number: u8, tenancy: u32, channel: Channel, day: u16) -> Option<sealed_register::DayReadings> {
    let versions = world.vault.versions(&meter_of(number, tenancy), channel);
    versions.get(&OperatingDay(day)).and_then(|versions| versions.last().cloned())
}

#[test]
fn a_file_is_sealed_committed_and_done() {
    let mut world = world_with(&[1, 2]);
    let days: Vec<MeterDay> = (0..3)
        .flat_map(|day| [1, 2].map(|number| (number, day)))
        .flat_map(|(number, day)| FeedChannel::ALL.map(|channel| meter_day(number, channel, DAY + day, DATE)))
        .collect();
    world.feed.put("a.csv", csv_of(&days));
    world.seal();
    assert_eq!(world.store.state("a.csv"), FileState::Seen);
    assert_eq!(world.store.outbox(), []);
    world.seal();
    assert_eq!(world.store.state("a.csv"), FileState::Sealing);
    assert_eq!(world.store.outbox().len(), 1);
    assert_eq!((world.store.outbox()[0].cells, world.store.outbox()[0].sequence), (12, 0));
    world.settle();
    assert_eq!(world.store.state("a.csv"), FileState::Done);
    let file = &world.store.files()[0];
    assert_eq!((file.cells, file.rows), (12, 12 * 96));
    for day in &days {
        let channel = wattseal_primitives::bridge::channel(day.channel);
        let number = if day.esi_id == esi_id(1) { 1 } else { 2 };
        assert_eq!(newest(&world, number, 0, channel, day.day.0), Some(day_readings(day).unwrap()));
    }
    assert_eq!(world.store.report().refused_total, 0);
    // Nothing is left behind for a batch that is done.
    assert!(!world.store.has_key(b"outbox/chunk") && !world.store.has_key(b"outbox/staged"));
}

#[test]
fn the_same_data_twice_is_sealed_once() {
    let mut world = world_with(&[1]);
    let file = csv_of(&[consumption(1, DAY, DATE)]);
    world.feed.put("a.csv", file.clone());
    world.feed.put("b.csv", file.clone());
    world.settle();
    world.feed.put("a.csv", file.clone());
    world.feed.put("c.csv", file);
    world.settle();
    let versions = world.vault.versions(&meter_of(1, 0), Channel::Consumption);
    assert_eq!(versions[&OperatingDay(DAY)].len(), 1);
    assert_eq!(world.chain.shard(0).next_sequence, 1);
}

#[test]
fn later_dates_amend_and_earlier_ones_are_counted() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY, DATE + 1)]));
    world.settle();
    world.feed.put("b.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.settle();
    assert_eq!(world.store.report().older, 1);
    world.chain.raise_epoch(&meter_of(1, 0));
    world.feed.put("c.csv", csv_of(&[consumption(1, DAY, DATE + 2)]));
    world.settle();
    let versions = world.vault.versions(&meter_of(1, 0), Channel::Consumption);
    let dates: Vec<u32> = versions[&OperatingDay(DAY)].iter().map(|readings| readings.revision_date).collect();
    assert_eq!(dates, [DATE + 1, DATE + 2]);
    let epochs: Vec<u32> =
        world.vault.cells[&(meter_of(1, 0), Channel::Consumption)].iter().map(|cell| cell.header.epoch).collect();
    assert_eq!(epochs, [0, 1]);
}

#[test]
fn other_values_of_one_date_are_held() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.settle();
    let mut other = consumption(1, DAY, DATE);
    other.intervals[5].wh += 1;
    world.feed.put("b.csv", csv_of(&[other]));
    world.settle();
    let report = world.store.report();
    assert_eq!((report.held.len(), report.held[0].file.as_str(), report.held[0].day), (1, "b.csv", OperatingDay(DAY)));
    assert_eq!(
        newest(&world, 1, 0, Channel::Consumption, DAY),
        Some(day_readings(&consumption(1, DAY, DATE)).unwrap())
    );
}

#[test]
fn the_rest_of_a_short_day_completes_it_at_the_same_date() {
    let mut world = world_with(&[1]);
    let whole = consumption(1, DAY, DATE);
    let part = |keep: fn(usize) -> bool| {
        let mut part = whole.clone();
        for (at, interval) in part.intervals.iter_mut().enumerate() {
            if !keep(at) {
                *interval = Interval::MISSING;
            }
        }
        MeterDay { complete: false, ..part }
    };
    world.feed.put("a.csv", csv_of(&[part(|at| at < 60)]));
    world.settle();
    let sealed = newest(&world, 1, 0, Channel::Consumption, DAY).unwrap();
    assert_eq!(sealed.intervals.iter().filter(|reading| reading.quality == Quality::Missing).count(), 36);
    world.feed.put("b.csv", csv_of(&[part(|at| at >= 50)]));
    world.settle();
    assert_eq!(newest(&world, 1, 0, Channel::Consumption, DAY), Some(day_readings(&whole).unwrap()));
    // What the completion was made from is thrown away once the chain has the result.
    world.feed.put("c.csv", csv_of(&[whole]));
    world.settle();
    assert!(!world.store.has_key(b"partial"));
}

#[test]
fn meters_that_are_not_registered_wait_and_are_sealed_by_themselves() {
    let mut world = world_with(&[1]);
    let days = [consumption(1, DAY, DATE), consumption(2, DAY, DATE), consumption(2, DAY + 1, DATE)];
    world.feed.put("a.csv", csv_of(&days));
    world.settle();
    assert_eq!(world.store.state("a.csv"), FileState::Waiting);
    let report = world.store.report();
    assert_eq!((report.waiting_total, report.waiting[0].meter), (2, meter_of(2, 0)));
    for _ in 0..20 {
        world.turn();
    }
    assert_eq!(world.store.state("a.csv"), FileState::Waiting);
    world.chain.register(meter_of(2, 0), Channels::Both, OperatingDay(8_000));
    world.turn();
    world.settle();
    assert_eq!(world.store.state("a.csv"), FileState::Done);
    assert!(newest(&world, 2, 0, Channel::Consumption, DAY + 1).is_some());
    assert_eq!((world.store.report().waiting_total, world.store.report().waiting.len()), (0, 0));
}

#[test]
fn a_meter_registered_after_the_finalised_block_is_sealed_a_little_later() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.seal();
    // The chain knows the meter at its best block, and not yet at the block whose epochs count.
    world.chain.epochs.insert(meter_of(1, 0), vec![world.chain.block + 1]);
    world.seal();
    assert_eq!((world.store.outbox().len(), world.store.state("a.csv")), (0, FileState::Sealing));
    world.settle();
    assert!(newest(&world, 1, 0, Channel::Consumption, DAY).is_some());
}

#[test]
fn days_go_to_the_tenancy_that_covers_them() {
    let mut world = world_with(&[1]);
    world.chain.meters.get_mut(&meter_of(1, 0)).unwrap().tenancy_end = Some(OperatingDay(DAY));
    world.chain.register(meter_of(1, 1), Channels::Consumption, OperatingDay(DAY + 3));
    let days: Vec<MeterDay> = (0..5).map(|day| consumption(1, DAY + day, DATE)).collect();
    world.feed.put("a.csv", csv_of(&days));
    world.settle();
    let of =
        |tenancy| world.vault.versions(&meter_of(1, tenancy), Channel::Consumption).into_keys().collect::<Vec<_>>();
    assert_eq!(of(0), [OperatingDay(DAY)]);
    assert_eq!(of(1), [OperatingDay(DAY + 3), OperatingDay(DAY + 4)]);
    // The two days between wait for the next tenancy that could be registered.
    let report = world.store.report();
    assert_eq!((report.waiting_total, report.waiting[0].meter), (2, meter_of(1, 2)));
}

#[test]
fn bad_days_are_listed_without_their_values_and_stop_nothing() {
    let mut world = world_with(&[1, 2]);
    world.chain.meters.get_mut(&meter_of(2, 0)).unwrap().channels = Channels::Consumption;
    let mut large = consumption(1, DAY, DATE);
    large.intervals[7] = Interval { wh: 50_001, quality: FeedQuality::Actual };
    let days = [large, consumption(1, DAY + 1, DATE), meter_day(2, FeedChannel::Generation, DAY, DATE)];
    let mut file = csv_of(&days);
    file.extend_from_slice(b"'10443720000000001,03/01/2022,03/02/2022 06:18:33,00:00,00:15,-3.145,A,Consumption\n");
    file.extend_from_slice(b"'1.0443E+16,03/01/2022,03/02/2022 06:18:33,00:00,00:15,3.145,A,Consumption\n");
    world.feed.put("a.csv", file);
    world.settle();
    assert_eq!(world.store.state("a.csv"), FileState::Done);
    let report = world.store.report();
    assert_eq!((report.refused_total, report.refused.len()), (4, 4));
    let fields: Vec<&str> = report.refused.iter().map(|row| row.field.as_str()).collect();
    assert_eq!(fields, ["USAGE_KWH", "ESIID", "USAGE_KWH", "CONSUMPTION_SURPLUSGENERATION"]);
    for row in &report.refused {
        for secret in ["50001", "50.001", "3.145", "1044372", "1.0443"] {
            assert!(!row.reason.contains(secret), "{}", row.reason);
        }
    }
    assert!(newest(&world, 1, 0, Channel::Consumption, DAY).is_none());
    assert!(newest(&world, 1, 0, Channel::Consumption, DAY + 1).is_some());
}

#[test]
fn a_file_that_is_none_is_refused_until_it_changes() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", b"\x1f\x8b\x08 gzip".to_vec());
    world.feed.put("b.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.settle();
    assert!(matches!(world.store.state("a.csv"), FileState::Refused(reason) if reason.contains("gzip")));
    assert_eq!(world.store.state("b.csv"), FileState::Done);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY + 1, DATE)]));
    world.settle();
    assert_eq!(world.store.state("a.csv"), FileState::Done);
}

#[test]
fn a_feed_that_is_down_is_reported_once_and_tried_again() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.feed.fault = Some(Fault::Listing(FeedError::NotReached));
    world.seal();
    let (block, error) = world.store.report().last_error.unwrap();
    assert!(error.contains("cannot be reached"));
    world.chain.block += 1;
    world.seal();
    assert_eq!(world.store.report().last_error.unwrap().0, block);
    assert_eq!(world.store.read::<WorkerRuns>(RUNS).unwrap().failures, 2);
    world.feed.fault = None;
    world.seal();
    assert_eq!(world.store.report().last_error, None);
    world.settle();
    assert!(newest(&world, 1, 0, Channel::Consumption, DAY).is_some());
}

#[test]
fn a_file_cut_off_on_the_way_seals_no_half_day() {
    let mut world = world_with(&[1]);
    let file = csv_of(&[consumption(1, DAY, DATE), consumption(1, DAY + 1, DATE)]);
    world.feed.put("a.csv", file.clone());
    world.seal();
    // The listing has the old length, the server hands over less: somebody is writing the file.
    struct Cut(FakeFeed, usize);
    impl Feed for Cut {
        fn list(&mut self) -> Result<Vec<u8>, FeedError> {
            self.0.list()
        }
        fn fetch(&mut self, name: &str, _: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<Fetched, FeedError> {
            let (content, _) = &self.0.files[name];
            take(&content[..self.1]);
            Err(FeedError::OtherLength)
        }
    }
    let mut cut = Cut(world.feed.clone(), file.len() - 40 * 80);
    let secrets = secrets();
    let mut lock = Lock::acquire(&mut world.store, BOOT, 0).unwrap();
    let basis = Basis {
        genesis: GENESIS,
        utility: utility(),
        secrets: &secrets,
        shard_bits: 0,
        as_of: world.chain.block,
        as_of_hash: hash_of(world.chain.block),
        limits: world.limits,
    };
    let (store, chain) = (&mut world.store, &world.chain);
    let mut env = ingest::Env { store, chain, feed: &mut cut, now: &|| 0, lock: &mut lock, limits: world.reader };
    ingest::run(&mut env, basis, &calendar()).unwrap();
    lock.release(&mut world.store);
    let error = world.store.report().last_error.unwrap().1;
    assert!(error.starts_with("a.csv: ") && error.contains("another length"), "{error}");
    assert_eq!(world.store.outbox()[0].cells, 1);
    // While the file rests the listing is good, and the error stays; once the file is done it goes.
    world.turn();
    assert!(world.store.report().last_error.is_some());
    world.settle();
    world.turn();
    assert_eq!(world.store.report().last_error, None);
    for day in [DAY, DAY + 1] {
        let readings = newest(&world, 1, 0, Channel::Consumption, day);
        assert_eq!(readings, Some(day_readings(&consumption(1, day, DATE)).unwrap()));
    }
}

#[test]
fn many_shards_are_sealed_a_few_at_a_time() {
    let numbers: Vec<u8> = (1..=40).collect();
    let mut world = world_with(&numbers);
    world.chain.bits = 3;
    let days: Vec<MeterDay> = numbers.iter().map(|number| consumption(*number, DAY, DATE)).collect();
    world.feed.put("a.csv", csv_of(&days));
    world.seal();
    world.seal();
    let first: Vec<u16> = world.store.outbox().iter().map(|entry| entry.shard).collect();
    assert_eq!(first.len(), world.limits.shards);
    world.settle();
    assert!(numbers.iter().all(|number| newest(&world, *number, 0, Channel::Consumption, DAY).is_some()));
    assert_eq!(world.chain.shards.len(), 8);
}

#[test]
fn full_batches_are_followed_by_others_up_to_the_limit() {
    let numbers: Vec<u8> = (1..=96).collect();
    let mut world = world_with(&numbers);
    // 96 meters x 100 days x 1 channel = 9,600 cells: more than one batch of 8,192.
    let days: Vec<MeterDay> =
        numbers.iter().flat_map(|number| (0..100).map(|day| consumption(*number, DAY + day, DATE))).collect();
    world.feed.piece = 64 * 1024;
    world.feed.put("a.csv", csv_of(&days));
    world.limits.of_shard = 1;
    world.seal();
    world.seal();
    let cells: Vec<u32> = world.store.outbox().iter().map(|entry| entry.cells).collect();
    assert_eq!(cells, [8_192]);
    assert!(world.store.outbox()[0].chunks > 6);
    world.limits.of_shard = 4;
    world.settle();
    let sealed: usize = world.vault.cells.values().map(Vec::len).sum();
    assert_eq!((sealed, world.chain.shard(0).next_sequence), (9_600, 2));

    // And with room for both at once.
    let mut world = world_with(&numbers);
    world.feed.piece = 64 * 1024;
    world.feed.put("a.csv", csv_of(&days));
    world.seal();
    world.seal();
    let cells: Vec<(u32, u32)> = world.store.outbox().iter().map(|entry| (entry.sequence, entry.cells)).collect();
    assert_eq!(cells, [(0, 8_192), (1, 1_408)]);
    world.settle();
    assert_eq!(world.vault.cells.values().map(Vec::len).sum::<usize>(), 9_600);
}

#[test]
fn an_index_that_does_not_prove_itself_seals_nothing() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.settle();
    let good = world.store.clone();
    let index: ShardIndex = world.store.read(&shard_index_key(0)).unwrap();
    world.store.write(&shard_index_key(0), &ShardIndex { heads: index.heads + 1, ..index });
    world.feed.put("b.csv", csv_of(&[consumption(1, DAY + 1, DATE)]));
    for _ in 0..40 {
        world.turn();
    }
    assert!(world.store.report().last_error.unwrap().1.contains("does not give the root on chain"));
    assert_eq!((world.chain.shard(0).next_sequence, world.store.state("b.csv")), (1, FileState::Sealing));
    world.store.values.insert(shard_index_key(0), good.values[&shard_index_key(0)].clone());
    world.settle();
    assert_eq!(world.chain.shard(0).next_sequence, 2);
}

#[test]
fn short_and_long_days_are_sealed_whole() {
    let mut world = world_with(&[1]);
    let day = |text: &str| text.parse::<OperatingDay>().unwrap().0;
    let days = [consumption(1, day("2022-03-13"), DATE), consumption(1, day("2022-11-06"), DATE)];
    world.feed.put("a.csv", csv_of(&days));
    world.settle();
    let count = |text: &str| newest(&world, 1, 0, Channel::Consumption, day(text)).unwrap().intervals.len();
    assert_eq!((count("2022-03-13"), count("2022-11-06")), (92, 100));
}

#[test]
fn a_file_too_large_for_memory_is_gone_over_in_parts() {
    let numbers: Vec<u8> = (1..=30).collect();
    let mut world = world_with(&numbers[..29]);
    // Interval by interval over all meters: every day stays open to the end of the file.
    let days: Vec<MeterDay> = numbers.iter().map(|number| consumption(*number, DAY, DATE)).collect();
    let text = String::from_utf8(csv_of(&days)).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let mut file = format!("{header}\n");
    for interval in 0..96 {
        rows.chunks(96).for_each(|day| file += &format!("{}\n", day[interval]));
    }
    file += "'1.0443E+16,03/01/2022,03/02/2022 06:18:33,00:00,00:15,3.145,A,Consumption\n";
    world.feed.put("a.csv", file.into_bytes());
    // Room for about six open days.
    world.reader.max_open_bytes = 6 * 1_024;
    world.settle();
    assert_eq!(world.store.state("a.csv"), FileState::Waiting);
    for number in &numbers[..29] {
        let readings = newest(&world, *number, 0, Channel::Consumption, DAY);
        assert_eq!(readings, Some(day_readings(&consumption(*number, DAY, DATE)).unwrap()), "{number}");
    }
    let report = world.store.report();
    assert_eq!((report.waiting_total, report.waiting[0].meter), (1, meter_of(30, 0)));
    // The row without an ESI ID is refused in each part and listed once.
    assert_eq!((report.refused_total, report.refused.len()), (1, 1));
}

#[test]
fn a_run_that_loses_its_lock_writes_nothing_more() {
    let mut world = world_with(&[1, 2]);
    let days: Vec<MeterDay> =
        (0..10).flat_map(|day| [1, 2].map(|number| consumption(number, DAY + day, DATE))).collect();
    world.feed.put("a.csv", csv_of(&days));
    world.seal();
    let mut losses = 0_u32;
    for extensions in 0..60 {
        let mut other = world.clone();
        other.store.extensions_left = Some(extensions);
        // The lock may still go right after the last look at it: that run has ended well.
        if !other.seal() {
            losses += 1;
            assert_eq!(other.store.stray_writes, 0, "lost after {extensions} extensions");
            assert_eq!(other.store.outbox(), []);
        }
    }
    assert!((20..60).contains(&losses), "{losses}");
}

#[test]
fn what_a_killed_run_found_in_a_file_is_listed_in_the_end() {
    let mut kept = 0;
    for writes in 0..8 {
        let mut world = world_with(&[1]);
        world.feed.put("a.csv", [csv_of(&[]), b"no row\n".to_vec()].concat());
        world.seal();
        world.store.writes_left = Some(writes);
        world.seal();
        kept += u32::from(world.store.report().refused_total == 1);
        world.store.writes_left = None;
        world.store.clear(crate::worker::store::LOCK);
        world.settle();
        assert_eq!(world.store.report().refused_total, 1, "killed after {writes} writes");
    }
    assert!((1..8).contains(&kept), "no run was killed before and none after its report");
}

#[test]
fn a_verdict_against_what_is_not_on_chain_is_not_final() {
    let mut world = world_with(&[1]);
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY, DATE + 1)]));
    world.feed.put("b.csv", csv_of(&[consumption(1, DAY, DATE)]));
    world.seal();
    world.seal();
    // The batch with the later version comes to nothing, and its file is gone.
    world.feed.put("a.csv", csv_of(&[consumption(1, DAY + 1, DATE)]));
    world.chain.block += 200;
    world.settle();
    assert_eq!(
        newest(&world, 1, 0, Channel::Consumption, DAY),
        Some(day_readings(&consumption(1, DAY, DATE)).unwrap())
    );
}

#[test]
fn a_completion_whose_batch_is_given_up_is_made_again() {
    let mut world = world_with(&[1]);
    let whole = consumption(1, DAY, DATE);
    let mut short = MeterDay { complete: false, ..whole.clone() };
    short.intervals[60..].fill(Interval::MISSING);
    world.feed.put("a.csv", csv_of(&[short]));
    world.settle();
    world.feed.put("b.csv", csv_of(std::slice::from_ref(&whole)));
    world.seal();
    world.seal();
    assert_eq!(world.store.outbox().len(), 1);
    world.chain.block += 200;
    world.settle();
    assert_eq!(newest(&world, 1, 0, Channel::Consumption, DAY), Some(day_readings(&whole).unwrap()));
    assert_eq!(world.store.report().held, []);
}
