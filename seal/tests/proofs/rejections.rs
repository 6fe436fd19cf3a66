//! Protocol section 10, property 4: each false answer is refused with its own error.

use crate::world::{range, utility, World, GENESIS, START};
use sealed_register::{
    cell::first_previous,
    heads::CellName,
    proof::{Body, Form, RangeProof},
    verify::{verify_range, VerifyError},
    Channel, FinalizedRoot, Keyring, Level, MeterId, OperatingDay, OrganisationId, RangeRequest, ShardId,
};

/// Two meters of ten days, two batches, both channels.
fn world() -> (World, MeterId, MeterId) {
    let mut world = World::new();
    let (meter, other) = (world.meter(0), world.meter(1));
    for meter in [meter, other] {
        world.seal_days(&meter, Channel::Consumption, range(START, START + 7));
        world.seal_days(&meter, Channel::Generation, range(START, START + 7));
    }
    world.commit();
    world.seal_days(&meter, Channel::Consumption, range(START + 8, START + 9));
    world.commit();
    (world, meter, other)
}

fn request(world: &World, meter: &MeterId) -> RangeRequest {
    world.request(meter, Channel::Consumption, range(START + 2, START + 9), Level::Hour)
}

fn refused(world: &World, request: &RangeRequest, proof: &RangeProof) -> VerifyError {
    world.check(request, proof).expect_err("an honest verifier refuses this")
}

fn name(proof: &RangeProof, at: usize) -> CellName {
    CellName::from(&proof.elements[at].header)
}

#[test]
fn another_meter_or_channel() {
    let (world, meter, other) = world();
    let request = request(&world, &meter);
    let mut foreign = request.clone();
    foreign.stream.meter = other;
    let proof = world.prove(&foreign);
    assert_eq!(refused(&world, &request, &proof), VerifyError::WrongMeter { expected: meter, found: other });

    let mut foreign = request.clone();
    foreign.stream.channel = Channel::Generation;
    assert_eq!(refused(&world, &request, &world.prove(&foreign)), VerifyError::WrongChannel);

    // One cell of the other meter in the midst of an otherwise right proof.
    let mut mixed = world.prove(&request);
    let mut theirs = request.clone();
    theirs.stream.meter = other;
    mixed.elements[3].header = world.store[&(other, Channel::Consumption)][5].header;
    let cell = name(&mixed, 3);
    assert_eq!(refused(&world, &request, &mixed), VerifyError::ForeignElement { cell });
}

#[test]
fn another_utility_genesis_or_shard() {
    let (world, meter, _) = world();
    let asked = request(&world, &meter);
    let (proof, keyring) = (world.prove(&asked), world.keyring(&asked));
    let root = world.root.unwrap();
    let check = |request: &RangeRequest, root: &FinalizedRoot| verify_range(request, &proof, root, root, &keyring);

    let mut other = asked.clone();
    other.stream.utility = OrganisationId::new("centerpoint").unwrap();
    let expected = VerifyError::WrongUtility { root: utility(), request: other.stream.utility };
    assert_eq!(check(&other, &root), Err(expected));
    let mut other = asked.clone();
    other.stream.genesis = [1; 32];
    assert_eq!(check(&other, &root), Err(VerifyError::WrongGenesis { root: GENESIS, request: [1; 32] }));

    let mut elsewhere = World::new();
    elsewhere.shard.id = ShardId(0);
    let foreign = elsewhere.finalized(1, *root.root());
    assert_eq!(check(&asked, &foreign), Err(VerifyError::WrongShard { meter, root_shard: ShardId(0) }));

    // The whole history of another chain or utility, with the same keys, under its own root: its heads are others.
    for (genesis, utility) in [([1; 32], utility()), (GENESIS, OrganisationId::new("centerpoint").unwrap())] {
        let mut foreign = World::with_genesis(genesis, utility);
        let meter = foreign.meter(0);
        foreign.seal_days(&meter, Channel::Consumption, range(START, START + 9));
        foreign.commit();
        let theirs = foreign.prove(&request(&foreign, &meter));
        let expected = VerifyError::NotUnderRoot { sequence: 9, batch_sequence: 1 };
        assert_eq!(verify_range(&asked, &theirs, &root, &root, &keyring), Err(expected));
    }
}

