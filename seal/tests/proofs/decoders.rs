//! Protocol section 10, property 8: any bytes give a value or an error, and what is read is written the same again.

use crate::world::{range, World, START};
use proptest::prelude::*;
use sealed_register::{
    batch::decode_chunk,
    evidence::{Evidence, Later, Link},
    heads::Heads,
    proof::{Form, RangeProof},
    shard::AbsenceProof,
    types::Channels,
    Channel, Level, MeterId, RangeRequest, Shard,
};

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

/// A count that the bytes cannot hold is refused before room is made for it.
#[test]
fn huge_counts_are_refused_at_once() {
    let Samples { shard, proofs, heads, evidence, chunk, .. } = samples();
    let path_length = |bytes: &[u8], from: usize| from + 62 + 32 * usize::from(bytes[from + 61]);
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
