//! Property 2: two revisions share no pad; the same data sealed twice is byte-identical; a rebuilt index seals the same
//! next cell.

use crate::world::{any_readings, readings, secrets, utility, World, GENESIS, MAX_WH};
use proptest::prelude::*;
use sealed_register::{
    seal::{seal_day, SealError},
    word::{words_of, WordError},
    Channel, DayReadings, Head, Heads, Intervals, Kind, Level, MeterId, OperatingDay, SealedCell, Status, StreamId,
    StreamSealer,
};
use std::collections::HashSet;

/// The pads of a cell, from its clear words.
fn pads(cell: &SealedCell, clear: &DayReadings) -> Vec<u64> {
    let words = words_of(clear, MAX_WH).unwrap();
    let clear: [&[u64]; 3] = [&words.day, &words.hour, &words.quarter];
    let sealed = Level::ALL.into_iter().flat_map(|level| cell.words(level).to_vec());
    sealed.zip(clear.concat()).map(|(sealed, clear)| sealed.wrapping_sub(clear)).collect()
}

#[test]
fn no_two_cells_share_a_pad() {
    let mut seen = HashSet::new();
    let mut count = 0;
    let mut add = |cell: &SealedCell, clear: &DayReadings| {
        let pads = pads(cell, clear);
        assert_eq!(pads.len(), clear.intervals.len() + 1);
        count += pads.len();
        seen.extend(pads);
    };
    let mut world = World::new();
    for channel in Channel::ALL {
        for (epoch, revision) in [(0, 0), (0, 1), (0, 3), (1, 2)] {
            for day in [8000, 8001, 8002] {
                // Revision 3 goes back to the values of revision 0 under the same epoch: still no pad in common.
                let clear = readings(channel, day, 96, 0, u32::from(revision) % 3);
                add(&world.seal(epoch, &clear, revision), &clear);
            }
        }
    }
    // Another meter, another generation, another length of day: the same readings.
    let clear = readings(Channel::Consumption, 8000, 96, 0, 0);
    let mut other = World { meter: world.secrets.meter_id("10443720000000002", 0), ..World::new() };
    add(&other.seal(0, &clear, 0), &clear);
    let mut next = World::new();
    next.secrets.generation = 1;
    add(&next.seal(0, &clear, 0), &clear);
    let long = readings(Channel::Consumption, 8000, 100, 0, 0);
    add(&World::new().seal(0, &long, 0), &long);
    assert_eq!(seen.len(), count, "a pad was used twice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_data_gives_the_same_cell_and_other_data_other_pads(
        first in any_readings(Channel::Consumption, 8000),
        second in any_readings(Channel::Consumption, 8000),
        at in 0..92usize,
    ) {
        let mut world = World::new();
        let cell = world.seal(3, &first, 0);
        prop_assert_eq!(World::new().seal(3, &first, 0).encode(), cell.encode());
        let mut one_off = first.clone();
        one_off.intervals[at] = second.intervals[at];
        for other in [second, one_off] {
            let sealed = World::new().seal(3, &other, 0);
            if other == first {
                prop_assert_eq!(&sealed, &cell);
            } else {
                prop_assert_ne!(sealed.header.nonce, cell.header.nonce);
                let mine: HashSet<u64> = pads(&cell, &first).into_iter().collect();
                prop_assert!(pads(&sealed, &other).iter().all(|pad| !mine.contains(pad)));
            }
        }
    }

    #[test]
    fn a_rebuilt_index_seals_the_same_next_cell(
        days in prop::collection::vec((8000..8040u16, 0..3u32), 1..12),
        next in any_readings(Channel::Generation, 8050),
    ) {
        let mut world = World::new();
        for (day, salt) in days {
            world.ingest(salt, &readings(Channel::Generation, day, 96, salt, salt));
        }
        // From the encoding of the index, from the cells of a vault, and by one sealer that never stopped.
        let mut decoded = world.clone();
        decoded.heads = Heads::decode(*world.heads.shard(), &world.heads.encode()).unwrap();
        let mut replayed = World::new();
        world.cells.iter().for_each(|cell| replayed.commit(SealedCell::decode(&cell.encode()).unwrap()));
        let expected = world.seal(4, &next, 0);
        prop_assert_eq!(&decoded.seal(4, &next, 0), &expected);
        prop_assert_eq!(&replayed.seal(4, &next, 0), &expected);
    }
}