/// A stream that was begun for another meter and is passed off, root and all, as this one's.
#[test]
fn a_stream_with_a_foreign_beginning() {
    let (mut world, meter, _) = world();
    let mut cell = world
        .sealer(&meter, Channel::Consumption)
        .seal_day(&crate::world::readings(Channel::Consumption, START, 96, 0), 0);
    let foreign = world.stream(&MeterId([0xee; 16]), Channel::Consumption);
    let header = &mut cell.as_mut().unwrap().header;
    (header.sequence, header.previous, header.day_high) = (0, first_previous(&foreign), OperatingDay(0));
    let cell = cell.unwrap();
    // The heads refuse it, so the tree is made of an index that a dishonest utility wrote itself.
    let refused_by_vaults = sealed_register::Heads::new(world.shard).apply(&cell).unwrap_err();
    assert!(matches!(refused_by_vaults, sealed_register::heads::ExtendError::Previous { .. }));
    let mut index = 1u32.to_le_bytes().to_vec();
    index.extend(meter.0);
    index.push(Channel::Consumption as u8);
    index.extend(0u32.to_le_bytes());
    index.extend(cell.hash());
    index.extend(START.to_le_bytes());
    world.checked = sealed_register::Heads::decode(world.shard, &index).unwrap();
    world.root = Some(world.finalized(1, world.tree().root()));
    world.store.insert((meter, Channel::Consumption), vec![cell.clone()]);
    let mut request = request(&world, &meter);
    request.range = range(START, START);
    request.segments.clear();
    let proof = world.prove(&request);
    assert_eq!(refused(&world, &request, &proof), VerifyError::OtherStream { cell: CellName::from(&cell.header) });
}

#[test]
fn an_old_head() {
    let (mut world, meter, _) = world();
    let asked = request(&world, &meter);
    let old_proof = world.prove(&asked);
    let old_root = world.root.unwrap();
    world.seal_plain(&meter, START + 5, 1);
    world.commit();
    // The amendment of day 5 is withheld by showing the head before it.
    let expected = VerifyError::NotUnderRoot { sequence: 9, batch_sequence: 2 };
    assert_eq!(refused(&world, &asked, &old_proof), expected);
    // Under the old root it holds, and says that it is history.
    let keyring = world.keyring(&asked);
    let historic = verify_range(&asked, &old_proof, &old_root, &world.root.unwrap(), &keyring).unwrap();
    let expected = sealed_register::verified::Currency::Historic { newest_sequence: 2 };
    assert_eq!(historic.currency(), expected);
}

#[test]
fn the_newest_cell_withheld() {
    let (world, meter, _) = world();
    let request = request(&world, &meter);
    let mut proof = world.prove(&request);
    proof.elements.pop();
    assert_eq!(refused(&world, &request, &proof), VerifyError::NewestWithheld { last: 8, head: 9 });
    // With the leaf's number lowered to match, the leaf is not in the tree.
    proof.path.leaf.sequence = 8;
    let expected = VerifyError::NotUnderRoot { sequence: 8, batch_sequence: 1 };
    assert_eq!(refused(&world, &request, &proof), expected);
}

