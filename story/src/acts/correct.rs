//! A corrected file arrives: two quarter hours of one day had been mixed up. Both versions can be proved, and they share
//! no pad.

use crate::{
    error::{expect, Result, StoryError},
    feed::wait_ingested,
    outcome::Published,
    readings::{ask, only, same_as_feed, verified, word, PATIENCE},
    source::calendar,
    story::Story,
};
use sealed_register::{
    open, proof::Form, word::words_of, DayReadings, Intervals, Level, Opened, Quality, VerifiedCell,
};
use smart_meter_texas::{csv::Writer, Interval, MeterDay, RevisionDate};
use std::collections::BTreeSet;
use wattseal_client::reading::Wanted;

/// Minutes of a day: a correction is dated one day after what it corrects.
const DAY_MINUTES: u32 = 1_440;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    if story.outcome.correction.is_none() {
        let (before, after) = correction(story)?;
        let day = after.day;
        let minute = after.revision_date;
        let file = format!("correction-{}-{day}-{minute}.csv", story.source.stem());
        story.outcome.before_correction = Some(before);
        story.outcome.correction = Some(Published { file, days: vec![after] });
    }
    let published = story.outcome.correction.as_ref().ok_or(StoryError::Needs("correct", "a correction"))?;
    let (file, after) = match published.days.first() {
        Some(after) => (published.file.clone(), after.clone()),
        None => return Err(StoryError::Wrong("the correction has no day".into())),
    };
    publish(story, &file, std::slice::from_ref(&after))?;
    wait_ingested(story.chain(), std::slice::from_ref(&file)).await?;
    story.reread()?;

    let before = story.outcome.before_correction.as_ref().ok_or(StoryError::Needs("correct", "what was before"))?;
    let (home, holder) = (story.outcome.home()?, story.outcome.holder()?);
    let (day, channel, at) = (after.day, after.channel, (story.utility, home.meter));
    let own = holder.customer.reader(&story.access, at);
    let epochs = 0..=story.chain().finalized().await?.known_meter(at.0, at.1).await?.epoch;
    let exchange = ask(&own, channel, only(day), (Level::Quarter, Form::Compact), epochs).await?;
    let root = story.access.root(at.0, &at.1, exchange.answer.batch_sequence).await?;
    let range = verified(&exchange, &root, &holder.keyring)?;
    let [.., old, new] = range.revisions(day) else {
        let count = range.revisions(day).len();
        return Err(StoryError::Wrong(format!("{day} has {count} versions after its correction")));
    };
    let revision = new.header().revision;
    expect(story.book.revision(channel, day) == Some(revision), || format!("revision {revision} is not the feed's"))?;
    for (cell, said) in [(old, before), (new, &after)] {
        let intervals: Intervals = cell.header().intervals;
        let opened = open(cell, &holder.keyring, intervals).map_err(|error| StoryError::Wrong(error.to_string()))?;
        expect(opened == Opened::Quarters(said.clone()), || {
            format!("revision {} of {day} is not what the feed said", cell.header().revision)
        })?;
    }
    let (first, second) = (pads(old, before)?, pads(new, &after)?);
    expect(first.is_disjoint(&second), || format!("the two revisions of {day} share a pad"))?;

    let grant = story.outcome.whole.as_ref().ok_or(StoryError::Needs("whole", "a consent"))?;
    let wanted = Wanted { range: only(day), ..grant.wanted };
    let fetched = story.vendor.fetch(&story.access, &grant.consent()?, &wanted, None, PATIENCE, &|_| {}).await?;
    same_as_feed(&fetched, &story.book, channel)?;
    story.printer.say(&format!(
        "A corrected file arrived: two quarter hours of {day} ({}) had been mixed up. Versions {revision} and {} of the day \
         both stand under batch {}'s root and open to what each file said; the vendor reads the newer one. Of their {} pads \
         none is shared.",
        word(channel),
        revision + 1,
        root.root.batch_sequence(),
        first.len() + second.len()
    ));
    super::fetch::remember(story, &fetched);
    Ok(())
}

/// A day near the middle of the file whose two quarter hours change places: energy and quality of the whole stay.
fn correction(story: &Story) -> Result<(DayReadings, DayReadings)> {
    let days: Vec<&DayReadings> =
        story.book.days(story.main_channel()).filter(|readings| story.days().contains(readings.day)).collect();
    let (early, late) = days.split_at(days.len() / 2);
    for before in late.iter().chain(early) {
        let values = before.intervals.iter().enumerate().filter(|(_, reading)| reading.quality != Quality::Missing);
        let Some((one, low)) = values.clone().min_by_key(|(_, reading)| reading.wh) else { continue };
        let Some((two, high)) = values.max_by_key(|(_, reading)| reading.wh) else { continue };
        if low.wh == high.wh {
            continue;
        }
        let mut after = (*before).clone();
        after.intervals.swap(one, two);
        let published = u32::from(before.day.0).saturating_add(1).saturating_mul(DAY_MINUTES).saturating_add(380);
        after.revision_date = before.revision_date.max(published).saturating_add(DAY_MINUTES);
        return Ok(((*before).clone(), after));
    }
    Err(StoryError::Wrong("the first meter has no day with two different quarter hours to be corrected".into()))
}

/// Writes days of the first meter into the feed.
pub(super) fn publish(story: &Story, file: &str, days: &[DayReadings]) -> Result<()> {
    if story.feed.has(file) {
        return Ok(());
    }
    let calendar = calendar()?;
    let writer = Writer::new(&calendar);
    let mut text = Vec::new();
    writer.header(&mut text);
    for day in days {
        let day = meter_day(story, day);
        writer.day(&day, &mut text).map_err(|error| StoryError::Wrong(error.to_string()))?;
    }
    story.feed.put(file, |path| std::fs::write(path, &text))
}

fn meter_day(story: &Story, readings: &DayReadings) -> MeterDay {
    let interval = |reading: &sealed_register::Reading| match reading.quality {
        Quality::Actual => Interval::actual(reading.wh),
        Quality::Estimated => Interval::estimated(reading.wh),
        Quality::Missing => Interval::MISSING,
    };
    let intervals: Vec<Interval> = readings.intervals.iter().map(interval).collect();
    MeterDay {
        esi_id: story.source.survey.first,
        channel: match readings.channel {
            sealed_register::Channel::Consumption => smart_meter_texas::Channel::Consumption,
            sealed_register::Channel::Generation => smart_meter_texas::Channel::Generation,
        },
        day: smart_meter_texas::OperatingDay(readings.day.0),
        revision_date: RevisionDate(readings.revision_date),
        complete: true,
        rows: u8::try_from(intervals.len()).unwrap_or(u8::MAX),
        intervals,
    }
}

/// What hides each word: the sealed word less the clear one.
fn pads(cell: &VerifiedCell, readings: &DayReadings) -> Result<BTreeSet<u64>> {
    let clear = words_of(readings, u32::MAX).map_err(|error| StoryError::Wrong(error.to_string()))?;
    let mut pads = BTreeSet::new();
    for (level, clear) in [(Level::Day, &clear.day[..]), (Level::Hour, &clear.hour), (Level::Quarter, &clear.quarter)] {
        let sealed = cell.words(level).filter(|sealed| sealed.len() == clear.len());
        let sealed = sealed.ok_or_else(|| StoryError::Wrong(format!("words of level {level:?} are missing")))?;
        pads.extend(sealed.iter().zip(clear).map(|(sealed, clear)| sealed.wrapping_sub(*clear)));
    }
    Ok(pads)
}
