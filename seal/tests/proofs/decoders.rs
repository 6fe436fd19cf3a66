//! Protocol section 10, property 8: any bytes give a value or an error, and what is read is written the same again.

use crate::world::{range, readings, World, MAX_WH, START};
use proptest::prelude::*;
use sealed_register::{
    batch::decode_chunk,
    cell::Head,
    evidence::{Evidence, Later, Link},
    heads::Heads,
    proof::{build_range, Form, RangeProof},
    seal::StreamSealer,
    shard::AbsenceProof,
    types::Channels,
    verify::verify_range,
    Channel, FinalizedRoot, Keyring, Level, MeterId, OperatingDay, RangeRequest, Shard,
};
use std::convert::Infallible;

/// One honest encoding of each kind.
struct Samples {
    shard: Shard,
    proofs: Vec<Vec<u8>>,
    absence: Vec<u8>,
    evidence: Vec<u8>,
    heads: Vec<u8>,
    chunk: Vec<u8>,
}

fn samples() -> &'static Samples {
    static SAMPLES: std::sync::OnceLock<Samples> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(|| {
        let mut world = World::new();
        let meter = world.meter(0);
        world.seal_days(&meter, Channel::Consumption, range(START, START + 3));
        for number in 1..4 {
            let other = world.meter(number);
            world.seal_plain(&other, START, 0);
        }
        let (chunks, _) = {
            let mut copy = World::new();
            copy.meter(0);
            copy.pending = world.pending.clone();
            copy.build()
        };
        world.commit();
        let tree = world.tree();
        let request = world.request(&meter, Channel::Consumption, range(START + 1, START + 2), Level::Quarter);
        let requests = Level::ALL
            .into_iter()
            .flat_map(|level| [Form::Compact, Form::Explained].map(|form| (level, form)))
            .map(|(level, form)| RangeRequest { level, form, ..request.clone() });
        let path = tree.path(&meter, Channel::Consumption).unwrap();
        let links = world.store[&(meter, Channel::Consumption)].iter().map(Link::from).collect();
        Samples {
            shard: world.shard,
            proofs: requests.map(|request| world.prove(&request).encode()).collect(),
            absence: tree.absence(&MeterId([0xaa; 16]), Channels::Both).unwrap().encode(),
            evidence: Evidence { earlier: path.clone(), later: Later::Head { path, links } }.encode(),
            heads: world.checked.encode(),
            chunk: chunks[0].clone(),
        }
    })
}

/// Every decoder, on the same bytes: no panic, and one encoding per value.
fn decode_all(bytes: &[u8]) {
    if let Ok(value) = RangeProof::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
    if let Ok(value) = AbsenceProof::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
    if let Ok(value) = Evidence::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
    if let Ok(value) = Heads::decode(samples().shard, bytes) {
        assert_eq!(value.encode(), bytes);
    }
    if let Ok((header, cells)) = decode_chunk(bytes) {
        let cells: Vec<_> = cells.collect();
        assert!(cells.len() <= header.cells as usize + 1);
        if cells.iter().all(Result::is_ok) {
            let mut again = bytes[..32].to_vec();
            cells.iter().for_each(|cell| cell.as_ref().unwrap().encode_to(&mut again));
            assert_eq!(again, bytes);
        }
    }
}

fn honest() -> impl Strategy<Value = Vec<u8>> {
    let Samples { proofs, absence, evidence, heads, chunk, .. } = samples();
    let mut all: Vec<Vec<u8>> = proofs.clone();
    all.extend([absence, evidence, heads, chunk].map(Vec::clone));
    prop::sample::select(all)
}

#[test]
fn honest_encodings_are_read() {
    let Samples { shard, proofs, absence, evidence, heads, chunk } = samples();
    assert_eq!(proofs.len(), 6);
    proofs.iter().for_each(|bytes| assert!(RangeProof::decode(bytes).is_ok()));
    assert!(AbsenceProof::decode(absence).is_ok());
    assert!(Evidence::decode(evidence).is_ok());
    assert!(Heads::decode(*shard, heads).is_ok());
    assert_eq!(decode_chunk(chunk).unwrap().1.filter(Result::is_ok).count(), 7);
}

/// Cut off anywhere, or with a byte too many, nothing is read.
#[test]
fn every_truncation_and_every_surplus_is_an_error() {
    let Samples { shard, proofs, absence, evidence, heads, chunk } = samples();
    let check = |bytes: &[u8], decodes: &dyn Fn(&[u8]) -> bool| {
        assert!(decodes(bytes));
        (0..bytes.len()).for_each(|length| assert!(!decodes(&bytes[..length]), "cut to {length} bytes"));
        assert!(!decodes(&[bytes, &[0]].concat()), "one byte more");
    };
    for proof in proofs {
        check(proof, &|bytes| RangeProof::decode(bytes).is_ok());
    }
    check(absence, &|bytes| AbsenceProof::decode(bytes).is_ok());
    check(evidence, &|bytes| Evidence::decode(bytes).is_ok());
    check(heads, &|bytes| Heads::decode(*shard, bytes).is_ok());
    check(chunk, &|bytes| decode_chunk(bytes).is_ok_and(|(_, mut cells)| cells.all(|cell| cell.is_ok())));
}

