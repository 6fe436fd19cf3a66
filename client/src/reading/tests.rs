//! Answers of a vault in memory, with really sealed cells: what is verified, opened, refused and named.
#![allow(clippy::unwrap_used, clippy::panic)] // a failed unwrap is a failed test

use super::{
    ask::{verify_answer, Known},
    since::{Cursor, Mark},
    Answer, DayState, Fetched, Wanted,
};
use crate::{
    node_rpc::ReadAnswer,
    records::{ConsentRecord, DeliveryRecord},
    roots::KnownRoot,
    ClientError,
};
use sealed_register::{
    delivery::{open_delivery, seal_delivery, ConsentTerms, Deliverer, DeliveryContext, Purpose, Segment},
    finalized::{BlockRef, FinalizedRoot, RootStatement},
    heads::Heads,
    kem::KemSecret,
    open::OpenError,
    proof::{build_range, Body, Form, RangeRequest},
    seal::StreamSealer,
    shard::{HeadTree, Shard, ShardId},
    statement::Receipt,
    verified::Currency,
    verify::VerifyError,
    Channel, Channels, DayRange, DayReadings, Keyring, Level, MeterId, MeterKey, OperatingDay, Quality, RangeProof,
    Reading, SealedCell, Secret, StreamId,
};
use smart_meter_texas::Calendar;
use std::{collections::BTreeSet, convert::Infallible};

const METER: MeterId = MeterId([5; 16]);
/// 2023-10-30; the clocks change on 2023-11-05.
const FIRST: u16 = 8_703;

fn days(first: u16, last: u16) -> DayRange {
    DayRange::new(OperatingDay(FIRST + first), OperatingDay(FIRST + last)).unwrap()
}

fn stream() -> StreamId {
    let utility = "oncor".parse().unwrap();
    StreamId { genesis: [1; 32], utility, meter: METER, channel: Channel::Consumption }
}

fn shard() -> Shard {
    Shard { genesis: [1; 32], utility: stream().utility, id: ShardId(0), bits: 0 }
}

fn calendar() -> Calendar {
    Calendar::us_rule(2022, 2025).unwrap()
}

fn readings(day: u16, add: u32) -> DayReadings {
    let day = OperatingDay(FIRST + day);
    let count = calendar().intervals(smart_meter_texas::OperatingDay(day.0));
    let reading = |at: u32| Reading { wh: at + add, quality: Quality::Actual };
    DayReadings {
        channel: Channel::Consumption,
        day,
        revision_date: add,
        intervals: (0..count.into()).map(reading).collect(),
    }
}

/// A meter whose days 0 to 9 but for day 4 are sealed under epoch 0, with day 2 amended under epoch 1.
struct World {
    key: MeterKey,
    cells: Vec<SealedCell>,
}

impl World {
    fn new() -> Self {
        Self::sealed_with(Secret::from_bytes([8; 32]))
    }

    fn sealed_with(siv: Secret) -> Self {
        let key = MeterKey::new(Secret::from_bytes([7; 32]), 0);
        let head = Heads::new(shard()).head(&METER, Channel::Consumption);
        let mut sealer = StreamSealer::new(&key, &siv, stream(), 0, head, 50_000);
        let sealed = (0..10).filter(|day| *day != 4).map(|day| sealer.seal_day(&readings(day, 0), 0).unwrap());
        let mut cells: Vec<_> = sealed.collect();
        sealer.set_epoch(&key, 1);
        cells.push(sealer.seal_day(&readings(2, 1_000), 1).unwrap());
        Self { key, cells }
    }

    fn tree(cells: &[SealedCell]) -> HeadTree {
        let mut heads = Heads::new(shard());
        for cell in cells {
            heads.apply(cell).unwrap();
        }
        heads.tree(3)
    }

    fn answer(&self, request: &RangeRequest, cells: &[SealedCell]) -> ReadAnswer {
        let proof = self.proof(request, cells);
        ReadAnswer { proof: proof.encode(), ..answer() }
    }

