//! Batch bodies: what is read is written the same again; a body that was altered on its way is refused; and of a body that
//! a utility made up, a vault takes only what readers can then check.

use crate::{
    edit::{any_or_edited, below, byte, edited},
    world::{range, World, START},
};
use arbitrary::Unstructured;
use sealed_register::{
    batch::{body_hash, decode_chunk, BatchSummary, CHUNK_HEADER_BYTES},
    heads::Heads,
    proof::build_range,
    verify::{verify_range, VerifyError},
    BatchVerifier, Channel, DayRange, Level, MeterId, OperatingDay, RangeProof, SealedCell,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::OnceLock,
};

/// A shard after its first batch, and a second one that is about to be checked.
struct Published {
    world: World,
    summary: BatchSummary,
    chunk: Vec<u8>,
    /// Honest encodings of chunks and indexes of heads.
    honest: Vec<Vec<u8>>,
}

/// First byte: any bytes, an altered body, or a made up one.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let published = published();
    match byte(&mut input) % 3 {
        0 => decode(&any_or_edited(&mut input, &published.honest)),
        1 => altered(&mut input, published),
        _ => made_up(&mut input, published),
    }
}

/// Every decoder on the same bytes.
fn decode(bytes: &[u8]) {
    if let Ok(heads) = Heads::decode(published().world.shard, bytes) {
        assert_eq!(heads.encode(), bytes);
    }
    let Ok((header, cells)) = decode_chunk(bytes) else { return };
    let cells: Vec<_> = cells.collect();
    assert!(cells.len() <= header.cells as usize + 1);
    if cells.iter().all(Result::is_ok) {
        let mut again = bytes[..CHUNK_HEADER_BYTES].to_vec();
        cells.iter().flatten().for_each(|cell| cell.encode_to(&mut again));
        assert_eq!(again, bytes);
    }
}

/// Something between the utility and the vault changed the body or what was said of it: only the honest pair passes.
fn altered(input: &mut Unstructured<'_>, published: &Published) {
    let Published { world, summary, chunk, honest } = published;
    let mut said = *summary;
    match byte(input) % 6 {
        0 => said.root[below(input, 32)] ^= 1,
        1 => said.body_hash[below(input, 32)] ^= 1,
        2 => said.body_len ^= 1 << (byte(input) % 32),
        3 => said.cells ^= 1 << (byte(input) % 32),
        4 => said.days.last.0 ^= 1 << (byte(input) % 16),
        _ => {}
    }
    let body = edited(input, chunk, honest);
    let mut verifier = BatchVerifier::new(said, world.next_batch, world.checked.clone());
    let taken = verifier.chunk(&body, &mut &*world).is_ok() && verifier.finish().is_ok();
    assert_eq!(taken, body == *chunk && said == *summary);
}

/// The utility itself published these cells: the summary fits them. What the vault takes, it can prove, and a reader finds
/// no fault of the utility in the order of it.
fn made_up(input: &mut Unstructured<'_>, published: &Published) {
    let Published { world, summary, chunk, honest } = published;
    let body = edited(input, chunk, honest);
    let Ok((header, cells)) = decode_chunk(&body) else { return };
    let Ok(cells) = cells.collect::<Result<Vec<SealedCell>, _>>() else { return };
    let mut heads = world.checked.clone();
    if cells.iter().any(|cell| heads.apply(cell).is_err()) {
        return;
    }
    let days = cells.iter().map(|cell| cell.header.day).collect::<BTreeSet<_>>();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let said = BatchSummary {
        root: heads.root(world.next_batch),
        body_hash: body_hash([body.as_slice()]),
        body_len: u32::try_from(body.len()).unwrap(),
        cells: header.cells,
        days: DayRange { first: *first, last: *last },
    };
    let mut verifier = BatchVerifier::new(said, world.next_batch, world.checked.clone());
    let Ok(checked) = verifier.chunk(&body, &mut &*world) else { return };
    let heads = verifier.finish().expect("the summary is that of this body");
    if body == *chunk {
        assert_eq!(said, *summary);
    }
    let mut store = world.store.clone();
    for (cell, hash) in checked {
        assert_eq!(cell.hash(), hash);
        store.entry((cell.header.meter, cell.header.channel)).or_default().push(cell);
    }
    read_all(world, &heads, &store, said.root);
}

/// Every stream's whole range at day level is proved and checked, with the meter's own keys.
fn read_all(world: &World, heads: &Heads, store: &BTreeMap<(MeterId, Channel), Vec<SealedCell>>, root: [u8; 32]) {
    let tree = heads.tree(world.next_batch);
    let root = world.finalized(world.next_batch, root);
    for ((meter, channel), cells) in store {
        let request = world.request(meter, *channel, range(0, 0x7fff), Level::Day);
        let newest_first = cells.iter().rev().cloned().map(Ok::<_, Infallible>);
        let proof = build_range(&request, newest_first, &tree).expect("the vault's own cells");
        let proof = RangeProof::decode(&proof.encode()).expect("the vault's own proof");
        match verify_range(&request, &proof, &root, &root, &world.keyring(&request)) {
            Ok(verified) => {
                let found: usize = range(0, 0x7fff).iter().map(|day| verified.revisions(day).len()).sum();
                let closed =
                    cells.iter().filter(|cell| !cell.header.has_words() && cell.header.kind as u8 == 1).count();
                assert_eq!(found + closed, cells.len());
            }
            // Words that are not those of the section hash, or sealed with something else than the meter's key.
            Err(VerifyError::HeadMismatch) => {}
            Err(other) => panic!("the vault took it, and a reader cannot: {other}"),
        }
    }
}

fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let mut world = World::new();
        let (first, second, third) = (world.meter(0), world.meter(1), world.meter(2));
        world.seal_days(&first, Channel::Consumption, range(START, START + 1));
        world.seal_plain(&second, START, 0);
        world.commit();
        let mut honest = vec![world.checked.encode()];
        world.seal_days(&first, Channel::Consumption, range(START + 2, START + 3));
        world.seal_plain(&first, START, 1);
        world.seal_days(&first, Channel::Generation, range(START, START));
        world.seal_plain(&second, START + 1, 0);
        world.seal_plain(&third, START, 0);
        let closed = {
            let mut sealer = world.sealer(&third, Channel::Consumption);
            sealer.close(OperatingDay(START), sealed_register::Intervals::Normal).unwrap()
        };
        world.pending.push(closed);
        // `build` moves the utility's heads on; the vault's, which this target checks with, stay.
        let (chunks, summary) = world.build();
        let [chunk] = <[Vec<u8>; 1]>::try_from(chunks).expect("one chunk");
        honest.extend([world.sealing.encode(), chunk.clone()]);
        Published { world, summary, chunk, honest }
    })
}
