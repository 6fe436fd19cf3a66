//! A random walk: files in any order, kills between any two writes, lost transactions, rising epochs, late registrations,
//! an index that is rebuilt. Whatever happens, every version that counts is sealed exactly once.

use super::support::*;
use crate::worker::{
    chain::{Action, Chain},
    commit,
    store::Store,
};
use proptest::prelude::*;
use sealed_register::{Channels, DayReadings, OperatingDay};
use smart_meter_texas::{Channel as FeedChannel, MeterDay};
use std::collections::{BTreeMap, BTreeSet};
use wattseal_primitives::{
    bridge::{channel, day_readings},
    offchain::{FileState, OUTBOX},
};

const FIRST_DAY: u16 = 8_300;
const FIRST_DATE: u32 = 12_000_000;

/// A version of a day: meter 1 to 3, channel, day 0 to 2, date 0 to 2.
type Version = (u8, bool, u16, u32);

#[derive(Clone, Debug)]
enum Step {
    /// A file appears, or changes.
    File(u8, Vec<Version>),
    /// A sealing run, killed after so many writes.
    Seal(Option<u32>),
    /// The native task copies the outbox.
    Stage,
    /// A signing run; what it sends is included, or lost.
    Commit(bool),
    /// Finality and import.
    Import,
    /// Blocks pass.
    Blocks(u32),
    /// Somebody's access to a meter ends.
    RaiseEpoch(u8),
    /// The utility registers a meter.
    Register(u8),
    /// The index is thrown away and rebuilt from the vault.
    Rebuild,
    /// The off-chain database loses what the worker wrote; the vault keeps what it has.
    LoseOutbox,
}

fn version() -> impl Strategy<Value = Version> {
    (1_u8..=3, any::<bool>(), 0_u16..3, 0_u32..3)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..4, prop::collection::vec(version(), 1..6)).prop_map(|(name, days)| Step::File(name, days)),
        4 => prop::option::of(0_u32..12).prop_map(Step::Seal),
        3 => Just(Step::Stage),
        3 => any::<bool>().prop_map(Step::Commit),
        3 => Just(Step::Import),
        1 => prop_oneof![1_u32..4, Just(60), Just(160)].prop_map(Step::Blocks),
        1 => (1_u8..=3).prop_map(Step::RaiseEpoch),
        1 => (1_u8..=3).prop_map(Step::Register),
        1 => Just(Step::Rebuild),
        1 => Just(Step::LoseOutbox),
    ]
}

fn meter_day_of((number, generation, day, date): Version) -> MeterDay {
    let channel = if generation { FeedChannel::Generation } else { FeedChannel::Consumption };
    meter_day(number, channel, FIRST_DAY + day, FIRST_DATE + date)
}

fn take(world: &mut World, step: &Step) {
    match step {
        Step::File(name, versions) => {
            let days: Vec<MeterDay> = versions.iter().copied().map(meter_day_of).collect();
            world.feed.put(&format!("{name}.csv"), csv_of(&days));
        }
        Step::Seal(writes) => {
            // As the worker does: only with nothing on its way.
            if commit::tidy(&mut world.store, &world.chain).is_empty() {
                world.store.writes_left = *writes;
                world.seal();
                world.store.writes_left = None;
                // The node starts again: the lock of the killed run is void.
                world.store.clear(crate::worker::store::LOCK);
            }
        }
        Step::Stage => world.vault.stage(&mut world.store),
        Step::Commit(included) => {
            if *included {
                world.commit();
            } else {
                let mut outbox = commit::tidy(&mut world.store, &world.chain);
                let mut lost = Pool::default();
                commit::sign(&mut world.store, &world.chain, &mut lost, &config(), &mut outbox);
                assert!(lost.sent.iter().all(|(action, ..)| matches!(action, Action::Commit(_))));
            }
            world.chain.block += 1;
        }
        Step::Import => world.vault.import(&mut world.store, &world.chain),
        Step::Blocks(blocks) => world.chain.block += blocks,
        Step::RaiseEpoch(number) => {
            world.chain.block += 1;
            world.chain.raise_epoch(&meter_of(*number, 0));
        }
        Step::Register(number) => register(world, *number),
        Step::Rebuild => {
            let before = world.store.clone();
            world.store.values.retain(|key, _| !key.starts_with(b"wattseal/index"));
            for (shard, next) in world.vault.next.clone() {
                if next > 0 {
                    world.vault.index(&mut world.store, shard, next, world.chain.bits);
                }
            }
            assert_eq!(world.store.values, before.values, "the index is a function of vault and keys");
        }
        Step::LoseOutbox => world.store.write::<Vec<wattseal_primitives::offchain::OutboxEntry>>(OUTBOX, &Vec::new()),
    }
}

