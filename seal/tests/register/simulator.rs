//! Property 5: what a day reader sees is reproduced by a simulator that knows only the day words. Opening, errors and
//! sizes are equal, so the view tells nothing about hours and quarter hours.

use crate::world::{any_readings, range, Grant, World};
use proptest::prelude::*;
use sealed_register::{
    cell::section_hash,
    delivery::Segment,
    open::{open_with, OpenError, Opened},
    proof::Form,
    word::{words_of, BoundaryTotal},
    Channel, DayReadings, Keyring, Level, OperatingDay, SealedCell,
};

const CHANNEL: Channel = Channel::Consumption;
const FIRST: u16 = 8000;

/// Random bytes that come from nowhere near the readings.
struct Random(blake3::OutputReader);

impl Random {
    fn new(seed: u64) -> Self {
        Self(blake3::Hasher::new().update(b"simulator").update(&seed.to_le_bytes()).finalize_xof())
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    fn word(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}

/// The simulator: public header fields, the reader's own keys, and (for days within the grant) the two day words in
/// clear. It never sees a meter key, an hour or a quarter hour.
fn simulate(real: &World, keyring: &Keyring, day_words: &[Option<[u64; 2]>], random: &mut Random) -> World {
    let mut world = World::new();
    for (real, day_words) in real.cells.iter().zip(day_words) {
        let mut header = real.header;
        header.nonce = random.array();
        header.previous = world.heads.head(&world.meter, CHANNEL).hash;
        let mut words = |level| (0..header.section_len(level)).map(|_| random.word()).collect::<Vec<_>>();
        let [day, hour, quarter] = Level::ALL.map(&mut words);
        let mut cell = SealedCell {
            header,
            sections: [random.array(), random.array(), random.array()],
            day: [day[0], day[1]],
            hour,
            quarter,
        };
        if let Some(clear) = day_words {
            let leaf = keyring.leaf(&header, Level::Day).unwrap();
            let mut pads = [0; 2];
            leaf.pads(&header.nonce, CHANNEL, Level::Day, &mut pads);
            cell.day = [clear[0].wrapping_add(pads[0]), clear[1].wrapping_add(pads[1])];
            let kc = leaf.commitment(&header, Level::Day);
            cell.sections[0] = section_hash(&kc, CHANNEL, Level::Day, &cell.day);
        }
        world.commit(cell);
    }
    world
}

/// Everything that a reader does: proofs of every level in both forms, with the right segments and too many.
type View = Vec<(usize, Result<Vec<Result<Opened, OpenError>>, String>)>;

fn view(world: &World, keyring: &Keyring, grants: &[Grant], days: u16) -> View {
    let right: Vec<Segment> = grants.iter().map(Grant::segment).collect();
    let wide: Vec<Segment> = (0..3).map(|epoch| Segment { epoch, days: range(FIRST, FIRST + days) }).collect();
    let mut view = Vec::new();
    for level in Level::ALL {
        for form in [Form::Compact, Form::Explained] {
            for segments in [&right, &wide, &vec![]] {
                let whole = range(FIRST, FIRST + days);
                let mut request = world.request(CHANNEL, whole, level, segments);
                request.form = form;
                let size = world.prove(&request).len();
                let mut cursor = keyring.cursor();
                let opened = world.try_read(&request, keyring).map(|verified| {
                    let cells = whole.iter().flat_map(|day| verified.revisions(day));
                    cells.map(|cell| open_with(cell, &mut cursor, cell.header().intervals)).collect()
                });
                view.push((size, opened.map_err(|error| error.to_string())));
            }
        }
    }
    view
}

fn any_days() -> impl Strategy<Value = Vec<DayReadings>> {
    (2..7u16).prop_flat_map(|count| (0..count).map(|day| any_readings(CHANNEL, FIRST + day)).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_simulator_that_knows_only_day_words_gives_the_same_view(
        days in any_days(),
        spans in prop::collection::vec((0..3u32, 0..6u16, 0..6u16), 1..3),
        amended in 0..6u16,
        seed in any::<u64>(),
    ) {
        let mut real = World::new();
        let mut clear = Vec::new();
        for (at, readings) in days.iter().enumerate() {
            real.seal(at as u32 / 3, readings, 0);
            clear.push(readings);
        }
        let again = &days[usize::from(amended) % days.len()];
        real.seal(2, again, 1);
        clear.push(again);
        let grants: Vec<Grant> = spans.into_iter().map(|(epoch, first, more)| Grant {
            channel: CHANNEL, epoch, days: range(FIRST + first, FIRST + first + more), level: Level::Day,
        }).collect();
        let keyring = real.keyring(&grants);
        let known: Vec<Option<[u64; 2]>> = real.cells.iter().zip(&clear).map(|(cell, readings)| {
            let granted = keyring.level(&cell.header).is_some();
            granted.then(|| words_of(readings, u32::MAX).unwrap().day)
        }).collect();
        let simulated = simulate(&real, &keyring, &known, &mut Random::new(seed));
        let seen = view(&real, &keyring, &grants, 8);
        prop_assert_eq!(&seen, &view(&simulated, &keyring, &grants, 8));
        // The view is not empty: what was granted did open.
        let opened = seen[0].1.as_ref().unwrap().iter().filter(|opened| opened.is_ok()).count();
        prop_assert_eq!(opened, known.iter().flatten().count());
    }
}

/// Two days with the same total but opposite shapes are the same to a day reader.
#[test]
fn days_of_equal_totals_open_alike() {
    let shape = |morning: u32, evening: u32| {
        let mut readings = crate::world::readings(CHANNEL, FIRST, 96, 3, 0);
        for (j, reading) in readings.intervals.iter_mut().enumerate() {
            reading.wh = if j < 48 { morning } else { evening };
        }
        readings
    };
    let opened = [shape(900, 100), shape(100, 900)].map(|readings| {
        let mut world = World::new();
        world.seal(0, &readings, 0);
        let grant = Grant { channel: CHANNEL, epoch: 0, days: range(FIRST, FIRST), level: Level::Day };
        let keyring = world.keyring(&[grant]);
        view(&world, &keyring, &[grant], 1)
    });
    assert_eq!(opened[0], opened[1]);
    let total = BoundaryTotal { wh: 48_000, estimated: 0, missing: 0 };
    assert_eq!(opened[0][0].1.as_ref().unwrap()[..], [Ok(Opened::Day { total, revision_date: 3 })]);
    assert_eq!(OperatingDay(FIRST).to_string(), "2021-11-26");
}
