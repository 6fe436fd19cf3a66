//! Property 7: fixed vectors of keys, trees and cells, for every implementation of the protocol.

use crate::{
    vector_file,
    world::{range, readings, utility, World, GENESIS},
};
use sealed_register::{
    cell::first_previous,
    secrets::{check_value, secret_from_signature, secret_message},
    tree::DEPTH,
    types::hex,
    Channel, Intervals, Keyring, Level, OperatingDay, SecretPurpose, UtilitySecrets,
};
use serde_json::{json, Value};

fn name(level: Level) -> &'static str {
    match level {
        Level::Day => "day",
        Level::Hour => "hour",
        Level::Quarter => "quarter",
    }
}

#[test]
fn keys() {
    let utility = utility();
    let purposes = [
        ("id", SecretPurpose::Id),
        ("seal", SecretPurpose::Seal { generation: 2 }),
        ("siv", SecretPurpose::Siv),
        ("ticket", SecretPurpose::Ticket),
    ];
    let secret = |purpose| secret_from_signature(purpose, &[0x5a; 64]);
    let derived: Vec<Value> = purposes
        .iter()
        .map(|(name, purpose)| {
            json!({
                "purpose": name,
                "message": hex(&secret_message(&GENESIS, &utility, *purpose)),
                "secret": hex(secret(*purpose).expose()),
                "check_value": hex(&check_value(&secret(*purpose))),
            })
        })
        .collect();
    let [id, seal, siv, ticket] = purposes.map(|(_, purpose)| secret(purpose));
    let secrets = UtilitySecrets { id, seal, siv, ticket, generation: 2 };
    let meter = secrets.meter_id("1008901012345678901234", 3);
    let key = secrets.meter_key(&utility, &meter);
    let root = key.epoch_key(7).tree_root(Channel::Generation, Level::Hour);
    let cover = root.cover(range(8095, 8459)).unwrap();
    let nodes: Vec<Value> = cover.nodes().iter().map(|node| hex(node.expose()).into()).collect();
    vector_file::compare(
        "keys.json",
        &json!({
            "genesis": hex(&GENESIS),
            "utility": utility.as_str(),
            "signature": hex(&[0x5a; 64]),
            "secrets": derived,
            "esi_id": "1008901012345678901234",
            "tenancy": 3,
            "meter_id": meter.to_string(),
            "generation": 2,
            "meter_key": hex(key.secret().expose()),
            "ticket_issue": 1,
            "ticket_bits": hex(&secrets.ticket_bits(&utility, &meter, 1)),
            "epoch": 7,
            "tree": { "channel": "generation", "level": "hour", "root": hex(root.seed().expose()) },
            "leaf": { "day": 8123, "seed": hex(root.node(DEPTH, 8123).unwrap().seed().expose()) },
            "cover": { "first": 8095, "last": 8459, "nodes": nodes },
        }),
    );
}

#[test]
fn cells() {
    let mut world = World::new();
    let channel = Channel::Consumption;
    let days = [(8107, 92, 0), (8108, 96, 0), (8345, 100, 1), (8108, 96, 2)];
    let mut vectors = Vec::new();
    for (at, (day, count, epoch)) in days.into_iter().enumerate() {
        let clear = readings(channel, day, count, at as u32 * 1000, at as u32);
        let cell = world.seal(epoch, &clear, u16::from(at == 3));
        let keyring = Keyring::from_meter_key(world.key());
        let levels = Level::ALL.map(|level| {
            let kc = keyring.kc(&cell.header, level).unwrap();
            (name(level).to_string(), json!({ "kc": hex(&kc), "section": hex(cell.section(level)) }))
        });
        vectors.push(json!({
            "day": day,
            "epoch": epoch,
            "revision": cell.header.revision,
            "revision_date": clear.revision_date,
            "wh": clear.intervals.iter().map(|reading| reading.wh).collect::<Vec<_>>(),
            "nonce": hex(&cell.header.nonce),
            "levels": serde_json::Map::from_iter(levels),
            "body": hex(&cell.body()),
            "hash": hex(&cell.hash()),
            "encoded": hex(&cell.encode()),
        }));
    }
    let withdrawn = world.sealer(channel, 2).withdraw(OperatingDay(8108), Intervals::Normal, 2).unwrap();
    world.commit(withdrawn.clone());
    let closed = world.sealer(channel, 2).close(OperatingDay(8345), Intervals::Long).unwrap();
    world.commit(closed.clone());
    let without_words =
        [withdrawn, closed].map(|cell| json!({ "encoded": hex(&cell.encode()), "hash": hex(&cell.hash()) }));
    vector_file::compare(
        "cells.json",
        &json!({
            "genesis": hex(&GENESIS),
            "utility": utility().as_str(),
            "meter_id": world.meter.to_string(),
            "channel": "consumption",
            "meter_key": hex(world.key().secret().expose()),
            "siv": hex(world.secrets.siv.expose()),
            "first_previous": hex(&first_previous(&world.stream(channel))),
            "cells": vectors,
            "without_words": without_words,
            "root_of_batch_6": hex(world.root().root()),
        }),
    );
}
