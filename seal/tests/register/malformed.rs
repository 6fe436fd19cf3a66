//! Wrong keys and wrong readings are told apart: a malformed reading under a right key is evidence.

use crate::world::{range, readings, Grant, World};
use sealed_register::{
    cell::section_hash,
    open,
    open::{Malformed, OpenError},
    reopen,
    seal::SealError,
    tree::{DayBeyondTree, LAST_DAY},
    verified::VerifiedDay,
    word::{words_of, BoundaryTotal, Words},
    Channel, Intervals, Keyring, Level, MeterKey, OperatingDay, SealedCell, Secret,
};

const CHANNEL: Channel = Channel::Consumption;
const DAY: u16 = 8000;

/// A cell with any words, correctly sealed and hashed: what a faulty or lying utility could publish.
fn forge(world: &World, words: &Words) -> SealedCell {
    let mut cell = world.sealer(CHANNEL, 0).seal_day(&readings(CHANNEL, DAY, 96, 0, 0), 0).unwrap();
    cell.day = words.day;
    cell.hour.clone_from(&words.hour);
    cell.quarter.clone_from(&words.quarter);
    let keyring = Keyring::from_meter_key(world.key());
    let header = cell.header;
    for (at, level) in Level::ALL.into_iter().enumerate() {
        let leaf = keyring.leaf(&header, level).unwrap();
        let words: &mut [u64] = match level {
            Level::Day => &mut cell.day,
            Level::Hour => &mut cell.hour,
            Level::Quarter => &mut cell.quarter,
        };
        let mut pads = vec![0; words.len()];
        leaf.pads(&header.nonce, CHANNEL, level, &mut pads);
        words.iter_mut().zip(pads).for_each(|(word, pad)| *word = word.wrapping_add(pad));
        cell.sections[at] = section_hash(&leaf.commitment(&header, level), CHANNEL, level, words);
    }
    cell
}

/// Errors of the day, hour and quarter reader, each reading through a verified proof with its own keys.
fn errors(change: impl Fn(&mut Words)) -> [Option<Malformed>; 3] {
    let mut world = World::new();
    let mut words = words_of(&readings(CHANNEL, DAY, 96, 0, 0), 25_000).unwrap();
    change(&mut words);
    let cell = forge(&world, &words);
    world.commit(cell.clone());
    let opened = Level::ALL.map(|level| {
        let grant = Grant { channel: CHANNEL, epoch: 0, days: range(DAY, DAY), level };
        let keyring = world.keyring(&[grant]);
        let verified = world.read(CHANNEL, grant.days, level, &[grant.segment()], &keyring);
        let Some(VerifiedDay::Committed(cell)) = verified.day(OperatingDay(DAY)) else { panic!() };
        match open(cell, &keyring, Intervals::Normal) {
            Ok(_) => None,
            Err(OpenError::MalformedReading { day: OperatingDay(DAY), revision: 0, what }) => Some(what),
            Err(other) => panic!("{other:?}"),
        }
    });
    // The utility's own reopening says the same as a 15-minute reader.
    let own = reopen(&world.key(), &cell).err().map(|error| match error {
        OpenError::MalformedReading { what, .. } => what,
        other => panic!("{other:?}"),
    });
    assert_eq!(own, opened[2]);
    opened
}

fn part(word: &mut u64, change: impl Fn(&mut BoundaryTotal)) {
    let mut total = BoundaryTotal::unpack(*word);
    change(&mut total);
    *word = total.pack();
}

#[test]
fn each_wrong_thing_has_its_name() {
    assert_eq!(errors(|_| {}), [None; 3]);
    let decreasing = |boundary| Some(Malformed::Decreasing { boundary });
    // Energy falls at the end of hour 2: hours and quarters see it at once, the day's total is right.
    assert_eq!(errors(|words| part(&mut words.hour[1], |total| total.wh = 0)), [None, decreasing(2), decreasing(8)]);
    assert_eq!(errors(|words| part(&mut words.quarter[4], |total| total.wh = 0)), [None, None, decreasing(6)]);
    assert_eq!(errors(|words| part(&mut words.day[0], |total| total.wh = 0)), [None, decreasing(24), decreasing(96)]);
    // Counts that fall, and counts that no hour can have.
    assert_eq!(
        errors(|words| part(&mut words.hour[3], |total| total.missing = 1)).map(|error| error.is_some()),
        [false, true, true]
    );
    let counts = |boundary| Some(Malformed::Counts { boundary });
    let many = |words: &mut Words| part(&mut words.day[0], |total| (total.estimated, total.missing) = (60, 37));
    assert_eq!(errors(many), [counts(1), counts(24), counts(96)]);
    // Everything missing and yet energy.
    let missing = |words: &mut Words| part(&mut words.day[0], |total| total.missing = 96);
    assert_eq!(errors(missing)[0], Some(Malformed::Energy { boundary: 1 }));
    // More than an interval can have.
    let huge = |words: &mut Words| part(&mut words.day[0], |total| total.wh = (1 << 48) - 1);
    assert_eq!(errors(huge).map(|error| matches!(error, Some(Malformed::Energy { .. }))), [true; 3]);
    assert_eq!(errors(|words| words.day[1] = 1 << 32), [Some(Malformed::RevisionDate); 3]);
}

