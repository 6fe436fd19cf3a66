//! What the sealed register is compared with: small implementations of two other ways to share readings by date range
//! and resolution. They are here to be measured and are in no product.
//!
//! All three get the same days in memory and pay for the same: keys of each day or interval from trees that allow grants
//! of date ranges, encryption for readers of days, hours and quarter hours, and what each of them stores. The figure is a
//! ratio of readings a second of processor time: above 1, the register is faster.

mod aead;
mod timecrypt;
mod tree;

use crate::{
    feed,
    measure::{on_processor, Samples},
    utility::Utility,
    Figures, Result, Scale,
};
use sealed_register::{Channel, DayReadings, MeterId};
use std::{collections::HashMap, hint::black_box};

/// A year of one stream.
struct Stream {
    meter: MeterId,
    channel: Channel,
    days: Vec<DayReadings>,
}

/// What sealing all streams made, bytes.
type Bytes = Result<u64>;

/// Seals the same streams in three ways in turn.
///
/// # Errors
/// If they cannot be sealed.
pub fn measure(scale: &Scale, figures: &mut Figures) -> Result<()> {
    let utility = Utility::new()?;
    let streams = streams(scale, &utility)?;
    let readings: usize = streams.iter().flat_map(|stream| &stream.days).map(|day| day.intervals.len()).sum();
    let readings = readings as f64;
    let [mut register, mut aead, mut timecrypt] = [const { Samples::new() }; 3];
    let [mut vs_aead, mut vs_timecrypt] = [const { Samples::new() }; 2];
    let mut bytes = [0; 3];
    for _ in 0..scale.rounds {
        let (of_register, seconds) = on_processor(|| sealed_register(&utility, &streams))?;
        let (of_aead, aead_seconds) = on_processor(|| aead::seal_all(&streams))?;
        let (of_timecrypt, timecrypt_seconds) = on_processor(|| timecrypt::seal_all(&streams))?;
        register.add(seconds / readings * 1e9);
        aead.add(aead_seconds / readings * 1e9);
        timecrypt.add(timecrypt_seconds / readings * 1e9);
        vs_aead.add(aead_seconds / seconds);
        vs_timecrypt.add(timecrypt_seconds / seconds);
        bytes = [of_register, of_aead, of_timecrypt];
    }
    let names = ["the sealed register", "AEAD for each level", "TimeCrypt's construction"];
    for ((name, samples), bytes) in names.iter().zip([&register, &aead, &timecrypt]).zip(bytes) {
        let each = bytes as f64 / readings;
        println!("sealing, {name}: {each:.2} bytes a reading; nanoseconds of processor time a reading: {samples}");
    }
    println!("sealing, times as fast as AEAD for each level: {vs_aead}");
    println!("sealing, times as fast as TimeCrypt's construction: {vs_timecrypt}");
    figures.set("vs_aead_per_level", vs_aead.median());
    figures.set("vs_timecrypt", vs_timecrypt.median());
    Ok(())
}

fn streams(scale: &Scale, utility: &Utility) -> Result<Vec<Stream>> {
    let calendar = feed::calendar()?;
    let mut streams: HashMap<(MeterId, Channel), Vec<DayReadings>> = HashMap::new();
    for day in (0..scale.homes).flat_map(|home| feed::year(home, &calendar)) {
        let readings = feed::readings(&day);
        let meter = utility.secrets.meter_id(day.esi_id.as_str(), 0);
        streams.entry((meter, readings.channel)).or_default().push(readings);
    }
    Ok(streams.into_iter().map(|((meter, channel), days)| Stream { meter, channel, days }).collect())
}

/// The product: cells in a chain.
fn sealed_register(utility: &Utility, streams: &[Stream]) -> Bytes {
    let mut bytes = 0;
    for Stream { meter, channel, days } in streams {
        let mut sealer = utility.sealer(utility.stream(*meter, *channel));
        for day in days {
            let cell = black_box(sealer.seal_day(day, 0)?);
            bytes += cell.encoded_len() as u64;
        }
    }
    Ok(bytes)
}
