//! Measures how many rows a second one core reads: `cargo run --release -p smart-meter-texas --features generate
//! --example throughput -- [homes]`.

use smart_meter_texas::{csv, generate, Calendar, OperatingDay};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let homes = std::env::args().nth(1).map_or(Ok(40), |homes| homes.parse())?;
    let calendar = Calendar::us_rule(2010, 2040)?;
    let days = OperatingDay(9_200)..=OperatingDay(9_564);
    let started = Instant::now();
    let mut file = Vec::new();
    generate::write_csv(generate::homes(1, homes), &calendar, days, &mut file)?;
    println!("generated {:.1} MB in {:.2} s", file.len() as f64 / 1e6, started.elapsed().as_secs_f64());

    let header = csv::HEADER.len() + 1;
    // The same rows in the order of time over all meters: the hardest order for a reader.
    let mut rows: Vec<&[u8]> = file[header..].split_inclusive(|&byte| byte == b'\n').collect();
    let key =
        |row: &&[u8]| row.splitn(5, |&byte| byte == b',').skip(1).step_by(2).map(<[u8]>::to_vec).collect::<Vec<_>>();
    rows.sort_by_cached_key(key);
    let by_time = [&file[..header], &rows.concat()].concat();

    for (name, file) in [("meter by meter", &file), ("time by time", &by_time)] {
        let mut best = f64::MAX;
        let mut summary = (0, 0);
        for _ in 0..5 {
            let started = Instant::now();
            let mut reader = csv::Reader::new(calendar.clone(), csv::Limits::default());
            let mut wh = 0u64;
            for chunk in file.chunks(64 << 10) {
                reader.push(chunk, |day| wh += day.total_wh())?;
            }
            let report = reader.finish(|day| wh += day.total_wh())?;
            best = best.min(started.elapsed().as_secs_f64());
            summary = (report.rows, wh);
        }
        let (rows, wh) = summary;
        println!("{name}: {rows} rows, {wh} Wh, {:.2} million rows/s", rows as f64 / best / 1e6);
    }
    Ok(())
}
