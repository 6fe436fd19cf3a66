//! Every bit of a proof matters, and the explained form names what was altered.

use crate::world::{range, World, START};
use sealed_register::{
    heads::CellName,
    proof::{Body, Form, RangeProof},
    verify::VerifyError,
    Channel, Level, RangeRequest,
};

fn world(form: Form, level: Level) -> (World, RangeRequest) {
    let mut world = World::new();
    let meter = world.meter(0);
    for number in 1..5 {
        let neighbour = world.meter(number);
        world.seal_plain(&neighbour, START, 0);
    }
    world.seal_days(&meter, Channel::Consumption, range(START, START + 4));
    world.seal_plain(&meter, START + 2, 1);
    world.commit();
    let request = world.request(&meter, Channel::Consumption, range(START + 1, START + 3), level);
    (world, RangeRequest { form, ..request })
}

/// No flipped bit of an encoded proof is accepted.
#[test]
fn every_flipped_bit_is_refused() {
    for form in [Form::Compact, Form::Explained] {
        for level in Level::ALL {
            let (world, request) = world(form, level);
            let bytes = world.prove(&request).encode();
            assert!(world.check(&request, &RangeProof::decode(&bytes).unwrap()).is_ok());
            // All bits at day level; at the finer ones, where most bytes are words, one bit of each byte.
            let bits = if level == Level::Day { 0..8 } else { 0..1 };
            for (at, bit) in (0..bytes.len()).flat_map(|at| bits.clone().map(move |bit| (at, (bit + at) % 8))) {
                let mut altered = bytes.clone();
                altered[at] ^= 1 << bit;
                if let Ok(proof) = RangeProof::decode(&altered) {
                    let result = world.check(&request, &proof);
                    assert!(result.is_err(), "{form:?}, {level:?}: bit {bit} of byte {at} may be flipped");
                }
            }
        }
    }
}

/// Each field of each header, altered in turn: the explained form names the cell.
#[test]
fn the_explained_form_names_the_altered_cell() {
    type Change = (&'static str, fn(&mut sealed_register::Header));
    let changes: [Change; 9] = [
        ("status", |header| header.status = sealed_register::Status::Withdrawn),
        ("kind", |header| header.kind = sealed_register::Kind::Close),
        ("intervals", |header| header.intervals = sealed_register::Intervals::Long),
        ("day", |header| header.day.0 ^= 4),
        ("revision", |header| header.revision ^= 1),
        ("generation", |header| header.generation ^= 1),
        ("epoch", |header| header.epoch ^= 1),
        ("nonce", |header| header.nonce[15] ^= 128),
        ("previous", |header| header.previous[0] ^= 1),
    ];
    let (world, request) = world(Form::Explained, Level::Hour);
    let honest = world.prove(&request);
    for at in 0..honest.elements.len() {
        for (field, change) in changes {
            let mut proof = honest.clone();
            change(&mut proof.elements[at].header);
            let cell = CellName::from(&proof.elements[at].header);
            assert_eq!(
                world.check(&request, &proof),
                Err(VerifyError::AlteredCell { cell }),
                "{field} of element {at}"
            );
        }
        let mut proof = honest.clone();
        let cell = CellName::from(&proof.elements[at].header);
        match &mut proof.elements[at].body {
            Body::Hidden(body) => body[0] ^= 1,
            Body::Opened { hashes, .. } => hashes[2].as_mut().unwrap()[0] ^= 1,
        }
        assert_eq!(world.check(&request, &proof), Err(VerifyError::AlteredCell { cell }));
    }
}

/// Each altered word: the explained form names cell and section, the compact form refuses.
#[test]
fn the_explained_form_names_the_altered_section() {
    for form in [Form::Compact, Form::Explained] {
        let (world, request) = world(form, Level::Quarter);
        let honest = world.prove(&request);
        let mut altered = 0;
        for at in 0..honest.elements.len() {
            for level in Level::ALL {
                let mut proof = honest.clone();
                let cell = CellName::from(&proof.elements[at].header);
                let Body::Opened { words, .. } = &mut proof.elements[at].body else { continue };
                let section = &mut words[level as usize - 1];
                let last = section.len() - 1;
                section[last] ^= 1 << 20;
                altered += 1;
                let expected = match form {
                    Form::Compact => VerifyError::HeadMismatch,
                    Form::Explained => VerifyError::SectionMismatch { cell, level, epoch: 0 },
                };
                assert_eq!(world.check(&request, &proof), Err(expected));

                let Body::Opened { words, .. } = &mut proof.elements[at].body else { continue };
                words[level as usize - 1].pop();
                let wrong = world.check(&request, &proof);
                assert!(matches!(wrong, Err(VerifyError::WrongSections { .. })), "{wrong:?}");
            }
        }
        assert_eq!(altered, 3 * 4, "three days and an amendment are opened");
    }
}
