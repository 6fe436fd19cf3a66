//! Cells: what is read is written the same again, and a cell that opens gives readings that can be.

use crate::{
    edit::any_or_edited,
    world::{range, readings, World, START},
};
use arbitrary::Unstructured;
use sealed_register::{reopen, Channel, Header, Intervals, MeterId, MeterKey, OperatingDay, Quality, SealedCell};
use std::sync::OnceLock;

struct Sealed {
    key: MeterKey,
    cells: Vec<Vec<u8>>,
}

/// First byte: an honest cell to edit, or any bytes.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Sealed { key, cells } = sealed();
    let bytes = any_or_edited(&mut input, cells);
    if let Ok(header) = Header::decode(&bytes) {
        assert_eq!(header.encode().as_slice(), bytes);
    }
    let Ok(cell) = SealedCell::decode(&bytes) else { return };
    assert_eq!(cell.encode(), bytes);
    assert_eq!(cell.encoded_len(), bytes.len());
    assert!(bytes.len() <= SealedCell::MAX_LEN);
    let Ok(readings) = reopen(key, &cell) else { return };
    assert!(cell.header.has_words());
    assert_eq!((readings.day, readings.channel), (cell.header.day, cell.header.channel));
    assert_eq!(readings.intervals.len(), cell.header.intervals.count());
    assert!(readings.intervals.iter().all(|reading| reading.quality != Quality::Missing || reading.wh == 0));
}

/// Days of every length, both channels, a day taken back, the end of a stream; one meter.
fn sealed() -> &'static Sealed {
    static SEALED: OnceLock<Sealed> = OnceLock::new();
    SEALED.get_or_init(|| {
        let mut world = World::new();
        let meter: MeterId = world.meter(0);
        world.seal_days(&meter, Channel::Generation, range(START, START + 1));
        for (day, intervals) in (START..).zip([92, 96, 100]) {
            let mut of_day = readings(Channel::Consumption, day, intervals, 1);
            of_day.intervals[5].quality = Quality::Estimated;
            of_day.intervals[6] = sealed_register::Reading { wh: 0, quality: Quality::Missing };
            world.seal(&meter, &of_day, 0);
        }
        let mut sealer = world.sealer(&meter, Channel::Consumption);
        let withdrawn = sealer.withdraw(OperatingDay(START), Intervals::Normal, 1).unwrap();
        let closed = sealer.close(OperatingDay(START + 2), Intervals::Long).unwrap();
        let cells = world.pending.iter().chain([&withdrawn, &closed]).map(SealedCell::encode).collect();
        Sealed { key: world.key(&meter), cells }
    })
}