#[test]
fn another_key_is_no_malformed_reading() {
    let mut world = World::new();
    let cell = world.seal(0, &readings(CHANNEL, DAY, 96, 0, 0), 0);
    let stranger = MeterKey::new(Secret::from_bytes([0xee; 32]), 0);
    let wrong = OpenError::WrongKey { day: OperatingDay(DAY), epoch: 0, level: Level::Day };
    assert_eq!(reopen(&stranger, &cell), Err(wrong));
    let (customer, segments) = world.customer();
    let verified = world.read(CHANNEL, range(DAY, DAY), Level::Quarter, &segments, &customer);
    let Some(VerifiedDay::Committed(found)) = verified.day(OperatingDay(DAY)) else { panic!() };
    assert_eq!(open(found, &Keyring::from_meter_key(stranger), Intervals::Normal), Err(wrong));
    // A right day key and a wrong hour key: the level is named.
    let mut mixed = Keyring::new();
    let grant = |level| Grant { channel: CHANNEL, epoch: 0, days: range(DAY, DAY), level };
    grant(Level::Day).add(&world.key(), &mut mixed);
    grant(Level::Quarter).add(&MeterKey::new(Secret::from_bytes([0xee; 32]), 0), &mut mixed);
    let wrong = OpenError::WrongKey { day: OperatingDay(DAY), epoch: 0, level: Level::Hour };
    assert_eq!(open(found, &mixed, Intervals::Normal), Err(wrong));
    assert!(mixed.matches(&cell, Level::Day) && !mixed.matches(&cell, Level::Hour));
    // A key of another generation is no key of this cell.
    let later = Keyring::from_meter_key(MeterKey::new(world.key().secret().clone(), 1));
    let none = OpenError::EpochNotGranted { day: OperatingDay(DAY), epoch: 0 };
    assert_eq!(open(found, &later, Intervals::Normal), Err(none));
    assert!(Keyring::new().is_empty() && !later.is_empty());
}

#[test]
fn every_changed_bit_of_a_cell_changes_its_hash_or_its_opening() {
    let mut world = World::new();
    let cell = world.seal(1, &readings(CHANNEL, DAY, 96, 7, 0), 0);
    let bytes = cell.encode();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = SealedCell::decode(&changed) {
            assert!(changed.hash() != cell.hash() || reopen(&world.key(), &changed).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn the_end_of_a_stream_is_no_reading() {
    let world = World::new();
    let cell = world.sealer(CHANNEL, 0).close(OperatingDay(DAY), Intervals::Normal).unwrap();
    assert_eq!(reopen(&world.key(), &cell), Err(OpenError::Closed { day: OperatingDay(DAY) }));
}

#[test]
fn nothing_is_sealed_for_days_beyond_the_key_trees() {
    let world = World::new();
    let beyond = OperatingDay(LAST_DAY.0 + 1);
    let mut sealer = world.sealer(CHANNEL, 0);
    let head = *sealer.head();
    let refused = Err(SealError::Beyond(DayBeyondTree(beyond)));
    assert_eq!(sealer.seal_day(&readings(CHANNEL, beyond.0, 96, 0, 0), 0), refused);
    assert_eq!(sealer.withdraw(beyond, Intervals::Normal, 0), refused);
    assert_eq!(sealer.close(beyond, Intervals::Normal), refused);
    assert_eq!(*sealer.head(), head);
    assert!(sealer.withdraw(LAST_DAY, Intervals::Normal, 0).is_ok());
    assert!(sealer.close(LAST_DAY, Intervals::Normal).is_ok());
}
