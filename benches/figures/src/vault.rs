//! `vault_bytes_per_reading`, `read_p50_ms` and `read_p99_ms`: a vault with a million meter-days.
//!
//! The vault is the product's own, filled as a node fills it: day by day, all meters of a shard, each batch staged and
//! imported with all its checks. A read is all that the vault does for one: it looks up the meter's year, proves it to
//! the newest root at 15 minutes, encodes it and puts the receipt on disk. Not in it: JSON-RPC, the signatures of request
//! and receipt, and the two questions to the runtime, whether the consent stands. The readings of a few homes serve all meters; what is stored
//! differs for each of them, since each has keys of its own.

use crate::{
    feed,
    measure::Samples,
    utility::{Batch, Sealing, Utility, GENESIS},
    year, Figures, Result, Scale,
};
use sealed_register::{
    grantee::GranteeSecret,
    statement::{ReadRequest, Receipt, Statement},
    Channel, DayReadings, Level, MeterId,
};
use std::time::Instant;
use wattseal_vault::{BatchName, RangeAnswer, ReadNonce, Vault};

/// Homes whose readings serve all meters.
const HOMES: u32 = 20;
/// Number of the block in which everything happens.
const BLOCK: u32 = 1;

/// Fills a vault and reads from it.
///
/// # Errors
/// If the vault refuses anything.
pub fn measure(scale: &Scale, figures: &mut Figures) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("wattseal-vault").tempdir()?;
    let vault = Vault::open(&folder.path().join("vault.redb"), &GENESIS)?;
    let utility = Utility::new()?;
    let meters: Vec<_> =
        (0..scale.meters).map(|number| utility.secrets.meter_id("10443720000000001", number)).collect();
    let begun = Instant::now();
    let readings = fill(&vault, &utility, &meters)?;
    let sizes = vault.sizes()?;
    println!(
        "vault: {} meters, {} meter-days in {} batches, {:.2} GB, filled in {:.0} s",
        meters.len(),
        sizes.cells,
        sizes.batches,
        sizes.bytes as f64 / 1e9,
        begun.elapsed().as_secs_f64()
    );
    let per_reading = sizes.bytes as f64 / readings as f64;
    println!("vault: {readings} readings, {per_reading:.2} bytes of the vault's file for each");
    figures.set("vault_bytes_per_reading", per_reading);

    let (mut proving, mut whole) = (Samples::new(), Samples::new());
    for number in 0..scale.reads {
        // A stride that is prime to the number of meters: neighbours in the file are not asked for one after the other.
        let at = number as usize * 1_009 % meters.len();
        let meter = *meters.get(at).ok_or("no meters")?;
        let (seconds, all) = read(&vault, &utility, meter, number)?;
        proving.add(seconds * 1e3);
        whole.add(all * 1e3);
    }
    println!("reading a meter-year at 15 minutes, looked up and proved, milliseconds: {proving}");
    println!("reading a meter-year at 15 minutes, with its receipt on disk, milliseconds: {whole}");
    figures.set("read_p50_ms", whole.median());
    figures.set("read_p99_ms", whole.quantile(0.99));
    Ok(())
}

/// A year of all meters, day by day; gives the number of readings.
fn fill(vault: &Vault, utility: &Utility, meters: &[MeterId]) -> Result<u64> {
    let calendar = feed::calendar()?;
    let consumption = |home| {
        let days = feed::year(home, &calendar).iter().map(feed::readings).collect::<Vec<_>>();
        days.into_iter().filter(|day| day.channel == Channel::Consumption).collect()
    };
    let homes: Vec<Vec<DayReadings>> = (0..HOMES).map(consumption).collect();
    let mut sealing = Sealing::new(utility);
    let mut readings = 0;
    for day in 0..usize::from(feed::YEAR) {
        for (meter, home) in meters.iter().zip(homes.iter().cycle()) {
            let of_day = home.get(day).ok_or("a home without this day")?;
            readings += of_day.intervals.len() as u64;
            if let Some(batch) = sealing.seal(*meter, of_day)? {
                import(vault, utility, &batch)?;
            }
        }
    }
    import(vault, utility, &sealing.close()?)?;
    Ok(readings)
}

fn import(vault: &Vault, utility: &Utility, batch: &Batch) -> Result<()> {
    let shard = utility.shard();
    let name = BatchName { utility: utility.name, shard: shard.id, sequence: batch.sequence };
    vault.stage(&name, &batch.summary.body_hash, &batch.chunks)?;
    vault.import(&name, shard.bits, &batch.summary, &mut |_| Ok(Some(0)))?;
    Ok(())
}

/// One read; gives the seconds until the proof is there, and until its receipt is on disk.
fn read(vault: &Vault, utility: &Utility, meter: MeterId, number: u32) -> Result<(f64, f64)> {
    let stream = utility.stream(meter, Channel::Consumption);
    let wanted = year::request(stream, year::range()?, Level::Quarter);
    let mut nonce = [0; 16];
    nonce[..4].copy_from_slice(&number.to_le_bytes());
    let request = ReadRequest {
        genesis: GENESIS,
        vault: [8; 32],
        reader: [3; 32],
        secret: GranteeSecret([4; 32]),
        consent: [5; 32],
        utility: utility.name,
        meter,
        channel: stream.channel,
        range: wanted.range,
        level: wanted.level,
        nonce,
        block: BLOCK,
    };
    let begun = Instant::now();
    let (found, heads) = vault.range(utility.shard().id, &wanted)?;
    let RangeAnswer::Cells(proof) = found else { return Err("a meter that is there was not found".into()) };
    let (cells, head) = (proof.elements.len(), proof.path.leaf.sequence);
    let bytes = proof.encode();
    let proved = begun.elapsed().as_secs_f64();
    if cells != usize::from(feed::YEAR) || heads.tree.shard() != &utility.shard() {
        return Err(format!("{cells} cells were read instead of {}", feed::YEAR).into());
    }
    let nonce = ReadNonce { reader: request.reader, nonce, block: BLOCK };
    let make = |number, previous| {
        let receipt = Receipt {
            genesis: GENESIS,
            vault: request.vault,
            number,
            previous,
            request: request.hash(),
            cells: u32::from(feed::YEAR),
            bytes: bytes.len() as u64,
            level: request.level,
            range: request.range,
            head_sequence: Some(head),
            block: BLOCK,
            block_hash: GENESIS,
        };
        Ok((receipt, [0; 64]))
    };
    vault.append_receipt(&nonce, BLOCK, &utility.name, &meter, make)?;
    Ok((proved, begun.elapsed().as_secs_f64()))
}
