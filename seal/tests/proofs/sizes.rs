//! Sizes of protocol section 6: a meter-year in a full shard.

use crate::world::{range, readings, World, START};
use sealed_register::{
    heads::ExtendError,
    proof::{Form, RangeProof},
    shard::{MAX_PATH, MAX_STREAMS},
    Channel, Intervals, Level, OperatingDay,
};

/// Fills the shard to its last stream with cells without words; the meters after `first` are new.
fn fill(world: &mut World, first: u32) {
    for number in first.. {
        let meter = world.meter(number);
        for channel in Channel::ALL {
            let head = world.sealing.head(&meter, channel);
            let key = world.key(&meter);
            let stream = world.stream(&meter, channel);
            let siv = world.secrets.siv.clone();
            let mut sealer = sealed_register::StreamSealer::new(&key, &siv, stream, 0, head, 1);
            let cell = sealer.withdraw(OperatingDay(START), Intervals::Normal, 0).unwrap();
            if world.sealing.len() + world.pending.len() == MAX_STREAMS as usize {
                let refused = world.sealing.clone();
                for pending in std::mem::take(&mut world.pending) {
                    world.sealing.apply(&pending).unwrap();
                }
                world.checked = world.sealing.clone();
                assert!(refused.len() < world.sealing.len());
                let full = world.sealing.apply(&cell).unwrap_err();
                assert!(matches!(full, ExtendError::ShardFull { .. }), "{full}");
                return;
            }
            world.pending.push(cell);
        }
    }
}

#[test]
fn a_meter_year_in_a_full_shard_stays_within_the_sizes_of_the_protocol() {
    let mut world = World::new();
    let meter = world.meter(0);
    // A year with its 23-hour and its 25-hour day.
    let year = range(START, START + 364);
    for day in year.iter() {
        let intervals = match day.0 - START {
            66 => 92,
            304 => 100,
            _ => 96,
        };
        let cell = readings(Channel::Consumption, day.0, intervals, 0);
        let sealed = {
            let head = world.sealing.head(&meter, Channel::Consumption);
            let stream = world.stream(&meter, Channel::Consumption);
            sealed_register::seal::seal_day(&world.key(&meter), &world.secrets.siv, &stream, 0, &head, &cell, 0, 9999)
        };
        let sealed = sealed.unwrap();
        world.sealing.apply(&sealed).unwrap();
        world.store.entry((meter, Channel::Consumption)).or_default().push(sealed);
    }
    fill(&mut world, 1);
    assert_eq!(world.sealing.len(), MAX_STREAMS as usize);
    world.next_batch = 1;
    let tree = world.tree();
    assert_eq!(tree.root(), world.sealing.root(0));
    world.root = Some(world.finalized(0, tree.root()));

    for (level, most) in [(Level::Day, 45_000), (Level::Hour, 100_000), (Level::Quarter, 300_000)] {
        let request = world.request(&meter, Channel::Consumption, year, level);
        let proof = world.prove(&request);
        assert_eq!(proof.path.siblings.len(), MAX_PATH);
        assert_eq!(proof.elements.len(), 365, "every day of the year, and nothing before it");
        let bytes = proof.encode();
        println!("a meter-year at level {level:?}: {} bytes", bytes.len());
        assert!(bytes.len() <= most, "{level:?}: {} bytes", bytes.len());
        // The protocol calculates 43, 96 and 294 kB: nothing of it may have been left out either.
        assert!(bytes.len() >= most * 9 / 10, "{level:?}: {} bytes", bytes.len());
        let verified = world.check(&request, &RangeProof::decode(&bytes).unwrap()).unwrap();
        assert!(verified.days().all(|(day, _)| verified.revisions(day)[0].level() == Some(level)));

        // Explained: a previous hash per cell, and the hashes of the sections in clear.
        let explained = world.prove(&sealed_register::RangeRequest { form: Form::Explained, ..request }).encode();
        let clear = level.included().count();
        assert_eq!(explained.len() - bytes.len(), 365 * 32 * (1 + clear));
    }
}

#[test]
fn cells_after_the_range_cost_65_bytes_each() {
    let mut world = World::new();
    let meter = world.meter(0);
    world.seal_days(&meter, Channel::Consumption, range(START, START + 99));
    world.commit();
    let size = |last: u16| {
        let request = world.request(&meter, Channel::Consumption, range(START, last), Level::Quarter);
        world.prove(&request).encode().len()
    };
    let opened = 32 + 1 + 8 * 97;
    assert_eq!(size(START + 99) - size(START + 98), opened - 65);
}
