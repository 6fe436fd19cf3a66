//! She allows one month at 15 minutes.

use super::{
    ask::request,
    fetch::{by_vendor, remember, told},
    give::{relay_and_collect, sign},
};
use crate::{
    error::{Result, StoryError},
    printer::size,
    story::Story,
};
use sealed_register::{delivery::Purpose, DayRange, Level, OperatingDay};

/// Days of a month in which every month has its place.
const MONTH: u16 = 31;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let range = month(story.days());
    if story.outcome.month.is_none() {
        story.outcome.month = Some(request(story, range, Level::Quarter, Purpose::SolarSizing).await?);
    }
    let mut grant = story.outcome.month.take().ok_or(StoryError::Needs("widen", "a request"))?;
    let signed = sign(story, &mut grant).await;
    story.outcome.month = Some(grant);
    signed?;
    let grant = story.outcome.month.as_ref().ok_or(StoryError::Needs("widen", "a request"))?;
    relay_and_collect(story, grant).await?;
    let (fetched, sums) = by_vendor(story, grant).await?;
    story.printer.say(&format!(
        "She allows {range} at 15 minutes with a second signature. The vendor opens {}: every quarter hour is the feed's \
         (proofs {}).",
        told(&sums),
        size(fetched.proof_bytes)
    ));
    remember(story, &fetched);
    Ok(())
}

/// The last whole calendar month of a range; a shorter range is taken whole up to 31 days at its end.
fn month(range: DayRange) -> DayRange {
    let first_of = |day: OperatingDay| {
        let date = day.date().to_string();
        date.get(..8).and_then(|month| format!("{month}01").parse::<OperatingDay>().ok()).unwrap_or(day)
    };
    let after_last = OperatingDay(range.last.0.saturating_add(1));
    let end = first_of(after_last);
    if end.0 > 0 {
        let last = OperatingDay(end.0 - 1);
        if let Some(month) = DayRange::new(first_of(last), last).filter(|month| range.includes(month)) {
            return month;
        }
    }
    let first = OperatingDay(range.last.0.saturating_sub(MONTH - 1)).max(range.first);
    DayRange { first, last: range.last }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn the_last_whole_month() {
        for (first, last, expected) in [
            ("2023-02-01", "2023-03-31", "2023-03-01 to 2023-03-31"),
            ("2022-03-01", "2023-01-14", "2022-12-01 to 2022-12-31"),
            ("2022-03-05", "2022-03-20", "2022-03-05 to 2022-03-20"),
            ("2022-03-05", "2022-04-20", "2022-03-21 to 2022-04-20"),
            ("2022-03-05", "2022-03-05", "2022-03-05 to 2022-03-05"),
        ] {
            let range = DayRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap();
            assert_eq!(month(range).to_string(), expected);
        }
    }
}
