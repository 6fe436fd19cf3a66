//! Junk among delivered keys is noticed before the keys are trusted, whichever node it is.

use crate::world::{range, readings, utility, World};
use sealed_register::{
    delivery::{sample_days, ConsentTerms, Delivery, Purpose, Segment},
    proof::Form,
    tree::Cover,
    verify::VerifyError,
    Channel, Channels, DayRange, Keyring, Level, OperatingDay, RangeRequest, Secret, VerifiedRange,
};

/// A day whose number has many low bits set and one with many clear: the cover between has nodes of many sizes.
const FIRST: u16 = 8_189;
const LAST: u16 = 8_210;

/// Days from FIRST to LAST of epoch 0 but for one, one of them amended under epoch 1.
fn world() -> World {
    let mut world = World::new();
    for day in (FIRST..=LAST).filter(|day| *day != 8_191) {
        world.seal(0, &readings(Channel::Consumption, day, 96, 1, 0), 0);
    }
    world.seal(1, &readings(Channel::Consumption, 8_200, 96, 2, 5), 1);
    world
}

fn segments() -> [Segment; 2] {
    [0, 1].map(|epoch| Segment { epoch, days: range(FIRST, LAST) })
}

fn delivery(world: &World) -> Delivery {
    let terms = ConsentTerms {
        utility: utility(),
        meter: world.meter,
        grantee: [2; 32],
        channels: Channels::Consumption,
        level: Level::Hour,
        data: range(FIRST, LAST),
        access: range(FIRST, LAST),
        purpose: Purpose::Storage,
        text_hash: [3; 32],
    };
    Delivery::make(&terms, &segments(), |epoch| Some(world.key().epoch_key(epoch))).unwrap()
}

/// Headers alone, as a reader without keys gets them.
fn headers(world: &World) -> VerifiedRange {
    world.read(Channel::Consumption, range(FIRST, LAST), Level::Day, &[], &Keyring::new())
}

fn try_keys(world: &World, delivery: &Delivery, samples: &[Segment]) -> Result<VerifiedRange, VerifyError> {
    let request = world.request(Channel::Consumption, range(FIRST, LAST), Level::Hour, samples);
    world.try_read(&RangeRequest { form: Form::Explained, ..request }, &delivery.keyring())
}

#[test]
fn every_node_with_a_cell_has_a_sample_and_no_other() {
    let world = world();
    let samples = sample_days(&segments(), &headers(&world)).unwrap();
    // 8189, (8190, 8191), 8192 to 8207, (8208, 8209), 8210 under epoch 0; under epoch 1 only 8200, inside the large node.
    let day = |epoch, day| Segment { epoch, days: range(day, day) };
    let expected = [day(0, 8_189), day(0, 8_190), day(0, 8_192), day(0, 8_208), day(0, 8_210), day(1, 8_200)];
    assert_eq!(samples, expected);
    assert!(try_keys(&world, &delivery(&world), &samples).is_ok());
    let beyond = Segment { epoch: 0, days: DayRange { first: OperatingDay(8_000), last: OperatingDay(u16::MAX) } };
    assert!(sample_days(&[beyond], &headers(&world)).is_err());
}

#[test]
fn one_junk_node_of_any_tree_is_named_by_its_sample() {
    let world = world();
    let samples = sample_days(&segments(), &headers(&world)).unwrap();
    let good = delivery(&world);
    let mut tested = 0;
    for (at, tree) in good.trees.iter().enumerate() {
        for (node, days) in Cover::node_ranges(tree.segment.days).unwrap().into_iter().enumerate() {
            let mut junk = good.clone();
            let mut nodes = tree.cover.nodes().to_vec();
            nodes[node] = Secret::from_bytes([0xee; 32]);
            junk.trees[at].cover = Cover::new(tree.segment.days, nodes).unwrap();
            let sample = samples.iter().find(|it| it.epoch == tree.segment.epoch && days.contains(it.days.first));
            match (sample, try_keys(&world, &junk, &samples)) {
                (Some(sample), Err(VerifyError::SectionMismatch { cell, level, epoch })) => {
                    assert_eq!((cell.day, level, epoch), (sample.days.first, tree.level, tree.segment.epoch));
                    tested += 1;
                }
                (None, Ok(_)) => {}
                (sample, result) => panic!("node {node} of tree {at}, sample {sample:?}: {result:?}"),
            }
        }
    }
    // Two levels: five nodes of epoch 0, one of epoch 1.
    assert_eq!(tested, 2 * 6);
}
