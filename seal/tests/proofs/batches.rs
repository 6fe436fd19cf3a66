//! Batches: what the builder makes a vault accepts, and each thing that does not fit is refused with its own error.

use crate::world::{range, readings, World, START};
use sealed_register::{
    batch::{
        body_hash, decode_chunk, BatchBuilder, PushError, CHUNK_HEADER_BYTES, MAX_BATCH_CELLS, MAX_BODY_BYTES,
        MAX_CHUNK_BYTES,
    },
    batch_check::{BatchError, BatchVerifier},
    cell::Kind,
    heads::{CellName, ExtendError},
    tree::LAST_DAY,
    BatchSummary, Channel, DayRange, Heads, Intervals, MeterId, OperatingDay, SealedCell, ShardId,
};

/// One meter of five days in batch 0, committed.
fn begun() -> (World, MeterId) {
    let mut world = World::new();
    let meter = world.meter(0);
    world.seal_days(&meter, Channel::Consumption, range(START, START + 4));
    world.commit();
    (world, meter)
}

/// What a vault says to these chunks.
fn judge(world: &World, chunks: &[Vec<u8>], announced: BatchSummary) -> Result<Heads, BatchError> {
    let mut verifier = BatchVerifier::new(announced, world.next_batch, world.checked.clone());
    for chunk in chunks {
        verifier.chunk(chunk, &mut &*world)?;
    }
    verifier.finish()
}

