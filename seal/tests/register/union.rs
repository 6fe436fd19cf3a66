//! Property 1: the union of any deliveries opens exactly the union of their (epoch, range, level).

use crate::world::{all_cells, range, readings, Grant, World};
use proptest::prelude::*;
use sealed_register::{
    delivery::Segment,
    open::{open_with, OpenError, Opened},
    tree::{Cover, TreeNode, DEPTH},
    Channel, Intervals, Keyring, Level, OperatingDay, Secret,
};
use std::collections::BTreeSet;

const FIRST: u16 = 8090;
const DAYS: u16 = 14;
const LAST: u16 = FIRST + DAYS - 1;

fn any_grant() -> impl Strategy<Value = Grant> {
    let channel = prop::sample::select(Channel::ALL.to_vec());
    let level = prop::sample::select(Level::ALL.to_vec());
    (channel, 0..3u32, FIRST - 2..=LAST, 0..8u16, level).prop_map(|(channel, epoch, first, more, level)| Grant {
        channel,
        epoch,
        days: range(first, first + more),
        level,
    })
}

/// Days 0 to 13 under epochs 0 to 2, each day of both channels, some amended later under a later epoch.
fn world() -> World {
    let mut world = World::new();
    for channel in Channel::ALL {
        for day in 0..DAYS {
            world.seal(u32::from(day) / 6, &readings(channel, FIRST + day, 96, 1, 0), 0);
        }
        for day in [0, 3, 7, 12] {
            world.seal(2, &readings(channel, FIRST + day, 96, 2, 5), 1);
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn deliveries_open_exactly_their_union(grants in prop::collection::vec(any_grant(), 0..5)) {
        let world = world();
        let keyring = world.keyring(&grants);
        let granted = |channel, epoch, day, level| grants.iter().any(|grant| {
            (grant.channel, grant.epoch) == (channel, epoch) && grant.days.contains(day) && grant.level >= level
        });
        let mut cursor = keyring.cursor();
        for cell in &world.cells {
            let header = &cell.header;
            for level in Level::ALL {
                let allowed = granted(header.channel, header.epoch, header.day, level);
                prop_assert_eq!(keyring.kc(header, level).is_some(), allowed);
                prop_assert_eq!(cursor.kc(header, level), keyring.kc(header, level));
                prop_assert_eq!(keyring.matches(cell, level), allowed);
            }
            let finest = Level::ALL.into_iter().rfind(|level| {
                granted(header.channel, header.epoch, header.day, *level)
            });
            prop_assert_eq!(keyring.level(header), finest);
        }
        for channel in Channel::ALL {
            for level in Level::ALL {
                let usable = grants.iter().filter(|grant| grant.channel == channel && grant.level >= level);
                let segments: Vec<Segment> = usable.map(Grant::segment).collect();
                let verified = world.read(channel, range(FIRST, LAST), level, &segments, &keyring);
                let cells = all_cells(&verified);
                prop_assert_eq!(cells.len(), usize::from(DAYS) + 4);
                let mut cursor = keyring.cursor();
                for cell in cells {
                    let header = *cell.header();
                    let truth = readings(channel, header.day.0, 96, 1 + u32::from(header.revision), 5 * u32::from(header.revision));
                    let total: u64 = truth.intervals.iter().map(|reading| u64::from(reading.wh)).sum();
                    let opened = open_with(&cell, &mut cursor, Intervals::Normal);
                    if granted(channel, header.epoch, header.day, level) {
                        let opened = opened.unwrap();
                        prop_assert_eq!(opened.level(), level);
                        prop_assert_eq!(opened.total().wh, total);
                        prop_assert_eq!(opened.revision_date(), truth.revision_date);
                        if let Opened::Quarters(readings) = opened {
                            prop_assert_eq!(readings, truth);
                        }
                    } else if granted(channel, header.epoch, header.day, Level::Day) {
                        let error = OpenError::NotAskedFor { day: header.day, epoch: header.epoch };
                        prop_assert_eq!(opened, Err(error));
                    } else {
                        let error = OpenError::EpochNotGranted { day: header.day, epoch: header.epoch };
                        prop_assert_eq!(opened, Err(error));
                    }
                }
            }
        }
    }

    /// Brute force: derive everything below every node of some covers, and compare with all leaves of the small tree.
    #[test]
    fn nodes_of_covers_derive_exactly_their_days(spans in prop::collection::vec((0..64u16, 0..64u16), 1..4)) {
        const BASE: u16 = 64 * 120;
        let root = TreeNode::root(Secret::from_bytes([8; 32]));
        let day = |offset: u16| OperatingDay(BASE + offset);
        let spans: Vec<_> = spans.into_iter().map(|(a, b)| range(day(a.min(b)).0, day(a.max(b)).0)).collect();
        let mut reachable = BTreeSet::new();
        for span in &spans {
            let cover = root.cover(*span).unwrap();
            // As a receiver has it: nothing but seeds and the range.
            let cover = Cover::new(*span, cover.nodes().to_vec()).unwrap();
            for node in span.iter().map(|day| cover.node_above(day).unwrap()) {
                everything_below(&node, &mut reachable);
            }
        }
        for offset in 0..64 {
            let leaf = root.node(DEPTH, u32::from(day(offset).0)).unwrap();
            let granted = spans.iter().any(|span| span.contains(day(offset)));
            prop_assert_eq!(reachable.contains(leaf.seed().expose()), granted);
        }
        // No node above the granted ones came out either.
        for depth in 0..DEPTH {
            for index in BTreeSet::from_iter((0..64).map(|offset| u32::from(day(offset).0) >> (DEPTH - depth))) {
                let size = 1u32 << (DEPTH - depth);
                let whole = |span: &sealed_register::DayRange| {
                    u32::from(span.first.0) <= index * size && (index + 1) * size - 1 <= u32::from(span.last.0)
                };
                let node = root.node(depth, index).unwrap();
                prop_assert!(spans.iter().any(whole) || !reachable.contains(node.seed().expose()));
            }
        }
    }
}

fn everything_below(node: &TreeNode, found: &mut BTreeSet<[u8; 32]>) {
    if !found.insert(*node.seed().expose()) || node.depth() == DEPTH {
        return;
    }
    for child in [2 * node.index(), 2 * node.index() + 1] {
        everything_below(&node.node(node.depth() + 1, child).unwrap(), found);
    }
}

#[test]
fn a_level_that_was_not_granted_is_refused_by_name() {
    let world = world();
    let grant = Grant { channel: Channel::Consumption, epoch: 0, days: range(FIRST, FIRST + 5), level: Level::Day };
    let hours = Grant { level: Level::Hour, ..grant };
    let verified = world.read(grant.channel, grant.days, Level::Hour, &[hours.segment()], &world.keyring(&[hours]));
    let cell = &verified.revisions(OperatingDay(FIRST + 1))[0];
    let error = sealed_register::open(cell, &world.keyring(&[grant]), Intervals::Normal).unwrap_err();
    let day = OperatingDay(FIRST + 1);
    assert_eq!(error, OpenError::LevelNotGranted { day, granted: Level::Day, asked: Level::Hour });
    assert!(error.to_string().contains("Day, not Hour"), "{error}");
}

/// Of two covers for a day the earlier added is used, also by a cursor that stands in the other one's tree.
#[test]
fn a_cursor_agrees_with_its_keyring_where_covers_overlap() {
    let mut world = World::new();
    let cells: Vec<_> =
        (0..16).map(|day| world.seal(0, &readings(Channel::Consumption, FIRST + day, 96, 1, 0), 0)).collect();
    let right = world.key().epoch_key(0).tree_root(Channel::Consumption, Level::Day);
    let wrong = TreeNode::root(Secret::from_bytes([0xee; 32]));
    let (one, all) = (range(FIRST + 6, FIRST + 6), range(FIRST, FIRST + 15));
    for (earlier, later) in [((&right, one), (&wrong, all)), ((&wrong, one), (&right, all))] {
        let mut keyring = Keyring::new();
        for (tree, days) in [earlier, later] {
            keyring.add_cover(Channel::Consumption, Level::Day, 0, tree.cover(days).unwrap());
        }
        for order in [cells.iter().collect::<Vec<_>>(), cells.iter().rev().collect()] {
            let mut cursor = keyring.cursor();
            for cell in order {
                let leaf = cursor.leaf(&cell.header, Level::Day);
                assert_eq!(leaf, keyring.leaf(&cell.header, Level::Day), "{}", cell.header.day);
            }
        }
        let fits: Vec<_> = cells.iter().filter(|cell| keyring.matches(cell, Level::Day)).collect();
        assert_eq!(fits.len(), if earlier.0 == &right { 1 } else { 15 });
    }
}