fn register(world: &mut World, number: u8) {
    let meter = meter_of(number, 0);
    if !world.chain.meters.contains_key(&meter) {
        world.chain.register(meter, Channels::Both, OperatingDay(8_000));
        world.chain.block += 1;
    }
}

/// All versions of the files that lie in the feed at the end.
fn in_feed(world: &World, files: &BTreeMap<u8, Vec<Version>>) -> BTreeSet<Version> {
    let names: BTreeSet<String> = world.feed.files.keys().cloned().collect();
    files.iter().filter(|(name, _)| names.contains(&format!("{name}.csv"))).flat_map(|(_, days)| days.clone()).collect()
}

proptest! {
    #[test]
    fn every_version_that_counts_is_sealed_exactly_once(bits in 0_u8..3, steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        world.chain.bits = bits;
        let mut files: BTreeMap<u8, Vec<Version>> = BTreeMap::new();
        let mut ever: BTreeSet<Version> = BTreeSet::new();
        for step in &steps {
            if let Step::File(name, versions) = step {
                files.insert(*name, versions.clone());
                ever.extend(versions.iter().copied());
            }
            take(&mut world, step);
        }
        (1..=3).for_each(|number| register(&mut world, number));
        if !world.feed.files.is_empty() {
            // Far enough that whatever was signed and lost is given up, and waiting files are tried again.
            world.chain.block += 200;
            world.turn();
            world.settle();
        }
        prop_assert!(world.store.files().iter().all(|file| file.state == FileState::Done), "{:?}", world.store.files());

        let given = in_feed(&world, &files);
        for number in 1..=3 {
            for generation in [false, true] {
                let feed_channel = if generation { FeedChannel::Generation } else { FeedChannel::Consumption };
                let sealed = world.vault.versions(&meter_of(number, 0), channel(feed_channel));
                for day in 0..3 {
                    let versions: &[DayReadings] =
                        sealed.get(&OperatingDay(FIRST_DAY + day)).map(Vec::as_slice).unwrap_or_default();
                    // Everything sealed came from a file, in ascending order of dates, and so nothing twice.
                    for version in versions {
                        let date = version.revision_date - FIRST_DATE;
                        prop_assert!(ever.contains(&(number, generation, day, date)));
                        let original = meter_day_of((number, generation, day, date));
                        prop_assert_eq!(version, &day_readings(&original).unwrap());
                    }
                    prop_assert!(versions.windows(2).all(|pair| pair[0].revision_date < pair[1].revision_date));
                    // The newest version that lies in the feed is there, or a newer one that once lay there.
                    let newest = (0..3).rev().find(|date| given.contains(&(number, generation, day, *date)));
                    let last = versions.last().map(|version| version.revision_date - FIRST_DATE);
                    prop_assert!(newest <= last, "{newest:?} {last:?}");
                }
            }
        }
        // The chain and the vault are in step, and the outbox is empty.
        for (shard, state) in &world.chain.shards {
            prop_assert_eq!(world.vault.next.get(shard), Some(&state.next_sequence));
            prop_assert_eq!(world.chain.shard(*shard).root, world.vault.heads[shard].root(state.next_sequence - 1));
        }
        prop_assert_eq!(world.store.outbox(), vec![]);
    }
}