    fn proof(&self, request: &RangeRequest, cells: &[SealedCell]) -> RangeProof {
        let newest_first = cells.iter().rev().cloned().map(Ok::<_, Infallible>);
        build_range(request, newest_first, &Self::tree(cells)).unwrap()
    }

    fn root(&self, newest_sequence: u32) -> KnownRoot {
        let root = Self::tree(&self.cells).root();
        let block = BlockRef { number: 9, hash: [9; 32] };
        let statement = RootStatement { shard: shard(), batch_sequence: 3, root, block };
        let newest = RootStatement { batch_sequence: newest_sequence, ..statement };
        KnownRoot { root: FinalizedRoot::from_own_node(statement), newest: FinalizedRoot::from_own_node(newest) }
    }

    fn fetched(&self, level: Level, segments: &[Segment], keyring: &Keyring) -> Fetched {
        let range = days(0, 9);
        let request = request(level, segments, Form::Compact);
        let known = verify_answer(&self.answer(&request, &self.cells), &request, &self.root(3), keyring).unwrap();
        fetched(
            &Answer { known, proof_bytes: 1, receipt: receipt() },
            Wanted { channels: CONSUMPTION, range, level },
            keyring,
        )
    }
}

const CONSUMPTION: Channels = Channels::Consumption;

fn answer() -> ReadAnswer {
    ReadAnswer {
        proof: Vec::new(),
        absent: false,
        shard: shard(),
        batch_sequence: 3,
        root: [0; 32],
        receipt: String::new(),
        receipt_signature: [0; 64],
    }
}

fn receipt() -> Receipt {
    Receipt {
        genesis: [1; 32],
        vault: [2; 32],
        number: 0,
        previous: [0; 32],
        request: [3; 32],
        cells: 0,
        bytes: 0,
        level: Level::Day,
        range: days(0, 9),
        head_sequence: None,
        block: 9,
        block_hash: [9; 32],
    }
}

fn request(level: Level, segments: &[Segment], form: Form) -> RangeRequest {
    RangeRequest { stream: stream(), range: days(0, 9), level, segments: segments.to_vec(), form }
}

fn fetched(answer: &Answer, wanted: Wanted, keyring: &Keyring) -> Fetched {
    let mut fetched = Fetched {
        utility: stream().utility,
        meter: METER,
        consent: None,
        wanted,
        streams: Vec::new(),
        proof_bytes: 0,
        receipts: Vec::new(),
        calendar: calendar(),
        incremental: false,
        cursor: None,
    };
    fetched.add(Channel::Consumption, wanted.range, answer, keyring, |_| true);
    fetched
}

fn both_epochs() -> [Segment; 2] {
    [Segment { epoch: 0, days: days(0, 9) }, Segment { epoch: 1, days: days(0, 9) }]
}

#[test]
fn the_customer_opens_everything_with_the_newest_revision() {
    let world = World::new();
    let keyring = Keyring::from_meter_key(world.key.clone());
    let fetched = world.fetched(Level::Quarter, &both_epochs(), &keyring);
    let totals = fetched.totals(Channel::Consumption);
    let expected: u64 = (0..10)
        .filter(|day| *day != 4)
        .map(|day| {
            let add = if day == 2 { 1_000 } else { 0 };
            readings(day, add).intervals.iter().map(|reading| u64::from(reading.wh)).sum::<u64>()
        })
        .sum();
    assert_eq!((totals.days, totals.not_committed, totals.wh), (9, 1, expected));
    let stream = fetched.stream(Channel::Consumption).unwrap();
    let amended = &stream.days[2];
    assert_eq!((amended.revision, amended.revisions, amended.epoch), (Some(1), 2, Some(1)));
    assert_eq!(stream.days[4].state, DayState::NotCommitted);
    assert!(fetched.is_current());
    // 2023-11-05 has 100 intervals, and its day and hour levels sum to the same.
    assert_eq!(fetched.rows().filter(|row| row.day == OperatingDay(FIRST + 6)).count(), 100);
    for level in [Level::Day, Level::Hour] {
        assert_eq!(world.fetched(level, &both_epochs(), &keyring).totals(Channel::Consumption), totals);
    }
}

