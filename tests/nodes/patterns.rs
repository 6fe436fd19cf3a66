//! Everything that must be nowhere: ESI IDs in every form, their unkeyed hashes, names, readings.

use crate::feed;
use smart_meter_texas::{EsiId, MeterDay};
use std::{collections::BTreeSet, fs, path::Path};
use wattseal_tests::Search;

/// Rows of the files that are looked for as they stand.
const ROWS: usize = 2_000;
/// Days whose values are looked for as programs keep them.
const DAYS: usize = 400;

/// Patterns of a story's feed.
pub fn of(base: &Path) -> Search {
    let mut search = Search::default();
    let mut meters: BTreeSet<EsiId> = BTreeSet::new();
    for path in feed::files(base) {
        let days = feed::days(&path);
        meters.extend(days.iter().map(|day| day.esi_id));
        let step = (days.len() / DAYS).max(1);
        days.iter().step_by(step).for_each(|day| values(&mut search, day));
        let text = fs::read_to_string(&path).unwrap();
        let rows = text.lines().skip(1).count();
        for row in text.lines().skip(1).step_by((rows / ROWS).max(1)) {
            // The row without its ESI ID, and from the times on: however it were cut, one of them would show.
            let fields: Vec<&str> = row.splitn(4, ',').collect();
            let ([_, date, revised, rest], true) = (<[&str; 4]>::try_from(fields).unwrap(), row.len() > 40) else {
                continue;
            };
            assert!(search.add(format!("row {date}"), format!("{date},{revised},{rest}").as_bytes()));
            if !rest.contains(",0,") && !rest.contains(",,") {
                assert!(search.add(format!("end of row {date}"), rest.as_bytes()));
            }
        }
    }
    assert!(!meters.is_empty());
    for esi_id in &meters {
        esi(&mut search, esi_id.as_str());
    }
    let customers = fs::read_dir(base.join("utility")).unwrap().map(|entry| entry.unwrap().path());
    for path in customers.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("customers-")) {
        for line in fs::read_to_string(path).unwrap().lines().skip(1) {
            let name = line.split_once(',').unwrap().1;
            assert!(search.add(format!("name {name}"), name.as_bytes()));
        }
    }
    search
}

/// An ESI ID as text, as numbers, and every hash of its text that needs no key.
fn esi(search: &mut Search, text: &str) {
    let last = &text[text.len() - 4..];
    let quoted = format!("'{text}");
    // The text is found behind an apostrophe too.
    assert!(search.add(format!("ESI ID ...{last}"), text.as_bytes()));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(search.add(format!("ESI ID ...{last} in UTF-16"), &wide));
    assert!(search.add(format!("ESI ID ...{last} in digits of hexadecimal"), hex::encode(text).as_bytes()));
    let number: u128 = text.parse().unwrap();
    let bytes = if number > u128::from(u64::MAX) { 10 } else { 8 };
    assert!(search.add(format!("ESI ID ...{last} as a number"), &number.to_le_bytes()[..bytes]));
    assert!(search.add(format!("ESI ID ...{last} as a number"), &number.to_be_bytes()[16 - bytes..]));
    for (form, input) in [("", text.as_bytes()), (" with its apostrophe", quoted.as_bytes())] {
        let hashes: [(&str, Vec<u8>); 9] = [
            ("BLAKE2b-64", sp_crypto_hashing::blake2_64(input).to_vec()),
            ("BLAKE2b-128", sp_crypto_hashing::blake2_128(input).to_vec()),
            ("BLAKE2b-256", sp_crypto_hashing::blake2_256(input).to_vec()),
            ("BLAKE2b-512", sp_crypto_hashing::blake2_512(input).to_vec()),
            ("BLAKE3", blake3::hash(input).as_bytes().to_vec()),
            ("SHA-256", sp_crypto_hashing::sha2_256(input).to_vec()),
            ("Keccak-256", sp_crypto_hashing::keccak_256(input).to_vec()),
            ("XXH64 x 2", sp_crypto_hashing::twox_128(input).to_vec()),
            ("XXH64", sp_crypto_hashing::twox_64(input).to_vec()),
        ];
        for (name, hash) in hashes {
            // Cut to 16 bytes as identifiers are; shorter ones whole.
            let hash = &hash[..hash.len().min(16)];
            assert!(search.add(format!("{name} of ESI ID ...{last}{form}"), hash));
            assert!(search.add(format!("{name} of ESI ID ...{last}{form}, in digits"), hex::encode(hash).as_bytes()));
        }
    }
}

/// A day's values as programs keep them: energies one after the other, energies with their quality, totals since midnight.
fn values(search: &mut Search, day: &MeterDay) {
    let wh: Vec<u32> = day.intervals.iter().map(|interval| interval.wh).collect();
    // Five neighbours that all differ and are no zeros stand nowhere by chance.
    let telling = |part: &[u32]| part.iter().all(|wh| *wh > 0) && part.iter().collect::<BTreeSet<_>>().len() == 5;
    let Some((start, part)) = wh.windows(5).enumerate().find(|(_, part)| telling(part)) else { return };
    let name = |form: &str| format!("readings of {:?} as {form}", day.day);
    let put = |search: &mut Search, form: &str, bytes: Vec<u8>| assert!(search.add(name(form), &bytes));
    put(search, "u32", part.iter().flat_map(|wh| wh.to_le_bytes()).collect());
    put(search, "u32 and a byte", part.iter().flat_map(|wh| [&wh.to_le_bytes()[..], &[0]].concat()).collect());
    put(search, "u32 padded", part.iter().flat_map(|wh| [&wh.to_le_bytes()[..], &[0; 4]].concat()).collect());
    put(search, "text", part.iter().map(u32::to_string).collect::<Vec<_>>().join(", ").into_bytes());
    let mut total: u64 = wh[..start].iter().map(|wh| u64::from(*wh)).sum();
    let totals: Vec<u64> = part
        .iter()
        .map(|wh| {
            total += u64::from(*wh);
            total
        })
        .collect();
    put(search, "totals", totals.iter().flat_map(|total| total.to_le_bytes()).collect());
    // Quarter sections hold three of four boundaries: the words of one hour stand together.
    for three in totals.windows(3) {
        put(search, "register words", three.iter().flat_map(|total| total.to_le_bytes()).collect());
    }
}