/// A chunk with any cells, as a dishonest utility makes it.
fn chunk(world: &World, sequence: u32, cells: &[SealedCell]) -> Vec<u8> {
    let mut bytes = b"wsb1".to_vec();
    bytes.extend(world.shard.utility.padded());
    bytes.extend(world.shard.id.0.to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    bytes.extend(0u16.to_le_bytes());
    bytes.extend((cells.len() as u32).to_le_bytes());
    cells.iter().for_each(|cell| cell.encode_to(&mut bytes));
    bytes
}

/// The same with a summary that fits it as far as a utility can make it fit.
fn judge_cells(world: &World, cells: &[SealedCell]) -> BatchError {
    let chunk = chunk(world, world.next_batch, cells);
    let days = DayRange { first: cells[0].header.day, last: cells[0].header.day };
    let announced = BatchSummary {
        root: [0; 32],
        body_hash: body_hash([chunk.as_slice()]),
        body_len: chunk.len() as u32,
        cells: cells.len() as u32,
        days,
    };
    judge(world, &[chunk], announced).expect_err("a vault refuses this")
}

#[test]
fn chunks_hold_whole_cells_and_say_where_they_belong() {
    let mut world = World::new();
    for number in 0..30 {
        let meter = world.meter(number);
        world.seal_days(&meter, Channel::Consumption, range(START, START + 99));
    }
    let sealed = world.pending.clone();
    let (chunks, summary) = world.build();
    assert_eq!(chunks.len(), 3, "3,000 cells of 957 bytes");
    let mut cells = Vec::new();
    for (at, chunk) in chunks.iter().enumerate() {
        assert!(chunk.len() <= MAX_CHUNK_BYTES && chunk.capacity() <= MAX_CHUNK_BYTES);
        let (header, inside) = decode_chunk(chunk).unwrap();
        assert_eq!((header.utility, header.shard, header.sequence), (world.shard.utility, world.shard.id, 0));
        assert_eq!(usize::from(header.index), at);
        let before = cells.len();
        cells.extend(inside.map(Result::unwrap));
        assert_eq!(header.cells as usize, cells.len() - before);
    }
    assert_eq!(cells, sealed);
    let expected = BatchSummary {
        root: world.sealing.root(0),
        body_hash: body_hash(chunks.iter().map(Vec::as_slice)),
        body_len: chunks.iter().map(|chunk| chunk.len() as u32).sum(),
        cells: 3000,
        days: range(START, START + 99),
    };
    assert_eq!(summary, expected);
    assert_eq!(judge(&world, &chunks, summary), Ok(world.sealing.clone()));
    // The boundaries of chunks are part of the body's hash.
    let joined = chunks.concat();
    assert_ne!(body_hash([joined.as_slice()]), summary.body_hash);
}

/// The limit of cells closes a batch before that of bytes can.
#[test]
fn a_batch_closes_at_8192_cells() {
    let mut world = World::new();
    let meter = world.meter(0);
    let mut builder = BatchBuilder::new(world.shard, 0);
    let mut heads = Heads::new(world.shard);
    let secrets = world.secrets.clone();
    let (key, stream) = (world.key(&meter), world.stream(&meter, Channel::Consumption));
    let head = heads.head(&meter, Channel::Consumption);
    let mut sealer = sealed_register::StreamSealer::new(&key, &secrets.siv, stream, 0, head, 1);
    for at in 0..MAX_BATCH_CELLS {
        let cell = sealer.withdraw(OperatingDay(at as u16), Intervals::Normal, 0).unwrap();
        assert_eq!(builder.push(&mut heads, &cell), Ok(None));
    }
    let cell = sealer.withdraw(OperatingDay(9000), Intervals::Normal, 0).unwrap();
    let before = heads.clone();
    let full = builder.push(&mut heads, &cell).unwrap_err();
    let bytes = CHUNK_HEADER_BYTES as u32 + MAX_BATCH_CELLS * 85;
    let name = CellName::from(&cell.header);
    assert_eq!(full, PushError::Full { cell: name, cells: MAX_BATCH_CELLS, bytes });
    assert_eq!(heads, before, "a refused cell changes nothing");
    let (_, summary) = builder.finish(&heads).unwrap();
    assert_eq!((summary.cells, summary.body_len), (MAX_BATCH_CELLS, bytes));

    // 8,192 cells of the longest day stay below 8 MiB, so no honest batch is cut by its bytes.
    let largest = 8 * CHUNK_HEADER_BYTES + MAX_BATCH_CELLS as usize * SealedCell::MAX_LEN;
    assert!(largest <= MAX_BODY_BYTES as usize);
    assert!(BatchBuilder::new(world.shard, 1).finish(&heads).is_none(), "a batch has a cell");
}

#[test]
fn the_builder_refuses_what_does_not_fit_and_changes_nothing() {
    let (world, meter) = begun();
    let mut heads = world.sealing.clone();
    let mut builder = BatchBuilder::new(world.shard, 1);
    let cell =
        world.sealer(&meter, Channel::Consumption).seal_day(&readings(Channel::Consumption, START + 5, 96, 0), 0);
    let cell = cell.unwrap();
    let mut elsewhere = Heads::new(sealed_register::Shard { id: ShardId(0), ..world.shard });
    let other = PushError::OtherShard { batch: ShardId(1), heads: ShardId(0) };
    assert_eq!(builder.push(&mut elsewhere, &cell), Err(other));
    let old = world.store[&(meter, Channel::Consumption)][2].clone();
    let expected = ExtendError::Sequence { cell: CellName::from(&old.header), expected: 5 };
    assert_eq!(builder.push(&mut heads, &old), Err(PushError::Extend(expected)));
    assert_eq!((builder.cells(), builder.bytes(), &heads), (0, 0, &world.sealing));
    assert_eq!(builder.push(&mut heads, &cell), Ok(None));
    assert_eq!((builder.cells(), builder.bytes() as usize), (1, CHUNK_HEADER_BYTES + cell.encoded_len()));
}

/// The cell as the end of its stream, with a revision.
fn altered_closing(world: &World, next: &SealedCell, revision: u16) -> BatchError {
    let header = sealed_register::Header { kind: Kind::Close, revision, ..next.header };
    judge_cells(world, &[SealedCell::without_words(header)])
}

#[test]
fn cells_that_do_not_extend_their_stream() {
    let (mut world, meter) = begun();
    let next = world.seal_plain(&meter, START + 5, 0);
    world.pending.clear();
    let cell = CellName::from(&next.header);
    let altered = |change: &dyn Fn(&mut sealed_register::Header)| {
        let mut cell = next.clone();
        change(&mut cell.header);
        judge_cells(&world, &[cell])
    };
    let head = *world.checked.get(&meter, Channel::Consumption).unwrap();

    let repeated = altered(&|header| header.sequence = 4);
    let name = CellName { sequence: 4, ..cell };
    assert_eq!(repeated, BatchError::Extend(ExtendError::Sequence { cell: name, expected: 5 }));
    let skipped = altered(&|header| header.sequence = 6);
    let name = CellName { sequence: 6, ..cell };
    assert_eq!(skipped, BatchError::Extend(ExtendError::Sequence { cell: name, expected: 5 }));
    let forked = altered(&|header| header.previous[0] ^= 1);
    assert_eq!(forked, BatchError::Extend(ExtendError::Previous { cell, expected: head.hash }));
    let (expected, found) = (OperatingDay(START + 4), OperatingDay(START + 3));
    let lower = altered(&|header| header.day_high = found);
    assert_eq!(lower, BatchError::Extend(ExtendError::DayHigh { cell, expected, found }));
    let name = CellName { revision: 1, ..cell };
    let revised = altered(&|header| header.revision = 1);
    assert_eq!(revised, BatchError::Extend(ExtendError::Revision { cell: name }));
    // Days that no key exists for, and a closing cell that is no revision of anything.
    let name = CellName { day: OperatingDay(LAST_DAY.0 + 1), ..cell };
    let beyond = altered(&|header| header.day = OperatingDay(LAST_DAY.0 + 1));
    assert_eq!(beyond, BatchError::DayBeyondTree { cell: name });
    let name = CellName { revision: 1, ..cell };
    let closing = altered_closing(&world, &next, 1);
    assert_eq!(closing, BatchError::CloseRevision { cell: name });
    assert_eq!(altered_closing(&world, &next, 0), BatchError::Root, "a closing cell of revision 0 is fine");
    let name = CellName { day: OperatingDay(START + 2), ..cell };
    let unrevised = altered(&|header| header.day = OperatingDay(START + 2));
    assert_eq!(unrevised, BatchError::WrongRevision { cell: name, expected: 1 });
    let early = altered(&|header| header.epoch = 3);
    assert_eq!(early, BatchError::WrongEpoch { cell, expected: 0, found: 3 });
    let mut unknown = meter;
    unknown.0[15] ^= 1;
    let name = CellName { meter: unknown, ..cell };
    assert_eq!(altered(&|header| header.meter = unknown), BatchError::UnknownMeter { cell: name });
    let mut elsewhere = meter;
    elsewhere.0[0] = 0;
    let mut registered = World { pending: Vec::new(), store: world.store.clone(), ..World::new() };
    registered.epochs.insert(elsewhere, 0);
    registered.next_batch = 1;
    let mut cell = next.clone();
    cell.header.meter = elsewhere;
    let name = CellName::from(&cell.header);
    let expected = ExtendError::WrongShard { cell: name, belongs: ShardId(0), found: ShardId(1) };
    assert_eq!(judge_cells(&registered, &[cell]), BatchError::Extend(expected));
}

#[test]
fn revisions_count_up_within_and_across_batches() {
    let (mut world, meter) = begun();
    // A late original, two revisions of a day in one batch, and one of an earlier batch.
    world.seal_plain(&meter, START + 10, 0);
    world.seal_plain(&meter, START + 7, 0);
    world.seal_plain(&meter, START + 7, 1);
    world.seal_plain(&meter, START + 1, 1);
    world.commit();
    let again = world.seal(&meter, &readings(Channel::Consumption, START + 7, 96, 9), 1);
    world.pending.clear();
    let cell = CellName::from(&again.header);
    assert_eq!(judge_cells(&world, &[again]), BatchError::WrongRevision { cell, expected: 2 });
    let twice = [world.seal_plain(&meter, START + 8, 0), world.seal_plain(&meter, START + 8, 0)];
    let cell = CellName::from(&twice[1].header);
    assert_eq!(judge_cells(&world, &twice), BatchError::WrongRevision { cell, expected: 1 });
}

#[test]
fn figures_on_chain_that_do_not_fit_the_body() {
    let (mut world, meter) = begun();
    world.seal_plain(&meter, START + 5, 0);
    world.seal_plain(&meter, START + 6, 0);
    let (chunks, summary) = world.build();
    let judge = |announced| judge(&world, &chunks, announced);
    assert!(judge(summary).is_ok());
    let found = summary.days;
    assert_eq!(judge(BatchSummary { root: [1; 32], ..summary }), Err(BatchError::Root));
    assert_eq!(judge(BatchSummary { body_hash: [1; 32], ..summary }), Err(BatchError::BodyHash));
    for announced in [summary.body_len - 1, summary.body_len + 1] {
        let refused = judge(BatchSummary { body_len: announced, ..summary });
        assert_eq!(refused, Err(BatchError::BodyLength { announced, found: summary.body_len.into() }));
    }
    for announced in [1, 3] {
        let refused = judge(BatchSummary { cells: announced, ..summary });
        assert_eq!(refused, Err(BatchError::CellCount { announced, found: 2 }));
    }
    for announced in [range(START + 5, START + 5), range(START + 4, START + 6), range(START + 5, START + 7)] {
        let refused = judge(BatchSummary { days: announced, ..summary });
        assert_eq!(refused, Err(BatchError::Days { announced, found }));
    }
}

#[test]
fn chunks_of_something_else_or_altered_on_the_way() {
    let (mut world, meter) = begun();
    world.seal_plain(&meter, START + 5, 0);
    let (chunks, summary) = world.build();
    let bytes = &chunks[0];
    let refused = |bytes: Vec<u8>| judge(&world, &[bytes], summary).expect_err("a vault refuses this");
    // Utility, shard, batch sequence, chunk number.
    for at in [4, 20, 22, 26] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let error = refused(other);
        assert!(matches!(error, BatchError::WrongChunk { .. }), "byte {at}: {error}");
    }
    // The chunk twice: the second is out of turn.
    let twice = judge(&world, &[bytes.clone(), bytes.clone()], summary);
    assert!(matches!(twice, Err(BatchError::WrongChunk { index: 1, .. })), "{twice:?}");
    // Any flipped bit at all.
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        refused(other);
    }
    // A flipped bit of a sealed word extends the stream as well as the true one; the body's hash tells.
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(refused(other), BatchError::BodyHash);
    assert!(matches!(refused(bytes[..bytes.len() - 1].to_vec()), BatchError::Decode(_)));
}