#[test]
fn a_vendor_opens_what_was_delivered_and_nothing_else() {
    let world = World::new();
    let kem = KemSecret::from_seed(Secret::from_bytes([4; 32]));
    let terms = ConsentTerms {
        utility: stream().utility,
        meter: METER,
        grantee: [2; 32],
        channels: CONSUMPTION,
        level: Level::Day,
        data: days(0, 9),
        access: days(0, 99),
        purpose: Purpose::Storage,
        text_hash: [3; 32],
    };
    let context =
        DeliveryContext { genesis: [1; 32], deliverer: Deliverer::Utility, account: [6; 32], consent: [5; 32], terms };
    let mut record = ConsentRecord { consent: String::new(), request: String::new(), deliveries: Vec::new() };
    let mut collect = |epoch: u32, segments: &[Segment]| {
        let key = |epoch| Some(world.key.epoch_key(epoch));
        let sealed = seal_delivery(&context, segments, key, &kem.public(), &Secret::from_bytes([1; 32])).unwrap();
        let delivery = open_delivery(&context, epoch, &kem, &sealed).unwrap();
        record.add(DeliveryRecord::new(&delivery, epoch, false, 1, true));
        record.keys().unwrap()
    };
    // Before the keys of epoch 1 come, the amended day is named as closed, and never shown as it was before.
    let (keyring, segments) = collect(0, &[Segment { epoch: 0, days: days(0, 9) }]);
    let before = world.fetched(Level::Day, &segments, &keyring);
    let closed = &before.stream(Channel::Consumption).unwrap().days[2];
    assert!(matches!(closed.state, DayState::Closed(OpenError::EpochNotGranted { epoch: 1, .. })), "{closed:?}");
    assert_eq!(before.totals(Channel::Consumption).days, 8);
    let (keyring, segments) = collect(1, &both_epochs());
    let after = world.fetched(Level::Day, &segments, &keyring);
    assert_eq!(after.totals(Channel::Consumption).days, 9);
    // Finer readings are not even asked for in vain: the keyring has no keys of that level.
    let finer = request(Level::Hour, &segments, Form::Compact);
    let refused = verify_answer(&world.answer(&finer, &world.cells), &finer, &world.root(3), &keyring);
    assert!(matches!(refused, Err(ClientError::Unverified(VerifyError::KeyMissing { .. }))), "{refused:?}");
}

