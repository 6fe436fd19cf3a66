//! `proofs.json`: a batch, its root, proofs under it.

use crate::input::{array, because, bytes, code, days, digits, field, list, number, read, secret, text, Tally};
use alloc::{string::String, vec::Vec};
use sealed_register::{
    batch::{body_hash, decode_chunk},
    delivery::Segment,
    finalized::{BlockRef, RootStatement},
    open,
    proof::Form,
    shard::AbsenceProof,
    verified::{Currency, VerifiedDay},
    verify::verify_absence,
    verify_range, Channel, Channels, FinalizedRoot, Heads, Keyring, Level, MeterKey, RangeProof, RangeRequest,
    SealedCell, Shard, ShardId, StreamId,
};
use serde_json::Value;

pub fn check(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let (genesis, utility, meter) = (array(file, "genesis")?, read(file, "utility")?, read(file, "meter")?);
    let (id, bits) = (ShardId(number(file, "shard")?), number(file, "shard_bits")?);
    let shard = Shard { genesis, utility, id, bits };
    let batch_sequence = number(file, "batch_sequence")?;
    let (mut heads, mut cells) = (Heads::new(shard), Vec::new());
    for vector in list(file, "cells_by_stream")? {
        let encoded = bytes(vector, "bytes")?;
        let cell = because("cell", SealedCell::decode(&encoded))?;
        tally.same("hash", because("next cell", heads.apply(&cell))?, array(vector, "hash")?)?;
        cells.push(encoded);
    }
    let root = heads.root(batch_sequence);
    tally.same("root", root, array(file, "root")?)?;
    tally.same("heads", heads.encode(), bytes(file, "index_of_heads")?)?;
    let chunks = list(file, "chunks")?.iter().map(digits).collect::<Result<Vec<_>, String>>()?;
    tally.same("body", body_hash(chunks.iter().map(Vec::as_slice)), array(file, "body_hash")?)?;
    let mut sealed = Vec::new();
    for chunk in &chunks {
        for cell in because("chunk", decode_chunk(chunk))?.1 {
            sealed.push(because("chunk", cell)?.encode());
        }
    }
    // The cells of a body lie in the order in which they were sealed.
    sealed.sort();
    cells.sort();
    tally.same("cells of the body", sealed, cells)?;

    let block = BlockRef { number: 1, hash: [1; 32] };
    let newest = FinalizedRoot::from_own_node(RootStatement { shard, batch_sequence, root, block });
    let key = MeterKey::new(secret(file, "meter_key")?, number(file, "generation")?);
    let keyring = Keyring::from_meter_key(key);
    let range = days(field(file, "proved_days")?)?;
    let epoch = number(file, "epoch")?;
    let segments = [Segment { epoch, days: range }].to_vec();
    let stream = StreamId { genesis, utility, meter, channel: Channel::Consumption };
    for vector in list(file, "proofs")? {
        let (level, form) = (code(vector, "level", Level::from_byte)?, code(vector, "form", form)?);
        let request = RangeRequest { stream, range, level, segments: segments.clone(), form };
        let encoded = bytes(vector, "bytes")?;
        let proof = because("proof", RangeProof::decode(&encoded))?;
        tally.same("proof", proof.encode(), encoded)?;
        let verified = because("proof", verify_range(&request, &proof, &newest, &newest, &keyring))?;
        for (_, day) in verified.days() {
            let VerifiedDay::Committed(cell) = day else { return Err("a proved day is missing".into()) };
            let opened = because("day", open(cell, &keyring, cell.header().intervals))?;
            tally.same("level", opened.level(), level)?;
        }
    }
    // The end of a stream's numbers: a proof that holds, and the last of its cells alone, which is only read.
    let name = "proof_ends_at_last_number";
    let encoded = bytes(file, name)?;
    let mut proof = because(name, RangeProof::decode(&encoded))?;
    tally.same(name, proof.encode(), encoded)?;
    let root = FinalizedRoot::from_own_node(RootStatement {
        shard,
        batch_sequence,
        root: array(file, "root_at_last_number")?,
        block,
    });
    let range = days(field(file, "days")?)?;
    let segments = [Segment { epoch, days: range }].to_vec();
    let request = RangeRequest { stream, range, level: Level::Day, segments, form: Form::Compact };
    let verified = because(name, verify_range(&request, &proof, &root, &root, &keyring))?;
    tally.same(name, verified.head_sequence(), u32::MAX)?;
    let name = "proof_of_last_number_alone";
    proof.elements.drain(..proof.elements.len().saturating_sub(1));
    let alone = because(name, RangeProof::decode(&bytes(file, name)?))?;
    tally.same(name, alone, proof)?;

    let absent = StreamId { meter: read(file, "absent_meter")?, ..stream };
    let proof = because(text(file, "absent_meter")?, AbsenceProof::decode(&bytes(file, "absence")?))?;
    let currency = because("absence", verify_absence(&absent, Channels::Both, &proof, &newest, &newest))?;
    tally.same("absence", because("absence", currency)?, Currency::Current)
}

fn form(code: u8) -> Option<Form> {
    [Form::Compact, Form::Explained].into_iter().find(|form| *form as u8 == code)
}
