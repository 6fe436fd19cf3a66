//! Proofs: what is read is written the same again, and of everything that can be made of honest proofs, only the honest one
//! is accepted for its request.

use crate::{
    edit::{any_or_edited, byte, choose},
    world::{range, World, START},
};
use arbitrary::Unstructured;
use sealed_register::{
    evidence::{Evidence, Later, Link},
    proof::Form,
    shard::AbsenceProof,
    types::Channels,
    verify::{verify_absence, verify_range},
    Channel, FinalizedRoot, Keyring, Level, MeterId, RangeProof, RangeRequest, StreamId,
};
use std::sync::OnceLock;

/// A request, the keys of its reader, and the honest answer.
struct Asked {
    request: RangeRequest,
    keyring: Keyring,
    honest: Vec<u8>,
}

struct Published {
    root: FinalizedRoot,
    earlier: FinalizedRoot,
    asked: Vec<Asked>,
    proofs: Vec<Vec<u8>>,
    present: Vec<MeterId>,
    absent: MeterId,
    absences: Vec<Vec<u8>>,
    evidence: Vec<Vec<u8>>,
}

/// First byte: a range proof, an absence, or evidence against the utility.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let published = published();
    match byte(&mut input) % 4 {
        0 => absence(&any_or_edited(&mut input, &published.absences), published),
        1 => evidence(&any_or_edited(&mut input, &published.evidence), published),
        _ => {
            let asked = choose(&mut input, &published.asked);
            of_range(&any_or_edited(&mut input, &published.proofs), asked, published);
        }
    }
}

fn of_range(bytes: &[u8], asked: &Asked, published: &Published) {
    let Ok(proof) = RangeProof::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    let result = verify_range(&asked.request, &proof, &published.root, &published.root, &asked.keyring);
    assert_eq!(result.is_ok(), bytes == asked.honest, "{result:?}");
}

fn absence(bytes: &[u8], published: &Published) {
    let Ok(proof) = AbsenceProof::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    let root = &published.root;
    let is_absent = |meter, channels| {
        let stream = StreamId { meter, ..published.asked[0].request.stream };
        verify_absence(&stream, channels, &proof, root, root).expect("a root of this shard")
    };
    for meter in &published.present {
        assert!(is_absent(*meter, Channels::Consumption).is_err(), "{meter} has a stream");
    }
    assert_eq!(is_absent(published.absent, Channels::Both).is_ok(), bytes == published.absences[0]);
}

/// The utility was honest, so nothing proves a fault of it.
fn evidence(bytes: &[u8], published: &Published) {
    let Ok(evidence) = Evidence::decode(bytes) else { return };
    assert_eq!(evidence.encode(), bytes);
    let fault = evidence.verify(&published.earlier, &published.root);
    assert!(fault.is_err(), "{fault:?}");
}

fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let mut world = World::new();
        let meter = world.meter(0);
        let others: Vec<MeterId> = (1..6).map(|number| world.meter(number)).collect();
        world.seal_days(&meter, Channel::Consumption, range(START, START + 1));
        others.iter().for_each(|other| drop(world.seal_plain(other, START, 0)));
        let earlier = world.commit();
        let before = world.tree().path(&meter, Channel::Consumption).unwrap();
        // Under another epoch: days that go on, a correction, and the other channel.
        world.epochs.insert(meter, 1);
        world.seal_days(&meter, Channel::Consumption, range(START + 2, START + 3));
        world.seal_plain(&meter, START + 1, 1);
        world.seal_days(&meter, Channel::Generation, range(START, START));
        let root = world.commit();

        let tree = world.tree();
        let ranges = [range(START + 1, START + 2), range(START, START), range(START + 3, START + 9)];
        let mut asked = Vec::new();
        for (level, form) in
            Level::ALL.into_iter().flat_map(|level| [Form::Compact, Form::Explained].map(|form| (level, form)))
        {
            for range in ranges {
                let request = world.request(&meter, Channel::Consumption, range, level);
                let request = RangeRequest { form, ..request };
                let (keyring, honest) = (world.keyring(&request), world.prove(&request).encode());
                asked.push(Asked { request, keyring, honest });
            }
        }
        let absent = MeterId([0xaa; 16]);
        let channels = [Channels::Both, Channels::Consumption];
        let absences = channels.map(|channels| tree.absence(&absent, channels).unwrap().encode()).to_vec();
        let after = tree.path(&meter, Channel::Consumption).unwrap();
        let links = world.store[&(meter, Channel::Consumption)].iter().skip(2).map(Link::from).collect();
        let evidence = vec![
            Evidence { earlier: before.clone(), later: Later::Head { path: after, links } }.encode(),
            Evidence { earlier: before, later: Later::Absent(tree.absence(&absent, Channels::Both).unwrap()) }.encode(),
        ];
        let proofs = asked.iter().map(|asked| asked.honest.clone()).collect();
        let present = [meter].into_iter().chain(others).collect();
        Published { root, earlier, asked, proofs, present, absent, absences, evidence }
    })
}