#[test]
fn an_altered_cell_is_refused_and_then_named() {
    let world = World::new();
    let keyring = Keyring::from_meter_key(world.key.clone());
    for (form, named) in [(Form::Compact, false), (Form::Explained, true)] {
        let request = request(Level::Quarter, &both_epochs(), form);
        let mut proof = world.proof(&request, &world.cells);
        let Body::Opened { words, .. } = &mut proof.elements[5].body else { panic!("day 6 has words") };
        words[2][7] ^= 1;
        let answer = ReadAnswer { proof: proof.encode(), ..answer() };
        let error = verify_answer(&answer, &request, &world.root(3), &keyring).unwrap_err();
        assert_eq!(error.exit_code().code(), 4);
        match error {
            ClientError::Unverified(VerifyError::HeadMismatch) => assert!(!named),
            ClientError::Unverified(VerifyError::SectionMismatch { cell, level, .. }) => {
                assert!(named);
                let expected = (OperatingDay(FIRST + 6), 5, Level::Quarter);
                assert_eq!((cell.day, cell.sequence, level), expected);
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn older_roots_are_called_historic_and_withheld_cells_are_noticed() {
    let world = World::new();
    let keyring = Keyring::from_meter_key(world.key.clone());
    let request = request(Level::Day, &both_epochs(), Form::Compact);
    let answer = world.answer(&request, &world.cells);
    let known = verify_answer(&answer, &request, &world.root(5), &keyring).unwrap();
    assert_eq!(known.currency(), Currency::Historic { newest_sequence: 5 });
    let fetched = fetched(
        &Answer { known, proof_bytes: 1, receipt: receipt() },
        Wanted { channels: CONSUMPTION, range: days(0, 9), level: Level::Day },
        &keyring,
    );
    assert!(!fetched.is_current());
    // A vault that shows the stream as it was before the amendment cannot have the newest root.
    let (_, earlier) = world.cells.split_last().unwrap();
    let withheld = world.answer(&request, earlier);
    let refused = verify_answer(&withheld, &request, &world.root(3), &keyring);
    assert!(matches!(refused, Err(ClientError::Unverified(VerifyError::NotUnderRoot { .. }))), "{refused:?}");
}

#[test]
fn a_stream_without_cells_is_proved_absent() {
    let world = World::new();
    let tree = World::tree(&world.cells);
    let proof = tree.absence(&METER, Channels::Generation).unwrap();
    let asked = RangeRequest {
        stream: StreamId { channel: Channel::Generation, ..stream() },
        ..request(Level::Day, &[], Form::Compact)
    };
    let answer = ReadAnswer { proof: proof.encode(), absent: true, ..answer() };
    let known = verify_answer(&answer, &asked, &world.root(3), &Keyring::new()).unwrap();
    assert!(matches!(known, Known::Absent { currency: Currency::Current, .. }));
    let consumption = request(Level::Day, &[], Form::Compact);
    let refused = verify_answer(&answer, &consumption, &world.root(3), &Keyring::new());
    assert!(matches!(refused, Err(ClientError::Absence(_))), "{refused:?}");
}

#[test]
fn after_a_cursor_only_later_cells_count_and_what_was_verified_must_stand() {
    let world = World::new();
    let keyring = Keyring::from_meter_key(world.key.clone());
    let whole = request(Level::Day, &both_epochs(), Form::Compact);
    // As a verifier saw each state when it was the newest.
    let places = |world: &World, count: usize, asked: &RangeRequest| {
        let then = World { key: world.key.clone(), cells: world.cells[..count].to_vec() };
        let known = verify_answer(&then.answer(asked, &then.cells), asked, &then.root(3), &keyring).unwrap();
        known.places().to_vec()
    };
    let before = places(&world, 9, &whole);
    let wanted = Wanted { channels: CONSUMPTION, range: days(0, 9), level: Level::Day };
    let cursor = Cursor::new([1; 32], &wanted, Mark::of(Channel::Consumption, &before).into_iter().collect());
    let (mark, range) = cursor.resume(Channel::Consumption, &wanted).unwrap();
    assert_eq!(range, days(9, 9));

    // The last day's proof has every later cell: day 2, revised in between.
    let narrow = RangeRequest { range, ..whole.clone() };
    let after = places(&world, 10, &narrow);
    assert!(after.len() < before.len(), "{after:?}");
    assert_eq!(mark.later_days(&after).unwrap(), BTreeSet::from([OperatingDay(FIRST + 2)]));
    assert_eq!(mark.later_days(&before).unwrap(), BTreeSet::new());
    // The revision withheld: what is shown instead is not what stands under the newest root.
    let withheld = verify_answer(&world.answer(&narrow, &world.cells[..9]), &narrow, &world.root(3), &keyring);
    assert!(matches!(withheld, Err(ClientError::Unverified(VerifyError::NotUnderRoot { .. }))), "{withheld:?}");
    // A state from before the cursor, and another history, though each stands under some root.
    let old = mark.later_days(&places(&world, 5, &whole)).unwrap_err().to_string();
    assert!(old.contains("old state"), "{old}");
    let other = World::sealed_with(Secret::from_bytes([9; 32]));
    let fork = mark.later_days(&places(&other, 10, &whole)).unwrap_err().to_string();
    assert!(fork.contains("two histories"), "{fork}");
    assert!(mark.later_days(&[]).is_err());
}
