//! `native_readings_per_second_per_core`.

use crate::{
    feed,
    measure::{on_processor, Samples},
    utility::{seal_file, Utility},
    Figures, Result, Scale,
};
use std::hint::black_box;

/// Parses, seals, chains and roots a file of homes on one core, over and over.
///
/// # Errors
/// If it cannot be sealed.
pub fn measure(scale: &Scale, figures: &mut Figures) -> Result<()> {
    let calendar = feed::calendar()?;
    let utility = Utility::new()?;
    let days: Vec<_> = (0..scale.homes).flat_map(|home| feed::year(home, &calendar)).collect();
    let file = feed::file(&days, &calendar)?;
    let mut rates = Samples::default();
    let mut cells = 0;
    for _ in 0..scale.rounds {
        cells = 0;
        let (rows, seconds) = on_processor(|| {
            seal_file(&utility, &calendar, &file, |batch| {
                cells += batch.summary.cells;
                black_box(batch);
                Ok(())
            })
        })?;
        rates.add(rows as f64 / seconds);
    }
    println!(
        "native: a file of {:.0} MB, {} homes, {cells} meter-days, parsed, sealed, chained, with a root for each batch; \
         readings a second of processor time: {rates}",
        file.len() as f64 / 1e6,
        scale.homes
    );
    figures.set("native_readings_per_second_per_core", rates.median().round());
    Ok(())
}