#[test]
fn one_sealer_for_many_days_equals_many_sealers_of_one() {
    let secrets = secrets();
    let meter = MeterId([3; 16]);
    let key = secrets.meter_key(&utility(), &meter);
    let stream = StreamId { genesis: GENESIS, utility: utility(), meter, channel: Channel::Consumption };
    let mut sealer = StreamSealer::new(&key, &secrets.siv, stream, 0, Head::first(&stream), MAX_WH);
    let mut head = Head::first(&stream);
    // Forwards over node boundaries, backwards, the same day again.
    let days = [8190u16, 8191, 8192, 8193, 8000, 8001, 8001, 0, 32767];
    for (at, day) in days.into_iter().enumerate() {
        let epoch = u32::from(at > 5);
        if at == 6 {
            sealer.set_epoch(&key, 1);
        }
        let clear = readings(Channel::Consumption, day, 96, 0, at as u32);
        let cell = sealer.seal_day(&clear, at as u16).unwrap();
        let alone = seal_day(&key, &secrets.siv, &stream, epoch, &head, &clear, at as u16, MAX_WH).unwrap();
        assert_eq!(cell, alone);
        head = Head::after(&cell);
        assert_eq!(*sealer.head(), head);
        assert_eq!(cell.header.sequence as usize, at);
    }
    assert_eq!(head.day_high, OperatingDay(32767));
}

#[test]
fn what_cannot_be_sealed_leaves_the_stream_as_it_was() {
    let world = World::new();
    let mut sealer = world.sealer(Channel::Consumption, 0);
    let before = *sealer.head();
    let good = readings(Channel::Consumption, 8000, 96, 0, 0);
    let beyond = DayReadings { day: OperatingDay(0x8000), ..good.clone() };
    assert!(matches!(sealer.seal_day(&beyond, 0), Err(SealError::Beyond(_))));
    let other = DayReadings { channel: Channel::Generation, ..good.clone() };
    assert!(matches!(sealer.seal_day(&other, 0), Err(SealError::OtherChannel { .. })));
    let mut high = good.clone();
    high.intervals[9].wh = MAX_WH + 1;
    let error = sealer.seal_day(&high, 0).unwrap_err();
    let problem = WordError::AboveBound { interval: 10, wh: MAX_WH + 1, bound: MAX_WH };
    assert_eq!(error, SealError::Readings { day: good.day, problem });
    assert!(error.to_string().starts_with("2021-11-26: interval 10 has 25001 Wh"), "{error}");
    assert_eq!(*sealer.head(), before);
    let full = Head { next_sequence: None, ..before };
    let key = world.key();
    let mut sealer = StreamSealer::new(&key, &world.secrets.siv, world.stream(good.channel), 0, full, MAX_WH);
    assert_eq!(sealer.seal_day(&good, 0), Err(SealError::StreamFull));
}

#[test]
fn cells_without_words_chain_like_others() {
    let mut world = World::new();
    world.seal(0, &readings(Channel::Consumption, 8000, 96, 0, 0), 0);
    let withdrawn = world.sealer(Channel::Consumption, 0).withdraw(OperatingDay(8000), Intervals::Normal, 1).unwrap();
    world.commit(withdrawn.clone());
    let closing = world.sealer(Channel::Consumption, 1).close(OperatingDay(8001), Intervals::Normal).unwrap();
    world.commit(closing.clone());
    assert_eq!((withdrawn.header.status, withdrawn.header.sequence), (Status::Withdrawn, 1));
    assert_eq!((closing.header.kind, closing.header.previous), (Kind::Close, withdrawn.hash()));
    assert_ne!(withdrawn.header.nonce, closing.header.nonce);
    for cell in [withdrawn, closing] {
        assert!(Level::ALL.into_iter().all(|level| cell.words(level).is_empty() && cell.section(level) == &[0; 32]));
        assert_eq!(SealedCell::decode(&cell.encode()).unwrap(), cell);
        assert_eq!(cell.encode().len(), 85);
    }
}