#[test]
fn a_missing_element() {
    let (world, meter, _) = world();
    let request = request(&world, &meter);
    let proof = world.prove(&request);
    for at in 1..proof.elements.len() - 1 {
        let mut cut = proof.clone();
        let expected = cut.elements.remove(at).header.sequence;
        let missing = VerifyError::MissingElement { expected, found: expected + 1 };
        assert_eq!(refused(&world, &request, &cut), missing);
        // Renumbered, the proof seems whole, but ends before the head.
        let first = cut.elements[0].header.sequence;
        for (number, element) in (first..).zip(&mut cut.elements) {
            element.header.sequence = number;
        }
        assert_eq!(refused(&world, &request, &cut), VerifyError::NewestWithheld { last: 8, head: 9 });
        // Renumbered from the other end, it reaches the head, but not by its hashes.
        for element in &mut cut.elements {
            element.header.sequence += 1;
        }
        assert_eq!(refused(&world, &request, &cut), VerifyError::HeadMismatch);
    }
    let mut empty = proof.clone();
    empty.elements.clear();
    assert_eq!(refused(&world, &request, &empty), VerifyError::Empty);
}

#[test]
fn a_late_original_or_the_first_days_left_out() {
    let mut world = World::new();
    let meter = world.meter(0);
    for day in [0, 1, 3, 4, 2, 5] {
        world.seal_plain(&meter, START + day, 0);
    }
    world.commit();
    let request = world.request(&meter, Channel::Consumption, range(START + 2, START + 4), Level::Day);
    let proof = world.prove(&request);
    let days: Vec<_> = proof.elements.iter().map(|element| element.header.day.0 - START).collect();
    assert_eq!(days, [3, 4, 2, 5], "the late original of day 2 lies after days 3 and 4");
    // Left out from the midst: its number is missing.
    let mut cut = proof.clone();
    cut.elements.remove(2);
    assert_eq!(refused(&world, &request, &cut), VerifyError::MissingElement { expected: 4, found: 5 });
    // Begun after it: what the first cell says of the days before it shows that.
    let mut late = proof.clone();
    late.elements.drain(..3);
    late.elements[0].header.previous = world.store[&(meter, Channel::Consumption)][5].header.previous;
    let (cell, day_high) = (name(&late, 0), OperatingDay(START + 4));
    assert_eq!(refused(&world, &request, &late), VerifyError::BeginsTooLate { cell, day_high });
    // More than asked for is no answer either: every answer has one form.
    let wide = world.prove(&RangeRequest { range: range(START, START + 4), ..request.clone() });
    let cell = name(&wide, 1);
    assert_eq!(refused(&world, &request, &wide), VerifyError::BeginsTooEarly { cell });
}

#[test]
fn other_sections_or_another_form_than_asked_for() {
    let (world, meter, _) = world();
    let hour = request(&world, &meter);
    let proof = world.prove(&hour);
    let cell = name(&proof, 0);
    let finer = RangeRequest { level: Level::Quarter, ..hour.clone() };
    let wrong = |expected, found| VerifyError::WrongSections { cell, expected, found };
    assert_eq!(refused(&world, &finer, &proof), wrong(Some(Level::Quarter), Some(Level::Hour)));
    let coarser = RangeRequest { level: Level::Day, ..hour.clone() };
    assert_eq!(refused(&world, &coarser, &proof), wrong(Some(Level::Day), Some(Level::Hour)));
    let nothing = RangeRequest { segments: Vec::new(), ..hour.clone() };
    assert_eq!(refused(&world, &nothing, &proof), wrong(None, Some(Level::Hour)));
    assert_eq!(refused(&world, &hour, &world.prove(&nothing)), wrong(Some(Level::Hour), None));

    let explained = RangeRequest { form: Form::Explained, ..hour };
    let expected = VerifyError::WrongForm { expected: Form::Explained, found: Form::Compact };
    assert_eq!(refused(&world, &explained, &proof), expected);
}

