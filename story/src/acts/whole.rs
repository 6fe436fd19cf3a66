//! She allows the whole file at 15 minutes; what the vendor opens are the story's numbers.

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
use sealed_register::{delivery::Purpose, Channel, Level};

pub(super) async fn play(story: &mut Story) -> Result<()> {
    if story.outcome.whole.is_none() {
        story.outcome.whole = Some(request(story, story.days(), Level::Quarter, Purpose::Storage).await?);
    }
    let mut grant = story.outcome.whole.take().ok_or(StoryError::Needs("whole", "a request"))?;
    let signed = sign(story, &mut grant).await;
    story.outcome.whole = Some(grant);
    signed?;
    let grant = story.outcome.whole.as_ref().ok_or(StoryError::Needs("whole", "a request"))?;
    relay_and_collect(story, grant).await?;
    let (fetched, sums) = by_vendor(story, grant).await?;
    if let Some(consumption) = sums.get(&Channel::Consumption) {
        story.numbers.readings = consumption.readings;
        story.numbers.estimated = consumption.estimated;
        story.numbers.missing = consumption.missing;
        story.numbers.days = consumption.days;
        story.numbers.total_wh = consumption.wh;
    }
    story.numbers.generation_wh = sums.get(&Channel::Generation).map_or(0, |generation| generation.wh);
    story.printer.say(&format!(
        "She allows all of it at 15 minutes. The vendor opens {} (proofs {}).",
        told(&sums),
        size(fetched.proof_bytes)
    ));
    remember(story, &fetched);
    Ok(())
}
