//! Everything that a hostile feed does, in every order: files that change, bad rows, several truths of one day, parts of
//! days, undated and equally dated versions, servers that fail, kills, meters that are registered late, an off-chain
//! database that is lost. In the end nothing in the feed is left that should be sealed, and what is not is listed.

use super::support::*;
use crate::worker::{
    commit,
    feed::FeedError,
    store::{Store, LOCK},
};
use proptest::prelude::*;
use sealed_register::{
    amend::{self, Decision, SealedVersion},
    Channels, DayReadings, MeterId, OperatingDay, Quality, Reading,
};
use smart_meter_texas::{Channel as FeedChannel, Interval, MeterDay, RevisionDate};
use std::collections::{BTreeMap, BTreeSet};
use wattseal_primitives::{
    bridge::{channel, day_readings},
    offchain::FileState,
};

const FIRST_DAY: u16 = 8_300;
const FIRST_DATE: u32 = 12_000_000;
const METERS: std::ops::RangeInclusive<u8> = 1..=3;

/// A version of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    meter: u8,
    generation: bool,
    day: u16,
    /// 0: none.
    date: u32,
    /// Which of several truths.
    values: u32,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Whole,
    Morning,
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BadRow {
    NoRow,
    Negative,
    Date,
    EsiId,
}

#[derive(Clone, Debug)]
struct File {
    versions: Vec<Version>,
    /// Bad rows and after which row they stand.
    bad: Vec<(BadRow, u16)>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A file appears, or has other content.
    Put(u8, File),
    /// A file goes.
    Remove(u8),
    /// From now on the server fails so, or not.
    Fault(Option<Fault>),
    /// Whole turns of the node.
    Turns(u8),
    /// A sealing run, killed after so many writes.
    Killed(u32),
    /// The utility registers a meter.
    Register(u8),
    /// Somebody's access to a meter ends.
    RaiseEpoch(u8),
    /// Many blocks pass.
    Blocks,
    /// The off-chain database is lost, and the index made anew from the vault.
    Lose,
}

fn version() -> impl Strategy<Value = Version> {
    let part = prop_oneof![4 => Just(Part::Whole), 1 => Just(Part::Morning), 1 => Just(Part::Rest)];
    (METERS, any::<bool>(), 0_u16..2, 0_u32..4, 0_u32..3, part)
        .prop_map(|(meter, generation, day, date, values, part)| Version { meter, generation, day, date, values, part })
}

