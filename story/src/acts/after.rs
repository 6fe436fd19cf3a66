//! What is committed after the revocation stays closed to every key that the vendor holds, although its consents reached
//! further. The customer opens it.

use super::correct::publish;
use crate::{
    error::{expect, Result, StoryError},
    feed::wait_ingested,
    outcome::Published,
    readings::{ask, only, verified},
    source::calendar,
    story::Story,
};
use sealed_register::{open, proof::Form, DayReadings, Intervals, Level, OpenError, Opened, OperatingDay};

/// Minutes of a day.
const DAY_MINUTES: u32 = 1_440;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let revoked = story.outcome.revoked_at.ok_or(StoryError::Needs("revoke", "a revocation"))?;
    if story.outcome.next_day.is_none() {
        let days = next_day(story)?;
        let day = days.first().map(|readings| readings.day).ok_or_else(no_day)?;
        story.outcome.next_day = Some(Published { file: format!("next-{}-{day}.csv", story.source.stem()), days });
    }
    let published = story.outcome.next_day.as_ref().ok_or(StoryError::Needs("after", "a day"))?;
    let file = published.file.clone();
    publish(story, &file, &published.days)?;
    wait_ingested(story.chain(), std::slice::from_ref(&file)).await?;
    story.reread()?;

    let (home, holder) = (story.outcome.home()?, story.outcome.holder()?);
    let at = (story.utility, home.meter);
    let published = story.outcome.next_day.as_ref().ok_or(StoryError::Needs("after", "a day"))?;
    let own = holder.customer.reader(&story.access, at);
    let epoch = story.chain().finalized().await?.known_meter(at.0, at.1).await?.epoch;
    let mut told = None;
    for said in &published.days {
        let form = (Level::Quarter, Form::Compact);
        let exchange = ask(&own, said.channel, only(said.day), form, 0..=epoch).await?;
        let root = story.access.root(at.0, &at.1, exchange.answer.batch_sequence).await?;
        let range = verified(&exchange, &root, &holder.keyring)?;
        let cell = range.revisions(said.day).last().ok_or_else(no_day)?;
        let intervals: Intervals = cell.header().intervals;
        let opened = open(cell, &holder.keyring, intervals).map_err(|error| StoryError::Wrong(error.to_string()))?;
        expect(opened == Opened::Quarters(said.clone()), || format!("{} is not what the feed said", said.day))?;
        expect(cell.header().epoch == epoch, || {
            format!("{} was sealed under epoch {}, the meter has {epoch}", said.day, cell.header().epoch)
        })?;
        for consent in story.outcome.consents() {
            let record = story.vendor.record(&consent)?;
            let (keyring, _) = record.keys()?;
            let reach = record.consent()?.statement.terms.data;
            match open(cell, &keyring, intervals) {
                Err(error @ OpenError::EpochNotGranted { .. }) if reach.contains(said.day) => {
                    told = Some(error.to_string())
                }
                Err(OpenError::EpochNotGranted { .. }) => {}
                other => {
                    let came = other.map(|opened| opened.level());
                    return Err(StoryError::Wrong(format!("the vendor's old keys on {}: {came:?}", said.day)));
                }
            }
        }
    }
    let day = published.days.first().map(|readings| readings.day).ok_or_else(no_day)?;
    let told = told.ok_or_else(|| StoryError::Wrong(format!("no consent reached to {day}, so nothing was shown")))?;
    story.printer.say(&format!(
        "The next day, {day}, was committed after the revocation in block {revoked}. It lies within what the vendor had been \
         allowed, but its keys do not open it ({told}). She reads it."
    ));
    Ok(())
}

fn no_day() -> StoryError {
    StoryError::Wrong("the first meter has no next day".into())
}

/// The day after the last one of the first meter, on each of its channels: the values of the last day of the same length.
fn next_day(story: &Story) -> Result<Vec<DayReadings>> {
    let calendar = calendar()?;
    let channels: Vec<_> = story.channels().iter().collect();
    let last = channels.iter().filter_map(|channel| story.book.days(*channel).next_back()).map(|day| day.day).max();
    let day = OperatingDay(last.ok_or_else(no_day)?.0.checked_add(1).ok_or_else(no_day)?);
    let intervals = usize::from(calendar.intervals(smart_meter_texas::OperatingDay(day.0)));
    let revision_date = u32::from(day.0).saturating_add(1).saturating_mul(DAY_MINUTES).saturating_add(375);
    let like = |channel| {
        let alike = story.book.days(channel).rev().find(|readings| readings.intervals.len() == intervals);
        let mut readings = alike.or_else(|| story.book.days(channel).next_back())?.clone();
        // A day of another length than any before: its hours are repeated or cut.
        let repeated: Vec<_> = readings.intervals.iter().copied().cycle().take(intervals).collect();
        readings.intervals = repeated;
        readings.day = day;
        readings.revision_date = revision_date;
        Some(readings)
    };
    Ok(channels.into_iter().filter_map(like).collect())
}
