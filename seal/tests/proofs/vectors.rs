//! Protocol section 10, property 7: fixed vectors of a batch, its root and proofs under it, for every implementation.

use crate::{
    decoders::{end_of_numbers, last_number_alone},
    vector_file,
    world::{range, World, START},
};
use sealed_register::{
    proof::Form,
    types::{hex, Channels},
    Channel, Level, MeterId, RangeRequest,
};
use serde_json::{json, Value};

#[test]
fn batches_and_proofs() {
    let mut world = World::new();
    let (meter, neighbour) = (world.meter(0), world.meter(1));
    world.seal_plain(&neighbour, START, 0);
    world.seal_days(&meter, Channel::Generation, range(START, START));
    world.seal_days(&meter, Channel::Consumption, range(START, START + 2));
    world.seal_plain(&meter, START + 1, 1);
    let pending = world.pending.clone();
    let (chunks, summary) = world.build();
    // `build` took the cells; the vault's side goes the whole way once more.
    world.sealing = world.checked.clone();
    world.pending = pending;
    let root = world.commit();
    assert_eq!(*root.root(), summary.root);
    let days = range(START + 1, START + 2);
    let mut proofs = Vec::new();
    for level in Level::ALL {
        for form in [Form::Compact, Form::Explained] {
            let request = world.request(&meter, Channel::Consumption, days, level);
            let request = RangeRequest { form, ..request };
            let proof = world.prove(&request);
            assert!(world.check(&request, &proof).is_ok());
            proofs.push(json!({ "level": level as u8, "form": form as u8, "bytes": hex(&proof.encode()) }));
        }
    }
    let (_, ends_at_last_number, end_root, _) = end_of_numbers();
    let last_number_alone = last_number_alone(&ends_at_last_number);
    let absent = MeterId([0xaa; 16]);
    let absence = world.tree().absence(&absent, Channels::Both).unwrap();
    let cells: Vec<Value> = world
        .store
        .values()
        .flatten()
        .map(|cell| json!({ "hash": hex(&cell.hash()), "bytes": hex(&cell.encode()) }))
        .collect();
    vector_file::compare(
        "proofs.json",
        &json!({
            "genesis": hex(&world.shard.genesis),
            "utility": world.shard.utility.as_str(),
            "shard": world.shard.id.0,
            "shard_bits": world.shard.bits,
            "batch_sequence": root.batch_sequence(),
            "meter": meter.to_string(),
            "meter_key": hex(world.key(&meter).secret().expose()),
            "generation": 0,
            "epoch": 0,
            "cells_by_stream": cells,
            "chunks": chunks.iter().map(|chunk| hex(chunk)).collect::<Vec<_>>(),
            "root": hex(&summary.root),
            "body_hash": hex(&summary.body_hash),
            "body_len": summary.body_len,
            "cells": summary.cells,
            "days": { "first": summary.days.first.0, "last": summary.days.last.0 },
            "index_of_heads": hex(&world.checked.encode()),
            "proved_days": { "first": days.first.0, "last": days.last.0 },
            "proofs": proofs,
            // Cells 2^32 - 3 to 2^32 - 1 under a root of their own, and a proof of the last alone: both are read.
            "root_at_last_number": hex(end_root.root()),
            "proof_ends_at_last_number": hex(&ends_at_last_number),
            "proof_of_last_number_alone": hex(&last_number_alone),
            "absent_meter": absent.to_string(),
            "absence": hex(&absence.encode()),
        }),
    );
}