fn file() -> impl Strategy<Value = File> {
    let bad = prop_oneof![Just(BadRow::NoRow), Just(BadRow::Negative), Just(BadRow::Date), Just(BadRow::EsiId)];
    let bad = prop::collection::vec((bad, 0_u16..200), 0..3);
    (prop::collection::vec(version(), 0..5), bad).prop_map(|(mut versions, bad)| {
        // Rows of one REVISION_DATE are one version.
        let mut seen = BTreeSet::new();
        versions.retain(|Version { meter, generation, day, date, .. }| seen.insert((*meter, *generation, *day, *date)));
        File { versions, bad }
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let error = || {
        let errors = [FeedError::NotReached, FeedError::TooSlow, FeedError::Status(500), FeedError::OtherLength];
        prop::sample::select(errors.to_vec())
    };
    prop_oneof![
        error().prop_map(Fault::Listing),
        Just(Fault::OtherListing(b"<html>".to_vec())),
        Just(Fault::OtherListing(b"[]".to_vec())),
        (error(), 0_usize..20_000).prop_map(|(error, after)| Fault::File { error, after }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..4, file()).prop_map(|(name, file)| Step::Put(name, file)),
        1 => (0_u8..4).prop_map(Step::Remove),
        2 => prop::option::of(fault()).prop_map(Step::Fault),
        6 => (1_u8..8).prop_map(Step::Turns),
        2 => (0_u32..12).prop_map(Step::Killed),
        2 => METERS.prop_map(Step::Register),
        1 => METERS.prop_map(Step::RaiseEpoch),
        1 => Just(Step::Blocks),
        1 => Just(Step::Lose),
    ]
}

fn meter_day_of(version: Version) -> MeterDay {
    let Version { meter, generation, day, date, values, part } = version;
    let channel = if generation { FeedChannel::Generation } else { FeedChannel::Consumption };
    let mut meter_day = meter_day(meter, channel, FIRST_DAY + day, values);
    meter_day.revision_date = RevisionDate(if date == 0 { 0 } else { FIRST_DATE + date });
    let missing = match part {
        Part::Whole => 0..0,
        Part::Morning => 60..96,
        Part::Rest => 0..50,
    };
    meter_day.complete = part == Part::Whole;
    meter_day.intervals[missing].fill(Interval::MISSING);
    meter_day
}

/// The file, and the lines that must be refused.
fn content(file: &File) -> (Vec<u8>, BTreeSet<u64>) {
    let days: Vec<MeterDay> = file.versions.iter().copied().map(meter_day_of).collect();
    let text = String::from_utf8(csv_of(&days)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut bad: BTreeMap<usize, BadRow> = BTreeMap::new();
    for (row, after) in &file.bad {
        bad.insert(1 + usize::from(*after) % lines.len(), *row);
    }
    for (at, row) in bad.iter().rev() {
        let row = match row {
            BadRow::NoRow => "no row",
            BadRow::Negative => "'10443720000000001,03/01/2022,,00:00,00:15,-1,A,Consumption",
            BadRow::Date => "'10443720000000001,13/41/2022,,00:00,00:15,1,A,Consumption",
            BadRow::EsiId => "'104,03/01/2022,,00:00,00:15,1,A,Consumption",
        };
        lines.insert(*at, row.into());
    }
    // Each insertion before it moves a line down.
    let refused = (0..).zip(bad.keys()).map(|(before, at)| u64::try_from(at + before).unwrap() + 1).collect();
    (lines.join("\n").into_bytes(), refused)
}

fn name(file: u8) -> String {
    format!("{file}.csv")
}

fn register(world: &mut World, number: u8) {
    let meter = meter_of(number, 0);
    if !world.chain.meters.contains_key(&meter) {
        world.chain.register(meter, Channels::Both, OperatingDay(8_000));
        world.chain.block += 1;
    }
}

fn take(world: &mut World, step: &Step) {
    match step {
        Step::Put(number, file) => world.feed.put(&name(*number), content(file).0),
        Step::Remove(number) => drop(world.feed.files.remove(&name(*number))),
        Step::Fault(fault) => world.feed.fault = fault.clone(),
        Step::Turns(turns) => (0..*turns).for_each(|_| world.turn()),
        Step::Killed(writes) => {
            if commit::tidy(&mut world.store, &world.chain).is_empty() {
                world.store.writes_left = Some(*writes);
                world.seal();
                world.store.writes_left = None;
                world.store.clear(LOCK);
            }
        }
        Step::Register(number) => register(world, *number),
        Step::RaiseEpoch(number) => {
            world.chain.block += 1;
            world.chain.raise_epoch(&meter_of(*number, 0));
        }
        Step::Blocks => world.chain.block += 160,
        Step::Lose => {
            world.store.values.clear();
            for (shard, next) in world.vault.next.clone() {
                if next > 0 {
                    world.vault.index(&mut world.store, shard, next, world.chain.bits);
                }
            }
        }
    }
}

/// Whether all that `part` says stands in `whole`.
fn agrees(part: &DayReadings, whole: &DayReadings) -> bool {
    let agrees = |(one, other): (&Reading, &Reading)| one.quality == Quality::Missing || one == other;
    part.intervals.len() == whole.intervals.len() && part.intervals.iter().zip(&whole.intervals).all(agrees)
}

/// Whether a sealed version comes from versions of the feed: it is one, or the one before filled by one.
fn is_explained(sealed: &DayReadings, before: Option<&DayReadings>, ever: &[DayReadings]) -> bool {
    let later = before.is_none_or(|before| before.revision_date < sealed.revision_date);
    (later && ever.contains(sealed))
        || before.is_some_and(|before| {
            let filled = |new: &DayReadings| {
                let either =
                    |(old, new): (&Reading, &Reading)| if old.quality == Quality::Missing { *new } else { *old };
                let intervals: Vec<Reading> = before.intervals.iter().zip(&new.intervals).map(either).collect();
                agrees(before, sealed)
                    && agrees(new, sealed)
                    && intervals == sealed.intervals
                    && sealed.revision_date == before.revision_date.max(new.revision_date)
            };
            before.intervals != sealed.intervals && ever.iter().any(filled)
        })
}

proptest! {
    #[test]
    fn whatever_a_feed_does_good_days_are_sealed_and_the_rest_is_listed(
        bits in 0_u8..2,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new();
        world.chain.bits = bits;
        let mut files: BTreeMap<u8, File> = BTreeMap::new();
        let mut ever: BTreeMap<(MeterId, sealed_register::Channel, OperatingDay), Vec<DayReadings>> = BTreeMap::new();
        let key = |version: Version| {
            let day = meter_day_of(version);
            (meter_of(version.meter, 0), channel(day.channel), OperatingDay(day.day.0))
        };
        for step in &steps {
            match step {
                Step::Put(number, file) => {
                    for version in &file.versions {
                        ever.entry(key(*version)).or_default().push(day_readings(&meter_day_of(*version)).unwrap());
                    }
                    files.insert(*number, file.clone());
                }
                Step::Remove(number) => drop(files.remove(number)),
                _ => {}
            }
            take(&mut world, step);
        }
        world.feed.fault = None;
        METERS.for_each(|number| register(&mut world, number));
        if files.is_empty() {
            return Ok(());
        }
        world.chain.block += 200;
        world.turn();
        world.settle();
        prop_assert!(world.store.files().iter().all(|file| file.state == FileState::Done), "{:?}", world.store.files());
        let cells = |world: &World| world.vault.cells.values().map(Vec::len).sum::<usize>();
        let before = cells(&world);
        (0..5).for_each(|_| world.turn());
        prop_assert_eq!(cells(&world), before, "something was sealed twice");

        // Everything sealed came from the feed, each version once.
        for ((meter, of_channel, day), ever) in &ever {
            let sealed = world.vault.versions(meter, *of_channel).remove(day).unwrap_or_default();
            for (at, version) in sealed.iter().enumerate() {
                let before = at.checked_sub(1).map(|before| &sealed[before]);
                prop_assert!(is_explained(version, before, ever), "{version:?}\nafter {before:?}\nof {ever:?}");
            }
        }
        // Nothing is left in the feed that should be sealed; what waits for the operator is listed; so is each bad row.
        let report = world.store.report();
        let mut refused: BTreeSet<(String, u64)> = BTreeSet::new();
        for (number, file) in &files {
            refused.extend(content(file).1.into_iter().map(|line| (name(*number), line)));
            for version in &file.versions {
                let (meter, of_channel, day) = key(*version);
                let mut sealed = world.vault.versions(&meter, of_channel).remove(&day).unwrap_or_default();
                let readings = day_readings(&meter_day_of(*version)).unwrap();
                let newest = sealed.pop().map(|readings| SealedVersion { revision: 0, readings: Some(readings) });
                // It was the newest, or part of it, until something later came.
                let was_sealed = sealed.iter().any(|earlier| agrees(&readings, earlier));
                match amend::decide(newest.as_ref(), &readings) {
                    Decision::First => prop_assert!(false, "{version:?} of {number}.csv is not sealed"),
                    Decision::Amend { .. } => prop_assert!(was_sealed, "{version:?} of {number}.csv is not sealed"),
                    Decision::Held(_) => {
                        let is = |held: &wattseal_primitives::offchain::WaitingDay| {
                            (held.file.as_str(), held.meter, held.day, held.channel)
                                == (name(*number).as_str(), meter, day, of_channel)
                        };
                        let listed = report.held.iter().any(is);
                        prop_assert!(listed || was_sealed, "{version:?} of {number}.csv is not held");
                    }
                    Decision::Same | Decision::Older => {}
                }
            }
        }
        let listed: BTreeSet<(String, u64)> = report.refused.iter().map(|row| (row.file.clone(), row.line)).collect();
        prop_assert_eq!(&listed, &refused);
        prop_assert_eq!(report.refused_total, refused.len() as u64);
    }
}