/// Sequence numbers end at 2^32 - 1: up to there proofs are read and hold, beyond they are refused.
#[test]
fn a_proof_may_end_with_the_last_number_of_a_stream_and_not_after_it() {
    let (request, honest, root, keyring) = end_of_numbers();
    let proof = RangeProof::decode(&honest).unwrap();
    assert_eq!(
        proof.elements.iter().map(|it| it.header.sequence).collect::<Vec<_>>(),
        [u32::MAX - 2, u32::MAX - 1, u32::MAX]
    );
    assert_eq!(proof.encode(), honest);
    assert!(verify_range(&request, &proof, &root, &root, &keyring).is_ok());

    let one = last_number_alone(&honest);
    let proof = RangeProof::decode(&one).unwrap();
    assert_eq!((proof.elements.len(), proof.elements[0].header.sequence), (1, u32::MAX));
    assert_eq!(proof.encode(), one);

    let first = path_length(&honest, 1);
    for (number, cells) in [(u32::MAX - 1, 3), (u32::MAX, 3)] {
        let mut beyond = honest.clone();
        beyond[first..first + 4].copy_from_slice(&number.to_le_bytes());
        let error = RangeProof::decode(&beyond).unwrap_err();
        assert_eq!(error.problem, "sequence numbers run over 2^32", "{cells} cells from {number}");
    }
    // Without cells the first number means nothing.
    let mut none = honest[..first + 40].to_vec();
    none[first..first + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    none[first + 36..].fill(0);
    assert!(RangeProof::decode(&none).is_ok());
}

/// Where a path that begins at `from` ends, bytes.
fn path_length(bytes: &[u8], from: usize) -> usize {
    from + 62 + 32 * usize::from(bytes[from + 61])
}

/// A stream's last three cells, the numbers 2^32 - 3 to 2^32 - 1: request, encoded proof, root, keys.
pub fn end_of_numbers() -> (RangeRequest, Vec<u8>, FinalizedRoot, Keyring) {
    let mut world = World::new();
    let meter = world.meter(0);
    let (key, stream) = (world.key(&meter), world.stream(&meter, Channel::Consumption));
    let before = Head { next_sequence: Some(u32::MAX - 2), day_high: OperatingDay(START - 1), hash: [0x2a; 32] };
    let mut sealer = StreamSealer::new(&key, &world.secrets.siv, stream, 0, before, MAX_WH);
    let seal = |day| sealer.seal_day(&readings(Channel::Consumption, START + day, 96, 0), 0).unwrap();
    let cells: Vec<_> = (0..3).map(seal).collect();
    // Heads of one stream, as an index has them after 2^32 cells.
    let mut index = 1u32.to_le_bytes().to_vec();
    index.extend(meter.0);
    index.push(Channel::Consumption as u8);
    index.extend(u32::MAX.to_le_bytes());
    index.extend(cells[2].hash());
    index.extend((START + 2).to_le_bytes());
    let tree = Heads::decode(world.shard, &index).unwrap().tree(0);
    let request = world.request(&meter, Channel::Consumption, range(START, START + 2), Level::Day);
    let proof = build_range(&request, cells.into_iter().rev().map(Ok::<_, Infallible>), &tree).unwrap();
    let keyring = world.keyring(&request);
    (request, proof.encode(), world.finalized(0, tree.root()), keyring)
}

/// The same cut down to one cell with the number 2^32 - 1: `ff ff ff ff`, and the count 1.
pub fn last_number_alone(honest: &[u8]) -> Vec<u8> {
    let mut proof = RangeProof::decode(honest).unwrap();
    proof.elements.drain(..2);
    proof.encode()
}

/// A count that the bytes cannot hold is refused before room is made for it.
#[test]
fn huge_counts_are_refused_at_once() {
    let Samples { shard, proofs, heads, evidence, chunk, .. } = samples();
    let mut proof = proofs[0].clone();
    let count = path_length(&proof, 1) + 4 + 32;
    proof[count..count + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = RangeProof::decode(&proof).unwrap_err();
    assert_eq!(error.problem, "a count is larger than the bytes that follow can hold");
    assert_eq!(error.at, count + 4);

    let mut index = heads.clone();
    index[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Heads::decode(*shard, &index).is_err());

    let mut accusation = evidence.clone();
    let count = path_length(&accusation, path_length(&accusation, 0) + 1);
    accusation[count..count + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(Evidence::decode(&accusation).is_err());

    let mut cells = chunk.clone();
    cells[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(decode_chunk(&cells).is_err());
    cells[28..32].copy_from_slice(&0u32.to_le_bytes());
    assert!(decode_chunk(&cells).is_err(), "a chunk has a cell");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        decode_all(&bytes);
    }

    #[test]
    fn altered_encodings(
        mut bytes in honest(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        decode_all(&bytes);
    }

    #[test]
    fn spliced_encodings(first in honest(), second in honest(), at in any::<prop::sample::Index>()) {
        let at = at.index(first.len());
        let spliced = [&first[..at], second.get(at..).unwrap_or_default()].concat();
        decode_all(&spliced);
    }
}
