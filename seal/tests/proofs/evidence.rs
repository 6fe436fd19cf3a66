//! Forks and roll-backs leave evidence that anybody can check.

use crate::world::{readings, World, START};
use sealed_register::{
    evidence::{Evidence, EvidenceError, Fault, Later, Link},
    heads::CellName,
    types::Channels,
    Channel, FinalizedRoot, Heads, MeterId, SealedCell,
};

struct Published {
    world: World,
    heads: Heads,
    cells: Vec<SealedCell>,
    root: FinalizedRoot,
}

/// The same two meters with `days` days of the first; from day `fork` on its readings are others. Batch `sequence`.
fn published(days: u16, fork: u16, sequence: u32) -> (Published, MeterId) {
    let mut world = World::new();
    let (meter, neighbour) = (world.meter(0), world.meter(1));
    world.seal_plain(&neighbour, START, 0);
    for day in 0..days {
        let variant = if day >= fork { 500 } else { 0 };
        world.seal(&meter, &readings(Channel::Consumption, START + day, 96, variant), 0);
    }
    let mut heads = Heads::new(world.shard);
    for cell in &world.pending {
        heads.apply(cell).unwrap();
    }
    let cells = world.pending.iter().filter(|cell| cell.header.meter == meter).cloned().collect();
    let root = world.finalized(sequence, heads.root(sequence));
    (Published { world, heads, cells, root }, meter)
}

fn evidence(earlier: &Published, later: &Published, meter: &MeterId, skip: usize) -> Evidence {
    let path = |from: &Published| {
        let sequence = from.root.batch_sequence();
        from.heads.tree(sequence).path(meter, Channel::Consumption).unwrap()
    };
    let links = later.cells.iter().skip(skip).map(Link::from).collect();
    Evidence { earlier: path(earlier), later: Later::Head { path: path(later), links } }
}

fn verdict(evidence: &Evidence, earlier: &Published, later: &Published) -> Result<Fault, EvidenceError> {
    let decoded = Evidence::decode(&evidence.encode()).unwrap();
    assert_eq!(decoded, *evidence);
    decoded.verify(&earlier.root, &later.root)
}

#[test]
fn an_honest_continuation_is_no_fault() {
    let ((before, meter), (after, _)) = (published(4, 99, 6), published(7, 99, 7));
    let honest = evidence(&before, &after, &meter, 4);
    assert_eq!(verdict(&honest, &before, &after), Err(EvidenceError::NoFault));
    let (same, _) = published(4, 99, 7);
    let unchanged = evidence(&before, &same, &meter, 4);
    assert_eq!(verdict(&unchanged, &before, &same), Err(EvidenceError::NoFault));
}

#[test]
fn a_roll_back_a_replacement_and_a_fork() {
    let (before, meter) = published(4, 99, 6);
    let (shorter, _) = published(2, 99, 7);
    let shown = evidence(&before, &shorter, &meter, 2);
    assert_eq!(verdict(&shown, &before, &shorter), Ok(Fault::RolledBack { from: 3, to: 1 }));

    let (replaced, _) = published(4, 2, 7);
    let shown = evidence(&before, &replaced, &meter, 4);
    assert_eq!(verdict(&shown, &before, &replaced), Ok(Fault::Replaced { sequence: 3 }));

    let (forked, _) = published(7, 2, 8);
    let shown = evidence(&before, &forked, &meter, 4);
    let cell = CellName::from(&forked.cells[4].header);
    assert_eq!(verdict(&shown, &before, &forked), Ok(Fault::Forked { cell }));
    assert_eq!(cell.sequence, 4);
}

#[test]
fn a_stream_that_vanished() {
    let (before, meter) = published(4, 99, 6);
    let (without, _) = published(0, 99, 7);
    let earlier = before.heads.tree(6).path(&meter, Channel::Consumption).unwrap();
    let proof = without.heads.tree(7).absence(&meter, Channels::Consumption).unwrap();
    let shown = Evidence { earlier: earlier.clone(), later: Later::Absent(proof) };
    assert_eq!(verdict(&shown, &before, &without), Ok(Fault::Vanished));
    // The absence of the other meter is no evidence about this one.
    let (after, _) = published(7, 99, 7);
    let elsewhere = after.heads.tree(7).absence(&MeterId([0xf0; 16]), Channels::Both).unwrap();
    let shown = Evidence { earlier, later: Later::Absent(elsewhere) };
    assert!(matches!(verdict(&shown, &before, &after), Err(EvidenceError::Absence(_))));
}

#[test]
fn a_cell_at_a_place_that_is_not_its_own() {
    let (before, meter) = published(2, 99, 6);
    let (mut after, _) = published(5, 99, 7);
    // The utility writes a leaf with a number that its cell does not have.
    let mut index = 1u32.to_le_bytes().to_vec();
    index.extend(meter.0);
    index.push(0);
    index.extend(3u32.to_le_bytes());
    index.extend(after.cells[4].hash());
    index.extend((START + 4).to_le_bytes());
    after.heads = Heads::decode(after.world.shard, &index).unwrap();
    after.root = after.world.finalized(7, after.heads.root(7));
    let shown = evidence(&before, &after, &meter, 3);
    let cell = CellName::from(&after.cells[4].header);
    assert_eq!(verdict(&shown, &before, &after), Ok(Fault::Misplaced { cell, expected: 3 }));
}

#[test]
fn false_accusations_are_refused() {
    let ((before, meter), (after, _)) = (published(4, 99, 6), published(7, 99, 7));
    let shown = evidence(&before, &after, &meter, 4);
    // Roots in the wrong order, or of the same batch.
    assert_eq!(shown.verify(&after.root, &before.root), Err(EvidenceError::Roots));
    assert_eq!(shown.verify(&before.root, &before.root), Err(EvidenceError::Roots));
    // A head that was never under the earlier root.
    let (invented, _) = published(4, 1, 6);
    let accusation = evidence(&invented, &after, &meter, 4);
    assert_eq!(verdict(&accusation, &before, &after), Err(EvidenceError::Root { batch_sequence: 6 }));
    // Cells that do not lead to the later head: altered, missing, or of a fork that was not committed.
    let (forked, _) = published(7, 2, 7);
    let Later::Head { path, links } = shown.later.clone() else { panic!("a head") };
    let foreign: Vec<_> = forked.cells.iter().skip(4).map(Link::from).collect();
    for links in [foreign, links[1..].to_vec(), links[..2].to_vec(), Vec::new()] {
        let accusation = Evidence { later: Later::Head { path: path.clone(), links }, ..shown.clone() };
        assert_eq!(verdict(&accusation, &before, &after), Err(EvidenceError::Links { expected: 3 }));
    }
    // The heads of two meters.
    let neighbour = after.heads.leaves().find(|leaf| leaf.meter != meter).unwrap();
    let path = after.heads.tree(7).path(&neighbour.meter, neighbour.channel).unwrap();
    let accusation = Evidence { later: Later::Head { path, links: Vec::new() }, ..shown };
    assert_eq!(verdict(&accusation, &before, &after), Err(EvidenceError::Streams));
}
