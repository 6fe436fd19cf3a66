//! `proof_bytes_year_*` and `open_meter_year_ms`: a year of one meter, in a full shard.

use crate::{
    feed,
    measure::{on_processor, Samples},
    utility::{Utility, GENESIS, MAX_WH},
    Figures, Result, Scale,
};
use sealed_register::{
    delivery::Segment,
    finalized::{BlockRef, RootStatement},
    open::open_with,
    proof::{build_range, Form},
    shard::{HeadTree, MAX_STREAMS},
    verify_range, Channel, DayRange, FinalizedRoot, Head, Heads, Intervals, Keyring, Level, OperatingDay, RangeProof,
    RangeRequest, SealedCell, StreamId, StreamSealer,
};
use smart_meter_texas::Calendar;
use std::{convert::Infallible, hint::black_box};

/// Openings that are timed together: the kernel counts processor time in ticks of some milliseconds.
const TOGETHER: u32 = 20;

/// Proves, verifies and opens.
///
/// # Errors
/// If anything of it is refused.
pub fn measure(scale: &Scale, figures: &mut Figures) -> Result<()> {
    let utility = Utility::new()?;
    let calendar = feed::calendar()?;
    let days = feed::year(0, &calendar);
    let meter = utility.secrets.meter_id(days.first().ok_or("a home without days")?.esi_id.as_str(), 0);
    let stream = utility.stream(meter, Channel::Consumption);
    let mut sealer = utility.sealer(stream);
    let consumption = days.iter().map(feed::readings).filter(|day| day.channel == Channel::Consumption);
    let cells = consumption.map(|day| Ok(sealer.seal_day(&day, 0)?)).collect::<Result<Vec<_>>>()?;
    let (tree, root) = shard(&utility, stream, &cells)?;
    let range = range()?;
    let key = utility.meter_key(&meter).epoch_key(0);
    let mut keyring = Keyring::new();
    for level in Level::ALL {
        keyring.add_cover(Channel::Consumption, level, 0, key.tree_root(Channel::Consumption, level).cover(range)?);
        let request = request(stream, range, level);
        let newest_first = cells.iter().rev().cloned().map(Ok::<_, Infallible>);
        let proof = build_range(&request, newest_first, &tree)?.encode();
        let figure = match level {
            Level::Day => "proof_bytes_year_day",
            Level::Hour => "proof_bytes_year_hour",
            Level::Quarter => "proof_bytes_year_quarter",
        };
        println!("a meter-year of {} cells, {level:?}: a proof of {} bytes", cells.len(), proof.len());
        figures.set(figure, proof.len() as f64);
        if level < Level::Quarter {
            continue;
        }
        let mut times = Samples::new();
        for _ in 0..scale.openings {
            let open = |_| open(&proof, &request, &root, &keyring, &calendar);
            let (_, seconds) = on_processor(|| (0..TOGETHER).try_for_each(open))?;
            times.add(seconds * 1e3 / f64::from(TOGETHER));
        }
        println!("a meter-year at 15 minutes decoded, verified and opened, milliseconds of processor time: {times}");
        figures.set("open_meter_year_ms", times.median());
    }
    Ok(())
}

/// Decodes, verifies and opens every day of a proof.
fn open(
    proof: &[u8],
    request: &RangeRequest,
    root: &FinalizedRoot,
    keyring: &Keyring,
    calendar: &Calendar,
) -> Result<()> {
    let proof = RangeProof::decode(proof)?;
    let verified = verify_range(request, &proof, root, root, keyring)?;
    let mut keys = keyring.cursor();
    for day in request.range.iter() {
        let intervals = calendar.intervals(smart_meter_texas::OperatingDay(day.0));
        let intervals = Intervals::from_count(intervals).ok_or("a day of no known length")?;
        let mut revisions = verified.revisions(day).iter().peekable();
        if revisions.peek().is_none() {
            return Err(format!("{day} is not in the proof").into());
        }
        for cell in revisions {
            black_box(open_with(cell, &mut keys, intervals)?);
        }
    }
    Ok(())
}

/// The year.
pub fn range() -> Result<DayRange> {
    let first = feed::FIRST_DAY.0;
    Ok(DayRange::new(OperatingDay(first), OperatingDay(first + feed::YEAR - 1)).ok_or("a year ends after it begins")?)
}

/// Asks for a stream's days.
pub fn request(stream: StreamId, range: DayRange, level: Level) -> RangeRequest {
    RangeRequest { stream, range, level, segments: vec![Segment { epoch: 0, days: range }], form: Form::Compact }
}

/// The stream among as many others as a shard holds, so that the path is the longest there is.
fn shard(utility: &Utility, stream: StreamId, cells: &[SealedCell]) -> Result<(HeadTree, FinalizedRoot)> {
    let mut heads = Heads::new(utility.shard());
    for cell in cells {
        heads.apply(cell)?;
    }
    for other in 1..MAX_STREAMS {
        let other = utility.stream(utility.secrets.meter_id("10443720000000001", other), stream.channel);
        let (key, siv) = (utility.meter_key(&other.meter), &utility.secrets.siv);
        let mut sealer = StreamSealer::new(&key, siv, other, 0, Head::first(&other), MAX_WH);
        heads.apply(&sealer.withdraw(OperatingDay(feed::FIRST_DAY.0), Intervals::Normal, 0)?)?;
    }
    let tree = heads.tree(0);
    let block = BlockRef { number: 1, hash: GENESIS };
    let statement = RootStatement { shard: utility.shard(), batch_sequence: 0, root: tree.root(), block };
    Ok((tree, FinalizedRoot::from_own_node(statement)))
}
