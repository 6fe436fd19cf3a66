//! `deliveries.json`: sealing to keys, deliveries of consents' keys and of meter keys.

use crate::input::{array, because, bytes, code, dates, digits, field, list, number, read, secret, text, Tally};
use alloc::{string::String, vec::Vec};
use sealed_register::{
    delivery::{
        delivery_hash, open_delivery, open_meter_key, seal_delivery, seal_meter_key, ConsentTerms, Deliverer,
        DeliveryContext, Envelope, MeterKeyContext, Purpose,
    },
    kem::{open_with, seal_to, KemSecret},
    statement::Word,
    Channel, Channels, Level, MeterKey, Secret,
};
use serde_json::Value;

pub fn check(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let kem = field(file, "kem")?;
    let reader = KemSecret::from_seed(secret(kem, "seed")?);
    let public = reader.public();
    tally.same("public key", public.as_bytes().to_vec(), bytes(kem, "public")?)?;
    tally.same("hash of the key", public.hash(), array(kem, "public_hash")?)?;
    let (info, aad, plaintext) = (text(kem, "info")?, text(kem, "aad")?, text(kem, "plaintext")?.as_bytes());
    let (info, aad, kept) = (info.as_bytes(), aad.as_bytes(), bytes(kem, "sealed")?);
    let sealed = because("sealing", seal_to(&public, info, aad, plaintext, &secret(kem, "randomness")?))?;
    tally.same("sealed", sealed, kept.clone())?;
    tally.same("opened", because("opening", open_with(&reader, info, aad, &kept))?, plaintext.to_vec())?;

    let terms = terms(field(file, "terms")?)?;
    let (vector, meter) = (field(file, "delivery")?, field(file, "meter_key")?);
    let context = DeliveryContext {
        genesis: array(vector, "genesis")?,
        deliverer: code(vector, "deliverer", |code| (code == Deliverer::Utility as u8).then_some(Deliverer::Utility))?,
        account: array(vector, "account")?,
        consent: array(vector, "consent")?,
        terms,
    };
    let key = MeterKey::new(secret(vector, "meter_key")?, number(meter, "generation")?);
    let kept = bytes(vector, "bytes")?;
    let segments = because("delivery", Envelope::decode(&kept))?.segments;
    let randomness = secret(vector, "randomness")?;
    let sealed = seal_delivery(&context, &segments, |epoch| Some(key.epoch_key(epoch)), &public, &randomness);
    tally.same("delivery", because("delivery", sealed)?, kept.clone())?;
    tally.same("hash of the delivery", delivery_hash(&kept), array(vector, "hash")?)?;
    let epoch = segments.last().ok_or("the delivery has no segment")?.epoch;
    let delivery = because("delivery", open_delivery(&context, epoch, &reader, &kept))?;
    let trees = list(vector, "trees")?;
    tally.same("number of trees", delivery.trees.len(), trees.len())?;
    for (tree, vector) in delivery.trees.iter().zip(trees) {
        tally.same("epoch", tree.segment.epoch, number(vector, "epoch")?)?;
        tally.same("days", tree.segment.days, dates(vector, "days")?)?;
        tally.same("channel", tree.channel, code(vector, "channel", Channel::from_byte)?)?;
        tally.same("level", tree.level, code(vector, "level", Level::from_byte)?)?;
        let nodes: Vec<Vec<u8>> = tree.cover.nodes().iter().map(Secret::expose).map(|seed| seed.to_vec()).collect();
        let kept: Result<Vec<_>, String> = list(vector, "nodes")?.iter().map(digits).collect();
        tally.same("nodes", nodes, kept?)?;
    }

    let context = MeterKeyContext {
        genesis: context.genesis,
        account: array(meter, "account")?,
        utility: terms.utility,
        meter: terms.meter,
        customer: array(meter, "customer")?,
        issue: number(meter, "issue")?,
    };
    let kept = bytes(meter, "bytes")?;
    let sealed = because("meter key", seal_meter_key(&context, &key, &public, &secret(meter, "randomness")?))?;
    tally.same("meter key", sealed, kept.clone())?;
    let opened = because("meter key", open_meter_key(&context, &reader, &kept))?;
    tally.same("opened meter key", *opened.secret().expose(), array(meter, "key")?)
}

fn terms(value: &Value) -> Result<ConsentTerms, String> {
    let purpose = |code| Purpose::WORDS.iter().map(|(purpose, _)| *purpose).find(|purpose| *purpose as u8 == code);
    Ok(ConsentTerms {
        utility: read(value, "utility")?,
        meter: read(value, "meter")?,
        grantee: array(value, "grantee")?,
        channels: code(value, "channels", Channels::from_byte)?,
        level: code(value, "level", Level::from_byte)?,
        data: dates(value, "data")?,
        access: dates(value, "access")?,
        purpose: code(value, "purpose", purpose)?,
        text_hash: array(value, "text_hash")?,
    })
}
