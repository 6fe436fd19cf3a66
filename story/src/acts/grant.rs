//! She sees in plain words what the link allows, signs; the vendor relays it and collects the keys.

use super::give::{relay_and_collect, sign};
use crate::{
    error::{expect, Result, StoryError},
    story::Story,
};
use std::time::Instant;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let mut grant = story.outcome.daily.take().ok_or(StoryError::Needs("ask", "a request"))?;
    let unread = grant.signed.is_none();
    let signed = sign(story, &mut grant).await;
    // Put back before anything can fail: after a kill this step is played again with the same signature.
    story.outcome.daily = Some(grant);
    signed?;
    let grant = story.outcome.daily()?;
    if let Some(shown) = grant.shown.as_ref().filter(|_| unread) {
        let (her, admitted_as) = (story.source.she(), &shown.admitted_as);
        story.printer.say(&format!(
            "{her} reads in plain words what the link would allow (the vendor was admitted as '{admitted_as}'), and signs:"
        ));
        story.printer.more(&shown.words.lines().map(|line| format!("| {line}")).collect::<Vec<_>>().join("\n"));
    }
    let began = Instant::now();
    let collected = relay_and_collect(story, grant).await?;
    expect(collected.tested, || "the delivered keys could not be tested on a cell".into())?;
    story.printer.say(&format!(
        "The vendor relayed her signature; the utility's node delivered the keys in block {}, sealed to the vendor alone, \
         after {:.1} s. They open what they must.",
        collected.block,
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}
