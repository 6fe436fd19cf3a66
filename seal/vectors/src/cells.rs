//! `cells.json`: a stream that is opened and sealed anew, byte for byte.

use crate::input::{array, because, bytes, digits, field, list, number, read, secret, text, Tally};
use alloc::{string::String, vec::Vec};
use sealed_register::{
    cell::first_previous, reopen, statement::Word, Channel, Heads, Keyring, Kind, Level, MeterKey, SealedCell, Shard,
    StreamId, StreamSealer,
};
use serde_json::Value;

/// Bound of the meter, Wh in 15 minutes.
const MAX_WH: u32 = 25_000;

pub fn check(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let (genesis, utility, meter) = (array(file, "genesis")?, read(file, "utility")?, read(file, "meter_id")?);
    let channel = Channel::from_word(text(file, "channel")?).ok_or("no such channel")?;
    let stream = StreamId { genesis, utility, meter, channel };
    tally.same("beginning of the stream", first_previous(&stream), array(file, "first_previous")?)?;
    let (key, siv) = (MeterKey::new(secret(file, "meter_key")?, 0), secret(file, "siv")?);
    let keyring = Keyring::from_meter_key(key.clone());
    let mut heads = Heads::new(Shard::of(genesis, utility, &meter, 0));
    let mut sealer = StreamSealer::new(&key, &siv, stream, 0, heads.head(&meter, channel), MAX_WH);
    let mut batch = 0;
    for vector in list(file, "cells")? {
        let encoded = bytes(vector, "encoded")?;
        let cell = because("cell", SealedCell::decode(&encoded))?;
        let readings = because("cell", reopen(&key, &cell))?;
        let wh: Option<Vec<u64>> = list(vector, "wh")?.iter().map(Value::as_u64).collect();
        let opened = readings.intervals.iter().map(|reading| reading.wh.into()).collect();
        tally.same("Wh", Some(opened), wh)?;
        tally.same("REVISION_DATE", readings.revision_date, number(vector, "revision_date")?)?;
        tally.same("nonce", cell.header.nonce, array(vector, "nonce")?)?;
        for level in Level::ALL {
            let name = match level {
                Level::Day => "day",
                Level::Hour => "hour",
                Level::Quarter => "quarter",
            };
            let vector = field(field(vector, "levels")?, name)?;
            tally.same("key commitment", keyring.kc(&cell.header, level), Some(array(vector, "kc")?))?;
            tally.same("section", *cell.section(level), array(vector, "section")?)?;
        }
        tally.same("body", cell.body(), array(vector, "body")?)?;
        tally.same("hash", cell.hash(), array(vector, "hash")?)?;
        sealer.set_epoch(&key, number(vector, "epoch")?);
        let sealed = because("sealing", sealer.seal_day(&readings, number(vector, "revision")?))?;
        tally.same("sealed cell", sealed.encode(), encoded)?;
        because("next cell", heads.apply(&cell))?;
        batch += 1;
    }
    for vector in list(file, "without_words")? {
        let encoded = digits(field(vector, "encoded")?)?;
        let cell = because("cell", SealedCell::decode(&encoded))?;
        let header = &cell.header;
        sealer.set_epoch(&key, header.epoch);
        let sealed = match header.kind {
            Kind::Close => sealer.close(header.day, header.intervals),
            Kind::Day => sealer.withdraw(header.day, header.intervals, header.revision),
        };
        tally.same("cell without words", because("sealing", sealed)?.encode(), encoded)?;
        tally.same("hash", cell.hash(), array(vector, "hash")?)?;
        because("next cell", heads.apply(&cell))?;
        batch += 1;
    }
    tally.same("root", heads.root(batch), array(file, "root_of_batch_6")?)
}