#[test]
fn wrong_and_missing_keys() {
    let (world, meter, other) = world();
    let compact = request(&world, &meter);
    let explained = RangeRequest { form: Form::Explained, ..compact.clone() };
    let root = world.root.unwrap();
    let cell = name(&world.prove(&compact), 0);

    let mut theirs = compact.clone();
    theirs.stream.meter = other;
    let wrong = world.keyring(&theirs);
    let check =
        |request: &RangeRequest, keyring: &Keyring| verify_range(request, &world.prove(request), &root, &root, keyring);
    assert_eq!(check(&compact, &wrong), Err(VerifyError::HeadMismatch));
    let mismatch = VerifyError::SectionMismatch { cell, level: Level::Day, epoch: 0 };
    assert_eq!(check(&explained, &wrong), Err(mismatch));

    let missing = |level| Err(VerifyError::KeyMissing { cell, level, epoch: 0 });
    assert_eq!(check(&compact, &Keyring::new()), missing(Level::Day));
    let day_keys = world.keyring(&RangeRequest { level: Level::Day, ..compact.clone() });
    assert_eq!(check(&compact, &day_keys), missing(Level::Hour));
}

#[test]
fn a_dishonest_utility_is_found_out_by_the_reader_too() {
    // Cells that vaults refuse, under a root that the utility committed all the same.
    let tampered = |change: &dyn Fn(usize, &mut sealed_register::Header)| {
        let (mut world, meter, _) = world();
        let mut previous = None;
        let mut stream = world.store[&(meter, Channel::Consumption)].clone();
        for (at, cell) in stream.iter_mut().enumerate() {
            cell.header.previous = previous.unwrap_or(cell.header.previous);
            change(at, &mut cell.header);
            previous = Some(cell.hash());
        }
        let mut index = 1u32.to_le_bytes().to_vec();
        index.extend(meter.0);
        index.push(Channel::Consumption as u8);
        index.extend(9u32.to_le_bytes());
        index.extend(previous.unwrap());
        index.extend((START + 9).to_le_bytes());
        world.checked = sealed_register::Heads::decode(world.shard, &index).unwrap();
        world.root = Some(world.finalized(1, world.tree().root()));
        world.store.insert((meter, Channel::Consumption), stream);
        let request = RangeRequest { segments: Vec::new(), ..request(&world, &meter) };
        let proof = world.prove(&request);
        (world.check(&request, &proof), proof)
    };
    assert!(tampered(&|_, _| ()).0.is_ok());

    let (result, proof) = tampered(&|at, header| {
        if at == 6 {
            header.day_high = OperatingDay(START + 3);
        }
    });
    let expected = VerifyError::DayHigh {
        cell: name(&proof, 4),
        expected: OperatingDay(START + 5),
        found: OperatingDay(START + 3),
    };
    assert_eq!(result, Err(expected));

    let (result, proof) = tampered(&|at, header| header.revision = u16::from(at == 5));
    assert_eq!(result, Err(VerifyError::Revision { cell: name(&proof, 3), expected: 0 }));
    // The same day twice with the same revision.
    let (result, proof) = tampered(&|at, header| {
        if at == 9 {
            header.day = OperatingDay(START + 8);
        }
    });
    assert_eq!(result, Err(VerifyError::Revision { cell: name(&proof, 7), expected: 1 }));
}

#[test]
fn words_moved_between_days_or_levels() {
    let (world, meter, _) = world();
    let asked = request(&world, &meter);
    let explained = RangeRequest { form: Form::Explained, ..asked.clone() };
    for request in [&asked, &explained] {
        let mut proof = world.prove(request);
        let body = proof.elements[2].body.clone();
        proof.elements[2].body = proof.elements[3].body.clone();
        proof.elements[3].body = body;
        let expected = match request.form {
            Form::Compact => VerifyError::HeadMismatch,
            Form::Explained => VerifyError::AlteredCell { cell: name(&proof, 3) },
        };
        assert_eq!(refused(&world, request, &proof), expected);

        let mut proof = world.prove(request);
        let Body::Opened { words, .. } = &mut proof.elements[2].body else { panic!("the range is opened") };
        words[1].swap(0, 1);
        let expected = match request.form {
            Form::Compact => VerifyError::HeadMismatch,
            Form::Explained => VerifyError::SectionMismatch { cell: name(&proof, 2), level: Level::Hour, epoch: 0 },
        };
        assert_eq!(refused(&world, request, &proof), expected);
    }
}
