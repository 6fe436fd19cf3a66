//! What honest proofs yield: every day of the range, its revisions in order, and nothing that keys do not open.

use crate::world::{range, readings, World, START};
use sealed_register::{
    delivery::Segment,
    open,
    proof::{build_range, BuildError, Form, RangeProof},
    types::Channels,
    verified::{Currency, VerifiedDay},
    verify::verify_absence,
    Channel, Intervals, Level, OpenError, Opened, OperatingDay, RangeRequest,
};

/// Deterministic pseudo-random numbers for histories.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Late originals, backfill after live data, amendments long after, epochs that rise, gaps, 23- and 25-hour days: for
/// random histories, every range at every level and in both forms yields what was sealed.
#[test]
fn proofs_of_random_histories_yield_exactly_what_was_sealed() {
    for seed in 0..12 {
        let mut state = seed;
        let mut world = World::new();
        let meters = [0, 1, 2].map(|number| world.meter(number));
        let mut sealed = std::collections::BTreeMap::new();
        for _ in 0..8 {
            for _ in 0..next(&mut state) % 6 + 1 {
                let meter = meters[next(&mut state) as usize % 3];
                let channel = Channel::ALL[next(&mut state) as usize % 2];
                let day = START + (next(&mut state) % 12) as u16;
                let n = match day - START {
                    3 => 92,
                    8 => 100,
                    _ => 96,
                };
                let revisions: &mut Vec<_> = sealed.entry((meter, channel, day)).or_default();
                let revision = revisions.len() as u16;
                let values = readings(channel, day, n, next(&mut state) as u32 % 1000);
                world.seal(&meter, &values, revision);
                revisions.push((world.epochs[&meter], values));
            }
            world.commit();
            let risen = meters[next(&mut state) as usize % 3];
            *world.epochs.get_mut(&risen).unwrap() += 1;
        }
        for ((meter, channel), cells) in world.store.clone() {
            for (first, last) in [(0, 0), (0, 11), (3, 8), (11, 11), (5, 20), (20, 30)] {
                for level in Level::ALL {
                    for form in [Form::Compact, Form::Explained] {
                        let days = range(START + first, START + last);
                        let request = RangeRequest { form, ..world.request(&meter, channel, days, level) };
                        let proof = world.prove(&request);
                        assert_eq!(RangeProof::decode(&proof.encode()).unwrap(), proof);
                        let from = cells.iter().rposition(|cell| cell.header.day_high < days.first).unwrap_or(0);
                        assert_eq!(proof.elements.len(), cells.len() - from, "no older cell than needed");
                        let verified = world.check(&request, &proof).unwrap();
                        assert_eq!(verified.days().count() as u32, days.len());
                        let keyring = world.keyring(&request);
                        for (day, known) in verified.days() {
                            let expected = sealed.get(&(meter, channel, day.0)).map_or(&[][..], Vec::as_slice);
                            assert_eq!(verified.revisions(day).len(), expected.len());
                            for (cell, (epoch, values)) in verified.revisions(day).iter().zip(expected) {
                                assert_eq!(cell.header().epoch, *epoch);
                                let n = Intervals::from_count(values.intervals.len() as u8).unwrap();
                                let total: u64 = values.intervals.iter().map(|reading| u64::from(reading.wh)).sum();
                                let opened = open(cell, &keyring, n).unwrap();
                                assert_eq!((opened.level(), opened.total().wh), (level, total));
                                if let Opened::Quarters(opened) = opened {
                                    assert_eq!(opened, *values);
                                }
                            }
                            match known {
                                VerifiedDay::NotCommitted => assert!(expected.is_empty()),
                                VerifiedDay::Committed(cell) => {
                                    assert_eq!(usize::from(cell.header().revision) + 1, expected.len());
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn cells_of_epochs_and_days_outside_the_segments_come_without_words() {
    let mut world = World::new();
    let meter = world.meter(0);
    world.seal_days(&meter, Channel::Consumption, range(START, START + 3));
    world.commit();
    *world.epochs.get_mut(&meter).unwrap() = 1;
    world.seal_days(&meter, Channel::Consumption, range(START + 4, START + 7));
    world.commit();
    let mut request = world.request(&meter, Channel::Consumption, range(START, START + 7), Level::Hour);
    request.segments = vec![
        Segment { epoch: 0, days: range(START + 2, START + 7) },
        Segment { epoch: 1, days: range(START, START + 5) },
    ];
    for form in [Form::Compact, Form::Explained] {
        request.form = form;
        let verified = world.check(&request, &world.prove(&request)).unwrap();
        let keyring = world.keyring(&request);
        for (day, known) in verified.days() {
            let VerifiedDay::Committed(cell) = known else { panic!("{day} was committed") };
            let granted = (2..=5).contains(&(day.0 - START));
            assert_eq!(cell.level(), granted.then_some(Level::Hour), "{day}");
            assert_eq!(cell.words(Level::Hour).map(<[u64]>::len), granted.then_some(23));
            assert_eq!(cell.words(Level::Quarter), None);
            let opened = open(cell, &keyring, Intervals::Normal);
            match opened {
                Ok(opened) => assert!(granted && opened.level() == Level::Hour),
                Err(error) => {
                    let epoch = u32::from(day.0 >= START + 4);
                    assert_eq!(error, OpenError::EpochNotGranted { day, epoch });
                    assert!(!granted);
                }
            }
        }
    }
}

#[test]
fn withdrawn_days_and_closed_streams_are_proved_as_such() {
    let mut world = World::new();
    let meter = world.meter(0);
    world.seal_days(&meter, Channel::Consumption, range(START, START + 1));
    let withdrawn = world.sealer(&meter, Channel::Consumption).withdraw(OperatingDay(START), Intervals::Normal, 1);
    world.pending.push(withdrawn.unwrap());
    let closed = world.sealer(&meter, Channel::Consumption).close(OperatingDay(START + 1), Intervals::Normal);
    world.pending.push(closed.unwrap());
    world.commit();
    let request = world.request(&meter, Channel::Consumption, range(START, START + 2), Level::Quarter);
    let verified = world.check(&request, &world.prove(&request)).unwrap();
    let keyring = world.keyring(&request);
    let days: Vec<_> = verified.days().map(|(_, known)| known).collect();
    let [VerifiedDay::Committed(first), VerifiedDay::Committed(second), VerifiedDay::NotCommitted] = days[..] else {
        panic!("{days:?}")
    };
    let expected = OpenError::Withdrawn { day: OperatingDay(START), revision: 1 };
    assert_eq!(open(first, &keyring, Intervals::Normal), Err(expected));
    assert!(open(second, &keyring, Intervals::Normal).is_ok());
    // What was withdrawn had been published, and who held the keys then still can show it.
    assert!(open(&verified.revisions(OperatingDay(START))[0], &keyring, Intervals::Normal).is_ok());
    assert_eq!(verified.closed().map(|cell| cell.header().day), Some(OperatingDay(START + 1)));
    assert_eq!(verified.head_sequence(), 3);
    assert_eq!(verified.day(OperatingDay(START + 3)), None);
}

#[test]
fn the_vault_reads_no_older_cell_than_needed() {
    let mut world = World::new();
    let meter = world.meter(0);
    world.seal_days(&meter, Channel::Consumption, range(START, START + 49));
    world.commit();
    let request = world.request(&meter, Channel::Consumption, range(START + 40, START + 45), Level::Day);
    let stream = world.store[&(meter, Channel::Consumption)].clone();
    let mut read = 0;
    let cells = stream.iter().rev().map(|cell| {
        read += 1;
        if read > 10 {
            return Err("an older cell was read");
        }
        Ok(cell.clone())
    });
    let proof = build_range(&request, cells, &world.tree()).unwrap();
    assert_eq!(proof.elements.len(), 10);
    assert!(world.check(&request, &proof).is_ok());
}

#[test]
fn a_damaged_store_is_named_and_never_served() {
    let mut world = World::new();
    let meter = world.meter(0);
    world.seal_days(&meter, Channel::Consumption, range(START, START + 9));
    world.commit();
    let request = world.request(&meter, Channel::Consumption, range(START, START + 9), Level::Day);
    let cells = world.store[&(meter, Channel::Consumption)].clone();
    let build = |cells: Vec<Result<_, &'static str>>| build_range(&request, cells, &world.tree());
    let newest_first = || cells.iter().rev().cloned().map(Ok);
    let gap = |expected| Err(BuildError::Gap { batch_sequence: 0, expected });

    assert!(build(newest_first().collect()).is_ok());
    assert_eq!(build(newest_first().skip(1).collect()), gap(9), "behind");
    assert_eq!(build(newest_first().enumerate().filter(|(at, _)| *at != 4).map(|(_, cell)| cell).collect()), gap(5));
    assert_eq!(build(newest_first().take(9).collect()), gap(0), "the oldest is missing");
    let mut flipped: Vec<_> = newest_first().collect();
    flipped[3].as_mut().unwrap().header.nonce[0] ^= 1;
    assert_eq!(build(flipped), gap(6));
    assert_eq!(build(vec![Err("disk")]), Err(BuildError::Store("disk")));

    let stranger = world.meter(5);
    let request = world.request(&stranger, Channel::Consumption, range(START, START), Level::Day);
    assert_eq!(build_range(&request, newest_first(), &world.tree()), Err(BuildError::NoStream));
    let mut elsewhere = request.clone();
    elsewhere.stream.meter.0[0] = 0;
    assert_eq!(build_range(&elsewhere, newest_first(), &world.tree()), Err(BuildError::WrongShard(world.shard)));

    // The vault then proves that the stranger has no stream.
    let proof = world.tree().absence(&stranger, Channels::Both).unwrap();
    let root = world.root.unwrap();
    assert_eq!(verify_absence(&request.stream, Channels::Both, &proof, &root, &root), Ok(Ok(Currency::Current)));
    let refused = verify_absence(&world.stream(&meter, Channel::Consumption), Channels::Both, &proof, &root, &root);
    assert!(matches!(refused, Ok(Err(_))), "{refused:?}");
}
