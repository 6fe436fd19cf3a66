//! `keys.json`: secrets, meter keys, trees, covers.

use crate::input::{array, because, bytes, days, digits, field, list, number, read, text, Tally};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use sealed_register::{
    secrets::{check_value, secret_from_signature, secret_message},
    statement::Word,
    tree::DEPTH,
    Channel, Level, OrganisationId, Secret, SecretPurpose, UtilitySecrets,
};
use serde_json::Value;

pub fn check(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let (genesis, utility): (_, OrganisationId) = (array(file, "genesis")?, read(file, "utility")?);
    let (signature, generation) = (array(file, "signature")?, number(file, "generation")?);
    let purposes = [SecretPurpose::Id, SecretPurpose::Seal { generation }, SecretPurpose::Siv, SecretPurpose::Ticket];
    let secrets = purposes.map(|purpose| secret_from_signature(purpose, &signature));
    let vectors = list(file, "secrets")?;
    tally.same("number of secrets", secrets.len(), vectors.len())?;
    for ((purpose, secret), vector) in purposes.into_iter().zip(&secrets).zip(vectors) {
        let message = secret_message(&genesis, &utility, purpose).to_vec();
        tally.same("message", message, bytes(vector, "message")?)?;
        tally.same("secret", *secret.expose(), array(vector, "secret")?)?;
        tally.same("check value", check_value(secret), array(vector, "check_value")?)?;
    }
    let [id, seal, siv, ticket] = secrets;
    let secrets = UtilitySecrets { id, seal, siv, ticket, generation };
    let meter = secrets.meter_id(text(file, "esi_id")?, number(file, "tenancy")?);
    tally.same("meter", meter.to_string().as_str(), text(file, "meter_id")?)?;
    let bits = secrets.ticket_bits(&utility, &meter, number(file, "ticket_issue")?);
    tally.same("ticket", bits, array(file, "ticket_bits")?)?;
    let key = secrets.meter_key(&utility, &meter);
    tally.same("meter key", *key.secret().expose(), array(file, "meter_key")?)?;

    let tree = field(file, "tree")?;
    let channel = Channel::from_word(text(tree, "channel")?).ok_or("no such channel")?;
    let level = Level::from_word(text(tree, "level")?).ok_or("no such level")?;
    let root = key.epoch_key(number(file, "epoch")?).tree_root(channel, level);
    tally.same("tree's root", *root.seed().expose(), array(tree, "root")?)?;
    let leaf = field(file, "leaf")?;
    let day: u32 = number(leaf, "day")?;
    let node = root.node(DEPTH, day).ok_or_else(|| format!("day {day} lies outside the tree"))?;
    tally.same("leaf", *node.seed().expose(), array(leaf, "seed")?)?;
    let vector = field(file, "cover")?;
    let cover = because("cover", root.cover(days(vector)?))?;
    let nodes: Vec<Vec<u8>> = cover.nodes().iter().map(Secret::expose).map(|seed| seed.to_vec()).collect();
    let kept: Result<Vec<_>, String> = list(vector, "nodes")?.iter().map(digits).collect();
    tally.same("cover", nodes, kept?)
}
